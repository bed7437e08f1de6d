"""Membership of a list: the same answer as comparing with each, however long it is."""

import datetime as dt
from functools import reduce

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.planning.lowering import lowering_of
from small_frames import NOON, orders_of

BIG = 2**53
DAY = dt.date(2024, 5, 1)
EAST = dt.timezone(dt.timedelta(hours=9))
NUMBERS = [0, 1, -1, 2, 1.5, 0.0, -0.0, 1.0, BIG, BIG + 1, float(BIG), 2**63, 2**64, 300, -(2**63)]
TIMES = [
    *(DAY, DAY + dt.timedelta(days=1), NOON, NOON + dt.timedelta(hours=12)),
    *(dt.datetime(2024, 5, 1), dt.datetime(2024, 5, 2), dt.datetime(2024, 5, 1, 10)),
    *(NOON.replace(tzinfo=dt.UTC), dt.datetime(2024, 5, 2, 9, tzinfo=EAST)),
]
MOMENTS = [NOON, dt.datetime(2024, 5, 1), dt.datetime(2024, 5, 2), None]

COLUMNS = {
    "words": (fk.Orders.status, pl.Series(["a", "b", "", None]), ["a", "b", "", "z"]),
    "whole numbers": (fk.Orders.customer_id, pl.Series([1, BIG + 1, 0, None]), NUMBERS),
    "small numbers": (fk.Orders.gross_amount, pl.Series([1, 2, -1, None], dtype=pl.Int8), NUMBERS),
    "wide numbers": (fk.Orders.gross_amount, pl.Series([1, 2**63, 0], dtype=pl.UInt64), NUMBERS),
    "fractions": (
        fk.Orders.gross_amount,
        pl.Series([1.5, float(BIG), -0.0, float("nan"), None]),
        NUMBERS,
    ),
    "sums": (
        fk.Orders.gross_amount + fk.Orders.discount_amount,
        pl.Series([1.5, 2.0, None]),
        NUMBERS,
    ),
    "flags": (fk.Orders.column("gift", fk.Flag), pl.Series([True, False, None]), [True, False]),
    "days": (fk.Orders.ordered_at, pl.Series([DAY, DAY + dt.timedelta(days=1), None]), TIMES),
    "local times": (fk.Orders.ordered_at, pl.Series(MOMENTS), TIMES),
    "instants": (
        fk.Orders.ordered_at,
        pl.Series(MOMENTS).dt.replace_time_zone("UTC"),
        TIMES,
    ),
}


def shop_of(node, column):
    """A shop whose orders hold a column, each of its values once."""
    name = {"gift": "gift"}.get(getattr(node, "name", ""), getattr(node, "name", "gross_amount"))
    extra = {name: column, "payment_method": pl.Series(["card", "cash"] * 3).head(len(column))}
    frame = orders_of(**extra)
    return fk.Shop(orders=frame, time_zone="Asia/Tokyo", guards=False)


def told(shop, predicate):
    """How many rows satisfy a predicate, and how many do not, in all and by group."""
    metrics = [
        fk.Metric(name="holds", formula=fk.Count(fk.Orders, where=predicate)),
        fk.Metric(name="fails", formula=fk.Count(fk.Orders, where=~predicate)),
    ]
    whole = fk.evaluate(shop, metrics).frame
    return whole.rows(), fk.evaluate(shop, metrics, by="payment_method").frame.rows()


@pytest.mark.parametrize("kind", COLUMNS)
@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_a_value_in_a_list_is_one_that_equals_a_member(kind, data):
    node, column, options = COLUMNS[kind]
    shop = shop_of(node, column)
    drawn = data.draw(st.lists(st.sampled_from(options), min_size=1, max_size=12))
    chain = reduce(lambda one, other: one | other, [node.eq(option) for option in drawn])
    assert told(shop, node.is_in(drawn)) == told(shop, chain)


LONG = {
    "words": (fk.Orders.status, [f"w{n}" for n in range(5_000)]),
    "whole numbers": (fk.Orders.customer_id, list(range(5_000))),
    "fractions": (fk.Orders.gross_amount, [n / 2 for n in range(5_000)]),
    "both": (fk.Orders.gross_amount, [n if n % 2 else n / 2 for n in range(5_000)]),
    "flags": (fk.Orders.column("gift", fk.Flag), [True, False] * 2_500),
    "days": (fk.Orders.ordered_at, [DAY + dt.timedelta(days=n) for n in range(5_000)]),
    "moments": (fk.Orders.ordered_at, [NOON + dt.timedelta(hours=n) for n in range(5_000)]),
}


@pytest.mark.parametrize("kind", LONG)
def test_a_long_list_is_looked_up_and_not_compared_with_each(kind):
    node, options = LONG[kind]
    shop = fk.Shop(orders=orders_of(gift=[True]), guards=False)
    written = repr(lowering_of(shop.data).predicate(node.is_in(options)))
    assert written.count("Op.") <= 8


def test_a_long_list_is_printed_and_read_back():
    formula = fk.Count(fk.Orders, where=fk.Orders.customer_id.is_in(list(range(50_000))))
    assert fk.parse(str(formula)) == formula


def test_none_of_none_even_where_the_value_is_unknown():
    shop = fk.Shop(orders=orders_of(customer_id=[1, None]))
    assert told(shop_of(*COLUMNS["words"][:2]), fk.Orders.status.is_in([]))[0] == [(0, 4)]
    none_of = ~fk.Orders.customer_id.is_in(range(9, 99))
    metric = fk.Metric(name="others", formula=fk.Count(fk.Orders, where=none_of))
    assert fk.evaluate(shop, metric).frame.item() == 1


@pytest.mark.parametrize("length", [2, 20])
def test_a_list_of_several_kinds_is_refused_however_long(length):
    mixed = [*range(length), "word"]
    metric = fk.Metric(
        name="odd", formula=fk.Count(fk.Orders, where=fk.Orders.customer_id.is_in(mixed))
    )
    with pytest.raises(fk.DefinitionError, match="compares a number with a word"):
        fk.evaluate(fk.Shop(orders=orders_of()), metric)


@pytest.mark.parametrize("odd", [True, 7, None, "paid", b"paid"])
def test_what_is_no_list_has_no_members(odd):
    with pytest.raises(fk.DefinitionError, match="not of a list"):
        fk.Orders.status.is_in(odd)


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), 10**400, None, [1]])
def test_what_is_no_constant_is_no_member(odd):
    with pytest.raises(fk.DefinitionError):
        fk.Orders.customer_id.is_in([1, odd])
