"""The registry, a card, a shop and cohorts as people read them."""

import re

import pytest

import funnelkit as fk


def test_the_registry_is_a_table_that_fits_the_terminal_and_names_the_rest(monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    lines = repr(fk.registry()).splitlines()
    assert re.fullmatch(r"\d+ metrics, \d+ of them competing definitions", lines[0])
    assert lines[1].split() == ["name", "meaning", "unit", "stage"]
    assert re.fullmatch(r"impressions +Number of times.*… +impression +awareness", lines[3])
    assert max(map(len, lines[:-1])) <= 100
    assert lines[-1].startswith(f"… {len(fk.registry()) - 36} more: find(stage=…")
    assert len(fk.registry().to_text().splitlines()) == len(fk.registry()) + 3
    assert repr(fk.registry().find(tag="no such tag")) == "0 metrics"


def test_the_registry_in_a_notebook_has_every_metric_once_and_a_labelled_search_box():
    html = fk.registry()._repr_html_()
    assert html.count('<th scope="row"') == len(fk.registry())
    assert '<label>Search <input type="search"' in html
    assert "<script" not in html
    assert "http" not in html
    assert "conversion_rate, cr, cvr" in html


def test_words_of_users_stay_text():
    metric = fk.Metric(name="m", formula=fk.Count(fk.Orders), description="<script>x</script>")
    for html in (fk.Registry([metric])._repr_html_(), fk.describe(metric)._repr_html_()):
        assert "<script>" not in html
        assert "&lt;script&gt;" in html


@pytest.mark.parametrize("columns", [80, 120])
def test_a_card_fits_the_terminal_with_the_formula_first(monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    lines = str(fk.describe("cr")).splitlines()
    assert max(map(len, lines)) <= columns
    heads = [line[2:16].strip() for line in lines[1:] if line[2] != " "]
    assert heads[:5] == ["formula", "meaning", "includes", "excludes", "caveats"]
    assert "latex" not in heads


def test_a_card_in_a_notebook_folds_latex_and_fingerprint_away():
    html = fk.describe("cr")._repr_html_()
    first, folded = html.split("<details>")
    metric = fk.registry()["cr"]
    for text in (metric.fingerprint, r"\frac"):
        assert text in folded
        assert text not in first
    assert '<th scope="row"' in first


def test_a_shop_is_a_line_per_table_that_fits_the_terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    shop = fk.demo()
    lines = repr(shop).splitlines()
    assert lines[0].startswith("Shop in Europe/Warsaw, PLN, order policy 'default'")
    assert lines[3].split()[:3] == ["sessions", "50,000", "session_id,"]
    assert lines[3].endswith("more")
    assert len(lines) == 4 + len(shop.tables)
    assert max(map(len, lines[:-1])) <= 80
    assert shop._repr_html_().count('<th scope="row"') == len(shop.tables)


def test_of_a_wide_triangle_the_ages_that_fit_are_shown(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    cohorts = fk.cohorts(fk.demo(), every="1q")
    lines = repr(cohorts).splitlines()
    assert lines[1].split() == ["cohort", "size", "0", "1", "2", "3"]
    assert lines[3].split()[:4] == ["2022-10-01", "101", "100.00", "%"]
    assert lines[11].split() == ["2024-10-01", "146", "100.00", "%"]
    assert "ages 4 to 8 are not shown; triangle() has them, plot() shows them" in lines
    monkeypatch.setenv("COLUMNS", "120")
    assert "not shown" not in repr(cohorts)
