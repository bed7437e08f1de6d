"""Hypothesis strategies: small shops of canonical frames, and formulas that ask things of them.

A shop is small but not tidy: nulls and NaN, empty tables, one row, times that tie, keys that
repeat or are missing where they may be, orphans, negative and huge amounts, moments next to the
clock changes of a zone. Primary keys are unique, as the tables promise.

Amounts are quarters of a unit, and costs are spread over a power of two of days, so that sums are
exact in whatever order they are added.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.errors import UnitError
from funnelkit.formula.formulas import Aggregate, Constant, Formula, Name
from funnelkit.formula.properties import unit_of_formula
from funnelkit.formula.values import IsBetween, IsTrue, Literal, Predicate, Value, unit_of
from funnelkit.units import SECOND

Row = dict[str, Any]
Draw = st.DrawFn

ZONES = (
    "UTC",
    "Europe/Warsaw",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Cairo",
)
"""Zones with and without summer time; with half and quarter hours; with a shift of half an hour;
with a clock change at midnight."""

UTC = dt.UTC
CHANNELS = ("paid", "email", "ad hoc", None)
NOTES = ("paid", "email", "Paid", "", None)
COUNTRIES = ("PL", "DE", None)
STATUSES = ("paid", "fulfilled", "pending", "cancelled", "test")
TABLES = (
    "sessions",
    "orders",
    "order_lines",
    "returns",
    "carts",
    "campaign_performance",
    "marketing_costs",
    "surveys",
)
CLOCKS: Mapping[str, str] = {
    "sessions": "started_at",
    "orders": "ordered_at",
    "order_lines": "",
    "returns": "returned_at",
    "carts": "created_at",
    "campaign_performance": "date",
    "marketing_costs": "period_start",
    "surveys": "responded_at",
}
MONEY_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "orders": ("gross_amount", "discount_amount", "tip"),
    "order_lines": ("unit_price", "discount_amount", "unit_cost"),
    "returns": ("refund_amount",),
    "carts": ("value",),
    "campaign_performance": ("spend", "conversion_value"),
    "marketing_costs": ("amount",),
}


@dataclass(frozen=True)
class World:
    """Frames by table, and the settings of the shop that they belong to."""

    tables: Mapping[str, pl.DataFrame]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        tables = (f"{name}={frame.to_dict(as_series=False)}" for name, frame in self.tables.items())
        types = {n: str(f.schema[CLOCKS[n]]) for n, f in self.tables.items() if CLOCKS.get(n)}
        return "World(" + ",\n  ".join([*tables, f"types={types}", f"{dict(self.settings)}"]) + ")"

    def _repr_pretty_(self, printer: Any, _is_cyclic: bool) -> None:
        printer.text(repr(self))

    @property
    def zone(self) -> str:
        return self.settings.get("time_zone", "UTC")

    def shop(self, **settings: Any) -> fk.Shop:
        return fk.Shop(**{**self.settings, **settings}, **self.tables)

    def having(self, **tables: pl.DataFrame) -> "World":
        return replace(self, tables={**self.tables, **tables})

    def mapped(self, change: Any) -> "World":
        return replace(self, tables={name: change(name, f) for name, f in self.tables.items()})


# --- moments -------------------------------------------------------------------------------------


@cache
def clock_changes(zone: str, first: int = 2023, last: int = 2024) -> tuple[dt.datetime, ...]:
    """Give the instants at which the clock of a zone is changed, found hour by hour."""
    info = ZoneInfo(zone)
    found = []
    at = dt.datetime(first, 1, 1, tzinfo=UTC)
    offset = at.astimezone(info).utcoffset()
    while at.year <= last:
        after = at + dt.timedelta(minutes=30)
        if after.astimezone(info).utcoffset() != offset:
            offset = after.astimezone(info).utcoffset()
            found.append(after)
        at = after
    return tuple(found)


ORDINARY = tuple(
    dt.datetime(*parts, tzinfo=UTC)
    for parts in ((2023, 12, 31, 23), (2024, 1, 31), (2024, 2, 29, 12), (2024, 6, 30, 23, 45))
)
MINUTES = (-91, -60, -45, -30, -1, 0, 1, 15, 29, 30, 45, 59, 60, 61, 90, 120)


def anchors(zone: str) -> tuple[dt.datetime, ...]:
    return (*ORDINARY, *clock_changes(zone))


@st.composite
def deltas(draw: Draw, most_days: int) -> dt.timedelta:
    days = draw(st.integers(0, most_days)) if most_days and draw(st.booleans()) else 0
    return dt.timedelta(days=days, minutes=draw(st.sampled_from(MINUTES)))


def walls(zone: str, instant: dt.datetime) -> dt.datetime:
    """Give what the clock shows at an instant, as a time without a zone."""
    return instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)


@dataclass(frozen=True)
class Clock:
    """How a table tells the time: the type of its column and a few moments to draw from."""

    dtype: pl.DataType
    moments: tuple[Any, ...]

    def times(self) -> st.SearchStrategy[Any]:
        return st.sampled_from(self.moments)


@st.composite
def clocks(
    draw: Draw,
    zone: str,
    *,
    kinds: str = "naive aware far date",
    days: int = 40,
    near: Sequence[dt.datetime] = (),
) -> Clock:
    """Clocks without a zone, in UTC, in a zone far from the shop's, or of whole days.

    Their moments lie near the ends of months and the changes of the zone's clock. Those without a
    zone include times that the clock skips and times that it shows twice.
    """
    kind = draw(st.sampled_from(kinds.split()))
    unit = draw(st.sampled_from(["us", "ms", "ns"]))
    pairs = st.tuples(st.sampled_from(near or anchors(zone)), deltas(days))
    found = draw(st.lists(pairs, min_size=1, max_size=6))
    if kind in {"naive", "date"}:
        minute = dt.timedelta(minutes=1)
        shown = [walls(zone, anchor - minute) + minute + delta for anchor, delta in found]
        if kind == "naive":
            return Clock(pl.Datetime(unit), tuple(shown))
        return Clock(pl.Date(), tuple(moment.date() for moment in shown))
    own = "UTC" if kind == "aware" else "Pacific/Auckland"
    exact = [(anchor + delta).astimezone(ZoneInfo(own)) for anchor, delta in found]
    return Clock(pl.Datetime(unit, own), tuple(exact))


# --- cells ---------------------------------------------------------------------------------------


HUGE = (2.0**40, -(2.0**40), 2.0**40 + 0.25)


def amounts(*, is_huge: bool = True) -> st.SearchStrategy[float | None]:
    """Amounts in quarters: null, NaN, zero, negative, and, if asked for, very large."""
    odd_ones = [None, math.nan, 0.0, -0.25, *(HUGE if is_huge else ())]

    def amount(quarters: int) -> float | None:
        rest, is_plain = divmod(quarters, 6)
        return quarters / 4 if is_plain else odd_ones[rest % len(odd_ones)]

    return st.integers(-400, 40_000).map(amount)


def whole_numbers(low: int = 0, high: int = 9) -> st.SearchStrategy[int | None]:
    return st.sampled_from([*range(low, high + 1), None])


FLAGS = st.sampled_from([False, True, None])
MISSING_ID = 99
"""An id that no parent has."""


def ids(kind: type, *, most: int = 4, is_orphan: bool = True) -> st.SearchStrategy[Any]:
    numbers = [*range(1, most + 1), None, *([MISSING_ID] if is_orphan else [])]
    return st.sampled_from([None if number is None else kind(number) for number in numbers])


# --- tables --------------------------------------------------------------------------------------

_ID = "id"
SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "sessions": {
        "session_id": _ID,
        "visitor_id": _ID,
        "started_at": None,
        "customer_id": _ID,
        "duration_s": pl.Float64,
        "engaged_s": pl.Float64,
        "page_views": pl.Int64,
        "channel": pl.String,
        "country": pl.String,
        "is_bot": pl.Boolean,
        "has_key_event": pl.Boolean,
    },
    "orders": {
        "order_id": _ID,
        "ordered_at": None,
        "status": pl.String,
        "customer_id": _ID,
        "email_hash": pl.String,
        "session_id": _ID,
        "cart_id": _ID,
        "sales_channel": pl.String,
        "gross_amount": pl.Float64,
        "discount_amount": pl.Float64,
        "tip": pl.Float64,
        "weight": pl.Int32,
        "note": pl.String,
        "is_gift": pl.Boolean,
        "paid_at": None,
    },
    "order_lines": {
        "order_line_id": _ID,
        "order_id": _ID,
        "product_id": _ID,
        "quantity": pl.Int64,
        "unit_price": pl.Float64,
        "discount_amount": pl.Float64,
        "unit_cost": pl.Float64,
        "line_type": pl.String,
    },
    "returns": {
        "return_id": _ID,
        "order_id": _ID,
        "order_line_id": _ID,
        "returned_at": None,
        "quantity": pl.Int64,
        "refund_amount": pl.Float64,
        "kind": pl.String,
        "is_restocked": pl.Boolean,
    },
    "carts": {
        "cart_id": _ID,
        "created_at": None,
        "visitor_id": _ID,
        "customer_id": _ID,
        "session_id": _ID,
        "items": pl.Int64,
        "value": pl.Float64,
        "order_id": _ID,
    },
    "campaign_performance": {
        "date": None,
        "platform": pl.String,
        "campaign_id": _ID,
        "is_paid": pl.Boolean,
        "impressions": pl.Int64,
        "clicks": pl.Int64,
        "spend": pl.Float64,
        "conversions": pl.Int64,
        "conversion_value": pl.Float64,
    },
    "marketing_costs": {
        "cost_id": _ID,
        "period_start": pl.Date,
        "period_end": pl.Date,
        "amount": pl.Float64,
        "kind": pl.String,
        "purpose": pl.String,
    },
    "surveys": {
        "response_id": _ID,
        "survey_type": pl.String,
        "responded_at": None,
        "customer_id": _ID,
        "score": pl.Int64,
    },
}


@dataclass(frozen=True)
class Setting:
    """What the rows of a shop's tables have in common."""

    id_kind: type
    clock: Clock
    is_huge: bool


def _cells(name: str, setting: Setting) -> dict[str, st.SearchStrategy[Any]]:
    """Give a strategy for every column of a table but its primary key."""
    key = ids(setting.id_kind)
    money = amounts(is_huge=setting.is_huge)
    discounts = money.map(lambda amount: None if amount is None else abs(amount))
    when = st.sampled_from([*setting.clock.moments, None])
    many: Mapping[str, dict[str, st.SearchStrategy[Any]]] = {
        "sessions": {
            "visitor_id": key,
            "started_at": when,
            "customer_id": key,
            "duration_s": amounts(is_huge=False),
            "engaged_s": amounts(is_huge=False),
            "page_views": whole_numbers(0, 4),
            "channel": st.sampled_from(CHANNELS),
            "country": st.sampled_from(COUNTRIES),
            "is_bot": FLAGS,
            "has_key_event": FLAGS,
        },
        "orders": {
            "ordered_at": when,
            "status": st.sampled_from(STATUSES),
            "customer_id": key,
            "email_hash": st.sampled_from(["1", "h", None, None]),
            "session_id": key,
            "cart_id": key,
            "sales_channel": st.sampled_from(["online", "pos", None]),
            "gross_amount": money,
            "discount_amount": discounts,
            "tip": money,
            "weight": whole_numbers(-1, 9),
            "note": st.sampled_from(NOTES),
            "is_gift": FLAGS,
            "paid_at": when,
        },
        "order_lines": {
            "order_id": key,
            "product_id": key,
            "quantity": whole_numbers(-1, 4),
            "unit_price": money,
            "discount_amount": discounts,
            "unit_cost": money,
            "line_type": st.sampled_from([None, "product", "gift_card", "fee"]),
        },
        "returns": {
            "order_id": key,
            "order_line_id": key,
            "returned_at": when,
            "quantity": whole_numbers(0, 4),
            "refund_amount": money,
            "kind": st.sampled_from([None, "return", "cancellation"]),
            "is_restocked": FLAGS,
        },
        "carts": {
            "created_at": when,
            "visitor_id": key,
            "customer_id": key,
            "session_id": key,
            "items": whole_numbers(0, 3),
            "value": money,
            "order_id": key,
        },
        "campaign_performance": {
            "date": setting.clock.times(),
            "platform": st.sampled_from(["google", "meta"]),
            "is_paid": FLAGS,
            "impressions": whole_numbers(0, 900),
            "clicks": whole_numbers(0, 90),
            "spend": money,
            "conversions": whole_numbers(0, 9),
            "conversion_value": money,
        },
        "marketing_costs": {
            "period_start": setting.clock.times().map(_day),
            "days": st.sampled_from([1, 2, 4, 8, 32, 64]).map(lambda days: days - 1),
            "amount": money,
            "kind": st.sampled_from(["agency", None]),
            "purpose": st.sampled_from(["acquisition", "retention", None]),
        },
        "surveys": {
            "survey_type": st.sampled_from(["nps", "csat", None]),
            "responded_at": when,
            "customer_id": key,
            "score": whole_numbers(1, 5),
        },
    }
    return many[name]


def _day(moment: dt.date) -> dt.date:
    return moment.date() if isinstance(moment, dt.datetime) else moment


_PRIMARY = {
    "sessions": "session_id",
    "orders": "order_id",
    "order_lines": "order_line_id",
    "returns": "return_id",
    "carts": "cart_id",
    "campaign_performance": "campaign_id",
    "marketing_costs": "cost_id",
    "surveys": "response_id",
}


@st.composite
def rows_of(draw: Draw, name: str, setting: Setting, *, least: int = 0, most: int = 6) -> list[Row]:
    """Rows of a table, with a unique primary key that does not follow their order."""
    cells = st.fixed_dictionaries(_cells(name, setting))
    rows = draw(st.lists(cells, min_size=least, max_size=most))
    numbers = draw(st.permutations(range(1, len(rows) + 1)))
    for number, row in zip(numbers, rows, strict=True):
        row[_PRIMARY[name]] = setting.id_kind(number)
        if name == "marketing_costs":
            row["period_end"] = row["period_start"] + dt.timedelta(days=row.pop("days"))
    return rows


def to_frame(name: str, rows: Iterable[Row], id_type: Any, clock_type: Any) -> pl.DataFrame:
    """Make a frame of rows; a NaN stays one."""
    types = {None: clock_type, _ID: id_type}
    given = list(rows)
    return pl.DataFrame(
        {
            column: pl.Series(
                column,
                [row.get(column) for row in given],
                dtype=types.get(dtype, dtype) if dtype in (None, _ID) else dtype,
            )
            for column, dtype in SCHEMAS[name].items()
        }
    )


@st.composite
def worlds(
    draw: Draw,
    *tables: str,
    least: int = 0,
    most: int = 6,
    is_huge: bool = True,
    kinds: str = "naive aware far date",
    zones: Sequence[str] = ZONES,
    days: int = 40,
    is_near: bool = False,
) -> World:
    """Small consistent shops.

    Args:
        tables: The tables that are bound; all by default.
        least: The least number of rows of each table.
        most: The most.
        is_huge: Whether amounts may be very large.
        kinds: How a table may tell the time.
        zones: The zones that the shop may be in.
        days: How far moments may lie from those that are special.
        is_near: Whether all moments lie near one that is special.
    """
    zone = draw(st.sampled_from(zones))
    near = [draw(st.sampled_from(anchors(zone)))] if is_near else ()
    id_kind = draw(st.sampled_from([int, str]))
    id_type = pl.Int64 if id_kind is int else pl.String
    frames: dict[str, pl.DataFrame] = {}
    for name in tables or TABLES:
        clock = draw(clocks(zone, kinds=kinds, days=days, near=near))
        rows = draw(rows_of(name, Setting(id_kind, clock, is_huge), least=least, most=most))
        frames[name] = to_frame(name, rows, id_type, clock.dtype)
    return World(frames, {"time_zone": zone})


# --- literals and units --------------------------------------------------------------------------

DAYS = st.dates(dt.date(2023, 11, 1), dt.date(2024, 12, 31))
MOMENTS = st.datetimes(dt.datetime(2023, 11, 1), dt.datetime(2024, 12, 31)).map(
    lambda moment: moment.replace(second=0, microsecond=0)
)
LONGEST_S = 2**33 - 1
"""The longest constant of a length of time, in seconds: about 270 years."""

PLAIN_NUMBERS = st.sampled_from([0, 1, 2, -1, 0.5, -0.25, 100])
ODD_NUMBERS = PLAIN_NUMBERS | st.integers(-(10**30), 10**30) | st.floats(-1e299, 1e299)
PLAIN_WORDS = st.sampled_from(["paid", "email", "Paid", "", "online"])
ODD_WORDS = PLAIN_WORDS | st.text(max_size=8) | st.sampled_from(["'", '"', "\\", "\n", "(", "]"])
UNITS = st.sampled_from(
    [
        fk.NUMBER,
        fk.MONEY,
        fk.ITEM,
        fk.SECOND,
        fk.MONEY / fk.ORDER,
        fk.MONEY * fk.MONEY,
        fk.NUMBER / fk.SECOND,
        fk.RATIO,
        fk.SCORE,
        (fk.ITEM / fk.ORDER).percent,
    ]
)


@dataclass(frozen=True)
class Pool:
    """Columns of one table by what they may be used for, and the constants to use with them."""

    table: type[fk.Table]
    numbers: tuple[Value, ...]
    words: tuple[Value, ...]
    flags: tuple[Predicate, ...]
    times: tuple[Value, ...]
    keys: tuple[Any, ...]
    literal_numbers: st.SearchStrategy[Any] = PLAIN_NUMBERS
    literal_words: st.SearchStrategy[Any] = PLAIN_WORDS
    literal_times: st.SearchStrategy[Any] = DAYS | MOMENTS
    has_as_of: bool = True

    def __repr__(self) -> str:
        return f"Pool({self.table.table})"

    def _repr_pretty_(self, printer: Any, _is_cyclic: bool) -> None:
        printer.text(repr(self))


_OF_SESSION = fk.Orders.session_id
ORDERS = Pool(
    fk.Orders,
    numbers=(
        fk.Orders.gross_amount,
        fk.Orders.discount_amount,
        fk.Orders.column("tip", fk.Money),
        fk.Orders.column("weight", fk.Quantity, fk.ITEM),
        fk.Lookup(_OF_SESSION, fk.Sessions.engaged_s),
    ),
    words=(
        fk.Orders.column("note", fk.Category),
        fk.Lookup(_OF_SESSION, fk.Sessions.channel),
    ),
    flags=(
        fk.Orders.is_counted,
        fk.Orders.is_first_order,
        fk.Orders.column("is_gift", fk.Flag),
        IsTrue(fk.Lookup(_OF_SESSION, fk.Sessions.is_bot)),
        IsTrue(fk.Coalesce(fk.Orders.column("is_gift", fk.Flag), Literal(value=True))),
    ),
    times=(
        fk.Orders.ordered_at,
        fk.Orders.column("paid_at", fk.Time),
        fk.Lookup(_OF_SESSION, fk.Sessions.started_at),
    ),
    keys=(fk.Orders.order_id, fk.Orders.customer_id, fk.Orders.customer_key, _OF_SESSION),
)
SESSIONS = Pool(
    fk.Sessions,
    numbers=(fk.Sessions.engaged_s, fk.Sessions.duration_s, fk.Sessions.page_views),
    words=(fk.Sessions.channel, fk.Sessions.country),
    flags=(fk.Sessions.is_bot, fk.Sessions.has_key_event, fk.Sessions.is_engaged),
    times=(fk.Sessions.started_at,),
    keys=(fk.Sessions.session_id, fk.Sessions.visitor_id, fk.Sessions.customer_id),
)


def odd(pool: Pool, draw: Draw) -> Pool:
    """Give a pool with an undeclared column of every kind, and with unusual constants."""
    name = st.text(max_size=6).filter(lambda text: text not in pool.table.columns)

    def extra(kind: type, units: st.SearchStrategy[fk.Unit] = UNITS) -> Any:
        return pool.table.column(draw(name), kind, draw(units))

    plain = st.just(fk.NUMBER)

    return replace(
        pool,
        numbers=(*pool.numbers, extra(fk.Money), extra(fk.Quantity), extra(fk.Duration)),
        words=(*pool.words, extra(fk.Category, plain)),
        flags=(*pool.flags, extra(fk.Flag, plain)),
        times=(*pool.times, extra(fk.Time, plain)),
        keys=(*pool.keys, extra(fk.Key)),
        literal_numbers=ODD_NUMBERS,
        literal_words=ODD_WORDS,
        literal_times=st.dates() | st.datetimes(),
    )


# --- values and predicates -----------------------------------------------------------------------


def _joined(operator: str, left: Any, right: Any) -> Any:
    """Combine two values or formulas; multiply what cannot be added."""
    try:
        match operator:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
            case _:
                return left / right
    except UnitError:
        return left * right


def _fitting(draw: Draw, left: Formula, right: Formula) -> Formula:
    """Combine two formulas; multiply what cannot be added."""
    operator = draw(st.sampled_from("+-*/"))
    if operator in "+-" and not unit_of_formula(left).fits(unit_of_formula(right)):
        operator = "*"
    return _joined(operator, left, right)


@st.composite
def numbers(draw: Draw, pool: Pool, depth: int = 2) -> Value:
    """Numeric values of a row."""
    kind = draw(st.integers(0, 6)) if depth else 0
    below = depth - 1
    match kind:
        case 1 | 2:
            left, right = draw(numbers(pool, below)), draw(numbers(pool, below))
            if draw(st.booleans()):
                right = constant_like(left, draw(pool.literal_numbers))
            if draw(st.integers(0, 3)) == 0:
                left, right = right, left
            return _joined(draw(st.sampled_from("+-*/")), left, right)
        case 3:
            first = draw(numbers(pool, below))
            return fk.Coalesce(first, draw(numbers_like(pool, first)))
        case 4:
            first = draw(numbers(pool, below))
            other = draw(numbers_like(pool, first))
            return fk.If(draw(predicates(pool, below)), first, other)
        case 5:
            return draw(spans_of_time(pool))
        case _:
            return draw(st.sampled_from(pool.numbers))


@st.composite
def numbers_like(draw: Draw, pool: Pool, first: Value) -> Value:
    """Values of the unit of another: a column of that unit, or a constant."""
    alike = [v for v in pool.numbers if fits(v, first)]
    if alike and draw(st.booleans()):
        return draw(st.sampled_from(alike))
    return constant_like(first, draw(pool.literal_numbers))


def constant_like(value: Value, number: float) -> Literal:
    """A constant of the unit of a value: a length of time, or a number."""
    if unit_of(value) != SECOND:
        return Literal(number)
    return Literal(dt.timedelta(seconds=max(-LONGEST_S, min(number, LONGEST_S))))


def fits(left: Value, right: Value) -> bool:
    try:
        left + right
    except UnitError:
        return False
    return True


@st.composite
def spans_of_time(draw: Draw, pool: Pool) -> Value:
    ends = [*pool.times, *([fk.AsOf()] if pool.has_as_of else [])]
    start = draw(st.sampled_from(pool.times))
    return fk.Elapsed(start, draw(st.sampled_from(ends)))


@st.composite
def comparisons(draw: Draw, pool: Pool, depth: int) -> Predicate:
    """One thing of a row set against another or against constants."""
    match draw(st.integers(0, 5)):
        case 0:
            left = draw(numbers(pool, depth))
            constant = constant_like(left, draw(pool.literal_numbers))
            right = draw(numbers_like(pool, left)) if draw(st.booleans()) else constant
        case 1:
            left, constant = draw(st.sampled_from(pool.words)), Literal(draw(pool.literal_words))
            right = draw(st.sampled_from(pool.words)) if draw(st.booleans()) else constant
        case 2:
            left, constant = draw(st.sampled_from(pool.times)), Literal(draw(pool.literal_times))
            right = draw(st.sampled_from(pool.times)) if draw(st.booleans()) else constant
        case 3:
            return draw(memberships(pool))
        case 4:
            things = [*pool.numbers, *pool.words, *pool.times, *pool.keys]
            return draw(st.sampled_from(things)).is_null()
        case _:
            return draw(st.sampled_from(pool.flags))
    match draw(st.sampled_from(["eq", "ne", "lt", "le", "gt", "ge"])):
        case "eq":
            return left.eq(right)
        case "ne":
            return left.ne(right)
        case "lt":
            return left < right
        case "le":
            return left <= right
        case "gt":
            return left > right
        case _:
            return left >= right


@st.composite
def memberships(draw: Draw, pool: Pool) -> Predicate:
    """`is_in` and `is_between` of numbers, words and times."""
    values, options = draw(
        st.sampled_from(
            [
                (pool.numbers, pool.literal_numbers),
                (pool.words, pool.literal_words),
                (pool.times, pool.literal_times),
            ]
        )
    )
    value = draw(st.sampled_from(values))
    if draw(st.booleans()):
        return IsBetween(value, Literal(draw(options)), Literal(draw(options)))
    return value.is_in(draw(st.lists(options, min_size=1, max_size=3)))


@st.composite
def predicates(draw: Draw, pool: Pool, depth: int = 2) -> Predicate:
    """Predicates of a row."""
    kind = draw(st.integers(0, 5)) if depth else 0
    below = depth - 1
    match kind:
        case 1:
            return draw(predicates(pool, below)) & draw(predicates(pool, below))
        case 2:
            return draw(predicates(pool, below)) | draw(predicates(pool, below))
        case 3:
            return ~draw(predicates(pool, below))
        case _:
            return draw(comparisons(pool, below if depth else 0))


# --- aggregates and formulas ---------------------------------------------------------------------

QUANTILES = st.sampled_from([0, 0.1, 0.25, 0.5, 0.9, 1])


@st.composite
def aggregates(draw: Draw, pool: Pool, *, kinds: Sequence[str] = ()) -> Aggregate:
    """Folds of the rows of a table; `kinds` names those to choose from."""
    every = ["sum", "strict_sum", "within", "count", "count_value", "distinct", "retained"]
    every += ["mean", "min", "max", "quantile", "std_dev", "last", "rollup"]
    kind = draw(st.sampled_from(kinds or every))
    where = draw(st.none() | predicates(pool, 1))
    match kind:
        case "sum":
            return fk.Sum(draw(numbers(pool)), where=where)
        case "strict_sum":
            return fk.Sum(draw(numbers(pool)), where=where, skip_nulls=False)
        case "within":
            columns = [word for word in pool.words if not isinstance(word, fk.Lookup)]
            within = draw(st.sampled_from(columns))
            return fk.Sum(draw(numbers(pool, 1)), where=where, require_single=within)
        case "count":
            return fk.Count(pool.table, where=where)
        case "count_value":
            things = st.sampled_from([*pool.words, *pool.times, *pool.keys])
            return fk.Count(draw(things | numbers(pool)), where=where)
        case "distinct":
            return fk.CountDistinct(draw(st.sampled_from([*pool.keys, *pool.words])), where=where)
        case "retained":
            periods = draw(st.integers(1, 2))
            return fk.CountRetained(draw(st.sampled_from(pool.keys)), where=where, periods=periods)
        case "mean":
            return fk.Mean(draw(numbers(pool)), where=where)
        case "min":
            return fk.Min(draw(numbers(pool)), where=where)
        case "max":
            return fk.Max(draw(numbers(pool)), where=where)
        case "quantile":
            return fk.Quantile(draw(numbers(pool)), draw(QUANTILES), where=where)
        case "std_dev":
            return fk.StdDev(draw(numbers(pool)), where=where)
        case "last":
            return fk.ClosingBalance(
                draw(numbers(pool)), where=where, carry_forward=draw(st.booleans())
            )
        case "rollup" | "growing_rollup":
            return draw(folds_of_rollups(pool, grows=kind == "growing_rollup"))
        case _:
            raise AssertionError(kind)


@st.composite
def rollups(draw: Draw, pool: Pool, *, grows: bool = False) -> fk.PerKey:
    """Tables folded to a row per key, with one to three columns."""
    inner = ["sum", "count", "min", "max"]
    inner += [] if grows else ["strict_sum", "within", "count_value", "distinct", "mean", "last"]
    names = draw(st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True))
    columns = {name: draw(aggregates(pool, kinds=inner)) for name in names}
    where = draw(st.none() | predicates(pool, 1))
    return fk.PerKey(draw(st.sampled_from(pool.keys)), where=where, **columns)


@st.composite
def folds_of_rollups(draw: Draw, pool: Pool, *, grows: bool = False) -> Aggregate:
    """Folds of the rows of a rollup."""
    rollup = draw(rollups(pool, grows=grows))
    columns = [rollup[name] for name, _ in rollup.columns]
    column = draw(st.sampled_from(columns))
    mark = constant_like(column, draw(pool.literal_numbers))
    conditions = [None, column >= mark, column.eq(mark), column.is_null(), ~(column < mark)]
    where = draw(st.sampled_from(conditions))
    kinds = ["count", "sum"]
    kinds += [] if grows else ["strict_sum", "distinct", "mean", "min", "median"]
    match draw(st.sampled_from(kinds)):
        case "count":
            return fk.Count(rollup, where=where)
        case "sum":
            return fk.Sum(column, where=where)
        case "strict_sum":
            return fk.Sum(column, where=where, skip_nulls=False)
        case "distinct":
            return fk.CountDistinct(column, where=where)
        case "mean" if not any(isinstance(fold, fk.Mean) for _, fold in rollup.columns):
            return fk.Mean(column * 2, where=where)
        case "min":
            return fk.Min(column, where=where)
        case _:
            return fk.Median(column, where=where)


NAMES = st.sampled_from(["orders", "net_sales", "count", "sum", "n", "clv.over_3_years"])
GROWING = ("sum", "strict_sum", "count", "count_value", "distinct", "mean", "growing_rollup")


@st.composite
def texts_of_formulas(draw: Draw, depth: int = 3) -> Formula:
    """Formulas of every sort of node, of both tables, whether or not their units fit."""
    if not depth or draw(st.integers(0, 2)) == 0:
        pool = odd(draw(st.sampled_from([ORDERS, SESSIONS])), draw)
        match draw(st.integers(0, 5)):
            case 0:
                return Constant(draw(ODD_NUMBERS))
            case 1:
                return Name(draw(NAMES))
            case 2:
                return fk.PeriodDays()
            case _:
                return draw(aggregates(pool))
    inner = draw(texts_of_formulas(depth - 1))
    match draw(st.integers(0, 5)):
        case 0:
            return fk.Shift(inner, draw(st.integers(1, 400)))
        case 1:
            return fk.Cumulative(inner)
        case 2:
            return fk.PositiveOrNull(inner)
        case _:
            other = draw(texts_of_formulas(depth - 1))
            return _joined(draw(st.sampled_from("+-*/")), inner, other)


STABLE = ("sum", "strict_sum", "within", "count", "count_value", "distinct", "retained", "mean")
"""Folds that come out the same to the last bit whoever computes them: safe to divide by."""


@st.composite
def formulas(
    draw: Draw,
    *pools: Pool,
    depth: int = 2,
    kinds: Sequence[str] = (),
    has_periods: bool = True,
) -> Formula:
    """Formulas whose units fit and that a shop of `worlds` can answer.

    Args:
        pools: The columns to use.
        depth: How deep they nest.
        kinds: The folds to choose from; all of them by default.
        has_periods: Whether they may compare periods.
    """
    here = [kind for kind in kinds if has_periods or kind != "retained"] or kinds
    if not depth:
        return draw(aggregates(draw(st.sampled_from(pools)), kinds=here))
    below = formulas(*pools, depth=depth - 1, kinds=kinds, has_periods=has_periods)
    match draw(st.integers(0, 6)):
        case 0 if has_periods:
            return fk.Shift(draw(below), draw(st.integers(1, 2)))
        case 1:
            growing = formulas(*pools, depth=depth - 1, kinds=GROWING, has_periods=has_periods)
            return fk.Cumulative(draw(growing))
        case 2:
            return fk.PositiveOrNull(draw(below))
        case 3 | 4:
            return _fitting(draw, draw(below), draw(below | PLAIN_NUMBERS.map(Constant)))
        case _:
            return draw(aggregates(draw(st.sampled_from(pools)), kinds=here))


COUNTED = st.sampled_from(
    [fk.Count(fk.Orders), fk.Count(fk.Sessions), fk.Sum(fk.Orders.gross_amount)]
)


@st.composite
def shapes(draw: Draw, depth: int = 2, *, compares: bool = True) -> Formula:
    """Formulas that set cells of a result beside one another, within one another.

    Args:
        depth: How deep they nest.
        compares: Whether earlier periods and the history may enter.
    """
    counted = draw(COUNTED)
    if not depth:
        return counted / fk.PeriodDays() if draw(st.booleans()) else counted
    below = shapes(depth - 1, compares=compares)
    match draw(st.integers(0 if compares else 3, 7)):
        case 0 | 1:
            return fk.Shift(draw(below), draw(st.integers(1, 2)))
        case 2:
            return fk.Cumulative(counted)
        case 3:
            return fk.ShareOfTotal(counted)
        case 4:
            inner = draw(below)
            return fk.Sqrt(inner * inner)
        case 5:
            return fk.PositiveOrNull(draw(below))
        case _:
            return _fitting(draw, draw(below), fk.Abs(draw(below)))
