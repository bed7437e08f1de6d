"""Experiments: who was assigned, what units did, and the tests of it."""

import datetime as dt
import re
from math import nextafter, sqrt
from pathlib import Path
from statistics import NormalDist, fmean, variance

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.analysis import experiments
from funnelkit.sampling.assignment import chi_square_tail, read_assignment
from funnelkit.sampling.comparison import always_valid

PAGE = (Path(__file__).resolve().parents[2] / "docs/how-to/test-an-experiment.md").read_text()
NOON = dt.datetime(2024, 5, 10, 12)
MAY = {"start": "2024-05-01", "end": "2024-06-01"}
BASICS = {"unit": "visitor_id", "variant": "variant", "exposed_at": None, "shares": None}


class Trials(fk.Table, table="trials", key="trial_id", time="tried_at"):
    """What visitors got, or lost."""

    trial_id = fk.Key()
    visitor_id = fk.Key()
    tried_at = fk.Time()
    gain = fk.Quantity()


GAIN = fk.Metric(name="gain", formula=fk.Sum(Trials.gain))


def close(value):
    return pytest.approx(value, rel=1e-9, abs=1e-12)


def visits(pairs, at=NOON):
    """A shop whose visitors have so many sessions with a purchase, of so many."""
    rows = [(v, i < bought) for v, (bought, n) in enumerate(pairs) for i in range(n)]
    sessions = pl.DataFrame(
        {
            "session_id": range(len(rows)),
            "visitor_id": pl.Series([visitor for visitor, _ in rows], dtype=pl.Int64),
            "started_at": pl.Series([at] * len(rows), dtype=pl.Datetime("us")),
            "has_purchase": pl.Series([bought for _, bought in rows], dtype=pl.Boolean),
        }
    )
    return fk.Shop(sessions=sessions)


def gains(rows, **settings):
    """A shop of what visitors got and when."""
    visitors, times, amounts = zip(*rows, strict=True)
    frame = {"visitor_id": visitors, "tried_at": times, "gain": amounts}
    trials = pl.DataFrame({"trial_id": range(len(rows)), **frame})
    return fk.Shop.bind({"trials": trials}, tables=[Trials], **settings)


def assigned(*sizes, **columns):
    """Visitors in order of their variant: so many in a, so many in b, and so on."""
    variants = [name for name, size in zip("abc", sizes, strict=False) for _ in range(size)]
    return pl.DataFrame({"visitor_id": range(len(variants)), "variant": variants, **columns})


def compared(shop, metrics, frame, **options):
    pytest.importorskip("tea_tasting")
    question = {"assignment": frame, "unit": "visitor_id", "control": "a", **MAY, **options}
    return fk.experiment(shop, metrics, **question)


def test_the_sizes_of_variants_are_compared_with_the_plan():
    frame = assigned(4920, 5080)
    ratio = read_assignment(frame, control="a", **BASICS).ratio
    assert ratio.p_value == close(0.109598583399116)
    assert not ratio.is_mismatch
    uneven = read_assignment(frame, control="a", **{**BASICS, "shares": {"a": 1, "b": 2}}).ratio
    assert uneven.is_mismatch
    assert uneven.note.startswith("SAMPLE RATIO MISMATCH: a 4,920, b 5,080, planned a 3,333")


@pytest.mark.parametrize(
    ("distance", "freedom", "tail"),
    [(3.841458820694124, 1, 0.05), (9.210340371976182, 2, 0.01), (7.814727903251179, 3, 0.05),
     (9.487729036781154, 4, 0.05), (0.0, 1, 1.0)],
)  # fmt: skip
def test_the_tail_of_chi_square_is_that_of_the_tables(distance, freedom, tail):
    assert chi_square_tail(distance, freedom) == close(tail)


def test_a_broken_assignment_is_refused_with_every_fault():
    frame = pl.DataFrame(
        {"visitor_id": [1, 1, 2, 2, 3, None], "variant": ["a", "b", "a", "a", None, "b"]}
    )
    with pytest.raises(fk.DataError) as caught:
        read_assignment(frame, control="a", **BASICS)
    for fault in (
        "visitor_id is null or blank in 1 of 6 rows",
        "variant is null or blank in 1 of 6",
        "1 of 3 units are in more than one variant, such as 1",
        "1 of 3 units are assigned more than once, such as 2",
    ):
        assert fault in str(caught.value)


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_blanks_are_no_units_and_no_variants(kind):
    rows = [("u", "new"), ("v", "new "), ("w", "Old"), ("x", "old"), ("  ", "old"), ("y", " ")]
    frame = pl.DataFrame(rows, ["visitor_id", "variant"], orient="row")
    with pytest.raises(fk.DataError) as caught:
        read_assignment(frame.cast({"variant": kind}), control="old", **BASICS)
    for fault in (
        "visitor_id is null or blank in 1 of 6 rows; variant is null or blank in 1 of 6 rows",
        "the variants 'new' and 'new ' differ in case or blanks alone",
        "the variants 'Old' and 'old' differ in case or blanks alone",
    ):
        assert fault in str(caught.value)


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical])
def test_blanks_around_a_unit_of_an_assignment_are_not_part_of_it(kind):
    frame = pl.DataFrame({"visitor_id": ["u ", " v", "w"], "variant": ["a", "a", "b"]})
    frame = frame.cast({"visitor_id": kind})
    read = read_assignment(frame, control="a", **BASICS)
    assert read.frame.get_column("visitor_id").to_list() == ["u", "v", "w"]
    twice = pl.DataFrame({"visitor_id": ["u ", "u", "w"], "variant": ["a", "b", "b"]})
    with pytest.raises(fk.DataError, match="1 of 2 units are in more than one variant"):
        read_assignment(twice.cast({"visitor_id": kind}), control="a", **BASICS)


def test_what_is_not_the_name_of_a_variant_is_refused():
    frame = pl.DataFrame({"visitor_id": [1, 2, 3], "variant": [0.0, 1.0, float("nan")]})
    with pytest.raises(fk.DataError, match="variant is null or blank in 1 of 3 rows"):
        read_assignment(frame, control=0.0, **BASICS)
    frame = pl.DataFrame({"visitor_id": [1, 2], "variant": [["a"], ["b"]]})
    with pytest.raises(fk.DataError, match=r"variant holds List\(String\), not names"):
        read_assignment(frame, control=["a"], **BASICS)


@pytest.mark.parametrize("kind", [pl.Time, pl.Duration])
def test_the_time_of_an_exposure_is_a_date_or_a_timestamp(kind):
    frame = assigned(2, 2, exposed_at=pl.Series([1, 2, 3, 4]).cast(kind))
    with pytest.raises(fk.DataError, match=r"exposed_at holds (Time|Duration).*, not times"):
        read_assignment(frame, control="a", **{**BASICS, "exposed_at": "exposed_at"})


@pytest.mark.parametrize(
    ("variants", "control"), [([0, 1], True), ([0, 1], 1.0), ([False, True], 1)]
)
def test_a_control_that_equals_a_variant_is_that_variant(variants, control):
    frame = pl.DataFrame({"visitor_id": [1, 2], "variant": variants})
    read = read_assignment(frame, control=control, **BASICS)
    assert (read.control, read.variants) == (str(variants[1]), (str(variants[0]),))
    assert set(read.ratio.observed) == {read.control, *read.variants}


@pytest.mark.parametrize(
    ("back", "why"),
    [("x", "covariates_from='x' is not a valid period"), ("1mo", "is not in days or weeks")],
)
def test_covariates_are_looked_for_days_or_weeks_back(back, why):
    pytest.importorskip("tea_tasting")
    with pytest.raises(fk.DefinitionError, match=why):
        fk.experiment(
            visits([(1, 2)] * 4),
            "sessions",
            assignment=assigned(2, 2),
            unit="visitor_id",
            control="a",
            start="2024-05-01",
            end="2024-05-31",
            covariates_from=back,
        )


def test_units_that_are_too_large_for_the_shop_were_never_seen():
    frame = assigned(5, 5).with_columns(pl.col("visitor_id").cast(pl.UInt64) + 2**63)
    with pytest.raises(fk.DataError, match="none of the 10 assigned units was seen"):
        compared(visits([(1, 2)] * 10), "sessions", frame)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"control": "c"}, "control='c' is not one of several variants; the variants are 'a', 'b'"),
        ({"variant": "arm"}, "no column 'arm'"),
        ({"shares": {"a": 1}}, "does not name each variant"),
        ({"shares": {"a": 1, "b": "1"}}, "does not name each variant"),
        ({"shares": {"a": 1, "b": float("inf")}}, "does not name each variant"),
        ({"shares": [0.5, 0.5]}, "shares is a list"),
        ({"variant": "visitor_id"}, "variant='visitor_id' .* name one column for two things"),
    ],
)
def test_what_an_assignment_does_not_have_is_refused(changed, why):
    with pytest.raises(fk.DefinitionError, match=why):
        read_assignment(assigned(5, 5), **{**BASICS, "control": "a", **changed})


@given(st.lists(st.integers(0, 4).map(lambda n: (n // 2, n)), min_size=2, max_size=8))
@settings(max_examples=10)
def test_the_sides_of_units_add_up_to_the_metric(pairs):
    shop = visits([*pairs, (1, 1)])
    asked = ["session_conversion_rate", "sessions"]
    frame = fk.unit_sides(shop, asked, unit="visitor_id")
    of = {visitor: pair for visitor, pair in enumerate([*pairs, (1, 1)]) if pair[1]}
    assert frame["visitor_id"].to_list() == list(of)
    assert list(frame.drop("visitor_id").rows()) == [(a, n, n) for a, n in of.values()]
    value = fk.evaluate(shop, asked).frame.row(0)
    assert value == (
        close(frame[:, 1].sum() / frame[:, 2].sum()),
        frame["num_sessions"].sum(),
    )


def test_what_is_not_a_sum_over_units_is_refused_by_name():
    with pytest.raises(fk.DefinitionError, match="traffic_source_share: not a sum over units"):
        fk.unit_sides(visits([(1, 2)]), ["traffic_source_share", "sessions"], unit="visitor_id")


def test_the_size_of_a_sample_follows_from_how_units_vary():
    pairs = [(n % 3, 3 + n % 2) for n in range(60)]
    found = fk.sample_size(visits(pairs), "session_conversion_rate", unit="visitor_id", lift=0.1)
    ratio = sum(a for a, _ in pairs) / sum(b for _, b in pairs)
    rest = variance([a - ratio * b for a, b in pairs]) / fmean(b for _, b in pairs) ** 2
    z = NormalDist().inv_cdf(0.975) + NormalDist().inv_cdf(0.8)
    assert found.per_variant - 1 < 2 * rest * (z / (0.1 * ratio)) ** 2 <= found.per_variant
    assert str(found).startswith(f"session_conversion_rate: {found.per_variant:,} per variant")
    with pytest.raises(fk.DefinitionError, match=r"power=2 is not between.*lift=0 is not a change"):
        fk.sample_size(visits(pairs), "sessions", unit="visitor_id", lift=0, power=2)


def test_the_highest_level_below_1_takes_the_most_units():
    shop = visits([(n % 3, 3 + n % 2) for n in range(60)])
    question = {"unit": "visitor_id", "lift": 0.1}
    sizes = [
        fk.sample_size(shop, "sessions", level=level, **question).per_variant
        for level in (0.99, nextafter(1, 0))
    ]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"power": 0.3, "level": 0.1}, r"power=0.3 is not above 0.45, which level=0.1 sees"),
        ({"lift": 2.0}, "from 0.4 to 1.2, above 1, the most that it can be"),
        ({"lift": 1e-160}, "lift=1e-160 is too small to be seen"),
        ({"lift": 1e-320}, "lift=1e-320 is too small to be seen"),
    ],
)
def test_a_sample_that_no_test_can_have_is_refused(asked, why):
    shop = visits([(n % 3, 2 + n % 2) for n in range(60)])
    question = {"unit": "visitor_id", "lift": 0.1, **asked}
    with pytest.raises(fk.DefinitionError, match=why):
        fk.sample_size(shop, "session_conversion_rate", **question)


def test_a_variant_takes_two_units_at_least():
    shop = visits([(n % 3, 2 + n % 2) for n in range(60)])
    assert fk.sample_size(shop, "sessions", unit="visitor_id", lift=1e9).per_variant == 2


def test_the_size_of_a_sample_is_that_of_tea_tasting():
    tt = pytest.importorskip("tea_tasting")
    shop = visits([(n % 3, 3 + n % 2) for n in range(600)])
    sides = fk.unit_sides(shop, "session_conversion_rate", unit="visitor_id")
    theirs = tt.RatioOfMeans(*sides.columns[1:], rel_effect_size=0.05).solve_power(sides, "n_obs")
    own = fk.sample_size(shop, "session_conversion_rate", unit="visitor_id", lift=0.05)
    assert own.total == pytest.approx(theirs[0].n_obs, rel=0.02)


def test_without_tea_tasting_the_extra_is_named(monkeypatch):
    monkeypatch.setattr(experiments, "find_spec", lambda _: None)
    with pytest.raises(fk.MissingPackageError, match=r"pip install 'funnelkit\[experiments\]'"):
        fk.experiment(
            visits([(1, 1)]), "sessions", assignment=assigned(1, 1), unit="visitor_id",
            control="a", **MAY,
        )  # fmt: skip


def test_an_interval_that_holds_at_every_look_is_wider():
    row = {"metric": "m", "variant": "b", "difference": 0.006, "level": 0.95}
    row |= {"se": sqrt(0.048 / 4000 + 0.052 / 4000), "units": 4000, "reference_units": 4000}
    found = always_valid(row, 5000)
    assert (found["high"] - found["low"]) / 2 == close(0.015237018084384152)
    assert found["p_value"] == 1
    low, lower = (always_valid(row | {"level": level}, 5000) for level in (1e-12, 1e-300))
    assert low["high"] - low["low"] == close(lower["high"] - lower["low"])


CONTROL = [(1, 3), (0, 2), (2, 5), (0, 1), (1, 2), (0, 4), (1, 6), (0, 1), (0, 3), (1, 3)]
TREATED = [(1, 2), (1, 2), (2, 4), (0, 1), (1, 3), (1, 4), (3, 6), (1, 1), (0, 2), (2, 3)]


def test_a_ratio_is_compared_per_unit():
    tea_tasting = pytest.importorskip("tea_tasting")
    with tea_tasting.config_context(use_t=False):
        found = compared(visits(CONTROL + TREATED), "session_conversion_rate", assigned(10, 10))
    row = found.frame.row(0, named=True)
    expected = {
        "value": 0.4285714285714286, "reference": 0.2, "difference": 0.22857142857142862,
        "se": 0.0861064944819878, "low": 0.05980580055173568, "high": 0.39733705659112156,
        "p_value": 0.007942128531298054, "lift": 1.1428571428571432,
        "lift_low": 0.1126127200481859, "lift_high": 3.127075533070494,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == close(expected)
    z = NormalDist().inv_cdf(0.975)
    linear = (row["lift"] - z * row["lift_se"], row["lift"] + z * row["lift_se"])
    assert linear == close((-0.2616335729921637, 2.54734785870645))
    assert row["reason"] == "few_units"


def test_a_lift_is_what_growthbook_published():
    """Means of 0.41 and 0.7, deviations of 3.9 and 6.2, of 3,407 and 3,461 users."""
    scipy = pytest.importorskip("scipy.stats")
    rows = list[tuple[int, dt.datetime, float]]()
    for mean, deviation, size in ((0.41, 3.9, 3407), (0.7, 6.2, 3461)):
        half = size // 2
        amounts = [mean, *([mean + deviation] * half), *([mean - deviation] * half)]
        rows += [(len(rows) + n, NOON, amount) for n, amount in enumerate(amounts)]
    row = compared(gains(rows), GAIN, assigned(3407, 3461)).frame.row(0, named=True)
    assert (row["lift"], row["lift_se"]) == pytest.approx((0.70732, 0.37879), abs=5e-6)
    freedom = 5842  # of Welch and Satterthwaite
    t = scipy.t.ppf(0.975, freedom)
    ends = (row["lift"] - t * row["lift_se"], row["lift"] + t * row["lift_se"])
    assert ends == pytest.approx((-0.03526, 1.44989), abs=2e-5)


def test_assigned_units_that_were_never_seen_are_zeros():
    found = compared(visits([(1, 2)] * 30), "sessions", assigned(30, 30))
    row = found.frame.row(0, named=True)
    assert (row["reference"], row["value"], row["units"]) == (2, 0, 30)
    assert "30 of 60 assigned units were never seen, and count as 0" in repr(found)
    assert repr(found).startswith("sample ratio as planned: a 30, b 30")
    assert "'b' (30) against the control 'a' (30) by visitor_id, from 2024-05-01" in found.sentence
    assert "valid for one look" in found.sentence
    assert found.notes[0] == "NOT OVER: the data ends on 2024-05-10, before the experiment does"
    over = compared(visits([(1, 2)] * 30), "sessions", assigned(30, 30), end="2024-05-11")
    assert "NOT OVER" not in repr(over)


def test_a_sample_ratio_mismatch_is_said_first():
    found = compared(visits([(n % 2, 2) for n in range(300)]), "sessions", assigned(100, 200))
    assert repr(found).startswith("SAMPLE RATIO MISMATCH: a 100, b 200, planned a 150, b 150")
    assert found._repr_html_().startswith("<p>SAMPLE RATIO MISMATCH")


def test_only_what_follows_the_exposure_counts_and_what_precedes_explains():
    before, after = [3, 1, 4, 0, 2, 5, 1, 2], [5, 2, 6, 1, 3, 8, 1, 4]
    rows = list[tuple[int, dt.datetime, float]]()
    for visitor in range(16):
        own = visitor % 8
        rows.append((visitor, NOON - dt.timedelta(days=3), before[own]))
        rows.append((visitor, NOON + dt.timedelta(days=3), after[own] + visitor // 8))
    frame = assigned(8, 8, exposed_at=[NOON] * 16)
    plain = compared(gains(rows), GAIN, frame, exposed_at="exposed_at").frame.row(0, named=True)
    assert (plain["reference"], plain["value"]) == close((fmean(after), fmean(after) + 1))
    assert plain["se"] == close(sqrt(6.214285714285714 / 4))
    told = {"exposed_at": "exposed_at", "covariates_from": "1w"}
    less = compared(gains(rows), GAIN, frame, **told).frame.row(0, named=True)
    assert less["se"] == close(sqrt(0.2637362637362637 / 4))
    assert less["difference"] == close(1)
    new = [row for row in rows if row[1] > NOON] + [(99, NOON, 1)]
    words = repr(compared(gains(new), GAIN, frame, **told))
    assert "nothing was there before to explain gain" in words
    assert "units that were seen but not assigned do not enter: 1" in words
    with pytest.raises(fk.DataError, match="16 of 16 units were exposed outside the range"):
        compared(gains(rows), GAIN, frame, exposed_at="exposed_at", end="2024-05-08")


def test_an_experiment_is_over_when_a_given_moment_is_its_end():
    rows = [(visitor, NOON, visitor % 3) for visitor in range(16)]
    frame = assigned(8, 8, exposed_at=[NOON] * 16)
    for as_of, is_over in (("2024-05-10T13:00", False), ("2024-05-11", True)):
        shop = gains(rows, as_of=as_of)
        assert ("NOT OVER" not in repr(compared(shop, GAIN, frame, end="2024-05-11"))) is is_over
    shop = gains([*rows, (0, NOON - dt.timedelta(hours=1), 1)], as_of=NOON)
    with pytest.raises(fk.DataError, match="16 of 16 units were not exposed before as_of="):
        compared(shop, GAIN, frame, exposed_at="exposed_at")


def test_variants_that_are_alike_have_no_error_that_the_interval_does_not_have():
    rows = [
        (visitor, NOON + dt.timedelta(days=day), gain + visitor // 2 % 3)
        for visitor in range(80)
        for day, gain in ((-3, 1.0), (3, 2.0 + visitor // 2 % 2))
    ]
    frame = assigned(40, 40).with_columns(variant=pl.Series(["a", "b"] * 40))
    question = {"start": "2024-05-10", "end": "2024-06-01"}
    less = compared(gains(rows), GAIN, frame, covariates_from="1w", **question)
    row = less.frame.row(0, named=True)
    assert row["difference"] == close(0)
    assert row["se"] is None or row["high"] == pytest.approx(2 * row["se"], rel=0.05)


def test_what_covariates_explain_wholly_does_not_vary():
    rows = [
        (visitor, NOON + dt.timedelta(days=day), 1.0 + visitor % 3)
        for visitor in range(80)
        for day in (-3, 3)
    ]
    frame = assigned(40, 40)
    question = {"start": "2024-05-10", "end": "2024-06-01", "covariates_from": "1w"}
    found = compared(gains(rows), GAIN, frame, **question).frame.row(0, named=True)
    assert (found["reason"], found["p_value"], found["p_adjusted"]) == ("no_variation", None, None)


def test_the_first_metric_decides_and_the_others_are_adjusted():
    shop = visits([(n % 3 % 2, 1 + n % 4) for n in range(90)])
    asked = ["session_conversion_rate", "sessions", "visitor_conversion_rate"]
    found = compared(shop, asked, assigned(30, 30, 30)).frame
    p = dict(zip(found.select("metric", "variant").rows(), found["p_value"], strict=True))
    adjusted = dict(zip(p, found["p_adjusted"], strict=True))
    for names in (asked[:1], asked[1:]):
        own = sorted(value for (metric, _), value in p.items() if metric in names)
        for key in (key for key in p if key[0] in names):
            steps = [value * len(own) / (rank + 1) for rank, value in enumerate(own)]
            assert adjusted[key] == close(min(*steps[own.index(p[key]) :], 1))


def test_nothing_to_compare_is_null_with_the_reason():
    found = compared(visits([(0, 1)] * 60), ["session_conversion_rate"], assigned(30, 30)).frame
    assert found.select("value", "reference", "p_value", "reason").row(0) == (
        0, 0, None, "no_variation",
    )  # fmt: skip
    strangers = assigned(2, 2).with_columns(visitor_id=pl.col("visitor_id") + 99)
    with pytest.raises(fk.DataError, match="none of the 4 assigned units was seen"):
        compared(visits([(0, 1)]), "sessions", strangers)
    text = assigned(2, 2).with_columns(pl.col("visitor_id").cast(pl.String))
    with pytest.raises(fk.DataError, match="visitor_id is String in the assignment and Int64"):
        compared(visits([(0, 1)]), "sessions", text)


def test_the_page_shows_what_it_prints(capsys, monkeypatch):
    """What needs tea-tasting is not run with the other pages."""
    pytest.importorskip("tea_tasting")
    monkeypatch.setenv("COLUMNS", "120")
    names: dict[str, object] = {}
    for code, shown in re.findall(
        r"```py(?:thon)?\n(.*?)```(?:\s*```text\n(.*?)```)?", PAGE, re.DOTALL
    ):
        exec(code, names)
        printed = capsys.readouterr().out
        lines = ([line.rstrip() for line in text.strip().splitlines()] for text in (printed, shown))
        assert not shown or next(lines) == next(lines)
