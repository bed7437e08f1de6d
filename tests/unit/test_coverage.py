"""What numbers leave out is counted, by reason, and told with them."""

import datetime as dt

import polars as pl

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1, 12)


def shop():
    """Visits, one of a bot, one without a channel; orders, one cancelled, one a guest's."""
    sessions = pl.DataFrame(
        {
            "session_id": [1, 2, 3, 4],
            "has_purchase": [True, True, False, None],
            "started_at": [DAY] * 4,
            "is_bot": [True, False, False, None],
            "channel": ["paid", "paid", None, "email"],
        }
    )
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3, 4],
            "ordered_at": [DAY, DAY, DAY, DAY + dt.timedelta(days=40)],
            "status": ["paid", "cancelled", "paid", "paid"],
            "is_gift_card_only": [False] * 4,
            "customer_id": [7, 7, None, 8],
            "gross_amount": [10.0, 20.0, 30.0, None],
            "discount_amount": [0.0] * 4,
        }
    )
    lines = pl.DataFrame(
        {
            "order_line_id": [1, 2],
            "order_id": [1, 3],
            "quantity": [1, 1],
            "unit_price": [10.0, 30.0],
            "unit_cost": [4.0, None],
        }
    )
    return fk.Shop(sessions=sessions, orders=orders, order_lines=lines, assume_empty=("returns",))


def told(name, **question):
    found = fk.evaluate(shop(), name, exclusions=True, **question).exclusions.drop_nulls("rows")
    return set(found.select("table", "reason", "rows", "of").iter_rows())


def test_bots_are_dropped_and_counted():
    assert told("sessions") == {("sessions", "not sessions.is_counted", 1, 4)}


def test_orders_without_a_customer_are_counted_among_those_that_count():
    assert told("customers") == {
        ("orders", "not orders.is_counted", 1, 4),
        ("orders", "no orders.customer_key", 1, 3),
    }


def test_a_condition_of_the_numerator_alone_leaves_out_only_what_it_cannot_tell():
    assert told("session_conversion_rate") == {
        ("sessions", "not sessions.is_counted", 1, 4),
        ("sessions", "no sessions.has_purchase", 1, 3),
    }


def test_lines_without_a_cost_and_amounts_that_are_null_are_counted():
    assert ("order_lines", "no order_lines.unit_cost", 1, 2) in told("gross_margin")
    assert ("orders", "no orders.gross_amount", 1, 3) in told("gross_sales")


def test_only_the_range_and_the_filter_are_looked_at():
    may = {"start": "2024-05-01", "end": "2024-06-01"}
    assert ("orders", "not orders.is_counted", 1, 3) in told("orders", **may)
    assert told("orders", where="status == 'paid'") == set()


def test_rows_without_a_key_are_a_group_and_are_counted():
    assert ("sessions", "no channel", 1, 4) in told("sessions", by="channel")


def test_a_result_tells_what_it_leaves_out_under_the_table():
    result = fk.evaluate(shop(), ["sessions", "customers"], every="1mo", exclusions=True)
    assert "sessions excluded, not sessions.is_counted: 1 of 4 (sessions)" in repr(result)
    assert "<p>orders excluded, no orders.customer_key: 1 of 3 (customers)</p>" in (
        result._repr_html_()
    )
    assert fk.evaluate(shop(), "sessions").exclusions is None
    nothing = fk.evaluate(shop(), "orders", where="status == 'paid'", exclusions=True)
    assert repr(nothing).endswith("no exclusions are known")


def test_of_two_conditions_the_second_is_looked_at_where_the_first_holds():
    """Of four carts, two are empty, and one of the two others is too young."""
    young = DAY + dt.timedelta(days=9)
    carts = pl.DataFrame(
        {
            "cart_id": [1, 2, 3, 4],
            "created_at": [DAY, DAY, DAY, young],
            "items": [0, 0, 1, 1],
            "order_id": [None, None, 7, None],
        }
    )
    shop = fk.Shop(carts=carts, as_of=young + dt.timedelta(hours=1))
    found = fk.evaluate(shop, "cart_abandonment_rate", exclusions=True).exclusions
    assert found.select("reason", "rows", "of").rows() == [
        ("not carts.items > 0", 2, 4),
        ("not carts.age_s >= days(1)", 1, 2),
    ]


def test_a_null_that_counts_as_0_in_an_amount_of_the_order_is_counted():
    """A line without a price and a parcel without a cost made the order cheaper without a word."""
    orders = shop_of_lines({"order_id": [1, 2, 3], "status": ["paid", "paid", "cancelled"]})
    found = fk.evaluate(orders, ["gross_sales", "shipping_cost_ratio"], exclusions=True)
    told = found.exclusions.filter(pl.col("reason").str.starts_with("no "))
    assert told.select("metric", "table", "reason", "rows", "of").rows() == [
        ("gross_sales", "order_lines", "no order_lines.unit_price", 1, 3),
        ("shipping_cost_ratio", "shipments", "no shipments.shipping_cost", 2, 3),
        ("shipping_cost_ratio", "order_lines", "no order_lines.unit_price", 1, 3),
    ]
    assert found.frame.row(0) == (10.0, 0.5)


def shop_of_lines(orders):
    """Orders with lines and parcels, some without a price or a cost, of which one is cancelled."""
    lines = pl.DataFrame(
        {
            "order_line_id": [1, 2, 3, 4],
            "order_id": [1, 2, 2, 3],
            "quantity": [1] * 4,
            "unit_price": [10.0, None, 0.0, None],
            "discount_amount": [0.0] * 4,
        }
    )
    parcels = pl.DataFrame(
        {
            "shipment_id": [1, 2, 3, 4],
            "order_id": [1, 1, 2, 3],
            "shipped_at": [DAY] * 4,
            "shipping_cost": [5.0, None, None, None],
        }
    )
    placed = pl.DataFrame(orders).with_columns(ordered_at=DAY)
    return fk.Shop(orders=placed, order_lines=lines, shipments=parcels, assume_empty=("returns",))
