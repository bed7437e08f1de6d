"""The built-in catalogue: names, words, and the golden file of definitions."""

import json
import re
from pathlib import Path

import pytest

import funnelkit as fk
from funnelkit.formula.parsing import parse_formula
from funnelkit.metric import Card
from funnelkit.tables import TABLES

GOLDEN = Path(__file__).with_name("golden.json")
METRICS = list(fk.registry().values())
NAMED_BY_THE_OWNER = {
    "cr": "session_conversion_rate",
    "conversion_rate": "session_conversion_rate",
    "aov": "average_order_value",
    "clv": "customer_lifetime_value",
    "cac": "customer_acquisition_cost",
    "nps": "net_promoter_score",
    "roas": "return_on_ad_spend",
    "churn": "customer_churn_rate",
    "cart_abandonment_rate": "cart_abandonment_rate",
}

NOT_IN_THE_DEMO = {
    "page_load_time": "events.load_ms",
    "content_interactions": "no such events",
    **dict.fromkeys(
        ("cart_to_view_rate", "cart_to_view_rate.quantities", "purchase_to_view_rate"),
        "events.product_id",
    ),
    **dict.fromkeys(("checkout_abandonment_rate", "cart_recovery_rate"), "events.cart_id"),
    **dict.fromkeys(("abandoned_cart_value", "abandoned_cart_value.visitors"), "carts.value"),
    **dict.fromkeys(("reach.upper_bound", "reach.lower_bound"), "campaign_performance.reach"),
    **dict.fromkeys(
        ("social_engagements", "social_engagement_rate.by_impressions"),
        "campaign_performance.engagements",
    ),
    **dict.fromkeys(
        (
            "unaided_brand_awareness",
            "unaided_brand_awareness.unweighted",
            "aided_brand_awareness",
            "aided_brand_awareness.unweighted",
        ),
        "surveys.brand_recalled",
    ),
    **{
        metric.name: table
        for metric in METRICS
        for table in ("email_sends", "search_interest", "viewers")
        if table in metric.inputs
    },
}
"""KPIs without a value on the demo shop, and what it lacks."""

CLAIMED = {"return_on_ad_spend", "ad_conversion_rate"}
"""KPIs that are told of one platform alone."""


def definitions():
    return {
        metric.name: {
            "formula": str(metric.formula),
            "unit": str(metric.unit),
            "fingerprint": metric.fingerprint,
        }
        for metric in METRICS
    }


def test_no_definition_has_changed_without_the_golden_file():
    """A change here changes numbers: it belongs into the changelog as well."""
    assert definitions() == json.loads(GOLDEN.read_text())


@pytest.mark.parametrize(("alias", "name"), NAMED_BY_THE_OWNER.items())
def test_a_kpi_answers_to_the_name_that_people_use(alias, name):
    assert fk.registry()[alias].name == name


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_a_kpi_has_every_word(metric):
    words = (
        metric.title,
        metric.description,
        metric.counts,
        metric.leaves_out,
        metric.null_when,
        metric.caveats,
    )
    assert all(words)
    assert metric.references
    assert metric.read_with
    assert metric.stage is not None
    assert metric.aida is not None
    assert metric.area is not fk.Area.CUSTOM


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_a_kpi_is_read_with_kpis_that_exist(metric):
    assert set(metric.read_with) <= set(fk.registry())
    assert metric.name not in metric.read_with


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_a_rate_ends_in_rate_and_is_a_plain_ratio_or_a_share(metric):
    if metric.name.endswith("_rate"):
        assert metric.unit.display == "percent"
    assert re.fullmatch(r"[a-z][a-z_0-9]*(\.[a-z][a-z_0-9]*)?", metric.name)


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_the_text_of_a_definition_reads_back_as_the_definition(metric):
    read = fk.Metric(name="again", formula=str(metric.formula), unit=metric.unit)
    known = {m.name: m for m in METRICS}
    assert read.resolved(known).formula == metric.formula
    assert str(parse_formula(str(metric.formula), TABLES)) == str(metric.formula)


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_every_fact_of_a_metric_follows_from_its_formula(metric):
    assert metric.inputs
    assert metric.unit.fits(metric.unit)
    assert str(metric.additivity)
    assert metric.lineage().startswith(f"{metric.name} = ")
    assert all(name in fk.registry() for name in metric.depends_on)


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_a_card_says_it_all_as_text_and_as_html(metric):
    card = Card(metric)
    assert metric.fingerprint in str(card)
    assert metric.title in card._repr_html_()
    assert str(metric.formula) in str(card)


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_every_kpi_stays_within_its_bounds_on_the_demo_shop(metric):
    values = values_on_the_demo_shop(metric)
    assert bool(values) == (metric.name not in NOT_IN_THE_DEMO)
    low, high = metric.bounds
    assert low is None or all(value >= low - 1e-12 for value in values)
    assert high is None or all(value <= high + 1e-12 for value in values)


def values_on_the_demo_shop(metric):
    by = ("platform",) if metric.name in CLAIMED else ()
    try:
        frame = fk.evaluate(fk.demo(), metric, every="1mo", by=by).frame
    except fk.MissingInputError:
        return []
    return frame.get_column(metric.name).drop_nulls().to_list()


def test_only_what_adds_up_says_so():
    adding = {m.name for m in METRICS if m.additivity.over_time and m.additivity.over_keys}
    assert adding == {
        "abandoned_cart_value",
        "ad_spend",
        "content_interactions",
        "discounts",
        "emails_delivered",
        "engaged_sessions",
        "gross_sales",
        "identified_net_sales",
        "impressions",
        "net_sales",
        "new_customers",
        "orders",
        "page_views",
        "page_views.events",
        "reach.upper_bound",
        "returns_value",
        "sessions",
        "social_engagements",
        "units_sold",
    }


def test_find_looks_by_stage_area_table_tag_and_text():
    registry = fk.registry()
    assert "cart_abandonment_rate" in registry.find(stage="decision")
    assert set(registry.find(area="engagement")) >= {"bounce_rate", "engagement_rate"}
    assert {metric.area for metric in registry.find(table="carts").values()} == {"funnel"}
    assert "goal_conversion_rate" in registry.find(text="trafienia")
    assert "net_promoter_score" in registry.find(tag="survey")
    assert "average_order_value" in registry.find(text="WORTH when")
    assert len(registry.find(text="no such words")) == 0
