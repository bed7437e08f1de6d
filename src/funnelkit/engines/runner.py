"""Steps carried out on an engine: nothing is folded before what it rests on was checked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice

import polars as pl

from funnelkit.calendar.calendar import UTC_EPOCH
from funnelkit.data.schema import Severity
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.base import Engine
from funnelkit.formula.values import Column
from funnelkit.planning.derive import Relations
from funnelkit.planning.plan import IS_NAMED, PERIOD, UNITS, Step, group_column
from funnelkit.planning.relations import Answer, Rel
from funnelkit.planning.traversal import columns_read, tables_of, with_names_apart
from funnelkit.planning.vocabulary import answers_in_words, with_words
from funnelkit.verification.broken_promises import check_promises
from funnelkit.verification.rows import Passes, all_violations, check
from funnelkit.verification.signs import lowest, settle_signs, unseen_signs
from funnelkit.verification.violation import Violation
from funnelkit.verification.words import check_words, word_counts

__all__ = ["Report", "Runner"]

Report = Callable[[Step], None]
"""Is told of each step that is done."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Carries out the steps of a plan on the data of one shop.

    Attributes:
        data: The shop's data.
        engine: What reads its tables.
    """

    data: ShopData
    engine: Engine

    def fold(self, steps: Sequence[Step], *, report: Report | None = None) -> list[pl.DataFrame]:
        """Answer every step; the promises of each table that is read are checked once.

        Args:
            steps: The steps.
            report: Called after each step; steps then follow one another.

        Returns:
            For each step a frame with the period (where the calendar has
            one), a column per key and a column per fold, one row per group.

        Raises:
            ContractError: The data breaks a promise; names every one.
        """
        answers = self.answers(steps)
        relations = [answer.relation for answer in answers]
        columns = columns_read(relations)
        if self._verify(relations, columns) or self._learn_words(columns):
            answers = self.answers(steps)
            relations = [answer.relation for answer in answers]
            columns = columns_read(relations)
        if self.data.guards:
            check_words(self.data, columns)
            check_promises(self.data, steps, columns, self.read)
        names = [answer.relation.name for answer in answers]
        readable = self.data.derived("readable", answers, partial(self._readable, answers))
        asked = dict(zip(dict.fromkeys(names), readable, strict=True))
        if report is None:
            found = dict(zip(asked, self.engine.run(readable), strict=True))
        else:
            found = dict[str, pl.DataFrame]()
            for step, name in zip(steps, names, strict=True):
                if name not in found:
                    (found[name],) = self.engine.run([asked[name]])
                report(step)
        frames = map(found.__getitem__, names)
        return [_labelled(*each) for each in zip(steps, answers, frames, strict=True)]

    def answers(self, steps: Sequence[Step]) -> list[Answer]:
        """Return the relation that answers each step."""
        return self._answers(self.data, steps)

    def lasting(self, steps: Sequence[Step]) -> list[Answer]:
        """Return the relation that answers each step, whatever rows its tables will have.

        Nothing in it rests on what was found in them, save the as-of moment and the words.
        """
        answers = self._lasting(steps)
        if self._learn_words(columns_read([answer.relation for answer in answers])):
            answers = self._lasting(steps)
        relations = answers_in_words(self.data, answers, is_lasting=True)
        pairs = zip(answers, relations, strict=True)
        return [replace(answer, relation=relation) for answer, relation in pairs]

    def sketches(self, steps: Sequence[Step]) -> list[Answer]:
        """Return the relation that answers each step, as far as it is known without the data."""
        data = replace(self.data, seen={})
        return Relations.of(data, lambda: UTC_EPOCH).answers(steps)

    def as_of(self, *, steps: Sequence[Step] = ()) -> dt.datetime | None:
        """Return the instant up to which the data is known: the latest of the rows that count.

        Args:
            steps: What will be folded: where the moment must be looked for, the tables that
                they read are verified in the same pass; by the hour, from when to when their
                rows go must be known in any case.
        """
        data = self.data
        is_sought = data.given_as_of is None and data.seen_as_of is None
        is_unseen = any(s.calendar.has_hours and s.table not in data.seen for s in steps)
        if is_sought or is_unseen:
            relations = Relations.of(data, lambda: None)
            latest = relations.latest() if is_sought else ()
            if latest or is_unseen:
                rows = relations.rows(steps)
                self._verify(rows, columns_read(rows), latest=latest)
        return data.given_as_of or data.seen_as_of

    def earliest(self, table: str) -> dt.datetime | None:
        """Return the time of a table's first row, in the shop's zone; None where none is known."""
        clock = self.data.clock_of(table)
        if self.data.missing_for(clock):
            return None
        extent, given = self.data.extent(clock), self.data.given_as_of
        if extent is None:
            first = Relations.of(self.data, lambda: None).first(clock)
            found = self.read([first])[0].item()
        else:
            found = extent[0]
        if not isinstance(found, dt.datetime) or (given is not None and found >= given):
            return None
        return self.data.calendar.shown(found)

    def learn_words(self, columns: Iterable[Column]) -> None:
        """Learn which words columns hold: what is compared with them is then read as they are."""
        self._learn_words({(column.table, column.name) for column in columns})

    def read(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        """Return the rows of relations, with words read as what they stand for."""
        self._learn_words(columns_read(relations))
        return self._run(relations)

    def violations(self) -> list[Violation]:
        """Return everything that is wrong or odd in the bound tables."""
        everything = {(one.table, one.name) for one in self.data.unread_words()}
        self._learn_words(everything)
        return all_violations(self.data, self.read)

    def _answers(self, data: ShopData, steps: Sequence[Step]) -> list[Answer]:
        given = next((step.as_of for step in steps if step.as_of), None)

        def make() -> list[Answer]:
            return Relations.of(data, lambda: given or self.as_of()).answers(steps)

        return data.derived("answers", steps, make)

    def _lasting(self, steps: Sequence[Step]) -> list[Answer]:
        return self._answers(replace(self.data, seen={}, seen_non_negative={}), steps)

    def _verify(
        self,
        relations: Sequence[Rel],
        columns: set[tuple[str, str]],
        *,
        latest: Sequence[Rel] = (),
    ) -> bool:
        """Check keys and rows of the tables that relations read, once per table.

        What else is to be known of the tables before anything is folded is read in the same
        pass: the signs of the columns, and the as-of moment.

        Args:
            relations: What is to be read.
            columns: The columns that they read, each with its table.
            latest: The relations of the as-of moment, where it is to be looked for.

        Returns:
            Whether anything was learnt.
        """
        data = self.data
        fresh = [name for name in tables_of(relations) if name not in data.seen]
        unseen = unseen_signs(data, columns)
        if not (fresh or unseen or latest):
            return False
        passes = Passes.of(data, fresh, [Severity.ERROR] if data.guards else [])
        signs = lowest(data, unseen)
        self._learn_words(columns | columns_read([*passes.relations, *latest]))
        found = iter(self._run([*passes.relations, *signs, *latest]))
        overviews = passes.overviews(list(islice(found, len(passes.relations))))
        if data.guards:
            check(data, overviews, self.read)
        settle_signs(data, unseen, list(islice(found, len(signs))))
        if latest:
            moments = (moment for answer in found if (moment := answer.item()) is not None)
            data.seen_as_of = max(moments, default=None)
        data.seen |= {overview.table: overview.stats for overview in overviews}
        return True

    def _readable(self, answers: Sequence[Answer]) -> list[Rel]:
        """Return the relations that are read to answer steps, each once."""
        relations = answers_in_words(self.data, answers)
        return with_names_apart([*{one.name: one for one in relations}.values()])

    def _run(self, relations: Sequence[Rel]) -> list[pl.DataFrame]:
        return self.engine.run(with_names_apart(with_words(self.data, relations)))

    def _learn_words(self, columns: Container[tuple[str, str]]) -> bool:
        """Learn which words columns hold, once per column; return whether any was learnt."""
        unread = [one for one in self.data.unread_words() if (one.table, one.name) in columns]
        if not unread:
            return False
        found = self.engine.run([word_counts(self.data, column) for column in unread])
        rows = (dict(frame.drop_nulls().rows()) for frame in found)
        self.data.settle_words(dict(zip(unread, rows, strict=True)))
        return True


def _labelled(step: Step, answer: Answer, folded: pl.DataFrame) -> pl.DataFrame:
    """Return an answer with its columns named, and periods of the type of their labels."""
    names = {} if answer.period is None else {answer.period: PERIOD}
    periods = {*names, *(k for k, g in zip(answer.keys, step.groups, strict=True) if g.is_period)}
    groups = (group_column(group.name) for group in step.groups)
    names |= dict(zip(answer.keys, groups, strict=True))
    names |= dict(zip(answer.folds, (fold.name for fold in step.folds), strict=True))
    names |= {} if answer.alike is None else dict(zip(answer.alike, (IS_NAMED, UNITS), strict=True))
    if periods and step.calendar.has_hours:
        label = step.calendar.label_type
        folded = folded.with_columns(pl.col(name).cast(label) for name in periods)
    labelled = folded[list(names)]
    labelled.columns = list(names.values())
    return labelled
