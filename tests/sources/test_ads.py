"""Reports of advertising platforms: the samples' numbers are added up by hand."""

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

READ = {
    "google_ads": fk.sources.google_ads,
    "meta_ads": fk.sources.meta_ads,
    "tiktok_ads": fk.sources.tiktok_ads,
}
HAND = {
    "google_ads": {
        "impressions": 1000 + 500 + 800 + 12_000,
        "ad_spend": 100 + 75 + 40 + 1000,
        "click_through_rate": 200 / 14_300,
        "cost_per_click": 1215 / 200,
        "cost_per_mille": 1000 * 1215 / 14_300,
        "ad_conversion_rate": 12.5 / 200,
        "cost_per_acquisition": 1215 / 12.5,
        "return_on_ad_spend": 4000 / 1215,
        "advertising_cost_of_sales": 1215 / 4000,
    },
    "meta_ads": {
        "impressions": 4000 + 2000 + 6000 + 4000,
        "ad_spend": 100.25 + 50.25 + 150 + 100,
        "click_through_rate": 320 / 16_000,
        "cost_per_click": 400.5 / 320,
        "cost_per_mille": 1000 * 400.5 / 16_000,
        "ad_conversion_rate": 9 / 320,
        "cost_per_acquisition": 400.5 / 9,
        "return_on_ad_spend": 900 / 400.5,
        "advertising_cost_of_sales": 400.5 / 900,
        "reach.platform": None,  # of several rows
    },
    "tiktok_ads": {
        "impressions": 100_000 + 60_000,
        "ad_spend": 1250 + 750,
        "click_through_rate": 1500 / 160_000,
        "cost_per_click": 2000 / 1500,
        "cost_per_mille": 1000 * 2000 / 160_000,
        "ad_conversion_rate": 20 / 1500,
        "cost_per_acquisition": 2000 / 20,
        "return_on_ad_spend": 4000 / 2000,
        "advertising_cost_of_sales": 2000 / 4000,
        "reach.platform": None,
    },
}


def path_of(name):
    return SAMPLES / f"{name}.csv"


def rewritten(tmp_path, name, *changes, encoding="utf-8"):
    text = path_of(name).read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / f"{name}.csv"
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("name", READ)
def test_its_numbers_are_those_computed_by_hand(name):
    assert_values(READ[name](path_of(name)), HAND[name])


def test_rows_of_a_campaign_on_a_day_are_added_up():
    shop = fk.sources.google_ads(path_of("google_ads"))
    found = fk.evaluate(shop, "ad_spend", by="campaign_name", every="1d").frame
    assert found.get_column("ad_spend").to_list() == [175, 1000, 40, 0]
    assert "5 rows are added up to 4" in notes_of(shop, "assumed")["google_ads.csv"]


def test_the_reach_of_added_rows_is_unknown():
    frame = fk.sources.meta_ads(path_of("meta_ads")).frames["campaign_performance"].collect()
    reach = {(str(d), c): r for d, c, r in frame.select("date", "campaign_id", "reach").rows()}
    assert reach == {
        ("2024-05-01", "120"): None,
        ("2024-05-02", "120"): 4500,
        ("2024-05-01", "121"): 2000,
        ("2024-05-02", "121"): None,
    }


def test_currencies_are_those_of_the_reports():
    currencies = {name: READ[name](path_of(name)).data.currency for name in READ}
    assert currencies == {"google_ads": "PLN", "meta_ads": "EUR", "tiktok_ads": "PLN"}


def test_utf_16_with_tabs_is_read(tmp_path):
    frame = pl.read_csv(path_of("google_ads"), skip_lines=2, infer_schema=False)
    path = tmp_path / "google_ads.csv"
    text = "Campaign report\nMay\n" + frame.write_csv(separator="\t")
    path.write_text(text, encoding="utf-16")
    assert_values(fk.sources.google_ads(path), HAND["google_ads"])


def test_a_row_without_a_campaign_must_be_the_total(tmp_path):
    path = rewritten(tmp_path, "meta_ads", ('"400.50"', '"9.00"'))
    with pytest.raises(fk.ContractError, match=r"row 2: 9\.0 has no Campaign name, and is not"):
        fk.sources.meta_ads(path)


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("google_ads", ('"1,200.00"', '"1.200,00"'), "Conv. value: row 4: '1.200,00'"),
        ("google_ads", ("2024-05-02", "02.05.2024"), "Day: row 6: '02.05.2024' is not a day"),
        ("google_ads", (",Cost,", ",Kosten,"), "Cost: is not among its columns"),
        ("meta_ads", ('"Day"', '"Month"'), "Day: is not among its columns"),
        ("tiktok_ads", ("Launch,901", ",901"), "Campaign name: row 2: None"),
    ],
)
def test_faults_are_told_with_their_row(tmp_path, name, change, words):
    with pytest.raises(fk.ContractError) as caught:
        READ[name](rewritten(tmp_path, name, change))
    assert words in str(caught.value)


def test_several_currencies_of_one_campaign_are_a_fault(tmp_path):
    path = rewritten(tmp_path, "google_ads", ("Computers,PLN", "Computers,EUR"))
    with pytest.raises(fk.ContractError, match="one of several of a campaign on a day"):
        fk.sources.google_ads(path)


HEADER = "Campaign,Campaign ID,Day,Currency code,Impr.,Clicks,Cost,Conv. value\n"
ROW = "Brand,1,2024-05-01,PLN,100,10,50.00,100\n"
MORE = "Shoes,2,2024-05-01,PLN,100,10,50.00,100\n"


def google(tmp_path, *rows, header=HEADER):
    path = tmp_path / "google.csv"
    path.write_text(header + "".join(rows))
    return fk.sources.google_ads(path)


@pytest.mark.parametrize(
    "rows",
    [
        (ROW, MORE.replace("Shoes", "#shoes"), MORE.replace("2,", "3,", 1)),
        (ROW, "\n", MORE, ",,,,,,,\n", MORE.replace("2,", "3,", 1)),
        (ROW.replace("Brand", "Total - Brand"), MORE, MORE.replace("Shoes,2", "Total,3")),
    ],
)
def test_names_of_campaigns_and_blank_rows_end_no_table(tmp_path, rows):
    shop = google(tmp_path, *rows, "Total: Account,--,--,PLN,300,30,150.00,300\n")
    assert_values(shop, {"ad_spend": 150, "impressions": 300, "return_on_ad_spend": 2})


def test_headers_are_read_in_any_case(tmp_path):
    shop = google(tmp_path, ROW, MORE.replace("PLN", "EUR"), header=HEADER.upper())
    with pytest.raises(fk.ContractError, match="holds EUR and PLN"):
        fk.evaluate(shop, "ad_spend")
    assert fk.sources.detect(tmp_path / "google.csv").format == "google_ads"


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ((ROW, MORE.replace("50.00", "1,250.00")), "row 3 of 'google.csv' has 9 fields of 8"),
        (
            (ROW, "Shoes,2,2024-05-01,PLN,100,10,50.00\n", MORE),
            "row 3 of 'google.csv' has 7 fields",
        ),
        ((ROW, MORE.replace("PLN,100", "PLN,1.100")), "Impr.: row 3: 1.1 is not a whole number"),
        ((ROW.replace(",1,", ",1.2E+17,"), MORE), "Campaign ID: row 2: '1.2E+17' is no id"),
        ((ROW, MORE, ROW), "row 4 is row 2 again, and both would be added"),
    ],
)
def test_rows_that_would_add_up_wrongly_are_told(tmp_path, rows, words):
    with pytest.raises(fk.ContractError) as caught:
        google(tmp_path, *rows)
    assert words in str(caught.value)


def test_campaigns_without_an_id_go_by_their_names(tmp_path):
    shop = google(tmp_path, ROW.replace(",1,", ",,"), MORE.replace(",2,", ",,"))
    found = fk.evaluate(shop, "ad_spend", by="campaign_name").frame
    assert dict(found.rows()) == {"Brand": 50, "Shoes": 50}


def test_files_that_overlap_are_a_fault_that_names_them(tmp_path):
    (tmp_path / "a.csv").write_text(HEADER + ROW)
    (tmp_path / "b.csv").write_text(HEADER + MORE + ROW)
    with pytest.raises(fk.ContractError, match=r"row 3 of 'b.csv' is row 2 of 'a.csv' again"):
        fk.sources.google_ads(tmp_path)
    (tmp_path / "b.csv").write_text(HEADER + MORE.replace("50.00", "x"))
    with pytest.raises(fk.ContractError, match=r"Cost: row 2 of 'b.csv': 'x' is not a number"):
        fk.sources.google_ads(tmp_path)


def test_meta_reports_of_two_currencies_are_not_added(tmp_path):
    header, row = "Campaign name,Day,Amount spent (EUR),Account\n", "Spring,2024-05-01,100,A\n"
    (tmp_path / "a.csv").write_text(header + row)
    (tmp_path / "b.csv").write_text(header.replace("EUR", "USD") + row.replace("Spring", "Fall"))
    with pytest.raises(fk.ContractError, match="holds EUR and USD"):
        fk.evaluate(fk.sources.meta_ads(tmp_path), "ad_spend")
    (tmp_path / "b.csv").unlink()
    (tmp_path / "a.csv").write_text(
        "Campaign name,Day,Amount spent,Currency\nA,2024-05-01,1,EUR\nB,2024-05-01,1,USD\n"
    )
    with pytest.raises(fk.ContractError, match="holds EUR and USD"):
        fk.evaluate(fk.sources.meta_ads(tmp_path), "ad_spend")


def test_columns_of_categories_are_read_as_texts():
    frame = pl.read_csv(path_of("google_ads"), skip_lines=2, n_rows=4, infer_schema=False)
    shop = fk.sources.google_ads(frame.cast(pl.Categorical))
    assert_values(shop, {"ad_spend": 1215})
