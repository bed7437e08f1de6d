"""What the Polars engine does faster than node by node: each rewrite changes no number."""

import datetime as dt
from collections import Counter, defaultdict

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from funnelkit.engines.polars import sorted_units, translate
from funnelkit.engines.polars.alike import Alike
from funnelkit.engines.polars.packed import count_pairs
from funnelkit.engines.polars.sorted_units import count_alike
from funnelkit.engines.polars.translate import Translator
from funnelkit.planning.relations import (
    Agg,
    AggOp,
    Aggregate,
    Col,
    Exists,
    LeftJoin,
    Named,
    Op,
    Over,
    OverOp,
    Scan,
    Select,
    call,
    when,
    whole,
)

FIRST = dt.date(2024, 1, 30)
DAYS = st.integers(0, 4).map(lambda number: FIRST + dt.timedelta(days=number))
SMALL = st.integers(-3, 3)
HUGE = st.sampled_from([-(2**63), -(2**62), -1, 0, 2**62, 2**63 - 1])
lawful = settings(deadline=None, suppress_health_check=list(HealthCheck))


def read(rel, frames, *, sizes=None):
    found = {name: frame.lazy() for name, frame in frames.items()}
    return Translator(found, sizes or {}, lambda query: query.collect()).frame(rel).collect()


def scan(frames, name):
    return Scan(name, tuple((column, "int") for column in frames[name].columns))


# --- windows over rows in order ---------------------------------------------------------------


def expected_windows(rows):
    """Each window of each row, found by looking at all rows of its owner."""
    found = {}
    for row in rows:
        mine = sorted((r for r in rows if r["owner"] == row["owner"]), key=lambda r: r["at"])
        place = mine.index(row)
        values = [r["value"] for r in mine]
        before = [v for v in values[:place] if v is not None]
        after = [v for v in values[place + 1 :] if v is not None]
        upto = [v for v in values[: place + 1] if v is not None]
        found[row["at"]] = (
            place + 1,
            before[-1] if before else None,
            after[0] if after else None,
            sum(upto) if upto else None,
            min(upto, default=None),
            max(upto, default=None),
            len(mine) - place,
        )
    return found


ROWS = st.lists(st.tuples(st.none() | SMALL, st.none() | SMALL), min_size=1, max_size=9).flatmap(
    lambda rows: st.permutations(range(len(rows))).map(lambda order: (rows, order))
)


@pytest.mark.parametrize("dtype", [pl.Int64, pl.Float64, pl.UInt64])
@lawful
@given(ROWS)
def test_windows_are_looked_up_in_sorted_rows(dtype, drawn):
    pairs, order = drawn
    rows = [
        {"owner": owner, "value": None if value is None else abs(value), "at": number}
        for number, (owner, value) in enumerate(pairs)
    ]
    shuffled = [rows[number] for number in order]
    schema = {"owner": pl.Int64, "value": dtype, "at": pl.Int64}
    frames = {"t": pl.DataFrame(shuffled, schema=schema)}
    owner, at, ops = (Col("owner"),), (Col("at"),), list(OverOp)
    windows = [
        (str(op), Over(op, None if op is OverOp.ROW_NUMBER else Col("value"), owner, at))
        for op in ops
    ]
    windows.append(("from_last", Over(OverOp.ROW_NUMBER, None, owner, at, is_descending=True)))
    answer = read(Select(scan(frames, "t"), (("at", Col("at")), *windows)), frames)
    found = {row[0]: row[1:] for row in answer.rows()}
    assert found == expected_windows(rows)


@lawful
@given(ROWS)
def test_windows_over_rows_that_are_sorted_already_are_the_same(drawn):
    pairs, order = drawn
    rows = [{"owner": o, "value": v, "at": n} for n, (o, v) in enumerate(pairs)]
    schema = {"owner": pl.Int64, "value": pl.Int64, "at": pl.Int64}
    frames = {"t": pl.DataFrame([rows[n] for n in order], schema=schema)}
    owner, at = (Col("owner"),), (Col("at"),)
    before = Over(OverOp.PREVIOUS, Col("value"), owner, at)
    kept = tuple((name, Col(name)) for name in schema)
    once = Select(scan(frames, "t"), (*kept, ("one", before)))
    twice = Select(once, (("at", Col("at")), ("one", Col("one")), ("two", before)))
    answer = read(twice, frames)
    assert answer["one"].to_list() == answer["two"].to_list()
    assert dict(answer.select("at", "two").rows()) == {
        at: windows[1] for at, windows in expected_windows(rows).items()
    }


# --- pairs of a day and a number --------------------------------------------------------------


def counted(rel, frames):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translate, "PACKED_FROM", 0)
        return read(rel, frames, sizes={"t": frames["t"].height})


KINDS = [pl.Int8, pl.Int64, pl.UInt32, pl.UInt64, pl.String]


@pytest.mark.parametrize("dtype", KINDS)
@lawful
@given(st.lists(st.tuples(st.none() | DAYS, st.none() | SMALL), min_size=1, max_size=12))
@example([(FIRST, 1), (FIRST, 1), (FIRST, None), (None, 2)])
def test_pairs_are_counted_as_they_occur(dtype, pairs):
    keys = [None if key is None else abs(key) for _, key in pairs]
    number = pl.Series(keys, dtype=pl.Int64).cast(dtype)
    frames = {"t": pl.DataFrame({"day": [day for day, _ in pairs], "number": number})}
    frames["t"] = frames["t"].cast({"day": pl.Date})
    rel = Aggregate(scan(frames, "t"), ("day", "number"), (("rows", Agg(AggOp.ROWS)),))
    expected = Counter(frames["t"].rows())
    answer = counted(rel, frames)
    assert Counter({(day, key): rows for day, key, rows in answer.rows()}) == expected
    assert answer.schema["number"] == dtype


@lawful
@given(st.lists(st.tuples(DAYS, SMALL | HUGE), min_size=1, max_size=12))
@example([(FIRST, -3), (FIRST + dt.timedelta(days=2), 2), (FIRST, -3)])
@example([(FIRST, -(2**62)), (FIRST, 2**62)])
def test_packing_is_refused_where_it_would_not_fit_and_keeps_order(pairs):
    frame = pl.DataFrame(pairs, schema={"day": pl.Date, "number": pl.Int64}, orient="row")
    found = count_pairs(frame.lazy(), "day", "number", ["rows"], lambda query: query.collect())
    numbers, days = [n for _, n in pairs], [day for day, _ in pairs]
    width = (max(numbers) - min(numbers) + 1) * ((max(days) - min(days)).days + 1)
    assert (found is None) == (width >= 2**63)
    if found is not None:
        assert found.select("number", "day").rows() == sorted({(n, day) for day, n in pairs})
        assert Counter({row[:2]: row[2] for row in found.rows()}) == Counter(pairs)


@lawful
@given(st.lists(st.none() | SMALL | HUGE, max_size=12))
def test_different_whole_numbers_are_counted_by_sorting(numbers):
    frames = {"t": pl.DataFrame({"key": pl.Series(numbers, dtype=pl.Int64)})}
    folds = ("all", Agg(AggOp.COUNT, Col("key"))), ("kinds", Agg(AggOp.COUNT_DISTINCT, Col("key")))
    known = [number for number in numbers if number is not None]
    answer = read(Aggregate(scan(frames, "t"), (), folds), frames)
    assert answer.row(0) == (len(known), len(set(known)))


# --- units that are alike ---------------------------------------------------------------------

WORDS = st.none() | st.sampled_from(["a", "b", "", "a longer word than fits beside its length"])
FLAGS = st.none() | st.booleans()
VISITS = st.lists(st.tuples(WORDS, st.none() | DAYS, st.none() | SMALL, FLAGS, FLAGS), max_size=14)
KINDS = {"word": "str", "day": "day", "unit": "int", "one": "bool", "two": "bool"}


def alike(folds, keys=("word", "day"), seen=None, *, kinds=KINDS):
    """The units of each key that have the same folds, as a plan asks for their number.

    Of one fold it may be asked whether it is above zero.
    """
    inner = Aggregate(Scan("t", tuple(kinds.items())), (*keys, "unit"), folds)
    same = (*keys, *(name for name, _ in folds))
    if seen is not None:
        is_seen = when(call(Op.GE, Col(seen), whole(1)), whole(1), otherwise=whole(0))
        made = {name: Col(name) for name in (*keys, "unit", *same[len(keys) :])} | {seen: is_seen}
        inner = Select(inner, tuple(made.items()))
    named = ("named", call(Op.NOT, call(Op.IS_NULL, Col("unit"))))
    rows = Select(Named("each", inner), (*((name, Col(name)) for name in same), named))
    return Aggregate(rows, (*same, "named"), (("number", Agg(AggOp.ROWS)),))


COUNTS = (
    ("all", Agg(AggOp.ROWS)),
    ("ones", Agg(AggOp.ROWS, None, Col("one"))),
    ("twos", Agg(AggOp.COUNT, Col("two"))),
    ("both", Agg(AggOp.COUNT, Col("two"), Col("one"))),
)


def expected_alike(visits, keys, chosen, seen):
    """How many units have the same counts, unit by unit."""
    mine = defaultdict(list)
    for word, day, unit, one, two in visits:
        key = tuple({"word": word, "day": day}[name] for name in keys)
        mine[key, unit].append((one, two))
    found = Counter()
    for (key, unit), rows in mine.items():
        counts = {
            "all": len(rows),
            "ones": sum(one is True for one, _ in rows),
            "twos": sum(two is not None for _, two in rows),
            "both": sum(one is True and two is not None for one, two in rows),
        }
        told = (min(counts[name], 1) if name == seen else counts[name] for name in chosen)
        found[(*key, *told, unit is not None)] += 1
    return found


def frame_of(visits, dtype=pl.String):
    schema = {"word": pl.String, "day": pl.Date, "unit": pl.Int64}
    schema |= {"one": pl.Boolean, "two": pl.Boolean}
    return pl.DataFrame(visits, schema=schema, orient="row").cast({"word": dtype})


@pytest.fixture
def small_blocks(monkeypatch):
    """Make the rewrite start from one row on, with blocks of a few rows, and words of the first."""
    monkeypatch.setattr(translate, "PACKED_FROM", 1)
    monkeypatch.setattr(sorted_units, "_BLOCK", 3)
    monkeypatch.setattr(sorted_units, "_WRITTEN", 4)
    monkeypatch.setattr(sorted_units, "_FIRST", 2)


@lawful
@given(
    visits=VISITS,
    chosen=st.lists(st.sampled_from(COUNTS), min_size=1, unique=True),
    keys=st.sampled_from([(), ("word",), ("day", "word")]),
    dtype=st.sampled_from([pl.String(), pl.Categorical()]),
    room=st.sampled_from([(62, 4, True), (20, 2, False), (20, 1, True)]),
)
@example([("a", FIRST, 1, True, None)] * 9, list(COUNTS), ("word",), pl.String(), (12, 1, True))
@example(
    [("a", FIRST, 1, True, None)] * 2 + [("a", FIRST, 2, i < 4, None) for i in range(9)],
    list(COUNTS),
    ("word",),
    pl.String(),
    (12, 1, False),
)
@example([(None, None, None, None, True)] * 3, list(COUNTS), ("word",), pl.String(), (62, 4, False))
@pytest.mark.usefixtures("small_blocks")
def test_units_that_are_alike_are_counted_as_they_are_found(visits, chosen, keys, dtype, room):
    frames, (*bits, is_seen) = {"t": frame_of(visits, dtype)}, room
    names = [name for name, _ in chosen]
    seen = names[0] if is_seen else None
    rel = alike(tuple(chosen), keys, seen)
    with pytest.MonkeyPatch.context() as patch:
        for name, count in zip(("_BITS", "_FEWEST_BITS"), bits, strict=True):
            patch.setattr(sorted_units, name, count)
        found = read(rel, frames, sizes={"t": len(visits)})
    answer = found.select(*keys, *names, "named", "number")
    assert Counter({row[:-1]: row[-1] for row in answer.rows()}) == expected_alike(
        visits, keys, names, seen
    )
    assert len(answer) == len(set(answer.drop("number").rows()))
    plain = read(rel, frames)
    assert found.schema == plain.schema


@pytest.mark.usefixtures("small_blocks")
def test_words_that_come_late_in_one_of_two_texts():
    pairs = [("a", "b"), ("a", "b"), ("a", "z"), ("y", "b"), (None, "z"), ("y", None), ("y", "z")]
    columns = {"word": [a for a, _ in pairs], "place": [b for _, b in pairs]}
    frames = {"t": pl.DataFrame(columns | {"unit": [1, 2, 3, 4, 5, 6, 6]})}
    kinds = {"word": "str", "place": "str", "unit": "int"}
    rel = alike(COUNTS[:1], ("word", "place"), kinds=kinds)
    found = read(rel, frames, sizes={"t": 7})
    assert Counter(found.select("word", "place", "number").rows()) == Counter(
        (*pair, number) for pair, number in Counter(pairs).items()
    )


def test_only_counts_are_found_by_sorting():
    every = alike(COUNTS, ())
    assert Alike.of(every) is not None
    assert Alike.of(alike(COUNTS, (), "all")) is not None
    assert Alike.of(alike((("sum", Agg(AggOp.SUM, Col("one"))),), ())) is None
    each = every.input.input.input
    of_unit = Select(each, (("unit", Col("unit")), ("all", Col("unit"))))
    rows = Select(Named("each", of_unit), (("all", Col("all")), every.input.named[-1]))
    assert Alike.of(Aggregate(rows, ("all", "named"), every.folds)) is None
    assert Alike.of(Aggregate(every.input, ("all", "named"), every.folds)) is None


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt16, pl.Int32, pl.UInt32, pl.Int64])
@pytest.mark.usefixtures("small_blocks")
def test_units_are_whole_numbers_of_any_kind(monkeypatch, dtype):
    calls = []
    monkeypatch.setattr(translate, "count_alike", lambda *a: calls.append(count_alike(*a)))
    top = pl.Series([0], dtype=dtype).upper_bound().item()
    frame = frame_of([("a", FIRST, 0, True, True)] * 3)
    units = pl.Series("unit", [top, 0, top], dtype=dtype)
    read(alike(COUNTS), {"t": frame.with_columns(units)}, sizes={"t": 3})
    (found,) = calls
    if dtype == pl.Int64:
        assert found is None  # 63 bits and the marks do not fit into one number
    else:
        assert sorted(found.select("all", "number").rows()) == [(1, 1), (2, 1)]


@pytest.mark.parametrize("dtype", [pl.String, pl.Float64, pl.UInt64])
@pytest.mark.usefixtures("small_blocks")
def test_units_that_are_no_small_numbers_are_grouped(dtype):
    frame = frame_of([("a", FIRST, unit, True, True) for unit in (1, 2, 2, None)])
    frames = {"t": frame.cast({"unit": dtype})}
    found = read(alike(COUNTS, ()), frames, sizes={"t": 4})
    assert Counter(found.select("all", "named", "number").rows()) == Counter(
        [(1, True, 1), (2, True, 1), (1, False, 1)]
    )


# --- few keys ---------------------------------------------------------------------------------

KEYED = st.lists(st.none() | SMALL, max_size=6)


@lawful
@given(few=KEYED, many=st.lists(SMALL, unique=True, max_size=7), is_few=st.booleans())
def test_few_keys_are_looked_for_in_the_larger_table(few, many, is_few):
    frames = {
        "few": pl.DataFrame({"key": pl.Series(few, dtype=pl.Int64)}),
        "many": pl.DataFrame({"id": pl.Series(many, dtype=pl.Int64)}).with_columns(
            worth=pl.col("id") * 10
        ),
    }
    sizes = {"few": 1, "many": 100} if is_few else {"few": 100, "many": 1}
    rel = LeftJoin(scan(frames, "few"), scan(frames, "many"), (("key", "id"),), (("w", "worth"),))
    expected = Counter((key, key * 10 if key in many else None) for key in few)
    assert Counter(read(rel, frames, sizes=sizes).rows()) == expected


@lawful
@given(few=KEYED, many=KEYED, is_few=st.booleans())
def test_whether_a_key_has_rows_is_found_by_either_way(few, many, is_few):
    frames = {
        "few": pl.DataFrame({"key": pl.Series(few, dtype=pl.Int64)}),
        "many": pl.DataFrame({"id": pl.Series(many, dtype=pl.Int64)}),
    }
    sizes = {"few": 1, "many": 100} if is_few else {"few": 100, "many": 1}
    rel = Exists(scan(frames, "many"), scan(frames, "few"), ("id", "key"), "there")
    expected = Counter((key, key is not None and key in few) for key in many)
    assert Counter(read(rel, frames, sizes=sizes).rows()) == expected


def test_every_window_is_compared():
    rows = [{"owner": 1, "value": 1, "at": number} for number in range(2)]
    widths = defaultdict(int, {row: len(w) for row, w in expected_windows(rows).items()})
    assert widths[0] == len(OverOp) + 1


# --- different values of a column ---------------------------------------------------------------


@lawful
@given(st.lists(st.lists(SMALL | st.none(), max_size=4), min_size=1, max_size=5))
@example([[1, 2], [2, 3]])
@example([[1], [], [1, 1]])
@example([[None, 2], [2]])
def test_values_are_counted_across_the_chunks_of_a_column(chunks):
    column = pl.concat(
        [pl.Series("key", part, dtype=pl.Int64) for part in chunks], rechunk=False
    ).to_frame()
    rel = Aggregate(
        scan({"rows": column}, "rows"),
        (),
        (
            ("filled", Agg(AggOp.COUNT, Col("key"))),
            ("kinds", Agg(AggOp.COUNT_DISTINCT, Col("key"))),
        ),
    )
    held = [value for part in chunks for value in part if value is not None]
    assert read(rel, {"rows": column}).rows() == [(len(held), len(set(held)))]
