"""No false alarm: any fold of any column without a condition keeps every law."""

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.formula.values import Category, Duration, Flag, Key, Money, Quantity, Score, Time
from funnelkit.schema.tables import TABLES
from funnelkit.testing.checking import check_law, check_metric, metric_laws
from funnelkit.testing.inputs import plain_columns
from funnelkit.testing.laws import LAWS

KINDS = (Key, Category, Flag, Time, Money, Quantity, Duration, Score)
LAW = {law.name: law for law in LAWS}
EXAMPLES = 2


def buyers(column):
    """A table with one row per key: how many rows it has."""
    return fk.PerKey(column, n=fk.Count(TABLES[column.table]))


def polars_expr(column, fold):
    return fk.PolarsExpr(column.table, getattr(pl.col(column.name).drop_nulls(), fold)())


FOLDS = {
    "rows": lambda column: fk.Count(TABLES[column.table]),
    "count": fk.Count,
    "count_distinct": fk.CountDistinct,
    "count_retained": fk.CountRetained,
    "sum": fk.Sum,
    "mean": fk.Mean,
    "min": fk.Min,
    "max": fk.Max,
    "median": fk.Median,
    "quantile": lambda column: fk.Quantile(column, 0.9),
    "std_dev": fk.StdDev,
    "closing_balance": fk.ClosingBalance,
    "keys": lambda column: fk.Count(fk.PerKey(column)),
    "busy keys": lambda column: fk.Count(buyers(column), where=buyers(column)["n"] > 1),
    "rows per key": lambda column: fk.Mean(buyers(column)["n"]),
    "most rows of a key": lambda column: fk.Max(buyers(column)["n"]),
    "polars count": lambda column: polars_expr(column, "count"),
    "polars sum": lambda column: polars_expr(column, "sum"),
    "polars max": lambda column: polars_expr(column, "max"),
    "polars n_unique": lambda column: polars_expr(column, "n_unique"),
}
NUMBERS = (Money, Quantity, Duration, Score)
KINDS_OF = {
    **dict.fromkeys(["keys", "busy keys", "rows per key", "most rows of a key"], (Key,)),
    **dict.fromkeys(["polars sum", "polars max"], NUMBERS),
    "polars n_unique": (Key, Category),
    "count_retained": (Key,),
}


def metric_of(fold, column):
    """Give the metric, or nothing where the definition is refused: the sum of a key."""
    try:
        return fk.Metric(name="fold", formula=FOLDS[fold](column))
    except fk.DefinitionError:
        return None


def metrics_of(fold, table):
    """The fold of the first column of each kind that the table has."""
    kinds = {type(column): column for column in reversed(plain_columns(table))}
    wanted = [kinds[kind] for kind in KINDS_OF.get(fold, KINDS) if kind in kinds]
    return [metric for column in wanted if (metric := metric_of(fold, column))]


BY_FOLD_AND_TABLE = {
    (fold, name): of_kinds[at % len(of_kinds)]
    for fold in FOLDS
    for at, (name, table) in enumerate(TABLES.items())
    if (of_kinds := metrics_of(fold, table))
}
"""One kind of column for each fold and table, in turn."""

TABLES_OF = {fold: [t for f, t in BY_FOLD_AND_TABLE if f == fold] for fold in FOLDS}
ALWAYS = {(fold, tables[at % len(tables)]) for at, (fold, tables) in enumerate(TABLES_OF.items())}


@pytest.mark.parametrize(
    "metric",
    [
        pytest.param(
            metric, id=str(metric.formula), marks=() if case in ALWAYS else pytest.mark.slow
        )
        for case, metric in BY_FOLD_AND_TABLE.items()
    ],
)
def test_a_fold_without_a_condition_keeps_every_law(metric):
    """Each fold of one table is asked every time, those of the others in a deep run."""
    check_metric(metric, examples=EXAMPLES)


def test_every_table_and_every_kind_of_column_is_folded():
    kinds = {type(TABLES[t].columns[c]) for (_, t) in ALWAYS for c in TABLES[t].columns}
    assert {name for _, name in BY_FOLD_AND_TABLE} == set(TABLES)
    assert kinds >= set(KINDS)


@pytest.mark.parametrize(
    "text",
    [
        "sum(orders.gross_amount)",
        "quantile(orders.gross_amount, 0.9)",
        "sum(carts.value)",
        "sum(orders.gross_amount, where=orders.is_counted)",
    ],
)
def test_amounts_without_a_condition_on_them_are_left_alone(text):
    """A row without an amount and without a rate would be refused, and is let in by the fold."""
    check_law(fk.Metric(name="of_all", formula=text), LAW["outside rows"], examples=5)


def test_a_polars_expression_may_read_a_flag():
    counted = fk.PolarsExpr("orders", pl.col("order_id").filter(pl.col("is_counted")).count())
    check_metric(fk.Metric(name="counted", formula=counted), examples=EXAMPLES)


def test_the_metrics_that_a_text_names_are_looked_up():
    per_return = fk.Metric(name="sales_per_return", formula="gross_sales / count(returns)")
    check_metric(per_return, examples=EXAMPLES)
    assert metric_laws([per_return])[0][0].inputs["orders"]


def test_a_fold_that_has_no_value_in_a_period_is_not_asked_for_one():
    mean = fk.Metric(name="mean_cost", formula="mean(marketing_costs.amount)")
    check_law(mean, LAW["periods"], examples=5)


@pytest.mark.parametrize("table", ["marketing_costs", "orders"])
def test_a_rate_is_above_zero_where_its_currency_is_not_read(table):
    rate = fk.Metric(name="rate", formula=f"max({table}.fx_rate)")
    check_law(rate, LAW["partition"], examples=10)


def test_a_stock_adds_up_over_groups_that_its_entities_do_not_leave():
    rate = fk.Metric(name="rates", formula="closing_balance(exchange_rates.rate)")
    check_law(rate, LAW["additivity"], examples=30)
