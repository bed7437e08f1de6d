"""What each sample is taken for, and folders of several exports."""

import shutil

import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

FORMATS = {
    "shopify_orders.csv": "shopify",
    "shopify_orders.json": "shopify_json",
    "woocommerce": "woocommerce",
    "woocommerce_orders.csv": "woocommerce_orders",
    "magento": "magento",
    "ga4_events.jsonl": "ga4_bigquery",
    "ga4_report.csv": "ga4_report",
    "google_ads.csv": "google_ads",
    "meta_ads.csv": "meta_ads",
    "tiktok_ads.csv": "tiktok_ads",
    "stripe_payments.csv": "stripe",
    "klaviyo_events.json": "klaviyo",
    "mailchimp_campaigns.csv": "mailchimp",
    "segment_events.jsonl": "segment",
    "olist": "olist",
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_sample_is_recognised_and_nothing_else(name):
    found = fk.sources.detect(SAMPLES / name)
    assert found.format == FORMATS[name]
    assert "has " in str(found)
    assert getattr(fk.sources, found.format)


def test_every_format_has_a_sample():
    others = {"Detected", "detect", "propose", "scan"}
    functions = set(fk.sources.__all__) - others
    assert set(FORMATS.values()) == functions


def test_what_is_closest_is_told(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_text("Name,Created at,Total,Subtotal\n#1,2024,1,1\n")
    found = fk.sources.detect(path)
    assert found.format == ""
    assert "closest to a Shopify orders export, which also has Currency" in found.why
    with pytest.raises(fk.DataError, match="no known format"):
        found.shop()
    path.write_text("a,b\n1,2\n")
    assert fk.sources.detect(path).why == "nothing in it is of a known format"
    with pytest.raises(fk.DataError, match="there is no file"):
        fk.sources.detect(tmp_path / "nothing.csv")


def test_a_folder_of_several_exports_is_one_shop(tmp_path):
    for name in ("shopify_orders.json", "google_ads.csv", "tiktok_ads.csv", "ga4_report.csv"):
        shutil.copy(SAMPLES / name, tmp_path)
    (tmp_path / "notes.txt").write_text("nothing")
    shop = fk.sources.scan(tmp_path, time_zone="Europe/Warsaw")
    assert_values(shop, {"orders": 3, "ad_spend": 1215 + 2000, "sessions": 2504, "net_sales": 118})
    assert shop.data.currency == "PLN"
    assert "a Google Ads report: has" in notes_of(shop, "recognised")["google_ads.csv"]
    assert "notes.txt" in notes_of(shop, "ignored")


def test_two_files_with_the_same_table_are_refused(tmp_path):
    for name in ("shopify_orders.json", "shopify_orders.csv"):
        shutil.copy(SAMPLES / name, tmp_path)
    with pytest.raises(fk.DataError, match="has orders, and so has another file"):
        fk.sources.scan(tmp_path)


def test_a_folder_of_one_format_is_read_as_it(tmp_path):
    shutil.copy(SAMPLES / "google_ads.csv", tmp_path / "may.csv")
    found = fk.sources.detect(tmp_path)
    assert found.format == "google_ads"
    assert found.why.startswith("every file is a Google Ads report")
    assert_values(fk.sources.scan(tmp_path), {"ad_spend": 1215})


def test_a_folder_of_nothing_known_is_told(tmp_path):
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(fk.DataError, match=r"notes\.txt: nothing in it is of a known format"):
        fk.sources.scan(tmp_path)
    (tmp_path / "notes.txt").unlink()
    with pytest.raises(fk.DataError, match="nor one of a known format"):
        fk.sources.scan(tmp_path)
