"""Comparisons: what is set against what, and what is said where there is nothing to compare."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.result.differences import with_difference

FIRST = dt.date(2024, 1, 1)


def day(text):
    return dt.date.fromisoformat(text)


def shop_of(sales, **settings):
    """Bind orders: of each a day, a country, an amount and, if it matters, a customer."""
    rows = [(*sale, place) if len(sale) == 3 else sale for place, sale in enumerate(sales)]
    orders = pl.DataFrame(
        {
            "order_id": range(len(rows)),
            "customer_id": pl.Series([f"c{row[3]}" for row in rows], dtype=pl.String),
            "ordered_at": pl.Series([row[0] for row in rows], dtype=pl.Date),
            "country": pl.Series([row[1] for row in rows], dtype=pl.String),
            "gross_amount": pl.Series([row[2] for row in rows], dtype=pl.Float64),
            "discount_amount": [0.0] * len(rows),
            "is_counted": [True] * len(rows),
        }
    )
    return fk.Shop(orders=orders, currency="PLN", **settings)


def daily(first, count, amount=10.0, country="PL"):
    """Return one sale on each of so many days."""
    return [(day(first) + dt.timedelta(days=at), country, amount) for at in range(count)]


def only(frame):
    assert frame.height == 1
    return frame.row(0, named=True)


@pytest.mark.parametrize(
    ("value", "reference", "change", "relative", "reason"),
    [
        (120, 100, 20, 0.2, None),
        (0, 100, -100, -1, None),
        (100, 0, 100, None, "zero_reference"),
        (0, 0, 0, None, "zero_reference"),
        (50, -100, 150, None, "negative_reference"),
        (-50, 100, -150, -1.5, None),
        (None, 100, None, None, "no_value"),
        (100, None, None, None, "no_reference"),
        (0.0289, 0.0246, 0.0043, 0.17479674796747968, None),
    ],
)
def test_a_change_is_relative_only_to_what_is_above_zero(
    value, reference, change, relative, reason
):
    facts = {"is_interval": False, "direction": 1, "unpaired": 0}
    numbers = {"value": value, "reference": reference}
    rows = pl.DataFrame(
        [{**numbers, **facts, "why": None}],
        schema_overrides={"value": pl.Float64, "reference": pl.Float64, "why": pl.String},
    )
    found = only(with_difference(rows))
    assert found["change"] == pytest.approx(change)
    assert found["relative"] == pytest.approx(relative)
    assert found["reason"] == reason


def test_the_open_month_is_compared_through_its_last_complete_day():
    shop = shop_of(daily("2024-02-01", 60), as_of="2024-03-10T15:00")
    found = fk.compare(shop, "orders", every="1mo", start="2024-03-01").frame
    row = only(found)
    assert (row["value"], row["reference"], row["days"], row["reference_days"]) == (9, 9, 9, 9)
    assert (row["reference_start"], row["reference_end"]) == (day("2024-02-01"), day("2024-02-10"))
    assert row["verdict"] == "same"


def test_an_open_month_is_longer_than_all_of_the_month_before():
    shop = shop_of(daily("2024-02-01", 90), as_of="2024-03-31")
    row = only(fk.compare(shop, "orders", every="1mo", start="2024-03-01").frame)
    assert (row["days"], row["reference_days"], row["change"]) == (30, 29, 1)
    per_day = only(fk.compare(shop, "orders", every="1mo", start="2024-03-01", per_day=True).frame)
    assert (per_day["change"], per_day["unit"]) == (0, "order/day")


def test_a_stub_of_a_week_is_no_reference():
    sales = daily("2024-01-05", 3) + daily("2024-01-08", 7) * 2
    found = fk.compare(shop_of(sales), "orders", every="1w").frame
    assert found["value"].to_list() == [3, 14]
    assert found["change"].to_list() == [None, None]
    assert set(found["reason"]) == {"incomplete_reference"}


def test_week_53_has_no_counterpart():
    shop = shop_of(daily("2019-12-01", 450))
    found = fk.compare(
        shop,
        "orders",
        every="1w",
        start="2020-12-28",
        end="2021-01-11",
        to="previous_year",
        align="week_number",
    ).frame
    assert found["reason"].to_list() == ["no_counterpart", None]
    assert found["reference_start"].to_list() == [None, day("2019-12-30")]


def test_a_period_that_is_cut_is_compared_with_the_same_days():
    shop = shop_of(daily("2023-12-01", 100))
    found = fk.compare(shop, "orders", every="1mo", start="2024-01-10", end="2024-02-04").frame
    assert found["start"].to_list() == [day("2024-01-10"), day("2024-02-01")]
    assert found["reference_start"].to_list() == [day("2023-12-10"), day("2024-01-01")]
    assert found["reference_end"].to_list() == [day("2024-01-01"), day("2024-01-04")]
    assert found["value"].to_list() == [22, 3]


def test_a_group_is_compared_with_everything_else_recomputed():
    sales = [
        (FIRST, "PL", 10.0, 1),
        (FIRST, "PL", 10.0, 2),
        (FIRST, "DE", 10.0, 2),
        (FIRST, "CZ", 10.0, 3),
        (FIRST, None, 10.0, 3),
    ]
    found = fk.compare(shop_of(sales), ["customers", "orders"], by="country", to="rest").frame
    numbers = {row["country"]: (row["value"], row["reference"]) for row in found[:4].to_dicts()}
    # customer 2 bought in PL and in DE, 3 in CZ and where it is not known
    assert numbers == {"CZ": (1, 3), "DE": (1, 3), "PL": (2, 2), None: (1, 3)}
    assert (found[4:]["value"] + found[4:]["reference"]).to_list() == [5] * 4


def test_a_new_group_comes_last_and_one_that_is_gone_is_kept():
    january, february = daily("2024-01-01", 31, country="PL"), daily("2024-02-01", 29, country="CZ")
    shop = shop_of(january + february)
    found = fk.compare(
        shop, ["orders", "average_order_value"], by="country", every="1mo", start="2024-02-01"
    ).frame
    named = found.select("metric", "country", "value", "reference", "change", "reason").rows()
    assert named == [
        ("orders", "PL", 0, 31, -31, None),
        ("orders", "CZ", 29, None, None, "no_reference"),
        ("average_order_value", "PL", None, 10, None, "no_value"),
        ("average_order_value", "CZ", 10, None, None, "no_reference"),
    ]


def test_a_group_that_was_silent_for_a_while_is_not_new():
    german = [(day("2024-01-02"), "DE", 1.0), (day("2024-03-02"), "DE", 1.0)]
    sales = [*daily("2024-01-01", 90), *german]
    found = fk.compare(shop_of(sales), "orders", by="country", every="1mo").frame
    german = found.filter(country="DE")
    assert german["reference"].to_list() == [None, 1, 0]
    assert german["reason"].to_list() == ["incomplete_reference", None, "zero_reference"]


def test_days_are_compared_with_the_days_that_they_are_paired_with():
    sales = [*daily("2023-11-20", 400, 1.0), (day("2023-11-24"), "PL", 50.0)]
    sales.append((day("2024-11-29"), "PL", 80.0))
    pairs = fk.DayPairs(
        pl.DataFrame(
            {
                "day": [day("2024-11-29"), day("2024-11-30")],
                "reference": [day("2023-11-24"), day("2023-11-25")],
            }
        )
    )
    found = fk.compare(
        shop_of(sales),
        ["gross_sales", "average_order_value"],
        start="2024-11-28",
        end="2024-12-01",
        to=pairs,
    )
    assert found.frame["value"].to_list() == pytest.approx([82, 82 / 3])
    assert found.frame["reference"].to_list() == pytest.approx([52, 52 / 3])
    assert found.frame["days"].to_list() == [2, 2]
    assert set(found.frame["reason"]) == {"unpaired_days_1"}


@pytest.mark.parametrize("day_before", [("2025-04-20", "2024-03-31"), ("2024-11-29", "2023-11-24")])
def test_a_moving_feast_meets_itself(day_before):
    day_of, before = map(day, day_before)
    sales = [(before, "PL", 7.0), (day_of, "PL", 9.0), *daily("2023-11-01", 600, 1.0)]
    pairs = fk.DayPairs(pl.DataFrame({"day": [day_of], "reference": [before]}))
    row = only(
        fk.compare(shop_of(sales), "gross_sales", to=pairs, end=day_of + dt.timedelta(1)).frame
    )
    assert (row["value"], row["reference"]) == (10, 8)
    assert (row["reference_start"], row["days"]) == (before, 1)


def test_a_range_of_another_length_is_compared_per_day():
    shop = shop_of(daily("2024-01-01", 91))
    spans = {"start": "2024-03-01", "end": "2024-04-01", "to": ("2024-01-01", "2024-01-11")}
    with pytest.raises(fk.DefinitionError, match="31 days are compared with 10"):
        fk.compare(shop, "orders", **spans)
    row = only(fk.compare(shop, "orders", **spans, per_day=True).frame)
    assert (row["value"], row["reference"], row["reference_days"]) == (1, 1, 10)
    assert only(fk.compare(shop, "average_order_value", **spans).frame)["change"] == 0


def test_a_day_of_23_hours_is_a_day():
    shop = shop_of(daily("2024-03-01", 60), time_zone="Europe/Warsaw")
    found = fk.compare(
        shop, "orders", start="2024-03-31", end="2024-04-01", to="previous_year", align="weekday"
    )
    assert found.frame["days"].to_list() == [1]


def test_hours_are_compared_with_the_same_hours():
    moments = [dt.datetime(2024, 3, 1, 9), *[dt.datetime(2024, 3, 8, 9, 30)] * 2]
    moments.append(dt.datetime(2024, 3, 9))
    orders = pl.DataFrame(
        {
            "order_id": range(4),
            "ordered_at": pl.Series(moments).dt.replace_time_zone("UTC"),
            "is_counted": [True] * 4,
        }
    )
    found = fk.compare(
        fk.Shop(orders=orders),
        "orders",
        every="1h",
        start="2024-03-08T09:00",
        end="2024-03-08T11:00",
        align="weekday",
    ).frame
    assert found["value"].to_list() == [2, 0]
    assert found["reference"].to_list() == [1, 0]
    assert found["start"][0] == dt.datetime(2024, 3, 8, 9, tzinfo=dt.UTC)


def test_the_smaller_may_be_the_better_and_a_score_has_no_ratio():
    sales = daily("2024-01-01", 60, 10.0)
    shop = shop_of(sales)
    mark = fk.Metric(
        name="mark", formula="count(orders) / count(orders)", unit=fk.SCORE, direction="down"
    )
    plain = fk.Metric(name="plain", formula="count(orders)")
    rows = fk.compare(
        shop, [mark, plain], start="2024-02-01", end="2024-02-03", to=("2024-01-01", "2024-01-03")
    )
    found = rows.frame
    assert found["verdict"].to_list() == ["same", None]
    assert found["reason"].to_list() == ["interval_scale", None]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"to": "last_year", "align": "dates", "metrics": ["customer_churn_rate", "orders"]},
            ["to='last_year'", "align='dates'", "customer_churn_rate compares periods"],
        ),
        (
            {"to": "rest", "align": "week_number", "per_day": True, "metrics": ["customers"]},
            ["give by=", "align='week_number'", "customers counts different ones"],
        ),
        ({}, ["has no start"]),
        ({"start": "2024-01-01T08:00", "end": "2024-01-03"}, ["08:00:00 is not the beginning"]),
        ({"to": ("2024-01-01",), "start": "2024-01-01"}, ["has 1 moments"]),
        ({"to": ("2024-01-01", None), "start": "2024-01-01"}, ["has an open end"]),
        ({"to": 7}, ["to is an int"]),
        ({"to": (7, 8), "start": "2024-01-01"}, ["a moment of to is an int"]),
        ({"every": "1h", "per_day": True}, ["whole days"]),
        ({"every": "1w", "to": "previous_year"}, ["align='weekday'"]),
        (
            {"start": "2024-01-01", "end": "2024-01-03", "to": ("2024-01-01", "2024-01-03")},
            ["compared with itself"],
        ),
        ({"start": "2030-01-01", "end": "2030-02-01"}, ["no complete day", "2024-03-01"]),
        ({"by": "days", "start": "2024-01-01"}, ["by='days'"]),
    ],
    ids=str,
)
def test_what_cannot_be_compared_is_refused_with_every_reason(arguments, told):
    metrics = arguments.pop("metrics", "orders")
    with pytest.raises(fk.DefinitionError) as caught:
        fk.compare(shop_of(daily("2024-01-01", 60)), metrics, **arguments)
    for words in told:
        assert words in str(caught.value)


def test_only_flows_and_their_ratios_are_compared_day_by_day():
    pairs = fk.DayPairs(pl.DataFrame({"day": [FIRST], "reference": [FIRST]}))
    with pytest.raises(fk.DefinitionError) as caught:
        fk.compare(fk.demo(), ["unique_visitors", "page_load_time", "sessions"], to=pairs)
    assert "unique_visitors:" in str(caught.value)
    assert "sessions:" not in str(caught.value)


@pytest.mark.parametrize(
    ("frame", "told"),
    [
        ({"day": [FIRST]}, "no column 'reference'"),
        ({"day": [FIRST, FIRST], "reference": [FIRST, None]}, "more than once; reference has 1"),
        ({"day": ["2024-01-01"], "reference": [FIRST]}, "day is String"),
        ({"day": [dt.datetime(2024, 1, 1, 8)], "reference": [FIRST]}, "times of day"),
        ({"day": [], "reference": []}, "no rows"),
    ],
)
def test_pairs_of_days_are_checked(frame, told):
    with pytest.raises(fk.DefinitionError, match=told):
        fk.DayPairs(pl.DataFrame(frame))


def test_it_is_read_in_a_terminal_and_in_a_notebook():
    found = fk.compare(
        fk.demo(),
        ["session_conversion_rate", "net_sales"],
        start="2024-12-01",
        end="2025-01-01",
        to="previous_year",
    )
    text = repr(found)
    assert "[2024-12-01, 2025-01-01) against [2023-12-01, 2024-01-01)" in text
    assert "pp" in text
    assert "PLN" in text
    assert "<table " in found._repr_html_()


def test_an_empty_range_and_an_empty_shop_have_no_rows():
    empty = shop_of(daily("2024-01-01", 0))
    assert fk.compare(empty, "orders", every="1mo").frame.is_empty()
    shop = shop_of(daily("2024-01-01", 31))
    found = fk.compare(shop, "orders", every="1mo", start="2030-01-01", by="country")
    assert found.frame.is_empty()
    assert "no rows" in repr(found)


SALES = st.lists(
    st.tuples(
        st.integers(0, 59).map(lambda at: FIRST + dt.timedelta(at)),
        st.sampled_from(["PL", "DE", None]),
        st.integers(1, 9).map(float),
        st.integers(1, 5),
    ),
    max_size=25,
)
JANUARY = ("2024-01-01", "2024-01-31")
FEBRUARY = ("2024-01-31", "2024-03-01")
KNOWN = [(FIRST, "PL", 0.0, 0), (FIRST + dt.timedelta(60), "PL", 0.0, 0)]
ASKED = ["orders", "gross_sales", "customers", "average_order_value"]


def expected(metric, sales, span):
    """Compute a metric by hand."""
    rows = [row for row in sales if day(span[0]) <= row[0] < day(span[1])]
    total = sum(row[2] for row in rows)
    numbers = {
        "orders": len(rows),
        "gross_sales": total,
        "customers": len({row[3] for row in rows}),
        "average_order_value": total / len(rows) if rows else None,
    }
    return numbers[metric]


def compared(shop, after, before, **options):
    return fk.compare(shop, ASKED, start=after[0], end=after[1], to=before, **options).frame


@settings(max_examples=20)
@given(SALES)
def test_both_spans_are_recomputed_and_swapping_them_flips_the_sign(sales):
    sales = [*sales, *KNOWN]
    shop = shop_of(sales)
    there, back = compared(shop, FEBRUARY, JANUARY), compared(shop, JANUARY, FEBRUARY)
    for one, other in zip(there.to_dicts(), back.to_dicts(), strict=True):
        assert one["value"] == pytest.approx(expected(one["metric"], sales, FEBRUARY))
        assert one["reference"] == pytest.approx(expected(one["metric"], sales, JANUARY))
        if one["change"] is None:
            assert one["reason"] in {"no_value", "no_reference"}
            continue
        assert one["change"] == one["value"] - one["reference"] == -other["change"]
        assert (one["relative"] is None) == (one["reference"] <= 0)
        flipped = {"better": "worse", "worse": "better", "same": "same"}
        assert one["verdict"] is None or other["verdict"] == flipped[one["verdict"]]


@settings(max_examples=20)
@given(SALES)
def test_changes_of_groups_add_up_to_the_change_of_a_flow(sales):
    shop = shop_of([*sales, *KNOWN])
    flow = ["orders", "gross_sales"]
    whole = compared(shop, FEBRUARY, JANUARY).filter(pl.col("metric").is_in(flow))
    by = compared(shop, FEBRUARY, JANUARY, by="country").filter(pl.col("metric").is_in(flow))
    own = pl.col("value") - pl.col("reference").fill_null(0)
    sums = by.group_by("metric", maintain_order=True).agg(own.sum())
    assert sums["value"].to_list() == pytest.approx(whole["change"].to_list())


@settings(max_examples=15)
@given(SALES)
def test_a_group_and_the_rest_make_the_whole_of_a_flow(sales):
    shop = shop_of([*sales, *KNOWN])
    whole = expected("gross_sales", sales, ("2024-01-01", "2024-03-01"))
    found = fk.compare(shop, "gross_sales", by="country", to="rest").frame
    assert (found["value"] + found["reference"]).to_list() == pytest.approx([whole] * found.height)


@settings(max_examples=15)
@given(SALES)
def test_data_moved_by_364_days_is_compared_with_the_same_weekdays(sales):
    moved = [(sale[0] + dt.timedelta(364), *sale[1:]) for sale in [*sales, *KNOWN]]
    shop = shop_of([*sales, *KNOWN, *moved])
    after = ("2024-12-30", "2025-02-28")  # 364 days after the first of January
    found = fk.compare(
        shop, ASKED, start=after[0], end=after[1], to="previous_year", align="weekday"
    ).frame
    assert found["reference_start"].to_list() == [FIRST] * 4
    assert found["value"].equals(found["reference"])


@settings(max_examples=10)
@given(SALES)
def test_a_day_is_compared_as_the_daily_frame_has_it(sales):
    shop = shop_of([*sales, *KNOWN])
    days = fk.evaluate(shop, "gross_sales", every="1d", start=FIRST, end="2024-03-02").frame
    found = fk.compare(shop, "gross_sales", every="1d", start="2024-01-02").frame
    assert found["value"].to_list() == days["gross_sales"][1:].to_list()
    assert found["reference"].to_list() == days["gross_sales"][:-1].to_list()


def test_a_year_that_begins_later_is_compared_from_the_same_date_after_a_leap_day():
    shop = shop_of(daily("2023-01-01", 760))
    found = only(
        fk.compare(
            shop, "orders", every="1y", start="2024-08-25", end="2025-01-01", to="previous_year"
        ).frame
    )
    assert (found["reference_start"], found["days"]) == (day("2023-08-25"), 129)


def test_sessions_from_before_the_first_order_have_no_conversion_to_compare_with():
    days = [day("2023-01-01") + dt.timedelta(days=at) for at in range(730)]
    sessions = pl.DataFrame({"session_id": range(730), "started_at": days})
    orders = pl.DataFrame({"order_id": range(365, 730), "session_id": range(365, 730)})
    orders = orders.with_columns(ordered_at=pl.Series(days[365:]), is_counted=True)
    shop = fk.Shop(sessions=sessions, orders=orders)
    found = only(
        fk.compare(
            shop,
            "session_conversion_rate",
            start="2024-02-01",
            end="2024-03-01",
            to="previous_year",
        ).frame
    )
    assert (found["value"], found["reference"]) == (1.0, None)
    assert found["reason"] == "incomplete_reference"


def test_totals_of_sessions_by_day_are_compared():
    days = [day("2024-01-01") + dt.timedelta(days=at) for at in range(60)]
    totals = pl.DataFrame({"date": days, "sessions": 100, "converted_sessions": 4})
    found = fk.compare(fk.Shop(daily_sessions=totals), "sessions", every="1mo").frame
    assert found["reference"].to_list() == [None, 3100.0]
