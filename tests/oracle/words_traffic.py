"""Plain-Python second opinion on the KPIs of traffic, advertising reach and engagement.

What a row, a null, a period and a bot are, `words` says. Where the words leave a choice, the
docstring says which one was made.
"""

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from oracle.words import (
    Number,
    Period,
    Row,
    Tables,
    Value,
    ad_spend,
    all_orders,
    campaign_rows,
    has_column,
    inside,
    is_true,
    midnight,
    ratio,
    table,
    total,
)
from oracle.words import sessions as session_count

CONTENT_EVENTS = frozenset(
    {
        "scroll_90",
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

ChannelRule = tuple[Callable[[Row], bool], str]


@dataclass(frozen=True)
class Visit:
    """One visit by a human with everything that is derived about it."""

    session_id: Any
    visitor_id: Any
    started_at: datetime | None
    first_seen_at: datetime | None
    duration_s: Value
    page_views: Value
    channel: Any
    has_product_view: bool
    has_add_to_cart: bool
    has_checkout: bool
    has_purchase: bool
    has_key_event: bool
    is_engaged: bool
    event_names: frozenset[Any]


# --- events --------------------------------------------------------------------------------------


def has_events(tables: Tables) -> bool:
    """Tell whether there are events, and what they are called."""
    return has_column(table(tables, "events"), "event_name")


def human_events(tables: Tables, period: Period | None = None) -> list[Row]:
    """Pick the events not known to be of a bot's visit; those that occurred in the period, if any.

    An event without a visit, or of a visit that is not in the data, stays.
    """
    bots = {
        row.get("session_id") for row in table(tables, "sessions") if is_true(row.get("is_bot"))
    }
    return [
        row
        for row in table(tables, "events")
        if (row.get("session_id") is None or row["session_id"] not in bots)
        and (period is None or inside(row.get("occurred_at"), period))
    ]


def events_called(tables: Tables, period: Period, names: Collection[str]) -> list[Row]:
    """Pick the human events of these names that occurred in the period."""
    return [row for row in human_events(tables, period) if row.get("event_name") in names]


def is_key_event(tables: Tables) -> Callable[[Row], bool]:
    """Tell key events: by their own column, else purchases are."""
    if has_column(table(tables, "events"), "is_key_event"):
        return lambda row: is_true(row.get("is_key_event"))
    return lambda row: row.get("event_name") == "purchase"


def events_by_session(tables: Tables) -> dict[Any, list[Row]]:
    """Group the events of the whole history by their visit; those without one are dropped."""
    groups: dict[Any, list[Row]] = {}
    for row in table(tables, "events"):
        if row.get("session_id") is not None:
            groups.setdefault(row["session_id"], []).append(row)
    return groups


# --- visits --------------------------------------------------------------------------------------


def channel_of(row: Row, rules: Sequence[ChannelRule] = ()) -> str:
    """Name the channel by the first rule that holds; without any origin it is direct."""
    if all(row.get(name) is None for name in ("source", "medium", "campaign")):
        return "Direct"
    return next((channel for holds, channel in rules if holds(row)), "Unassigned")


def first_seen(rows: Iterable[Row]) -> dict[Any, datetime]:
    """Give the first moment of each known visitor among these visits."""
    seen: dict[Any, datetime] = {}
    for row in rows:
        visitor, moment = row.get("visitor_id"), row.get("started_at")
        if visitor is not None and moment is not None:
            seen[visitor] = min(moment, seen.get(visitor, moment))
    return seen


def buying_sessions(tables: Tables) -> set[Any]:
    """Give the visits with a counted order; where orders name no visits, with a purchase event.

    The purchase event stands in for the whole table, not for a single visit: a visit whose order
    was cancelled has a purchase event and did not convert.
    """
    rows = tables.get("orders")
    if rows is not None and (not rows or has_column(rows, "session_id")):
        found = {order.session_id for order in all_orders(tables) if order.is_counted}
    else:
        events = table(tables, "events")
        found = {row.get("session_id") for row in events if row.get("event_name") == "purchase"}
    return found - {None}


def duration(row: Row, events: list[Row], *, has_end: bool) -> Value:
    """Give the seconds from a visit's start to its end, which is that of its last event."""
    started = row.get("started_at")
    if has_end:
        ended = row.get("ended_at")
    else:
        moments = [event.get("occurred_at") for event in events]
        ended = max((moment for moment in moments if moment is not None), default=None)
    return None if started is None or ended is None else (ended - started).total_seconds()


def engaged(seconds: Value, views: Value, *, has_key_event: bool, min_seconds: Number) -> bool:
    """Tell whether a visit was long, or had a key event, or several views."""
    stayed = seconds is not None and seconds > min_seconds
    browsed = views is not None and views >= 2
    return stayed or has_key_event or browsed


def human_visits(
    tables: Tables, *, min_seconds: Number = 10, rules: Sequence[ChannelRule] = ()
) -> list[Visit]:
    """Read the visits of the whole history that are not known to be a bot's.

    A column that is there is taken as it is. Else: flags look at all events of the visit,
    whenever they occurred; a visitor is first seen in a visit that is not a bot's; a key event is
    one among the events or, where there are no events, a purchase.
    """
    rows = [row for row in table(tables, "sessions") if not is_true(row.get("is_bot"))]
    supplied = {name for row in rows for name in row}
    events_of, known_events = events_by_session(tables), has_events(tables)
    is_key, buying, seen = is_key_event(tables), buying_sessions(tables), first_seen(rows)

    def flag(row: Row, name: str, otherwise: bool) -> bool:
        return is_true(row.get(name)) if name in supplied else otherwise

    result: list[Visit] = []
    for row in rows:
        events = events_of.get(row.get("session_id"), [])
        names = frozenset(event.get("event_name") for event in events)
        counted_views = len([e for e in events if e.get("event_name") == "page_view"])
        views = counted_views if known_events else None
        if "page_views" in supplied:
            views = row.get("page_views")
        has_purchase = flag(row, "has_purchase", row.get("session_id") in buying)
        key_event = any(is_key(event) for event in events) if known_events else has_purchase
        has_key = flag(row, "has_key_event", key_event)
        lively = engaged(
            row.get("engaged_s"), views, has_key_event=has_key, min_seconds=min_seconds
        )
        result.append(
            Visit(
                session_id=row.get("session_id"),
                visitor_id=row.get("visitor_id"),
                started_at=row.get("started_at"),
                first_seen_at=(
                    row.get("first_seen_at")
                    if "first_seen_at" in supplied
                    else seen.get(row.get("visitor_id"))
                ),
                duration_s=(
                    row.get("duration_s")
                    if "duration_s" in supplied
                    else duration(row, events, has_end="ended_at" in supplied)
                ),
                page_views=views,
                channel=row.get("channel") if "channel" in supplied else channel_of(row, rules),
                has_product_view=flag(row, "has_product_view", "view_item" in names),
                has_add_to_cart=flag(row, "has_add_to_cart", "add_to_cart" in names),
                has_checkout=flag(row, "has_checkout", "begin_checkout" in names),
                has_purchase=has_purchase,
                has_key_event=has_key,
                is_engaged=flag(row, "is_engaged", lively),
                event_names=names,
            )
        )
    return result


def visits_in(tables: Tables, period: Period, **options: Any) -> list[Visit]:
    """Pick the human visits begun in the period."""
    return [v for v in human_visits(tables, **options) if inside(v.started_at, period)]


def distinct_visits(visits: Iterable[Visit]) -> int:
    """Count the different visits of known id."""
    return len({visit.session_id for visit in visits} - {None})


def distinct_visitors(visits: Iterable[Visit]) -> int:
    """Count the different known visitors."""
    return len({visit.visitor_id for visit in visits} - {None})


def share_of_visits(
    tables: Tables, period: Period, condition: Callable[[Visit], bool]
) -> float | None:
    """Share of the human visits of which a condition holds."""
    visits = visits_in(tables, period)
    return ratio(distinct_visits(v for v in visits if condition(v)), distinct_visits(visits))


def quantile(values: Iterable[Value], share: float) -> float | None:
    """Give a quantile of the known values, on the straight line between the two next to it."""
    known = sorted(value for value in values if value is not None)
    if not known:
        return None
    place = share * (len(known) - 1)
    low, high = known[math.floor(place)], known[math.ceil(place)]
    return low + (high - low) * (place - math.floor(place))


def mean(values: Iterable[Value]) -> float | None:
    """Give the mean of the known values."""
    known = [value for value in values if value is not None]
    return ratio(total(known), len(known))


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
    if "viewers" in tables:
        log = [r for r in table(tables, "viewers") if inside(r.get("viewed_at"), period)]
        return len({row.get("viewer_id") for row in log} - {None})
    return reach_of_platform(tables, period)


def reach_of_platform(tables: Tables, period: Period) -> Value:
    """Reach that the only campaign row tells."""
    return of_one_row(campaign_rows(tables, period), "reach")


def reach_upper_bound(tables: Tables, period: Period) -> Number:
    """Reach if nobody saw two campaigns."""
    return total_of_campaigns(tables, period, "reach")


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
    """Share of the period's visitors who were never seen before it; bots' visits are not seen."""
    visits = visits_in(tables, period)
    newcomers = [visit for visit in visits if inside(visit.first_seen_at, period)]
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
