"""Drivers: changes divided among factors and segments, and what is refused."""

import datetime as dt
from itertools import permutations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk

MARCH, APRIL = ("2024-03-01", "2024-04-01"), ("2024-04-01", "2024-05-01")
TREE = "sessions * session_conversion_rate * average_order_value - returns_value"
DISCOUNT = fk.Metric(
    name="discount_share",
    formula="sum(orders.discount_amount) / sum(orders.gross_amount)",
    unit=fk.RATIO,
)


def shop_of(before, after, months=0):
    """Bind orders of March and April: of each a country, an amount, a discount and a customer.

    Args:
        before: The orders of March.
        after: The orders of April.
        months: How many months before are as March.
    """
    rows = [(dt.date(2024, 4, 1), *row) for row in after]
    for month in range(months + 1):
        day = _months_back(dt.date(2024, 3, 1), month)
        rows += [(day, *row) for row in before]
    names = ("ordered_at", "country", "gross_amount", "discount_amount", "customer_id")
    schema = dict(zip(names, (pl.Date, pl.String, pl.Float64, pl.Float64, pl.String), strict=True))
    orders = pl.DataFrame(rows, schema=schema, orient="row").with_columns(
        pl.lit(value=True).alias("is_counted")
    )
    orders = orders.with_row_index("order_id").with_columns(pl.col("order_id").cast(pl.String))
    return fk.Shop(orders=orders, currency="PLN", as_of="2024-05-01")


def _months_back(day, months):
    count = day.year * 12 + day.month - 1 - months
    return dt.date(count // 12, count % 12 + 1, 1)


def of(country, amount, discount=0.0, customer="c1"):
    return (country, float(amount), float(discount), customer)


def drive(shop, metric, **options):
    return fk.drivers(shop, metric, **{"before": MARCH, "after": APRIL, **options})


def parts(found):
    return dict(found.frame.select("name", "contribution").iter_rows())


def rows_of(found):
    return [
        (kind, name, pytest.approx(part))
        for kind, name, part in found.frame.select("kind", "name", "contribution").iter_rows()
    ]


def test_a_flow_is_the_changes_of_its_segments():
    before = [of("PL", 500), of("DE", 300)]
    shop = shop_of(before, [of("PL", 450), of("DE", 420), of("CZ", 60)])
    found = drive(shop, "gross_sales", by="country")
    assert parts(found) == {"DE": 120, "CZ": 60, "PL": -50}
    assert found.frame["share"].to_list() == pytest.approx([120 / 130, 60 / 130, -50 / 130])
    assert (found.before, found.after, found.change, found.check) == (800, 930, 130, 0)


def test_what_is_counted_in_several_segments_is_an_overlap():
    # 20 customers, 14 of the web and 10 of the app; then 23, 16 and 14
    before = [*_customers("web", 0, 14), *_customers("app", 10, 20)]
    shop = shop_of(before, [*_customers("web", 0, 16), *_customers("app", 9, 23)])
    found = drive(shop, "customers", by="country")
    assert rows_of(found) == [
        ("segment", "app", 4),
        ("segment", "web", 2),
        ("overlap", "overlap", -3),
    ]
    assert found.change == 3


def _customers(country, first, end):
    return [of(country, 1, 0, f"c{number}") for number in range(first, end)]


def test_a_ratio_is_divided_into_mix_and_rate():
    before = [of("mobile", 6000, 60), of("desktop", 4000, 160)]
    shop = shop_of(before, [of("mobile", 12000, 132), of("desktop", 4000, 168)])
    found = drive(shop, DISCOUNT, by="country")
    assert rows_of(found) == [
        ("rate", "desktop", 0.00065),
        ("mix", "desktop", -0.00309375),
        ("rate", "mobile", 0.000675),
        ("mix", "mobile", -0.00148125),
    ]
    assert found.change == pytest.approx(-0.00325)
    shares = found.frame.filter(kind="mix")
    assert shares["before"].to_list() == pytest.approx([0.4, 0.6])
    assert shares["after"].to_list() == pytest.approx([0.25, 0.75])


def test_a_segment_of_one_period_is_new_and_a_null_key_is_a_segment():
    shop = shop_of([of("PL", 100, 10), of(None, 50, 10)], [of("PL", 100, 10), of("CZ", 50, 30)])
    found = drive(shop, DISCOUNT, by="country").frame
    kinds = set(found.select("kind", "name").rows())
    assert kinds == {("rate", "PL"), ("mix", "PL"), ("new", "CZ"), ("lost", None)}
    assert found["contribution"].sum() == pytest.approx(40 / 150 - 20 / 150)


def test_segments_beyond_the_top_are_folded_exactly():
    before = [of(name, 10 + place, place) for place, name in enumerate("ABCDEF")]
    after = [of(name, 20 + place * place, 2) for place, name in enumerate("ABCDEF")]
    shop = shop_of(before, after)
    found = drive(shop, "gross_sales", by="country", top=2).frame
    assert found["name"].to_list() == ["F", "E", "other"]
    assert found["reason"].to_list() == [None, None, "4_segments"]
    assert found["contribution"].to_list() == [30, 22, 48]
    whole, cut = (drive(shop, DISCOUNT, by="country", top=top).frame for top in (20, 2))
    for kind in ("rate", "mix"):
        sums = [each.filter(kind=kind)["contribution"].sum() for each in (whole, cut)]
        assert sums[0] == pytest.approx(sums[1])
    assert cut["name"].to_list() == [cut["name"][0]] * 2 + [cut["name"][2]] * 2 + ["other"] * 2


def test_the_factors_of_a_metric_are_those_that_its_formula_names():
    shop = shop_of([of("PL", 500, 50)], [of("PL", 450), of("PL", 70, 20)])
    found = drive(shop, "average_order_value")
    assert found.frame["name"].to_list() == ["gross_sales", "discounts", "orders"]
    assert found.change == pytest.approx(250 - 450)
    log = drive(shop, "gross_sales", factors="orders * gross_sales / orders * 2 / 2", method="log")
    assert parts(log) == pytest.approx({"orders": 0, "gross_sales": 20})


def test_the_tree_of_the_demo_shop_is_the_mean_over_all_orders():
    shop, names = fk.demo(), ["sessions", "session_conversion_rate", "average_order_value"]
    names.append("returns_value")
    quarters = fk.evaluate(
        shop, ["net_sales", *names], every="1q", start="2024-07-01", end="2025-01-01"
    ).frame.to_dicts()
    expected = dict.fromkeys(names, 0.0)
    for order in permutations(names):
        point = dict(quarters[0])
        for name in order:
            one = _tree(point)
            point[name] = quarters[1][name]
            expected[name] += (_tree(point) - one) / 24
    found = fk.drivers(
        shop, "net_sales", before="2024-07-01", after="2024-10-01", every="1q", factors=TREE
    )
    assert parts(found) == pytest.approx(expected)
    assert found.change == pytest.approx(quarters[1]["net_sales"] - quarters[0]["net_sales"])
    assert found.check < 1e-9
    assert found.within_limits


def _tree(point):
    orders = point["sessions"] * point["session_conversion_rate"]
    return orders * point["average_order_value"] - point["returns_value"]


def test_a_formula_that_does_not_give_the_metric_is_refused_with_the_gap():
    factors = "sessions * session_conversion_rate * average_order_value"
    with pytest.raises(fk.DefinitionError) as caught:
        fk.drivers(
            fk.demo(),
            "net_sales",
            before="2024-07-01",
            after="2024-10-01",
            every="1q",
            factors=factors,
        )
    message = str(caught.value)
    assert message.count("net_sales is") == 2
    assert "in 'before' (gap 8.4 %)" in message
    assert "returns_value" in message


def test_a_factor_without_a_value_leaves_the_change_to_what_vanished():
    shop = shop_of([of("PL", 500)] * 2, [])
    found = drive(shop, "gross_sales", factors="orders * average_order_value + discounts")
    assert parts(found) == {"orders": -1000, "average_order_value": 0, "discounts": 0}
    assert found.frame["reason"].to_list() == [None, "empty_denominator", None]


def test_no_change_has_no_shares():
    shop = shop_of([of("PL", 500), of("DE", 300)], [of("PL", 300), of("DE", 500)])
    found = drive(shop, "gross_sales", by="country").frame
    assert found["contribution"].sort().to_list() == [-200, 200]
    assert set(found["reason"]) == {"no_change"}
    assert found["share"].null_count() == 2


@pytest.mark.parametrize(("months", "known"), [(4, None), (8, True)])
def test_a_change_is_set_against_what_the_metric_varies_by_itself(months, known):
    shop = shop_of([of("PL", 500)], [of("PL", 500)], months=months)
    found = drive(shop, "gross_sales", by="country")
    assert found.within_limits is known
    assert ("6 earlier periods" in repr(found)) is (known is None)


def test_the_week_in_which_the_checkout_failed_stands_out():
    found = fk.drivers(
        fk.demo(),
        "session_conversion_rate",
        before="2024-10-07",
        after="2024-10-14",
        every="1w",
        by="device",
    )
    assert found.within_limits is False
    assert "The value after lies outside" in repr(found)
    rates = found.frame.filter(kind="rate")
    assert rates["contribution"].sum() == pytest.approx(found.change, rel=0.05)


def test_a_value_that_stands_out_is_named():
    shop = shop_of([of("PL", 500)], [of("PL", 900)], months=8)
    found = drive(shop, "gross_sales", by="country")
    assert found.within_limits is False
    assert "The value after lies outside" in repr(found)
    assert "9 earlier periods" in repr(found)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (
            {"factors": "orders", "by": "country", "method": "logs", "after": "2024-04-01"},
            ["factors= and by= are two", "method='logs'", "after='2024-04-01' is not a range"],
        ),
        ({"by": "country", "method": "log", "top": 0}, ["'log' is for factors", "top=0"]),
        (
            {"metric": "customer_churn_rate", "after": MARCH, "by": "country"},
            ["compares periods", "the same range"],
        ),
        ({"after": ("2024-04-01", "2024-04-08"), "by": "country"}, ["before has 31 days, after 7"]),
        ({"after": ("2024-05-01", "2024-06-01"), "by": "country"}, ["the data is of 2024-03-01"]),
        ({"before": ("2024-03-01T08:00", "2024-04-01")}, ["08:00:00 is not the beginning"]),
        ({"before": ("2024-03-01",), "after": 5}, ["has 1 moments", "after is an int"]),
        (
            {"before": ["2024-03-01", 7], "after": (None, "2024-04-01")},
            ["an int", "an open end"],
        ),
        (
            {"after": ("2024-04-01", "2024-04-08"), "every": "1mo", "by": "country"},
            ["before has 31 days, after 7"],
        ),
        ({"before": "2024-03-05", "every": "1mo"}, ["not the start of a period", "2024-03-01"]),
        ({"metric": "orders"}, ["orders has no factors"]),
        ({"factors": "gross_sales * orders * 0"}, ["gross_sales is"]),
        ({"factors": "orders * customers"}, ["gross_sales is in money"]),
        ({"factors": "gross_sales + orders"}, ["do not fit together"]),
        ({"factors": "gross_sales - discounts", "method": "log"}, ["products and quotients"]),
        (
            {"metric": "purchase_frequency", "by": "country"},
            ["the denominator of purchase_frequency, customers"],
        ),
        ({"factors": 7}, ["factors is an int"]),
        ({"by": ["country"]}, ["by is a list"]),
    ],
    ids=str,
)
def test_what_cannot_be_divided_is_refused_with_every_reason(arguments, told):
    shop = shop_of([of("PL", 500)], [of("PL", 450)])
    with pytest.raises(fk.DefinitionError) as caught:
        drive(shop, arguments.pop("metric", "gross_sales"), **arguments)
    for words in told:
        assert words in str(caught.value)


def test_a_factor_is_not_taken_for_a_metric_of_the_same_name():
    shop = shop_of([of("PL", 500, 50)], [of("PL", 450)])
    own = fk.Metric(name="gross_sales", formula="sum(orders.discount_amount)")
    with pytest.raises(fk.DefinitionError, match="two different metrics are named 'gross_sales'"):
        drive(shop, own, factors="gross_sales * orders / orders")


def test_the_logarithm_takes_factors_above_zero():
    shop = shop_of([of("PL", 500, 20)], [of("PL", 450)])
    factors = "orders * discounts / orders"
    with pytest.raises(fk.DefinitionError, match="discounts is 0 after, the value is 0"):
        drive(shop, "discounts", factors=factors, method="log")


def test_a_metric_without_a_value_is_refused_with_the_reason():
    shop = shop_of([of("PL", 500)], [])
    with pytest.raises(fk.DataError, match=r"average_order_value is null after .empty_denominator"):
        drive(shop, "average_order_value")
    with pytest.raises(fk.DataError, match="average_order_value: null before and after"):
        drive(_idle(), "gross_sales", factors="gross_sales + 0 * average_order_value")


def _idle():
    """Return a shop that sold in February only."""
    orders = pl.DataFrame(
        {
            "order_id": ["1"],
            "ordered_at": [dt.date(2024, 2, 1)],
            "gross_amount": [5.0],
            "discount_amount": [0.0],
            "is_counted": [True],
        }
    )
    return fk.Shop(orders=orders, currency="PLN", as_of="2024-05-01")


def test_it_is_read_in_a_terminal_and_in_a_notebook():
    shop = shop_of([of("PL", 500), of(None, 300)], [of("PL", 450), of("DE", 420), of(None, 1)])
    text = repr(drive(shop, "gross_sales", by="country"))
    assert "+420.00 PLN" in text
    assert "(null)" in text
    assert "what moved, not why" in text
    assert "pp" in repr(drive(shop, DISCOUNT, by="country"))
    assert "<table " in drive(shop, "gross_sales", by="country")._repr_html_()


ORDERS = st.lists(
    st.tuples(
        st.sampled_from(["PL", "DE", "CZ", None]),
        st.integers(1, 9).map(float),
        st.integers(0, 5).map(float),
        st.sampled_from(["c1", "c2", "c3"]),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=15)
@given(ORDERS, ORDERS, st.sampled_from(["gross_sales", "customers", DISCOUNT]))
def test_contributions_add_up_and_turn_with_time(before, after, metric):
    shop = shop_of(before, after)
    there = drive(shop, metric, by="country")
    back = drive(shop, metric, by="country", before=APRIL, after=MARCH)
    assert there.frame["contribution"].sum() == pytest.approx(there.change, abs=1e-9)
    one, two = (
        {
            (name, kind == "rate"): part
            for kind, name, part in each.frame.select("kind", "name", "contribution").rows()
        }
        for each in (there, back)
    )
    assert {key: -part for key, part in two.items()} == pytest.approx(one, abs=1e-9)


@settings(max_examples=10)
@given(ORDERS, ORDERS, st.integers(2, 5))
def test_money_that_is_scaled_scales_contributions(before, after, times):
    scaled = [
        [
            (country, amount * times, discount * times, who)
            for country, amount, discount, who in rows
        ]
        for rows in (before, after)
    ]
    plain, larger = (
        parts(drive(shop_of(*rows), "average_order_value")) for rows in ((before, after), scaled)
    )
    expected = {name: part * times for name, part in plain.items()}
    assert larger == pytest.approx(expected, abs=1e-9)
