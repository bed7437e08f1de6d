"""What a result is, and how it is shown."""

import copy
import datetime as dt
import pickle
import re
from concurrent.futures import ThreadPoolExecutor
from html.parser import HTMLParser

import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk

DAY = dt.datetime(2024, 1, 5)
RATES = ["cr", "aov", "orders"]
YEAR = {"start": "2024-01-01", "end": "2025-01-01"}


@pytest.fixture(autouse=True)
def a_terminal_of_120_columns(monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")


@pytest.fixture(scope="module")
def shop():
    return fk.demo()


def sales(channels, *, amounts=None, currencies=None, days=None):
    number = len(channels)
    frame = pl.DataFrame(
        {
            "order_id": range(number),
            "ordered_at": days or [DAY] * number,
            "status": ["paid"] * number,
            "gross_amount": amounts or [1.5] * number,
            "discount_amount": [0.0] * number,
            "channel": channels,
        }
    )
    if currencies:
        frame = frame.with_columns(currency=pl.Series(currencies))
    return fk.Shop(orders=frame, currency="" if currencies else "PLN")


def many_metrics(number):
    return [
        fk.Metric(name=f"m{i}", title=f"Metric {i}", formula=fk.Sum(fk.Orders.gross_amount) * i)
        for i in range(number)
    ]


# --- rollups and totals --------------------------------------------------------------------------


def test_a_rollup_has_its_keys_and_rows_in_the_order_that_evaluating_gives(shop):
    fine = fk.evaluate(shop, RATES, by=["channel", "device"], every="1q")
    for by in (["device", "channel"], ["channel", "device"], ["device", "device"], ["device"]):
        assert_frame_equal(fine.rollup(by).frame, fk.evaluate(shop, RATES, by=by).frame)
        again = fk.evaluate(shop, RATES, by=by, every="1q").frame
        assert_frame_equal(fine.rollup([*by, "period"]).frame, again)
    assert fine.rollup(fine.keys) is fine


def test_amounts_of_groups_of_other_currencies_are_not_added():
    shop = sales(["a", "b", "b"], currencies=["PLN", "EUR", "EUR"])
    result = fk.evaluate(shop, ["gross_sales", "orders"], by="channel", every="1mo")
    with pytest.raises(fk.ContractError, match=r"^orders\.currency: holds EUR and PLN"):
        result.rollup("period")
    assert result.rollup("channel").frame["gross_sales"].to_list() == [1.5, 3.0]
    assert fk.evaluate(shop, "orders", by="channel").rollup().frame.item() == 3

    both = fk.evaluate(shop, "gross_sales", by=["channel", "currency"])
    assert both.rollup("currency").frame.rows() == [("EUR", 3.0), ("PLN", 1.5)]
    assert both.rollup("channel").frame.rows() == [("a", 1.5), ("b", 3.0)]
    with pytest.raises(fk.ContractError, match="EUR and PLN"):
        both.rollup()
    same = sales(["a", "b"], currencies=["PLN", "PLN"])
    assert fk.evaluate(same, "gross_sales", by="channel").rollup().frame.item() == 3
    one = sales(["a", "b"], currencies=["PLN", None])
    with pytest.raises(fk.ContractError, match=r"^orders\.currency: is null"):
        fk.evaluate(one, "gross_sales", by=["channel", "currency"]).rollup()


def test_the_long_form_has_the_totals_that_the_frame_has(shop):
    result = fk.evaluate(shop, [*RATES, "unique_visitors"], by="channel", every="1q", totals=True)
    tidy = result.tidy()
    assert tidy.columns[:4] == ["metric", "period", "channel", "is_total"]
    total = tidy.filter(pl.col("is_total") & (pl.col("metric") == "unique_visitors"))
    assert_frame_equal(
        total.select("period", pl.col("value").cast(pl.Int64).alias("unique_visitors")),
        fk.evaluate(shop, "unique_visitors", every="1q").frame,
    )
    assert "is_total" not in fk.evaluate(shop, RATES, every="1q").tidy().columns


def test_a_total_that_compares_periods_says_why_it_is_null(shop):
    result = fk.evaluate(shop, ["orders", "churn"], every="1q", totals=True)
    last = result.tidy().filter("is_total").select("metric", "value", "n", "reason").rows()
    assert last == [
        ("orders", 2142.0, 2142.0, None),
        ("customer_churn_rate", None, None, "compares_periods"),
    ]
    alone = fk.evaluate(shop, "churn", every="1q", totals=True)
    assert alone.tidy().height == alone.frame.height == 9


def test_a_result_without_keys_is_its_own_total(shop):
    assert fk.evaluate(shop, "orders", totals=True).frame.rows() == [(False, 2142)]


def test_totals_are_shown_as_total(shop):
    text = repr(fk.evaluate(shop, "orders", by=["channel", "device"], totals=True))
    assert text.splitlines()[-1].split() == ["total", "total", "2,142"]


# --- the long form -------------------------------------------------------------------------------


def test_n_is_the_denominator_that_counts_or_the_value_that_counts(shop):
    tidy = fk.evaluate(shop, fk.registry().find(required_dimension=""), every="1y").tidy()
    found = {
        m: (n, value, below)
        for m, n, value, below in tidy.select("metric", "n", "value", "denominator").iter_rows()
    }
    for name in ("click_through_rate", "average_order_value", "bounce_rate", "net_promoter_score"):
        assert found[name][0] == found[name][2] is not None
    for name in ("orders", "unique_visitors", "units_sold", "new_customers"):
        assert found[name][0] == found[name][1] is not None
    for name in ("net_sales", "gross_margin", "customer_lifetime_value"):
        assert found[name][0] is None


def test_a_tally_below_zero_is_no_number_of_things():
    shop = fk.Shop(
        order_lines=pl.DataFrame(
            {
                "order_line_id": [1, 2],
                "quantity": [1.0, -3.0],
                "ordered_at": [DAY, DAY],
                "is_counted": [True, True],
            }
        )
    )
    tidy = fk.evaluate(shop, "units_sold").tidy()
    assert tidy.select("value", "n").rows() == [(-2.0, None)]


def test_a_value_that_is_too_large_to_be_written_is_null_and_says_so():
    shop = sales(["a", "a"], amounts=[1e308, 1e308])
    tidy = fk.evaluate(shop, ["gross_sales", "aov"]).tidy()
    assert tidy.select("value", "numerator", "n", "reason").rows() == [
        (None, None, 2.0, "not_finite"),
        (None, None, 2.0, "not_finite"),
    ]


# --- a result as a value -------------------------------------------------------------------------


def test_a_result_gives_its_frame_to_whatever_speaks_arrow(shop):
    result = fk.evaluate(shop, RATES, by="channel", every="1q", totals=True)
    assert pl.DataFrame(result).equals(result.frame)
    table = pa.table(result)
    assert table.column_names == result.frame.columns
    assert table.column("orders").to_pylist() == result.frame["orders"].to_list()


@pytest.mark.parametrize(
    "again",
    [lambda r: pickle.loads(pickle.dumps(r)), copy.copy, copy.deepcopy],
    ids=["pickled", "copied", "copied deeply"],
)
def test_a_copy_is_equal_and_works(shop, again):
    result = fk.evaluate(shop, RATES, by=["channel", "device"], every="1q", totals=True)
    back = again(result)
    assert back == result
    assert back.tidy().equals(result.tidy())
    assert back.rollup("channel") == result.rollup("channel")
    assert (repr(back), back._repr_html_()) == (repr(result), result._repr_html_())
    assert back.explain() == result.explain()


def test_results_are_equal_where_they_answer_the_same_plan_with_the_same_values(shop):
    def ask(shop=shop, **question):
        return fk.evaluate(shop, RATES, every="1q", **question)

    assert ask() == ask()
    for other in (ask(by="channel"), ask(totals=True), ask(where="device == 'mobile'")):
        assert ask() != other
    assert fk.evaluate(sales(["a"]), "gross_sales") != fk.evaluate(
        sales(["a"], amounts=[2.5]), "gross_sales"
    )
    one = sales(["a"])
    assert fk.evaluate(one, "orders") != fk.evaluate(one, "orders", where="channel == 'a'")
    assert ask() != ask().frame.rows()
    with pytest.raises(TypeError, match="unhashable"):
        hash(ask())


def test_a_result_cannot_be_changed(shop):
    result = fk.evaluate(shop, RATES, every="1q", **YEAR)
    text = repr(result)
    with pytest.raises(AttributeError):
        result.currency = "EUR"
    frame = result.frame
    frame[0, "orders"] = -1
    frame.insert_column(0, pl.Series("x", [1, 2, 3, 4]))
    frame.drop_in_place("average_order_value")
    assert repr(result) == text
    assert result.frame.columns[0] == "period"


def test_threads_share_a_result(shop):
    result = fk.evaluate(shop, RATES, by=["channel", "device"], every="1mo", totals=True)

    def use(_):
        return result.rollup("channel").frame, result.tidy(), repr(result)

    with ThreadPoolExecutor(8) as pool:
        (frame, tidy, text), *others = list(pool.map(use, range(16)))
    for other in others:
        assert other[0].equals(frame)
        assert other[1].equals(tidy)
        assert other[2] == text


# --- in a terminal -------------------------------------------------------------------------------


def test_a_table_that_fits_has_a_line_per_row_with_names_in_its_head(shop):
    lines = repr(fk.evaluate(shop, RATES, every="1q", **YEAR)).splitlines()
    assert lines[0].split() == [
        "period",
        "session_conversion_rate",
        "average_order_value",
        "orders",
    ]
    assert lines[2].split() == ["2024-01-01", "4.53", "%", "584.99", "PLN", "237"]
    assert len({len(line) for line in lines}) == 1


def test_a_table_with_more_metrics_than_fit_has_a_line_per_metric(shop):
    metrics = fk.registry().find(required_dimension="")
    text = repr(fk.evaluate(shop, metrics, every="1mo", **YEAR))
    assert max(map(len, text.splitlines())) <= 120
    for metric in fk.registry().find(required_dimension=""):
        assert re.search(rf"^{metric} ", text, re.MULTILINE)
    heads = [line.split() for line in text.splitlines() if line.startswith("period")]
    assert [label for head in heads for label in head[1:]] == [
        f"2024-{month:02}-01" for month in range(1, 13)
    ]


def test_a_table_with_many_rows_that_is_too_wide_goes_on_below(monkeypatch, shop):
    monkeypatch.setenv("COLUMNS", "60")
    text = repr(fk.evaluate(shop, RATES, every="1mo"))
    assert max(map(len, text.splitlines())) <= 60
    assert text.count("2024-12-01") == text.count("period") == 2
    assert all(text.count(name) == 1 for name in ("session_conversion_rate", "orders"))


def test_of_a_long_table_the_ends_are_shown_and_how_many_rows_are_not():
    days = [DAY + dt.timedelta(days=n) for n in range(100)]
    result = fk.evaluate(sales(["a"] * 100, days=days), "orders", every="1d")
    lines = repr(result).splitlines()
    assert lines[2].split() == ["2024-01-05", "1"]
    assert lines[20].split() == ["…", "…"]
    assert lines[38].split() == ["2024-04-13", "1"]
    assert lines[39:] == ["… 64 of 100 rows are not shown; print(result.to_text()) shows them"]
    assert len(result.to_text().splitlines()) == 102
    assert "<summary>All 100 rows</summary>" in result._repr_html_()
    assert "…" not in repr(fk.evaluate(sales(["a"] * 36, days=days[:36]), "orders", every="1d"))


def test_an_open_period_is_marked_where_it_is_shown():
    days = [DAY + dt.timedelta(days=n) for n in range(100)]
    frame = sales(["a"] * 100, days=days)
    text = repr(fk.evaluate(frame, "orders", every="1mo"))
    assert [line for line in text.splitlines() if "*" in line] == [
        "2024-04-01 *      13",
        "* incomplete period: its values may still change",
    ]


def test_odd_keys_keep_the_lines_straight():
    keys = ["東京", "two\nlines\x1b[31m", "x" * 300, "", None]
    text = repr(fk.evaluate(sales(keys), "orders", by="channel"))
    lines = text.splitlines()
    assert len(lines) == 7
    assert "\x1b" not in text
    assert f"{'x' * 39}…" in text
    assert "(null)" in text
    wide = next(line for line in lines if line.startswith("東京"))
    assert len(wide) == len(lines[0]) - 2


def test_a_result_without_rows_or_keys_is_shown():
    empty = fk.evaluate(sales([]), ["orders", "aov"], by="channel", every="1mo")
    assert repr(empty).splitlines()[-1] == "no rows"
    assert "<p>no rows</p>" in empty._repr_html_()
    assert repr(fk.evaluate(sales(["a"]), "orders")).splitlines() == ["orders", "──────", "     1"]
    wide = fk.evaluate(sales(["a"]), many_metrics(60))
    assert repr(wide).splitlines()[-1].split() == ["m59", "88.50", "PLN"]


def body_of(text):
    return [line.split() for line in text.splitlines()]


def test_periods_go_down_and_groups_across_in_a_table_per_metric():
    days = [DAY, DAY, DAY + dt.timedelta(days=1)]
    shop = sales(["b", None, "b"], amounts=[1.0, 2.0, 4.0], days=days)
    result = fk.evaluate(shop, ["orders", "gross_sales"], by="channel", every="1d", totals=True)
    first, second = repr(result).split("\n\n")
    assert body_of(first)[:2] == [["orders", "by", "channel"], ["period", "b", "(null)", "total"]]
    assert body_of(first)[3:] == [["2024-01-05", "1", "1", "2"], ["2024-01-06", "1", "–", "1"]]
    assert body_of(second)[3:] == [
        ["2024-01-05", "1.00", "PLN", "2.00", "PLN", "3.00", "PLN"],
        ["2024-01-06", "4.00", "PLN", "–", "4.00", "PLN"],
    ]
    assert result._repr_html_().count("<caption ") == 2


def test_many_groups_go_down_and_few_periods_across():
    keys = [f"k{number:02}" for number in range(14)]
    days = [DAY] * 14 + [DAY + dt.timedelta(days=40)] * 14
    result = fk.evaluate(sales(keys * 2, days=days), "orders", by="channel", every="1mo")
    lines = body_of(repr(result))
    assert lines[1] == ["channel", "2024-01-01", "2024-02-01", "*"]
    assert lines[3] == ["k00", "1", "1"]
    assert lines[16] == ["k13", "1", "1"]
    assert lines[17][:3] == ["*", "incomplete", "period:"]


# --- in a notebook -------------------------------------------------------------------------------


class Outline(HTMLParser):
    """Checks that every element is closed in turn, and gathers cells, by their tags."""

    def __init__(self):
        super().__init__()
        self.open, self.cells, self.titles, self.scopes, self.tags = [], [], [], [], set()

    def handle_starttag(self, tag, attributes):
        self.open.append(tag)
        self.tags.add(tag)
        if tag in {"td", "th"}:
            self.cells.append([tag, dict(attributes)["style"], ""])
        if tag == "th":
            self.scopes.append(dict(attributes)["scope"])
        if tag == "span":
            self.titles.append(dict(attributes)["title"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.cells[-1][2] += data


def outline(result):
    parser = Outline()
    parser.feed(result._repr_html_())
    parser.close()
    assert parser.open == []
    return parser


def test_html_is_well_formed_with_titles_and_numbers_to_the_right(shop):
    page = outline(fk.evaluate(shop, RATES, by="channel", totals=True))
    assert page.tags == {"div", "table", "thead", "tbody", "tr", "th", "td", "span"}
    heads = [text for tag, _, text in page.cells if tag == "th"]
    assert heads[:4] == ["channel", "Session conversion rate", "Average order value", "Orders"]
    assert heads[4:] == ["direct", "email", "organic", "paid", "social", "total"]
    assert page.scopes == ["col"] * 4 + ["row"] * 6
    assert page.titles == ["session_conversion_rate", "average_order_value", "orders"]
    for number, (_, style, _) in enumerate(page.cells):
        assert style.startswith(f"text-align:{'right' if number % 4 else 'left'}")


def test_html_has_a_line_per_metric_where_there_are_many(shop):
    metrics = fk.registry().find(required_dimension="")
    page = outline(fk.evaluate(shop, metrics, every="1q", **YEAR))
    assert [cell[2] for cell in page.cells[:3]] == ["period", "2024-01-01", "2024-04-01"]
    assert page.cells[5][2] == "Impressions"


def test_html_is_escaped():
    script = "<script>alert('x')</script>&"
    title = '"><img src=x onerror=alert(1)>'
    metric = fk.Metric(name="m", title=title, formula=fk.Count(fk.Orders))
    result = fk.evaluate(sales([script]), metric, by="channel")
    page = outline(result)
    assert not {"script", "img"} & page.tags
    assert script in [cell[2] for cell in page.cells]
    assert title in [cell[2] for cell in page.cells]


def test_html_brings_no_colours(shop):
    html = fk.evaluate(shop, RATES, every="1q")._repr_html_()
    assert not re.search(r"color|background|#[0-9a-f]{3}", html)


def test_views_of_a_huge_result_are_small_and_say_what_they_leave_out():
    keys = [f"k{n:05}" for n in range(10_000)]
    result = fk.evaluate(sales(keys), many_metrics(100), by="channel", every="1d")
    assert result.frame.shape == (10_000, 102)
    text, html = repr(result), result._repr_html_()
    note = "… 9,988 of 10,000 rows are not shown; print(result.to_text()) shows them"
    assert text.splitlines()[-1] == note
    assert f"<p>{note}</p>" in html
    for view in (text, html):
        assert len(view) < 100_000
        assert "k00000" in view
        assert "k09999" in view
        assert "k05000" not in view


def test_a_view_is_named_wraps_its_notes_and_has_no_empty_heads():
    html = fk.evaluate(sales([None, "a"]), "orders", by="channel")._repr_html_()
    assert 'role="region" tabindex="0"' in html
    assert 'aria-label="Orders"' in html
    assert '<table style="white-space:nowrap">' in html
    assert "white-space" not in html.replace('<table style="white-space:nowrap">', "")
    rivals = fk.reconcile(fk.demo(), "cr")._repr_html_()
    assert "<th" in rivals
    assert not re.search(r"<th[^>]*>\s*</th>", rivals)
