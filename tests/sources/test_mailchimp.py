"""The report of Mailchimp's campaigns: 110 and 1,000 recipients, 108 and 990 deliveries."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

FILE = SAMPLES / "mailchimp_campaigns.csv"
ROWS = pl.read_csv(FILE, infer_schema=False)
HAND = {
    "emails_delivered": 108 + 990,
    "email_delivery_rate": 1098 / 1110,
    "email_bounce_rate": 12 / 1110,
    "email_bounce_rate.hard": 5 / 1110,
    "email_bounce_rate.soft": 7 / 1110,
    "email_open_rate": (30 + 99) / 1098,
    "email_open_rate.of_sent": 129 / 1110,
    "email_click_rate": (7 + 11) / 1098,
    "email_click_to_open_rate": 18 / 129,
    "email_unsubscribe_rate": 5 / 1098,
    "email_complaint_rate": 1 / 1098,
}


def test_its_numbers_are_those_computed_by_hand():
    shop = fk.sources.mailchimp(FILE, time_zone="Europe/Warsaw")
    assert_values(shop, HAND)
    assert_values(fk.sources.mailchimp(ROWS.rename({"Audience": "List"})), HAND)
    found = fk.evaluate(shop, "emails_delivered", every="1mo", by="campaign").frame
    assert found.rows() == [
        (dt.date(2024, 3, 1), "Spring, part 1", 108),
        (dt.date(2024, 4, 1), "Spring 2", 990),
    ]


def test_what_is_assumed_is_told_and_recipients_are_unknown():
    shop = fk.sources.mailchimp(FILE)
    assert "those of sending" in notes_of(shop, "assumed")["email_sends"]
    with pytest.raises(fk.MissingInputError, match=r"email_sends.recipient_id"):
        fk.evaluate(shop, "email_open_rate.of_recipients")


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("Send Date", "2024-03-31 23:30", "row 2: '2024-03-31 23:30' is not a time as in 'Jun 09"),
        ("Total Recipients", "7", "Total Recipients: row 2: 7.0 is not the sum of deliveries"),
        ("Unique Opens", "2000", "row 2: 2000.0 is above the deliveries, and in 2 more rows"),
        ("Unsubscribes", "0.5", "row 2: 0.5 is not a number of people"),
        ("Unique Id", "a", "row 3: 'a' is in it twice, and in 1 more rows"),
        ("Soft Bounces", "n/a", "row 2: 'n/a' is not a number with commas between thousands"),
    ],
)
def test_faults_are_told(column, value, words):
    with pytest.raises(fk.ContractError) as caught:
        fk.sources.mailchimp(ROWS.with_columns(pl.lit(value).alias(column)))
    assert words in str(caught.value)
