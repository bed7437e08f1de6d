"""Words that a condition compares with: their case, and blanks around them, do not matter."""

import datetime as dt

import duckdb
import polars as pl
import pytest

import funnelkit as fk
from funnelkit import Count, Sessions
from small_frames import NOON, value

SESSIONS = pl.DataFrame(
    {
        "session_id": range(5),
        "visitor_id": range(5),
        "started_at": [NOON] * 5,
        "channel": ["email ", "Email", "paid", None, "EMAIL-2"],
        "country": ["pl ", "PL", "DE", None, "PL-2"],
        "landing": ["/Sale", "/sale", "/", "/", "/x"],
        "source": ["MyDSP", "mydsp", "google", "google", "google"],
    }
)
ORDERS = pl.DataFrame(
    {
        "order_id": range(5),
        "ordered_at": [NOON] * 5,
        "status": ["paid"] * 5,
        "session_id": range(5),
        "gross_amount": [1.0, 2.0, 4.0, 8.0, 16.0],
        "discount_amount": [0.0] * 5,
    }
)


@pytest.fixture
def shop():
    return fk.Shop(sessions=SESSIONS, orders=ORDERS)


@pytest.mark.parametrize(
    ("where", "sessions"),
    [
        ("channel == 'Email'", 2),
        ("'eMail ' == channel", 2),
        ("channel != 'email'", 2),
        ("channel in ['EMAIL', 'Paid']", 3),
        ("not channel in ['EMAIL', 'Paid']", 1),
        ("coalesce(channel, 'none') == 'Email'", 2),
        ("channel == 'telephone'", 0),
        ("landing == '/SALE'", 0),
        ("landing == '/Sale'", 1),
        ("source == 'mydsp'", 2),
        ("country == 'Pl'", 2),
        ("not country == 'PL'", 2),
        ("country == 'PL ' and channel == 'EMAIL'", 2),
    ],
)
def test_a_condition_finds_every_spelling_of_a_text(shop, where, sessions):
    """Compared exactly, 'Email' was found in one row, and 'EMAIL' in none."""
    for _ in range(2):  # the words are learnt once
        assert value(shop, Count(Sessions), where=where) == sessions


def test_a_condition_on_the_row_that_a_key_points_to_finds_every_spelling(shop):
    assert fk.evaluate(shop, "gross_sales", where="channel == 'EMAIL'").frame.item() == 3.0


def test_a_condition_within_a_formula_finds_every_spelling(shop):
    assert value(shop, Count(Sessions, where=Sessions.channel.eq("EMAIL"))) == 2


@pytest.mark.parametrize(
    ("by", "groups"),
    [
        ("country", [("DE", 1), ("PL", 2), ("PL-2", 1), (None, 1)]),
        ("channel", [("EMAIL-2", 1), ("Email", 2), ("paid", 1), (None, 1)]),
        ("source", [("MyDSP", 2), ("google", 3)]),
        ("landing", [("/", 2), ("/Sale", 1), ("/sale", 1), ("/x", 1)]),
    ],
)
def test_a_group_holds_what_the_condition_on_its_key_holds(shop, by, groups):
    found = fk.evaluate(shop, "sessions", by=by).frame
    assert found.rows() == groups
    for key, sessions in groups:
        if key is not None:
            where = f"{by} == {key!r}"
            assert fk.evaluate(shop, "sessions", where=where).frame.item() == sessions


def test_a_word_of_two_tables_is_one_group():
    """Sessions of PL and orders of customers of pl were two rows, each without the other."""
    customers = pl.DataFrame({"customer_id": [1, 2, 3], "country": ["pl", "pl", "DE"]})
    orders = ORDERS.with_columns(customer_id=pl.Series([1, 2, 3, 3, 3])).drop("session_id")
    shop = fk.Shop(sessions=SESSIONS, orders=orders, customers=customers)
    found = fk.evaluate(shop, ["sessions", "gross_sales"], by="country").frame
    assert found.rows() == [("DE", 1, 28.0), ("PL-2", 1, 0.0), ("pl", 2, 3.0), (None, 1, 0.0)]


def test_a_blank_word_is_null():
    shop = fk.Shop(sessions=SESSIONS.with_columns(country=pl.lit(" ")))
    assert fk.evaluate(shop, "sessions", by="country").frame.rows() == [(None, 5)]


def test_a_statement_finds_every_spelling_that_was_found(shop):
    wanted = {"by": "country", "where": "country == 'pl'"}
    statement = fk.to_sql(shop, "sessions", **wanted, dialect="duckdb")
    with duckdb.connect() as connection:
        connection.register("sessions", SESSIONS)
        found = pl.DataFrame(connection.sql(statement))
    assert found.rows() == fk.evaluate(shop, "sessions", **wanted).frame.rows() == [("PL", 2)]


def test_a_file_that_grows_is_read_for_its_words_again(tmp_path):
    path = tmp_path / "sessions.parquet"
    SESSIONS.write_parquet(path)
    shop = fk.Shop(sessions=path)
    assert value(shop, Count(Sessions), where="country == 'de'") == 1
    SESSIONS.with_columns(country=pl.lit("De ")).write_parquet(path)
    assert value(shop, Count(Sessions), where="country == 'DE'") == 5


def test_a_step_of_a_funnel_finds_every_spelling(shop):
    later = NOON + dt.timedelta(minutes=5)
    events = pl.DataFrame(
        {
            "event_id": [1, 2, 3],
            "visitor_id": [0, 0, 1],
            "session_id": [0, 0, 1],
            "occurred_at": [NOON, later, NOON],
            "event_name": ["Quiz_Started", "purchase", "quiz_started"],
        }
    )
    shop = fk.Shop(events=events, sessions=SESSIONS)
    found = fk.funnel(shop, ["quiz_started", "purchase"]).frame
    assert found.get_column("entities").to_list()[0] == 2
