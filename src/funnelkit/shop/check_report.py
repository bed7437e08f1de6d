"""What is wrong with a shop's data, the worst first, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from textwrap import fill

import polars as pl

from funnelkit.data.findings import Severity
from funnelkit.verification.violation import Violation

__all__ = ["CheckReport", "reported"]

WIDTH, INDENT = 100, " " * 9
HEADS = ("severity", "where", "what is wrong", "rows", "such as", "what to do")


@dataclass(frozen=True, slots=True, repr=False)
class CheckReport:
    """The errors and warnings about the data of a shop.

    Attributes:
        violations: What was found, errors before warnings and then by the number of rows.
    """

    violations: tuple[Violation, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per finding: `table`, `check`, `severity`, `rows`, `sample` and `remedy`.

        `sample` holds the keys and values of a few of the rows, `remedy` is what to do.
        """
        rows = [
            (
                one.table,
                f"{one.column} {one.finding.problem}",
                str(one.finding.severity),
                one.rows,
                one.sample,
                one.finding.remedy,
            )
            for one in self.violations
        ]
        names = ("table", "check", "severity", "rows", "sample", "remedy")
        schema = {name: pl.Int64 if name == "rows" else pl.String for name in names}
        return pl.DataFrame(rows, schema=schema, orient="row")

    def is_empty(self) -> bool:
        """Return whether nothing was found."""
        return not self.violations

    def __len__(self) -> int:
        return len(self.violations)

    def __repr__(self) -> str:
        return "\n".join([self._summary(), *map(_text, self.violations)])

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col" style="text-align:left">{name}</th>' for name in HEADS)
        rows = "".join(map(_row, self.violations))
        caption = f'<caption style="text-align:left">{self._summary()}</caption>'
        if not rows:
            return f'<p class="funnelkit">{self._summary()}</p>'
        return (
            f'<table class="funnelkit">{caption}<thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table>"
        )

    def _summary(self) -> str:
        if not self.violations:
            return "no errors or warnings"
        counts = [
            f"{count} {severity}{'s' if count > 1 else ''}"
            for severity in Severity
            if (count := sum(one.finding.severity is severity for one in self.violations))
        ]
        return f"{' and '.join(counts)}; errors prevent numbers, warnings do not"


def reported(violations: Iterable[Violation]) -> CheckReport:
    """Return the report of what was found, the worst first."""

    def badness(one: Violation) -> tuple[int, int]:
        return list(Severity).index(one.finding.severity), -one.rows

    return CheckReport(tuple(sorted(violations, key=badness)))


def _text(one: Violation) -> str:
    severity, remedy = one.finding.severity, one.finding.remedy
    rows = f"{one.rows:,} row" + ("" if one.rows == 1 else "s")
    such = f", such as {one.sample}" if one.sample else ""
    said = f"{_place(one)} {one.finding.problem}, in {rows}{such}"
    lines = [(f"{severity:<{len(INDENT)}}{said}"), *([f"{INDENT}→ {remedy}"] if remedy else [])]
    return "\n".join(fill(line, WIDTH, subsequent_indent=INDENT + "  ") for line in lines)


def _place(one: Violation) -> str:
    return f"{one.table}.{one.column}" if one.column else one.table


def _row(one: Violation) -> str:
    return f'<tr><th scope="row">{one.finding.severity}</th>{"".join(_cells(one))}</tr>'


def _cells(one: Violation) -> Iterator[str]:
    finding = one.finding
    for text in (_place(one), finding.problem, f"{one.rows:,}", one.sample, finding.remedy):
        yield f'<td style="text-align:left">{escape(text)}</td>'
