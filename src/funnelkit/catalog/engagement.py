"""Interest and engagement: what visitors do in a session."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.arguments import check_none, not_above
from funnelkit.catalog.parameters import word_of
from funnelkit.formula.formulas import Count, Mean, Median, Name, Quantile
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.derivations import IS_DEEP
from funnelkit.schema.traffic import Events, Sessions
from funnelkit.units import EVENT, MILLISECOND, PAGE, RATIO, SECOND, SESSION

__all__ = [
    "average_session_duration",
    "average_session_duration_median",
    "bounce_rate",
    "bounce_rate_single_page",
    "content_interaction_rate",
    "content_interactions",
    "engaged_sessions",
    "engagement_rate",
    "engagement_rate_over",
    "page_load_time",
    "pages_per_session",
    "product_view_rate",
]

_GA4 = "Google Analytics help, 'Engaged session' (vendor)"
_GA4_API = "GA4 Data API metric descriptions (vendor text, public copy)"
_USAGE = "Field usage (convention)"

engaged_sessions = Metric(
    name="engaged_sessions",
    title="Engaged sessions",
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.is_engaged),
    unit=SESSION,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of engaged sessions.",
    includes="Sessions that were in the foreground for longer than 10 seconds, reached a goal, "
    "or had two or more page views.",
    excludes="Bots; sessions for which none of the three is known.",
    null_when="Never; it is 0 if no session was engaged.",
    see_also=("engagement_rate",),
    caveats="Exactly 10 seconds in the foreground are not enough: the rule is longer than 10 "
    "seconds.",
    references=(_GA4,),
    tags=("traffic", "count"),
)

engagement_rate = Metric(
    name="engagement_rate",
    title="Engagement rate",
    formula="engaged_sessions / sessions",
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of sessions that were engaged.",
    includes="Engaged sessions divided by all sessions.",
    excludes="Bots, from both numerator and denominator.",
    null_when="There are no sessions.",
    see_also=("bounce_rate", "session_conversion_rate"),
    caveats="Do not compare it across the change from Universal Analytics to GA4 in 2023: "
    "Universal Analytics defined the bounce rate differently.",
    references=(_GA4,),
    tags=("traffic", "ratio"),
)


def engagement_rate_over(*, seconds: float) -> Metric:
    """Return the engagement rate with a custom foreground-time threshold.

    Args:
        seconds: The time in the foreground that a session without a goal or a second
            page view must exceed.

    Raises:
        DefinitionError: The time is not above 0.

    Examples:
        >>> engagement_rate_over(seconds=30).name
        'engagement_rate.over_30_seconds'
    """
    check_none([not_above("seconds", seconds, 0)])
    is_engaged = (Sessions.engaged_s > seconds) | Sessions.has_key_event | IS_DEEP
    return replace(
        engagement_rate,
        name=f"engagement_rate.over_{word_of(seconds)}_seconds",
        title=f"Engagement rate, over {seconds:g} seconds",
        aliases=(),
        formula=Count(Sessions, where=Sessions.is_counted & is_engaged) / Name("sessions"),
        includes=f"Sessions of more than {seconds:g} seconds in the foreground, with a goal, or "
        "with two or more page views, divided by all sessions.",
        see_also=("engagement_rate",),
        alternatives=("engagement_rate: more than 10 seconds.",),
    )


bounce_rate = Metric(
    name="bounce_rate",
    title="Bounce rate",
    formula="1 - engagement_rate",
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of sessions that were not engaged.",
    includes="Sessions that were not engaged divided by all sessions: exactly 1 less the "
    "engagement rate.",
    excludes="Bots, from both numerator and denominator.",
    null_when="There are no sessions.",
    see_also=("engagement_rate",),
    caveats="Do not compare it with a single-page bounce rate, or with the bounce rate of e-mails.",
    alternatives=("Universal Analytics and Snowplow: sessions with a single page view or hit.",),
    references=(_GA4, "reconstructr, 'bounce_rate' (third party)"),
    tags=("traffic", "ratio"),
)

bounce_rate_single_page = replace(
    bounce_rate,
    name="bounce_rate.single_page",
    title="Bounce rate, single page",
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.page_views.eq(1))
    / Name("sessions"),
    description="Share of sessions with exactly one page view.",
    includes="Sessions with exactly one page view divided by all sessions.",
    excludes="Bots, from both numerator and denominator; sessions with unknown page views, from "
    "the numerator.",
    see_also=("bounce_rate", "pages_per_session"),
    caveats="A long look at one page is not a failure. Do not compare it with the share of "
    "sessions that were not engaged.",
    alternatives=("bounce_rate: sessions that were not engaged.",),
    references=("reconstructr::bounce_rate (single-event sessions) (third party)",),
)

pages_per_session = Metric(
    name="pages_per_session",
    title="Pages per session",
    aliases=("pages_per_visit", "page_depth"),
    formula="page_views / sessions",
    unit=PAGE / SESSION,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Page views divided by sessions.",
    includes="Page views in sessions divided by all sessions, including those with unknown page "
    "views.",
    excludes="Bots, from both numerator and denominator; page views without a session.",
    null_when="There are no sessions.",
    see_also=("engagement_rate", "average_session_duration"),
    caveats="More is not necessarily better: people who cannot find something view many pages.",
    references=(_GA4_API,),
    tags=("traffic",),
)

average_session_duration = Metric(
    name="average_session_duration",
    title="Average session duration",
    aliases=("average_visit_duration", "viewing_time"),
    formula=Mean(Sessions.duration_s, where=Sessions.is_counted),
    unit=SECOND,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Mean duration of a session.",
    includes="The seconds from the start of a session to its last known activity.",
    excludes="Bots; sessions with an unknown end.",
    null_when="No session has a known duration.",
    see_also=("average_session_duration.median", "engagement_rate"),
    caveats="Unless the tag keeps reporting, the end of the last page view is not recorded, and "
    "sessions with one page view last 0 seconds. A few tabs left open raise the mean.",
    alternatives=(
        "average_session_duration.median: the median.",
        "the Shopify data warehouse excludes the last page and caps sessions at 1,800 seconds.",
    ),
    references=(
        _GA4_API,
        "Shopify data warehouse: online store sessions table (vendor)",
    ),
    tags=("traffic", "duration"),
)

average_session_duration_median = replace(
    average_session_duration,
    name="average_session_duration.median",
    title="Median session duration",
    aliases=("median_session_duration",),
    formula=Median(Sessions.duration_s, where=Sessions.is_counted),
    description="Median duration of a session.",
    see_also=("average_session_duration",),
    caveats="Do not sum or average the medians of days or channels: compute the median of the "
    "whole instead.",
    alternatives=("average_session_duration: the mean, which a few long sessions pull up.",),
)

content_interactions = Metric(
    name="content_interactions",
    title="Content interactions",
    formula=Count(Events, where=Events.is_counted & Events.is_content),
    unit=EVENT,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of content interactions.",
    includes="Every event in which content is read, watched, scrolled, downloaded or clicked.",
    excludes="Events in bot sessions.",
    null_when="Never; it is 0 if there are no interactions.",
    see_also=("content_interaction_rate", "average_session_duration"),
    caveats="Interactions differ in weight: a video that was started was not necessarily watched "
    "to the end. Supply is_content for a custom selection.",
    alternatives=("GA4 scrolled users: people who scrolled through 90 % of a page, each once.",),
    references=(_GA4_API,),
    tags=("content", "count"),
)

content_interaction_rate = Metric(
    name="content_interaction_rate",
    title="Content interaction rate",
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.has_content_interaction)
    / Name("sessions"),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of sessions with a content interaction.",
    includes="Sessions with at least one content interaction divided by all sessions.",
    excludes="Bots, from both numerator and denominator; events without a session.",
    null_when="There are no sessions.",
    see_also=("content_interactions", "engagement_rate"),
    caveats="Do not divide the number of interactions by sessions: one interested reader makes "
    "many.",
    references=(_USAGE,),
    tags=("content", "ratio"),
)

product_view_rate = Metric(
    name="product_view_rate",
    title="Product view rate",
    aliases=("shopped_sessions_rate",),
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.has_product_view)
    / Name("sessions"),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of sessions with a product page view.",
    includes="Sessions with at least one product page view divided by all sessions.",
    excludes="Bots, from both numerator and denominator; products seen only in a list.",
    null_when="There are no sessions.",
    see_also=("add_to_cart_rate", "engagement_rate"),
    caveats="Do not compare shops that differ in whether quick views in lists count.",
    alternatives=("BigCommerce includes quick views in 'shopped' sessions.",),
    references=("BigCommerce Ecommerce Analytics reports / Store Overview (vendor)",),
    tags=("funnel", "ratio"),
)

page_load_time = Metric(
    name="page_load_time",
    title="Page load time",
    aliases=("website_speed",),
    formula=Quantile(
        Events.load_ms, 0.75, where=Events.is_counted & Events.event_name.eq("page_view")
    ),
    unit=MILLISECOND,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Load time that three out of four page views do not exceed, in milliseconds.",
    includes="The 75th percentile of the load times of page views.",
    excludes="Bots; page views with an unknown load time.",
    null_when="No page view has a known load time.",
    see_also=("bounce_rate", "session_conversion_rate"),
    caveats="Do not use the mean, which a few very slow loads dominate. Do not mix phones and "
    "desktops.",
    references=(_USAGE,),
    tags=("speed",),
)
