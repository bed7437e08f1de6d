"""What is said of a text that is no formula: what is wrong, and at which column."""

import copy
import pickle

import polars as pl
import pytest

import funnelkit as fk
from small_frames import orders_of

AMOUNT = "sum(orders.gross_amount"
NO_FORMULA = "is not a formula (at column 0); use aggregates, metric names and + - * /"


@pytest.mark.parametrize(
    ("text", "position", "told"),
    [
        ("", 0, "'' is not an expression"),
        ("(", 0, "was never closed"),
        ("1 +", 3, "is not an expression"),
        ("count(orders) count(sessions)", 14, "is not an expression"),
        ("import os", 0, "is not an expression"),
        ("-count(orders)", 0, NO_FORMULA),
        ("not count(orders)", 0, NO_FORMULA),
        ("count(orders) > 3", 0, NO_FORMULA),
        ("[1]", 0, NO_FORMULA),
        ("lambda: 1", 0, NO_FORMULA),
        ("'a'", 0, NO_FORMULA),
        ("True", 0, NO_FORMULA),
        ("None", 0, NO_FORMULA),
        ("1j", 0, NO_FORMULA),
        ("count(orders).real", 0, NO_FORMULA),
        ("orders.gross_amount", 0, NO_FORMULA),
        ("2 + orders.gross_amount", 4, "is not a formula (at column 4)"),
        ("count(orders) ** 2", 0, "is not an arithmetic operator (at column 0); use + - * /"),
        ("1 + count(orders) % 2", 4, "is not an arithmetic operator (at column 4)"),
        (
            "nonsense(orders)",
            0,
            "there is no function named 'nonsense'; known: abs, closing_balance",
        ),
        ("1 + median(orders.gross_amount)", 4, "did you mean 'mean' or 'min'?"),
        ("__import__('os')", 0, "there is no function named '__import__'"),
        ("sum()", 0, "is not an aggregate (at column 0); pass what to fold"),
        ("sum(orders)", 0, "orders is not a column"),
        ("sum(gross_amount)", 0, "quote it if it is a text: 'gross_amount'"),
        ("sum(orders.gross)", 4, "there is no column of orders named 'gross'"),
        ("sum(order.gross_amount)", 4, "there is no table named 'order'; did you mean 'orders'"),
        ("count(order)", 6, "there is no table named 'order'"),
        ("count(*orders)", 6, "'*orders' is not a column"),
        ("count(**orders)", 0, "has an unnamed or repeated argument"),
        ("count(orders, sessions)", 0, "counts rows or one column"),
        (f"{AMOUNT}, orders.status)", 0, "gives sum the wrong arguments"),
        (f"{AMOUNT}, when=orders.is_online)", 30, "is not a constant for when="),
        (f"{AMOUNT}, when=1)", 0, "has an argument that it does not take"),
        (f"{AMOUNT}, node=1)", 0, "has an argument that it does not take"),
        ("count(orders, make=1)", 0, "has an argument that it does not take"),
        ("-True", 1, "'True' is not a number"),
        (f"{AMOUNT}, skip_nulls='a')", 0, "skip_nulls='a' is not True or False"),
        (f"{AMOUNT}, of=orders)", 28, "is not a per_key"),
        (f"{AMOUNT} + sessions.duration_s)", 26, "money and second do not fit together"),
        ("sum(orders.customer_id)", 0, "is a key: it cannot be added"),
        ("mean(orders.ordered_at)", 0, "is a time: it cannot be averaged"),
        ("count(orders, where=orders.gross_amount)", 20, "is not true or false"),
        ("count(orders, where='paid')", 20, "is not true or false"),
        ("count(orders, where=orders.status == paid)", 0, "paid is not a column"),
        ("count(orders, where=sessions.is_bot)", 0, "reads orders, sessions"),
        ("count(orders, where=orders.status in 'paid')", 20, "is not true or false"),
        ("count(orders, where=orders.status in [orders.status])", 38, "is not a constant"),
        ("count(orders, where=orders.status is None)", 20, "is not true or false"),
        ("count(orders, where='a' < orders.status < 'b')", 20, "is not true or false"),
        ("count(orders, where=is_null(orders.status, 1))", 20, "is not a column"),
        (
            "count(orders, where=orders.ordered_at > date('2024-13-01'))",
            40,
            "which is not a valid date",
        ),
        ("count(orders, where=orders.ordered_at > date(2024))", 40, "is not a date"),
        ("count(orders, where=orders.ordered_at > date())", 40, "is not a date"),
        ("sum(if_else(orders.is_online, 1))", 4, "gives if_else the wrong arguments"),
        ("sum(if_else(1, 1, 2))", 12, "'1' is not true or false"),
        ("sum(coalesce())", 4, "coalesce() has no values"),
        ("sum(lookup(orders.customer_id))", 4, "gives lookup the wrong arguments"),
        ("sum(elapsed(orders.ordered_at))", 4, "gives elapsed the wrong arguments"),
        ("count(orders, where=orders.units > days(1, 2))", 35, "gives days the wrong arguments"),
        ("count(orders, where=orders.units > days(1e9))", 35, "days(1000000000.0) is too long"),
        ("count(orders, where=orders.units > hours('2'))", 41, "is not a number"),
        ("shift(count(orders), 0)", 0, "0 periods earlier is not earlier"),
        ("1 * shift(count(orders), 'a')", 4, "gives shift the wrong arguments"),
        ("shift(count(orders), 1, like_for_like=3)", 0, "like_for_like=3 is not True or False"),
        ("shift(count(orders), 1, dense=True)", 0, "gives shift the wrong arguments"),
        ("cumulative(count(orders), 1)", 0, "gives cumulative the wrong arguments"),
        ("quantile_bucket(count(orders), 1)", 0, "1 is not a valid number of parts"),
        ("quantile_bucket(count(orders))", 0, "has an argument that it does not take"),
        ("share_of_total()", 0, "gives share_of_total the wrong arguments"),
        ("period_days(1)", 0, "gives period_days the wrong arguments"),
        ("quantile(orders.gross_amount)", 0, "gives quantile the wrong arguments"),
        ("quantile(orders.gross_amount, 0.5, 1)", 0, "gives quantile the wrong arguments"),
        ("quantile(orders.gross_amount, 2)", 0, "quantile 2 is not between 0 and 1"),
        ("quantile(orders.gross_amount, True)", 30, "is not a number"),
        ("count(per_key(orders.customer_id, orders.status))", 6, "is not a column"),
        (f"{AMOUNT}, of=per_key(orders.customer_id, n=count(orders)))", 0, "mixes per_key(…) with"),
        (
            "sum(m, of=per_key(orders.customer_id, n=count(orders)))",
            4,
            "no column 'm' (at column 4); it has n",
        ),
        ("sum(n, of=per_key(orders.customer_id, n=1))", 10, "n=1 is not an aggregate"),
        (
            "sum(n, of=per_key(orders.customer_id, n=count(sessions)))",
            10,
            "count(sessions) is not over orders",
        ),
    ],
)
def test_what_is_wrong_and_where_is_told(text, position, told):
    with pytest.raises(fk.DefinitionError) as caught:
        fk.parse(text)
    assert told in str(caught.value)
    assert caught.value.position == position
    assert position == 0 or f"(at column {position})" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1" * 1_000_001, "a text of 1,000,001 characters; stay under 1,000,000"),
        ("1" + "+1" * 151, "too long a chain"),
        (f"{AMOUNT}{' + 1' * 151})", "too long a chain"),
        (f"{AMOUNT}, where=orders.is_online{' and orders.is_online' * 151})", "too long a chain"),
        ("abs(" * 152 + "a" + ")" * 152, "nested too deeply"),
        ("(" * 80 + "1" + "+1)-1" * 80, "too long a chain"),
        ("(" * 80 + "1" + "+1)*abs(1)" * 80, "too long a chain|nested too deeply"),
        (f"{AMOUNT}, where={'not (' * 152}orders.is_online{')' * 152})", "nested too deeply"),
        (f"{'abs(' * 80}{AMOUNT}{'+1' * 80}){')' * 80}", "nested too deeply"),
        (f"{'abs(' * 80}count(orders, where={'not (' * 80}1", "not an expression"),
        (f"{'abs(' * 90}count(orders, where={'not ' * 90}1){')' * 90}", "nested too deeply"),
        ("1e999", "a formula cannot hold inf"),
    ],
)
def test_too_much_of_anything_is_refused(text, told):
    with pytest.raises(fk.DefinitionError, match=told):
        fk.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "abs(" * 145 + "count(orders)" + ")" * 145,
        " + ".join(["count(orders)"] * 140),
        f"count(orders, where={' or '.join(['orders.is_online'] * 140)})",
        f"sum({' + '.join(['orders.gross_amount'] * 140)})",
        f"count(orders, where={'not (' * 140}orders.is_online and orders.is_online{')' * 140})",
    ],
    ids=lambda text: text[:20],
)
def test_what_is_long_and_deep_within_reason_is_read_written_and_copied(text):
    formula = fk.parse(text)
    assert str(formula) == text
    assert pickle.loads(pickle.dumps(formula)) == formula == copy.deepcopy(formula)
    metric = fk.Metric(name="long", formula=formula)
    orders = orders_of(is_online=[True])
    assert fk.evaluate(fk.Shop(orders=orders), metric).frame.height == 1
    assert text in metric.lineage()
    assert metric.fingerprint in str(fk.describe(metric))


@pytest.mark.parametrize("thing", [fk.Orders, 3, "gross_amount", fk.Count(fk.Orders)])
@pytest.mark.parametrize("fold", [fk.Sum, fk.Mean, fk.Min, fk.Max, fk.CountDistinct, fk.StdDev])
def test_what_is_no_column_is_not_folded(fold, thing):
    with pytest.raises(fk.DefinitionError, match="is not a value of a row; fold a column"):
        fold(thing)


def test_a_dimension_is_of_no_table_and_not_folded():
    for made in (
        lambda: fk.Sum(fk.Dimension("gross_amount")),
        lambda: fk.Count(fk.Orders, where=fk.Dimension("status").eq("paid")),
        lambda: fk.Sum(fk.If(fk.Dimension("is_new").eq(1), fk.Orders.gross_amount, 0)),
    ):
        with pytest.raises(fk.DefinitionError, match=r"is not a column; write table\.column"):
            made()


def test_any_word_may_name_a_column_of_a_rollup_or_a_table_of_a_dimension():
    for text in (
        "count(per_key(orders.customer_id, self=count(orders), node=count(orders)))",
        "count(per_key(orders.customer_id, make=count(orders), key=count(orders)))",
    ):
        assert str(fk.parse(text)) == text
    with pytest.raises(fk.UnknownNameError):
        fk.evaluate(fk.demo(), "orders", where="dimension('chanel', self='a') == 'x'")


COUNT, AMOUNTS = fk.Count(fk.Orders), fk.Orders.gross_amount


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: fk.Shift(COUNT, 1.5), "1.5 periods earlier is not earlier"),
        (lambda: fk.Shift(COUNT, 2.0), "2.0 periods earlier is not earlier"),
        (lambda: fk.Shift(COUNT, "1"), "'1' periods earlier"),
        (lambda: fk.Shift(COUNT, True), "True periods earlier"),
        (lambda: fk.Shift(COUNT, 10_001), "10001 periods is too far back; use at most 10,000"),
        (lambda: fk.CountRetained(fk.Orders.customer_id, periods=None), "None periods earlier"),
        (lambda: fk.Quantile(AMOUNTS, "a"), "quantile 'a' is not between 0 and 1"),
        (lambda: fk.Quantile(AMOUNTS, True), "quantile True is not between 0 and 1"),
        (lambda: fk.Quantile(AMOUNTS, -0.1), "quantile -0.1 is not between 0 and 1"),
        (lambda: fk.Count(int), "<class 'int'> is not a declared table; use one such as fk.Orders"),
        (lambda: fk.Count(fk.Table), "is not a declared table"),
        (lambda: fk.PerKey("customer_id", n=COUNT), "a PerKey by 'customer_id' has no key"),
        (lambda: fk.PerKey(fk.Orders, n=COUNT), "has no key; pass a column"),
        (lambda: fk.PerKey(None), "a PerKey by None has no key"),
        (lambda: fk.Sum(AMOUNTS, require_single="status"), "'status' is not a declared table"),
        (lambda: fk.Sum(AMOUNTS, require_single=int), "is not a declared table"),
        (lambda: fk.Sum(AMOUNTS, require_single=fk.Sessions), "write require_single=orders"),
        (
            lambda: fk.Sum(AMOUNTS, require_single=fk.Coalesce(AMOUNTS, 1)),
            "is not a declared table",
        ),
        (
            lambda: fk.PolarsExpr(fk.Orders, pl.len()),
            "is not a table name; write PolarsExpr('orders'",
        ),
        (lambda: fk.PolarsExpr("orders", "x"), "'x' is not a Polars expression"),
        (lambda: fk.PolarsExpr("orders", pl.len(), unit="x"), "unit='x' is not a unit"),
        (lambda: fk.Metric(name="m", formula=fk.Metric), "not a formula"),
    ],
)
def test_an_argument_of_the_wrong_kind_is_told(make, told):
    with pytest.raises(fk.DefinitionError) as caught:
        make()
    assert told in str(caught.value)


def test_an_expression_over_a_table_that_is_not_there_is_told():
    metric = fk.Metric(name="rows", formula=fk.PolarsExpr("nope", pl.len()))
    with pytest.raises(fk.UnknownNameError, match="there is no table named 'nope'"):
        fk.evaluate(fk.demo(), metric)


def test_a_condition_names_no_table():
    told = r"'orders.status' names a table .*; write the column alone, as in status == …"
    with pytest.raises(fk.DefinitionError, match=told):
        fk.evaluate(fk.demo(), "orders", where="orders.status == 'paid'")
