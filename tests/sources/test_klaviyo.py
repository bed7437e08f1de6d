"""Events of Klaviyo: M1 was sent to ten people, of whom two bounced; M2 to one."""

import json

import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

EVENTS = SAMPLES / "klaviyo_events.json"
HAND = {
    "emails_delivered": 8 + 1,
    "email_delivery_rate": 9 / 11,
    "email_bounce_rate": 2 / 11,
    "email_bounce_rate.hard": 1 / 11,
    "email_bounce_rate.soft": 1 / 11,
    "email_open_rate": 4 / 9,  # p1, p2 and p3 of M1, p1 of M2
    "email_open_rate.without_machines": 3 / 9,  # not p2
    "email_open_rate.of_sent": 4 / 11,
    "email_click_rate": 2 / 9,  # p1 and p4 of M1
    "email_click_to_open_rate": 2 / 5,  # a click of p4 implies an open
    "email_unsubscribe_rate": 1 / 9,
    "email_complaint_rate": 1 / 9,
}


def test_its_numbers_are_those_computed_by_hand():
    assert_values(fk.sources.klaviyo(EVENTS), HAND)


def test_names_of_metrics_are_read_in_any_case(tmp_path):
    found = json.loads(EVENTS.read_text())
    for each in found["included"]:
        each["attributes"]["name"] = f" {each['attributes']['name'].upper()}"
    path = tmp_path / "events.json"
    path.write_text(json.dumps(found))
    assert_values(fk.sources.klaviyo(path), HAND)


def test_opens_of_which_the_sending_is_not_there_are_told(tmp_path):
    found = json.loads(EVENTS.read_text())
    found["data"] = found["data"][1:]  # M1 was sent to p1, who opened it
    path = tmp_path / "events.json"
    path.write_text(json.dumps(found))
    shop = fk.sources.klaviyo(path)
    assert_values(shop, {"emails_delivered": 8, "email_open_rate": 3 / 8})
    assert notes_of(shop, "ignored")["email_sends"].startswith("1 messages opened or clicked")


def test_campaigns_are_compared():
    found = fk.evaluate(fk.sources.klaviyo(EVENTS), "email_open_rate", by="message_id").frame
    assert dict(found.rows()) == {"M1": 3 / 8, "M2": 1}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda found: found["included"].pop(0), "9 events are of a metric without a name"),
        (
            lambda found: found["data"][8]["attributes"]["event_properties"].pop("Bounce Type"),
            "1 bounces are neither hard nor soft",
        ),
        (
            lambda found: [
                each["attributes"].update(name="Opened Email") for each in found["included"]
            ],
            "opens and clicks alone, of which no file has the sending",
        ),
        (lambda found: found.pop("data"), "datetime: row 2: None, where a value is expected"),
    ],
)
def test_faults_are_told(tmp_path, change, words):
    found = json.loads(EVENTS.read_text())
    change(found)
    path = tmp_path / "events.json"
    path.write_text(json.dumps(found))
    with pytest.raises(fk.ContractError) as caught:
        fk.sources.klaviyo(path)
    assert words in str(caught.value)
