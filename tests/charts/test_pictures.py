"""Pictures: what they show is what the results hold, and what kind of picture a question gets."""

import datetime as dt
import importlib.util
import json
from pathlib import Path

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.charts.spec import Measure

ROOT = Path(__file__).resolve().parents[2]
STEPS = ["view_item", "add_to_cart", "purchase"]
YEAR = {"start": "2024-01-01", "end": "2024-12-20"}


@pytest.fixture(scope="module")
def shop():
    return fk.demo()


def layers(spec):
    return spec.get("spec", spec).get("layer", [spec.get("spec", spec)])


def marks(spec):
    kinds = [layer["mark"] for layer in layers(spec)]
    return [kind if isinstance(kind, str) else kind["type"] for kind in kinds]


def rows(spec):
    return spec["data"]["values"]


def column(spec, name):
    return [row[name] for row in rows(spec)]


def test_time_is_a_line_whose_open_periods_are_dashed(shop):
    result = fk.evaluate(shop, "net_sales", every="1mo", **YEAR)
    spec = result.picture()
    assert marks(spec) == ["line", "line", "point"]
    assert column(spec, "value") == result.frame["net_sales"].to_list()
    assert column(spec, "period")[0] == "2024-01-01T00:00:00"
    assert column(spec, "is_open") == [False] * 11 + [True]
    assert column(spec, "is_dashed") == [False] * 10 + [True, True]
    complete, dashed, _ = spec["layer"]
    assert complete["transform"] == [{"filter": "!datum.is_open"}]
    assert dashed["transform"] == [{"filter": "datum.is_dashed"}]
    assert dashed["mark"]["strokeDash"]
    assert complete["encoding"]["y"]["axis"]["title"] == "Net sales (PLN)"
    assert spec["title"]["text"] == "Net sales"
    told = " ".join(spec["title"]["subtitle"])
    metric = fk.registry()["net_sales"]
    for word in ("dashed: incomplete", "higher is better", "orders", metric.fingerprint[:8]):
        assert word in told


def test_groups_are_bars_the_largest_first_with_their_values_as_the_table_shows_them(shop):
    result = fk.evaluate(shop, "aov", by="channel", totals=True)
    spec = result.picture()
    assert marks(spec) == ["bar", "text"]
    known = result.frame.filter(~pl.col("is_total")).sort("average_order_value", descending=True)
    assert column(spec, "group") == known["channel"].to_list()
    assert column(spec, "value") == known["average_order_value"].to_list()
    assert spec["layer"][0]["encoding"]["y"]["sort"] == column(spec, "group")
    assert all(label in repr(result) for label in column(spec, "label"))
    assert spec["layer"][0]["encoding"]["x"]["axis"]["title"] == "Average order value (PLN/order)"


def test_groups_over_time_are_lines_that_differ_in_shape_as_well_as_in_colour(shop):
    spec = fk.evaluate(shop, "cr", by="channel", every="1q").picture()
    point = spec["layer"][-1]["encoding"]
    assert point["color"]["field"] == point["shape"]["field"] == "group"
    shapes = point["shape"]["scale"]["range"]
    assert len(set(shapes)) == len(point["shape"]["scale"]["domain"]) == 5


def test_many_groups_over_time_are_panels_and_the_picture_names_what_it_leaves_out(shop):
    result = fk.evaluate(shop, "units_sold", by="product_id", every="1y")
    spec = result.picture()
    assert spec["facet"]["field"] == "group"
    assert len(set(column(spec, "group"))) == 24
    assert "the largest 24 of 40 groups" in spec["title"]["subtitle"]
    largest = result.frame.group_by("product_id").agg(pl.col("units_sold").sum())
    top = largest.sort("units_sold", descending=True)["units_sold"][:24].sum()
    assert sum(column(spec, "value")) == top


def test_a_group_without_a_row_leaves_a_gap_in_its_line():
    day = dt.datetime(2024, 1, 5)
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3, 4],
            "ordered_at": [day, day + dt.timedelta(days=1), day, day + dt.timedelta(days=2)],
            "status": ["paid"] * 4,
            "channel": ["a", "a", None, None],
        }
    )
    spec = fk.evaluate(fk.Shop(orders=orders), "orders", by="channel", every="1d").picture()
    cells = [(row["group"], row["value"]) for row in rows(spec)]
    assert cells == [
        ("a", 1),
        ("(null)", 1),
        ("a", 1),
        ("(null)", None),
        ("a", None),
        ("(null)", 1),
    ]


def test_one_value_is_a_number_and_several_metrics_stand_below_each_other(shop):
    result = fk.evaluate(shop, ["aov", "cr"])
    first, second = result.picture()["vconcat"]
    assert (marks(first), column(first, "label")) == (["text"], ["622.94 PLN"])
    assert second == result.picture(metrics="cr")
    with pytest.raises(fk.UnknownNameError, match="no metric of the result named 'orders'"):
        result.picture(metrics=["orders"])
    with pytest.raises(fk.DefinitionError, match="do not fit in a picture"):
        fk.evaluate(shop, fk.registry().find(table="email_sends", required_dimension="")).picture()


def test_an_empty_result_has_a_picture():
    orders = pl.DataFrame(schema={"order_id": pl.Int64, "ordered_at": pl.Date, "status": pl.String})
    shop = fk.Shop(orders=orders)
    assert rows(fk.evaluate(shop, "orders", every="1mo").picture()) == []


def test_a_funnel_is_bars_with_those_who_drop_off(shop):
    funnel = fk.funnel(shop, STEPS, within="7d")
    spec = funnel.picture()
    assert marks(spec) == ["bar", "bar", "text"]
    assert column(spec, "entities") == funnel.frame["entities"].to_list()
    assert column(spec, "before")[1:] == column(spec, "entities")[:-1]
    assert column(spec, "label")[1] == "3,643 · 78.18 % · −1,017 (21.82 %)"
    by = fk.funnel(shop, STEPS, within="7d", by="channel").picture()
    assert len(set(column(by, "group"))) == 5


def test_cohorts_are_a_heat_map_with_a_number_in_every_cell(shop):
    cohorts = fk.cohorts(shop, every="1q")
    spec = cohorts.picture()
    assert marks(spec) == ["rect", "text"]
    assert column(spec, "value") == cohorts.frame["retention"].to_list()
    colours = spec["layer"][0]["encoding"]["color"]
    later = cohorts.frame.filter(pl.col("age") > 0)["retention"]
    assert colours["scale"]["domain"] == [later.min(), later.max()]
    assert spec["title"]["text"] == "Retention by cohort"
    money = cohorts.picture(measure="revenue_per_customer")
    assert money["title"]["text"] == "Revenue per customer by cohort (PLN/customer)"
    with pytest.raises(fk.UnknownNameError, match="measure of the cohorts"):
        cohorts.picture(measure="loyalty")


def test_a_trend_shows_its_limits_and_marks_by_shape_and_word(shop):
    trend = fk.trend(fk.evaluate(shop, "cr", every="1w"))
    spec = trend.picture()
    assert marks(spec) == ["area", "line", "line", "point", "text"]
    for name in ("value", "lower", "upper", "expected"):
        assert column(spec, name) == trend.frame[name].to_list()
    marked = [row["mark"] for row in rows(spec) if row["signal"]]
    assert marked == trend.frame.filter(pl.col("signal").is_not_null())["verdict"].to_list()
    shapes = spec["layer"][3]["encoding"]["shape"]["scale"]
    assert dict(zip(shapes["domain"], shapes["range"], strict=True)) == {
        "better": "triangle-up",
        "worse": "triangle-down",
    }


def test_durations_are_a_survival_curve_from_one(shop):
    found = fk.durations(shop, "sessions_to_order", by="device")
    spec = found.picture()
    curve = found.survival()
    for device in ("desktop", "mobile", "tablet"):
        drawn = [(row["duration"], row["survival"]) for row in rows(spec) if row["group"] == device]
        known = curve.filter(device=device)
        assert drawn[0] == (0.0, 1.0)
        assert set(drawn[1:]) <= set(known.select("duration", "survival").rows())
        assert drawn[-1] == known.sort("duration").select("duration", "survival").row(-1)
    assert spec["encoding"]["strokeDash"]["field"] == spec["encoding"]["color"]["field"] == "group"


def test_conversions_are_rates_over_time_or_by_group(shop):
    over_time = fk.conversion(shop, "view_item", "purchase", within="7d", every="1q")
    assert column(over_time.picture(), "value") == over_time.frame["rate"].to_list()
    by = fk.conversion(shop, "view_item", "purchase", within="7d", by="device").picture()
    assert marks(by) == ["bar", "text"]


def test_drivers_are_a_waterfall_whose_steps_lead_from_before_to_after(shop):
    quarters = {"before": "2024-07-01", "after": "2024-10-01", "every": "1q"}
    found = fk.drivers(shop, "net_sales", **quarters)
    spec = found.picture()
    assert column(spec, "name") == ["before", "gross_sales", "discounts", "returns_value", "after"]
    steps = rows(spec)[1:-1]
    sizes = [row["end"] - row["start"] for row in steps]
    assert sizes == pytest.approx(found.frame["contribution"].to_list())
    assert [row["from"] for row in rows(spec)[1:-1]] == [row["start"] for row in steps[:1]] + [
        row["end"] for row in steps[:-1]
    ]
    assert (column(spec, "end")[0], column(spec, "end")[-1]) == (found.before, found.after)
    assert column(spec, "effect") == ["value", "better", "worse", "better", "value"]
    assert all(label in repr(found) for label in column(spec, "label"))
    assert [label[0] for label in column(spec, "label")[1:-1]] == ["+", "-", "+"]
    assert "the axis does not begin at 0" in spec["title"]["subtitle"]
    down = fk.drivers(shop, "return_rate", **quarters, by="channel").picture()
    assert {row["effect"] for row in rows(down) if row["label"][0] == "+"} == {"worse"}


def test_goals_are_bullets_each_on_its_own_scale(shop):
    window = {"start": "2024-12-01", "deadline": "2025-03-01"}
    goals = [
        fk.Goal(metric="net_sales", target=100_000, **window),
        fk.Goal(metric="average_order_value", target=(500, 600), **window),
    ]
    found = fk.track(shop, goals)
    spec = found.picture()
    assert [part["title"]["text"] for part in spec["vconcat"]] == [
        "Net sales",
        "Average order value",
    ]
    sums, ratios = (rows(part)[0] for part in spec["vconcat"])
    for name in ("actual", "target", "planned", "projection"):
        assert sums[name] == found.frame[name][0]
    assert (ratios["low_target"], ratios["high_target"], ratios["target"]) == (500, 600, None)
    assert marks(spec["vconcat"][0])[:3] == ["bar", "tick", "rule"]
    assert spec["vconcat"][0]["title"]["subtitle"].startswith("on track: 73,750.00 PLN of ≥ 100,0")


def test_intervals_are_error_bars_and_over_time_a_band(shop):
    channels = fk.intervals(shop, "aov", by="channel")
    spec = channels.picture()
    assert marks(spec) == ["rule", "tick", "tick", "point", "text"]
    known = channels.frame.sort("value", descending=True)
    for drawn, name in {"group": "channel", "lower": "low", "upper": "high"}.items():
        assert column(spec, drawn) == known[name].to_list()
    over_time = fk.intervals(shop, "cr", every="1q")
    band = over_time.picture()
    assert marks(band) == ["area", "line", "line", "point"]
    assert column(band, "upper") == over_time.frame["high"].to_list()


def test_paths_are_bars(shop):
    found = fk.paths(shop, steps=2)
    assert column(found.picture(), "value") == found.paths["paths"].to_list()


def test_comparisons_are_dumbbells_and_over_time_two_lines(shop):
    asked = {"start": "2024-01-01", "end": "2025-01-01", "to": "previous_year"}
    found = fk.compare(shop, "return_rate", by="channel", **asked)
    spec = found.picture()
    assert marks(spec) == ["rule", "point", "point", "text"]
    known = found.frame.sort("value", descending=True)
    for name in ("value", "reference", "verdict"):
        assert column(spec, name) == known[name].to_list()
    text = repr(found)
    assert all(
        part.rstrip(")") in text for label in column(spec, "label") for part in label.split(" (")
    )
    over_time = fk.compare(shop, "return_rate", every="1q", **asked)
    drawn = rows(over_time.picture())
    for side in ("value", "reference"):
        known = over_time.frame[side].to_list()
        assert [row["value"] for row in drawn if row["side"] == side] == known


def test_benchmarks_are_the_published_points_beside_the_value(shop):
    year = {"start": "2024-01-01", "end": "2025-01-01"}
    found = fk.against(fk.evaluate(shop, ["add_to_cart_rate", "cart_abandonment_rate"], **year))
    drawn = rows(found.picture())
    points = {row["point"]: row["value"] for row in drawn if row["point"]}
    assert points == fk.benchmarks()["littledata-2019-add-to-cart"].points
    (own,) = [row for row in drawn if not row["point"]]
    assert (own["value"], own["standing"]) == (found.frame["value"][0], "better")


def test_growth_stacks_the_won_above_zero_and_the_lost_below(shop):
    found = fk.growth(shop, every="1q")
    drawn = rows(found.picture())
    for period in found.frame.iter_rows(named=True):
        own = [row for row in drawn if row["period"][:10] == str(period["period"])]
        assert max(row["to"] for row in own) == period["active"]
        assert min(row["to"] for row in own) == -period["churned"]
        assert {row["part"]: abs(row["value"]) for row in own} == {
            name: period[name] for name in ("retained", "new", "resurrected", "churned")
        }


def test_without_altair_the_extra_is_named(shop, monkeypatch):
    monkeypatch.setattr("funnelkit.charts.spec.find_spec", lambda _: None)
    with pytest.raises(fk.MissingPackageError, match=r"funnelkit\[plot\]"):
        fk.evaluate(shop, "orders", every="1q").plot()


ASKED = {
    "bars": lambda shop: fk.evaluate(shop, "orders", by="channel"),
    "panels": lambda shop: fk.funnel(shop, STEPS, within="7d", by="channel"),
    "two": lambda shop: fk.evaluate(shop, ["orders", "cr"], every="1mo", **YEAR),
    "many": lambda shop: fk.evaluate(shop, "units_sold", by="product_id", every="1y"),
    "clock": lambda shop: fk.evaluate(shop, "average_session_duration", by="channel", every="1q"),
    "number": lambda shop: fk.evaluate(shop, "orders"),
    "cohorts": lambda shop: fk.cohorts(shop, every="1q"),
    "trend": lambda shop: fk.trend(fk.evaluate(shop, "cr", every="1mo")),
    "durations": lambda shop: fk.durations(shop, "sessions_to_order", by="device"),
}
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in list(ASKED)[2:]]


@pytest.mark.skipif(importlib.util.find_spec("altair") is None, reason="altair is not installed")
@pytest.mark.parametrize("name", ["bars", "panels", *SLOW])
def test_a_plot_is_a_chart_of_altair_with_the_same_rows(shop, name):
    result = ASKED[name](shop)
    spec = result.plot().properties(background="white").to_dict()
    assert spec["background"] == "white"
    pictures = result.picture().get("vconcat", [result.picture()])
    drawn = [json.dumps(part["data"]["values"]) for part in pictures]
    assert [json.dumps(each) for each in spec["datasets"].values()] == drawn


PAGES = importlib.util.spec_from_file_location("pictures", ROOT / "docs" / "pictures.py")


def test_the_pictures_of_the_pages_are_what_their_code_draws():
    pages = importlib.util.module_from_spec(PAGES)
    PAGES.loader.exec_module(pages)
    drawn = [pair for page in pages.PAGES for pair in pages.pictures_of(page)]
    assert len(drawn) == 11
    for file, spec in drawn:
        assert f"<!-- {pages.fingerprint(spec)} -->" in file.read_text(), f"draw {file.name} again"
        assert file.stat().st_size < 250_000


@pytest.mark.parametrize(
    ("most", "ticks", "label"),
    [
        (90.0, [0, 20, 40, 60, 80], "' s'"),
        (400.0, [0, 120, 240, 360], "' min'"),
        (20_000.0, [0, 7200, 14_400], "' h'"),
        (700_000.0, [0, 172_800, 345_600, 518_400, 691_200], "' d'"),
        (0.0, [0], "' s'"),
    ],
)
def test_an_axis_of_durations_has_round_numbers_of_the_unit_that_fits(most, ticks, label):
    axis = Measure(title="Time", unit=fk.SECOND).axis(pl.Series([most, None]))
    assert axis["values"] == pytest.approx(ticks)
    assert axis["labelExpr"].endswith(label)


def test_the_heading_of_an_axis_has_the_unit_that_the_values_do_not_show():
    asked = {"title": "A", "currency": "PLN"}
    assert Measure(unit=fk.MONEY, **asked).heading == "A (PLN)"
    assert Measure(unit=fk.MONEY / fk.ORDER, **asked).heading == "A (PLN/order)"
    assert Measure(unit=fk.MONEY, title="A").heading == "A"
    for unit in (fk.RATIO, fk.ORDER, fk.SECOND, fk.NUMBER):
        assert Measure(unit=unit, **asked).heading == "A"
