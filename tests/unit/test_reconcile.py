"""Competing definitions side by side, and growth and shares on small frames."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk


def test_every_definition_of_a_kpi_stands_beside_the_chosen_one_with_its_words():
    rows = fk.reconcile(fk.demo(), "aov").frame
    names = rows["metric"].to_list()
    assert names[0] == "average_order_value"
    assert set(names[1:]) == {m for m in fk.registry() if m.startswith("average_order_value.")}
    assert rows["includes"].null_count() == 0
    values = dict(rows.select("metric", "value").iter_rows())
    asked = fk.evaluate(fk.demo(), ["aov", "average_order_value.total_sales"]).frame.row(0)
    wanted = {"average_order_value": asked[0], "average_order_value.total_sales": asked[1]}
    assert {name: values[name] for name in wanted} == pytest.approx(wanted, rel=1e-12)
    assert asked[0] < asked[1]


def test_a_definition_that_the_shop_cannot_give_says_what_is_missing():
    orders = pl.DataFrame(
        {
            "order_id": [1],
            "ordered_at": [dt.datetime(2024, 1, 5)],
            "status": ["paid"],
            "gross_amount": [10.0],
            "discount_amount": [1.0],
        }
    )
    rows = fk.reconcile(fk.Shop(orders=orders), "aov", every="1mo").frame
    first = rows.row(0, named=True)
    assert (first["metric"], first["value"], first["reason"]) == (
        "average_order_value",
        9.0,
        "incomplete_period",
    )
    lacking = rows.filter(pl.col("metric") == "average_order_value.total_sales").row(0, named=True)
    assert lacking["value"] is None
    assert lacking["reason"].startswith("lacks orders.duties_amount, orders.fees_amount")


def test_definitions_stand_below_each_other_with_their_distance_from_the_chosen_one():
    found = fk.reconcile(fk.demo(), "aov")
    lines = repr(found).splitlines()
    assert lines[0].split() == ["definition", "value", "difference"]
    assert lines[2].split() == ["average_order_value", "622.94", "PLN"]
    assert lines[3].split() == [
        "average_order_value.total_sales",
        *("657.01", "PLN"),
        *("+34.07", "PLN", "(+5.5%)"),
    ]
    assert any(line.startswith(".total_sales: Goods, shipping, tax") for line in lines)
    assert "<p>.total_sales: Goods" in found._repr_html_()
    assert " pp (" in repr(fk.reconcile(fk.demo(), "bounce_rate"))
    quarters = repr(fk.reconcile(fk.demo(), "aov", every="1q")).splitlines()
    assert quarters[0].split()[:3] == ["period", "average_order_value", ".total_sales"]


def test_a_kpi_with_one_definition_has_nothing_to_reconcile():
    with pytest.raises(fk.DefinitionError, match="one definition"):
        fk.reconcile(fk.demo(), "engaged_sessions")


def test_w15_340_reactions_to_a_post_that_reached_8500():
    post = {"date": [dt.date(2024, 1, 1)], "platform": ["instagram"], "campaign_id": ["post"]}
    shop = fk.Shop(
        campaign_performance=pl.DataFrame(
            {**post, "engagements": [340], "reach": [8500], "followers": [17_000]}
        )
    )
    assert fk.evaluate(shop, "social_engagement_rate").frame.item() == pytest.approx(0.04)
    assert fk.evaluate(shop, "reach.platform").frame.item() == 8500
    followers = fk.evaluate(shop, "social_engagement_rate.by_followers").frame.item()
    assert followers == pytest.approx(0.02)


def test_m29_an_open_month_grows_against_the_same_days_of_the_month_before():
    days = [dt.datetime(2024, 1, 1) + dt.timedelta(days=day) for day in range(46)]
    frame = pl.DataFrame(
        {
            "order_id": range(46),
            "ordered_at": days,
            "status": ["paid"] * 46,
            "gross_amount": [10.0 if day.month == 1 else 11.0 for day in days],
            "discount_amount": [0.0] * 46,
        }
    )
    shop = fk.Shop(orders=frame, assume_empty=("returns",))
    growth = fk.evaluate(shop, "sales_growth_rate", every="1mo").frame["sales_growth_rate"]
    assert growth.to_list() == [None, pytest.approx(0.1)]


def test_m32_shares_of_channels_make_one_with_the_visits_of_no_channel():
    frame = fk.evaluate(fk.demo(), "traffic_source_share", by="channel", every="1q").frame
    whole = frame.group_by("period").agg(pl.col("traffic_source_share").sum())
    assert whole["traffic_source_share"].to_list() == pytest.approx([1.0] * 9)
