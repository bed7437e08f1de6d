"""What each engine can do of the relational plan: one table, read wherever that matters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, get_args

from funnelkit.planning.inference import kind_of_scalar, kinds_of
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Call,
    EachDay,
    Filter,
    Head,
    Kind,
    Op,
    Over,
    OverOp,
    Rel,
    Scalar,
    Select,
)
from funnelkit.planning.traversal import parts_of, walk

__all__ = ["DIALECTS", "FEATURES", "SUPPORTS", "Feature", "Support", "features_of"]


class Feature(NamedTuple):
    """A part of the relational plan.

    Attributes:
        group: node, operation, window or aggregate.
        name: Its name.
    """

    group: str
    name: str

    def __str__(self) -> str:
        return f"the {self.group} {self.name}"


FLOAT_TEXT = Feature("operation", "to_str of a float")
QUANTILE = Feature("aggregate", str(AggOp.QUANTILE))
CUSTOM = Feature("aggregate", str(AggOp.CUSTOM))
EACH_DAY = Feature("node", EachDay.__name__)
FEATURES: tuple[Feature, ...] = (
    *(Feature("node", node.__name__) for node in get_args(Rel)),
    *(Feature("operation", str(op)) for op in Op),
    FLOAT_TEXT,
    *(Feature("window", str(op)) for op in OverOp),
    *(Feature("aggregate", str(op)) for op in AggOp),
)
"""Everything that a plan is made of."""

_FRAMES = "an expression of Polars needs frames: fk.Shop(…)"
_SHORTEST = "the database writes numbers as texts in a way of its own; cast it in a view"
_SERIES = "the database makes no rows of a series of days beside other rows"
_APPROXIMATE = "the database has no exact quantile as an aggregate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """What an engine, or a dialect of SQL, can do.

    Attributes:
        name: The name of the dialect, or of the engine.
        title: Its name for readers.
        is_run: Whether the tests run it and compare its numbers; else its statements are
            only parsed back.
        lacks: What it cannot do, and why.
    """

    name: str
    title: str
    is_run: bool = False
    lacks: Mapping[Feature, str] = field(default_factory=dict[Feature, str])

    def missing(self, relation: Rel) -> Iterator[tuple[Feature, str]]:
        """Yield what a relation needs that is not there, each once, and why."""
        if self.lacks:
            found = (feature for feature in features_of(relation) if feature in self.lacks)
            yield from ((feature, self.lacks[feature]) for feature in dict.fromkeys(found))


def _sql(name: str, title: str, *lacks: tuple[Feature, str], is_run: bool = False) -> Support:
    return Support(
        name=name, title=title, is_run=is_run, lacks={CUSTOM: _FRAMES, **dict(lacks)}
    )  # fmt: skip


SUPPORTS: Mapping[str, Support] = {
    support.name: support
    for support in (
        Support(name="polars", title="Polars", is_run=True),
        _sql("duckdb", "DuckDB", is_run=True),
        _sql("postgres", "PostgreSQL", (FLOAT_TEXT, _SHORTEST), is_run=True),
        _sql("spark", "Spark", (FLOAT_TEXT, _SHORTEST), is_run=True),
        _sql("bigquery", "BigQuery", (FLOAT_TEXT, _SHORTEST), (QUANTILE, _APPROXIMATE)),
        _sql("snowflake", "Snowflake", (FLOAT_TEXT, _SHORTEST), (EACH_DAY, _SERIES)),
        _sql("trino", "Trino", (FLOAT_TEXT, _SHORTEST), (QUANTILE, _APPROXIMATE)),
        _sql("redshift", "Redshift", (FLOAT_TEXT, _SHORTEST), (EACH_DAY, _SERIES)),
        _sql("clickhouse", "ClickHouse", (FLOAT_TEXT, _SHORTEST), is_run=True),
    )
}
"""Every engine and dialect, by name."""

DIALECTS = tuple(name for name in SUPPORTS if name != "polars")
"""The dialects of SQL."""


def features_of(relation: Rel) -> Iterator[Feature]:
    """Yield what a relation is made of."""
    for rel in walk(relation):
        yield Feature("node", type(rel).__name__)
        match rel:
            case Select(inner, named):
                yield from _in_scalars(inner, [value for _, value in named])
            case Filter(inner, where):
                yield from _in_scalars(inner, [where])
            case EachDay(inner, _, first, last):
                yield from _in_scalars(inner, [first, last])
            case Head(inner, order):
                yield from _in_scalars(inner, order)
            case Aggregate(inner, _, folds):
                yield from (Feature("aggregate", str(agg.op)) for _, agg in folds)
                yield from _in_scalars(inner, [s for _, agg in folds for s in _scalars(agg)])
            case _:
                pass


def _scalars(agg: Agg) -> Iterator[Scalar]:
    yield from (part for part in (agg.arg, agg.where) if part is not None)


def _in_scalars(rel: Rel, scalars: list[Scalar] | tuple[Scalar, ...]) -> Iterator[Feature]:
    for value in scalars:
        for part in _parts(value):
            match part:
                case Call(op, args):
                    yield Feature("operation", str(op))
                    if op is Op.TO_STR and _kind(args[0], rel) == "float":
                        yield FLOAT_TEXT
                case Over(op):
                    yield Feature("window", str(op))
                case _:
                    pass


def _kind(value: Scalar, rel: Rel) -> Kind:
    return kind_of_scalar(value, kinds_of(rel))


def _parts(value: Scalar) -> Iterator[Scalar]:
    yield value
    for part in parts_of(value):
        yield from _parts(part)
