"""A report: what a shop's numbers say, on one page."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from os import PathLike
from pathlib import Path

from funnelkit.arguments import check_kind
from funnelkit.calendar.calendar import Moment
from funnelkit.errors import DefinitionError, FunnelkitError, TruncatedHistoryWarning
from funnelkit.evaluation.arguments import Asked
from funnelkit.reporting.markup import Html, element, joined, paragraph
from funnelkit.reporting.question import Goals, ReportQuestion, asked, one_line
from funnelkit.reporting.sections import REPORT_SECTIONS, ReportSection
from funnelkit.reporting.style import STYLE
from funnelkit.reporting.words import period_word
from funnelkit.shop.shop import Shop

__all__ = ["Report", "report"]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:"
"""What a page may load: nothing from a network, and no script."""


@dataclass(frozen=True, slots=True, repr=False)
class Report(PathLike[str]):
    """A report that was written; it can be used as the path of its file.

    Attributes:
        path: The file.
        html: What it holds.
        missing: By its heading, why a section could not be computed.
    """

    path: Path
    html: str
    missing: Mapping[str, str]

    def __fspath__(self) -> str:
        return str(self.path)

    def __repr__(self) -> str:
        lines = [f"{self.path}: {len(self.html.encode()) / 1000:,.0f} kB"]
        lines += [f"{heading} is missing: {why}" for heading, why in self.missing.items()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        look = "width:100%;height:40rem;border:1px solid #888"
        return f'<iframe title="report" style="{look}" srcdoc="{escape(self.html)}"></iframe>'


def report(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    *,
    path: str | Path = "report.html",
    metrics: Asked | None = None,
    every: str = "1mo",
    goals: Goals = (),
    start: Moment | None = None,
    end: Moment | None = None,
    title: str = "Shop report",
    sections: Mapping[str, ReportSection] = REPORT_SECTIONS,
) -> Report:
    """Write what a shop's numbers say as one HTML file, which loads nothing and runs no script.

    A section that the data does not allow says in a line what is missing.

    Args:
        shop: The shop.
        path: The file, which is replaced.
        metrics: As for `evaluate`; by default the usual ones of each stage that the data allows.
            The metrics of goals are added.
        every: The length of a period. Numbers are of the last complete one, and are compared
            with the one before.
        goals: As for `track`.
        start: The first moment of the range, as for `evaluate`. Cohorts are of the whole history.
        end: The first moment after it.
        title: The title of the page.
        sections: Sections by their headings, in order: functions of the shop and a
            `ReportQuestion` that return HTML. `{**fk.REPORT_SECTIONS, "Mine": mine}` adds one.

    Raises:
        DefinitionError: An argument is not valid, or the file cannot be written.
        UnknownNameError: A metric does not exist.

    Examples:
        >>> import funnelkit as fk, tempfile
        >>> file = f"{tempfile.mkdtemp()}/report.html"
        >>> fk.report(fk.demo(), path=file, every="1q").missing
        {}
    """
    check_kind("path", path, (str, Path), "name a file: path='report.html'")
    check_kind("title", title, (str,), "write title='Shop report'")
    check_kind("sections", sections, (Mapping,), "add to them: {**fk.REPORT_SECTIONS, 'Mine': f}")
    check_kind("every", every, (str,), "write every='1mo'")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        question = asked(shop, metrics, every=every, goals=goals, start=start, end=end)
        parts, missing = _sections(shop, question, sections)
    parts += _notes(caught)
    html = _page(title, shop, question, parts)
    _write(Path(path), html)
    return Report(Path(path), html, missing)


def _sections(
    shop: Shop, question: ReportQuestion, sections: Mapping[str, ReportSection]
) -> tuple[list[Html], dict[str, str]]:
    """Return the sections, and why those that cannot be computed are missing."""
    parts, missing = list[Html](), dict[str, str]()
    for heading, section in sections.items():
        try:
            body = Html(section(shop, question))
        except FunnelkitError as error:
            missing[heading] = one_line(error)
            body = paragraph(f"Not in this report: {missing[heading]}", kind="soft")
        if body:
            parts.append(element("section", joined([element("h2", heading), body])))
    return parts, missing


def _notes(caught: list[warnings.WarningMessage]) -> list[Html]:
    """Return what was warned of while the numbers were computed; hand on other warnings."""
    texts = dict.fromkeys(
        str(each.message) for each in caught if issubclass(each.category, TruncatedHistoryWarning)
    )
    for each in caught:
        if not issubclass(each.category, TruncatedHistoryWarning):
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
    if not texts:
        return []
    return [element("section", joined([element("h2", "Notes"), *map(paragraph, texts)]))]


def _page(title: str, shop: Shop, question: ReportQuestion, parts: list[Html]) -> str:
    """Return the whole document."""
    main = joined([element("h1", title), paragraph(_facts(shop, question), kind="soft"), *parts])
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"{element('title', title)}\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{element('main', main)}\n</body>\n</html>\n"
    )


def _facts(shop: Shop, question: ReportQuestion) -> str:
    """Return of what the numbers are, in a line."""
    known = [result.as_of for result in question.results if result.as_of is not None]
    shown = f"{shop.data.calendar.shown(max(known)):%Y-%m-%d %H:%M}" if known else None
    zone = shop.data.calendar.time_zone
    facts = (
        f"By {period_word(question.every)}",
        f"data known until {shown} ({zone})" if shown else f"time zone {zone}",
        f"currency {shop.data.currency or 'not given'}",
        f"order policy {shop.order_policy.name}",
    )
    return " · ".join(facts)


def _write(path: Path, html: str) -> None:
    try:
        path.write_text(html, encoding="utf-8")
    except OSError as error:
        problem = f"path={str(path)!r} cannot be written: {error.strerror}"
        raise DefinitionError(problem, "name a file in a folder that exists") from None
