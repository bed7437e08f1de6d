"""Benchmarks: what ships, what is refused, and how values stand against them."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from analysis.test_trend import opened_late
from funnelkit.exchange.benchmarks import misfits

FIRST = dt.datetime(2024, 1, 1, 12, tzinfo=dt.UTC)
COUNTS = st.lists(st.integers(1, 9), min_size=8, max_size=16)
LITTLEDATA = {"average": 0.052, "p10": 0.017, "p20": 0.023, "p80": 0.09, "p90": 0.124}


def benchmark(metric="add_to_cart_rate", points=None, **fields):
    return fk.Benchmark(
        **{
            "name": "published",
            "metric": metric,
            "points": points or LITTLEDATA,
            "match": "close",
            "definition": "share of sessions",
            "publisher": "A publisher",
            "url": "https://example.com/report",
            "published": "2023-05",
        }
        | fields
    )


def sessions(added, total=1000, metric="add_to_cart_rate", end="2024-02-01", **options):
    """Evaluate a day of so many sessions, of which so many have something in the cart."""
    frame = pl.DataFrame(
        {
            "session_id": range(total),
            "visitor_id": range(total),
            "started_at": pl.Series([FIRST] * total, dtype=pl.Datetime("us", "UTC")),
            "has_add_to_cart": [number < added for number in range(total)],
            "has_purchase": [number < added for number in range(total)],
        }
    )
    return fk.evaluate(fk.Shop(sessions=frame, as_of="2024-02-01"), metric, end=end, **options)


def daily(amounts, currency="PLN", metrics="average_order_value", scale=1):
    """Evaluate a shop with an order of each amount on each day."""
    count = len(amounts)
    orders = pl.DataFrame(
        {
            "order_id": range(count),
            "customer_id": range(count),
            "ordered_at": pl.Series(
                [FIRST + dt.timedelta(days=day) for day in range(count)],
                dtype=pl.Datetime("us", "UTC"),
            ),
            "gross_amount": [float(scale * amount) for amount in amounts],
            "discount_amount": [0.0] * count,
            "is_counted": [True] * count,
        }
    )
    end = FIRST.replace(hour=0) + dt.timedelta(days=count)
    return fk.evaluate(fk.Shop(orders=orders, currency=currency, as_of=end), metrics, every="1d")


def test_every_shipped_benchmark_is_tied_to_a_definition_and_has_an_address():
    shipped = fk.benchmarks()
    assert shipped.to_frame().height >= 15
    for each in shipped.values():
        assert misfits(each) == []
        assert each.url.startswith("http")
        assert each.last_day < dt.date(2026, 1, 1)
        assert each.caution
        assert each.definition


def test_benchmarks_are_read_back_as_they_were_written(tmp_path):
    frame = fk.benchmarks().to_frame()
    assert fk.load_benchmarks(frame).to_frame().equals(frame)
    file = tmp_path / "own.csv"
    frame.write_csv(file)
    assert list(fk.load_benchmarks(file)) == list(fk.benchmarks())


def test_a_value_lies_between_two_published_points():
    row = fk.against(sessions(50), benchmark()).frame.row(0, named=True)
    assert (row["below"], row["above"]) == ("p20", "p80")
    assert (row["below_value"], row["above_value"]) == (0.023, 0.09)
    assert row["ratio"] == pytest.approx(0.9615384615384617, abs=1e-9)
    assert row["difference"] == pytest.approx(-0.002)
    assert (row["standing"], row["point"], row["reason"]) == ("worse", "average", None)
    assert row["age_years"] == pytest.approx(246 / 365.25)


@pytest.mark.parametrize(
    ("added", "ends"),
    [(17, ("p10", "p20")), (10, (None, "p10")), (124, ("p90", None)), (500, ("p90", None))],
)
def test_beyond_the_last_point_there_is_no_other(added, ends):
    assert fk.against(sessions(added), benchmark()).frame.select("below", "above").row(0) == ends


def test_another_definition_yields_no_number_and_is_named():
    users = benchmark("visitor_conversion_rate", {"average": 0.02})
    of_session = benchmark("session_conversion_rate.orders", {"average": 0.02}, name="shops")
    found = fk.against(sessions(50, metric="session_conversion_rate"), [users, of_session])
    row = found.frame.row(0, named=True)
    assert found.frame.height == 1
    assert (row["comparable"], row["difference"], row["standing"]) == (False, None, None)
    assert (row["value"], row["reason"]) == (0.05, "other_definition")
    assert "compare session_conversion_rate.orders with shops" in repr(found)


def test_a_metric_with_the_name_but_another_formula_is_another_definition():
    own = fk.Metric(
        name="add_to_cart_rate",
        formula="count(sessions, where=sessions.has_purchase) / count(sessions)",
    )
    found = fk.against(sessions(50, metric=own), benchmark())
    assert found.frame["reason"].to_list() == ["other_definition"]


def test_a_definition_that_differs_is_listed_only_on_request_and_without_a_number():
    other = benchmark(match="differs")
    assert fk.against(sessions(50), other).frame.is_empty()
    row = fk.against(sessions(50), other, include_different=True).frame.row(0, named=True)
    assert (row["reason"], row["average"], row["below"]) == ("differs", None, None)


def test_the_difference_of_rates_is_in_points_and_the_ratio_apart():
    found = fk.against(sessions(162, 10_000), benchmark(points={"average": 0.0168}))
    assert "-0.06 pp" in repr(found)
    row = found.frame
    assert row["difference"][0] == pytest.approx(-0.0006)
    assert row["ratio"][0] - 1 == pytest.approx(-0.0357142857142857)


def test_amounts_are_compared_in_one_currency_alone():
    points = {"average": 92.29}
    pounds = benchmark("average_order_value", points, currency="GBP")
    assert set(fk.against(daily([90] * 8), pounds).frame["reason"]) == {"other_currency"}
    same = fk.against(daily([90] * 8, "GBP"), pounds).frame
    assert same["difference"].to_list() == pytest.approx([-2.29] * 8)


def test_what_is_old_and_what_has_no_average_say_so():
    old = benchmark(published="2020", name="old")
    bare = benchmark(points={"p50": 0.05, "p90": 0.1}, name="bare")
    thresholds = benchmark(points={"good": 0.04, "poor": 0.02}, name="thresholds")
    frame = fk.against(sessions(30), [old, bare, thresholds]).frame
    assert frame["reason"].to_list() == ["old", "no_average", "no_average"]
    assert frame["difference"].null_count() == 2
    assert frame["below"].to_list() == ["p20", None, "poor"]


def test_an_open_period_is_not_compared():
    frame = fk.against(sessions(30, every="1mo", end="2024-01-20"), benchmark()).frame
    assert frame["reason"].to_list() == ["incomplete_period"]
    assert frame["standing"].to_list() == [None]


def test_every_fault_of_a_file_is_named_at_once():
    rows = fk.benchmarks().to_frame().head(6).with_columns(name=pl.int_range(6).cast(pl.String))
    wrong = rows.with_columns(
        metric=pl.Series(["email_open_rat", *rows["metric"][1:]]),
        value=pl.Series([0.1, 20.1, 0.1, 0.1, 0.1, 0.1]),
        url=pl.Series(["", "", "", "here", "https://a.de", "https://a.de"]),
        published=pl.Series(["2019", "2019", "soon", "2019", "2019-13", "2019"]),
        point=pl.Series(["average", "average", "p0", "mean", "average", "average"]),
    )
    with pytest.raises(fk.DefinitionError) as caught:
        fk.load_benchmarks(wrong)
    for words in ("url=''", "url='here'", "'soon'", "'2019-13'", "'p0'", "'mean'"):
        assert words in str(caught.value)
    readable = wrong.with_columns(
        url=pl.lit("https://a.de"), published=pl.lit("2019"), point=pl.lit("average")
    )
    with pytest.raises(fk.DefinitionError) as caught:
        fk.load_benchmarks(readable)
    assert "did you mean 'email_open_rate'" in str(caught.value)
    assert "shares are fractions, write 0.201" in str(caught.value)


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"value": pl.lit("5 %")}, "'5 %' is not a number"),
        ({"n": pl.lit("many")}, "n='many'"),
        ({"match": pl.lit("exact")}, "match='exact'"),
        ({"metric": pl.lit("average_order_value")}, "is an amount: give its currency"),
        ({"curency": pl.lit("PLN")}, "no columns 'curency'"),
        ({"value": pl.Series([0.5, 0.017, 0.023, 0.001, 0.124])}, "p20=0.023 is above p80=0.001"),
        ({"published": pl.Series(["2019", "2020", *["2019"] * 3])}, "both '2019' and '2020'"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_rows_that_are_no_benchmark_are_refused_in_words(columns, told):
    rows = fk.benchmarks().find(metric="add_to_cart_rate").to_frame()
    with pytest.raises(fk.DefinitionError, match=told):
        fk.load_benchmarks(rows.with_columns(**columns))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"points": {"average": "0.05"}}, "average='0.05' is not a number"),
        ({"points": 0.05}, "points=0.05 are not by name"),
        ({"published": 2024}, "published=2024 is not a text"),
        ({"period": "2024"}, "period='2024' is not a first and a last day"),
        ({"period": (2024, "2024")}, "period_start=2024 is not a date"),
        ({"n": "many", "url": None}, "url=None is not a text; n='many' is not"),
        ({"points": {"average": float("nan")}}, "average=nan is not a finite number"),
        ({"values": "0.5"}, "values='0.5' is not a tuple of numbers"),
        ({"values": {0.5}}, r"values=\{0.5\} is not a tuple of numbers"),
        (
            {"values": ("0.5", 0.4, True, float("inf"), None)},
            "values='0.5', True, inf, None: not finite numbers",
        ),
    ],
    ids=str,
)
def test_a_benchmark_of_other_kinds_is_refused_in_words(fields, told):
    with pytest.raises(fk.DefinitionError, match=told):
        benchmark(**fields)


def test_a_benchmark_is_not_changed_from_outside():
    points, values = {"average": 0.05}, [0.04, 0.06]
    one = benchmark(points=points, values=values)
    points["average"] = 0.9
    values.append(0.1)
    assert one.points == {"average": 0.05}
    assert one.values == (0.04, 0.06)
    fk.benchmarks()["littledata-2019-add-to-cart"].points.clear()
    assert fk.benchmarks()["littledata-2019-add-to-cart"].points


def test_rows_as_other_programs_write_them_are_read():
    rows = fk.benchmarks().find(metric="add_to_cart_rate").to_frame()
    odd = rows.with_columns(
        pl.col("value").cast(pl.Decimal(10, 4)),
        pl.col("n").cast(pl.Float32),
        pl.lit(dt.date(2019, 11, 22)).alias("published"),
        pl.col("point").str.to_uppercase(),
        pl.format(" {} ", "match").alias("match"),
    ).drop("currency", "caution")
    (one,) = fk.load_benchmarks(odd).values()
    assert one.points == LITTLEDATA
    assert (one.n, one.published, one.match) == (564, "2019-11-22", "close")


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(fk.DataError, match="cannot be read"):
        fk.load_benchmarks(tmp_path / "none.csv")
    with pytest.raises(fk.DefinitionError, match="lack the columns metric"):
        fk.load_benchmarks(pl.DataFrame({"name": ["a"]}))
    with pytest.raises(fk.DefinitionError, match="a benchmark is a str"):
        fk.against(sessions(5), ["littledata"])
    with pytest.raises(fk.DefinitionError, match="result is a Shop"):
        fk.against(fk.demo())
    with pytest.raises(fk.UnknownNameError, match="benchmark named 'littledata'"):
        fk.benchmarks()["littledata"]


def test_benchmarks_are_found_by_metric_stage_and_industry():
    shipped = fk.benchmarks()
    assert {each.metric for each in shipped.find(metric="email_open_rate").values()} == {
        "email_open_rate",
        "email_open_rate.of_recipients",
    }
    assert list(shipped.find(metric="add_to_cart_rate", industry="ECOMMERCE"))
    staged = shipped.find(stage="retention").values()
    assert {fk.registry()[each.metric].stage for each in staged} == {fk.Stage.RETENTION}
    assert not shipped.find(industry="aviation")


def test_own_data_are_quantiles_of_complete_periods():
    (own,) = fk.own_benchmark(daily([10, 20, 30, 40, 50, 60, 70, 80, 90]))
    assert own.points == {"p10": 18, "p25": 30, "median": 50, "p75": 70, "p90": 82}
    assert (own.n, own.period, own.currency) == (9, ("2024-01-01", "2024-01-09"), "PLN")
    later = fk.against(daily([55] * 8), own).frame.row(0, named=True)
    assert (later["rank"], later["below"], later["above"]) == (5 / 9, "median", "p75")
    assert fk.against(daily([50] * 8), own).frame["rank"][0] == 4 / 9
    with pytest.raises(fk.DataError, match="average_order_value has 7"):
        fk.own_benchmark(daily([10] * 7))
    with pytest.raises(fk.DefinitionError, match=r"'best' is not.*has 0 keys"):
        fk.own_benchmark(sessions(5), points=["best"])


def test_segments_are_a_benchmark_of_own_data():
    (own,) = fk.own_benchmark(fk.evaluate(fk.demo(), "net_sales", by="customer_key"))
    assert (own.name, own.currency) == ("own-net_sales-customer_key", "PLN")
    assert own.population == "values of customer_key"
    with pytest.raises(fk.DataError, match="needs 8"):
        fk.own_benchmark(fk.evaluate(fk.demo(), "net_sales", by="country"))


@settings(max_examples=15)
@given(COUNTS)
def test_half_of_the_periods_are_below_their_own_median(amounts):
    result = daily(amounts)
    standing = fk.against(result, fk.own_benchmark(result)).frame["standing"]
    half = len(amounts) / 2
    assert (standing == "worse").sum() <= half
    assert (standing == "better").sum() <= half


@settings(max_examples=15)
@given(COUNTS, st.sampled_from([2, 64]), st.integers(1, 9))
def test_amounts_and_a_benchmark_scaled_together_stand_alike(amounts, scale, average):
    one, two = (
        fk.against(
            daily(amounts, scale=factor),
            benchmark("average_order_value", {"average": average * factor}, currency="PLN"),
        ).frame.select("standing", "ratio", "comparable")
        for factor in (1, scale)
    )
    assert one.equals(two)


def test_it_is_read_in_a_terminal_and_in_a_notebook():
    found = fk.against(fk.evaluate(fk.demo(), ["add_to_cart_rate", "orders"]))
    assert "+" in repr(found)
    assert "orders: no benchmark" in repr(found)
    assert "<table " in found._repr_html_()
    assert "p80 63.10 %" in repr(fk.benchmarks().find(metric="checkout_completion_rate"))
    assert "<table " in fk.benchmarks()._repr_html_()
    assert fk.against(fk.evaluate(fk.demo(), "orders")).frame.is_empty()


def test_weeks_before_the_first_order_are_no_benchmark_and_stand_nowhere():
    result = opened_late(dt.date(2024, 3, 7), metrics=["orders", "sessions"])
    own, _ = fk.own_benchmark(result, points=["p10", "average"])
    assert (own.n, own.points) == (16, {"p10": 14, "average": 14})
    assert own.period == ("2024-03-11", "2024-06-30")
    rows = fk.against(result, own).frame.filter(metric="orders")
    assert rows["value"].to_list() == [*[None] * 9, 8, *[14] * 16]
    for name in ("standing", "rank", "difference"):
        assert rows[name].null_count() == 10, name
    assert rows["reason"].to_list()[8:11] == ["no_rows", "incomplete_period", None]
