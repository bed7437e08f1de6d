"""Whatever is bound and asked: a result that can be shown, or an error of funnelkit's own."""

import contextlib
import datetime as dt
import io
import math
import warnings
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.data.sources import FILE_TYPES
from funnelkit.formula.values import (
    Category,
    Duration,
    Flag,
    Key,
    Money,
    Quantity,
    Score,
    Time,
)
from funnelkit.schema.tables import TABLES

QUICK = settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
INTEGERS = (
    pl.Int8,
    pl.Int16,
    pl.Int32,
    pl.Int64,
    pl.UInt8,
    pl.UInt16,
    pl.UInt32,
    pl.UInt64,
    pl.Int128,
)
WORDS = ("paid", "fulfilled", "a", "", "é ✨", "\0", "view_item", "product", "nps", "1")
ZONES = ("UTC", "Europe/Warsaw", "Asia/Kathmandu", "America/St_Johns")

words = st.sampled_from(WORDS)
numbers = st.sampled_from([0.0, -0.0, 1.5, -3.25, 1e308, -1e308, 5e-324, math.inf, -math.inf])
reals = st.one_of(numbers, st.just(math.nan), st.floats(width=32))
days = st.one_of(st.dates(), st.sampled_from([dt.date.min, dt.date.max, dt.date(1970, 1, 1)]))
moments = st.one_of(
    st.datetimes(), st.sampled_from([dt.datetime.min, dt.datetime.max, dt.datetime(1970, 1, 1)])
)
calm = st.datetimes(dt.datetime(2024, 3, 29), dt.datetime(2024, 4, 2))
durations = st.sampled_from([dt.timedelta(0), dt.timedelta(-100_000_000), dt.timedelta(99, 1)])


def whole(kind):
    """Whole numbers that a type can hold, its ends among them."""
    zero = pl.lit(0, kind)
    low, high = pl.select(low=zero.lower_bound(), high=zero.upper_bound()).row(0)
    return st.one_of(st.sampled_from([low, high, 0, 1, 2]), st.integers(low, high))


def kinds(*, is_calm):
    """What each kind of column may hold: types, and values of them."""
    times = calm if is_calm else moments
    dates = calm.map(dt.datetime.date) if is_calm else days
    text = [(pl.String, st.one_of(words, st.text(max_size=3)))]
    text += [(pl.Categorical, words), (pl.Enum(WORDS), words)]
    integers = [(kind, whole(kind)) for kind in INTEGERS]
    amounts = [(pl.Float64, reals), (pl.Float32, reals.map(lambda x: x if abs(x) < 1e38 else 0.0))]
    amounts += [(pl.Decimal(38, 2), st.decimals(-(10**30), 10**30, places=2).map(Decimal))]
    clocks = [(pl.Date, dates), (pl.Datetime("us"), times), (pl.Datetime("ms", "UTC"), times)]
    clocks += [(pl.Datetime("us", "Asia/Tokyo"), calm), (pl.Datetime("ns"), calm)]
    flags = [(pl.Boolean, st.booleans())]
    return {
        Key: [*integers[:7], *text],
        Category: [*integers[:7], *text, *flags, (pl.Date, dates)],
        Money: [*integers, *amounts],
        Quantity: [*integers, *amounts],
        Score: [*integers, *amounts],
        Duration: [*integers, *amounts, (pl.Duration("us"), durations)],
        Flag: flags,
        Time: clocks,
    }


STRANGE = [
    (pl.Null, st.none()),
    (pl.Binary, st.binary(max_size=3)),
    (pl.Time, st.times()),
    (pl.List(pl.Int64), st.lists(st.integers(0, 9), max_size=2)),
    (pl.Array(pl.Int8, 2), st.just([1, 2])),
    (pl.Struct({"a": pl.Int8}), st.just({"a": 1})),
    (pl.Object, st.just(object)),
    (pl.Duration("ms"), durations),
    (pl.Float64, reals),
    (pl.String, words),
]
CALM, WILD = kinds(is_calm=True), kinds(is_calm=False)


@st.composite
def frames(draw, table, *, holds, keys, words, own):
    """A frame for a table: most columns, most of them of a type that will do."""
    height = draw(st.sampled_from([0, 1, 2, 5]))
    columns = {}
    for name, column in TABLES[table].columns.items():
        if draw(st.integers(0, 9)) < 2 and name not in TABLES[table].key:
            continue
        if draw(st.integers(0, 79)) == 0:
            kind, values = draw(st.sampled_from(STRANGE))
        elif isinstance(column, Key):
            kind, values = keys
        elif isinstance(column, Category):
            kind, values = words
        else:
            kind, values = draw(st.sampled_from(holds[type(column)]))
        if (name,) == TABLES[table].key and kind == keys[0] and draw(st.integers(0, 9)):
            cells = draw(st.lists(values, min_size=height, max_size=height, unique=True))
        else:
            cell = st.one_of(values, values, values, st.none())
            cells = draw(st.lists(cell, min_size=height, max_size=height))
        columns[name] = pl.Series(name, cells, dtype=kind, strict=False)
    kind, values = own
    cells = draw(st.lists(values, min_size=height, max_size=height))
    return pl.DataFrame({**columns, "own": pl.Series("own", cells, dtype=kind, strict=False)})


WHERES = (
    "country == 'PL'",
    "own == 1",
    "own == 'a'",
    "is_null(own)",
    "own > date('2024-03-30')",
    "own in ['a', 'b']",
    "own + 1 > 0 or own == own",
    "not (status == 'paid')",
    "elapsed(own, own) >= 0",
    "coalesce(own, 'a') != 'b'",
)
NAMES = st.sampled_from(
    ["own", "channel", "status", "customer_id", "gross_amount", "is_bot", "aov"]
)


@st.composite
def worlds(draw):
    """A shop that can be bound, or not, and a question that makes sense, or not."""
    is_calm = draw(st.booleans())
    holds = CALM if is_calm else WILD
    types = {
        "keys": draw(st.sampled_from(holds[Key])),
        "words": draw(st.sampled_from([*holds[Category][7:10], *holds[Category]])),
        "own": draw(st.sampled_from([*STRANGE, *holds[Category], *holds[Time]])),
    }
    tables = draw(st.sets(st.sampled_from(sorted(TABLES)), min_size=1, max_size=4))
    bound = {name: draw(frames(name, holds=holds, **types)) for name in sorted(tables)}
    empty = draw(st.sets(st.sampled_from(sorted(set(TABLES) - tables)), max_size=4))
    shop = {
        "assume_empty": sorted(empty),
        "guards": draw(st.booleans()),
        "order_policy": draw(st.sampled_from(["default", "all"])),
        "time_zone": draw(st.sampled_from(ZONES)),
        **bound,
    }
    long = [None, "1mo", "1q", "1y"]
    question = {
        "metrics": draw(st.lists(st.integers(0, 99), min_size=1, max_size=4)),
        "by": draw(st.sampled_from([(), (), ("own",)]) | st.lists(NAMES, max_size=2)),
        "every": draw(st.sampled_from([*long, "1h", "1d", "1w"] if is_calm else long)),
        "where": draw(st.none() | st.sampled_from(WHERES)),
        "totals": draw(st.booleans()),
    }
    if draw(st.booleans()):
        question |= {"start": draw(calm), "end": draw(st.one_of(calm, days, moments))}
    return shop, question


def shown(result):
    """Show a result in every way; none of its numbers is infinite or not a number."""
    assert result._repr_html_()
    assert repr(result)
    assert result.tidy().height >= 0
    for metric in result.metrics:
        values = result.frame.get_column(metric.name)
        assert values.is_finite().all() or values.dtype.is_integer() or values.is_null().all()


def answered(shop, question):
    """Ask twice: the second time a shop knows its tables. Any error must be our own."""
    with contextlib.suppress(fk.FunnelkitError), warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        made = fk.Shop(**shop)
        listed = made.metrics(fk.registry())
        ready = listed.get_column("is_ready").sum() or listed.height
        names = listed.get_column("metric").to_list()
        metrics = [names[pick % ready] for pick in question["metrics"]]
        first, second = (fk.evaluate(made, **question | {"metrics": metrics}) for _ in range(2))
        shown(first)
        assert first.frame.equals(second.frame) or first.frame.height == second.frame.height


ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2, 3],
        "ordered_at": [dt.datetime(2024, 3, 31, hour, 30) for hour in (0, 2, 22)],
        "status": ["paid", "cancelled", None],
        "gross_amount": [10.0, math.inf, None],
        "discount_amount": [0, 1, 2],
        "country": ["PL", None, ""],
        "is_counted": [True, False, None],
    }
)
FAR = ORDERS.with_columns(ordered_at=pl.Series([dt.datetime.min, None, dt.datetime.max]))
OBJECTS = ORDERS.with_columns(own=pl.Series([object(), object(), None], dtype=pl.Object))


@settings(QUICK, max_examples=500)
@given(worlds())
@example(({"orders": FAR, "guards": False}, {"metrics": [0], "every": "1y"}))
@example(({"orders": OBJECTS, "guards": False}, {"metrics": [0], "by": "own"}))
def test_any_frames_and_any_question_give_a_result_or_an_error_of_our_own(world):
    answered(*world)


GLYPHS = st.text(st.sampled_from("()[]{}'\"\\.,=<>+-*/ \n\0#é✨1e9aστ\ud800%$@:"), max_size=12)
VALUES = st.sampled_from(
    [
        *("country", "status", "gross_amount", "ordered_at", "order_id", "is_counted", "nowhere"),
        *("1", "-2.5", "1e999", "99999999999999999999999", "'PL'", "''", "True", "None", "as_of()"),
        *("date('2024-03-31')", "date('2024-03-31T02:30+02:00')", "date('0001-01-01T00:00+14:00')"),
        *("coalesce(status, 'a')", "coalesce(country, 1)", "elapsed(ordered_at, as_of())"),
        *(
            "gross_amount * 2 / 0",
            "country + 1",
            "if_else(country == 'PL', 1, 0)",
            "concat_key('a', b)",
        ),
        *("dimension('country')", "orders.status", "lookup(order_id, status)", "f''", "a.b()"),
    ]
)
RELATIONS = st.sampled_from(
    ["==", "!=", "<", ">=", "in", "is", "+", "and", "=", "in [", "not in ("]
)
CLAUSES = st.one_of(
    st.builds("{} {} {}".format, VALUES, RELATIONS, VALUES),
    st.builds("{} in [{}, {}]".format, VALUES, VALUES, VALUES),
    st.builds("between({}, {}, {})".format, VALUES, VALUES, VALUES),
    st.builds("is_null({})".format, VALUES),
)
PREDICATES = st.recursive(
    CLAUSES,
    lambda inner: st.one_of(
        st.builds("({}) and {}".format, inner, inner),
        st.builds("{} or {}".format, inner, inner),
        st.builds("not {}".format, inner),
    ),
    max_leaves=4,
)
TEXTS = st.one_of(st.text(max_size=20), GLYPHS, PREDICATES)


@settings(QUICK, max_examples=900)
@given(st.one_of(TEXTS, PREDICATES))
@example("country == 'PL'")
@example("order_id in [1, 2, 10000000000000000000000000]")
def test_any_text_as_a_filter_gives_a_result_or_an_error_of_our_own(text):
    answered({"orders": ORDERS, "guards": False}, {"metrics": [0, 1], "where": text})
    with contextlib.suppress(fk.FunnelkitError):
        assert str(fk.parse(text))


MOMENT_TEXTS = st.one_of(
    TEXTS,
    st.dates().map(str),
    st.datetimes(timezones=st.none() | st.timezones()).map(str),
    st.from_regex(r"\A[0-9]{1,4}(h|d|w|mo|q|y)\Z"),
)


@settings(QUICK, max_examples=500)
@given(
    part=st.sampled_from(["every", "start", "end", "by", "time_zone", "week_start", "as_of"]),
    text=MOMENT_TEXTS,
)
@example(part="start", text="9999-12-31")
@example(part="time_zone", text="../UTC")
def test_any_text_anywhere_gives_a_result_or_an_error_of_our_own(part, text):
    where = "shop" if part in {"time_zone", "week_start", "as_of"} else "question"
    shop = {"orders": ORDERS, "guards": False} | ({part: text} if where == "shop" else {})
    question = {"metrics": [0, 1]} | ({part: text} if where == "question" else {})
    answered(shop, question)


def contents(suffix):
    """Bytes of a file: any, text, or a true one with some of its bytes changed or missing."""
    whole = io.BytesIO()
    match suffix:
        case ".csv" | ".tsv":
            ORDERS.write_csv(whole, separator="\t" if suffix == ".tsv" else ",")
        case ".parquet":
            ORDERS.write_parquet(whole)
        case ".ndjson" | ".jsonl":
            ORDERS.write_ndjson(whole)
        case _:
            ORDERS.write_ipc(whole)
    true = whole.getvalue()
    cut = st.builds(lambda at, more: true[:at] + more, st.integers(0, len(true)), st.binary())
    place = st.tuples(st.integers(0, len(true) - 1), st.binary(min_size=1, max_size=4))
    changed = place.map(lambda p: true[: p[0]] + p[1] + true[p[0] + len(p[1]) :])
    return st.one_of(
        st.binary(), TEXTS.map(lambda text: text.encode("utf-8", "replace")), cut, changed
    )


@settings(QUICK, max_examples=600)
@given(data=st.data())
def test_any_bytes_as_a_file_give_a_result_or_an_error_of_our_own(data, tmp_path):
    suffix = data.draw(st.sampled_from(sorted(FILE_TYPES)))
    path = tmp_path / f"orders{suffix}"
    path.write_bytes(data.draw(contents(suffix)))
    answered({"orders": path, "guards": False}, {"metrics": [0, 1], "by": "country"})


@pytest.mark.parametrize("text", ["ªs", "osi.ªs", "orders / ªs.x"])
def test_letters_that_spell_a_keyword_are_refused(text):
    """Python reads ª as a, so that the name could be written down and not be read back."""
    with pytest.raises(fk.DefinitionError, match="letters that spell a keyword"):
        fk.parse(text)
