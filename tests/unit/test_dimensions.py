"""How a dimension finds its column: the table's own, the nearest parent's, or a mapping."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1, 12)
SESSIONS = pl.DataFrame(
    {
        "session_id": [1, 2],
        "visitor_id": ["a", "b"],
        "started_at": [DAY, DAY],
        "channel": ["paid", "email"],
        "country": ["PL", "DE"],
    }
)
CUSTOMERS = pl.DataFrame(
    {"customer_id": [7, 8], "segment": ["new", "loyal"], "country": ["FR", "IT"]}
)
ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3],
        "ordered_at": [DAY] * 3,
        "status": ["paid"] * 3,
        "session_id": [1, 2, 2],
        "customer_id": [7, 8, 8],
        "gross_amount": [10.0, 20.0, 30.0],
        "discount_amount": [0.0] * 3,
    }
)
LINES = pl.DataFrame({"order_line_id": [1, 2, 3], "order_id": [1, 3, 3], "quantity": [1, 2, 3]})


def shop(**frames):
    given = {"orders": ORDERS, "sessions": SESSIONS, "customers": CUSTOMERS, "order_lines": LINES}
    return fk.Shop(**(given | frames))


def orders_by(dimension, asked=None, **question):
    metric = fk.Metric(name="n", formula=fk.Count(fk.Orders))
    frame = fk.evaluate(asked or shop(), metric, by=dimension, **question).frame
    return dict(frame.rows())


def test_the_nearest_table_that_has_it_is_taken():
    assert orders_by("segment") == {"new": 1, "loyal": 2}
    assert orders_by("channel") == {"paid": 1, "email": 2}
    own = shop(orders=ORDERS.with_columns(channel=pl.lit("own")))
    assert orders_by("channel", own) == {"own": 3}


def test_a_mapping_names_a_parent_or_the_table_itself():
    own = shop(orders=ORDERS.with_columns(channel=pl.lit("own"), country=pl.lit("here")))
    for table, column, found in (
        ("sessions", "channel", {"paid": 1, "email": 2}),
        ("customers", "country", {"FR": 1, "IT": 2}),
        ("orders", "country", {"here": 3}),
    ):
        assert orders_by(fk.Dimension(column, orders=f"{table}.{column}"), own) == found
    assert orders_by(fk.Dimension("x", orders="channel"), own) == {"own": 3}


def test_a_parent_of_a_parent_is_reached():
    quantity = fk.Metric(name="n", formula=fk.Sum(fk.OrderLines.quantity))
    for by in ("segment", fk.Dimension("segment", order_lines="customers.segment")):
        frame = fk.evaluate(shop(), quantity, by=by).frame
        assert dict(frame.rows()) == {"new": 1, "loyal": 5}


def test_two_parents_equally_near_are_told_and_a_mapping_decides():
    with pytest.raises(fk.UnknownNameError) as caught:
        orders_by("country")
    assert "it could be sessions.country or customers.country" in str(caught.value)
    assert "fk.Dimension('country', orders='sessions.country')" in str(caught.value)
    assert orders_by(fk.Dimension("country", orders="customers.country")) == {"FR": 1, "IT": 2}


@pytest.mark.parametrize(
    ("dimension", "told"),
    [
        ("segmnt", "segment"),
        (fk.Dimension("channel", orders="chanel"), "column of orders named 'chanel'"),
        (fk.Dimension("channel", orders="orders.chanel"), "column of orders named 'chanel'"),
        (fk.Dimension("channel", orders="products.brand"), "given for 'channel'"),
        (fk.Dimension("channel", orders="sessions.chanel"), "given for 'channel'"),
        ("colour", "dimension of orders"),
    ],
)
def test_a_dimension_that_cannot_be_reached_is_told(dimension, told):
    with pytest.raises(fk.UnknownNameError, match=told):
        orders_by(dimension)


def test_without_the_key_there_is_no_way_to_the_parent():
    with pytest.raises(fk.UnknownNameError, match="dimension of orders named 'channel'"):
        orders_by("channel", shop(orders=ORDERS.drop("session_id")))


def test_a_condition_reaches_as_a_key_does():
    assert orders_by("segment", where="channel == 'email'") == {"loyal": 2}
    of_country = fk.Dimension("country", orders="customers.country").eq("FR")
    assert orders_by("segment", where=of_country) == {"new": 1}
    with pytest.raises(
        fk.DefinitionError, match=r"where names sessions\.channel, and rows of orders"
    ):
        orders_by("segment", where=fk.Sessions.channel.eq("email"))
    with pytest.raises(fk.MissingInputError, match=r"orders\.sales_channel"):
        orders_by("segment", where=fk.Orders.sales_channel.eq("pos"))


def test_a_day_of_another_clock_is_compared_on_that_of_the_shop():
    late = ORDERS.with_columns(ordered_at=pl.lit(dt.datetime(2024, 5, 1, 1)))
    asked = fk.Shop(orders=late, customers=CUSTOMERS, time_zone="Europe/Warsaw")
    moment = dt.datetime(2024, 4, 30, 22, 59, tzinfo=dt.UTC)
    assert orders_by("segment", asked, where=fk.Dimension("ordered_at") > moment) != {}
    assert orders_by("segment", asked, where=fk.Dimension("ordered_at") < moment) == {}


def test_equal_keys_of_different_types_do_not_meet():
    texts = SESSIONS.with_columns(pl.col("session_id").cast(pl.String))
    with pytest.raises(fk.ContractError, match=r"sessions\.session_id is String; cast one"):
        shop(sessions=texts)
