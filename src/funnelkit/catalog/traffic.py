"""Awareness and traffic: how many come, and what bringing them costs."""

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
    description="How often the shop was visited.",
    includes="Every visit, in the period and the channel in which it began.",
    excludes="Visits made by bots.",
    null_when="Never: no visits are 0.",
    see_also=("unique_visitors", "engagement_rate"),
    caveats="Comparing vendors: they end a visit by different rules (30 minutes without "
    "activity, midnight, a new campaign), so their session counts differ.",
    alternatives=(
        "Universal Analytics began a new visit at midnight and at a change of campaign.",
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
    description="How many different browsers or devices visited the shop.",
    includes="Each visitor id once in a period, however often it came.",
    excludes="Bots, and visits without a visitor id.",
    null_when="Never: no visitors are 0.",
    see_also=("sessions",),
    caveats="Adding days to get the month: whoever came twice would count twice.",
    alternatives=("GA4's headline 'users' are active users: visitors with an engaged visit.",),
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
    description="Which share of the visitors came for the first time.",
    includes="Visitors whose first visit of all lies in the period, over all of its visitors. By "
    "channel, a visitor is new in the channel of that first visit alone.",
    excludes="Bots, and visits without a visitor id, on both sides.",
    null_when="There are no visitors.",
    see_also=("unique_visitors", "sessions"),
    caveats="A history that starts with the period: everybody is new. Whoever deletes cookies or "
    "changes the device is new again.",
    alternatives=("new sessions over sessions: visits, not visitors.",),
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
    description="How many pages were viewed.",
    includes="Pages of every visit, repeats included, in the period in which the visit began.",
    excludes="Visits made by bots; page views without a visit.",
    null_when="Never: no pages are 0.",
    see_also=("pages_per_session", "sessions"),
    caveats="Pages that change without loading anew: the tag has to send one view for each, "
    "and no second one of its own.",
    alternatives=("page_views.events: by the time of each view, also those without a visit.",),
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
    includes="Every page view in the period in which it happened, also those without a visit.",
    excludes="Events in visits made by bots.",
    null_when="Never: no page views are 0.",
    see_also=("page_views",),
    caveats="Dividing it by visits: a visit over midnight has its views on both days.",
    alternatives=("page_views: by the time at which the visit began.",),
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
    description="What was paid for media.",
    includes="Spend as the platforms report it, net of their credits and of tax.",
    excludes="Agency fees, tools, salaries and creative work: those are marketing costs.",
    null_when="Never: no spend is 0.",
    see_also=("return_on_ad_spend", "customer_acquisition_cost"),
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
    direction=Direction.UP,
    bounds=(0, None),
    description="How often an ad that was served was clicked.",
    includes="All clicks over all impressions of the campaigns.",
    excludes="Clicks in e-mail, which are counted per delivered message.",
    null_when="There are no impressions.",
    see_also=("session_conversion_rate",),
    caveats="Averaging the rates of campaigns: a small campaign would weigh as much as a large "
    "one. Above 1 is possible, as one impression can be clicked twice.",
    alternatives=("GA4 counts users who clicked a list or promotion over users who saw it.",),
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
    description="Which part of the visits came from where: ask it by channel, or source.",
    includes="The visits of the group over those of all groups in the same period, so that the "
    "shares make one. A channel that is not supplied is derived from source and medium; visits "
    "that no "
    "rule fits are Unassigned.",
    excludes="Visits made by bots.",
    null_when="There are no visits in the period.",
    see_also=("sessions", "session_conversion_rate"),
    caveats="Filtering instead of grouping: where= narrows both sides, and the share is 1. "
    "Dropping the visits without a channel, or mixing the channel of the visit with that of the "
    "first visit or of the order.",
    alternatives=("By first visit, or by the channel that an order is credited to.",),
    references=("Google Analytics help, default channel grouping (vendor)",),
    tags=("ratio", "channel"),
)
