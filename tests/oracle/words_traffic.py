"""Plain-Python second opinion on the KPIs of traffic, advertising reach and engagement.

What a row, a null, a period and a bot are, `words` says. Where the words leave a choice, the
docstring says which one was made.
"""

from collections.abc import Callable, Collection
from typing import Any

from oracle.words import (
    Number,
    Period,
    Row,
    Tables,
    Value,
    ad_spend,
    campaign_rows,
    inside,
    is_true,
    midnight,
    ratio,
    strict_total,
    table,
    total,
)
from oracle.words import sessions as session_count
from oracle.words_visits import (
    distinct_visitors,
    distinct_visits,
    events_called,
    mean,
    quantile,
    share_of_visits,
    visit_numbers,
    visits_in,
)

CONTENT_EVENTS = frozenset(
    {
        "scroll_90",
        "scroll",
        "video_start",
        "video_complete",
        "file_download",
        "blog_read",
        "heatmap_click",
    }
)
SOCIAL_PLATFORMS = frozenset(
    {
        "facebook",
        "instagram",
        "linkedin",
        "meta",
        "pinterest",
        "reddit",
        "snapchat",
        "threads",
        "tiktok",
        "twitter",
        "x",
        "youtube",
    }
)


# --- KPIs: advertising ---------------------------------------------------------------------------


def total_of_campaigns(tables: Tables, period: Period, column: str) -> Number:
    """Add up a column of the campaigns."""
    return total(row.get(column) for row in campaign_rows(tables, period))


def impressions(tables: Tables, period: Period) -> Number:
    """Times that ads were shown; the same person counts every time, paid and organic alike."""
    return total_of_campaigns(tables, period, "impressions")


def of_one_row(rows: list[Row], column: str) -> Value:
    """Give the value of the only row; of several people the same ones may be in each."""
    return rows[0].get(column) if len(rows) == 1 else None


def reach(tables: Tables, period: Period) -> Value:
    """Number of different viewers; without a log of viewers, what the only campaign row says.

    Several campaign rows give nothing, also where only one of them knows its reach.
    """
    if "ad_views" in tables:
        log = [r for r in table(tables, "ad_views") if inside(r.get("viewed_at"), period)]
        return len({row.get("viewer_id") for row in log} - {None})
    return reach_of_platform(tables, period)


def reach_of_platform(tables: Tables, period: Period) -> Value:
    """Reach that the only campaign row tells."""
    return of_one_row(campaign_rows(tables, period), "reach")


def reach_upper_bound(tables: Tables, period: Period) -> Value:
    """Reach if nobody saw two campaigns; None if one of them is not known."""
    return strict_total(row.get("reach") for row in campaign_rows(tables, period))


def reach_lower_bound(tables: Tables, period: Period) -> Value:
    """Reach if everybody saw the largest campaign."""
    known = [row.get("reach") for row in campaign_rows(tables, period)]
    return max((value for value in known if value is not None), default=None)


def ad_frequency(tables: Tables, period: Period) -> float | None:
    """Impressions per viewer; a value below one is given as it is."""
    return ratio(impressions(tables, period), reach(tables, period))


def cost_per_mille(tables: Tables, period: Period) -> float | None:
    """Spend per thousand impressions."""
    return ratio(1000 * ad_spend(tables, period), impressions(tables, period))


def cost_per_click(tables: Tables, period: Period) -> float | None:
    """Spend per click; the spend of campaigns without clicks is part of it."""
    return ratio(ad_spend(tables, period), total_of_campaigns(tables, period, "clicks"))


def social_rows(tables: Tables, period: Period, platforms: Collection[str]) -> list[Row]:
    """Pick the campaign rows of social platforms."""
    return [row for row in campaign_rows(tables, period) if row.get("platform") in platforms]


def social_engagements(
    tables: Tables, period: Period, *, platforms: Collection[str] = SOCIAL_PLATFORMS
) -> Number:
    """Engagements on social platforms, which are named by a set; names are taken as written."""
    return total(row.get("engagements") for row in social_rows(tables, period, platforms))


def social_engagement_rate(
    tables: Tables, period: Period, *, platforms: Collection[str] = SOCIAL_PLATFORMS
) -> float | None:
    """Social engagements per person reached, told by the only social campaign row.

    Several rows give nothing rather than another denominator.
    """
    reached = of_one_row(social_rows(tables, period, platforms), "reach")
    return ratio(social_engagements(tables, period, platforms=platforms), reached)


def social_engagement_rate_by_impressions(
    tables: Tables, period: Period, *, platforms: Collection[str] = SOCIAL_PLATFORMS
) -> float | None:
    """Social engagements per impression on social platforms."""
    shown = total(row.get("impressions") for row in social_rows(tables, period, platforms))
    return ratio(social_engagements(tables, period, platforms=platforms), shown)


def social_engagement_rate_by_followers(
    tables: Tables, period: Period, *, platforms: Collection[str] = SOCIAL_PLATFORMS
) -> float | None:
    """Social engagements per follower, told by the only social campaign row."""
    followers = of_one_row(social_rows(tables, period, platforms), "followers")
    return ratio(social_engagements(tables, period, platforms=platforms), followers)


# --- KPIs: awareness -----------------------------------------------------------------------------


def awareness(tables: Tables, period: Period, kind: str, *, weighted: bool) -> float | None:
    """Share of the answers of a kind in which the brand was recalled; a null answer is a no.

    Each answer counts; those of one person are not merged.
    """
    answers = [
        row
        for row in table(tables, "surveys")
        if row.get("survey_type") == kind and inside(row.get("responded_at"), period)
    ]

    def weight(row: Row) -> Number:
        value = row.get("weight")
        return value if weighted and value is not None else 1

    recalled = total(weight(row) for row in answers if is_true(row.get("brand_recalled")))
    return ratio(recalled, total(weight(row) for row in answers))


def unaided_brand_awareness(tables: Tables, period: Period) -> float | None:
    """Share of the asked who name the brand unprompted, by weight; a null weight is 1."""
    return awareness(tables, period, "brand_unaided", weighted=True)


def aided_brand_awareness(tables: Tables, period: Period) -> float | None:
    """Share of the asked who know the brand when prompted, by weight; a null weight is 1."""
    return awareness(tables, period, "brand_aided", weighted=True)


def unaided_brand_awareness_unweighted(tables: Tables, period: Period) -> float | None:
    """Share of the answers that name the brand unprompted."""
    return awareness(tables, period, "brand_unaided", weighted=False)


def aided_brand_awareness_unweighted(tables: Tables, period: Period) -> float | None:
    """Share of the answers that know the brand when prompted."""
    return awareness(tables, period, "brand_aided", weighted=False)


def share_of_search(tables: Tables, period: Period) -> float | None:
    """Searches for the brand as a share of those for the category."""
    rows = table(tables, "search_interest")
    rows = [row for row in rows if inside(midnight(row.get("date")), period)]
    category = total(row.get("category_queries") for row in rows)
    return ratio(total(row.get("brand_queries") for row in rows), category)


# --- KPIs: traffic -------------------------------------------------------------------------------


def new_visitor_rate(tables: Tables, period: Period) -> float | None:
    """Share of the period's visitors whose first visit of all, by a human, lies in it.

    By a key, a visitor is new where that first visit was, and nowhere else.
    """
    visits, numbers = visits_in(tables, period), visit_numbers(tables)
    newcomers = [visit for visit in visits if numbers.get(visit.session_id) == 1]
    return ratio(distinct_visitors(newcomers), distinct_visitors(visits))


def page_views(tables: Tables, period: Period) -> Number:
    """Pages viewed in human visits begun in the period, counted from events unless supplied.

    The visits' sum is the default since only visits tell bots from humans.
    """
    return total(visit.page_views for visit in visits_in(tables, period))


def page_views_of_events(tables: Tables, period: Period) -> int:
    """Page views that occurred in the period, also those without a visit."""
    return len(events_called(tables, period, {"page_view"}))


def traffic_source_share(
    tables: Tables, period: Period, *, channels: Collection[Any] | None = None
) -> float | None:
    """Share of the human visits that came by some channels; all channels together are all.

    A null in a supplied channel is a channel of its own.
    """
    return share_of_visits(tables, period, lambda v: channels is None or v.channel in channels)


# --- KPIs: engagement ----------------------------------------------------------------------------


def engaged_sessions(tables: Tables, period: Period, *, min_seconds: Number = 10) -> int:
    """Number of human visits that were engaged; those of exactly the threshold were not."""
    visits = visits_in(tables, period, min_seconds=min_seconds)
    return distinct_visits(visit for visit in visits if visit.is_engaged)


def bounce_rate_single_page(tables: Tables, period: Period) -> float | None:
    """Share of the human visits with exactly one page view; unknown views are not one."""
    return share_of_visits(tables, period, lambda visit: visit.page_views == 1)


def pages_per_session(tables: Tables, period: Period) -> float | None:
    """Page views per human visit; a visit of unknown views counts as a visit."""
    return ratio(page_views(tables, period), session_count(tables, period))


def average_session_duration(tables: Tables, period: Period) -> float | None:
    """Mean seconds of the human visits whose length is known; no cap."""
    return mean(visit.duration_s for visit in visits_in(tables, period))


def average_session_duration_median(tables: Tables, period: Period) -> float | None:
    """Median seconds of the human visits whose length is known."""
    return quantile((visit.duration_s for visit in visits_in(tables, period)), 0.5)


def content_interactions(
    tables: Tables, period: Period, *, names: Collection[str] = CONTENT_EVENTS
) -> int:
    """Number of content events that occurred in the period, also those without a visit."""
    return len(events_called(tables, period, names))


def content_interaction_rate(
    tables: Tables, period: Period, *, names: Collection[str] = CONTENT_EVENTS
) -> float | None:
    """Share of the human visits with a content event, whenever in the visit it occurred."""
    return share_of_visits(tables, period, lambda visit: bool(visit.event_names & set(names)))


def product_view_rate(tables: Tables, period: Period) -> float | None:
    """Share of the human visits in which a product was looked at."""
    return share_of_visits(tables, period, lambda visit: visit.has_product_view)


def page_load_time(tables: Tables, period: Period, *, share: float = 0.75) -> float | None:
    """Milliseconds in which three of four page views had loaded."""
    views = events_called(tables, period, {"page_view"})
    return quantile((view.get("load_ms") for view in views), share)


TRAFFIC_ORACLES: dict[str, Callable[[Tables, Period], Value]] = {
    **{
        kpi.__name__: kpi
        for kpi in (
            impressions,
            reach,
            ad_frequency,
            new_visitor_rate,
            page_views,
            traffic_source_share,
            social_engagements,
            social_engagement_rate,
            unaided_brand_awareness,
            aided_brand_awareness,
            share_of_search,
            cost_per_mille,
            cost_per_click,
            engaged_sessions,
            pages_per_session,
            average_session_duration,
            content_interactions,
            content_interaction_rate,
            product_view_rate,
            page_load_time,
        )
    },
    "reach.platform": reach_of_platform,
    "reach.upper_bound": reach_upper_bound,
    "reach.lower_bound": reach_lower_bound,
    "social_engagement_rate.by_impressions": social_engagement_rate_by_impressions,
    "social_engagement_rate.by_followers": social_engagement_rate_by_followers,
    "unaided_brand_awareness.unweighted": unaided_brand_awareness_unweighted,
    "aided_brand_awareness.unweighted": aided_brand_awareness_unweighted,
    "page_views.events": page_views_of_events,
    "bounce_rate.single_page": bounce_rate_single_page,
    "average_session_duration.median": average_session_duration_median,
}
