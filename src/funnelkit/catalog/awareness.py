"""Awareness: the reach of ads and posts, brand awareness and branded search."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.formula.formulas import Count, CountDistinct, Max, Name, Sum
from funnelkit.formula.values import Coalesce
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.customers import Surveys
from funnelkit.schema.marketing import AdViews, CampaignPerformance
from funnelkit.schema.traffic import SearchInterest
from funnelkit.units import CLICK, ENGAGEMENT, FOLLOWER, IMPRESSION, MONEY, RATIO, VISITOR

__all__ = [
    "ad_frequency",
    "aided_brand_awareness",
    "aided_brand_awareness_unweighted",
    "cost_per_click",
    "cost_per_mille",
    "impressions",
    "reach",
    "reach_lower_bound",
    "reach_platform",
    "reach_upper_bound",
    "share_of_search",
    "social_engagement_rate",
    "social_engagement_rate_by_followers",
    "social_engagement_rate_by_impressions",
    "social_engagements",
    "unaided_brand_awareness",
    "unaided_brand_awareness_unweighted",
]

_GA4 = "GA4 Data API metric descriptions (vendor text, public copy)"
_ADS = "Google Ads terms with examples (third party)"
_SOCIAL = (
    "Social engagement rate worked examples (third party)",
    "Top 3 social metrics explained (third party)",
)
_BRAND = "What is brand awareness (aided, unaided) (third party)"
_GUIDE = "Brand awareness measurement guide (third party)"

impressions = Metric(
    name="impressions",
    title="Impressions",
    aliases=("ad_views",),
    formula=Sum(CampaignPerformance.impressions),
    unit=IMPRESSION,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of times ads and posts were served.",
    includes="Every impression, paid or organic, as the platforms report it; repeats to the same "
    "person count each time.",
    excludes="Nothing; group or filter by is_paid to separate paid from organic.",
    null_when="Never; it is 0 if there are no impressions.",
    see_also=("reach", "click_through_rate", "cost_per_mille"),
    caveats="Impressions are not people, and an ad that was served was not necessarily seen.",
    alternatives=("viewable impressions: those that stayed on the screen long enough.",),
    references=(_GA4, _ADS),
    tags=("marketing", "count"),
)

reach = Metric(
    name="reach",
    title="Reach",
    aliases=("unique_viewers",),
    formula=CountDistinct(AdViews.viewer_id),
    unit=VISITOR,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of distinct people who saw an ad.",
    includes="Each viewer in ad_views once, over all campaigns and days of the question.",
    excludes="Views without a viewer id.",
    null_when="Never; it is 0 if there are no viewers.",
    see_also=("impressions", "ad_frequency"),
    caveats="Do not sum reach over days, campaigns or platforms: the same person may be in each.",
    alternatives=(
        "reach.upper_bound and reach.lower_bound: limits from the reach that platforms report.",
    ),
    references=("Social engagement rate worked examples (third party)",),
    tags=("marketing", "distinct"),
)

reach_platform = replace(
    reach,
    name="reach.platform",
    title="Reach reported by a platform",
    aliases=("reported_reach",),
    formula=Sum(CampaignPerformance.reach, require_single=CampaignPerformance),
    description="Number of people whom one campaign reached on one day, as its platform reports "
    "it.",
    includes="The reach of the only row of campaign_performance in the group and period.",
    excludes="Nothing; the reach of two rows is never added, as the same person may be in both.",
    null_when="The group has more than one row: group by date and campaign.",
    see_also=("reach", "reach.upper_bound", "reach.lower_bound"),
    caveats="Do not sum the rows of an export.",
    alternatives=("reach: distinct people, from a log of views.",),
    tags=("marketing",),
)

reach_upper_bound = replace(
    reach,
    name="reach.upper_bound",
    title="Reach, upper bound",
    aliases=(),
    formula=Sum(CampaignPerformance.reach, skip_nulls=False),
    description="Largest possible number of distinct people reached.",
    includes="The sum of the reach that each campaign reports for each day, as if no two had a "
    "viewer in common.",
    excludes="Nothing; otherwise it would not be an upper bound.",
    null_when="A row reports no reach.",
    see_also=("reach", "reach.lower_bound"),
    caveats="It is a bound: do not report it as the reach.",
    alternatives=("reach: distinct people, from a log of views.",),
    tags=("marketing", "bound"),
)

reach_lower_bound = replace(
    reach_upper_bound,
    name="reach.lower_bound",
    title="Reach, lower bound",
    formula=Max(CampaignPerformance.reach),
    description="Smallest possible number of distinct people reached.",
    includes="The largest reach that any campaign reports for a day: all others may have reached "
    "the same people.",
    excludes="Every other row; rows without a reach.",
    null_when="No campaign reports its reach.",
    see_also=("reach", "reach.upper_bound"),
    caveats="It is a bound: do not report it as the reach.",
)

ad_frequency = Metric(
    name="ad_frequency",
    title="Ad frequency",
    aliases=("average_frequency",),
    formula="impressions / reach",
    unit=IMPRESSION / VISITOR,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.NEUTRAL,
    bounds=(0, None),
    description="Impressions divided by reach.",
    includes="Impressions that the campaigns report, divided by distinct people in ad_views.",
    excludes="Views without a viewer id, from the denominator.",
    null_when="Nobody was reached.",
    see_also=("impressions", "reach"),
    caveats="Do not average the frequencies of campaigns: people who saw several are in each. A "
    "value below 1 means that ad_views has people for whom the campaigns report no impression: "
    "the two do not cover the same ads.",
    references=("Field usage (convention)",),
    tags=("marketing",),
)

cost_per_mille = Metric(
    name="cost_per_mille",
    title="Cost per thousand impressions",
    aliases=("cpm", "cost_per_thousand_impressions"),
    formula=1000 * Name("ad_spend") / Name("impressions"),
    unit=MONEY / IMPRESSION,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Ad spend divided by impressions, times 1,000.",
    includes="All spend and all impressions of the campaigns; the factor 1,000 is part of the "
    "value.",
    excludes="Fees, tools and creative work, which are not media cost.",
    null_when="There are no impressions.",
    see_also=("impressions", "cost_per_click", "ad_spend"),
    caveats="Do not average the CPM of campaigns. Unpaid impressions in the data cost nothing "
    "and make the paid ones look cheap.",
    references=("CPM equation (third party)",),
    tags=("marketing", "cost"),
)

cost_per_click = Metric(
    name="cost_per_click",
    title="Cost per click",
    aliases=("cpc",),
    formula=Name("ad_spend") / Sum(CampaignPerformance.clicks),
    unit=MONEY / CLICK,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.ENGAGEMENT,
    direction=Direction.DOWN,
    bounds=(0, None),
    description="Ad spend divided by clicks.",
    includes="All spend, including that of campaigns without clicks, and all clicks.",
    excludes="Fees, tools and creative work, which are not media cost.",
    null_when="There are no clicks, even if there was spend.",
    see_also=("click_through_rate", "ad_spend", "ad_conversion_rate"),
    caveats="It is the average, not the maximum bid. Do not average the cost per click of "
    "campaigns.",
    references=(_GA4, _ADS),
    tags=("marketing", "cost"),
)

social_engagements = Metric(
    name="social_engagements",
    title="Social engagements",
    aliases=("social_interactions",),
    formula=Sum(CampaignPerformance.engagements, where=CampaignPerformance.is_social),
    unit=ENGAGEMENT,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of reactions, comments, shares and saves on social networks.",
    includes="Engagements as reported by the platforms that are social networks.",
    excludes="Follows and clicks; platforms that are not social networks.",
    null_when="Never; it is 0 if there are no engagements.",
    see_also=("social_engagement_rate.by_impressions", "impressions"),
    caveats="Networks differ in what they count as an engagement; some include clicks.",
    alternatives=("some definitions add new followers; some platforms add clicks.",),
    references=_SOCIAL[1:],
    tags=("social", "count"),
)

_SOCIAL_REACH = Sum(
    CampaignPerformance.reach,
    where=CampaignPerformance.is_social,
    require_single=CampaignPerformance,
)
_FOLLOWERS = Sum(
    CampaignPerformance.followers,
    where=CampaignPerformance.is_social,
    require_single=CampaignPerformance,
)

social_engagement_rate = Metric(
    name="social_engagement_rate",
    title="Social engagement rate",
    aliases=("engagement_rate_by_reach", "err"),
    formula=Name("social_engagements") / _SOCIAL_REACH,
    unit=(ENGAGEMENT / VISITOR).percent,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, None),
    description="Social engagements divided by reach.",
    includes="Reactions, comments, shares and saves divided by the reach of a single row of a "
    "social network.",
    excludes="Follows and clicks; platforms that are not social networks.",
    null_when="The group has more than one row, whose reach cannot be added, or nobody was "
    "reached.",
    see_also=("social_engagements", "social_engagement_rate.by_impressions"),
    caveats="Do not compare it with a rate by impressions or by followers: name the denominator. "
    "One person may react several times, so it can exceed 1.",
    alternatives=(
        "social_engagement_rate.by_impressions: by impressions, which can be summed over posts.",
        "social_engagement_rate.by_followers: by the followers of the account.",
    ),
    references=_SOCIAL,
    tags=("social", "ratio"),
)

social_engagement_rate_by_followers = replace(
    social_engagement_rate,
    name="social_engagement_rate.by_followers",
    title="Social engagement rate by followers",
    aliases=("engagement_rate_by_followers",),
    formula=Name("social_engagements") / _FOLLOWERS,
    unit=(ENGAGEMENT / FOLLOWER).percent,
    description="Social engagements divided by followers of the account.",
    includes="Reactions, comments, shares and saves divided by the followers that a single row "
    "reports.",
    null_when="The group has more than one row, or there are no followers.",
    see_also=("social_engagements", "social_engagement_rate"),
    caveats="Do not compare it with a rate by reach or by impressions: name the denominator. One "
    "person may react several times, so it can exceed 1.",
    alternatives=("social_engagement_rate: by reach.",),
)

social_engagement_rate_by_impressions = Metric(
    name="social_engagement_rate.by_impressions",
    title="Social engagement rate by impressions",
    aliases=("engagement_rate_by_impressions",),
    formula=Name("social_engagements")
    / Sum(CampaignPerformance.impressions, where=CampaignPerformance.is_social),
    unit=(ENGAGEMENT / IMPRESSION).percent,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, None),
    description="Social engagements divided by impressions on social networks.",
    includes="Reactions, comments, shares and saves, and all impressions on social networks.",
    excludes="Follows and clicks; platforms that are not social networks.",
    null_when="There are no impressions on social networks.",
    see_also=("social_engagements", "impressions"),
    caveats="Do not compare it with a rate by reach or by followers: name the denominator.",
    alternatives=(
        "social_engagement_rate: by the reach of one post, which cannot be summed over posts.",
        "social_engagement_rate.by_followers: by the followers of the account.",
    ),
    references=_SOCIAL,
    tags=("social", "ratio"),
)

_IS_UNAIDED = Surveys.survey_type.eq("brand_unaided")
_IS_AIDED = Surveys.survey_type.eq("brand_aided")
_WEIGHT = Coalesce(Surveys.weight, 1.0)

unaided_brand_awareness = Metric(
    name="unaided_brand_awareness",
    title="Unaided brand awareness",
    aliases=("spontaneous_recall", "spontaneous_awareness"),
    formula=Sum(_WEIGHT, where=_IS_UNAIDED & Surveys.brand_recalled)
    / Sum(_WEIGHT, where=_IS_UNAIDED),
    unit=RATIO,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the people surveyed who name the brand without being prompted.",
    includes="Weighted answers that name the brand divided by all weighted answers; an answer "
    "without a weight counts as 1. People who name no brand or give no answer stay in the "
    "denominator.",
    excludes="Questions that show the brand name.",
    null_when="Nobody was surveyed.",
    see_also=("aided_brand_awareness", "share_of_search"),
    caveats="Do not survey the shop's own customers, who all know the brand: the sample has to "
    "represent the target group.",
    alternatives=("unaided_brand_awareness.unweighted: every answer counts the same.",),
    references=(_GUIDE, _BRAND),
    tags=("survey", "brand", "ratio"),
)

unaided_brand_awareness_unweighted = replace(
    unaided_brand_awareness,
    name="unaided_brand_awareness.unweighted",
    title="Unaided brand awareness, unweighted",
    aliases=(),
    formula=Count(Surveys, where=_IS_UNAIDED & Surveys.brand_recalled)
    / Count(Surveys, where=_IS_UNAIDED),
    includes="Answers that name the brand divided by all answers.",
    see_also=("unaided_brand_awareness",),
    caveats="Do not take it for the share in the population if the sample does not represent it.",
    alternatives=("unaided_brand_awareness: each answer weighted by the people it represents.",),
)

aided_brand_awareness = Metric(
    name="aided_brand_awareness",
    title="Aided brand awareness",
    aliases=("prompted_recognition", "prompted_awareness"),
    formula=Sum(_WEIGHT, where=_IS_AIDED & Surveys.brand_recalled) / Sum(_WEIGHT, where=_IS_AIDED),
    unit=RATIO,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the people surveyed who recognise the brand when it is shown.",
    includes="Weighted answers that recognise the brand divided by all weighted answers; an "
    "answer without a weight counts as 1.",
    excludes="Questions that do not show the brand name.",
    null_when="Nobody was surveyed.",
    see_also=("unaided_brand_awareness", "share_of_search"),
    caveats="Do not take it for recall: in the same sample it cannot be below unaided awareness.",
    alternatives=("aided_brand_awareness.unweighted: every answer counts the same.",),
    references=(_BRAND,),
    tags=("survey", "brand", "ratio"),
)

aided_brand_awareness_unweighted = replace(
    aided_brand_awareness,
    name="aided_brand_awareness.unweighted",
    title="Aided brand awareness, unweighted",
    aliases=(),
    formula=Count(Surveys, where=_IS_AIDED & Surveys.brand_recalled)
    / Count(Surveys, where=_IS_AIDED),
    includes="Answers that recognise the brand divided by all answers.",
    see_also=("aided_brand_awareness",),
    caveats="Do not take it for the share in the population if the sample does not represent it.",
    alternatives=("aided_brand_awareness: each answer weighted by the people it represents.",),
)

share_of_search = Metric(
    name="share_of_search",
    title="Share of search",
    aliases=("branded_search_share",),
    formula=Sum(SearchInterest.brand_queries) / Sum(SearchInterest.category_queries),
    unit=RATIO,
    stage=Stage.AWARENESS,
    aida=AidaStage.AWARENESS,
    area=Area.TRAFFIC,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of searches for a fixed set of brands that are for the shop's brand.",
    includes="Searches for the brand divided by searches for all brands of the set, the shop's "
    "included.",
    excludes="Searches that name no brand of the set.",
    null_when="Nobody searched for any of the brands.",
    see_also=("unaided_brand_awareness",),
    caveats="Do not change the set of brands midway. Do not sum indices from 0 to 100 of terms "
    "that were queried separately, as each is scaled on its own. It is only a proxy for awareness.",
    references=(_GUIDE,),
    tags=("brand", "search", "ratio"),
)
