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
    metric = fk.Metric(name="mrr", formula="sum(subscriptions.mrr)")
    assert metric == fk.Metric(name="mrr", formula=fk.Sum(Subscriptions.mrr))
    assert dataclasses.replace(metric, name="other").formula == metric.formula
    paid = pl.DataFrame(
        {"subscription_id": [1, 2], "billed_at": [dt.date(2024, 5, 1)] * 2, "mrr": [3.0, 4.0]}
    )
    shop = fk.Shop.bind({"subscriptions": paid}, tables=[Subscriptions])
    assert fk.evaluate(shop, metric).frame.item() == 7.0


def test_a_table_that_is_not_known_is_refused_with_the_way_out():
    with pytest.raises(
        fk.DefinitionError, match=r"no table named 'rentals'.*class Rides\(fk.Table"
    ):
        fk.Metric(name="mrr", formula="sum(rentals.mrr)")


def declared(name, amount):
    return type(
        name.title(),
        (fk.Table,),
        {"id": fk.Key(), "at": fk.Time(), "amount": amount},
        table=name,
        key="id",
        time="at",
    )


def test_of_several_declarations_of_a_name_text_means_the_one_that_is_given_or_the_last():
    first, last = declared("tolls", fk.Money()), declared("tolls", fk.Quantity())
    given = fk.Metric(name="tolls_paid", formula="sum(tolls.amount)", tables=[first])
    assert given.formula == fk.Sum(first.amount)
    assert given.unit == fk.MONEY
    assert fk.parse("sum(tolls.amount)") == fk.Sum(last.amount)
    assert fk.parse("sum(tolls.amount)", tables=[first]) == fk.Sum(first.amount)


def test_text_means_a_table_of_the_library_whatever_else_has_its_name():
    own = declared("shipments", fk.Money())
    assert fk.parse("count(shipments)") == fk.Count(fk.Shipments)
    with pytest.raises(fk.DefinitionError, match="amount"):
        fk.parse("sum(shipments.amount)")
    assert fk.parse("sum(shipments.amount)", tables=[own]) == fk.Sum(own.amount)


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
