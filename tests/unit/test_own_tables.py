"""Tables of one's own: what a row of them is, and formulas that name them as text."""

import dataclasses
import datetime as dt

import polars as pl
import pytest

import funnelkit as fk


class Subscriptions(fk.Table, table="subscriptions", key="subscription_id", time="billed_at"):
    subscription_id = fk.Key()
    billed_at = fk.Time()
    mrr = fk.Money("Monthly recurring revenue.")


def test_a_text_formula_names_a_table_of_ones_own():
    metric = fk.Metric(name="mrr", formula="sum(subscriptions.mrr)", tables=[Subscriptions])
    assert metric == fk.Metric(name="mrr", formula=fk.Sum(Subscriptions.mrr))
    assert dataclasses.replace(metric, name="other").formula == metric.formula
    paid = pl.DataFrame(
        {"subscription_id": [1, 2], "billed_at": [dt.date(2024, 5, 1)] * 2, "mrr": [3.0, 4.0]}
    )
    shop = fk.Shop.bind({"subscriptions": paid}, tables=[Subscriptions])
    assert fk.evaluate(shop, metric).frame.item() == 7.0


def test_a_table_that_is_not_known_is_refused_with_the_way_out():
    with pytest.raises(fk.DefinitionError, match=r"no table named 'subscriptions'.*tables=\["):
        fk.Metric(name="mrr", formula="sum(subscriptions.mrr)")


def test_what_is_no_table_is_refused_in_words():
    with pytest.raises(fk.DefinitionError, match="'subscriptions' is not a declared table"):
        fk.Metric(name="mrr", formula="count(orders)", tables=["subscriptions"])


@pytest.mark.parametrize(
    ("table", "row"),
    [
        ("subscriptions", "subscription"),
        ("categories", "category"),
        ("ties", "tie"),
        ("addresses", "address"),
        ("boxes", "box"),
        ("batches", "batch"),
        ("dishes", "dish"),
        ("progress", "progress"),
        ("interest", "interest"),
        ("sales", "sale"),
    ],
)
def test_what_a_row_is_follows_from_a_regular_plural(table, row):
    made = type("Own", (fk.Table,), {"a": fk.Key(), "t": fk.Time()}, table=table, key="a", time="t")
    assert str(made.row_unit) == row


def test_what_a_row_is_can_be_said():
    class Caches(fk.Table, table="caches", key="a", time="t", row_unit=fk.Unit.parse("cache")):
        a = fk.Key()
        t = fk.Time()

    assert str(Caches.row_unit) == "cache"


@pytest.mark.parametrize("name", sorted({*fk.Table.__annotations__, "get", "column"}))
def test_a_column_is_not_named_as_a_part_of_the_declaration_is(name):
    body = {name: fk.Key(), "at": fk.Time(), "__module__": __name__}
    told = rf"'visits' cannot have columns named {name}: .*; .*rename=.*'{name}': 'visits_{name}'"
    with pytest.raises(fk.DefinitionError, match=told):
        type("Visits", (fk.Table,), body, table="visits", key=name, time="at")
