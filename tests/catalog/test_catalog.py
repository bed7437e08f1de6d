"""The built-in catalogue: names, words, and the golden file of definitions."""

import json
import re
from functools import cache
from pathlib import Path

import pytest

import funnelkit as fk
from funnelkit.catalog.marketing import PAID_CHANNELS
from funnelkit.formula.latex import expand
from funnelkit.formula.parsing import parse_formula
from funnelkit.formula.properties import names_in
from funnelkit.metrics.card import Card
from funnelkit.schema.origins import CHANNELS
from funnelkit.schema.tables import TABLES

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


BY_PLATFORM = {
    "ad_conversion_rate",
    "advertising_cost_of_sales",
    "cost_per_acquisition",
    "return_on_ad_spend",
}
"""Metrics of what platforms claim, which are never added up over platforms."""

BY_ROW = {"reach.platform", "social_engagement_rate", "social_engagement_rate.by_followers"}
"""Metrics that are told of a single row of an export."""


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


WORDS = (
    *("title", "description", "includes", "excludes", "null_when", "caveats"),
    *("references", "see_also", "stage", "aida"),
)


def test_every_kpi_has_every_word():
    missing = [(m.name, word) for m in METRICS for word in WORDS if not getattr(m, word)]
    assert missing == []
    assert [metric.name for metric in METRICS if metric.area is fk.Area.CUSTOM] == []


def test_every_kpi_is_read_with_other_kpis_that_exist():
    names = set(fk.registry())
    assert [m.name for m in METRICS if not set(m.see_also) <= names - {m.name}] == []


def test_every_name_is_plain_and_what_ends_in_rate_is_a_plain_ratio_or_a_share():
    rates = [metric for metric in METRICS if metric.name.endswith("_rate")]
    plain = r"[a-z][a-z_0-9]*(\.[a-z][a-z_0-9]*)?"
    assert [metric.name for metric in rates if metric.unit.display != "percent"] == []
    assert [metric.name for metric in METRICS if not re.fullmatch(plain, metric.name)] == []


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_the_text_of_a_definition_reads_back_as_the_definition(metric):
    read = fk.Metric(name="again", formula=str(metric.formula), unit=metric.unit)
    known = {m.name: m for m in METRICS}
    assert read.resolved(known).formula == metric.formula
    assert str(parse_formula(str(metric.formula), TABLES)) == str(metric.formula)


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_the_facts_of_a_metric_name_what_its_formula_names(metric):
    text = expand(metric.formula)
    assert set(metric.inputs) == {name for name in TABLES if re.search(rf"\b{name}\b", text)}
    assert metric.lineage().startswith(f"{metric.name} = {metric.formula}")
    named = set(names_in(parse_formula(str(metric.formula), TABLES)))
    assert set(metric.depends_on) == named <= set(fk.registry())
    assert named <= set(re.findall(r"^  (\S+) = ", metric.lineage(), re.MULTILINE))


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_a_card_says_it_all_as_text_and_as_html(metric):
    card = Card(metric)
    assert metric.fingerprint in str(card)
    assert metric.title in card._repr_html_()
    assert str(metric.formula) in " ".join(str(card).split())


def question_of(metric):
    """Give the dimensions and periods in which a metric has values."""
    if metric.name in BY_ROW:
        return ("platform", "campaign_id"), "1d"
    by = ("platform",) if metric.name in BY_PLATFORM else ()
    return ((metric.required_dimension,) if metric.required_dimension else by), "1mo"


@cache
def on_the_demo_shop(by, every):
    """Give the values of all metrics that are asked one question."""
    asked = [metric for metric in METRICS if question_of(metric) == (by, every)]
    return fk.evaluate(fk.demo(), asked, every=every, by=by).frame


@pytest.mark.parametrize("metric", METRICS, ids=str)
def test_every_kpi_stays_within_its_bounds_on_the_demo_shop(metric):
    values = on_the_demo_shop(*question_of(metric)).get_column(metric.name)
    assert values.drop_nulls().len() > 0
    low, high = metric.bounds
    assert low is None or values.min() >= low - 1e-12
    assert high is None or values.max() <= high + 1e-12


def test_only_what_adds_up_says_so():
    adding = {m.name for m in METRICS if m.additivity.over_time and m.additivity.over_keys}
    assert adding == {
        "abandoned_cart_value",
        "ad_spend",
        "content_interactions",
        "discounts",
        "emails_delivered",
        "engaged_sessions",
        "fulfilment_time.orders_waiting",
        "gross_sales",
        "identified_net_sales",
        "impressions",
        "net_sales",
        "new_customers",
        "orders",
        "page_views",
        "page_views.events",
        "returns_value",
        "returns_value.by_order_date",
        "sessions",
        "social_engagements",
        "total_sales",
        "total_sales.with_refunded_charges",
        "units_sold",
        "units_sold.net",
    }


def test_find_looks_by_stage_area_table_tag_and_text():
    registry = fk.registry()
    assert "cart_abandonment_rate" in registry.find(stage="decision")
    assert set(registry.find(area="engagement")) >= {"bounce_rate", "engagement_rate"}
    assert {"cart_abandonment_rate", "cart_recovery_rate"} <= set(registry.find(table="carts"))
    assert "net_promoter_score" in registry.find(tag="survey")
    assert "average_order_value" in registry.find(text="LESS discounts")
    assert len(registry.find(text="no such words")) == 0


def test_paid_channels_are_channels_of_orders_in_two_spellings():
    half = len(PAID_CHANNELS) // 2
    assert set(PAID_CHANNELS[:half]) < set(CHANNELS)
    snake = [name.lower().replace(" ", "_").replace("-", "_") for name in PAID_CHANNELS[:half]]
    assert list(PAID_CHANNELS[half:]) == snake
