"""The functions of formulas: one table, from which all else that is said of them follows."""

from collections.abc import Iterator

import pytest

import funnelkit as fk
from funnelkit.formula.formulas import Transform
from funnelkit.formula.functions import FUNCTIONS, Function
from funnelkit.formula.latex import to_latex
from funnelkit.formula.properties import is_count, tally_of
from funnelkit.formula.reason import Reason
from funnelkit.result.transforms import TRANSFORMS, Argument, TransformedValue
from funnelkit.units import RATIO
from small_frames import of, orders_of, value

ORDERS = fk.Count(fk.Orders)


def _subclasses(kind: type) -> Iterator[type]:
    for below in kind.__subclasses__():
        yield below
        yield from _subclasses(below)


class OneOver(Transform):
    """One divided by a formula."""

    __slots__ = ()


def _one_over(_: OneOver, argument: Argument) -> TransformedValue:
    return TransformedValue(1 / argument.value, argument.value == 0)


@pytest.fixture(autouse=True, scope="module")
def one_over() -> Iterator[None]:
    """Add a function in the one place there is, and its arithmetic."""
    with pytest.MonkeyPatch.context() as patch:
        row = Function(OneOver, RATIO, r"{formula}^{{-1}}", Reason.EMPTY_DENOMINATOR)
        patch.setitem(FUNCTIONS, OneOver, row)
        patch.setitem(TRANSFORMS, OneOver, _one_over)
        yield


def test_every_function_has_a_row_and_its_arithmetic() -> None:
    """A class without a row, or a transform without arithmetic, would fail only when used."""
    transforms = {kind for kind in _subclasses(Transform) if kind in FUNCTIONS}
    assert transforms == set(TRANSFORMS)
    assert set(FUNCTIONS) == transforms | {fk.Shift, fk.Cumulative}
    assert all(node is row.node for node, row in FUNCTIONS.items())


def test_every_public_transform_has_a_row() -> None:
    """What a user can import, the library knows."""
    public = {thing for thing in vars(fk).values() if isinstance(thing, type)}
    assert {kind for kind in _subclasses(Transform) if kind in public} <= set(FUNCTIONS)


def test_a_function_is_parsed_and_printed() -> None:
    """Its name in the text form is that of its class."""
    formula = fk.parse("one_over(count(orders))")
    assert formula == OneOver(ORDERS)
    assert str(formula) == "one_over(count(orders))"
    with pytest.raises(fk.DefinitionError, match="gives one_over the wrong arguments"):
        fk.parse("one_over(count(orders), 2)")


def test_a_function_is_typeset_with_its_unit() -> None:
    """The rest of what is known of it comes from its row too."""
    metric = fk.Metric(name="x", formula=OneOver(ORDERS))
    assert to_latex(metric.formula) == r"\mathtt{count(orders)}^{-1}"
    assert metric.unit == RATIO
    assert not is_count(metric.formula)
    assert tally_of(metric.formula) is None


def test_a_function_is_evaluated_with_its_reason() -> None:
    """The engine knows nothing of it."""
    shop = fk.Shop(orders=orders_of(gross_amount=[1.0, 2.0, 4.0, 8.0]))
    assert value(shop, OneOver(ORDERS)) == 0.25
    none = fk.Count(fk.Orders, where=fk.Orders.gross_amount > 100)
    result = fk.evaluate(shop, of(OneOver(none)))
    assert result.tidy().select("value", "reason").rows() == [(None, "empty_denominator")]


def test_parameters_are_printed_where_they_differ_from_their_default() -> None:
    """The text form follows from the fields of the class."""
    assert str(fk.Shift(ORDERS)) == "shift(count(orders), 1)"
    assert str(fk.Shift(ORDERS, 2, like_for_like=True)) == (
        "shift(count(orders), 2, like_for_like=True)"
    )
    assert str(fk.QuantileBucket(ORDERS, 5)) == "quantile_bucket(count(orders), 5)"
    assert str(fk.QuantileBucket(ORDERS, 5, dense=True)) == (
        "quantile_bucket(count(orders), 5, dense=True)"
    )
