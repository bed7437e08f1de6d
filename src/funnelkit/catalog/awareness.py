"""Awareness: who sees the shop's ads and posts, who knows and searches for its brand."""

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
    description="How often ads and posts were shown.",
    includes="Every time one was served, paid or not, as the platforms report it; repeats to the "
    "same person count each time.",
    excludes="Nothing: group or filter by is_paid to keep paid and organic apart.",
    null_when="Never: no impressions are 0.",
    see_also=("reach", "click_through_rate", "cost_per_mille"),
    caveats="Mistaking it for people, or for ads that were seen: served is not viewable.",
    alternatives=("viewable impressions: those that were long enough on the screen.",),
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
    description="How many different people saw an ad.",
    includes="Each viewer of the viewers log once, over all campaigns and days of the question.",
    excludes="Views without a viewer id.",
    null_when="Never: no viewers are 0.",
    see_also=("impressions", "ad_frequency"),
    caveats="Adding the reach of days, campaigns or platforms: the same person is in each.",
    alternatives=(
        "reach.upper_bound and reach.lower_bound: what the reach that platforms report allows.",
    ),
    references=("Social engagement rate worked examples (third party)",),
    tags=("marketing", "distinct"),
)

reach_platform = replace(
    reach,
    name="reach.platform",
    title="Reach that a platform reports",
    aliases=("reported_reach",),
    formula=Sum(CampaignPerformance.reach, require_single=CampaignPerformance),
    description="How many people one campaign reached on one day, as its platform says.",
    includes="The reach of the only row of campaign_performance in the group and period.",
    excludes="Everything else: the reach of two rows cannot be added, the same person may be in "
    "both.",
    null_when="The group has more than one row: ask by date and campaign.",
    see_also=("reach", "reach.upper_bound", "reach.lower_bound"),
    caveats="Adding the rows of an export.",
    alternatives=("reach: different people, of a log of views.",),
    tags=("marketing",),
)

reach_upper_bound = replace(
    reach,
    name="reach.upper_bound",
    title="Reach, at most",
    aliases=(),
    formula=Sum(CampaignPerformance.reach, skip_nulls=False),
    description="How many different people the campaigns can have reached at most.",
    includes="The reach that each campaign reports for each day, added as if no two had a viewer "
    "in common.",
    excludes="Nothing: it would not be an upper bound.",
    null_when="A row reports no reach.",
    see_also=("reach", "reach.lower_bound"),
    caveats="Reporting it as the reach: it is the upper bound.",
    alternatives=("reach: different people, of a log of views.",),
    tags=("marketing", "bound"),
)

reach_lower_bound = replace(
    reach_upper_bound,
    name="reach.lower_bound",
    title="Reach, at least",
    formula=Max(CampaignPerformance.reach),
    description="How many different people the campaigns have reached at least.",
    includes="The largest reach that a campaign reports for a day: the others may be the same "
    "people.",
    null_when="No campaign reports its reach.",
    see_also=("reach", "reach.upper_bound"),
    caveats="Reporting it as the reach: it is the lower bound.",
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
    description="How often each person who was reached saw an ad.",
    includes="Impressions that the campaigns report over different people of the viewers log.",
    excludes="From the people: views without a viewer id.",
    null_when="Nobody was reached.",
    see_also=("impressions", "reach"),
    caveats="Averaging the frequencies of campaigns: people who saw several are in each. Below 1 "
    "the log holds people of whom the campaigns report no impression: the two do not cover the "
    "same ads.",
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
    description="What a thousand impressions cost.",
    includes="Spend over all impressions, times a thousand; the thousand is in the number.",
    excludes="Fees, tools and creative work, as they are no media cost.",
    null_when="There are no impressions.",
    see_also=("impressions", "cost_per_click", "ad_spend"),
    caveats="Averaging the CPM of campaigns; and unpaid impressions in the question, which cost "
    "nothing and make the paid ones look cheap.",
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
    description="What a click cost on average.",
    includes="Spend over clicks; the spend of campaigns that nobody clicked is in it.",
    excludes="Fees, tools and creative work, as they are no media cost.",
    null_when="There are no clicks, though money may have been spent.",
    see_also=("click_through_rate", "ad_spend", "ad_conversion_rate"),
    caveats="Taking it for the highest bid; and averaging the cost per click of campaigns.",
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
    description="How often people reacted to the shop on social networks.",
    includes="Reactions, comments, shares and saves on the platforms that are social networks.",
    excludes="Follows and clicks; platforms that are no social network.",
    null_when="Never: no engagements are 0.",
    see_also=("social_engagement_rate.by_impressions", "impressions"),
    caveats="Comparing networks: what each calls an engagement differs, clicks among them.",
    alternatives=("Some count new followers, some platforms count clicks.",),
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
    description="How many reactions a post drew from the people it reached.",
    includes="Reactions, comments, shares and saves over the reach of one row of a social network.",
    excludes="Follows and clicks; platforms that are no social network.",
    null_when="The group has more than one row, whose reach cannot be added, or reached nobody.",
    see_also=("social_engagements", "social_engagement_rate.by_impressions"),
    caveats="Comparing it with a rate by impressions or by followers: name the denominator. One "
    "person may react several times, so it can exceed one.",
    alternatives=(
        "social_engagement_rate.by_impressions: over impressions, which can be added over posts.",
        "social_engagement_rate.by_followers: over the followers of the account.",
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
    description="How many reactions a post drew, for each follower of the account.",
    includes="Reactions, comments, shares and saves over the followers that one row reports.",
    null_when="The group has more than one row, or there are no followers.",
    see_also=("social_engagements", "social_engagement_rate"),
    alternatives=("social_engagement_rate: over the people that were reached.",),
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
    description="How often a post that was shown got a reaction.",
    includes="Reactions, comments, shares and saves over impressions, on social networks.",
    excludes="Follows and clicks; platforms that are no social network.",
    null_when="There are no impressions on social networks.",
    see_also=("social_engagements", "impressions"),
    caveats="Comparing it with a rate by reach or by followers: name the denominator.",
    alternatives=(
        "by reach: over the people that one post reached, which cannot be added over posts.",
        "by followers: over the followers of the account.",
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
    description="Which share of the people surveyed names the brand without being prompted.",
    includes="Answers that name the brand over all answers, each by its weight, or 1 where it has "
    "none. Whoever names no brand, or gives no answer, stays in the denominator.",
    excludes="Questions that show the brand's name.",
    null_when="Nobody was surveyed.",
    see_also=("aided_brand_awareness", "share_of_search"),
    caveats="Surveying the shop's own customers: they all know the brand. The sample has to be "
    "of the people whom the shop wants to reach.",
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
    includes="Answers that name the brand over all answers, each as one.",
    see_also=("unaided_brand_awareness",),
    caveats="Reading it as the population's share when the sample does not represent it.",
    alternatives=("unaided_brand_awareness: every answer by the people it stands for.",),
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
    description="Which share of the people surveyed knows the brand when it is shown to them.",
    includes="Answers that recognise the brand over all answers, each by its weight.",
    excludes="Questions that do not show the brand's name.",
    null_when="Nobody was surveyed.",
    see_also=("unaided_brand_awareness", "share_of_search"),
    caveats="Reading it as recall: of one sample it cannot be below the unaided share.",
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
    includes="Answers that recognise the brand over all answers, each as one.",
    see_also=("aided_brand_awareness",),
    caveats="Reading it as the population's share when the sample does not represent it.",
    alternatives=("aided_brand_awareness: every answer by the people it stands for.",),
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
    description="Which share of the searches for a fixed set of brands is for the shop's brand.",
    includes="Searches for the brand over searches for all brands of the set, its own included.",
    excludes="Searches that name no brand of the set.",
    null_when="Nobody searched for any of the brands.",
    see_also=("unaided_brand_awareness",),
    caveats="Changing the set of brands midway; and adding indices from 0 to 100 of terms "
    "that were looked up separately: each is scaled by itself. It is only a proxy for awareness.",
    references=(_GUIDE,),
    tags=("brand", "search", "ratio"),
)
