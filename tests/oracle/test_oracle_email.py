"""The KPIs of e-mail against plain-Python functions of their words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from oracle import comparing_visits as comparing
from oracle.comparing_visits import Subject
from oracle.parts import MESSAGE
from oracle.test_oracle import few
from oracle.words_email import EMAIL_ORACLES

SUBJECTS = [
    Subject(name=name, oracle=oracle, key=MESSAGE, keep=("is_machine_open",))
    for name, oracle in EMAIL_ORACLES.items()
    if name in fk.registry()
]


@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_email_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_over_a_range(kpi, data)


@pytest.mark.slow
@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_email_by_month_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_month(kpi, data)


@pytest.mark.slow
@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_email_by_key_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_key(kpi, data)


@pytest.mark.parametrize("kpi", SUBJECTS, ids=str)
@few
@given(data=st.data())
def test_a_kpi_of_email_by_key_and_month_is_what_its_words_say(kpi: Subject, data: st.DataObject):
    comparing.compare_by_key_and_month(kpi, data)
