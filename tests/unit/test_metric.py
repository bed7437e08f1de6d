"""A metric's own fields: what may stand in them, and what is said where something else does."""

import math

import pytest

import funnelkit as fk

ORDERS = fk.Count(fk.Orders)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"title": 3}, "title = 3 is not a text"),
        ({"description": None}, "description = None is not a text"),
        ({"aliases": "aov"}, "aliases = 'aov' is not a list of texts"),
        ({"aliases": ("aov", "")}, "is not a list of texts"),
        ({"tags": (1,)}, r"tags = \(1,\) is not a list of texts"),
        ({"references": None}, "references = None is not a list of texts"),
        ({"unit": "order"}, "unit = 'order' is not a unit: use fk.MONEY"),
        (
            {"bounds": (1, 0)},
            r"bounds = \(1, 0\) must be two finite numbers, the smaller first; None",
        ),
        ({"bounds": (0,)}, "must be two finite numbers"),
        ({"bounds": (0, 10**400)}, "must be two finite numbers"),
        ({"bounds": (0, True)}, "must be two finite numbers"),
        ({"bounds": (0, "1")}, "must be two finite numbers"),
        ({"bounds": (0, math.inf)}, "must be two finite numbers"),
        ({"bounds": (math.nan, None)}, "must be two finite numbers"),
        ({"version": 0}, "version = 0 is not a whole number of 1 or more"),
        ({"version": 1.5}, "version = 1.5 is not a whole number"),
        ({"version": True}, "version = True is not a whole number"),
        ({"required_dimension": "  "}, "required_dimension = '  ' is not a dimension name"),
        ({"stage": "nowhere"}, "'nowhere' is not a valid Stage; use one of 'awareness'"),
        ({"direction": "left"}, "'left' is not a valid Direction"),
    ],
)
def test_a_field_of_the_wrong_kind_is_told(fields, told):
    with pytest.raises(fk.DefinitionError, match=f"^asked: .*{told}"):
        fk.Metric(name="asked", formula=ORDERS, **fields)


def test_all_wrong_fields_are_told_at_once():
    with pytest.raises(fk.DefinitionError) as caught:
        fk.Metric(name="asked", formula=ORDERS, title=3, version=0, aliases="aov", bounds=(2, 1))
    assert str(caught.value).count(" = ") == 4


@pytest.mark.parametrize(
    "name", ["Orders", "orders\n", "orders per visit", "2nd", "a..b", "a.", "class", 3, ""]
)
def test_a_name_that_no_text_can_say_is_refused(name):
    with pytest.raises(fk.DefinitionError, match="is not a valid metric name"):
        fk.Metric(name=name, formula=ORDERS)


def test_fields_that_make_sense_are_kept():
    metric = fk.Metric(
        name="orders.mine",
        formula=ORDERS,
        aliases=["zamówienia", "My orders"],
        bounds=(0, None),
        required_dimension="customer_key",
        version=2,
    )
    assert metric.title == "Orders.mine"
    assert metric.aliases == ("zamówienia", "My orders")
    assert (metric.bounds, metric.required_dimension, metric.version) == (
        (0, None),
        "customer_key",
        2,
    )
    assert fk.Metric(name="a", formula=ORDERS, bounds=(1, 1)).bounds == (1, 1)
    assert fk.Metric(name="a", formula=ORDERS, bounds=[0, 1]).bounds == (0, 1)


def test_a_formula_deeper_than_its_text_may_be_is_refused():
    terms, either = ORDERS, fk.Orders.status.eq("a")
    for number in range(160):
        terms, either = terms + ORDERS, either | fk.Orders.status.eq(str(number))
    for formula in (terms, fk.Count(fk.Orders, where=either), ORDERS + terms * 2):
        with pytest.raises(fk.DefinitionError, match="more than 150 levels or terms; make metrics"):
            fk.Metric(name="long", formula=formula)


@pytest.mark.parametrize("levels", range(130, 160))
def test_what_is_accepted_can_be_read_back(levels):
    absolute, terms, either = ORDERS, ORDERS, fk.Orders.status.eq("a")
    for number in range(levels):
        absolute, terms = fk.Abs(absolute), terms + ORDERS
        either = either | fk.Orders.status.eq(str(number))
    for formula in (absolute, terms, fk.Count(fk.Orders, where=either)):
        try:
            fk.Metric(name="long", formula=formula)
        except fk.DefinitionError:
            continue
        assert fk.parse(str(formula)) == formula
