"""What a card says that follows from the formula: its typeset form, and along what it adds up."""

import pytest

import funnelkit as fk
from funnelkit.formula.latex import to_latex

A, B, C = fk.Count(fk.Orders), fk.Count(fk.Sessions), fk.Count(fk.Customers)
ONE, TWO, THREE = (rf"\mathtt{{count({name})}}" for name in ("orders", "sessions", "customers"))


@pytest.mark.parametrize(
    ("formula", "typeset"),
    [
        (A + B + C, f"{ONE} + {TWO} + {THREE}"),
        (A - (B + C), rf"{ONE} - \left({TWO} + {THREE}\right)"),
        (A - (B - C), rf"{ONE} - \left({TWO} - {THREE}\right)"),
        (A * (B + C), rf"{ONE} \cdot \left({TWO} + {THREE}\right)"),
        ((A + B) * C, rf"\left({ONE} + {TWO}\right) \cdot {THREE}"),
        (A * B + C, rf"{ONE} \cdot {TWO} + {THREE}"),
        (A + B * C, rf"{ONE} + {TWO} \cdot {THREE}"),
        (A / B, rf"\frac{{{ONE}}}{{{TWO}}}"),
        ((A + B) / C, rf"\frac{{{ONE} + {TWO}}}{{{THREE}}}"),
        (fk.Shift(A, 2), rf"\left({ONE}\right)_{{t-2}}"),
        (fk.Cumulative(A), rf"\left({ONE}\right)_{{\le t}}"),
        (fk.Abs(A), rf"\left|{ONE}\right|"),
        (fk.Sqrt(A), rf"\sqrt{{{ONE}}}"),
        (fk.PositiveOrNull(A), rf"\left({ONE}\right)^{{+}}"),
        (fk.QuantileBucket(A, 5), rf"\mathrm{{bucket}}_{{5}}\left({ONE}\right)"),
        (fk.ShareOfTotal(A), rf"\mathrm{{share\_of\_total}}\left({ONE}\right)"),
        (fk.PeriodsToBreakEven(A), rf"\mathrm{{periods\_to\_break\_even}}\left({ONE}\right)"),
        (fk.PeriodDays(), r"\mathrm{days}"),
        (A * 2.5, rf"{ONE} \cdot 2.5"),
        (fk.parse("net_sales / orders"), r"\frac{\mathrm{net\_sales}}{\mathrm{orders}}"),
    ],
)
def test_a_formula_is_typeset(formula, typeset):
    assert to_latex(formula) == typeset


@pytest.mark.parametrize(
    ("formula", "told"),
    [
        (A, "adds up over time and over groups"),
        (A - A * 2, "adds up over time and over groups"),
        (fk.Cumulative(A), "adds up over groups, not over time"),
        (fk.Shift(A, 1), "adds up over groups, not over time"),
        (A / B, "does not add up: recompute it at each level"),
        (A * B, "does not add up: recompute it at each level"),
        (A / A + 1, "does not add up: recompute it at each level"),
        (fk.ShareOfTotal(A), "does not add up: recompute it at each level"),
        (fk.Mean(fk.Orders.gross_amount), "does not add up: recompute it at each level"),
        (fk.CountDistinct(fk.Orders.customer_id), "does not add up: recompute it at each level"),
    ],
)
def test_a_card_says_along_what_a_value_adds_up(formula, told):
    metric = fk.Metric(name="asked", formula=formula)
    assert str(metric.additivity) == told
    assert told in str(fk.describe(metric))


def test_a_card_says_which_definition_of_a_named_metric_a_number_uses():
    known = fk.registry()
    held = fk.Metric(name="m", formula=known["gross_sales"] / known["orders"])
    named = fk.Metric(name="m", formula="gross_sales / orders")
    other = fk.Metric(name="gross_sales", formula="sum(orders.gross_amount)", unit=fk.MONEY)
    with fk.use_registry(known.replacing(other)):
        cards = [" ".join(str(fk.describe(metric)).split()) for metric in (held, named)]
    amounts = ("sum(orders.gross_amount, where=orders.is_counted)", "sum(orders.gross_amount)")
    for card, amount in zip(cards, amounts, strict=True):
        assert f"in full (({amount}) / (count(orders" in card
    assert "in full" not in str(fk.describe("orders"))
