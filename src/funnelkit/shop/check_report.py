"""What is wrong with a shop's data, the worst first, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from html import escape
from textwrap import fill
from typing import Any

import polars as pl

from funnelkit.data.findings import Severity
from funnelkit.errors import rows_text
from funnelkit.verification.violation import Violation

__all__ = ["CheckReport", "reported"]

WIDTH, INDENT = 100, " " * 9
HEADS = ("severity", "where", "rows", "such as", "what to do")
SCHEMA = {
    **dict.fromkeys(("table", "check", "severity"), pl.String),
    "rows": pl.Int64,
    **dict.fromkeys(("sample", "remedy"), pl.String),
}


class CheckReport(pl.DataFrame):
    """The errors and warnings about the data of a shop, as a frame that reads as a list.

    One row per finding: `table`, `check`, `severity`, `rows`, `sample` and `remedy`. `sample`
    holds the keys and values of a few of the rows, `remedy` is what to do.
    """

    def __repr__(self) -> str:
        if self.columns != [*SCHEMA]:
            return super().__repr__()
        return "\n".join([self._summary(), *map(_text, self.rows(named=True))])

    def __str__(self) -> str:
        return repr(self)

    def _repr_html_(self, *, _from_series: bool = False) -> str:
        if self.columns != [*SCHEMA]:
            return super()._repr_html_(_from_series=_from_series)
        if not self.height:
            return f'<p class="funnelkit">{self._summary()}</p>'
        head = "".join(f'<th scope="col" style="{LOOK}">{name}</th>' for name in HEADS)
        caption = f'<caption style="text-align:left">{self._summary()}</caption>'
        rows = "".join(map(_row, self.rows(named=True)))
        return (
            f'<table class="funnelkit">{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )

    def _summary(self) -> str:
        if not self.height:
            return "no errors or warnings"
        found = self.get_column("severity").to_list()
        counts = [
            f"{count} {severity}{'s' if count > 1 else ''}"
            for severity in Severity
            if (count := found.count(severity))
        ]
        return f"{' and '.join(counts)}; errors prevent numbers, warnings do not"


def reported(violations: Iterable[Violation]) -> CheckReport:
    """Return the report of what was found, the worst first."""

    def badness(one: Violation) -> tuple[int, int]:
        return list(Severity).index(one.finding.severity), -one.rows

    rows = [
        (
            one.table,
            f"{one.column} {one.finding.problem}",
            str(one.finding.severity),
            one.rows,
            one.sample,
            one.finding.remedy,
        )
        for one in sorted(violations, key=badness)
    ]
    return CheckReport(rows, schema=SCHEMA, orient="row")


Finding = Mapping[str, Any]
LOOK = "text-align:left;vertical-align:top;padding-right:1em;overflow-wrap:anywhere"


def _text(one: Finding) -> str:
    rows = rows_text(one["rows"])
    such = f", such as {one['sample']}" if one["sample"] else ""
    said = f"{_place(one)}, in {rows}{such}"
    lines = [f"{one['severity']:<{len(INDENT)}}{said}"]
    lines += [f"{INDENT}→ {one['remedy']}"] if one["remedy"] else []
    return "\n".join(fill(line, WIDTH, subsequent_indent=INDENT + "  ") for line in lines)


def _place(one: Finding) -> str:
    """Return where something is wrong, and what; a check of the whole table names no column."""
    check = one["check"]
    return f"{one['table']}{'' if check.startswith(' ') else '.'}{check}"


def _row(one: Finding) -> str:
    return f'<tr><th scope="row" style="{LOOK}">{one["severity"]}</th>{"".join(_cells(one))}</tr>'


def _cells(one: Finding) -> Iterator[str]:
    for text in (_place(one), f"{one['rows']:,}", one["sample"], one["remedy"]):
        yield f'<td style="{LOOK}">{escape(text)}</td>'
