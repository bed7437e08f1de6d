"""Tracking goals on a shop: what counts, what is shared, and what is said where little is known."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.goals import measure

FIRST = dt.date(2024, 1, 1)
DEC = {"start": "2024-12-01", "deadline": "2025-01-01"}
MARCH = {"start": "2024-03-01", "deadline": "2024-04-01"}


def shop_of(rows, *, as_of=None, returns=(), **settings):
    """A shop of orders: the day from the first of January, the amount, country and customer."""
    orders = pl.DataFrame(
        {
            "order_id": range(len(rows)),
            "customer_id": [row[3] if len(row) > 3 else n % 3 for n, row in enumerate(rows)],
            "ordered_at": [FIRST + dt.timedelta(days=day) for day, *_ in rows],
            "gross_amount": [float(amount) for _, amount, *_ in rows],
            "discount_amount": [0.0] * len(rows),
            "country": [row[2] if len(row) > 2 else "PL" for row in rows],
        },
        schema_overrides={"ordered_at": pl.Date, "country": pl.String},
    )
    back = pl.DataFrame(
        {
            "return_id": range(len(returns)),
            "order_id": [0] * len(returns),
            "returned_at": [FIRST + dt.timedelta(days=day) for day, _ in returns],
            "kind": ["return"] * len(returns),
            "refund_amount": [float(amount) for _, amount in returns],
        },
        schema_overrides={"returned_at": pl.Date, "kind": pl.String, "refund_amount": pl.Float64},
    )
    more = {"returns": back} if returns else {"assume_empty": ["returns"]}
    return fk.Shop(
        orders=orders, order_policy="all", currency="EUR", as_of=as_of, **more, **settings
    )


def row_of(shop, **parts):
    goal = fk.Goal(**{"metric": "gross_sales", "target": 310, **MARCH, **parts})
    return fk.track(shop, goal).frame.row(0, named=True)


EVERY_DAY = [(day, 10) for day in range(70)]


def test_only_complete_days_count():
    row = row_of(shop_of(EVERY_DAY, as_of="2024-03-10T14:00"))
    assert row["through"] == dt.date(2024, 3, 10)
    assert row["elapsed"] == pytest.approx(9 / 31)
    assert (row["actual"], row["pace"]) == pytest.approx((90, 1))
    assert row["status"] == "on_track"
    day_more = row_of(shop_of(EVERY_DAY))
    assert day_more["through"] == dt.date(2024, 3, 11)


def test_days_without_rows_are_days_of_0():
    quiet = [(0, 10), (59, 10), (60, 5), (65, 15)]
    row = row_of(shop_of([*quiet, (64, 70)], as_of="2024-03-12"), start="2024-02-01")
    assert (row["actual"], row["elapsed"]) == (100, pytest.approx(40 / 60))
    one = row_of(shop_of(quiet, as_of="2024-03-12"), keys={"country": "PL"})
    assert (one["actual"], one["reason"]) == (20, "1_windows_left_out, little_history")
    again = row_of(shop_of(quiet, as_of="2024-03-12"), metric="repeat_purchase_rate", target=0.5)
    assert (again["denominator"], again["required"], again["denominator_rest"]) == (3, None, None)
    rate = row_of(shop_of(quiet, as_of="2024-03-20"), metric="average_order_value", target=5)
    assert (rate["actual"], rate["numerator"], rate["denominator"]) == (10, 20, 2)


def test_a_goal_waits_for_its_first_complete_day():
    row = row_of(shop_of(EVERY_DAY, as_of="2024-03-01T23:00"))
    assert (row["status"], row["rule"], row["actual"]) == ("not_started", "not_started", None)
    assert row["through"] == dt.date(2024, 3, 1)


def test_a_goal_whose_window_is_over_is_met_or_missed():
    shop = shop_of(EVERY_DAY, as_of="2024-05-01")
    january = {"start": "2024-01-01", "deadline": "2024-02-01"}
    met, missed = row_of(shop, **january), row_of(shop, **january, target=311)
    assert (met["status"], missed["status"]) == ("met", "missed")
    assert (met["required"], met["projection"], met["reason"]) == (None, None, None)


def test_what_returns_can_make_smaller_is_met_at_the_deadline_only():
    rows = [(60, 400), (61, 10)]
    sold = row_of(shop_of(rows, as_of="2024-03-10"))
    assert (sold["status"], sold["rule"]) == ("met", "reached")
    shop = shop_of(rows, as_of="2024-03-10", returns=[(65, 5)])
    net = row_of(shop, metric="net_sales")
    assert (net["actual"], net["status"], net["rule"]) == (405, "on_track", "pace")


def test_a_ceiling_is_used_up_on_a_day():
    spent = fk.Metric(name="spent", formula="sum(orders.gross_amount)", direction="down")
    shop = shop_of(
        [(60 + day, 4600 / 12 if day < 12 else 0) for day in range(12)], as_of="2024-03-13"
    )
    row = row_of(shop, metric=spent, target=10_000)
    assert row["exhausted"] == dt.date(2024, 3, 1) + dt.timedelta(days=26)
    assert (row["pace"], row["required"]) == pytest.approx((4600 / (10_000 * 12 / 31), 5400 / 19))
    over = row_of(shop, metric=spent, target=1000)
    assert (over["status"], over["rule"]) == ("missed", "exceeded")
    assert over["exhausted"] == dt.date(2024, 3, 3)


def test_a_band_progresses_by_the_parts_that_lie_in_it():
    rows = [*((month * 30 + 10, 240) for month in range(11)), (345, 100)]
    shop = shop_of(rows, as_of="2025-01-01")
    year = {"start": "2024-01-01", "deadline": "2025-01-01"}
    row = row_of(shop, metric="average_order_value", target=(237.5, 262.5), **year)
    assert row["progress"] == pytest.approx(11 / 12)
    assert (row["better"], row["low_target"], row["target"]) == ("inside", 237.5, None)


def test_a_key_that_the_data_never_has_is_no_data_with_the_nearest():
    rows = [(day, 10, country) for day in range(70) for country in ("PL", "DE", None)]
    shop = shop_of(rows)
    table = pl.DataFrame(
        {"metric": "orders", "target": [20, 40, 100], "country": ["PLL", "DE", None], **MARCH}
    )
    progress = fk.track(shop, table)
    assert progress.frame["actual"].to_list() == [None, 10, 30]
    assert progress.frame["status"].to_list() == ["no_data", "off_track", "at_risk"]
    assert progress.frame["reason"][0] == "no_such_key"
    assert "the data has no country PLL; did you mean PL?" in repr(progress)
    cased = fk.track(shop, table[:1].with_columns(country=pl.lit("pl")))
    assert "the data has no country pl; did you mean PL?" in repr(cased)
    uncovered = progress.uncovered.select("country", "actual")
    assert set(uncovered.rows()) == {(None, 10), ("PL", 10)}


def test_a_key_that_has_nothing_in_the_window_has_0():
    quiet = [(10, 5, "DE", 7), (12, 5, "DE", 8), *EVERY_DAY]
    shop = shop_of(quiet)
    for metric, better in (("orders", None), ("customers", None)):
        row = row_of(shop, metric=metric, target=20, keys={"country": "DE"}, better=better)
        assert (row["actual"], row["status"]) == (0, "off_track")
        assert "no_such_key" not in row["reason"]
    over = {"start": "2024-02-01", "deadline": "2024-03-01", "keys": {"country": "DE"}}
    closed = row_of(shop, metric="orders", target=20, **over)
    assert (closed["actual"], closed["status"], closed["reason"]) == (0, "missed", None)
    rate = row_of(shop, metric="average_order_value", target=5, **over)
    assert (rate["actual"], rate["reason"]) == (None, "empty_denominator")
    never = row_of(shop, metric="orders", target=20, **over | {"keys": {"country": "FR"}})
    assert (never["status"], never["reason"]) == ("no_data", "no_such_key")
    goal = fk.Goal(metric="orders", target=5, **MARCH, keys={"country": "DE"})
    assert goal.check(shop).filter(criterion="measurable")["holds"].item()


def test_goals_on_one_table_share_one_evaluation_per_grain(monkeypatch):
    calls = []
    real = measure.evaluate
    monkeypatch.setattr(
        measure, "evaluate", lambda *args, **more: calls.append(more) or real(*args, **more)
    )
    shop = shop_of([(day, 10, ("PL", "DE")[day % 2]) for day in range(70)])
    metrics = ["gross_sales", "orders", "average_order_value"]
    goals = [
        fk.Goal(metric=metric, target=50, start=f"2024-03-0{day}", deadline="2024-04-01")
        for metric in metrics
        for day in range(1, 7)
    ]
    table = pl.DataFrame({"metric": "orders", "target": 9, "country": ["PL", "DE"], **MARCH})
    fk.track(shop, goals)
    assert [more["every"] for more in calls] == ["1d"]
    calls.clear()
    fk.track(shop, table)
    assert [more["by"] for more in calls] == [("country",)]
    calls.clear()
    customers = [fk.Goal(metric="customers", target=target, **MARCH) for target in (2, 5, 9)]
    fk.track(shop, [*goals, *customers])
    assert [isinstance(more["every"], list) for more in calls] == [False, True, True]


def test_a_distinct_count_is_projected_from_its_own_earlier_months():
    rows = [(day, 1, "PL", day * day % 17 + day % 5) for day in range(345)]
    row = row_of(shop_of(rows), metric="customers", target=20, **DEC)
    firsts = [dt.date(2024, month, 1) for month in range(1, 13)]
    ends = list[float]()
    for start, end in pairwise(firsts):
        days = (end - start).days
        cut = round(days * 10 / 31)
        first = (start - FIRST).days
        by, final = (len({r[3] for r in rows[first : first + n]}) for n in (cut, days))
        ends.append((final - by) / (days - cut) / (by / cut))
    actual = len({r[3] for r in rows[335:345]})
    assert (row["actual"], row["windows"]) == (actual, 11)
    projections = sorted(actual + 21 * actual / 10 * end for end in ends)
    found = (row["projection"], row["low"], row["high"], row["level"])
    assert found == pytest.approx((projections[5], projections[0], projections[-1], 10 / 12))
    assert row["projection"] < actual * 3.1


def test_windows_with_gaps_give_the_numbers_of_each_window_alone():
    shop = shop_of([(day, 10) for day in range(0, 70, 3)])
    edges = ["2024-01-01", "2024-01-11", "2024-02-01", "2024-02-11"]
    gaps = fk.evaluate(shop, ["customers", "orders"], every=edges).frame[::2]
    for (start, *values), end in zip(
        gaps.rows(), (dt.date(2024, 1, 11), dt.date(2024, 2, 11)), strict=True
    ):
        alone = fk.evaluate(shop, ["customers", "orders"], start=start, end=end).frame.row(0)
        assert tuple(values) == alone


def test_a_goal_of_one_product_folds_its_lines():
    lines = pl.DataFrame(
        {
            "order_line_id": range(4),
            "order_id": [0, 0, 1, 1],
            "product_id": [1, 2, 1, 2],
            "quantity": [1, 1, 2, 1],
            "unit_price": [10.0, 99.0, 11.0, 98.0],
            "discount_amount": [0.0] * 4,
        }
    )
    orders = shop_of([(10, 109), (70, 120)]).frames["orders"].collect()
    empty = ["returns"]
    shop = fk.Shop(orders=orders, order_lines=lines, order_policy="all", assume_empty=empty)
    row = row_of(
        shop,
        metric="net_sales",
        where="product_id == 1",
        target=fk.Lift(0.15),
        baseline=("2024-01-11", "2024-02-11"),
    )
    assert (row["baseline"], row["target"], row["actual"]) == pytest.approx((10, 11.5, 22))


def test_the_days_that_a_shop_covers_are_those_of_its_first_rows_and_its_as_of():
    shop = shop_of(EVERY_DAY[5:], as_of="2024-03-10T14:00", returns=[(40, 1)])
    days = (dt.date(2024, 1, 6), dt.date(2024, 3, 9))
    assert shop.complete_days() == days
    assert {shop.complete_days(metric=name) for name in ("net_sales", "returns_value")} == {days}
    assert shop_of(EVERY_DAY).complete_days() == (FIRST, dt.date(2024, 3, 10))
    assert shop_of([]).complete_days() is None
    assert shop_of(EVERY_DAY, as_of="2024-01-02").complete_days() == (FIRST, FIRST)
    for as_of in ("2024-01-01T12:00", "2023-12-31"):
        assert shop_of(EVERY_DAY, as_of=as_of).complete_days() is None
        with pytest.raises(fk.DataError, match="of a whole day lies before the given as_of="):
            row_of(shop_of(EVERY_DAY, as_of=as_of))
    with pytest.raises(fk.DataError, match="not known up to when the data reaches"):
        row_of(shop_of([]))


def test_what_the_data_does_not_cover_is_said():
    shop = shop_of(EVERY_DAY[20:])
    row = row_of(shop, start="2024-01-01")
    assert row["reason"].split(", ")[0] == "starts_before_data"
    assert row["actual"] == 500
    lifted = row_of(shop, target=fk.Lift(0.1), baseline=("2024-01-01", "2024-02-01"))
    assert (lifted["target"], lifted["status"]) == (None, "no_data")
    assert lifted["reason"].startswith("baseline_not_covered")


def with_visits(shop):
    """The same shop, whose visits were counted from the first of January on."""
    days = [FIRST + dt.timedelta(days=day) for day in range(100)]
    sessions = pl.DataFrame({"session_id": range(100), "visitor_id": range(100)})
    orders = shop.frames["orders"].collect()
    sessions = sessions.with_columns(pl.Series("started_at", days))
    return fk.Shop(
        orders=orders, sessions=sessions, order_policy="all", currency="EUR", as_of="2024-04-01"
    )


def test_what_a_metric_reads_may_begin_after_the_shop():
    shop = with_visits(shop_of(EVERY_DAY[40:]))
    assert shop.complete_days()[0] == FIRST
    february = ("2024-02-01", "2024-03-01")
    lifted = row_of(shop, metric="orders", target=fk.Lift(0.1), baseline=february)
    assert (lifted["baseline"], lifted["status"]) == (None, "no_data")
    assert lifted["reason"].startswith("baseline_not_covered")
    plain = row_of(shop, metric="orders", target=5, start="2024-02-01")
    assert (plain["actual"], plain["reason"]) == (30, "starts_before_data")
    visits = row_of(shop, metric="sessions", target=fk.Lift(0.1), baseline=february, better="up")
    assert (visits["baseline"], visits["reason"]) == (29, None)
    goal = fk.Goal(metric="orders", target=fk.Lift(0.1), baseline=february, **MARCH)
    evidence = goal.check(shop).filter(criterion="achievable")
    assert evidence["holds"].to_list() == [None]


def test_a_target_in_another_currency_is_refused_before_anything_is_read():
    shop = shop_of(EVERY_DAY)
    assert row_of(shop, currency="eur")["actual"] == 100
    goals = [
        fk.Goal(metric="gross_sales", target=target, currency=currency, **MARCH)
        for target, currency in ((5, "PLN"), (6, "USD"), (7, "EUR"))
    ]
    with pytest.raises(fk.DefinitionError) as caught:
        fk.track(shop, goals)
    assert str(caught.value).count("and the amounts are in EUR") == 2
    with pytest.raises(fk.DefinitionError, match="is in PLN, and the amounts are in EUR"):
        goals[0].check(shop)
    with pytest.raises(fk.DefinitionError, match="orders is no amount of money"):
        fk.Goal(metric="orders", target=5, currency="EUR", **MARCH)


def test_where_amounts_are_of_several_currencies_a_goal_is_of_one():
    orders = shop_of(EVERY_DAY).frames["orders"].collect()
    mixed = pl.Series("currency", ["EUR", "PLN"] * 35)
    shop = fk.Shop(orders=orders.with_columns(mixed), order_policy="all", assume_empty=["returns"])
    euros = {"keys": {"currency": "EUR"}, "currency": "EUR"}
    assert row_of(shop, **euros)["actual"] == 50
    with pytest.raises(fk.DefinitionError, match="in PLN, and the amounts are in EUR"):
        row_of(shop, **{**euros, "currency": "PLN"})
    with pytest.raises(fk.DefinitionError, match=r"PLN, and it is not known .* fk\.Shop\("):
        row_of(shop, currency="PLN")
    with pytest.raises(fk.ContractError, match="holds EUR and PLN"):
        row_of(shop)


def test_a_lift_of_a_baseline_of_0_is_refused_for_every_goal():
    shop = shop_of([(0, 0), *EVERY_DAY[31:]])
    span = ("2024-01-02", "2024-01-31")
    goals = [
        fk.Goal(
            metric=name,
            target=fk.Lift(0.1),
            baseline=span,
            start="2024-03-01",
            deadline="2024-03-30",
        )
        for name in ("gross_sales", "orders")
    ]
    with pytest.raises(fk.DefinitionError) as caught:
        fk.track(shop, goals)
    assert all(f"{name} before" in str(caught.value) for name in ("gross_sales", "orders"))


def test_goals_of_disjoint_days_and_keys_roll_up():
    rows = [(day, 10, country) for day in range(70) for country in ("PL", "DE")]
    january = {"start": "2024-01-01", "deadline": "2024-02-01"}
    february = {"start": "2024-02-01", "deadline": "2024-03-01"}
    goals = [
        fk.Goal(metric="orders", target=target, keys={"country": country}, **days)
        for (target, country, days) in [
            (10, "PL", january),
            (20, "DE", january),
            (30, "PL", february),
        ]
    ]
    progress = fk.track(shop_of(rows), goals)
    whole = progress.rollup().row(0, named=True)
    assert (whole["target"], whole["actual"], whole["goals"]) == (60, 31 + 31 + 29, 3)
    assert whole["status"] == "missed"
    assert progress.rollup("country")["target"].to_list() == [40, 20]
    twice = fk.track(shop_of(rows), [goals[0], fk.Goal(metric="orders", target=5, **january)])
    with pytest.raises(fk.UnsupportedError, match="may count the same rows"):
        twice.rollup()
    both = fk.Goal(
        metric="orders", target=5, keys={"country": "PL"}, start="2024-01-15", deadline="2024-02-15"
    )
    with pytest.raises(fk.UnsupportedError, match="may count the same rows"):
        fk.track(shop_of(rows), [goals[0], both]).rollup("country")
    with pytest.raises(fk.UnknownNameError, match="did you mean 'country'"):
        progress.rollup("countri")


def test_targets_of_ratios_roll_up_by_their_denominators_only():
    rows = [(day, 10, country) for day in range(70) for country in ("PL", "DE")]
    goals = [
        fk.Goal(metric="aov", target=t, keys={"country": c}, planned_denominator=d, **MARCH)
        for t, c, d in [(20, "PL", 3000), (30, "DE", 1000)]
    ]
    whole = fk.track(shop_of(rows), goals).rollup().row(0, named=True)
    assert (whole["target"], whole["actual"]) == pytest.approx((22.5, 10))
    plain = [fk.Goal(metric="aov", target=20, keys={"country": c}, **MARCH) for c in ("PL", "DE")]
    with pytest.raises(fk.UnsupportedError, match="the mean of targets is a wrong number"):
        fk.track(shop_of(rows), plain).rollup()
    buyers = [
        fk.Goal(metric="customers", target=2, keys={"country": c}, **MARCH) for c in ("PL", "DE")
    ]
    with pytest.raises(fk.UnsupportedError, match="set a goal for all together"):
        fk.track(shop_of(rows), buyers).rollup()


def test_goals_read_as_one_table_by_stage():
    seen = fk.Metric(name="seen", formula="count(orders)", stage="awareness", direction="up")
    goals = [
        fk.Goal(metric="repeat_purchase_rate", target=1, objective="loyalty", **MARCH),
        fk.Goal(metric="orders", target=5, objective="sales", **MARCH),
        fk.Goal(metric="gross_sales", target=1e6, objective="sales", **MARCH),
        fk.Goal(metric="gross_sales", target=2, **MARCH),
        fk.Goal(metric=seen, target=10, **MARCH),
    ]
    progress = fk.track(shop_of(EVERY_DAY[::2], as_of="2024-05-01"), goals)
    lines = repr(progress).splitlines()
    stages = ["awareness", "conversion", "gross_sales", "gross_sales", "retention"]
    assert [line.split()[0] for line in lines[2:7]] == stages
    assert "≥ 1,000,000.00 EUR" in lines[4]
    assert "pairs of goals that contradict each other: 1" in repr(progress)
    assert "<table " in progress._repr_html_()
    assert progress.objectives().rows() == [
        ("loyalty", 1, "met", goals[0].name),
        ("sales", 2, "missed", goals[2].name),
    ]
    assert progress.conflicts["target"].to_list() == ["at least 1,000,000"]


def test_odd_columns_are_read_as_what_they_are():
    plain = shop_of(EVERY_DAY)
    orders = plain.frames["orders"].collect()
    odd = orders.select(
        pl.col("order_id").cast(pl.Int32),
        pl.col("customer_id").cast(pl.String),
        "ordered_at",
        pl.col("gross_amount").cast(pl.Decimal(10, 2)),
        pl.col("discount_amount").cast(pl.Float32),
        pl.col("country").cast(pl.Categorical),
    )
    shop = fk.Shop(orders=odd, order_policy="all", currency="EUR", assume_empty=["returns"])
    table = pl.DataFrame(
        {
            "metric": "gross_sales",
            "target": pl.Series([Decimal("310.00")], dtype=pl.Decimal(10, 2)),
            "country": pl.Series(["PL"], dtype=pl.Categorical),
            "start": [dt.datetime(2024, 3, 1)],
            "deadline": [dt.date(2024, 4, 1)],
        }
    )
    row = fk.track(shop, table).frame.row(0, named=True)
    assert (row["actual"], row["country"], row["pace"]) == (100, "PL", pytest.approx(1))


def test_what_is_no_goal_is_refused():
    shop = shop_of(EVERY_DAY)
    with pytest.raises(fk.DefinitionError, match="a goal is a str"):
        fk.track(shop, ["orders"])
    with pytest.raises(fk.DefinitionError, match="there are no goals to track"):
        fk.track(shop, [])
    with pytest.raises(fk.DefinitionError, match="is for a targets table with a column period"):
        fk.track(shop, fk.Goal(metric="orders", target=1, **MARCH), every="1mo")
    with pytest.raises(fk.MissingInputError, match="sessions: needed by sessions"):
        row_of(shop, metric="sessions")
    with pytest.raises(fk.UnknownNameError, match="did you mean 'country'"):
        row_of(shop, keys={"countri": "PL"})


def test_the_evidence_of_a_goal_shows_what_is_there():
    rows = [(day, 10 if day < 300 else 20) for day in range(345)]
    goal = fk.Goal(
        metric="gross_sales",
        target=330,
        start="2024-12-01",
        deadline="2025-01-01",
        owner="CRM",
        objective="growth",
        supports="net_sales",
    )
    shop = shop_of(rows, returns=[(50, 1)])
    frame = goal.check(shop)
    found = {row["criterion"]: row for row in frame.rows(named=True)}
    assert list(found) == ["specific", "measurable", "achievable", "relevant", "time_bound"]
    assert all(row["holds"] for row in found.values())
    assert "reached in 2 of 11 earlier windows; best 600" in found["achievable"]["evidence"]
    assert "net_sales ← gross_sales" in found["relevant"]["evidence"]
    assert "21 days left before 2025-01-01, 15 of them" in found["time_bound"]["evidence"]
    bare = fk.Goal(metric="sessions", target=3, start="2024-03-01", deadline="2024-04-01")
    assert bare.check(shop)["holds"].to_list() == [False, False, None, False, False]
    unreached = fk.Goal(metric="orders", target=3, keys={"channel": "x"}, owner="x", **DEC)
    assert unreached.check(shop)["holds"].to_list()[:2] == [False, False]


def test_goals_on_a_database_stand_as_on_frames():
    shop = shop_of([(day, 10 + day % 7) for day in range(70)])
    settings = {"order_policy": "all", "currency": "EUR", "assume_empty": ["returns"]}
    with duckdb.connect() as connection:
        connection.register("orders", shop.frames["orders"].collect())
        there = fk.Shop.on(fk.DuckDB(connection), orders="orders", **settings)
        goals = [
            fk.Goal(metric="customers", target=3, **MARCH),
            fk.Goal(metric="gross_sales", target=20, keys={"country": "PL"}, **MARCH),
        ]
        assert_frame_equal(fk.track(there, goals).frame, fk.track(shop, goals).frame)


def test_a_goal_on_what_depends_on_the_length_of_its_window():
    daily = fk.Metric(name="daily", formula="count(orders) / period_days()", direction="up")
    rows = [(day, 10, "PL") for day in range(0, 70, 2)]
    shop = shop_of(rows, as_of="2024-03-11")
    row = row_of(shop, metric=daily, target=0.75)
    assert row["actual"] == pytest.approx(0.5)
    closed = {"start": "2024-01-01", "deadline": "2024-02-01"}
    assert row_of(shop, metric=daily, target=0.5, **closed)["actual"] == pytest.approx(16 / 31)
    keyed = row_of(shop, metric=daily, target=0.5, keys={"country": "DE"})
    assert keyed["reason"] == "no_such_key"
    assert fk.Goal(metric=daily, target=1, **MARCH).check(shop)["holds"][1]
