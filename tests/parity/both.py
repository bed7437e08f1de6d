"""Small relations evaluated twice: by the translator to Polars, and in plain Python."""

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from funnelkit.engines.polars.translate import Translator
from funnelkit.planning.relations import Rel, columns_of
from parity.plain import Plain, keys_of

Row = tuple[Any, ...]


def by_translator(
    frames: Mapping[str, pl.DataFrame], rel: Rel, sizes: Mapping[str, int | None]
) -> list[Row]:
    lazy = {name: frame.lazy() for name, frame in frames.items()}
    query = Translator(lazy, sizes, lambda asked: asked.collect()).frame(rel)
    return query.collect().select(columns_of(rel)).rows()


def by_words(frames: Mapping[str, pl.DataFrame], rel: Rel) -> list[Row]:
    rows = Plain({name: frame.lazy() for name, frame in frames.items()}).rows(rel)
    return keys_of(rows, list(columns_of(rel)))


def assert_alike(
    frames: Mapping[str, pl.DataFrame],
    rel: Rel,
    *,
    sizes: Mapping[str, int | None] | None = None,
    digits: int = 17,
    names: Sequence[str] = (),
) -> None:
    """Check that both give the same rows, in whatever order.

    Args:
        frames: The tables.
        rel: The relation.
        sizes: What is said of the sizes of tables; what they are by default.
        digits: In how many digits floats must agree.
        names: The columns that are compared; all by default.
    """
    heights = {name: frame.height for name, frame in frames.items()}
    found = by_translator(frames, rel, heights if sizes is None else sizes)
    places = [columns_of(rel).index(name) for name in names or columns_of(rel)]
    one, two = (
        Counter(tuple(shown(row[place], digits) for place in places) for row in rows)
        for rows in (found, by_words(frames, rel))
    )
    assert one == two, f"only by Polars: {list(one - two)}, only by words: {list(two - one)}"


def shown(value: Any, digits: int) -> str:
    match value:
        case float():
            return f"{value + 0.0:.{digits}g} float"
        case dt.datetime(tzinfo=dt.tzinfo()):
            return str(value.astimezone(dt.UTC))
        case _:
            return f"{value!r}"
