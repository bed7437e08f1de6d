"""Values of real exports that make numbers wrong: signs, times and amounts that cannot be right."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from small_frames import NOON, orders_of


def findings(shop):
    return shop.check().select("table", "check", "severity", "rows", "sample").rows()


# --- discounts -----------------------------------------------------------------------------------


def test_a_discount_below_zero_is_refused_for_it_would_add_to_sales():
    shop = fk.Shop(orders=orders_of(discount_amount=[-10.0, 0.0]), assume_empty=["returns"])
    with pytest.raises(fk.ContractError) as error:
        fk.evaluate(shop, "aov")
    assert str(error.value) == (
        "orders.discount_amount: is below zero, and would add to sales, in 1 row, such as "
        "(1, -10.0, 100.0); turn its sign: a discount is above zero"
    )


def test_the_discount_of_what_is_taken_back_is_below_zero():
    """An export that writes what is taken back as an order or a line of its own."""
    shop = fk.Shop(orders=orders_of(gross_amount=[100.0, -100.0], discount_amount=[10.0, -10.0]))
    assert fk.evaluate(shop, "discounts").frame.item() == 0.0


@pytest.mark.parametrize(("quantity", "is_refused"), [([1, 1], True), ([-1, 1], False)])
def test_discounts_of_lines_too(quantity, is_refused):
    lines = pl.DataFrame(
        {
            "order_line_id": [1, 2],
            "order_id": [1, 1],
            "quantity": quantity,
            "unit_price": [50.0, 50.0],
            "discount_amount": [-5.0, 5.0],
        }
    )
    frame = orders_of().drop("gross_amount", "discount_amount")
    shop = fk.Shop(orders=frame, order_lines=lines)
    if is_refused:
        with pytest.raises(fk.ContractError, match=r"order_lines\.discount_amount: is below zero"):
            fk.evaluate(shop, "discounts")
    else:
        assert fk.evaluate(shop, "discounts").frame.item() == 0.0


def test_without_amounts_a_discount_below_zero_is_refused_as_well():
    frame = orders_of(discount_amount=[0.0, -1.0]).drop("gross_amount")
    with pytest.raises(fk.ContractError, match="turn its sign"):
        fk.evaluate(fk.Shop(orders=frame), "orders")


# --- times ---------------------------------------------------------------------------------------


def test_a_time_after_today_is_refused_for_the_data_would_be_known_until_then():
    far = dt.datetime(2204, 1, 3)
    frame = orders_of(ordered_at=[NOON, far])
    shop = fk.Shop(orders=frame)
    problem = "ordered_at lies after today"
    assert findings(shop) == [("orders", problem, "error", 1, f"(2, {far!r})")]
    with pytest.raises(fk.ContractError, match="say what is known: as_of="):
        fk.evaluate(shop, "orders", every="1mo")
    known = fk.Shop(orders=frame, as_of="2024-05-02")
    assert findings(known) == []
    assert fk.evaluate(known, "orders", end="2024-06-01").frame.item() == 1
    assert fk.evaluate(fk.Shop(orders=frame, guards=False), "orders").frame.item() == 2


@pytest.mark.parametrize("status", ["draft", "Cancelled", " test"])
def test_a_row_that_does_not_count_may_lie_ahead(status):
    """A draft says nothing of up to when the data is known, and no number rests on its time."""
    frame = orders_of(ordered_at=[NOON, dt.datetime(2204, 1, 3)], status=["paid", status])
    shop = fk.Shop(orders=frame)
    assert findings(shop) == []
    assert fk.evaluate(shop, "orders", every="1mo").frame.rows() == [(dt.date(2024, 5, 1), 1)]
    assert shop.complete_days()[1] == NOON.date()


def test_a_time_of_tomorrow_may_be_that_of_another_zone():
    soon = dt.datetime.now(dt.UTC).replace(tzinfo=None) + dt.timedelta(hours=12)
    assert (
        fk.evaluate(fk.Shop(orders=orders_of(ordered_at=[NOON, soon])), "orders").frame.item() == 2
    )


def test_days_that_are_planned_may_lie_ahead():
    """A budget for a year that has not begun says nothing of what is known."""
    ahead = {"period_start": [dt.date(2204, 1, 1)], "period_end": [dt.date(2204, 12, 31)]}
    costs = pl.DataFrame({"purpose": ["acquisition"], "amount": [1.0], **ahead})
    assert all(
        "after today" not in check for _, check, *_ in findings(fk.Shop(marketing_costs=costs))
    )


def test_a_time_at_which_computers_begin_to_count_is_found():
    zero = dt.datetime(1970, 1, 1)
    problem = "ordered_at lies on 1 January 1970 or before, as unknown times are often written"
    shop = fk.Shop(orders=orders_of(ordered_at=[NOON, zero]))
    assert findings(shop) == [("orders", problem, "warning", 1, f"(2, {zero!r})")]
    assert fk.evaluate(shop, "orders").frame.item() == 2


# --- amounts -------------------------------------------------------------------------------------


def test_an_order_without_an_amount_is_found():
    problem = "gross_amount is null, and adds 0 to what rows are worth"
    shop = fk.Shop(orders=orders_of(gross_amount=[None, 20.0]))
    assert findings(shop) == [("orders", problem, "warning", 1, "(1, None)")]


@pytest.mark.parametrize(
    ("table", "column", "problem"),
    [
        ("order_lines", "quantity", "adds 0 to what rows are worth"),
        ("returns", "refund_amount", "adds 0 to the total"),
        ("marketing_costs", "amount", "adds 0 to the total"),
        ("shipments", "shipping_cost", "adds 0 to the total"),
        ("inventory_snapshots", "on_hand_units", "so that the last known count stands"),
    ],
)
def test_a_number_that_is_not_known_is_found(table, column, problem):
    told = "," if problem.startswith("so") else ", and"
    shop = fk.Shop.bind({table: pl.DataFrame({column: [None, 20.0]})})
    found = [check for _, check, *_ in findings(shop) if check.startswith(f"{column} is null")]
    assert found == [f"{column} is null{told} {problem}"]


def test_more_clicks_or_people_than_impressions_are_found():
    day = {"date": [dt.date(2024, 5, 1)], "platform": ["meta"], "campaign_id": [1]}
    ads = pl.DataFrame({**day, "impressions": [10], "clicks": [11], "reach": [12]})
    found = {check for _, check, *_ in findings(fk.Shop(campaign_performance=ads))}
    assert found == {"clicks is above impressions", "reach is above impressions"}


def test_a_refund_before_the_order_and_one_above_it_are_found():
    returns = pl.DataFrame(
        {
            "return_id": [1, 2, 3],
            "order_id": [1, 2, 9],
            "returned_at": [NOON - dt.timedelta(days=1), NOON, NOON],
            "refund_amount": [10.0, 250.0, 250.0],
        }
    )
    found = {
        (check, rows)
        for _, check, _, rows, _ in findings(
            fk.Shop(orders=orders_of(order_id=[1, 2]), returns=returns)
        )
    }
    assert found == {
        ("returned_at lies before the order", 1),
        ("refund_amount is above the gross amount of the order", 1),
        ("order_id points to no row of orders", 1),
    }
