"""Every operation and aggregate of every engine gives what the words of the plan say."""

import datetime as dt
import math
from collections.abc import Sequence
from itertools import product
from typing import Any

import polars as pl
import pytest

from funnelkit.engines.sql import operations, translate
from funnelkit.engines.supports import SUPPORTS
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Call,
    Col,
    Kind,
    Lit,
    Op,
    Scalar,
    Scan,
    Select,
    whole,
)
from parity.both import assert_alike, every_engine
from parity.plain import DTYPES

WARSAW = Lit("Europe/Warsaw", "str")
LORD_HOWE = Lit("Australia/Lord_Howe", "str")


def days(*texts: str) -> list[dt.date]:
    return [dt.date.fromisoformat(text) for text in texts]


def times(*texts: str) -> list[dt.datetime]:
    return [dt.datetime.fromisoformat(text) for text in texts]


LOCAL = times(
    "1969-12-31 23:59:59.999999", "2024-01-31 13:05:00.000120", "2024-03-31 01:59:59.999999",
    "2024-03-31 02:00", "2024-03-31 02:30", "2024-03-31 03:00", "2024-10-06 02:10",
    "2024-10-27 01:30", "2024-10-27 02:00", "2024-10-27 02:30", "2024-10-27 03:00",
    "2024-04-07 01:45", "2024-04-07 02:00",
)  # fmt: skip
SAMPLES: dict[str, tuple[Kind, list[Any]]] = {
    "int": ("int", [-(2**63), -7, -1, 0, 1, 5, 2**53 + 1, 2**62, 2**63 - 1]),
    "small": ("int", [-(2**61), -7, 0, 5, 2**53 + 1, 2**61]),
    "float": ("float", [-2.5, -0.0, 0.0, 0.1, 1.0, 5.0, 2.0**53, 1e15, 1e16, 1e20, 1e-4, 3e-7]),
    "wild": ("float", [-math.inf, -1.5, 0.0, 2.0, 1e308, math.inf, math.nan]),
    "whole": ("float", [-3.0, 0.0, 7.0, 2.0**53]),
    "str": ("str", ["", "a", "B", "Żółć", "STRASSE", "İzmir", "it's", "a\x00b", "\\n; --"]),
    "bool": ("bool", [True, False]),
    "day": (
        "day",
        days("1969-11-30", "1970-01-01", "2023-12-31", "2024-01-31", "2024-02-29", "2024-03-10"),
    ),
    "local": ("local", LOCAL),
    "instant": ("instant", [at.replace(tzinfo=dt.UTC) for at in LOCAL]),
}
LENGTHS = [whole(n) for n in (1, 2, 3, 5, 7, 12, 24)]
SHIFTS = [whole(n) for n in (-13, -1, 0, 1, 2, 25)]
NONE = Lit(None, "local")


def constants(kind: Kind, places: Sequence[int]) -> tuple[Lit, ...]:
    values = sorted(SAMPLES[kind][1])
    return tuple(Lit(values[place], kind) for place in places)


def with_constants(kind: Kind) -> list[tuple[Any, ...]]:
    return [(kind, *constants(kind, places)) for places in ([0], [1, 3], [0, 2, 3, 4])]


ORDERED: tuple[Kind, ...] = ("int", "float", "day", "local", "instant")
ANY = [(name,) for name in SAMPLES]
PAIRS = [*((name, name) for name in SAMPLES), ("int", "float"), ("float", "int"), ("wild", "int")]
FLOATS = ("float", "float"), ("wild", "wild")
ARGUMENTS: dict[Op, list[tuple[Any, ...]]] = {
    **{op: [*FLOATS] for op in (Op.ADD, Op.MULTIPLY, Op.DIVIDE)},
    Op.SUBTRACT: [*FLOATS, ("small", "small")],
    Op.ABS: [("float",), ("wild",)],
    Op.MODULO: [("int", length) for length in LENGTHS],
    **dict.fromkeys((Op.EQ, Op.NE), PAIRS),
    **dict.fromkeys((Op.LT, Op.LE, Op.GT, Op.GE), PAIRS),
    **{op: [("bool", "bool")] for op in (Op.AND, Op.OR)},
    Op.NOT: [("bool",)],
    Op.IS_NULL: ANY,
    Op.IN: [case for kind in ("str", *ORDERED) for case in with_constants(kind)],
    Op.COALESCE: [*((name, name, name) for name in ("int", "str", "bool", "day"))],
    Op.IF: [
        *(("bool", "str", "str"), ("bool", "day"), ("bool", "local", NONE), ("bool", "wild")),
        *(("bool", whole(0), whole(number)) for number in (-1, 255, 256)),
        ("bool", whole(7), Call(Op.IF, (Call(Op.IS_NULL, (Col("c0"),)), whole(255)))),
    ],
    Op.LOWER: [("str",)],
    Op.CONTAINS: [("str", Lit(part, "str")) for part in ("", "a", "SS", "ół", ".")],
    Op.CONCAT: [("str",), ("str", "str"), ("str", Lit("\x1f", "str"), "str")],
    Op.TO_FLOAT: [("int",), ("float",), ("bool",)],
    Op.TO_INT: [("whole",)],
    Op.TO_STR: [(name,) for name in SAMPLES if name != "wild"],
    Op.TO_DAY: [("local",)],
    Op.MIDNIGHT: [("day",)],
    Op.LOCAL_TIME: [("instant", WARSAW), ("instant", LORD_HOWE), ("instant", Lit("UTC", "str"))],
    Op.FIRST_INSTANT: [("local", WARSAW), ("local", LORD_HOWE), ("local", Lit("UTC", "str"))],
    Op.LAST_INSTANT: [("local", WARSAW), ("local", LORD_HOWE), ("local", Lit("UTC", "str"))],
    Op.SECONDS_BETWEEN: [("instant", "instant")],
    Op.HOURS_BETWEEN: [("instant", "instant")],
    Op.DAYS_BETWEEN: [("day", "day")],
    Op.MONTHS_BETWEEN: [("day", "day")],
    Op.SHIFT_SECONDS: [("local", shift) for shift in SHIFTS],
    Op.SHIFT_DAYS: [("day", shift) for shift in SHIFTS],
    Op.SHIFT_MONTHS: [("day", shift) for shift in SHIFTS],
    Op.FLOOR_DAYS: [
        ("day", length, Lit(anchor, "day"))
        for length in LENGTHS
        for anchor in days("1970-01-01", "2024-02-01")
    ],
    Op.FLOOR_MONTHS: [("day", length) for length in LENGTHS],
    Op.FLOOR_HOURS: [("local", whole(n)) for n in (1, 2, 3, 4, 6, 8, 12)],
    Op.FLOOR_AMONG: [case for kind in ORDERED for case in with_constants(kind)],
    Op.POSITION: [case for kind in ORDERED for case in with_constants(kind)],
}


BEYOND: dict[str, list[Any]] = {"postgres": ["a\x00b", 1e308]}
"""What a database cannot hold, or add up."""


def crossed(*names: str, without: Sequence[Any] = ()) -> tuple[pl.DataFrame, Scan]:
    """Every combination of samples, null among them, a column for each."""
    kinds = [SAMPLES[name][0] for name in names]
    samples = ([v for v in SAMPLES[name][1] if v not in without] for name in names)
    rows = list(product(*([*values, None] for values in samples)))
    columns = [f"c{place}" for place in range(len(names))]
    schema = {name: DTYPES[kind] for name, kind in zip(columns, kinds, strict=True)}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame, Scan("t", tuple(zip(columns, kinds, strict=True)))


@every_engine
@pytest.mark.parametrize("op", Op)
def test_an_operation_gives_what_is_said_of_it(op, engine):
    digits = 15 if op is Op.SECONDS_BETWEEN else 17
    for arguments in ARGUMENTS[op]:
        names = (name for name in arguments if isinstance(name, str))
        frame, scan = crossed(*names, without=BEYOND.get(engine, []))
        columns = (Col(name) for name, _ in scan.columns)
        args = tuple(next(columns) if isinstance(a, str) else a for a in arguments)
        named = ((name, Col(name)) for name, _ in scan.columns)
        found = Select(scan, (*named, ("found", Call(op, args))))
        if any(SUPPORTS[engine].missing(found)):
            continue
        assert_alike(engine, {"t": frame}, found, digits=digits)


AGGREGATED: dict[AggOp, tuple[str, ...]] = {
    **dict.fromkeys((AggOp.COUNT, AggOp.COUNT_DISTINCT), tuple(SAMPLES)),
    **dict.fromkeys((AggOp.MIN, AggOp.MAX), ("bool", "str", *ORDERED)),
    **dict.fromkeys((AggOp.SUM, AggOp.MEAN, AggOp.STD, AggOp.QUANTILE), ("whole",)),
    AggOp.ALL: ("bool",),
}
AGGREGATED |= dict.fromkeys((AggOp.SUM, AggOp.MEAN), ("whole", "wild"))
CONDITIONS: dict[str, Scalar | None] = {
    "all rows": None,
    "some": Col("c1"),
    "none": Lit(value=False, kind="bool"),
}


@every_engine
@pytest.mark.parametrize("keys", [(), ("c2",), ("c2", "c1")])
@pytest.mark.parametrize("op", [op for op in AggOp if op is not AggOp.CUSTOM])
def test_an_aggregate_gives_what_is_said_of_it(op, keys, engine):
    for name in AGGREGATED.get(op, ("int",)):
        frame, scan = crossed(name, "bool", "int", without=BEYOND.get(engine, []))
        arg = None if op is AggOp.ROWS else Col("c0")
        quantiles = (0.0, 0.3, 1.0) if op is AggOp.QUANTILE else (0.0,)
        folds = [
            (f"{q} of {rows}", Agg(op, arg, where, q))
            for q in quantiles
            for rows, where in CONDITIONS.items()
        ]
        for rows in (frame, frame[:1], frame.clear()):
            assert_alike(engine, {"t": rows}, Aggregate(scan, keys, tuple(folds)), digits=12)


def test_every_operation_is_tried():
    assert set(ARGUMENTS) == set(Op)


def test_every_operation_can_be_written_as_sql():
    tables = (operations.UNARY, operations.BINARY, operations.MANY, operations.CONSTANT)
    known = {op for table in (*tables, translate.AMONG) for op in table}
    assert known | {Op.TO_STR, Op.TO_FLOAT} == set(Op)
    counted = {AggOp.ROWS, AggOp.ALL, AggOp.QUANTILE}
    assert set(operations.FOLDS) & set(AggOp) | counted == set(AggOp) - {AggOp.CUSTOM}
