"""Units counted by what they have counted: each row one whole number, and these sorted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from funnelkit.engines.polars.alike import Alike
from funnelkit.engines.polars.packed import FITTING

__all__ = ["count_alike"]

Codes = NDArray[np.integer[Any]]
Collect = Callable[[pl.LazyFrame], pl.DataFrame]

_TEXTS, _TIMES = pl.String | pl.Categorical | pl.Enum, pl.Boolean | pl.Date | pl.Datetime

_MARKS, _KEY, _MANY = "#marks", "#key", "#many"

_BITS, _FEW_BITS = 62, 31
"""How many bits a code has at most, and in how many it takes half of the time to sort it.

One less than its type has, so that another number lies beyond each.
"""

_FEWEST_BITS = 4
"""How many bits a count has at least; units with more rows are counted by themselves."""

_MOST_MARKS = 8
_FIRST, _FEW_WORDS = 100_000, 12
"""In how many first rows words are looked for, and how many are compared one by one."""

_WRITTEN, _BLOCK = 2**18, 2**15
"""How many rows are written and gone through at a time: they stay near the processor."""


def count_alike(
    rows: pl.LazyFrame,
    counted: Alike,
    wheres: Sequence[pl.Expr],
    collect: Collect,
) -> pl.DataFrame | None:
    """Count the units of each key that have the same counts.

    Keys, unit and what a row counts for go into one whole number, and these are sorted: several
    times as fast as grouping by keys and unit, of which there are almost as many as rows.

    Args:
        rows: The rows.
        counted: What is counted.
        wheres: The conditions of rows.
        collect: Reads a frame.

    Returns:
        Rows of key, counts and number, of which several may have the same key and counts; None
        where the columns are of other types, or do not fit.
    """
    keys, unit = list(counted.keys), counted.unit
    schema = rows.select(*keys, unit).collect_schema()
    texts = [key for key in keys if isinstance(schema[key], _TEXTS)]
    others = [schema[key] for key in keys if key not in texts]
    is_fit = all(isinstance(kind, _TIMES) or kind in FITTING for kind in others)
    if not is_fit or schema[unit] not in FITTING or len(wheres) > _MOST_MARKS:
        return None
    known = rows.with_columns(pl.col(texts).cast(pl.String), _marks(wheres))
    few = _few_words(known.select(texts), collect)
    found = list[pl.DataFrame]()
    for read in _read(known.select(*keys, unit, _MARKS), texts, few, collect):
        named = read.drop_nulls(unit)
        layout = _Layout.of(named, counted)
        if layout is None:
            return None
        nameless = read.filter(pl.col(unit).is_null())
        found += [layout.units_of(named), _nameless(nameless, counted)]
    names = [*keys, *(name for name, _ in counted.counts), counted.is_named, counted.number]
    typed = [pl.col(key).cast(schema[key]) for key in keys]
    return pl.concat(each.select(names).with_columns(typed) for each in found)


def _few_words(texts: pl.LazyFrame, collect: Collect) -> dict[str, list[str]]:
    """Return the words of each text that has few of them in the first rows."""
    if not texts.collect_schema():
        return {}
    first = collect(texts.head(_FIRST))
    words = {text.name: text.unique().drop_nulls().to_list() for text in first.iter_columns()}
    return {name: own for name, own in words.items() if len(own) <= _FEW_WORDS}


def _read(
    rows: pl.LazyFrame, texts: Sequence[str], few: Mapping[str, Sequence[str]], collect: Collect
) -> list[pl.DataFrame]:
    """Read rows with their texts as numbers; those with words beside the few in another frame.

    A text is compared with a few words in half of the time that it takes to look it up.
    """
    every = pl.Categorical(pl.Categories.random())
    looked_up = [pl.col(text).cast(every) for text in texts if text not in few]
    compared = [_place(text, words) for text, words in few.items()]
    read = collect(rows.with_columns(*looked_up, *compared))
    named = [pl.col(text).cat.to(pl.Enum(words)) for text, words in few.items()]
    if all(read.get_column(text).max() != len(words) for text, words in few.items()):
        return [read.with_columns(named)]
    is_other = [~pl.col(text).is_in(words) for text, words in few.items()]
    others = _read(rows.filter(pl.any_horizontal(is_other)), texts, {}, collect)
    read = read.filter(pl.col(text).ne_missing(len(words)) for text, words in few.items())
    return [read.with_columns(named), *others]


def _place(text: str, words: Sequence[str]) -> pl.Expr:
    """Return the place of a text among words; one more for another, null for null."""
    place = pl.lit(len(words), dtype=pl.UInt8)
    for number, word in enumerate(words):
        own = pl.lit(number, dtype=pl.UInt8)
        place = pl.when(pl.col(text) == word).then(own).otherwise(place)
    return pl.when(pl.col(text).is_not_null()).then(place).alias(text)


def _marks(wheres: Sequence[pl.Expr]) -> pl.Expr:
    """Return which conditions hold of a row, a bit for each."""
    marks = pl.lit(0, dtype=pl.UInt8)
    for place, where in enumerate(wheres):
        holds = where.fill_null(value=False).cast(pl.UInt8)
        marks |= holds * pl.lit(1 << place, dtype=pl.UInt8)
    return marks.alias(_MARKS)


def _nameless(rows: pl.DataFrame, counted: Alike) -> pl.DataFrame:
    """Return the counts of rows that name no unit: for each key they are one."""
    counts = [
        (pl.len() if place is None else ((pl.col(_MARKS) & 1 << place) != 0).sum())
        .cast(pl.Int64)
        .alias(name)
        for name, place in counted.counts
    ]
    is_named = pl.lit(value=False).alias(counted.is_named)
    one = pl.lit(1, dtype=pl.Int64).alias(counted.number)
    keys = counted.keys
    found = rows.group_by(keys).agg(counts) if keys else rows.select(counts).head(rows.height)
    return found.with_columns(is_named, one)


@dataclass(frozen=True, slots=True)
class _Part:
    """A column as a part of a code: so many numbers from the lowest on, of which null is the last.

    Attributes:
        name: The column.
        low: The lowest value.
        many: How many values there may be, null among them.
        has_null: Whether it may be null.
        dtype: Its type.
    """

    name: str
    low: int
    many: int
    has_null: bool
    dtype: pl.DataType

    @classmethod
    def of(cls, rows: pl.DataFrame, name: str) -> _Part:
        """Return the part that a column is."""
        column, numbers = rows.get_column(name), pl.col(name).to_physical()
        ends = rows.select(numbers.min().alias("low"), numbers.max().alias("high")).row(0)
        low, high = (0, -1) if None in ends else map(int, ends)
        has_null = column.null_count() > 0
        return cls(name, low, high - low + 1 + has_null, has_null, column.dtype)

    @property
    def bits(self) -> int:
        """How many bits it takes."""
        return max(self.many - 1, 0).bit_length()

    def number(self) -> pl.Expr:
        """Return which of the numbers a row has, from 0 on."""
        number = pl.col(self.name).to_physical().cast(pl.Int64)
        found = number - self.low if self.low else number
        return found.fill_null(self.many - 1) if self.has_null else found

    def values(self, numbers: pl.Series) -> pl.Series:
        """Return the values that have some of the numbers."""
        known = numbers.set(numbers == self.many - 1, None) if self.has_null else numbers
        known = (known + self.low).alias(self.name)
        match self.dtype:
            case pl.Categorical(categories=categories):
                return categories.to_series().gather(known).alias(self.name)
            case pl.Enum(categories=words):
                return words.gather(known).alias(self.name)
            case pl.Date():
                return known.cast(pl.Int32).cast(pl.Date)
            case _:
                return known.cast(self.dtype)


@dataclass(frozen=True, slots=True)
class _Layout:
    """Where keys, unit and marks stand in a code, and counts in what is made of codes.

    Attributes:
        counted: What is counted.
        keys: The keys, the first in the highest bits.
        unit: The unit, in the bits below; the marks come last.
        lanes: The places of the conditions of the rows that are counted; None for all.
        width: How many bits a count has.
    """

    counted: Alike
    keys: tuple[_Part, ...]
    unit: _Part
    lanes: tuple[int | None, ...]
    width: int

    @classmethod
    def of(cls, rows: pl.DataFrame, counted: Alike) -> _Layout | None:
        """Return the layout of rows; None where they do not fit."""
        *keys, unit = (_Part.of(rows, name) for name in (*counted.keys, counted.unit))
        lanes = tuple(dict.fromkeys(place for _, place in counted.counts))
        bits = sum(key.bits for key in keys)
        width = (_BITS - bits) // len(lanes)
        fits = bits + unit.bits + len(counted.wheres) <= _BITS and width >= _FEWEST_BITS
        return cls(counted, tuple(keys), unit, lanes, width) if fits else None

    @property
    def marks(self) -> int:
        """How many bits the marks have."""
        return len(self.counted.wheres)

    def units_of(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return how many units of each key have the same counts; the same may stand twice."""
        weights, wide = self._weights(), list[Codes]()
        packed = [self._of_block(block, weights, wide) for block in self._blocks(rows)]
        return self._named(pl.concat([self._unpacked(packed), self._one_by_one(wide)]))

    def _codes(self, rows: pl.DataFrame) -> Codes:
        """Return the code of each row, in as few bytes as all of them fit."""
        code, shift = pl.col(_MARKS).cast(pl.Int64), self.marks
        for part in (self.unit, *reversed(self.keys)):
            code, shift = code + part.number() * (1 << shift), shift + part.bits
        codes: Codes = np.empty(rows.height, np.uint32 if shift <= _FEW_BITS else np.int64)
        for first in range(0, rows.height, _WRITTEN):
            own = rows[first : first + _WRITTEN].select(code.alias(_KEY))
            codes[first : first + own.height] = own.to_series()
        return codes

    def _blocks(self, rows: pl.DataFrame) -> list[Codes]:
        """Return the codes of rows in order, in blocks of whole units."""
        codes, blocks = self._codes(rows), list[Codes]()
        codes.sort()
        while len(codes):
            owner = int(codes[min(_BLOCK, len(codes)) - 1]) >> self.marks
            end = int(np.searchsorted(codes, codes.dtype.type(owner + 1 << self.marks)))
            blocks.append(codes[:end])
            codes = codes[end:]
        return blocks

    def _weights(self) -> NDArray[np.int64]:
        """Return what a row adds to the counts, by its marks."""
        marks = np.arange(1 << self.marks, dtype=np.int64)
        weights = np.zeros_like(marks)
        for lane, place in enumerate(self.lanes):
            weights |= (1 if place is None else marks >> place & 1) << lane * self.width
        return weights

    def _of_block(
        self, block: Codes, weights: NDArray[np.int64], wide: list[Codes]
    ) -> tuple[Codes, Codes]:
        """Return key and counts as one number, and how many units have it.

        Args:
            block: The codes of the rows of some units, in order.
            weights: What a row adds to the counts, by its marks.
            wide: The codes of units with more rows than a count holds are added here.
        """
        owners, is_last = block >> self.marks, np.ones(len(block), np.bool_)
        np.not_equal(owners[1:], owners[:-1], out=is_last[:-1])
        ends = np.flatnonzero(is_last)
        marks = (block & (1 << self.marks) - 1).astype(np.intp)  # places of this type are fast
        totals = weights.take(marks).cumsum().take(ends)
        totals[1:] -= totals[:-1].copy()
        first, last = (int(owners[place]) >> self.unit.bits for place in (0, -1))
        keys = first if first == last else (owners[ends] >> self.unit.bits).astype(np.int64)
        totals |= keys << self.width * len(self.lanes)
        if len(block) >> self.width:
            sizes = np.diff(ends, prepend=-1)
            is_wide = sizes >> self.width > 0
            wide.append(block[np.repeat(is_wide, sizes)])
            totals = totals[~is_wide]
        codes, many = np.unique(totals, return_counts=True)
        return codes, many

    def _unpacked(self, packed: Sequence[tuple[Codes, Codes]]) -> pl.DataFrame:
        """Return keys and counts of which a number was made, with how many units have it."""
        codes = np.concatenate([np.empty(0, np.int64), *(codes for codes, _ in packed)])
        many = np.concatenate([np.empty(0, np.int64), *(many for _, many in packed)])
        mask = (1 << self.width) - 1
        counts = [codes >> lane * self.width & mask for lane, _ in enumerate(self.lanes)]
        keys = codes >> self.width * len(self.lanes)
        return pl.DataFrame([keys, *counts, many], schema=self._columns)

    def _one_by_one(self, wide: Sequence[Codes]) -> pl.DataFrame:
        """Return keys and counts of units from the codes of their rows, unit by unit."""
        if not any(map(len, wide)):
            return pl.DataFrame(schema=self._columns)
        codes = np.concatenate(wide).astype(np.int64)
        owners = codes >> self.marks
        begins = np.flatnonzero(np.diff(owners, prepend=-1))
        sizes = np.diff(begins, append=len(codes))
        counts = [
            sizes if place is None else np.add.reduceat(codes >> place & 1, begins)
            for place in self.lanes
        ]
        keys = owners[begins] >> self.unit.bits
        return pl.DataFrame([keys, *counts, np.ones_like(keys)], schema=self._columns)

    @property
    def _columns(self) -> dict[str, pl.DataType]:
        names = [_KEY, *(f"#{lane}" for lane, _ in enumerate(self.lanes)), _MANY]
        return dict.fromkeys(names, pl.Int64())

    def _named(self, found: pl.DataFrame) -> pl.DataFrame:
        """Return what was found in columns with their names."""
        key, columns = found.get_column(_KEY).to_numpy(), list[pl.Series]()
        for part in reversed(self.keys):
            columns.append(part.values(pl.Series(key & (1 << part.bits) - 1)))
            key = key >> part.bits
        for name, place in self.counted.counts:
            columns.append(found.get_column(f"#{self.lanes.index(place)}").alias(name))
        is_named = pl.lit(value=True).alias(self.counted.is_named)
        number = found.get_column(_MANY).alias(self.counted.number)
        return pl.DataFrame([*columns, number]).with_columns(is_named)
