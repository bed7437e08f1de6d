"""What public test suites of others expect of funnels, and real page views and events.

The files are not part of the repository: without them nothing is tested.
"""

import json

import polars as pl
import pytest

import funnelkit as fk
from data.sql import REAL

CASES = REAL.parent / "oracles" / "journeys.json"
KNOWN = json.loads(CASES.read_text()) if CASES.exists() else []

OTHER_RULES = {
    "ch-wf-11-strict_dedup": "a repeat of a step stops their chain; ours goes on",
    "ch-wf-17-dedup-issue27469": "a repeat of a step stops their chain; ours goes on",
    "ch-wf-33-ecom-4step": "a step that is named twice is never passed under strict_order",
}
"""The cases that ours gives otherwise, and why; the page of funnels lists them."""


def ids(case):
    return case["id"]


def of_kind(kind):
    return [case for case in KNOWN if case["kind"] == kind]


def seconds(frame):
    moment = pl.from_epoch(pl.col("ts").cast(pl.Int64), time_unit="s")
    return frame.select(
        pl.col("entity").alias("visitor_id"),
        moment.alias("occurred_at"),
        pl.col("event").cast(pl.String).alias("event_name"),
    )


def asked(case):
    inputs = case["inputs"]
    frame = pl.DataFrame(inputs["events"], inputs["events_columns"], orient="row", strict=False)
    steps = {f"{n}. {step}": f"event_name == '{step}'" for n, step in enumerate(inputs["steps"])}
    modes = inputs["modes"]
    order = "strict" if "strict_order" in modes else "ordered"
    ties = "increase" if "strict_increase" in modes else "chain"
    within = f"{inputs['window']}s"
    return fk.funnel(seconds(frame), steps, within=within, order=order, ties=ties)


def levels(case):
    rows = asked(case).entities.select("visitor_id", "level").rows()
    found = {str(who): level for who, level in rows}
    return {who: found.get(who, 0) for who in case["expected"]["level_by_entity"]}


@pytest.mark.parametrize("case", of_kind("window_funnel"), ids=ids)
def test_window_funnel_of_clickhouse(case):
    same = levels(case) == case["expected"]["level_by_entity"]
    assert same == (case["id"] not in OTHER_RULES), levels(case)


@pytest.mark.parametrize("case", of_kind("retention_flags"), ids=ids)
def test_retention_of_clickhouse_and_doris(case):
    """A condition counts where the first holds too: two steps in any order."""
    inputs = case["inputs"]
    frame = pl.DataFrame(inputs["events"], ["entity", "event"], orient="row", strict=False)
    events = seconds(frame.with_columns(ts=pl.lit(0)))
    first, *others = inputs["conditions"]
    counts = [fk.funnel(events, [first]).frame["entities"].item()]
    counts += [fk.funnel(events, [first, o], order="any").frame["entities"][1] for o in others]
    assert counts == case["expected"]["column_sums"]


@pytest.mark.parametrize("case", of_kind("funnel_counts"), ids=ids)
def test_the_funnel_of_retentioneering(case):
    inputs = case["inputs"]
    frame = pl.DataFrame(inputs["rows"], inputs["columns"], orient="row").select(
        pl.col(inputs["path_col"]).alias("visitor_id"),
        pl.col("event").alias("event_name"),
        pl.col("timestamp").str.to_datetime().alias("occurred_at"),
    )
    found = fk.funnel(frame, inputs["steps"])
    assert found.frame["entities"].to_list() == case["expected"]["unique_paths"]


def real(name):
    path = REAL / f"{name}.parquet"
    if not path.exists():
        pytest.skip("the real data sets are not here")
    return pl.read_parquet(path)


def test_page_views_of_the_maven_toy_store():
    """Landing, product, cart, shipping, billing, thank-you: 804 orders."""
    views = real("maven_toystore_pageviews_part").select(
        pl.col("website_session_id").alias("visitor_id"),
        pl.col("created_at").alias("occurred_at"),
        pl.col("pageview_url").alias("event_name"),
    )
    steps = {
        "landing": "event_name in ('/home', '/lander-1', '/lander-2')",
        "product": "event_name == '/products'",
        "cart": "event_name == '/cart'",
        "shipping": "event_name == '/shipping'",
        "billing": "event_name in ('/billing', '/billing-2')",
        "thank-you": "event_name == '/thank-you-for-your-order'",
    }
    found = fk.funnel(views, steps)
    assert found.frame["entities"][-1] == 804
    plain = [
        views.filter(pl.col("event_name").is_in(pages))["visitor_id"].n_unique()
        for pages in (["/products"], ["/cart"], ["/shipping"])
    ]
    assert found.frame["entities"].to_list()[1:4] == plain


def test_events_of_the_retentioneering_shop():
    """Counted again by a loop over each user's events."""
    events = real("retentioneering_ecom_events").select(
        pl.col("user_id").alias("visitor_id"),
        pl.col("timestamp").alias("occurred_at"),
        pl.col("event").alias("event_name"),
    )
    steps = ["product_view", "add_to_cart", "payment_details", "purchase"]
    found = fk.funnel(events, steps)
    assert found.frame["entities"].to_list() == plain_counts(events, steps)


def plain_counts(events, steps):
    levels = {}
    for visitor, name in events.sort("occurred_at").select("visitor_id", "event_name").iter_rows():
        level = levels.get(visitor, 0)
        levels[visitor] = level + (level < len(steps) and name == steps[level])
    return [sum(level > step for level in levels.values()) for step in range(len(steps))]
