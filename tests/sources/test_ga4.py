"""Google Analytics 4: the samples' numbers are counted by hand in their rows.

Sessions are those of u1 (two), u2, u3 and u4; u1 and u2 have the same session number. The order
T1 was sent twice, and one purchase has no transaction.
"""

import json
import shutil
from io import StringIO

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

EVENTS = SAMPLES / "ga4_events.jsonl"
REPORT = SAMPLES / "ga4_report.csv"
HAND = {
    "sessions": 5,
    "unique_visitors": 4,
    "page_views": 4,
    "engaged_sessions": 3,  # both of u1, and u4's
    "bounce_rate": 2 / 5,
    "pages_per_session": 4 / 5,
    "session_conversion_rate": 2 / 5,  # both sessions of u1 have an order
    "visitor_conversion_rate": 1 / 4,
    "add_to_cart_rate": 1 / 5,
    "reached_checkout_rate": 1 / 5,
    "cart_to_view_rate": 1 / 2,  # u1 viewed the mug and the tea, and took the mug
    "average_session_duration": (5 * 60 + 5 * 60) / 5,
    "orders": 2,
    "gross_sales": 2 * 50 + 20 + 2 * 20,
    "units_sold": 2 + 1 + 2,
    "average_order_value": 160 / 2,
    "average_order_value.purchase_events": (120 + 40 + 5) / 3,
    "net_sales": 160 - 50,
    "customers": 1,
    "repeat_purchase_rate": 1,
}
BY_REPORT = {
    "sessions": 1200 + 300 + 1000 + 4,
    "engaged_sessions": 700 + 240 + 500,
    "engagement_rate": 1440 / 2504,
    "bounce_rate": 1 - 1440 / 2504,
    "page_views": 3000 + 900 + 2000 + 4,
    "pages_per_session": 5904 / 2504,
    "orders_per_session": 45 / 2504,
    "session_conversion_rate.orders": 45 / 2504,
    "unique_visitors": None,  # of several rows
}


def shop_of(events=EVENTS, **settings):
    return fk.sources.ga4_bigquery(events, time_zone="Europe/Warsaw", **settings)


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)


def test_parquet_a_folder_and_a_frame_are_read_alike(tmp_path):
    frame = pl.read_ndjson(EVENTS)
    whole = pl.col("event_timestamp").cast(pl.Int64)
    assert_values(shop_of(frame.with_columns(whole)), HAND)
    frame[:9].write_parquet(tmp_path / "events_20240501.parquet")
    frame[9:].write_parquet(tmp_path / "events_20240502.parquet")
    assert_values(shop_of(tmp_path), HAND)


def test_days_are_local_and_channels_those_of_the_session():
    daily = fk.evaluate(shop_of(), ["sessions", "orders"], every="1d").frame
    assert daily.rows()[1][1:] == (1, 1)  # 21:30 UTC on 2 May; 22:10 UTC is of 3 May in Warsaw
    found = fk.evaluate(shop_of(), "session_conversion_rate", by="channel").frame
    assert dict(found.rows()) == {"Direct": 1 / 4, "Email": 1}


def test_columns_that_lack_are_told_at_once():
    frame = pl.read_ndjson(EVENTS).drop("user_pseudo_id", "event_name")
    with pytest.raises(fk.ContractError) as caught:
        shop_of(frame)
    assert [fault.column for fault in caught.value.faults] == ["event_name", "user_pseudo_id"]


def test_parameters_must_be_nested_and_times_in_microseconds():
    frame = pl.read_ndjson(EVENTS)
    with pytest.raises(fk.ContractError, match="expected a list of keys and values"):
        shop_of(frame.with_columns(event_params=pl.lit("page=1")))
    millis = pl.col("event_timestamp").cast(pl.Int64) // 1000
    with pytest.raises(fk.ContractError, match="1714521600000 is not in microseconds, in 15 rows"):
        shop_of(frame.with_columns(event_timestamp=millis))


def test_an_export_without_purchases_has_sessions():
    frame = pl.read_ndjson(EVENTS).drop("ecommerce", "items", "device", "geo")
    assert_values(shop_of(frame), {"sessions": 5, "page_views": 4, "orders": 0})


def sold(tmp_path, **changes):
    """Return the shop of a file in which the first purchase has other values."""
    found = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    sale = next(each for each in found if each["event_name"] == "purchase")
    for path, value in changes.items():
        match path.split("__"):
            case ["items", name]:
                sale["items"] = [{**item, name: value} for item in sale["items"]]
            case ["ecommerce", name]:
                sale["ecommerce"][name] = value
            case _:
                sale[path] = value
    file = tmp_path / "events.jsonl"
    file.write_text("\n".join(map(json.dumps, found)))
    return shop_of(file)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"items": []}, "items: 'T1' is a purchase without items that have a price"),
        ({"items__price": None}, "items: 'T1' is a purchase without items that have a price"),
        ({"items__price": "50,00"}, "items.price: '50,00' is not a number"),
        ({"ecommerce__tax_value": "1 zł"}, "ecommerce.tax_value: '1 zł' is not a number"),
        ({"event_timestamp": None}, "event_timestamp: None is not in microseconds"),
        ({"event_timestamp": "2024-05-01"}, "event_timestamp: '2024-05-01' is not a number"),
        ({"event_name": "refund"}, "ecommerce.refund_value: None is no value of a refund"),
        (
            {"event_name": "refund", "ecommerce__refund_value": -5.0},
            "ecommerce.refund_value: -5.0 is no value of a refund",
        ),
    ],
)
def test_events_that_would_change_sales_silently_are_told(tmp_path, changes, words):
    with pytest.raises(fk.ContractError) as caught:
        sold(tmp_path, **changes)
    assert words in str(caught.value)


def test_amounts_are_in_the_currency_of_the_event():
    engaged, currency = '"session_engaged", "value": {"string_value": "1"', '"currency", "value": '
    text = EVENTS.read_text().replace(engaged, currency + '{"string_value": "PLN"')
    assert shop_of(pl.read_ndjson(StringIO(text))).data.currency == "PLN"
    at = text.rindex("PLN", 0, text.index('"T2"'))
    frame = pl.read_ndjson(StringIO(text[:at] + "EUR" + text[at + 3 :]))
    with pytest.raises(fk.ContractError, match="holds EUR and PLN"):
        fk.evaluate(shop_of(frame), "gross_sales")


def test_the_first_purchase_is_the_earliest_in_whatever_order_they_are():
    shop = shop_of(pl.read_ndjson(EVENTS).reverse())
    assert_values(shop, {"average_order_value.purchase_events": (120 + 40 + 5) / 3})
    assert "1 purchases without one" in notes_of(shop, "ignored")["ecommerce.transaction_id"]


def test_a_day_that_is_in_two_files_is_a_fault(tmp_path):
    for name in ("events_20240501", "events_intraday_20240502"):
        shutil.copy(EVENTS, tmp_path / f"{name}.jsonl")
    shop_of(tmp_path)
    shutil.copy(EVENTS, tmp_path / "events_20240502.jsonl")
    with pytest.raises(fk.ContractError, match="has the events of 20240502 twice"):
        shop_of(tmp_path)
    with pytest.raises(fk.ContractError, match="is neither Parquet nor JSON"):
        shop_of(REPORT)


def test_the_report_has_totals_by_day():
    shop = fk.sources.ga4_report(REPORT)
    assert_values(shop, BY_REPORT)
    daily = fk.evaluate(shop, "unique_visitors", by="channel", every="1d").frame
    assert daily.get_column("unique_visitors").to_list() == [1000, 250, 900, 4]
    assert "the total of the others" in notes_of(shop, "ignored")["ga4_report.csv"]


def test_a_report_without_days_or_of_other_words_is_a_fault(tmp_path):
    text = REPORT.read_text()
    path = tmp_path / "report.csv"
    path.write_text(text.replace(",Date,", ",Month,"))
    with pytest.raises(fk.ContractError, match="Date: is not among its columns"):
        fk.sources.ga4_report(path)
    path.write_text(text.replace("20240501,300", "1 May 2024,300"))
    with pytest.raises(fk.ContractError, match="row 12: '1 May 2024' is not a day"):
        fk.sources.ga4_report(path)
    path.write_text(text.replace('"2,504"', "9"))
    with pytest.raises(fk.ContractError, match="has no Date, and is not the total"):
        fk.sources.ga4_report(path)


def test_rows_of_the_report_that_would_add_up_wrongly_are_told(tmp_path):
    text, path = REPORT.read_text(), tmp_path / "report.csv"
    path.write_text(text.replace('"1,200"', "1.200"))
    with pytest.raises(fk.ContractError, match=r"Sessions: row 11: 1\.2 is not a whole number"):
        fk.sources.ga4_report(path)
    path.write_text(text.replace("Email,20240501", "\nEmail,20240501"))
    assert_values(fk.sources.ga4_report(path), BY_REPORT)
