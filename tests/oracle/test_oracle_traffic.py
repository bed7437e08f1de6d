"""The KPIs of traffic and engagement against plain-Python functions of their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from oracle import comparing_visits as comparing
from oracle.comparing_visits import Subject
from oracle.parts import (
    CHANNEL,
    CHANNEL_OF_EVENT,
    PLATFORM,
    STORE,
    VIEWED_CAMPAIGN,
)
from oracle.test_oracle import few
from oracle.words_traffic import TRAFFIC_ORACLES

KEYS = {
    **dict.fromkeys(TRAFFIC_ORACLES, CHANNEL),
    **dict.fromkeys(
        (
            "impressions",
            "cost_per_mille",
            "cost_per_click",
            "social_engagements",
            "social_engagement_rate.by_impressions",
            "reach.upper_bound",
            "reach.lower_bound",
            "reach.platform",
            "social_engagement_rate",
            "social_engagement_rate.by_followers",
        ),
        PLATFORM,
    ),
    **dict.fromkeys(("reach", "ad_frequency"), VIEWED_CAMPAIGN),
    **dict.fromkeys((name for name in TRAFFIC_ORACLES if "brand_awareness" in name), STORE),
    **dict.fromkeys(
        ("page_views.events", "content_interactions", "page_load_time"), CHANNEL_OF_EVENT
    ),
    "share_of_search": None,
}
BY_HAND = {"traffic_source_share", "social_engagement_rate.by_followers"}
"""KPIs that the shops of these tests cannot be asked for; they have tests by hand."""

SUBJECTS = [
    Subject(name=name, oracle=oracle, key=KEYS[name])
    for name, oracle in TRAFFIC_ORACLES.items()
    if name in fk.registry() and name not in BY_HAND
]
WITH_KEY = [kpi for kpi in SUBJECTS if kpi.key is not None]


@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_traffic_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_over_a_range(kpi, data)


@pytest.mark.slow
@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_traffic_by_month_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_month(kpi, data)


@pytest.mark.slow
@pytest.mark.parametrize("kpi", WITH_KEY, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_traffic_by_key_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_key(kpi, data)


@pytest.mark.parametrize("kpi", WITH_KEY, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_traffic_by_key_and_month_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_key_and_month(kpi, data)
