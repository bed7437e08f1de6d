"""Columns of text files: the type of a column is one that every value of the file has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from funnelkit.errors import DataError, shortened
from funnelkit.formula.values import (
    Category,
    Column,
    Duration,
    Flag,
    Key,
    Money,
    Quantity,
    Score,
    Time,
)

__all__ = ["ISO_FORMS", "Form", "typed", "typed_records"]

FIRST_ROWS = 10_000
"""How many rows decide which forms are looked for in the rest of a file."""

TOTAL_ROW = (
    r"(?i)^\s*((grand|sub)[ -]?)?"
    r"(totals?|sum|summe|gesamt|gesamtsumme|razem|suma|somme|totale|totaal)\s*(:.*)?$"
)
REMARK = r"^\s*(#|//|--|;)|\S\s+\S"
REMARK_LINE, TOTAL_LINE, EMPTY_LINE = "#remark", "#total", "#empty"
FILTERED = "pl.read_csv(…).filter(…)"


@dataclass(frozen=True, slots=True)
class Form:
    """A way of writing values.

    Attributes:
        name: What it is called.
        read: How texts are read; a text of another form becomes null.
        shape: A regular expression that texts of this form match; empty for any.
        format: The format of times, for `str.to_datetime`.
        is_exact: Whether different texts are always different values.
    """

    name: str
    read: Callable[[pl.Expr], pl.Expr]
    shape: str = ""
    format: str = ""
    is_exact: bool = False

    def fits(self, text: pl.Expr) -> pl.Expr:
        """Return whether a text is of this form."""
        value = self.read(text)
        if self.is_exact:
            return value.cast(pl.String).eq_missing(text)
        has_shape = text.str.contains(self.shape) if self.shape else pl.lit(value=True)
        return has_shape & value.is_not_null()


def _cast(kind: pl.DataType) -> Callable[[pl.Expr], pl.Expr]:
    return lambda text: text.cast(kind, strict=False)


def _flag(text: pl.Expr) -> pl.Expr:
    word = text.str.to_lowercase()
    return pl.when(word.is_in(["true", "false"])).then(word == "true")


def _time(format: str) -> Form:  # noqa: A002  # the name that Polars uses
    digits = {"%Y": r"\d{4}", "%S%.f": r"%S(\.\d{1,9})?", **dict.fromkeys(("%m", "%d"), r"\d{2}")}
    shape = format
    for directive, pattern in {**digits, **dict.fromkeys(("%H", "%M", "%S"), r"\d{2}")}.items():
        shape = shape.replace(directive, pattern)
    return Form(
        format,
        lambda text: text.str.to_datetime(format, strict=False, time_unit="us"),
        f"^{shape}$",
        format,
    )


def _zoned(text: pl.Expr) -> pl.Expr:
    offset = text.str.replace(r"([+-]\d{2})$", "${1}00")
    return offset.str.to_datetime("%+", strict=False, time_unit="us", time_zone="UTC")


EXACT_INTEGER = Form("exact integer", _cast(pl.Int64()), is_exact=True)
INTEGER = Form("integer", _cast(pl.Int64()))
DECIMAL = Form("decimal", _cast(pl.Float64()))
UNPADDED = Form("unpadded", _cast(pl.Float64()), r"^-?(0|[1-9]\d*)?(\.\d*)?([eE]|$)")
FLAG = Form("flag", _flag)
DAY = Form(
    "day",
    lambda text: text.str.to_date("%Y-%m-%d", strict=False),
    r"^\d{4}-\d{2}-\d{2}$",
    "%Y-%m-%d",
)
ZONED = Form(
    "zoned",
    _zoned,
    r"^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d{1,9})? ?(Z|UTC|[+-]\d{2}(:?\d{2})?)$",
    "%+",
)
ISO_FORMS = (
    DAY,
    *map(_time, ("%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f")),
    *map(_time, ("%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M")),
    ZONED,
)
"""Days and times as ISO 8601 writes them; the order of day and month is not guessed."""


def _forms(column: Column | None) -> tuple[Form, ...]:
    """Return the forms that the values of a column may have, the preferred one first."""
    match column:
        case Key():
            return (EXACT_INTEGER,)
        case Category():
            return (EXACT_INTEGER, FLAG, DAY)
        case Money() | Quantity() | Score() | Duration():
            return (INTEGER, DECIMAL)
        case Flag():
            return (FLAG, INTEGER)
        case Time():
            return (*ISO_FORMS, INTEGER, DECIMAL)
        case _:
            return (EXACT_INTEGER, UNPADDED, FLAG, *ISO_FORMS)


def typed(frame: pl.LazyFrame, declared: Mapping[str, Column | None]) -> pl.LazyFrame:
    """Return a frame with its text columns converted to the types that all of their values have.

    Args:
        frame: The frame, which is read once.
        declared: The columns to convert, by name, with their declaration if there is one.
    """
    return _typed(frame, declared, ())[0]


def typed_records(
    frame: pl.LazyFrame, declared: Mapping[str, Column | None], place: str
) -> tuple[pl.LazyFrame, pl.LazyFrame]:
    """Return the rows of a separated file with typed columns, without its empty lines.

    Args:
        frame: The file, with text in every column; it is read once.
        declared: All columns, by name, with their declaration if there is one.
        place: The file, for errors.

    Returns:
        The typed rows, and the same rows as text.

    Raises:
        DataError: A line is a comment, or the total of the others.
    """
    keys = [name for name, column in declared.items() if isinstance(column, Key)]
    result, shown = _typed(frame, declared, tuple(_odd_lines(list(declared), keys)))
    if (remark := shown[REMARK_LINE]) is not None:
        mark = remark.strip()[0]
        way = f"pl.read_csv(…, comment_prefix={mark!r})" if mark in "#;" else FILTERED
        raise DataError(
            f"{place} has a line that is no row: {shortened(remark)!r}",
            f"remove it, or read the file yourself: {way}",
        )
    if (total := shown[TOTAL_LINE]) is not None:
        raise DataError(
            f"{place} has a row that adds up the others: {shortened(total)!r}",
            f"remove it, or read the file yourself: {FILTERED}",
        )
    if not shown[EMPTY_LINE]:
        return result, frame
    is_row = ~pl.all_horizontal(pl.all().is_null())
    return result.filter(is_row), frame.filter(is_row)


def _typed(
    frame: pl.LazyFrame, declared: Mapping[str, Column | None], more: Sequence[pl.Expr]
) -> tuple[pl.LazyFrame, dict[str, Any]]:
    forms = {name: _forms(column) for name, column in declared.items()}
    shown: dict[str, Any] = {}
    for part in (frame.head(FIRST_ROWS), frame):
        asked = part.select(*_questions(forms), *more)
        shown = asked.collect(engine="streaming").row(0, named=True)
        forms = {
            name: tuple(form for form in known if shown[f"{form.name} {name}"])
            for name, known in forms.items()
        }
    columns = [
        _read(name, known if shown[f"has {name}"] else None) for name, known in forms.items()
    ]
    return frame.with_columns(columns), shown


def _questions(forms: Mapping[str, Sequence[Form]]) -> Iterator[pl.Expr]:
    """Return expressions for whether a column has values, and whether all fit each form."""
    for name, known in forms.items():
        text = _written(name)
        yield text.is_not_null().any().alias(f"has {name}")
        for form in known:
            yield (form.fits(text) | text.is_null()).all().alias(f"{form.name} {name}")


def _odd_lines(names: Sequence[str], keys: Sequence[str]) -> Iterator[pl.Expr]:
    """Return expressions for a comment line, a total line, and whether there are empty lines."""
    first, *others = names
    if others:
        is_alone = pl.all_horizontal(pl.col(other).is_null() for other in others)
        lone = pl.when(is_alone).then(pl.col(first))
        yield lone.filter(lone.str.contains(REMARK)).first().alias(REMARK_LINE)
    else:
        yield pl.lit(None).alias(REMARK_LINE)
    is_total = pl.any_horizontal(
        pl.col(name).str.contains(TOTAL_ROW) for name in dict.fromkeys([first, *keys])
    )
    line = pl.concat_str(names, separator=",", ignore_nulls=True)
    yield line.filter(is_total).first().alias(TOTAL_LINE)
    yield pl.all_horizontal(pl.col(name).is_null() for name in names).any().alias(EMPTY_LINE)


def _read(name: str, forms: Sequence[Form] | None) -> pl.Expr:
    if forms is None:
        return pl.lit(None, pl.Null).alias(name)
    return (forms[0].read(_written(name)) if forms else _written(name)).alias(name)


def _written(name: str) -> pl.Expr:
    """Return the texts of a column; an empty one, which CSV may write as two quotes, is null."""
    return pl.when(pl.col(name) != "").then(pl.col(name))
