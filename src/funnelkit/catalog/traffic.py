"""Awareness and traffic: how many come, and what bringing them costs."""

from __future__ import annotations

from funnelkit.formula.formulas import Count, CountDistinct, Sum
from funnelkit.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.tables import CampaignPerformance, Sessions
from funnelkit.units import CLICK, IMPRESSION, MONEY, SESSION, VISITOR

__all__ = ["ad_spend", "click_through_rate", "sessions", "unique_visitors"]

sessions = Metric(
    name="sessions",
    title="Sessions",
    aliases=("visits", "website_traffic"),
    formula=Count(Sessions, where=Sessions.is_counted),
    unit=SESSION,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    better=Direction.UP,
    bounds=(0, None),
    description="How often the shop was visited.",
    counts="Every visit, in the period and the channel in which it began.",
    leaves_out="Visits made by bots.",
    null_when="Never: no visits are 0.",
    read_with=("unique_visitors", "engagement_rate"),
    caveats="Comparing vendors: they end a visit by different rules (30 minutes without "
    "activity, midnight, a new campaign), so their session counts differ.",
    competing=("Universal Analytics began a new visit at midnight and at a change of campaign.",),
    references=(
        "Google Analytics help, 'About Analytics sessions' (vendor)",
        "BigCommerce, Ecommerce Analytics reports (vendor)",
        "Shopify data warehouse, online store sessions (vendor)",
    ),
    tags=("traffic", "count"),
)

unique_visitors = Metric(
    name="unique_visitors",
    title="Unique visitors",
    aliases=("users", "visitors", "total_users"),
    formula=CountDistinct(Sessions.visitor_id, where=Sessions.is_counted),
    unit=VISITOR,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    better=Direction.UP,
    bounds=(0, None),
    description="How many different browsers or devices visited the shop.",
    counts="Each visitor id once in a period, however often it came.",
    leaves_out="Bots, and visits without a visitor id.",
    null_when="Never: no visitors are 0.",
    read_with=("sessions",),
    caveats="Adding days to get the month: whoever came twice would count twice.",
    competing=("GA4's headline 'users' are active users: visitors with an engaged visit.",),
    references=("GA4 Data API, metric descriptions (vendor text, public copy)",),
    tags=("traffic", "distinct"),
)

ad_spend = Metric(
    name="ad_spend",
    title="Ad spend",
    aliases=("media_cost",),
    formula=Sum(CampaignPerformance.spend),
    unit=MONEY,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    better=Direction.NEUTRAL,
    bounds=(0, None),
    description="What was paid for media.",
    counts="Spend as the platforms report it, net of their credits and of tax.",
    leaves_out="Agency fees, tools, salaries and creative work: those are marketing costs.",
    null_when="Never: no spend is 0.",
    read_with=("return_on_ad_spend", "customer_acquisition_cost"),
    caveats="Leaving tax in for one platform and out for another.",
    references=("Field usage",),
    tags=("marketing", "money"),
)

click_through_rate = Metric(
    name="click_through_rate",
    title="Click-through rate",
    aliases=("ctr",),
    formula=Sum(CampaignPerformance.clicks) / Sum(CampaignPerformance.impressions),
    unit=(CLICK / IMPRESSION).percent,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    better=Direction.UP,
    bounds=(0, None),
    description="How often an ad that was served was clicked.",
    counts="All clicks over all impressions of the campaigns.",
    leaves_out="Clicks in e-mail, which are counted per delivered message.",
    null_when="There are no impressions.",
    read_with=("session_conversion_rate",),
    caveats="Averaging the rates of campaigns: a small campaign would weigh as much as a large "
    "one. Above 1 is possible, as one impression can be clicked twice.",
    competing=("GA4 counts users who clicked a list or promotion over users who saw it.",),
    references=("Google Ads terms with worked examples (third party)",),
    tags=("marketing", "ratio"),
)
