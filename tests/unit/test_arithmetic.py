"""Shares, values without sign, and sums within a single row."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

VISITS = pl.DataFrame(
    {
        "session_id": range(6),
        "visitor_id": [1, 1, 2, 2, 3, 3],
        "started_at": [dt.datetime(2024, month, 5) for month in (1, 1, 1, 2, 2, 2)],
        "channel": ["email", "email", None, "paid", "paid", "email"],
        "is_bot": [False] * 6,
    }
)
SHARE = fk.Metric(name="part", formula="share_of_total(sessions)", unit=fk.RATIO)


def ask(metric, **question):
    return fk.evaluate(fk.Shop(sessions=VISITS), metric, **question)


def test_shares_are_of_all_groups_of_the_same_period_and_make_one():
    whole = ask(SHARE, by="channel").frame
    assert dict(whole.rows()) == {"email": 0.5, "paid": pytest.approx(1 / 3), None: 1 / 6}
    months = ask(SHARE, by="channel", every="1mo").frame
    assert months.group_by("period").agg(pl.col("part").sum())["part"].to_list() == [1.0, 1.0]
    assert ask(SHARE).frame.item() == 1.0
    assert ask(SHARE, where="channel == 'sms'").frame.item() is None
    assert ask(SHARE, where="channel == 'sms'").tidy()["reason"].item() == "empty_denominator"


def test_a_share_survives_a_rollup_and_its_total_is_one():
    fine = ask(SHARE, by="channel", every="1mo", totals=True)
    assert (
        fine.rollup("channel")
        .frame.filter(~pl.col("is_total"))
        .drop("is_total")
        .equals(ask(SHARE, by="channel").frame)
    )
    assert fine.frame.filter("is_total")["part"].to_list() == [1.0, 1.0]


def test_a_share_of_what_does_not_add_up_is_refused():
    with pytest.raises(fk.DefinitionError, match="is no part of a whole"):
        ask(fk.Metric(name="part", formula="share_of_total(unique_visitors)"), by="channel")


def test_a_value_without_sign_reads_back_from_its_text():
    change = fk.Metric(name="change", formula="abs(sessions - 2 * sessions)", unit=fk.SESSION)
    assert ask(change).frame.item() == 6
    assert fk.parse("abs(2 * count(sessions))") == fk.Abs(2 * fk.Count(fk.Sessions))
    assert str(fk.parse("share_of_total(count(sessions))")) == "share_of_total(count(sessions))"
    with pytest.raises(fk.DefinitionError, match="wrong arguments"):
        fk.parse("abs(count(sessions), of=1)")


ADS = pl.DataFrame(
    {
        "date": [dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 2, 1)],
        "platform": ["meta", "meta", "meta"],
        "campaign_id": ["a", "a", "a"],
        "reach": [10, 12, 7],
    }
)


def test_a_sum_within_its_table_is_the_value_of_a_single_row():
    reach = fk.Sum(fk.CampaignPerformance.reach, require_single=fk.CampaignPerformance)
    assert str(reach) == "sum(campaign_performance.reach, require_single=campaign_performance)"
    assert fk.parse(str(reach)) == reach
    shop = fk.Shop(campaign_performance=ADS)
    result = fk.evaluate(shop, fk.Metric(name="seen", formula=reach), every="1mo")
    assert result.frame["seen"].to_list() == [None, 7.0]
    assert result.tidy()["reason"][0] == "several_rows_of_campaign_performance"
