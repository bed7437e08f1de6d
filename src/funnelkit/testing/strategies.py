"""Hypothesis strategies made from the declarations of tables.

What is drawn is small and odd: nulls, no rows and one row, keys that repeat or
point nowhere, times that are the same or lie at the edge of a period or of a
clock change, amounts below zero and large, ids beyond ASCII.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl
from hypothesis import strategies as st

from funnelkit.formula.formulas import (
    Count,
    CountDistinct,
    Formula,
    Max,
    Mean,
    Median,
    Min,
    StdDev,
    Sum,
)
from funnelkit.formula.table import Table
from funnelkit.formula.values import (
    Category,
    Column,
    Duration,
    Flag,
    Key,
    Money,
    Predicate,
    Quantity,
    Score,
    Time,
)
from funnelkit.metrics.metric import Metric
from funnelkit.schema.checks import STATUSES, SURVEYS
from funnelkit.schema.customers import Surveys
from funnelkit.schema.marketing import MarketingCosts
from funnelkit.schema.sales import ExchangeRates, OrderLines, Orders
from funnelkit.shop.shop import Shop
from funnelkit.testing.inputs import needed_columns, plain_columns

__all__ = [
    "GROUP",
    "Frames",
    "bind",
    "formulas",
    "frames",
    "metrics",
    "predicates",
    "questions",
    "shop_frames",
    "shops",
]

GROUP = "drawn_group"
"""The dimension that every generated table has in addition to its columns."""
ZONE = "Europe/Warsaw"
FEW, MOST_ROWS = 3, 6

Cell = str | int | float | bool | dt.date | None
Row = dict[str, Cell]
Frames = dict[str, pl.DataFrame]

MOMENTS = tuple(
    map(
        dt.datetime.fromisoformat,
        (
            "2024-01-15T12:00",
            "2024-01-15T12:00:01",
            "2024-01-31T23:59:59.999999",
            "2024-02-01T00:00",
            "2024-02-29T09:30",
            "2024-03-31T01:59:59",
            "2024-03-31T03:00",
            "2024-03-31T22:30",
            "2024-04-01T00:00",
            "2024-10-27T02:30",
        ),
    )
)
"""Moments that come twice, end a period or begin one, or lie at a change of the clock."""
WORDS = ("a", "b", "żółty 🛒")
AMOUNTS = (0.0, 0.25, 1.0, 9.75, 100.0, 1e6, -2.5)
NUMBERS = (0, 1, 2, 3, 10, -1)
CURRENCIES: tuple[Row, ...] = (
    {"currency": "PLN", "fx_rate": 1.0},
    {"currency": "EUR", "fx_rate": 4.25},
)
_SCORES = {"nps": range(11), "csat": range(1, 6)}


def _cells(column: Column, ids: Sequence[str | int]) -> st.SearchStrategy[Cell]:
    match column:
        case Key():
            return st.sampled_from((*ids, None))
        case Money():
            return st.sampled_from((*AMOUNTS, None))
        case Quantity():
            return st.sampled_from((*NUMBERS, None))
        case Duration():
            return st.sampled_from((0.0, 1.0, 10.5, 3600.0, 90_000.0, None))
        case Score():
            return st.sampled_from((1, 2, 3, 4, 5, None))
        case Flag():
            return st.sampled_from((True, False, None))
        case Time():
            return st.sampled_from((*MOMENTS, None))
        case _:
            return st.sampled_from((*WORDS, None))


_TYPES: Mapping[type[Column], pl.DataType] = {
    Money: pl.Float64(),
    Quantity: pl.Int64(),
    Duration: pl.Float64(),
    Score: pl.Int64(),
    Flag: pl.Boolean(),
    Time: pl.Datetime("us"),
    Category: pl.String(),
}


def _type(table: type[Table], column: Column, ids: Sequence[str | int]) -> pl.DataType:
    if isinstance(column, Key):
        return pl.Int64() if isinstance(ids[0], int) else pl.String()
    if column.name in _days(table):
        return pl.Date()
    return _TYPES.get(type(column), pl.String())


def _days(table: type[Table]) -> tuple[str, ...]:
    """Return the time columns of a table that hold whole days."""
    if table.prorate:
        return table.prorate.first, table.prorate.last
    return (table.time,) if table.entity_key else ()


@dataclass(frozen=True, slots=True)
class _Pool:
    """The parts of the rows of a shop: keys by table, texts, whether values are complete."""

    ids: Mapping[str, Sequence[str | int]]
    words: Sequence[str]
    is_full: bool


@st.composite
def _rows(
    draw: st.DrawFn,
    table: type[Table],
    columns: Sequence[Column],
    pool: _Pool,
) -> list[Row]:
    """Draw rows of a table, its key unique, other keys out of those of the tables they point to.

    A full table has rows, and a value wherever there can be one.
    """
    count = draw(st.integers(FEW if pool.is_full else 0, MOST_ROWS))
    cells = {
        column.name: _cells(
            column, pool.ids[_owner(table, column)][: FEW if pool.is_full else None]
        )
        for column in columns
    }
    if pool.is_full:
        cells = {name: cell.filter(_is_there) for name, cell in cells.items()}
    rows = [{name: draw(cell) for name, cell in cells.items()} for _ in range(count)]
    for row in rows:
        for column in columns:
            if type(column) is Category:
                row[column.name] = draw(st.sampled_from((*_words(column, pool.words), None)))
        _mend(draw, table, row)
        row[GROUP] = draw(st.sampled_from((*WORDS[:2], None)))
    return _with_unique_keys(table, rows, pool.ids[table.table])


def _words(column: Category, words: Sequence[str] = ()) -> tuple[str, ...]:
    """Return words that a column may hold: those of its vocabulary, one in another case."""
    if column.values and not column.is_open:
        return (*column.values, column.values[0].upper())
    return (*words, *WORDS)


def _is_there(cell: Cell) -> bool:
    return cell is not None


def _owner(table: type[Table], column: Column) -> str:
    """Return the table that a key refers to; any other key has separate values."""
    return table.parents.get(column.name, "") if isinstance(column, Key) else ""


def _mend(draw: st.DrawFn, table: type[Table], row: Row) -> None:
    """Return a row without values that would be errors."""
    if Orders.status.name in row and table is Orders:
        row["status"] = draw(st.sampled_from(STATUSES))
    if table is Surveys:
        kind = draw(st.sampled_from(SURVEYS))
        scale = _SCORES.get(kind, range(1, 6))[-1]
        row |= {"survey_type": kind, "scale_max": scale} if "survey_type" in row else {}
        row |= {"weight": draw(st.sampled_from((1, 0, 3, None)))} if "weight" in row else {}
        row["score"] = draw(st.sampled_from((*_SCORES.get(kind, range(1, 6)), None)))
    discount = row.get("discount_amount")
    if table in {Orders, OrderLines} and isinstance(discount, float):
        row["discount_amount"] = abs(discount)
    if table is ExchangeRates:
        row["rate"] = draw(st.sampled_from((1, 2, 5)))
    elif "currency" in row:
        row |= draw(st.sampled_from(CURRENCIES))
    elif "fx_rate" in row:
        row["fx_rate"] = draw(st.sampled_from(CURRENCIES))["fx_rate"]
    for name in _days(table):
        moment = row.get(name)
        row[name] = moment.date() if isinstance(moment, dt.datetime) else None
    if table is MarketingCosts:
        drawn = row["period_start"]
        first = drawn if isinstance(drawn, dt.date) else dt.date(2024, 2, 1)
        days = dt.timedelta(days=draw(st.sampled_from((0, 1, 40))))
        row |= {"period_start": first, "period_end": first + days}


def _with_unique_keys(table: type[Table], rows: list[Row], ids: Sequence[str | int]) -> list[Row]:
    if len(table.key) == 1 and isinstance(table.get(table.key[0]), Key):
        return [{**row, table.key[0]: ids[n]} for n, row in enumerate(rows)]
    seen: dict[tuple[Cell, ...], Row] = {}
    for row in rows:
        if None not in (key := tuple(row[name] for name in table.key)):
            seen.setdefault(key, row)
    return list(seen.values())


def _framed(
    table: type[Table],
    columns: Sequence[Column],
    ids: Mapping[str, Sequence[str | int]],
    rows: list[Row],
) -> pl.DataFrame:
    schema: dict[str, pl.DataType] = {
        column.name: _type(table, column, ids[_owner(table, column)]) for column in columns
    }
    if table is MarketingCosts:
        schema["period_end"] = pl.Date()
    if "fx_rate" in schema:
        schema["fx_rate"] = pl.Float64()
    if table is Surveys:
        schema["score"] = pl.Int64()
        if "survey_type" in schema:
            schema["scale_max"] = pl.Int64()
    return pl.DataFrame(rows, schema={**schema, GROUP: pl.String()}, orient="row")


def frames(
    table: type[Table], *, columns: Sequence[Column] | None = None
) -> st.SearchStrategy[pl.DataFrame]:
    """Draw frames of a table.

    Args:
        table: Its declaration.
        columns: Which of its columns; all by default. The key, the time and a
            dimension `drawn_group` are there besides.
    """
    chosen = plain_columns(table) if columns is None else tuple(columns)
    return _frames({table: _complete(table, chosen)}, ()).map(lambda made: made[table.table])


def _complete(table: type[Table], columns: Iterable[Column]) -> tuple[Column, ...]:
    own = (*(table.get(name) for name in table.key), table.get(table.time))
    days = () if table.prorate is None else tuple(map(table.get, table.prorate.columns[:2]))
    return tuple(dict.fromkeys((*own, *days, *columns)))


@st.composite
def _frames(
    draw: st.DrawFn, wanted: Mapping[type[Table], Sequence[Column]], words: Sequence[str]
) -> Frames:
    is_text = draw(st.booleans())
    is_full = draw(st.sampled_from((False, True)))  # a boolean is not shrunk: shops stay full
    parents = {parent for table in wanted for parent in table.parents.values()}
    owners = {"", *parents, *(table.table for table in wanted)}
    ids: dict[str, Sequence[str | int]] = {
        owner: [f"{owner[:2]}{n} ž" if is_text else n for n in range(1, MOST_ROWS + 2)]
        for owner in owners
    }
    made: Frames = {}
    for table, columns in wanted.items():
        rows = draw(_rows(table, columns, _Pool(ids, words, is_full)))
        made[table.table] = _framed(table, columns, ids, rows)
    return made


def shop_frames(
    metrics: Metric | Iterable[Metric], *, tables: Sequence[type[Table]] = ()
) -> st.SearchStrategy[Frames]:
    """Draw, by table, the frames of shops that have what metrics read.

    Args:
        metrics: A metric, or several.
        tables: Declarations beyond the canonical ones.
    """
    chosen = [metrics] if isinstance(metrics, Metric) else list(metrics)
    needed = needed_columns(chosen, tables)
    wanted = {table: _complete(table, columns) for table, columns in needed.columns.items()}
    plain = _frames(wanted, needed.words)
    if len(wanted) > 1:
        return plain
    ((table, columns),) = wanted.items()
    has_rates = {"currency", "fx_rate"} <= table.columns.keys()
    if not has_rates or not any(isinstance(column, Money) for column in columns):
        return plain
    both = (*columns, table.get("currency"), table.get("fx_rate"))
    return plain | _frames({table: tuple(dict.fromkeys(both))}, needed.words)


def shops(
    metrics: Metric | Iterable[Metric], *, tables: Sequence[type[Table]] = ()
) -> st.SearchStrategy[Shop]:
    """Draw shops that have what metrics read.

    Args:
        metrics: A metric, or several.
        tables: Declarations beyond the canonical ones.
    """
    return shop_frames(metrics, tables=tables).map(lambda made: bind(made, tables))


def bind(made: Frames, tables: Sequence[type[Table]]) -> Shop:
    """Bind drawn frames: in a zone whose clock changes, every order policy left aside."""
    return Shop.bind(made, tables=tables, time_zone=ZONE, currency="PLN")


def questions() -> st.SearchStrategy[dict[str, str]]:
    """Draw how time is divided and cut: `every`, `start` and `end`, each or none."""
    optional = {
        "every": st.sampled_from(("1d", "1w", "1mo", "1q", "1y", "2mo")),
        "start": st.sampled_from(("2024-01-01", "2024-02-01")),
        "end": st.sampled_from(("2024-04-01", "2025-01-01")),
    }
    return st.fixed_dictionaries({}, optional=optional)


def _conditions(column: Column) -> tuple[Predicate, ...]:
    match column:
        case Flag():
            return (column,)
        case Money() | Quantity() | Duration() | Score():
            return (column > 1, column <= 0, column.eq(1))
        case Time():
            return (column >= MOMENTS[3],)
        case Category():
            return tuple(column.eq(word) for word in _words(column))
        case _:
            return (column.is_null(),)


@st.composite
def predicates(draw: st.DrawFn, table: type[Table]) -> Predicate:
    """Draw conditions on the rows of a table.

    Args:
        draw: Given by Hypothesis.
        table: Its declaration.
    """
    known = st.sampled_from([c for column in plain_columns(table) for c in _conditions(column)])
    one, two = draw(known), draw(known)
    match draw(st.sampled_from(("alone", "not", "and", "or"))):
        case "not":
            return ~one
        case "and":
            return one & two
        case "or":
            return one | two
        case _:
            return one


_FOLDS: tuple[Callable[..., Formula], ...] = (Sum, Mean, Min, Max, Median, StdDev)


@st.composite
def formulas(draw: st.DrawFn, table: type[Table]) -> Formula:
    """Draw formulas over one table: folds, and ratios of them.

    Args:
        draw: Given by Hypothesis.
        table: Its declaration.
    """
    numbers = _columns_of(table, (Money, Quantity, Duration))
    where = st.one_of(st.none(), predicates(table))

    def count() -> Count | CountDistinct:
        if draw(st.booleans()):
            return Count(table, where=draw(where))
        return CountDistinct(draw(st.sampled_from(_columns_of(table, (Key,)))), where=draw(where))

    if not numbers or draw(st.booleans()):
        above: Formula = count()
    else:
        fold, value = draw(st.sampled_from(_FOLDS)), draw(st.sampled_from(numbers))
        above = fold(value, where=draw(where))
    return above / count() if draw(st.booleans()) else above


def _columns_of(table: type[Table], kinds: tuple[type[Column], ...]) -> list[Column]:
    return [column for column in plain_columns(table) if isinstance(column, kinds)]


def metrics(table: type[Table]) -> st.SearchStrategy[Metric]:
    """Draw metrics over one table.

    Args:
        table: Its declaration.
    """
    return formulas(table).map(_named)


def _named(formula: Formula) -> Metric:
    return Metric(name="drawn", formula=formula)
