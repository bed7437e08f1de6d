"""What to do with a column of the wrong type, by its type and by what its values look like."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import polars as pl

from funnelkit.data.text_columns import ISO_FORMS
from funnelkit.formula.values import Column, Duration, Flag, Money, Quantity, Score, Time

__all__ = ["advice", "odd_values"]

MOST = 1000
"""How many values are looked at to give advice."""

EPOCHS = {"s": 10**8, "ms": 10**11, "us": 10**14, "ns": 10**17}
"""From which size on a number is read as a time since 1970, in each unit."""

_DATE = re.compile(r"\s*(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(.*)", re.DOTALL)
_CLOCK = re.compile(r"([ T]+)\d{1,2}:\d{2}(:\d{2})?(\.\d+)?( ?[AaPp][Mm])?")
_NOTHING = re.compile(r"\s*(|-+|–|—|n/?a|nan|null|none|nil|\?|#n/a|\(not set\))\s*", re.IGNORECASE)
_TOTAL = re.compile(r"\s*(grand |sub)?totals?\b.*", re.IGNORECASE)


def odd_values(frame: pl.LazyFrame, name: str, column: Column) -> list[object]:
    """Return values of a column; first those that are written otherwise than the column needs."""
    values = frame.select(pl.col(name)).drop_nulls()
    if isinstance(frame.collect_schema()[name], pl.String):
        is_odd = _is_odd(values, name, column)
        found = values.filter(is_odd).head(MOST), values.filter(~is_odd).head(1)
        is_usual = isinstance(column, Time)
        values = pl.concat(found if is_usual else found[:1])
    return values.head(MOST + 1).collect().to_series().to_list()


def _is_odd(values: pl.LazyFrame, name: str, column: Column) -> pl.Expr:
    """Return whether a text is no number, or no time written as the first one is."""
    text = pl.col(name)
    if isinstance(column, Money | Quantity | Score | Duration):
        number = text.cast(pl.Float64, strict=False)
        all_fit = values.select(number.is_not_null().all()).collect().item()
        return pl.lit(value=True) if all_fit else number.is_null()
    if isinstance(column, Time):
        first = values.head(1)
        for form in ISO_FORMS:
            if not first.filter(form.fits(text)).collect().is_empty():
                all_fit = values.select(form.fits(text).all()).collect().item()
                return pl.lit(value=True) if all_fit else ~form.fits(text)
    return pl.lit(value=True)


def advice(column: Column, found: pl.DataType, values: Sequence[object], otherwise: str) -> str:
    """Return what makes a column of the declared type of one of the wrong type.

    Args:
        column: How the column is declared.
        found: Its type.
        values: Some of its values.
        otherwise: The advice where the values say nothing.
    """
    texts = [value for value in values if isinstance(value, str)]
    match column:
        case Time() if texts:
            return _of_time_texts(texts)
        case Time() if found.is_numeric():
            return _of_time_numbers(found, [v for v in values if isinstance(v, int | float)])
        case Money() | Quantity() | Score() | Duration() if texts:
            return _of_number_texts(texts)
        case Flag() if texts:
            yes = next((text for text in texts if text.strip().lower()[:1] in "yt1jo"), texts[0])
            return f"compare it: pl.col(…) == {yes!r}"
        case _:
            return otherwise


def _of_time_numbers(found: pl.DataType, values: Sequence[float]) -> str:
    size = max(map(abs, values), default=0)
    whole = "pl.col(…)" if found.is_integer() else "pl.col(…).cast(pl.Int64)"
    if 19000101 <= size <= 21001231:
        return f"parse it: {whole}.cast(pl.String).str.to_date('%Y%m%d')"
    if 20_000 <= size <= 80_000:
        return f"count its days: pl.date(1899, 12, 30) + pl.duration(days={whole})"
    unit = next((unit for unit, least in reversed(EPOCHS.items()) if size >= least), "s")
    if size >= EPOCHS["s"]:
        return f"convert it: pl.from_epoch({whole}, time_unit={unit!r})"
    return f"convert it: pl.from_epoch({whole}, time_unit=…), with 's', 'ms', 'us' or 'ns'"


def _of_time_texts(texts: Sequence[str]) -> str:
    if nothing := [text for text in texts if _NOTHING.fullmatch(text)]:
        return _null_values(nothing[0])
    column = pl.Series("t", texts)
    for form in ISO_FORMS:
        if column.to_frame().select(form.fits(pl.col("t")).all()).item():
            way = "to_date" if form.format == "%Y-%m-%d" else "to_datetime"
            return f"parse it: pl.col(…).str.{way}({form.format!r})"
    if totals := [text for text in texts if _TOTAL.fullmatch(text)]:
        return f"{totals[0]!r} looks like a total: filter that row out"
    if all(re.fullmatch(r"(19|20)\d{6}", text) for text in texts):
        return "parse it: pl.col(…).str.to_date('%Y%m%d')"
    if all(re.fullmatch(r"\d{9,19}", text) for text in texts):
        size = len(texts[0])
        unit = "s" if size <= 11 else "ms" if size <= 14 else "us" if size <= 17 else "ns"
        return f"convert it: pl.from_epoch(pl.col(…).cast(pl.Int64), time_unit={unit!r})"
    if odd := next(filter(None, map(_of_odd_time, texts)), None):
        return odd
    if len(texts) > 1 and all(map(_fits_a_form, texts)):
        return _MIXED
    dates = [found for text in texts if (found := _DATE.fullmatch(text))]
    if dates and len(dates) == len(texts):
        return _of_dates(dates)
    return "parse it with its format: pl.col(…).str.to_datetime('…')"


_MIXED = "its values are written in different ways: parse each way by its own format"
_DAY_AND_CLOCK = r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?"
_ODD_TIMES: Mapping[str, str] = {
    rf"\s+{_DAY_AND_CLOCK}.*|{_DAY_AND_CLOCK}\S*\s+": "strip it: pl.col(…).str.strip_chars()",
    rf"{_DAY_AND_CLOCK} ?[+-]\d{{2}}:?\d{{2}} ?\[[\w/+-]+\]": (
        r"it names its zone after its offset: remove it, pl.col(…).str.replace(r' ?\[.*\]$', '')"
    ),
    rf"{_DAY_AND_CLOCK} ?\[?(?![AaPp][Mm]$)[A-Za-z][\w/+-]*\]?": (
        "it names its zone: remove it, pl.col(…).str.replace(r' ?\\[?[A-Za-z][\\w/+-]*\\]?$', '')"
        ", and say which it is: fk.Shop(…, time_zone='…')"
    ),
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}": (
        "it has hours alone: (pl.col(…) + ':00').str.replace(' ', 'T')"
        ".str.to_datetime('%Y-%m-%dT%H:%M')"
    ),
    r"\d{4}-\d{2}-\d{2}[T ]24:00(:00(\.0+)?)?": (
        "24:00 is the next day at 00:00: pl.col(…).str.slice(0, 10).str.to_date()"
        ".dt.offset_by('1d') is its day"
    ),
    r"0000-00-00.*": "it is how databases write an unknown time: make it null",
}
"""What to do with times of a shape."""


def _of_odd_time(text: str) -> str | None:
    shape = (way for shape, way in _ODD_TIMES.items() if re.fullmatch(shape, text))
    return next(shape, None)


def _fits_a_form(text: str) -> bool:
    frame = pl.DataFrame({"t": [text]})
    return any(frame.select(form.fits(pl.col("t"))).item() for form in ISO_FORMS)


def _of_dates(dates: Sequence[re.Match[str]]) -> str:
    """Return the formats that fit all dates; two where day and month may be either."""
    formats = [f for f in _formats(dates[0]) if _fits(f, dates)]
    if not any(_formats(dates[0])):
        return "parse it with its format: pl.col(…).str.to_datetime('…')"
    if not any(_fits(way, dates[:1]) for way in _formats(dates[0])):
        return f"{dates[0].group()!r} is no day of the calendar: correct it, or make it null"
    if not formats:
        return _MIXED
    ways = [
        f"pl.col(…).str.{'to_datetime' if '%M' in one else 'to_date'}({one!r})" for one in formats
    ]
    if len(ways) == 1:
        return f"parse it: {ways[0]}"
    return f"the order of day and month cannot be known: parse it by {' or '.join(ways)}"


def _formats(date: re.Match[str]) -> Iterator[str]:
    first, mark, _, last, rest = date.groups()
    clock = _CLOCK.fullmatch(rest)
    if rest.strip() and not clock:
        return
    time = ""
    if clock:
        gap, seconds, fraction, half = clock.groups()
        hour = "%I" if half else "%H"
        time = f"{gap}{hour}:%M" + (":%S" if seconds else "")
        time += ("%.f" if fraction else "") + (half.replace(half.strip(), "%p") if half else "")
    if len(first) == 4:
        yield f"%Y{mark}%m{mark}%d{time}"
        return
    year = "%Y" if len(last) == 4 else "%y"
    yield f"%d{mark}%m{mark}{year}{time}"
    yield f"%m{mark}%d{mark}{year}{time}"


def _fits(pattern: str, dates: Sequence[re.Match[str]]) -> bool:
    texts = pl.Series("t", [date.group() for date in dates])
    return (
        texts.str.to_datetime(pattern, strict=False).null_count() == 0
        if "%M" in pattern
        else (texts.str.to_date(pattern, strict=False).null_count() == 0)
    )


_OTHER_MINUS = re.compile(r"[^\d.,-]*\d[\d.,\s]*-\s*|.*[−–—].*")
_THOUSAND = re.compile(r"\s*-?\d{1,3},\d{3}\s*")
_NUMBERS: Mapping[str, str] = {
    r"-?\d*\.?\d+": "cast it: pl.col(…).cast(pl.Float64)",
    r"\s*-?\d*\.?\d+\s*": "strip it: pl.col(…).str.strip_chars().cast(pl.Float64)",
    r"\s*-?\d{1,3}(,\d{3})+(\.\d+)?\s*": (
        "remove the thousands separators: "
        "pl.col(…).str.strip_chars().str.replace_all(',', '').cast(pl.Float64)"
    ),
    r"-?\d+,\d+": (
        "read the file yourself, pl.read_csv(…, decimal_comma=True), "
        "or pl.col(…).str.replace(',', '.').cast(pl.Float64)"
    ),
    r"\s*-?[\d.]+\s*%\s*": (
        "take a hundredth: pl.col(…).str.strip_chars('% ').cast(pl.Float64) / 100"
    ),
    r"[^\d.,()-]*-?[^\d.,()-]*(\d{1,3}([.\s’']\d{3})+|\d+),\d{1,2}[^\d.,()-]*": (
        r"write it with a point alone: pl.col(…).str.replace_all(r'[^\d,-]', '')"
        ".str.replace(',', '.').cast(pl.Float64)"
    ),
    r"[^\d.,()-]*-?[^\d.,()-]*(\d{1,3}(,\d{3})+|\d+)(\.\d+)?[^\d.,()-]*": (
        r"remove what is no digit: pl.col(…).str.replace_all(r'[^\d.-]', '').cast(pl.Float64)"
    ),
    r"\s*\([^\d()-]*[\d.,]+[^\d()-]*\)\s*": (
        "an amount in parentheses is below zero: write it with a minus"
    ),
}
"""What to do with texts of a shape; the first shape that all of them have."""


def _of_number_texts(texts: Sequence[str]) -> str:
    if nothing := [text for text in texts if _NOTHING.fullmatch(text)]:
        return _null_values(nothing[0])
    if any(map(_OTHER_MINUS.fullmatch, texts)):
        return (
            "a minus is at the end, or another sign: write -12.5, as "
            "pl.col(…).str.replace(r'[−–—]', '-').str.replace(r'^(.*)-\\s*$', '-${1}') does"
        )
    if all(map(_THOUSAND.fullmatch, texts)):
        return (
            "it cannot be known what the comma separates: remove it from thousands, "
            "pl.col(…).str.replace(',', ''), or make it a point, pl.col(…).str.replace(',', '.')"
        )
    for shape, way in _NUMBERS.items():
        if all(re.fullmatch(shape, text) for text in texts):
            return way
    return "write it as numbers: pl.col(…).cast(pl.Float64) reads 1234.5 and nothing around it"


def _null_values(text: str) -> str:
    return (
        f"read the file yourself, pl.read_csv(…, null_values={[text]!r}), "
        f"or pl.col(…).replace({text!r}, None)"
    )
