"""The KPIs of the funnel against plain-Python functions of their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from oracle import comparing_visits as comparing
from oracle.comparing_visits import Subject
from oracle.parts import CHANNEL, CHANNEL_OF_CART, CHANNEL_OF_EVENT, PLATFORM, SALES_CHANNEL
from oracle.test_oracle import few
from oracle.words_carts import CART_ORACLES
from oracle.words_funnel import FUNNEL_ORACLES

ORACLES = {**FUNNEL_ORACLES, **CART_ORACLES}
OF_EVENTS = (
    "goal_conversion_rate.goals",
    "cart_to_view_rate",
    "cart_to_view_rate.quantities",
    "purchase_to_view_rate",
)
OF_ORDERS = tuple(
    name
    for name in ORACLES
    if name.split(".")[0]
    in {"purchase_journey_duration", "time_to_first_purchase", "sessions_to_purchase"}
)
OF_CARTS = (
    "cart_abandonment_rate.one_hour",
    "checkout_abandonment_rate",
    "abandoned_cart_value",
    "abandoned_cart_value.visitors",
    "cart_recovery_rate",
)
KEYS = {
    **dict.fromkeys(ORACLES, CHANNEL),
    **dict.fromkeys(OF_EVENTS, CHANNEL_OF_EVENT),
    **dict.fromkeys(OF_ORDERS, SALES_CHANNEL),
    **dict.fromkeys(OF_CARTS, CHANNEL_OF_CART),
    "ad_conversion_rate": PLATFORM,
}
KEEP = {
    **dict.fromkeys(OF_ORDERS, ("session_id",)),
    **dict.fromkeys(OF_CARTS, ("checkout_started_at", "last_activity_at")),
    "visitor_conversion_rate.by_order": ("session_id",),
}
DROP = {"cart_recovery_rate": {"carts": ("abandoned_at", "is_converted")}}
SUBJECTS = [
    Subject(
        name=name,
        oracle=oracle,
        key=KEYS[name],
        keep=KEEP.get(name, ()),
        more=("sessions",) if name == "sessions_to_purchase" else (),
        drop=DROP.get(name, {}),
        without=("events",) if name == "visitor_conversion_rate.by_order" else (),
    )
    for name, oracle in ORACLES.items()
    if name in fk.registry()
]


@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_the_funnel_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_over_a_range(kpi, data)


@pytest.mark.slow
@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_the_funnel_by_month_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_month(kpi, data)


@pytest.mark.slow
@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_the_funnel_by_key_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_key(kpi, data)


@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_the_funnel_by_key_and_month_is_what_its_words_say(
    kpi: Subject, data: st.DataObject
):
    comparing.compare_by_key_and_month(kpi, data)
