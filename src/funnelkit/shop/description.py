"""What is known of a shop's data: what was recognised, ignored, assumed, and what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from itertools import groupby
from textwrap import fill

import polars as pl

__all__ = ["Description", "Note", "Topic", "described"]

WIDTH = 100
LEFT = 'style="text-align:left;white-space:normal"'


class Topic(StrEnum):
    """What a note is about, in the order in which notes are shown."""

    RECOGNISED = "recognised"
    IGNORED = "ignored"
    ASSUMED = "assumed"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Note:
    """One remark about the data of a shop.

    Attributes:
        topic: What it is about.
        subject: The file, table or column.
        text: What is said of it.
    """

    topic: Topic
    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Description:
    """The notes about a shop; shown by topic in a terminal and in a notebook.

    Attributes:
        notes: Every note, by topic.
    """

    notes: tuple[Note, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """The notes as a frame with columns `topic`, `subject` and `text`."""
        rows = [(str(note.topic), note.subject, note.text) for note in self.notes]
        schema = {"topic": pl.String, "subject": pl.String, "text": pl.String}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __repr__(self) -> str:
        lines: list[str] = []
        for topic, notes in _by_topic(self.notes):
            lines.append(str(topic))
            lines += [_wrapped(f"{note.subject}: {note.text}") for note in notes]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts: list[str] = []
        for topic, notes in _by_topic(self.notes):
            rows = "".join(
                f'<tr><th scope="row" {LEFT}>{escape(note.subject)}</th>'
                f"<td {LEFT}>{escape(note.text)}</td></tr>"
                for note in notes
            )
            parts.append(f"<h4>{topic}</h4><table>{rows}</table>")
        return "".join(parts)


def described(notes: Iterable[Note]) -> Description:
    """Return the description that consists of notes, each once, in the order of the topics."""
    order = list(Topic)
    return Description(
        tuple(sorted(dict.fromkeys(notes), key=lambda note: order.index(note.topic)))
    )


def _by_topic(notes: Sequence[Note]) -> Iterator[tuple[Topic, list[Note]]]:
    for topic, group in groupby(notes, key=lambda note: note.topic):
        yield topic, list(group)


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ")
