"""Which unit was assigned to which variant of an experiment, and whether as many as planned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import erfc, exp, lgamma, log, sqrt

import polars as pl

from funnelkit.arguments import check_kind, not_above
from funnelkit.data.binding import TEXT_TYPES
from funnelkit.data.sources import Source, open_source
from funnelkit.errors import DataError, DefinitionError, shortened

__all__ = ["EXPOSED", "VARIANT", "Assignment", "SampleRatio", "read_assignment"]

VARIANT, EXPOSED = "#variant", "#exposed"
"""The columns of the name of a unit's variant, and of the time since which its rows count."""

ALARM = 0.001
"""Below which probability of the sizes of variants the assignment is taken to be broken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleRatio:
    """Whether the variants have as many units as planned.

    Attributes:
        observed: How many units each variant has.
        expected: How many it would have, as planned.
        p_value: How likely sizes at least as uneven are by chance: the chi-square test.
    """

    observed: Mapping[str, int]
    expected: Mapping[str, float]
    p_value: float

    @property
    def is_mismatch(self) -> bool:
        """Whether the assignment must be taken to be broken: a probability below 0.001."""
        return self.p_value < ALARM

    @property
    def note(self) -> str:
        """The finding, in a sentence."""
        sizes = ", ".join(f"{name} {size:,}" for name, size in self.observed.items())
        if not self.is_mismatch:
            return f"sample ratio as planned: {sizes} (p = {self.p_value:.3g})"
        planned = ", ".join(f"{name} {size:,.0f}" for name, size in self.expected.items())
        return (
            f"SAMPLE RATIO MISMATCH: {sizes}, planned {planned} (p = {self.p_value:.2g}): "
            "the assignment is broken, and what follows cannot be trusted"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """The units of an experiment.

    Attributes:
        frame: One row per unit: the unit, its variant by name, and since when its rows count.
        control: The variant that the others are compared with.
        variants: The other variants.
        ratio: Whether the variants have as many units as planned.
    """

    frame: pl.DataFrame
    control: str
    variants: tuple[str, ...]
    ratio: SampleRatio


def read_assignment(  # noqa: PLR0913  # what is named in the frame, every part by keyword
    source: Source,
    *,
    unit: str,
    variant: str,
    control: object,
    exposed_at: str | None,
    shares: Mapping[object, float] | None,
) -> Assignment:
    """Return the assignment in a frame, checked.

    Args:
        source: One row per unit.
        unit: The column of the unit.
        variant: The column of the variant.
        control: The variant that the others are compared with.
        exposed_at: The column of the time since which a unit's rows count.
        shares: The planned share of each variant; equal by default.

    Raises:
        DefinitionError: A column or variant does not exist.
        DataError: Units are in it twice, or lack something; names every fault.
    """
    rows = _read(source, unit, variant, exposed_at)
    if faults := list(_faults(rows, unit, variant, exposed_at)):
        raise DataError("the assignment is broken: " + "; ".join(faults), _ONE_ROW)
    values = rows.get_column(variant).unique().sort().to_list()
    if control not in values or len(values) < 2:
        known = ", ".join(repr(value) for value in values[:10])
        raise DefinitionError(
            f"control={control!r} is not one of several variants", f"the variants are {known}"
        )
    words = {value: str(value) for value in values}
    columns = [
        pl.col(unit),
        pl.col(variant).replace_strict(words, return_dtype=pl.String).alias(VARIANT),
        *([] if exposed_at is None else [pl.col(exposed_at).alias(EXPOSED)]),
    ]
    frame = rows.select(columns)
    return Assignment(
        frame=frame,
        control=words[control],
        variants=tuple(word for value, word in words.items() if value != control),
        ratio=_ratio(frame, _planned(words, shares)),
    )


def _read(source: Source, unit: str, variant: str, exposed_at: str | None) -> pl.DataFrame:
    """Return the columns of an assignment; blanks around a unit are not part of it.

    Raises:
        DefinitionError: A column does not exist, or is named for two things.
    """
    opened = open_source(source, lambda _: None)
    names = [name for name in (unit, variant, exposed_at) if name is not None]
    if lacking := [name for name in names if name not in opened.schema]:
        known = ", ".join(opened.schema)
        raise DefinitionError(
            f"the assignment has no column {' and no column '.join(map(repr, lacking))}",
            f"it has {known}",
        )
    if len(set(names)) < len(names):
        raise DefinitionError(
            f"unit={unit!r}, variant={variant!r} and exposed_at={exposed_at!r} name one column "
            "for two things",
            "name a column for each",
        )
    rows = opened.frame.select(names).collect()
    if isinstance(rows.schema[unit], TEXT_TYPES):
        rows = rows.with_columns(pl.col(unit).cast(pl.String).str.strip_chars())
    return rows


_ONE_ROW = "give one row per unit, with the variant that it was assigned to first"


def _faults(rows: pl.DataFrame, unit: str, variant: str, exposed_at: str | None) -> Iterator[str]:
    """Return what is wrong with the rows of an assignment."""
    if not rows.height:
        yield "it has no rows"
    for name in (unit, variant, exposed_at):
        if name is not None and (nulls := _blanks(rows.get_column(name))):
            yield f"{name} is null or blank in {nulls:,} of {rows.height:,} rows"
    if rows.schema[variant].is_nested():
        yield f"{variant} holds {rows.schema[variant]}, not names"
    if isinstance(rows.schema[variant], TEXT_TYPES):
        yield from _doubles(rows.get_column(variant).cast(pl.String).unique().drop_nulls())
    if exposed_at is not None and not isinstance(rows.schema[exposed_at], pl.Date | pl.Datetime):
        yield f"{exposed_at} holds {rows.schema[exposed_at]}, not times"
    known = (
        rows.drop_nulls(unit)
        .group_by(unit)
        .agg(pl.len().alias("rows"), pl.col(variant).n_unique().alias("variants"))
    )
    crossed = known.filter(pl.col("variants") > 1)
    twice = known.filter((pl.col("rows") > 1) & (pl.col("variants") == 1))
    for found, what in ((crossed, "in more than one variant"), (twice, "assigned more than once")):
        if found.height:
            example = shortened(repr(found.get_column(unit).sort().item(0)))
            yield f"{found.height:,} of {known.height:,} units are {what}, such as {example}"


def _blanks(values: pl.Series) -> int:
    """Return how many values are null, blank texts, or no number (NaN)."""
    if values.dtype.is_float():
        return int(values.is_nan().fill_null(value=True).sum())
    if not isinstance(values.dtype, TEXT_TYPES):
        return values.null_count()
    return int((values.cast(pl.String).str.strip_chars().fill_null("") == "").sum())


def _doubles(variants: pl.Series) -> Iterator[str]:
    """Yield which variants differ in case or blanks alone."""
    names = variants.sort().to_frame("name")
    same = names.group_by(pl.col("name").str.strip_chars().str.to_lowercase().alias("word")).agg(
        "name"
    )
    for found in same.filter(pl.col("name").list.len() > 1).sort("word").get_column("name"):
        yield f"the variants {' and '.join(map(repr, found))} differ in case or blanks alone"


def _planned(
    words: Mapping[object, str], shares: Mapping[object, float] | None
) -> dict[str, float]:
    """Return the planned share of each variant.

    Raises:
        DefinitionError: They are not shares of the variants.
    """
    if shares is None:
        return dict.fromkeys(words.values(), 1 / len(words))
    check_kind("shares", shares, (Mapping,), "name the share of each variant")
    named = {str(name): share for name, share in shares.items()}
    if set(named) != set(words.values()) or any(not_above("", s, 0) for s in named.values()):
        raise DefinitionError(
            f"shares={shares!r} does not name each variant with a share above 0",
            "write shares={" + ", ".join(f"{word!r}: 0.5" for word in words.values()) + "}",
        )
    whole = sum(named.values())
    return {word: named[word] / whole for word in words.values()}


def _ratio(frame: pl.DataFrame, planned: Mapping[str, float]) -> SampleRatio:
    counted = dict(frame.group_by(VARIANT).len().rows())
    observed = {name: int(counted[name]) for name in planned}
    expected = {name: share * frame.height for name, share in planned.items()}
    distance = sum((observed[name] - size) ** 2 / size for name, size in expected.items())
    return SampleRatio(
        observed=observed, expected=expected, p_value=chi_square_tail(distance, len(planned) - 1)
    )


def chi_square_tail(distance: float, freedom: int) -> float:
    """Return the probability of a chi-square value at least as large.

    Args:
        distance: The value.
        freedom: The degrees of freedom, 1 or more.
    """
    half, at = distance / 2, 0.5 if freedom % 2 else 1.0
    if half <= 0:
        return 1.0
    tail = erfc(sqrt(half)) if freedom % 2 else exp(-half)
    while at < freedom / 2:
        tail += exp(at * log(half) - half - lgamma(at + 1))
        at += 1
    return min(tail, 1.0)
