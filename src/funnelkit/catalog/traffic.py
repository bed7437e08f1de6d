"""Traffic: sessions, visitors, page views, and the cost of ads."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.formula.formulas import Count, CountDistinct, Name, ShareOfTotal, Sum
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.marketing import CampaignPerformance
from funnelkit.schema.traffic import Events, Sessions
from funnelkit.units import CLICK, EVENT, IMPRESSION, MONEY, PAGE, RATIO, SESSION, VISITOR

__all__ = [
    "ad_spend",
    "click_through_rate",
    "new_visitor_rate",
    "page_views",
    "page_views_events",
    "sessions",
    "traffic_source_share",
    "unique_visitors",
]

sessions = Metric(
    name="sessions",
    title="Sessions",
    aliases=("visits", "website_traffic"),
    formula=Count(Sessions, where=Sessions.is_counted),
    unit=SESSION,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of sessions in the shop.",
    includes="Every session, in the period and the channel in which it began.",
    excludes="Bot sessions.",
    null_when="Never; it is 0 if there are no sessions.",
    see_also=("unique_visitors", "engagement_rate"),
    caveats="Vendors end a session by different rules (30 minutes of inactivity, midnight, a new "
    "campaign), so their session counts differ.",
    alternatives=(
        "Universal Analytics began a new session at midnight and when the campaign changed.",
    ),
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
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of distinct visitors (browsers or devices).",
    includes="Each visitor id once per period, however many sessions it has.",
    excludes="Bots, and sessions without a visitor id.",
    null_when="Never; it is 0 if there are no visitors.",
    see_also=("sessions",),
    caveats="Do not sum days to get the month: a visitor who came on two days would count twice.",
    alternatives=("GA4 reports active users as 'users': visitors with an engaged session.",),
    references=("GA4 Data API, metric descriptions (vendor text, public copy)",),
    tags=("traffic", "distinct"),
)

new_visitor_rate = Metric(
    name="new_visitor_rate",
    title="New visitor rate",
    aliases=("new_user_rate", "percent_new_users"),
    formula=CountDistinct(
        Sessions.visitor_id, where=Sessions.is_counted & Sessions.is_first_session
    )
    / Name("unique_visitors"),
    unit=RATIO,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.NEUTRAL,
    bounds=(0, 1),
    description="Share of the period's visitors who came for the first time.",
    includes="Visitors whose first session ever falls in the period, divided by its visitors. "
    "Grouped by channel, a visitor is new only in the channel of that first session.",
    excludes="Bots, and sessions without a visitor id, from both numerator and denominator.",
    null_when="There are no visitors.",
    see_also=("unique_visitors", "sessions"),
    caveats="If the history starts with the period, every visitor is new. A visitor who deletes "
    "cookies or changes device is new again.",
    alternatives=("new sessions divided by sessions: sessions, not visitors.",),
    references=("GA4 Data API metric descriptions (vendor text, public copy)",),
    tags=("traffic", "ratio", "distinct"),
)

page_views = Metric(
    name="page_views",
    title="Page views",
    aliases=("screen_page_views", "pageviews"),
    formula=Sum(Sessions.page_views, where=Sessions.is_counted),
    unit=PAGE,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of pages viewed in sessions.",
    includes="Page views of every session, repeats included, in the period in which the session "
    "began.",
    excludes="Bot sessions; page views without a session.",
    null_when="Never; it is 0 if there are no page views.",
    see_also=("pages_per_session", "sessions"),
    caveats="In single-page applications, where pages change without reloading, the tag has to "
    "send exactly one view per change.",
    alternatives=(
        "page_views.events: by the time of each view, including views without a session.",
    ),
    references=("GA4 Data API metric descriptions (vendor text, public copy)",),
    tags=("traffic", "count"),
)

page_views_events = replace(
    page_views,
    name="page_views.events",
    title="Page views, as events",
    aliases=(),
    formula=Count(Events, where=Events.is_counted & Events.event_name.eq("page_view")),
    unit=EVENT,
    description="Number of page view events.",
    includes="Every page view in the period in which it occurred, including views without a "
    "session.",
    excludes="Events in bot sessions.",
    null_when="Never; it is 0 if there are no page views.",
    see_also=("page_views",),
    caveats="Do not divide it by sessions: a session that spans midnight has views on both days.",
    alternatives=("page_views: by the time at which the session began.",),
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
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Amount spent on media.",
    includes="Spend as the platforms report it, net of their credits and of tax.",
    excludes="Agency fees, tools, salaries and creative work, which are marketing costs.",
    null_when="Never; it is 0 if there was no spend.",
    see_also=("return_on_ad_spend", "customer_acquisition_cost"),
    caveats="Do not include tax for one platform and exclude it for another.",
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
    direction=Direction.UP,
    bounds=(0, None),
    description="Clicks on ads divided by impressions.",
    includes="All clicks and all impressions of the campaigns.",
    excludes="Clicks in e-mails, which are measured per e-mail delivered.",
    null_when="There are no impressions.",
    see_also=("session_conversion_rate",),
    caveats="Do not average the rates of campaigns: a small campaign would weigh as much as a "
    "large one. It can exceed 1, as one impression can be clicked twice.",
    alternatives=("GA4: users who clicked a list or promotion divided by users who saw it.",),
    references=("Google Ads terms with worked examples (third party)",),
    tags=("marketing", "ratio"),
)

traffic_source_share = Metric(
    name="traffic_source_share",
    title="Traffic source share",
    aliases=("channel_mix", "traffic_sources"),
    formula=ShareOfTotal(Name("sessions")),
    unit=RATIO,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.NEUTRAL,
    bounds=(0, 1),
    description="Share of sessions by channel or source: group by one of them.",
    includes="Sessions of the group divided by those of all groups in the same period, so that "
    "the shares add up to 1. A channel that is not supplied is derived from source and medium; "
    "sessions that match no rule are Unassigned.",
    excludes="Bot sessions.",
    null_when="There are no sessions in the period.",
    see_also=("sessions", "session_conversion_rate"),
    caveats="Group instead of filtering: where= narrows both numerator and denominator, so the "
    "share is 1. Do not drop sessions without a channel. Do not mix the channel of the session "
    "with that of the first session or of the order.",
    alternatives=("by the first session, or by the channel to which an order is attributed.",),
    references=("Google Analytics help, default channel grouping (vendor)",),
    tags=("ratio", "channel"),
)
