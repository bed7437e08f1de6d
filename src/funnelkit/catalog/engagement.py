"""Interest and engagement: who stays to look."""

from __future__ import annotations

from funnelkit.formula.formulas import Count
from funnelkit.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.tables import Sessions
from funnelkit.units import RATIO, SESSION

__all__ = ["bounce_rate", "engaged_sessions", "engagement_rate"]

_GA4 = "Google Analytics help, 'Engaged session' (vendor)"

engaged_sessions = Metric(
    name="engaged_sessions",
    title="Engaged sessions",
    formula=Count(Sessions, where=Sessions.is_counted & Sessions.is_engaged),
    unit=SESSION,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    better=Direction.UP,
    bounds=(0, None),
    description="How many visits showed interest.",
    counts="Visits longer than 10 seconds in the foreground, or with a goal reached, or with two "
    "or more pages seen.",
    leaves_out="Bots; visits of which none of the three is known.",
    null_when="Never: no engaged visits are 0.",
    read_with=("engagement_rate",),
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
    better=Direction.UP,
    bounds=(0, 1),
    description="Which share of visits showed interest.",
    counts="Engaged visits over all visits.",
    leaves_out="Bots, on both sides.",
    null_when="There are no visits.",
    read_with=("bounce_rate", "session_conversion_rate"),
    caveats="Comparing across the change of tools in 2023: the older bounce was another thing.",
    references=(_GA4,),
    tags=("traffic", "ratio"),
)

bounce_rate = Metric(
    name="bounce_rate",
    title="Bounce rate",
    formula="1 - engagement_rate",
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    better=Direction.DOWN,
    bounds=(0, 1),
    description="Which share of visits left without interest.",
    counts="Visits that were not engaged, over all visits: exactly one less the engagement rate.",
    leaves_out="Bots, on both sides.",
    null_when="There are no visits.",
    read_with=("engagement_rate",),
    caveats="Comparing with a single-page bounce rate, or with the bounce rate of e-mails.",
    competing=("Universal Analytics and Snowplow: visits with a single page view or hit.",),
    references=(_GA4, "reconstructr, 'bounce_rate' (third party)"),
    tags=("traffic", "ratio"),
)
