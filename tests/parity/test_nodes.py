"""Every node, alone and on top of others, gives in every engine what the words of the plan say."""

import datetime as dt
from itertools import count

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Call,
    Col,
    EachDay,
    Exists,
    Filter,
    Head,
    LeftJoin,
    Lit,
    Named,
    Op,
    Over,
    OverOp,
    Rel,
    Scan,
    Select,
    call,
    extend,
    whole,
)
from parity.both import assert_alike, every_engine
from parity.plain import DTYPES

DAY = dt.date(2024, 2, 27)
SMALL = st.none() | st.integers(-2, 2)
DAYS = st.none() | st.integers(0, 3).map(lambda number: DAY + dt.timedelta(days=number))
ROWS = st.lists(st.tuples(SMALL, SMALL, DAYS), max_size=7)
TABLE = Scan("t", (("a", "int"), ("b", "int"), ("d", "day")))
A, B, D = map(Col, "abd")
ALL = (A, B, D)
lawful = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def frames(rows):
    schema = {"a": pl.Int64, "b": pl.Int64, "d": pl.Date}
    return {"t": pl.DataFrame(rows, schema=schema, orient="row")}


WINDOWS = [
    Over(op, None if op is OverOp.ROW_NUMBER else value, partition, order, is_descending=is_last)
    for op in OverOp
    for value in (B, D)
    if op is not OverOp.SUM or value is B
    for partition in ((), (A,), (call(Op.IS_NULL, A), D))
    for order in ((), ALL)
    if order or op in {OverOp.SUM, OverOp.MIN, OverOp.MAX}
    for is_last in (False, True)
    if order or not is_last
]


@every_engine
@lawful
@given(rows=ROWS, is_last=st.booleans())
def test_windows(engine, rows, is_last):
    # of rows that are the same, each order has its own first one
    named = [
        (f"w{place}", window)
        for place, window in enumerate(WINDOWS)
        if window.op is not OverOp.ROW_NUMBER or window.is_descending is is_last
    ]
    assert_alike(engine, frames(rows), Select(TABLE, (*((c.name, c) for c in ALL), *named)))


@settings(lawful, max_examples=30)
@given(rows=ROWS)
def test_windows_are_the_same_where_no_null_is_passed_over(rows):
    named = [(f"w{place}", window) for place, window in enumerate(WINDOWS)]
    rel = Select(TABLE, (*((c.name, c) for c in ALL), *named))
    assert_alike("duckdb as for postgres", frames(rows), rel)


CONSTANTS = [whole(1), Lit("x", "str"), Lit(None, "day"), Lit(value=True, kind="bool")]


@every_engine
@lawful
@given(rows=ROWS, constant=st.sampled_from(CONSTANTS))
def test_a_constant_is_a_key_like_any_other(engine, rows, constant):
    keyed = extend(TABLE, k=constant)
    counts = (("n", Agg(AggOp.ROWS)), ("m", Agg(AggOp.MAX, Col("k"))))
    assert_alike(engine, frames(rows), Aggregate(keyed, ("k", "a"), counts))


def kept(rel: Rel) -> Rel:
    return Select(rel, (("a", A), ("b", B), ("d", D)))


def by_key(rel: Rel) -> Aggregate:
    return Aggregate(rel, ("b",), (("least", Agg(AggOp.MIN, A)), ("last", Agg(AggOp.MAX, D))))


def grown(rel: Rel, number: int) -> list[Rel]:
    """What is made of a relation by one more node; each has the same columns."""
    is_new = call(Op.GE, call(Op.COALESCE, A, B, whole(0)), whole(0))
    mine = ("a", "b"), ("d", "last")
    found = by_key(rel)
    both = Aggregate(rel, ("b", "d"), (("least", Agg(AggOp.MIN, A)),))
    folds = ("b", Agg(AggOp.ROWS, None, is_new)), ("d", Agg(AggOp.MIN, D, call(Op.GT, A, B)))
    window = Over(OverOp.PREVIOUS, B, (A,), ALL)
    shared = Named(f"n{number}", extend(rel, a=call(Op.SUBTRACT, A, window)), "shared")
    start = call(Op.FLOOR_DAYS, call(Op.SHIFT_DAYS, D, whole(-1)), whole(2), Lit(DAY, "day"))
    number_of = Over(OverOp.ROW_NUMBER, None, (B,), ALL)
    return [
        Filter(rel, is_new),
        Filter(extend(rel, b=number_of), call(Op.LE, B, whole(2))),
        extend(rel, a=call(Op.SUBTRACT, A, B), b=A),
        extend(rel, b=Over(OverOp.SUM, B, (A,), ALL)),
        extend(rel, b=call(Op.SUBTRACT, whole(1), window), a=window),
        extend(rel, a=call(Op.IF, call(Op.IS_NULL, D), B, A), d=start),
        extend(LeftJoin(rel, found, mine[:1], (("t", "least"),)), b=Col("t")),
        extend(LeftJoin(rel, both, (("a", "b"), ("d", "d")), (("t", "least"),)), a=Col("t")),
        Filter(LeftJoin(rel, found, mine[:1], (("t", "last"),)), call(Op.LE, D, Col("t"))),
        Filter(Exists(rel, Filter(TABLE, is_new), ("a", "b"), "is_there"), Col("is_there")),
        extend(Exists(rel, shared, ("b", "a"), "there"), b=call(Op.IF, Col("there"), A, B)),
        Aggregate(rel, ("a",), folds),
        Aggregate(rel, (), (("a", Agg(AggOp.MAX, A)), *folds)),
        Aggregate(rel, ("a", "b", "d"), ()),
        kept(EachDay(extend(rel, e=Lit(DAY + dt.timedelta(days=2), "day")), "x", D, Col("e"))),
        extend(EachDay(rel, "x", Lit(DAY, "day"), D), d=Col("x")),
        Head(rel, ALL, 2),
        Head(rel, ALL, 3, is_descending=True),
        shared,
        LeftJoin(shared, by_key(shared), (("a", "b"),), (("l", "last"),)),
    ]  # fmt: skip


def rels(most: int) -> st.SearchStrategy[Rel]:
    def draw(draw):
        rel: Rel = TABLE
        for number, _ in zip(count(), range(draw(st.integers(1, most))), strict=False):
            choices = grown(rel, number)
            rel = kept(choices[draw(st.integers(0, len(choices) - 1))])
        return rel

    return st.composite(draw)()


@every_engine
@pytest.mark.parametrize("place", range(len(grown(TABLE, 0))))
@lawful
@given(rows=ROWS)
def test_a_node_by_itself(engine, place, rows):
    assert_alike(engine, frames(rows), grown(TABLE, 0)[place])


@every_engine
@settings(lawful, max_examples=400)
@given(rows=ROWS, rel=rels(5))
def test_nodes_on_top_of_others(engine, rows, rel):
    assert_alike(engine, frames(rows), rel)


@settings(lawful, max_examples=30)
@pytest.mark.parametrize("inner", [TABLE, Filter(TABLE, call(Op.GT, A, B))])
@given(rows=ROWS)
def test_keys_are_found_alike_by_a_join(inner, rows):
    rel = extend(Exists(inner, TABLE, ("a", "b"), "there"), b=call(Op.NOT, Col("there")))
    assert_alike("duckdb as for postgres", frames(rows), rel)


FLOATS = st.none() | st.sampled_from([-2.5, -1.0, 0.0, 0.5, 3.0])
COLUMNS = (("x", "float"), ("y", "float"), ("n", "int"), ("p", "bool"), ("q", "bool"))
NUMBERS = st.deferred(
    lambda: (
        st.sampled_from([Col("x"), Col("y"), Lit(0.0, "float"), Lit(-1.5, "float")])
        | st.builds(call, st.sampled_from([Op.ADD, Op.SUBTRACT, Op.MULTIPLY]), NUMBERS, NUMBERS)
        | st.builds(call, st.just(Op.DIVIDE), NUMBERS, NUMBERS)
        | st.builds(call, st.just(Op.ABS), NUMBERS)
        | st.builds(call, st.just(Op.COALESCE), NUMBERS, NUMBERS)
        | st.builds(call, st.just(Op.IF), PREDICATES, NUMBERS, NUMBERS)
        | st.builds(call, st.just(Op.TO_FLOAT), WHOLES | PREDICATES)
    )
)
WHOLES = st.deferred(
    lambda: (
        st.sampled_from([Col("n"), whole(0), whole(-2)])
        | st.builds(call, st.just(Op.SUBTRACT), WHOLES, WHOLES)
        | st.builds(call, st.just(Op.MODULO), WHOLES, st.sampled_from([whole(2), whole(3)]))
        | st.builds(call, st.just(Op.IF), PREDICATES, WHOLES)
    )
)
RELATIONS = [Op.EQ, Op.NE, Op.LT, Op.LE, Op.GT, Op.GE]
PREDICATES = st.deferred(
    lambda: (
        st.sampled_from([Col("p"), Col("q")])
        | st.builds(call, st.sampled_from([Op.AND, Op.OR, Op.EQ]), PREDICATES, PREDICATES)
        | st.builds(call, st.just(Op.NOT), PREDICATES)
        | st.builds(call, st.sampled_from(RELATIONS), NUMBERS, NUMBERS | WHOLES)
        | st.builds(call, st.just(Op.IS_NULL), NUMBERS | WHOLES | PREDICATES)
        | st.builds(call, st.just(Op.IN), WHOLES, st.just(whole(1)), st.just(whole(-2)))
    )
)


@every_engine
@settings(lawful, max_examples=500)
@given(
    rows=st.lists(
        st.tuples(FLOATS, FLOATS, SMALL, st.none() | st.booleans(), st.none() | st.booleans()),
        min_size=1,
        max_size=4,
    ),
    number=NUMBERS,
    integer=WHOLES,
    predicate=PREDICATES,
)
def test_operations_in_operations(engine, rows, number, integer, predicate):
    schema = {name: DTYPES[kind] for name, kind in COLUMNS}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    named = {"number": number, "whole": integer, "predicate": predicate}
    rel = Filter(extend(Scan("t", COLUMNS), **named), call(Op.OR, Col("p"), predicate))
    assert_alike(engine, {"t": table}, rel, digits=12)


ZONES = ["Europe/Warsaw", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]
MOMENTS = st.integers(0, 4 * 24 * 366).map(
    lambda quarters: dt.datetime(2024, 1, 1) + dt.timedelta(minutes=15 * quarters)
)


@every_engine
@settings(lawful, max_examples=100)
@given(
    moments=st.lists(st.none() | MOMENTS, min_size=1, max_size=5),
    zone=st.sampled_from(ZONES).map(lambda zone: Lit(zone, "str")),
    hours=st.sampled_from([1, 2, 6, 12]),
)
def test_operations_within_others_are_the_same(engine, moments, zone, hours):
    table = pl.DataFrame({"at": pl.Series(moments, dtype=pl.Datetime("us"))})
    instant = call(Op.FIRST_INSTANT, Col("at"), zone)
    local = call(Op.LOCAL_TIME, instant, zone)
    start = call(Op.FLOOR_HOURS, local, whole(hours))
    edges = [Lit(dt.date(2024, month, 1), "day") for month in (2, 4, 7, 11)]
    week = call(Op.FLOOR_DAYS, call(Op.TO_DAY, local), whole(7), Lit(dt.date(2024, 1, 3), "day"))
    named: dict[str, Call] = {
        "first": call(Op.FIRST_INSTANT, start, zone),
        "last": call(Op.LAST_INSTANT, start, zone),
        "season": call(Op.FLOOR_AMONG, week, *edges),
        "place": call(Op.POSITION, call(Op.SHIFT_MONTHS, week, whole(-1)), *edges),
        "since": call(Op.HOURS_BETWEEN, call(Op.FIRST_INSTANT, start, zone), instant),
    }
    rel = extend(Scan("t", (("at", "local"),)), **named)
    assert_alike(engine, {"t": table}, rel)
    grouped = Aggregate(rel, ("first", "season"), (("rows", Agg(AggOp.ROWS)),))
    assert_alike(engine, {"t": table}, Filter(grouped, call(Op.IS_NULL, Col("season"))))
