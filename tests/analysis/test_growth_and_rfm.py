"""Growth accounting and segments against plain loops, and their identities."""

import datetime as dt
import re
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.analysis.rfm import SEGMENTS

SEEDS = st.integers(0, 10_000)
FIRST = dt.datetime(2024, 1, 1)


def drawn(seed):
    draw = Random(seed)
    months = [1, 2, 4, 5]
    rows = [
        (who, FIRST.replace(month=draw.choice(months), day=draw.randint(1, 28)),
         float(draw.randrange(100)), draw.choice(["paid", "paid", "cancelled"]))
        for who in [*range(10), None]
        for _ in range(draw.randint(1, 4))
    ]  # fmt: skip
    schema = ["customer_id", "ordered_at", "gross_amount", "status"]
    orders = pl.DataFrame(rows, schema, orient="row").with_row_index("order_id")
    return orders.with_columns(pl.lit(0.0).alias("discount_amount"))


def shop_of(orders):
    return fk.Shop(orders=orders, assume_empty=["returns"], as_of="2024-06-01")


def months_by_customer(orders):
    kept = orders.filter(pl.col("status") == "paid", pl.col("customer_id").is_not_null())
    found = {}
    for who, at in kept.select("customer_id", "ordered_at").iter_rows():
        found.setdefault(who, set()).add(at.month)
    return found


@settings(max_examples=80)
@given(SEEDS)
def test_growth_is_what_a_loop_over_customers_gives_and_its_identity_holds(seed):
    orders = drawn(seed)
    active = months_by_customer(orders)
    frame = fk.growth(shop_of(orders)).frame
    for row in frame.iter_rows(named=True):
        month = row["period"].month
        told = {"new": 0, "retained": 0, "resurrected": 0, "churned": 0}
        for months in active.values():
            if month in months:
                kind = "new" if month == min(months) else "resurrected"
                told["retained" if month - 1 in months else kind] += 1
            else:
                told["churned"] += month - 1 in months
        assert {name: row[name] for name in told} == told
        assert row["active"] == row["new"] + row["retained"] + row["resurrected"]
        assert row["net"] == row["new"] + row["resurrected"] - row["churned"]
    counts = frame["active"].to_list()
    assert frame["net"].to_list() == [two - one for one, two in zip([0, *counts], counts)]  # noqa: B905
    assert frame["new"].sum() == len(active)


def test_a_range_looks_at_the_period_before_it():
    whole = fk.growth(shop_of(drawn(3))).frame
    part = fk.growth(shop_of(drawn(3)), start="2024-02-01").frame
    assert part.equals(whole.filter(pl.col("period") >= dt.date(2024, 2, 1)))


def test_a_month_without_orders_has_a_row_in_which_all_are_gone():
    orders = drawn(3).filter(pl.col("ordered_at").dt.month() != 2)
    frame = fk.growth(shop_of(orders)).frame
    assert frame["period"].dt.month().to_list() == [1, 2, 3, 4, 5]
    row = frame.row(1, named=True)
    assert (row["active"], row["churned"]) == (0, frame["active"][0])
    assert row["quick_ratio"] == 0.0
    assert frame.row(2)[1:7] == (0, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("end", "later"),
    [
        (None, [(3, 0, 1, False), (4, 0, 0, True)]),
        ("2024-04-01", [(3, 0, 1, False)]),
        ("2024-03-10", [(3, 0, 1, True)]),
        ("2024-02-20", []),
    ],
)
def test_periods_after_the_last_order_are_told_as_far_as_they_are_known(end, later):
    times = [dt.datetime(2024, month, 3) for month in (1, 2)]
    orders = pl.DataFrame({"order_id": [1, 2], "customer_id": [1, 1], "ordered_at": times})
    shop = fk.Shop(orders=orders, order_policy="all", as_of="2024-04-20")
    names = (pl.col("period").dt.month(), "active", "churned", "is_incomplete")
    told = fk.growth(shop, end=end).frame.select(names).rows()
    assert told == [(1, 1, 0, False), (2, 1, 0, end == "2024-02-20"), *later]
    if end is None:
        assert fk.growth(shop, start="2024-03-01").frame.select(names).rows() == later


def test_periods_of_hours_are_known_up_to_the_latest_time():
    times = [dt.datetime(2024, 1, 3, hour) for hour in (5, 9)]
    orders = pl.DataFrame({"order_id": [1, 2], "customer_id": [1, 1], "ordered_at": times})
    later = [(10, 0, 1, False), (12, 0, 0, True)]
    for as_of, rest in ((None, [(8, 1, 0, True)]), ("2024-01-03T13", [(8, 1, 0, False), *later])):
        shop = fk.Shop(orders=orders, order_policy="all", as_of=as_of)
        frame = fk.growth(shop, every="2h").frame
        told = frame.select(pl.col("period").dt.hour(), "active", "churned", "is_incomplete")
        assert told.rows() == [(4, 1, 0, False), (6, 0, 1, False), *rest]


def test_the_period_in_progress_is_marked_where_growth_is_read():
    times = [dt.datetime(2024, month, 3) for month in (1, 2)]
    orders = pl.DataFrame({"order_id": [1, 2], "customer_id": [1, 2], "ordered_at": times})
    for as_of, mark in (("2024-02-20", "2024-02-01 *"), ("2024-03-01", "2024-02-01  ")):
        found = fk.growth(fk.Shop(orders=orders, order_policy="all", as_of=as_of))
        assert mark in repr(found)
        assert ("incomplete period" in repr(found)) == ("*" in mark)


def test_growth_can_be_read_and_bad_questions_are_refused():
    found = fk.growth(fk.demo(), every="1q")
    assert found.rule in repr(found)
    assert "quick" in found._repr_html_().lower()
    for every in ("", None, [], pl.col("period")):
        with pytest.raises(fk.DefinitionError):
            fk.growth(fk.demo(), every=every)
    with pytest.raises(fk.MissingInputError):
        fk.growth(fk.Shop(events=pl.DataFrame({"visitor_id": [1]})))


def score(value, values):
    return 1 + 5 * sum(other < value for other in values) // len(values)


@settings(max_examples=60)
@given(SEEDS)
def test_scores_are_full_fifths_below_and_ties_share_them(seed):
    orders = drawn(seed)
    kept = orders.filter(pl.col("status") == "paid").drop_nulls("customer_id")
    own = {
        who: (rows["ordered_at"].max(), rows.height, rows["gross_amount"].sum())
        for (who,), rows in kept.group_by("customer_id")
    }
    frame = fk.rfm(shop_of(orders)).frame
    assert set(frame["customer_key"]) == set(own)
    for row in frame.iter_rows(named=True):
        digits = [
            score(own[row["customer_key"]][place], [values[place] for values in own.values()])
            for place in range(3)
        ]
        told = [row[f"{name}_score"] for name in ("recency", "frequency", "monetary")]
        assert told == digits
    assert frame["segment"].null_count() == 0


@pytest.mark.parametrize("is_day", [False, True])
def test_orders_after_a_given_as_of_moment_have_no_score(is_day):
    orders, cut = drawn(5), dt.datetime(2024, 3, 1, 12)
    if is_day:
        orders = orders.with_columns(pl.col("ordered_at").dt.date())
    known = orders.filter(pl.col("ordered_at").cast(pl.Datetime) < cut)
    one, two = (
        fk.Shop(orders=rows, assume_empty=["returns"], as_of=cut) for rows in (orders, known)
    )
    assert 0 < known.height < orders.height
    assert fk.rfm(one).frame.equals(fk.rfm(two).frame)
    assert fk.rfm(one, end="2024-02-01").frame.equals(fk.rfm(two, end="2024-02-01").frame)
    assert fk.rfm(one).frame["recency_s"].min() >= 0
    assert fk.rfm(one, start="2024-04-01").frame.is_empty()


def test_every_pair_of_scores_is_in_exactly_one_segment():
    pairs = [(r, f) for _, recency, frequency in SEGMENTS for r in recency for f in frequency]
    assert sorted(pairs) == [(r, f) for r in range(1, 6) for f in range(1, 6)]


def test_the_scores_of_every_segment_are_documented():
    found = re.findall(r"\| `(\w+)` \| ([\d or]+) \| ([\d or]+) \|", fk.rfm.__doc__)
    shown = [(name, *(" or ".join(map(str, own)) for own in pair)) for name, *pair in SEGMENTS]
    assert found == shown


def test_segments_add_up_to_customers_and_revenue():
    shop = fk.demo()
    found = fk.rfm(shop)
    asked = fk.evaluate(shop, ["customers", "identified_net_sales"]).frame.row(0)
    segments = found.segments()
    assert (segments["customers"].sum(), segments["revenue"].sum()) == pytest.approx(asked)
    assert segments["share"].sum() == pytest.approx(1.0)
    assert "champions" in repr(found)
    assert "champions" in found._repr_html_()


def test_a_period_in_which_guests_alone_buy_has_a_row():
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3],
            "customer_id": [1, 1, None],
            "ordered_at": [FIRST.replace(month=month) for month in (3, 4, 5)],
            "status": ["paid"] * 3,
            "gross_amount": [10.0] * 3,
            "discount_amount": [0.0] * 3,
        }
    )
    found = fk.growth(shop_of(orders)).frame.select("active", "retained", "churned").rows()
    assert found == [(1, 0, 0), (1, 1, 0), (0, 0, 1)]


@pytest.mark.parametrize(
    "ask",
    [
        lambda shop: fk.funnel(shop, ["purchase"], order=["ordered"]),
        lambda shop: fk.funnel(shop, ["purchase"], ties={}),
        lambda shop: fk.conversion(shop, "view_item", "purchase", within="1d", unit=[]),
        lambda shop: fk.cohorts(shop, periods=[]),
        lambda shop: fk.durations(shop, []),
    ],
)
def test_a_choice_that_is_no_text_is_refused_in_words(ask):
    with pytest.raises(fk.DefinitionError, match="is not"):
        ask(fk.demo())
