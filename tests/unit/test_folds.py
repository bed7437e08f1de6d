"""Every fold by hand: with a condition, over nulls, over nothing, over a rollup, and to date."""

import datetime as dt
import math

import polars as pl
import pytest

import funnelkit as fk
from small_frames import of, orders_of, value, values

AMOUNT, STATUS, CUSTOMER = fk.Orders.gross_amount, fk.Orders.status, fk.Orders.customer_id
PAID = STATUS.eq("paid")
ORDERS = orders_of(
    customer_id=[1, 1, 2, 3, None, 3],
    status=["paid", "paid", "paid", "fulfilled", "paid", None],
    gross_amount=[10.0, 30.0, None, 50.0, 5.0, 7.0],
)
NONE = AMOUNT > 1000
KNOWN = fk.Count(fk.Orders, where=~AMOUNT.is_null())
BUYERS = fk.PerKey(CUSTOMER, n=fk.Count(fk.Orders), spent=fk.Sum(AMOUNT), most=fk.Max(AMOUNT))


ALONE = fk.PerKey(
    CUSTOMER,
    n=fk.Count(fk.Orders),
    single=fk.Sum(AMOUNT, where=AMOUNT > 20, require_single=fk.Orders),
    alike=fk.Sum(AMOUNT, require_single=STATUS),
)


@pytest.mark.parametrize(
    ("fold", "found"),
    [
        (fk.Sum(AMOUNT), 102.0),
        (fk.Sum(AMOUNT, where=PAID), 45.0),
        (fk.Sum(AMOUNT, where=NONE), 0.0),
        (fk.Sum(AMOUNT, skip_nulls=False), None),
        (fk.Sum(AMOUNT, where=CUSTOMER.eq(1), skip_nulls=False), 40.0),
        (fk.Sum(AMOUNT, require_single=STATUS), None),
        (fk.Sum(AMOUNT, where=PAID, require_single=STATUS), 45.0),
        (fk.Sum(AMOUNT, require_single=fk.Orders), None),
        (fk.Sum(AMOUNT, where=AMOUNT.eq(50), require_single=fk.Orders), 50.0),
        (fk.Sum(AMOUNT * 2 - 1), 199.0),
        (fk.Sum(AMOUNT / 2), 51.0),
        (fk.Sum(fk.Coalesce(AMOUNT, 1)), 103.0),
        (fk.Sum(fk.If(PAID, AMOUNT, 0)), 45.0),
        (fk.Sum(fk.If(STATUS.eq("fulfilled"), 1, AMOUNT)), 53.0),
        (fk.Count(fk.Orders), 6),
        (fk.Count(fk.Orders, where=PAID), 4),
        (fk.Count(fk.Orders, where=~PAID), 1),
        (fk.Count(fk.Orders, where=NONE), 0),
        (fk.Count(fk.Orders, where=STATUS.is_null()), 1),
        (fk.Count(fk.Orders, where=~STATUS.is_null()), 5),
        (fk.Count(fk.Orders, where=PAID | STATUS.is_null()), 5),
        (fk.Count(fk.Orders, where=PAID & (AMOUNT >= 10)), 2),
        (fk.Count(fk.Orders, where=AMOUNT.is_between(7, 30)), 3),
        (fk.Count(fk.Orders, where=STATUS.is_in(["paid", "fulfilled"])), 5),
        (fk.Count(fk.Orders, where=STATUS.is_in([])), 0),
        (fk.Count(fk.Orders, where=STATUS.ne("paid")), 1),
        (fk.Count(fk.Orders, where=AMOUNT < 10), 2),
        (fk.Count(fk.Orders, where=AMOUNT <= 10), 3),
        (fk.Count(fk.Orders, where=AMOUNT > 10), 2),
        (fk.Count(AMOUNT), 5),
        (fk.Count(AMOUNT, where=PAID), 3),
        (fk.CountDistinct(CUSTOMER), 3),
        (fk.CountDistinct(CUSTOMER, where=PAID), 2),
        (fk.CountDistinct(CUSTOMER, where=NONE), 0),
        (fk.parse("count_distinct(concat_key(orders.customer_id, orders.status))"), 3),
        (fk.Mean(AMOUNT), 20.4),
        (fk.Mean(AMOUNT, where=PAID), 15.0),
        (fk.Mean(AMOUNT, where=NONE), None),
        (fk.Min(AMOUNT), 5.0),
        (fk.Min(AMOUNT, where=STATUS.eq("fulfilled")), 50.0),
        (fk.Min(AMOUNT, where=NONE), None),
        (fk.Max(AMOUNT), 50.0),
        (fk.Max(AMOUNT, where=PAID), 30.0),
        (fk.StdDev(AMOUNT, where=CUSTOMER.eq(1)), math.sqrt(200)),
        (fk.StdDev(AMOUNT, where=AMOUNT.eq(50)), None),
        (fk.Quantile(AMOUNT, 0.5), 10.0),
        (fk.Quantile(AMOUNT, 0.25), 7.0),
        (fk.Quantile(AMOUNT, 0.5, where=CUSTOMER.eq(1)), 20.0),
        (fk.Quantile(AMOUNT, 0.5, where=NONE), None),
        (fk.Count(BUYERS), 3),
        (fk.Count(BUYERS, where=BUYERS["n"] >= 2), 2),
        (fk.Count(BUYERS, where=BUYERS["spent"] > 0), 2),
        (fk.Sum(BUYERS["spent"]), 97.0),
        (fk.Sum(BUYERS["spent"], where=BUYERS["n"] >= 2), 97.0),
        (fk.Mean(BUYERS["n"]), 5 / 3),
        (fk.Max(BUYERS["most"]), 50.0),
        (fk.Sum(ALONE["single"]), 80.0),
        (fk.Sum(ALONE["alike"], where=ALONE["n"] > 1), 97.0),
        (fk.Count(fk.PerKey(CUSTOMER, where=PAID, n=fk.Count(fk.Orders))), 2),
        (fk.Count(fk.Orders) - KNOWN, 1),
        (fk.Count(fk.Orders) * 2 + KNOWN, 17),
        (fk.Count(fk.Orders) / 4, 1.5),
        (fk.Count(fk.Orders) / fk.Count(fk.Orders, where=NONE), None),
        (1 - KNOWN / KNOWN * 3, -2.0),
        (6 / fk.Count(fk.Orders), 1.0),
        (2 * fk.Count(fk.Orders), 12),
        (fk.PositiveOrNull(fk.Count(fk.Orders) - KNOWN * 2), None),
        (fk.Abs(fk.Count(fk.Orders) - KNOWN * 2), 4),
        (fk.Sqrt(KNOWN * KNOWN), 5.0),
    ],
    ids=str,
)
def test_a_fold_is_what_its_words_say(fold, found):
    shop = fk.Shop(orders=ORDERS, guards=False)
    assert value(shop, fold) == (pytest.approx(found) if found is not None else None)


def test_nothing_is_nothing_or_unknown():
    shop = fk.Shop(orders=ORDERS.clear())
    assert value(shop, fk.Count(fk.Orders)) == 0
    assert value(shop, fk.Sum(AMOUNT)) == 0.0
    assert value(shop, fk.CountDistinct(CUSTOMER)) == 0
    for fold in (fk.Mean, fk.Min, fk.Max, fk.StdDev):
        assert value(shop, fold(AMOUNT)) is None
    assert value(shop, fk.Count(BUYERS)) == 0


# --- To date: what each period adds to the history before it --------------------------------------

MONTHS = [dt.datetime(2024, month, 3) for month in (1, 1, 2, 3, 3, 5)]
HISTORY = orders_of(
    customer_id=[1, 2, 1, 3, 2, 1],
    ordered_at=MONTHS,
    status=["paid", "paid", "fulfilled", "paid", "paid", "paid"],
    gross_amount=[10.0, 20.0, 30.0, 5.0, 1.0, 2.0],
)
SINCE = fk.PerKey(
    CUSTOMER,
    n=fk.Count(fk.Orders),
    paid=fk.Count(fk.Orders, where=PAID),
    spent=fk.Sum(AMOUNT),
    most=fk.Max(AMOUNT),
    least=fk.Min(AMOUNT),
)
ROWS_OF_KEYS = fk.PerKey(CUSTOMER, n=fk.Count(fk.Orders))
PAID_OF_KEYS = fk.PerKey(CUSTOMER, paid=fk.Count(fk.Orders, where=PAID))
SPENT_OF_KEYS = fk.PerKey(CUSTOMER, spent=fk.Sum(AMOUNT))


@pytest.mark.parametrize(
    ("fold", "to_date"),
    [
        (fk.Count(fk.Orders), [2, 3, 5, 5, 6]),
        (fk.Count(fk.Orders, where=PAID), [2, 2, 4, 4, 5]),
        (fk.Sum(AMOUNT), [30.0, 60.0, 66.0, 66.0, 68.0]),
        (fk.CountDistinct(CUSTOMER), [2, 2, 3, 3, 3]),
        (fk.CountDistinct(CUSTOMER, where=STATUS.eq("fulfilled")), [0, 1, 1, 1, 1]),
        (fk.Count(ROWS_OF_KEYS), [2, 2, 3, 3, 3]),
        (fk.Count(ROWS_OF_KEYS, where=ROWS_OF_KEYS["n"] >= 2), [0, 1, 2, 2, 2]),
        (fk.Count(ROWS_OF_KEYS, where=ROWS_OF_KEYS["n"].eq(1)), [2, 1, 1, 1, 1]),
        (fk.Count(PAID_OF_KEYS, where=PAID_OF_KEYS["paid"] >= 2), [0, 0, 1, 1, 2]),
        (fk.Count(SPENT_OF_KEYS, where=SPENT_OF_KEYS["spent"] > 20), [0, 1, 2, 2, 2]),
        (fk.Sum(SPENT_OF_KEYS["spent"]), [30.0, 60.0, 66.0, 66.0, 68.0]),
        (
            fk.Sum(SINCE["spent"], where=SINCE["n"] >= 2),
            [0.0, 40.0, 61.0, 61.0, 63.0],
        ),
        (fk.Count(SINCE, where=SINCE["most"] >= 20), [1, 2, 2, 2, 2]),
        (fk.Count(SINCE, where=SINCE["least"] <= 2), [0, 0, 1, 1, 2]),
        (fk.Count(SINCE, where=SINCE["paid"].eq(SINCE["n"])), [2, 1, 2, 2, 2]),
    ],
    ids=str,
)
def test_a_running_total_grows_period_by_period(fold, to_date):
    shop = fk.Shop(orders=HISTORY)
    asked = [of(fk.Cumulative(fold)), "orders"]
    assert fk.evaluate(shop, asked, every="1mo").frame["asked"].to_list() == to_date
    assert value(shop, fk.Cumulative(fold)) == to_date[-1]
    later = fk.evaluate(shop, asked, every="1mo", start="2024-03-01").frame["asked"]
    assert later.to_list() == to_date[2:]


def test_what_cannot_be_grown_is_refused():
    for fold in (fk.Min(AMOUNT), fk.Max(AMOUNT), fk.StdDev(AMOUNT), fk.Quantile(AMOUNT, 0.5)):
        with pytest.raises(fk.DefinitionError, match="cannot be grown row by row"):
            value(fk.Shop(orders=HISTORY), fk.Cumulative(fold))


@pytest.mark.parametrize(
    "keys",
    [[1, 2, 3], ["a", "b", "c"], [-(2**62), 2**62, 2**62 - 1], [0, 2**63 - 1, 5], [-4, -3, -2]],
)
def test_keys_of_any_kind_and_size_are_followed_through_time(keys):
    one, two, three = keys
    history = HISTORY.with_columns(pl.Series("customer_id", [one, two, one, three, two, one]))
    shop = fk.Shop(orders=history)
    kept = fk.CountRetained(CUSTOMER, periods=1)
    assert values(shop, kept, every="1mo") == [0, 1, 0, 0, 0]
    assert values(shop, fk.CountRetained(CUSTOMER, periods=2), every="1mo") == [0, 0, 1, 0, 0]
    assert values(shop, fk.Cumulative(fk.CountDistinct(CUSTOMER)), every="1mo") == [2, 2, 3, 3, 3]
    twice = fk.Cumulative(fk.Count(ROWS_OF_KEYS, where=ROWS_OF_KEYS["n"] >= 2))
    assert values(shop, twice, every="1mo") == [0, 1, 2, 2, 2]


def test_keys_of_two_types_in_two_tables_do_not_meet():
    shop = fk.Shop(
        orders=HISTORY.with_columns(place=pl.lit(1)),
        sessions=pl.DataFrame(
            {"session_id": [1], "visitor_id": [1], "started_at": [MONTHS[0]], "place": ["1"]}
        ),
    )
    both = fk.Count(fk.Orders) / fk.Count(fk.Sessions)
    with pytest.raises(fk.ContractError, match="is Int32 and String in different tables"):
        values(shop, both, by="place")


LATEST = fk.PerKey(CUSTOMER, order=fk.Max(fk.Orders.order_id))
STOCK = pl.DataFrame(
    {
        "snapshot_date": [dt.date(2024, m, d) for m, d in ((1, 5), (1, 9), (2, 3), (2, 3), (4, 1))],
        "product_id": ["A", "A", "A", "B", "B"],
        "location_id": ["x", "x", "x", "y", "y"],
        "on_hand_units": [10, 8, None, 20, 5],
        "unit_cost": [2.0] * 5,
    }
)
ON_HAND = fk.InventorySnapshots.on_hand_units


def test_stock_is_carried_on_until_it_is_told_anew():
    shop, stock = fk.Shop(inventory_snapshots=STOCK), fk.ClosingBalance(ON_HAND)
    assert values(shop, stock, every="1mo") == [8, 28, 28, 13]
    assert value(shop, stock) == 13
    assert value(shop, stock, end="2024-03-01") == 28
    assert value(shop, stock, start="2024-03-01", end="2024-04-01") == 28
    few = fk.ClosingBalance(ON_HAND, where=ON_HAND > 10)
    assert values(shop, few, every="1mo") == [0, 20, 20, 0]
    rows = fk.evaluate(shop, of(stock), by="product_id", every="1mo").frame.rows()
    assert [row[1:] for row in rows] == [
        ("A", 8),
        ("A", 8),
        ("B", 20),
        ("A", 8),
        ("B", 20),
        ("A", 8),
        ("B", 5),
    ]


def test_stock_that_is_not_carried_on_ends_with_its_last_row():
    shop, stock = (
        fk.Shop(inventory_snapshots=STOCK),
        fk.ClosingBalance(ON_HAND, carry_forward=False),
    )
    assert values(shop, stock, every="1mo") == [8, 20, None, 5]
    assert value(shop, stock) == 5
    assert value(shop, stock, end="2024-03-01") == 20
    rows = fk.evaluate(shop, of(stock), by="product_id", every="1mo").frame.rows()
    assert [row[1:] for row in rows] == [("A", 8), ("A", None), ("B", 20), ("B", 5)]


def test_a_subscription_that_is_listed_no_more_has_ended():
    class Listed(fk.Table, table="listed_months", key=("day", "plan"), time="day"):
        day = fk.Time()
        plan = fk.Key()
        mrr = fk.Money()

    days = [dt.date(2024, 1, 31), dt.date(2024, 1, 31), dt.date(2024, 2, 29), dt.date(2024, 3, 31)]
    listed = pl.DataFrame({"day": days, "plan": [1, 2, 2, 2], "mrr": [10.0, 20.0, 20.0, 20.0]})
    shop = fk.Shop.bind({"listed_months": listed}, tables=[Listed])
    kept = fk.ClosingBalance(Listed.mrr)
    assert values(shop, kept, every="1mo") == [30, 30, 30]
    ended = fk.ClosingBalance(Listed.mrr, carry_forward=False)
    assert values(shop, ended, every="1mo") == [30, 20, 20]
    assert fk.parse(str(ended)) == ended


def test_a_key_of_which_nothing_is_known_adds_nothing():
    history = HISTORY.with_columns(pl.Series("gross_amount", [None, 20.0, 30.0, None, 1.0, None]))
    shop = fk.Shop(orders=history, guards=False)
    spent = fk.Sum(SPENT_OF_KEYS["spent"])
    assert values(shop, fk.Cumulative(spent), every="1mo") == [20.0, 50.0, 51.0, 51.0, 51.0]
    of_most = fk.PerKey(CUSTOMER, most=fk.Max(AMOUNT))
    most = fk.Sum(of_most["most"])
    assert values(shop, fk.Cumulative(most), every="1mo") == [20.0, 50.0, 50.0, 50.0, 50.0]


def test_a_root_of_what_is_below_zero_says_so():
    half = fk.Count(fk.Orders) / fk.Count(fk.Orders) / 2
    result = fk.evaluate(fk.Shop(orders=HISTORY), of(fk.Sqrt(half - half * 2)))
    assert result.tidy().select("value", "reason").rows() == [(None, "negative")]


def test_a_score_is_averaged_and_not_added():
    with pytest.raises(fk.DefinitionError, match="take its mean, a quantile, or count the rows"):
        fk.Sum(fk.Surveys.score)
    with pytest.raises(fk.DefinitionError, match="count it, or count the rows where it holds"):
        fk.Sum(CUSTOMER)


def test_two_metrics_of_one_name_are_told_unless_they_are_the_same():
    one, other = of(fk.Count(fk.Orders)), of(fk.Count(fk.Orders, where=PAID))
    shop = fk.Shop(orders=HISTORY)
    assert fk.evaluate(shop, [one, of(fk.Count(fk.Orders))]).frame.rows() == [(6,)]
    with pytest.raises(fk.DefinitionError, match="asked"):
        fk.evaluate(shop, [one, other])


@pytest.mark.parametrize(
    ("counted", "unit"),
    [
        (fk.Count(fk.Orders), "order"),
        (fk.Count(CUSTOMER), "customer"),
        (fk.Count(BUYERS), "customer"),
        (fk.CountDistinct(fk.Coalesce(CUSTOMER, fk.Orders.order_id)), "customer"),
        (fk.CountDistinct(fk.If(PAID, CUSTOMER, 0)), "customer"),
        (fk.CountDistinct(fk.Lookup(fk.OrderLines.order_id, CUSTOMER)), "customer"),
        (fk.Count(AMOUNT), "1"),
        (fk.CountDistinct(AMOUNT), "1"),
        (fk.Count(fk.Coalesce(AMOUNT, 1)), "1"),
        (fk.CountDistinct(STATUS), "1"),
        (fk.Count(fk.Orders.ordered_at), "1"),
        (fk.CountDistinct(LATEST["order"]), "order"),
        (fk.CountDistinct(BUYERS["spent"]), "1"),
    ],
    ids=str,
)
def test_a_number_of_amounts_is_no_amount(counted, unit):
    assert str(of(counted).unit) == unit


def test_a_plan_counts_what_it_reads_in_words():
    shop = fk.Shop(orders=HISTORY)
    one = str(fk.plan(shop, of(fk.Count(fk.Orders))))
    two = str(fk.plan(shop, [of(fk.Count(fk.Orders)), of(fk.Sum(AMOUNT), "sum")]))
    assert one.startswith("1 step for 1 metric\n")
    assert two.startswith("1 step for 2 metrics\n")


def test_what_is_missing_is_told_with_the_hint_that_is_for_it():
    orders = HISTORY.drop("status", "gross_amount")
    with pytest.raises(fk.MissingInputError) as caught:
        fk.evaluate(fk.Shop(orders=orders), of(fk.Sum(AMOUNT)))
    assert "order_policy" not in str(caught.value)
    with pytest.raises(fk.MissingInputError) as caught:
        fk.evaluate(fk.Shop(orders=HISTORY), of(fk.Count(fk.Sessions)))
    assert "order_policy" not in str(caught.value)
    with pytest.raises(fk.MissingInputError, match="order_policy"):
        fk.evaluate(fk.Shop(orders=orders), "orders")


def test_a_condition_is_given_by_its_name():
    with pytest.raises(TypeError, match="positional"):
        fk.Median(AMOUNT, PAID)


def test_values_of_keys_are_counted_beside_a_fold_of_the_rows_themselves():
    shop = fk.Shop(orders=ORDERS, guards=False)
    total, kinds = fk.Sum(AMOUNT), fk.CountDistinct(BUYERS["spent"])
    assert value(shop, total * kinds) == value(shop, total) * value(shop, kinds)
