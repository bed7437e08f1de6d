"""Amounts of different currencies never meet: the right number, or an error that says so."""

import datetime as dt
from dataclasses import replace

import duckdb
import polars as pl
import pytest

import funnelkit as fk
from funnelkit import Lookup, OrderLines, Orders, Sum

APRIL, MAY = dt.datetime(2024, 4, 20), dt.datetime(2024, 5, 2)
RATES = pl.DataFrame({"date": [APRIL.date(), MAY.date()], "currency": "EUR", "rate": [4.0, 5.0]})
GROSS = Sum(Orders.gross_amount)
HOLDS = "holds EUR and PLN, whose amounts would be added"


def orders(**columns):
    """Make an order of 400 zloty in April and one of 100 euro in May."""
    frame = {
        "order_id": [1, 2],
        "ordered_at": [APRIL, MAY],
        "status": ["paid"] * 2,
        "gross_amount": [400.0, 100.0],
        "discount_amount": [40.0, 0.0],
        "currency": ["PLN", "EUR"],
        "channel": ["a", "b"],
    }
    return pl.DataFrame({**frame, **columns})


def returns(**columns):
    frame = {"return_id": [1], "order_id": [1], "returned_at": [MAY], "refund_amount": [10.0]}
    return pl.DataFrame({**frame, **columns})


def lines(**columns):
    frame = {"order_line_id": [1, 2], "order_id": [1, 2], "product_id": ["p", "p"]}
    return pl.DataFrame({**frame, "quantity": [1, 1], "unit_price": [400.0, 100.0], **columns})


def converting(**tables):
    """Bind tables with rates, in a shop whose currency is the zloty."""
    empty = () if "returns" in tables else ("returns",)
    bound = {"orders": orders(), "exchange_rates": RATES, **tables}
    return fk.Shop.bind(bound, currency="PLN", assume_empty=empty)


def of(formula, name="asked"):
    return fk.Metric(name=name, formula=formula)


def value(shop, asked, **question):
    metric = asked if isinstance(asked, str | fk.Metric) else of(asked)
    return fk.evaluate(shop, metric, **question).frame.item()


def refusal(ask):
    with pytest.raises(fk.ContractError) as caught:
        ask()
    return str(caught.value)


# --- after the fold ------------------------------------------------------------------------------

SHOP = fk.Shop(orders=orders(), returns=returns())
IN_MAY = {"start": "2024-05-01", "end": "2024-06-01"}
MEETING = {
    "a series": (GROSS, {}),
    "a running total": (fk.Cumulative(GROSS), {}),
    "a running total in May": (fk.Cumulative(GROSS), IN_MAY),
    "growth": (GROSS - fk.Shift(GROSS, 1), {}),
    "growth in May": (GROSS - fk.Shift(GROSS, 1), IN_MAY),
    "sales less refunds": (GROSS - Sum(fk.Returns.refund_amount), {}),
    "sales less refunds in May": (GROSS - Sum(fk.Returns.refund_amount), IN_MAY),
}


@pytest.mark.parametrize(("formula", "span"), MEETING.values(), ids=MEETING)
def test_a_rollup_refuses_what_evaluating_refuses_and_in_the_same_words(formula, span):
    by_month = fk.evaluate(SHOP, of(formula), by="currency", every="1mo", **span)
    wanted = refusal(lambda: fk.evaluate(SHOP, of(formula), every="1mo", **span))
    assert HOLDS in wanted
    assert refusal(lambda: by_month.rollup("period")) == wanted


def test_refunds_in_one_currency_are_not_taken_off_sales_in_another():
    fine = fk.evaluate(SHOP, "net_sales", by=["currency", "status"], **IN_MAY)
    assert HOLDS in refusal(lambda: fine.rollup("status"))
    assert fine.rollup("currency").frame["net_sales"].to_list() == [100.0, -10.0]


def test_a_rollup_within_one_currency_gives_what_evaluating_gives():
    result = fk.evaluate(SHOP, [of(GROSS), "orders"], by=["currency", "channel"], every="1mo")
    for key in ("currency", "channel"):
        again = fk.evaluate(SHOP, [of(GROSS), "orders"], by=key)
        assert result.rollup(key).frame.equals(again.frame)
        again = fk.evaluate(SHOP, [of(GROSS), "orders"], by=key, every="1mo")
        assert result.rollup(["period", key]).frame.equals(again.frame)
    only = fk.evaluate(SHOP, of(GROSS), by="currency", where="currency == 'EUR'")
    assert only.rollup().frame.item() == 100.0


def test_a_rollup_over_currencies_is_in_the_currency_of_the_shop_or_refused():
    zloty = fk.Shop(orders=orders(currency=["PLN", "PLN"]), currency="PLN")
    assert fk.evaluate(zloty, of(GROSS), by="currency").rollup().currency == "PLN"
    euro = fk.Shop(orders=orders(currency=["EUR", "EUR"]), currency="PLN")
    fine = fk.evaluate(euro, of(GROSS), by="currency")
    assert refusal(fine.rollup) == refusal(lambda: fk.evaluate(euro, of(GROSS)))


@pytest.mark.parametrize(
    "formula", [fk.ShareOfTotal(GROSS), fk.QuantileBucket(GROSS, 2)], ids=["share", "rank"]
)
def test_groups_of_different_currencies_are_not_set_side_by_side(formula):
    for by in ("channel", "currency"):
        told = refusal(lambda by=by: fk.evaluate(SHOP, of(formula), by=by))
        assert HOLDS in told
        assert "asked sets the groups side by side" in told
    euro = fk.evaluate(SHOP, of(formula), by="channel", where="currency == 'EUR'").frame
    assert euro["asked"].to_list() in ([1.0], [2.0])
    counted = replace(formula, formula=fk.Count(Orders))
    assert fk.evaluate(SHOP, of(counted), by="channel").frame.height == 2
    assert fk.evaluate(converting(), of(formula), by="channel").frame.height == 2


# --- which currency ------------------------------------------------------------------------------


def test_a_second_parent_with_a_currency_does_not_switch_the_guard_off():
    products = pl.DataFrame({"product_id": ["p"], "currency": ["PLN"]})
    shop = fk.Shop(orders=orders(), order_lines=lines(), products=products)
    asked = Sum(OrderLines.quantity * OrderLines.unit_price)
    told = refusal(lambda: fk.evaluate(shop, of(asked)))
    assert "order_lines.currency: could be orders.currency or products.currency" in told
    assert "supply a column currency in order_lines" in told
    own = lines(currency=["EUR", "EUR"])
    settled = fk.Shop(orders=orders(), order_lines=own, products=products)
    assert value(settled, asked) == 500.0


def test_what_is_looked_up_is_in_the_currency_of_the_table_where_it_stands():
    products = pl.DataFrame({"product_id": ["p"], "list_price": [7.0], "currency": ["EUR"]})
    shop = fk.Shop(orders=orders(), order_lines=lines(), products=products)
    listed = Sum(OrderLines.quantity * Lookup(OrderLines.product_id, fk.Products.list_price))
    assert value(shop, listed) == 14.0
    sold = Sum(OrderLines.quantity * Lookup(OrderLines.order_id, Orders.gross_amount))
    assert HOLDS in refusal(lambda: fk.evaluate(shop, of(sold)))


def test_the_currency_of_a_refund_wins_over_that_of_its_order():
    back = returns(currency=["EUR"])
    assert value(converting(returns=back), "returns_value") == 50.0
    assert value(converting(returns=returns()), "returns_value") == 10.0
    assert value(converting(returns=back), "net_sales") == 400.0 - 40.0 + 500.0 - 50.0
    by = fk.evaluate(fk.Shop(orders=orders(), returns=back), "returns_value", by="currency").frame
    assert by.rows() == [("EUR", 10.0)]
    beside = fk.Shop(orders=orders(fx_rate=[1.0, 4.0]), returns=back, currency="PLN")
    assert "returns.currency: is EUR" in refusal(lambda: fk.evaluate(beside, "net_sales"))


def test_amounts_that_were_converted_do_not_meet_amounts_in_a_currency():
    ads = pl.DataFrame({"date": [MAY.date()], "platform": ["g"], "campaign_id": ["c"]})
    ads = ads.with_columns(spend=50.0, currency=pl.lit("USD"))
    rated = orders(fx_rate=[1.0, 4.0])
    ratio = GROSS / Sum(fk.CampaignPerformance.spend)
    for currency in ("", "PLN"):
        shop = fk.Shop(orders=rated, campaign_performance=ads, currency=currency)
        assert "campaign_performance.currency: is USD" in refusal(lambda s=shop: value(s, ratio))


# --- conversion ----------------------------------------------------------------------------------


@pytest.mark.parametrize("rated", [False, True])
def test_a_polars_expression_over_amounts_is_converted_like_them(rated):
    shop = converting()
    if rated:
        shop = fk.Shop(orders=orders(fx_rate=[1.0, 5.0]), currency="PLN")
    native = fk.PolarsExpr("orders", pl.col("gross_amount").sum(), fk.MONEY)
    assert value(shop, native) == value(shop, GROSS) == 900.0
    largest = fk.PolarsExpr("orders", pl.col("gross_amount").max(), fk.MONEY)
    assert value(shop, largest) == 500.0
    both = fk.evaluate(shop, [of(native, "one"), of(GROSS, "two")]).frame
    assert both.row(0) == (900.0, 900.0)


def test_a_polars_expression_is_not_converted_twice_or_not_at_all():
    shop = fk.Shop(orders=orders(fx_rate=[1.0, 5.0], tip=[1.0, 1.0]), currency="PLN")
    twice = fk.PolarsExpr("orders", (pl.col("gross_amount") * pl.col("fx_rate")).sum(), fk.MONEY)
    with pytest.raises(fk.DefinitionError, match=r"orders\.gross_amount is converted already"):
        value(shop, twice)
    never = fk.PolarsExpr("orders", pl.col("tip").sum(), fk.MONEY)
    with pytest.raises(fk.DefinitionError, match=r"orders\.tip is not known .* fx_rate"):
        value(shop, never)
    by_hand = fk.PolarsExpr("orders", (pl.col("tip") * pl.col("fx_rate")).sum(), fk.MONEY)
    assert value(shop, by_hand) == value(shop, Sum(Orders.column("tip", fk.Money))) == 6.0
    assert HOLDS in refusal(lambda: value(fk.Shop(orders=orders(tip=[1.0, 1.0])), never))
    longest = fk.PolarsExpr("orders", pl.col("channel").str.len_chars().max())
    assert value(shop, longest) == 1


# --- costs ---------------------------------------------------------------------------------------


def test_costs_are_in_the_currency_of_the_shop_wherever_they_stand():
    stock = pl.DataFrame({"product_id": ["p"], "unit_cost": [40.0]})
    at_lines = converting(order_lines=lines(unit_cost=[40.0, 40.0]))
    at_products = converting(order_lines=lines(), products=stock)
    assert value(at_lines, "cost_of_goods_sold") == 80.0
    assert value(at_products, "cost_of_goods_sold") == 80.0

    fees = orders(payment_fee=[1.0, 1.0], fulfilment_cost=[2.0, 2.0], shipping_amount=[0.0, 0.0])
    parcels = pl.DataFrame({"shipment_id": [1, 2], "order_id": [1, 2], "shipped_at": [MAY] * 2})
    parcels = parcels.with_columns(shipping_cost=10.0)
    shop = converting(orders=fees, order_lines=lines(unit_cost=[40.0, 40.0]), shipments=parcels)
    assert value(shop, Sum(Orders.payment_fee)) == 2.0
    assert value(shop, Sum(fk.Shipments.shipping_cost)) == 20.0
    sold = 400.0 - 40.0 + 500.0
    assert value(shop, "contribution_margin") == sold - 80.0 - 2.0 - 4.0 - 20.0


def test_a_cost_is_not_taken_off_amounts_in_another_currency():
    costly = lines(unit_cost=[40.0, 40.0])
    for currency in ("", "PLN"):
        shop = fk.Shop(orders=orders(), order_lines=costly, returns=returns(), currency=currency)
        told = refusal(lambda s=shop: fk.evaluate(s, "gross_profit", by="currency"))
        assert "amounts in the shop's currency" in told
        assert "fk.Shop(currency=" in told
    euro = orders(currency=["EUR", "EUR"])
    for currency in ("", "EUR"):
        shop = fk.Shop(
            orders=euro, order_lines=costly, assume_empty=("returns",), currency=currency
        )
        assert value(shop, "gross_profit") == 460.0 - 80.0


def test_a_currency_beside_the_costs_of_parcels_is_theirs():
    parcels = pl.DataFrame({"shipment_id": [1], "order_id": [1], "shipped_at": [MAY]})
    parcels = parcels.with_columns(shipping_cost=10.0, currency=pl.lit("EUR"))
    shop = converting(shipments=parcels)
    told = refusal(lambda: value(shop, Sum(fk.Shipments.shipping_cost)))
    assert "shipments.currency: is EUR, and the shop's is PLN" in told


# --- conditions ----------------------------------------------------------------------------------

LARGE = Orders.gross_amount > 350
CONDITIONS = {
    "where of the question": (fk.Count(Orders), "gross_amount > 350"),
    "a range": (fk.Count(Orders), Orders.gross_amount.is_between(350, 500)),
    "where of a fold": (fk.Count(Orders, where=LARGE), None),
    "where of one of two folds": (fk.Count(Orders, where=LARGE) / fk.Count(Orders), None),
    "if_else": (Sum(fk.If(LARGE, 1, 0)), None),
    "per key": (fk.Count(fk.PerKey(Orders.order_id, where=LARGE, rows=fk.Count(Orders))), None),
    "different values": (fk.CountDistinct(Orders.order_id, where=LARGE), None),
}


@pytest.mark.parametrize(("formula", "where"), CONDITIONS.values(), ids=CONDITIONS)
def test_a_condition_on_amounts_is_guarded_like_a_sum_of_them(formula, where):
    question = {} if where is None else {"where": where}
    assert HOLDS in refusal(lambda: value(fk.Shop(orders=orders()), formula, **question))
    assert HOLDS in refusal(lambda: value(fk.Shop(orders=orders()), formula, by=(), **question))
    large = value(converting(), formula, **question)
    assert large == (1.0 if "/" in str(formula) else 2)
    by = fk.evaluate(fk.Shop(orders=orders()), of(formula), by="currency", **question).frame
    assert by.height >= 1
    one = fk.Shop(orders=orders(currency=["EUR", "EUR"]))
    assert value(one, formula, **question) in (1, 0.5)


def test_the_row_that_a_condition_keeps_out_was_compared_too():
    shop = fk.Shop(orders=orders())
    where = "gross_amount > 350 and currency == 'PLN'"
    assert value(shop, "gross_sales", where=where) == 400.0
    assert HOLDS in refusal(lambda: value(shop, "gross_sales", where="gross_amount > 350"))


def test_a_guarded_condition_adds_no_groups():
    euro = fk.Shop(orders=orders(currency=["EUR", "EUR"]))
    large = fk.evaluate(euro, "gross_sales", by="channel", where="gross_amount > 350").frame
    assert large.rows() == [("a", 400.0)]


@pytest.mark.parametrize(
    "where",
    [
        "discount_amount > 0",
        Orders.discount_amount.is_between(0, 0),
        "discount_amount < gross_amount",
        "discount_amount / gross_amount < 0.5",
    ],
)
def test_a_condition_that_holds_in_any_currency_is_not_refused(where):
    assert value(fk.Shop(orders=orders()), "orders", where=where) >= 1


def test_an_amount_and_a_cost_are_not_compared_across_currencies():
    fees = orders(payment_fee=[1.0, 1.0])
    where = "gross_amount > payment_fee"
    assert "currency" in refusal(lambda: value(fk.Shop(orders=fees), "orders", where=where))
    assert value(converting(orders=fees), "orders", where=where) == 2


@pytest.mark.parametrize("in_database", [False, True])
def test_amounts_of_orders_and_of_their_lines_are_converted_and_checked_together(in_database):
    bound = {
        "orders": orders(),
        "order_lines": lines(line_type=["product"] * 2, discount_amount=[40.0, 0.0]),
        "exchange_rates": RATES,
    }
    shop = converting(**bound)
    if in_database:
        shop = fk.Shop.on(fk.DuckDB(duckdb.connect()), **bound, currency="PLN")
    assert shop.check().is_empty()
    assert fk.evaluate(shop, ["gross_sales", "units_sold"]).frame.row(0) == (900.0, 2.0)


KNOWN = {"as_of": dt.datetime(2024, 9, 1), "currency": "PLN"}


def refunds(currencies, **columns):
    """Make refunds of 36 of the first order and of 10 of the second, each in a currency."""
    back = {
        "return_id": [1, 2],
        "order_id": [1, 2],
        "returned_at": MAY,
        "refund_amount": [36.0, 10],
    }
    return pl.DataFrame({**back, "currency": pl.Series(currencies, dtype=pl.String), **columns})


@pytest.mark.parametrize(
    ("of_orders", "of_refunds", "problem"),
    [
        ("PLN", ["EUR", "EUR"], "orders and returns.currency: holds EUR and PLN"),
        (None, ["EUR", "EUR"], "returns.currency: is EUR, and amounts in the shop's currency, PLN"),
        (None, ["EUR", "PLN"], "returns.currency: holds EUR and PLN"),
        (None, [None, "PLN"], "returns.currency: is null in rows whose amounts would be added"),
    ],
)
@pytest.mark.parametrize("in_database", [False, True])
def test_amounts_added_up_per_order_are_guarded_in_the_rows_where_they_stand(
    of_orders, of_refunds, problem, in_database
):
    """Refunds of 46 euro are no tenth of sales of 460 zloty."""
    sold = orders(currency=of_orders) if of_orders else orders().drop("currency")
    bound = {"orders": sold, "returns": refunds(of_refunds)}
    if in_database:
        database = duckdb.connect()
        for name, frame in bound.items():
            database.register(name, frame)
        shop = fk.Shop.on(fk.DuckDB(database), orders="orders", returns="returns", **KNOWN)
    else:
        shop = fk.Shop(**bound, **KNOWN)
    assert problem in refusal(lambda: fk.evaluate(shop, "value_return_rate"))


@pytest.mark.parametrize(
    ("question", "shares"),
    [
        ({"by": "currency"}, {"EUR": 0.1, "PLN": 0.1}),
        ({"where": "channel == 'a'"}, {0.1: 0.1}),
        ({"end": dt.date(2024, 5, 1)}, {0.1: 0.1}),
    ],
)
def test_refunds_of_an_order_are_guarded_with_the_orders_that_are_asked(question, shares):
    """36 of 360 zloty, and 10 of 100 euro: apart, each is a share."""
    shop = fk.Shop(orders=orders(), returns=refunds(["PLN", "EUR"]), **KNOWN)
    rows = fk.evaluate(shop, "value_return_rate", **question).frame.rows()
    assert {row[0]: row[-1] for row in rows} == pytest.approx(shares)
    assert HOLDS in refusal(lambda: fk.evaluate(shop, "value_return_rate"))


def test_a_refund_that_adds_nothing_is_not_guarded():
    back = refunds(["PLN", "EUR"], kind=["return", "cancellation"])
    shop = fk.Shop(orders=orders().drop("currency"), returns=back, **KNOWN)
    assert value(shop, "value_return_rate") == pytest.approx(36 / 460)


def test_a_refund_without_a_rate_is_not_left_out():
    """A refund in dollars, of which no rate is known, used to count 0."""
    back = refunds(["PLN", "USD"])
    shop = fk.Shop(orders=orders().drop("currency"), returns=back, exchange_rates=RATES, **KNOWN)
    told = refusal(lambda: fk.evaluate(shop, "value_return_rate"))
    assert "returns.fx_rate: is null in 1 row whose amounts would be left out" in told


@pytest.mark.parametrize("asked", ["gross_sales", "aov", fk.Max(Orders.gross_amount)])
def test_orders_are_worth_lines_of_one_currency(asked):
    """Lines of 400 zloty and 100 euro are not worth 500 of anything."""
    sold = orders().drop("gross_amount", "currency")
    shop = fk.Shop(orders=sold, order_lines=lines(currency=["PLN", "EUR"]), **KNOWN)
    told = refusal(lambda: value(shop, asked))
    assert f"order_lines.currency: {HOLDS}" in told
    alike = fk.Shop(orders=sold, order_lines=lines(currency="PLN"), **KNOWN)
    assert value(alike, fk.Max(Orders.gross_amount)) == 400


@pytest.mark.parametrize(
    ("currencies", "own", "problem"),
    [
        (["EUR", "eur "], "EUR", "is written in several ways"),
        (["pln", "pln"], "PLN", "is written in several ways"),
        (["EUR", "EUR"], "PLN", "is not that of the shop, and there are no rates"),
        (["PLN", "EUR"], "PLN", "is mixed, and there are no rates"),
    ],
)
def test_what_is_refused_because_of_a_currency_is_in_the_report(currencies, own, problem):
    shop = fk.Shop(orders=orders(currency=currencies), currency=own)
    (found,) = shop.check().filter(severity="error").rows(named=True)
    assert found["check"].startswith(f"currency {problem}")
    told = refusal(lambda: fk.evaluate(shop, "gross_sales"))
    assert ("to_uppercase" in told) == ("to_uppercase" in found["remedy"])


@pytest.mark.parametrize(
    ("rates", "problem"),
    [
        ([1.0, 0.0], "is not a rate above zero"),
        ([1.0, -4.0], "is not a rate above zero"),
        ([4.0, 4.0], "is not 1 for the shop's own currency"),
    ],
)
def test_a_rate_beside_an_amount_is_one(rates, problem):
    """100 euro at a rate of 0 are not nothing, and a zloty is a zloty."""
    shop = fk.Shop(orders=orders(fx_rate=rates), currency="PLN")
    assert f"orders.fx_rate: {problem}" in refusal(lambda: fk.evaluate(shop, "gross_sales"))
    right = fk.Shop(orders=orders(fx_rate=[1.0, 4.0]), currency="PLN")
    assert value(right, "gross_sales") == 800


@pytest.mark.parametrize(
    "formula",
    [
        Sum(Lookup(OrderLines.order_id, Orders.returned_amount)),
        fk.Count(OrderLines, where=Lookup(OrderLines.order_id, Orders.returned_amount) > 5),
    ],
    ids=["sum", "where"],
)
def test_refunds_in_another_currency_are_found_from_the_lines_of_their_order(formula):
    """The refunds of an order were guarded where orders were read, and not where lines were."""

    def shop(*, refund):
        return fk.Shop(
            orders=orders(currency="EUR"),
            order_lines=lines(product_id=["p", "q"]),
            returns=returns(currency=refund),
            currency="EUR",
        )

    for by in ((), "product_id", "currency", ["product_id", "currency"]):
        with pytest.raises(fk.ContractError, match=HOLDS):
            fk.evaluate(shop(refund="PLN"), of(formula), by=by)
        assert fk.evaluate(shop(refund="EUR"), of(formula), by=by).frame.height
    assert value(shop(refund="PLN"), formula, start="2020-01-01", end="2020-02-01") == 0


class Purses(fk.Table, table="purses_abroad", key=("day", "purse_id"), time="day"):
    day = fk.Time()
    purse_id = fk.Key()
    held = fk.Money()
    currency = fk.Category()


@pytest.mark.parametrize("every", [None, "1d"])
def test_balances_of_two_currencies_never_meet(every):
    days = [dt.date(2024, 5, 1), dt.date(2024, 5, 2)]
    rows = {"day": days * 2, "purse_id": [1, 1, 2, 2], "held": [1.0, 2.0, 4.0, 8.0]}
    balance = of(fk.ClosingBalance(Purses.held))
    for currencies, totals in (("PPPP", [5.0, 10.0]), ("PPEE", None)):
        names = [{"P": "PLN", "E": "EUR"}[letter] for letter in currencies]
        frame = pl.DataFrame({**rows, "currency": names})
        shop = fk.Shop(purses_abroad=frame, tables=[Purses])
        plan = fk.plan(shop, balance, every=every)
        assert {(step.entity_key, step.as_of) for step in plan.guards} == {((), None)}
        if totals is None:
            with pytest.raises(fk.ContractError, match="holds EUR and PLN"):
                fk.evaluate(shop, balance, every=every)
        else:
            found = fk.evaluate(shop, balance, every=every).frame["asked"].to_list()
            assert found == (totals if every else totals[-1:])
