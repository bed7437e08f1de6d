"""Interest and engagement: who stays to look."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.catalog.parameters import check_above, word_of
from funnelkit.formula.formulas import Count, Mean, Median, Name, Quantile
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
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
    description="How many visits showed interest.",
    includes="Visits longer than 10 seconds in the foreground, or with a goal reached, or with two "
    "or more pages seen.",
    excludes="Bots; visits of which none of the three is known.",
    null_when="Never: no engaged visits are 0.",
    see_also=("engagement_rate",),
    caveats="Counting a visit of exactly 10 seconds: the rule is longer than 10.",
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
    description="Which share of visits showed interest.",
    includes="Engaged visits over all visits.",
    excludes="Bots, on both sides.",
    null_when="There are no visits.",
    see_also=("bounce_rate", "session_conversion_rate"),
    caveats="Comparing across the change of tools in 2023: the older bounce was defined "
    "differently.",
    references=(_GA4,),
    tags=("traffic", "ratio"),
)


def engagement_rate_over(*, seconds: float) -> Metric:
    """Return the engagement rate with a custom threshold of time in the foreground.

    Args:
        seconds: How long a visit has to be in the foreground, to count without a
            goal or a second page.

    Raises:
        DefinitionError: The time has no length.

    Examples:
        >>> engagement_rate_over(seconds=30).name
        'engagement_rate.over_30_seconds'
    """
    check_above("seconds", seconds, 0)
    is_engaged = (
        (Sessions.engaged_s > seconds) | Sessions.has_key_event | (Sessions.page_views >= 2)
    )
    return replace(
        engagement_rate,
        name=f"engagement_rate.over_{word_of(seconds)}_seconds",
        title=f"Engagement rate, over {seconds:g} seconds",
        aliases=(),
        formula=Count(Sessions, where=Sessions.is_counted & is_engaged) / Name("sessions"),
        includes=f"Visits of more than {seconds:g} seconds in the foreground, or with a goal, or "
        "with two pages, over all visits.",
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
    description="Which share of visits left without interest.",
    includes="Visits that were not engaged, over all visits: exactly one minus the engagement "
    "rate.",
    excludes="Bots, on both sides.",
    null_when="There are no visits.",
    see_also=("engagement_rate",),
    caveats="Comparing with a single-page bounce rate, or with the bounce rate of e-mails.",
    alternatives=("Universal Analytics and Snowplow: visits with a single page view or hit.",),
    references=(_GA4, "reconstructr, 'bounce_rate' (third party)"),
    tags=("traffic", "ratio"),
)

bounce_rate_single_page = replace(
    bounce_rate,
    name="bounce_rate.single_page",
    title="Bounce rate, single page",
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.page_views.eq(1))
    / Name("sessions"),
    description="Which share of visits saw only one page.",
    includes="Visits with exactly one page view, over all visits.",
    excludes="Bots, on both sides; from the numerator, visits whose page views are not known.",
    see_also=("bounce_rate", "pages_per_session"),
    caveats="Reading a long look at one page as a failure, and comparing it with the share of "
    "visits that were not engaged.",
    alternatives=("bounce_rate: visits that were not engaged.",),
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
    description="How many pages a visit sees.",
    includes="Page views of visits over all visits, also over those of which no views are known.",
    excludes="Bots, on both sides; page views without a visit.",
    null_when="There are no visits.",
    see_also=("engagement_rate", "average_session_duration"),
    caveats="Assuming that more is better: people who cannot find something see many pages.",
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
    description="How long a visit lasts on average.",
    includes="The seconds from the start of a visit to its last known activity.",
    excludes="Bots; visits whose end is not known.",
    null_when="No visit has a known duration.",
    see_also=("average_session_duration.median", "engagement_rate"),
    caveats="The last page ends with nothing to tell by, unless the tag keeps reporting: visits "
    "of one page last 0 seconds. A few tabs left open pull the mean up.",
    alternatives=(
        "average_session_duration.median: half of the visits last longer.",
        "The Shopify data warehouse excludes the last page, and caps at 1,800 seconds.",
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
    description="The median duration: half of the visits are longer, half are shorter.",
    see_also=("average_session_duration",),
    caveats="Adding or averaging medians of days or channels: ask for the whole instead.",
    alternatives=("average_session_duration: the mean, which a few long visits pull up.",),
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
    description="How often content was used.",
    includes="Events by which content is read, watched, scrolled through, downloaded or clicked, "
    "every time.",
    excludes="Events in visits made by bots.",
    null_when="Never: no interactions are 0.",
    see_also=("content_interaction_rate", "average_session_duration"),
    caveats="Adding interactions of unequal weight: a video that was started is not one that "
    "was seen "
    "to its end. Supply is_content for a custom choice.",
    alternatives=("GA4's scrolled users: people who saw 90 % of a page, each once.",),
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
    description="Which share of visits used content.",
    includes="Visits in which content was used at least once, over all visits.",
    excludes="Bots, on both sides; events without a visit.",
    null_when="There are no visits.",
    see_also=("content_interactions", "engagement_rate"),
    caveats="Dividing the number of interactions by visits: one keen reader makes many.",
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
    description="Which share of visits looked at a product.",
    includes="Visits in which a product page was seen at least once, over all visits.",
    excludes="Bots, on both sides; products seen only in a list.",
    null_when="There are no visits.",
    see_also=("add_to_cart_rate", "engagement_rate"),
    caveats="Comparing shops of which one counts quick views in lists and the other does not.",
    alternatives=("BigCommerce's 'shopped' visits include quick views.",),
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
    description="The number of milliseconds within which three of four page views had loaded.",
    includes="The 75th percentile of the load times of page views.",
    excludes="Bots; page views whose load time is not known.",
    null_when="Of no page view the load time is known.",
    see_also=("bounce_rate", "session_conversion_rate"),
    caveats="Taking the mean, which a few very slow loads decide; and mixing phones and desktops.",
    references=(_USAGE,),
    tags=("speed",),
)
