"""The right number or a refusal: lookups, currencies, rollups, stocks, nulls.

What concerns time is in `test_wrong_numbers_in_time`.
"""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit import Count, Lookup, Orders, Sum
from small_frames import NOON, of, orders_of, value, values

DAY = dt.date(2024, 5, 1)
GROSS = Sum(Orders.gross_amount)


class Ads(
    fk.Table,
    table="ads",
    key="ad_id",
    time="date",
    parents={"date": "campaign_performance"},
):
    """Ads by day: the day alone points to no one row of campaigns."""

    ad_id = fk.Key()
    date = fk.Time()
    cost = fk.Money()


class Loyalty(fk.Table, table="loyalty", key="customer_id", time="joined_at"):
    """A card per customer."""

    customer_id = fk.Key(unit=fk.CUSTOMER)
    joined_at = fk.Time()
    country = fk.Category()


class Purses(fk.Table, table="purses", key=("day", "purse_id"), time="day"):
    """What is in each purse at the end of a day."""

    day = fk.Time()
    purse_id = fk.Key()
    balance = fk.Money()
    currency = fk.Category()


CAMPAIGNS = pl.DataFrame(
    {
        "date": [DAY, DAY],
        "platform": ["meta", "google"],
        "campaign_id": [1, 2],
        "spend": [10.0, 20.0],
        "currency": ["EUR", "EUR"],
    }
)


@pytest.fixture
def ads():
    one = pl.DataFrame({"ad_id": [1], "date": [DAY], "cost": [100.0]})
    return fk.Shop(ads=one, campaign_performance=CAMPAIGNS, tables=[Ads])


def test_a_parent_of_which_many_rows_match_does_not_multiply_the_rows(ads):
    asked = [of(Sum(Ads.cost), "cost"), of(Count(Ads), "ads")]
    assert fk.evaluate(ads, asked).frame.row(0) == (100.0, 1)


@pytest.mark.parametrize("formula", [Count(Ads), Sum(Ads.cost)], ids=["count", "sum"])
@pytest.mark.parametrize(
    "question",
    [{"by": "platform"}, {"where": "platform in ['meta', 'google']"}],
    ids=["by", "where"],
)
def test_a_dimension_of_a_parent_with_a_key_of_several_columns_is_not_reached(
    ads, formula, question
):
    with pytest.raises((fk.UnknownNameError, fk.DefinitionError), match="platform"):
        fk.evaluate(ads, of(formula), **question)


def test_a_lookup_by_the_day_alone_of_a_table_by_day_platform_and_campaign_is_refused():
    shop = fk.Shop(orders=orders_of(d=[DAY]), campaign_performance=CAMPAIGNS)
    with pytest.raises((fk.UnknownNameError, fk.DefinitionError), match="campaign_performance"):
        value(shop, Sum(Lookup(Orders.column("d", fk.Category), fk.CampaignPerformance.spend)))


def test_a_lookup_by_the_message_alone_of_a_table_by_message_and_recipient_is_refused():
    sends = pl.DataFrame(
        {
            "message_id": [7, 7],
            "recipient_id": [1, 2],
            "sent_at": [NOON] * 2,
            "attributed_revenue": [10.0, 20.0],
        }
    )
    shop = fk.Shop(orders=orders_of(d=[7]), email_sends=sends)
    with pytest.raises((fk.UnknownNameError, fk.DefinitionError), match="email_sends"):
        value(shop, Sum(Lookup(Orders.column("d", fk.Key), fk.EmailSends.attributed_revenue)))


def test_a_value_does_not_depend_on_what_is_asked_beside_it():
    accounts = pl.DataFrame(
        {"customer_id": [1, 2], "created_at": [NOON] * 2, "country": ["PL", "DE"]}
    )
    cards = pl.DataFrame({"customer_id": [1, 2], "joined_at": [NOON] * 2, "country": ["DE", "DE"]})
    shop = fk.Shop(
        orders=orders_of(customer_id=[1, 1, 2]), customers=accounts, loyalty=cards, tables=[Loyalty]
    )
    by_account = Count(Orders, where=Lookup(Orders.customer_id, fk.Customers.country).eq("PL"))
    by_card = Count(Orders, where=Lookup(Orders.customer_id, Loyalty.country).eq("DE"))
    assert (value(shop, by_account), value(shop, by_card)) == (2, 3)
    for both in ([of(by_account, "a"), of(by_card, "b")], [of(by_card, "b"), of(by_account, "a")]):
        assert fk.evaluate(shop, both).frame.select("a", "b").row(0) == (2, 3)


def test_a_lookup_by_a_key_that_does_not_point_to_that_table_is_refused():
    lines = pl.DataFrame(
        {"order_line_id": [1], "order_id": [1], "product_id": [2], "ordered_at": [NOON]}
    )
    shop = fk.Shop(orders=orders_of(gross_amount=[5.0, 7.0]), order_lines=lines)
    with pytest.raises((fk.UnknownNameError, fk.DefinitionError), match="product_id"):
        value(shop, Sum(Lookup(fk.OrderLines.product_id, Orders.gross_amount)))


def test_keys_of_a_lookup_of_two_types_are_refused_with_both_named_before_data_is_read():
    cards = pl.DataFrame({"customer_id": [1], "joined_at": [NOON], "country": ["DE"]})
    in_germany = Count(Orders, where=Lookup(Orders.customer_id, Loyalty.country).eq("DE"))
    with pytest.raises((fk.DataError, fk.DefinitionError), match=r"(?s)(?=.*Int64)(?=.*String)"):
        fk.plan(
            fk.Shop(orders=orders_of(customer_id=["1"]), loyalty=cards, tables=[Loyalty]),
            of(in_germany),
        )


def test_amounts_in_another_currency_than_the_shop_are_refused_without_a_rate():
    shop = fk.Shop(orders=orders_of(currency=["EUR", "EUR"]), currency="PLN")
    with pytest.raises(fk.ContractError, match=r"(?s)(?=.*EUR)(?=.*PLN)"):
        value(shop, GROSS)


def test_a_ratio_of_amounts_in_two_currencies_is_refused():
    spent = CAMPAIGNS.with_columns(currency=pl.lit("USD"))
    shop = fk.Shop(orders=orders_of(currency=["EUR"]), campaign_performance=spent)
    with pytest.raises(fk.ContractError, match=r"(?s)(?=.*EUR)(?=.*USD)"):
        value(shop, GROSS / Sum(fk.CampaignPerformance.spend))


BOTH = orders_of(currency=["EUR", "PLN"])
PER_CUSTOMER = fk.PerKey(Orders.customer_id, total=GROSS)
OF_CUSTOMERS = Sum(PER_CUSTOMER["total"])


def test_two_currencies_of_one_customer_are_not_added_in_a_rollup():
    with pytest.raises(fk.ContractError, match="EUR and PLN"):
        value(fk.Shop(orders=BOTH), OF_CUSTOMERS)


def test_a_rollup_of_amounts_of_which_one_has_no_rate_is_refused():
    rates = pl.DataFrame({"date": [DAY], "currency": ["USD"], "rate": [4.0]})
    shop = fk.Shop(orders=BOTH, exchange_rates=rates, currency="PLN")
    with pytest.raises(fk.ContractError, match="fx_rate"):
        value(shop, OF_CUSTOMERS)


def test_a_stock_of_money_in_two_currencies_is_refused():
    purses = pl.DataFrame(
        {
            "day": [DAY, DAY],
            "purse_id": [1, 2],
            "balance": [10.0, 20.0],
            "currency": ["EUR", "PLN"],
        }
    )
    with pytest.raises(fk.ContractError, match="EUR and PLN"):
        value(fk.Shop(purses=purses, tables=[Purses]), fk.ClosingBalance(Purses.balance))


def test_amounts_that_are_looked_up_in_two_currencies_are_refused():
    lines = pl.DataFrame({"order_line_id": [1, 2], "order_id": [1, 2], "ordered_at": [NOON] * 2})
    shop = fk.Shop(orders=BOTH, order_lines=lines)
    with pytest.raises(fk.ContractError, match="EUR and PLN"):
        value(shop, Sum(Lookup(fk.OrderLines.order_id, Orders.gross_amount)))


def test_a_native_sum_of_amounts_in_two_currencies_is_refused():
    native = fk.PolarsExpr("orders", pl.col("gross_amount").sum(), fk.MONEY)
    with pytest.raises(fk.ContractError, match="EUR and PLN"):
        value(fk.Shop(orders=BOTH), native)


def test_an_amount_without_a_currency_beside_one_in_euro_is_refused():
    with pytest.raises(fk.ContractError, match=r"orders\.currency"):
        value(fk.Shop(orders=orders_of(currency=["EUR", None])), GROSS)


def test_a_distinct_count_over_a_supplied_flag_rolls_up_to_what_is_evaluated_or_not_at_all():
    twice_first = orders_of(is_first_order=[True, True], channel=["a", "b"])
    shop = fk.Shop(orders=twice_first)
    assert fk.evaluate(shop, "new_customers").frame.item() == 1
    by_channel = fk.evaluate(shop, "new_customers", by="channel")
    assert by_channel.frame.rows() == [("a", 1), ("b", 1)]
    try:
        rolled = by_channel.rollup().frame.item()
    except fk.UnsupportedError:
        return
    assert rolled == 1


@pytest.mark.parametrize(
    "inner",
    [
        Sum(Orders.gross_amount, require_single=Orders.status),
        Sum(Orders.gross_amount, skip_nulls=False),
    ],
    ids=["within", "skip_nulls"],
)
def test_a_sum_that_may_become_null_is_not_taken_to_date_over_a_rollup(inner):
    totals = fk.PerKey(Orders.customer_id, total=inner)
    times = [NOON, NOON + dt.timedelta(days=31)]
    orders = orders_of(ordered_at=times, status=["paid", "pending"], gross_amount=[10.0, None])
    with pytest.raises(fk.DefinitionError, match="gross_amount"):
        values(fk.Shop(orders=orders), fk.Cumulative(Sum(totals["total"])), every="1mo")


STOCK = pl.DataFrame(
    {
        "snapshot_date": [dt.date(2024, 1, 29), dt.date(2024, 1, 29), dt.date(2024, 1, 30)],
        "product_id": ["A", "B", "A"],
        "location_id": ["x", "x", "x"],
        "on_hand_units": [10, 20, 5],
    }
)
ON_HAND = fk.ClosingBalance(fk.InventorySnapshots.on_hand_units)


def test_the_stock_of_a_product_is_that_of_its_own_last_day():
    shop = fk.Shop(inventory_snapshots=STOCK)
    assert value(shop, ON_HAND) == 5 + 20
    assert values(shop, ON_HAND, every="1mo") == [5 + 20]


def test_the_stock_of_one_product_does_not_depend_on_the_days_of_another():
    shop = fk.Shop(inventory_snapshots=STOCK)
    assert value(shop, ON_HAND, where="product_id == 'B'") == 20


def test_every_product_has_a_stock_though_their_last_days_differ():
    shop = fk.Shop(inventory_snapshots=STOCK)
    assert fk.evaluate(shop, of(ON_HAND), by="product_id").frame.rows() == [("A", 5), ("B", 20)]


@given(st.permutations(range(3)))
def test_the_order_of_rows_changes_no_stock(order):
    assert value(fk.Shop(inventory_snapshots=STOCK[order]), ON_HAND) == 25


@pytest.fixture
def half_without_lines():
    lines = pl.DataFrame(
        {
            "order_line_id": [1],
            "order_id": [1],
            "quantity": [1],
            "unit_price": [10.0],
            "discount_amount": [0.0],
        }
    )
    bare = orders_of(order_id=[1, 2]).drop("gross_amount", "discount_amount")
    return fk.Shop(orders=bare, order_lines=lines)


def test_the_check_of_a_shop_counts_the_orders_without_lines(half_without_lines):
    found = half_without_lines.check().frame.select("table", "severity", "rows")
    assert found.rows() == [("orders", "warning", 1)]


def test_a_native_fold_is_divided_by_another_fold():
    shop = fk.Shop(orders=orders_of(gross_amount=[100.0, 50.0]))
    native = fk.PolarsExpr("orders", pl.col("gross_amount").sum(), fk.MONEY)
    assert value(shop, GROSS / Count(Orders)) == 75.0
    assert value(shop, native / Count(Orders)) == 75.0
