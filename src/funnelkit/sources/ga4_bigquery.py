"""Google Analytics 4: the export to BigQuery, a row per event.

How to get it: link the property with BigQuery; export the tables `events_YYYYMMDD` as Parquet, or
as JSON, one object a line, into one folder.

| column | made of |
| --- | --- |
| `events.event_id` | the number of the row |
| `events.visitor_id`, `occurred_at` | `user_pseudo_id`, `event_timestamp` in microseconds |
| `events.session_id` | `user_pseudo_id` and the parameter `ga_session_id` |
| `events.order_id`, `value` | `ecommerce.transaction_id`, `purchase_revenue` of purchases |
| `events.product_id`, `quantity` | of the item, where the event has one item |
| `sessions.started_at`, `ended_at` | the first and last event of the session |
| `sessions.engaged_s`, `is_engaged` | `engagement_time_msec`; `session_engaged` of any event |
| `sessions.source`, `medium`, `campaign` | the first that an event of the session has |
| `sessions.device`, `country` | `device.category`, `geo.country` of the first event |
| `orders` | the first purchase of each `transaction_id` |
| `orders.customer_id` | `user_id` |
| `orders.shipping_amount`, `tax_amount` | `ecommerce.shipping_value`, `tax_value` |
| `orders.currency` | the parameter `currency` |
| `order_lines` | `items` of that purchase: `item_id`, `price`, `quantity` |
| `returns` | events `refund` with a `transaction_id`: `refund_value` |

What it cannot give: orders that were cancelled, discounts apart from prices, costs, orders of
visitors who refused to be measured; the sales of a purchase without items that have a price.

Traps: parameters are a list of names with values of four types; a purchase may be sent twice, as
when the page of thanks is loaded again; a session has no row; the session number alone is not
unique.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Unpack, cast

import polars as pl

from funnelkit.errors import DataError, DataIssue, rows_text, shortened
from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.opening import files_of, place_of
from funnelkit.sources.reading import Reader, with_currency

__all__ = ["NEEDED", "ga4_bigquery"]

NEEDED = ("event_name", "event_timestamp", "user_pseudo_id", "event_params")
_YEAR_2005_US, _YEAR_2100_US = 1_104_537_600_000_000, 4_102_444_800_000_000
_NUMBERS = (
    "event_timestamp",
    *(f"ecommerce.{each}_value" for each in ("shipping", "tax", "refund")),
    *("ecommerce.purchase_revenue", "ecommerce.total_item_quantity"),
)
_SUFFIXES = (".parquet", ".json", ".jsonl", ".ndjson")
_NOTHING = ["(not set)", ""]


def ga4_bigquery(
    events: str | Path | pl.DataFrame | pl.LazyFrame, **settings: Unpack[Settings]
) -> Shop:
    """Return the shop in the export of Google Analytics 4 to BigQuery.

    Args:
        events: The file, a folder or glob of files, or a frame of them.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the export.
    """
    reader, place = Reader(), place_of(events)
    frame = _opened(reader, events, place)
    reader.settle()
    _check_numbers(reader, frame, place)
    rows = _rows(frame)
    _check(reader, rows, place)
    sessions, orders, lines, returns = pl.collect_all(
        [_sessions(rows), _orders(rows), _lines(rows), _returns(rows)]
    )
    reader.note(Topic.ASSUMED, "orders.status", "all paid: cancellations are not known")
    reader.note(Topic.ASSUMED, "order_lines.unit_price", "after discounts, as the tag sends it")
    reader.note(Topic.ASSUMED, "returns", "the refund events: a shop that sends none has none")
    frames: dict[str, pl.DataFrame | pl.LazyFrame] = {
        "events": _events(rows, orders["event_id"]),
        "sessions": sessions,
        "orders": orders.drop("event_id"),
        "order_lines": lines,
        "returns": returns,
    }
    return reader.prepared(frames).shop(with_currency(settings, orders["currency"]))


def _opened(
    reader: Reader, events: str | Path | pl.DataFrame | pl.LazyFrame, place: str
) -> pl.LazyFrame:
    """Return the events, lazily, with the columns that are read; faults are collected."""
    try:
        frame = events.lazy() if isinstance(events, pl.DataFrame | pl.LazyFrame) else _scan(events)
        schema = frame.collect_schema()
    except DataError as error:
        reader.faults.append(DataIssue(place, "", error.problem, error.remedy))
        return pl.LazyFrame()
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        problem = f"cannot be read ({shortened(str(error).splitlines()[0])})"
        reader.faults.append(DataIssue(place, "", problem, "check that it is complete"))
        return pl.LazyFrame()
    for name in NEEDED:
        if name not in schema:
            problem = "is not among its columns, and the export to BigQuery has it"
            reader.faults.append(DataIssue(place, name, problem, "export the table events_…"))
    nested = schema.get("event_params")
    if nested is not None and not (isinstance(nested, pl.List) and _inner(nested)):
        remedy = "export it as Parquet or JSON: a CSV file has no nested columns"
        problem = f"expected a list of keys and values, found {nested}"
        reader.faults.append(DataIssue(place, "event_params", problem, remedy))
    return frame


def _inner(found: object) -> dict[str, object]:
    """Return the fields of a column of records, or of lists of records."""
    record = found.inner if isinstance(found, pl.List) else found
    return {f.name: f.dtype for f in record.fields} if isinstance(record, pl.Struct) else {}


def _scan(path: str | Path) -> pl.LazyFrame:
    files = (
        files_of(Path(path), "*.parquet")
        if not _has_json(Path(path))
        else (files_of(Path(path), "*.json*"))
    )
    if other := next((f for f in files if f.suffix.lower() not in _SUFFIXES), None):
        problem = f"{other.name!r} is neither Parquet nor JSON"
        raise DataError(problem, "export it as one of them: a CSV file has no nested columns")
    days = {file.stem.removeprefix("events_") for file in files}
    if twice := sorted(day for day in days if f"intraday_{day}" in days):
        problem = f"has the events of {twice[0]} twice, in events_… and events_intraday_…"
        raise DataError(problem, "leave out the latter: it is of a day that was not over")
    if files[0].suffix.lower() == ".parquet":
        return pl.scan_parquet(files, missing_columns="insert", extra_columns="ignore")
    return pl.scan_ndjson(files, infer_schema_length=None)


def _has_json(path: Path) -> bool:
    return path.is_dir() and any(path.glob("*.json*"))


Type = type[pl.DataType]


def _type_at(schema: pl.Schema, path: str) -> object:
    """Return the type at a path of nested columns; None where there is no such path."""
    first, *names = path.split(".")
    found: object = schema.get(first)
    for name in names:
        found = _inner(found).get(name)
    return found


def _field(schema: pl.Schema, path: str, target: Type) -> pl.Expr:
    """Return the value at a path of nested columns; null where the export has no such path."""
    first, *names = path.split(".")
    found, value = _type_at(schema, path), pl.col(first)
    for name in names:
        value = value.struct.field(name)
    if found is None or isinstance(found, pl.Null):
        return pl.lit(None, target())
    if isinstance(found, pl.String | pl.Categorical | pl.Enum):
        text = value.cast(pl.String)
        value = pl.when(~text.is_in(_NOTHING)).then(text)
    return _cast(value, target)


def _cast(value: pl.Expr, target: Type | pl.DataType) -> pl.Expr:
    """Return values of a type; null for others, and for NaN."""
    known = value.cast(target, strict=False)
    return known.fill_nan(None) if target == pl.Float64 else known


def _param(schema: pl.Schema, name: str, kinds: tuple[str, ...], target: Type) -> pl.Expr:
    """Return the value of a parameter of an event: the first of some of its types."""
    known = _inner(_inner(schema["event_params"]).get("value"))
    is_it = pl.element().struct.field("key") == name
    found = [
        pl.col("event_params")
        .list.eval(pl.element().filter(is_it).struct.field("value").struct.field(kind))
        .list.first()
        .cast(target, strict=False)
        for kind in kinds
        if kind in known
    ]
    return pl.coalesce(*found, pl.lit(None, target()))


def _rows(frame: pl.LazyFrame) -> pl.LazyFrame:
    """Return events with what is read of their nested columns."""
    schema = frame.collect_schema()
    text, whole, number = pl.String, pl.Int64, pl.Float64
    user = _field(schema, "user_pseudo_id", text)
    session = _param(schema, "ga_session_id", ("int_value", "string_value"), whole)
    engaged = _param(schema, "session_engaged", ("string_value", "int_value"), text)
    return (
        frame.with_row_index("event_id")
        .select(
            pl.col("event_id").cast(pl.Int64),
            event_name=_field(schema, "event_name", text),
            micros=_field(schema, "event_timestamp", whole),
            visitor_id=user,
            session_id=pl.format("{}.{}", user, session),
            customer_id=_field(schema, "user_id", text),
            engaged_ms=_param(
                schema, "engagement_time_msec", ("int_value", "string_value"), number
            ),
            engaged=engaged.is_in(["1", "true"]),
            source=_traffic(schema, "source", "source"),
            medium=_traffic(schema, "medium", "medium"),
            campaign=_traffic(schema, "campaign_name", "campaign"),
            device=_field(schema, "device.category", text),
            country=_field(schema, "geo.country", text),
            order_id=_field(schema, "ecommerce.transaction_id", text),
            revenue=_field(schema, "ecommerce.purchase_revenue", number),
            refund=_field(schema, "ecommerce.refund_value", number),
            shipping_amount=_field(schema, "ecommerce.shipping_value", number),
            tax_amount=_field(schema, "ecommerce.tax_value", number),
            units=_field(schema, "ecommerce.total_item_quantity", number),
            currency=_param(schema, "currency", ("string_value",), text),
            items=_items(schema),
        )
        .with_columns(
            occurred_at=pl.from_epoch("micros", time_unit="us").dt.replace_time_zone("UTC"),
            is_sale=(pl.col("event_name") == "purchase") & pl.col("order_id").is_not_null(),
        )
    )


def _traffic(schema: pl.Schema, name: str, param: str) -> pl.Expr:
    last = f"session_traffic_source_last_click.manual_campaign.{name}"
    return pl.coalesce(
        _field(schema, last, pl.String),
        _field(schema, f"collected_traffic_source.manual_{name}", pl.String),
        _param(schema, param, ("string_value",), pl.String),
    )


_ITEM = {"item_id": pl.String, "item_name": pl.String, "price": pl.Float64, "quantity": pl.Float64}


def _items(schema: pl.Schema) -> pl.Expr:
    """Return the items of an event, with the fields that are read."""
    if not (known := _inner(schema.get("items"))):
        return pl.lit(None, pl.List(pl.Struct(_ITEM)))
    fields = [
        _cast(pl.element().struct.field(name), kind).alias(name)
        if name in known
        else pl.lit(None, kind()).alias(name)
        for name, kind in _ITEM.items()
    ]
    return pl.col("items").list.eval(pl.struct(fields))


def _check_numbers(reader: Reader, frame: pl.LazyFrame, place: str) -> None:
    """Raise if texts where numbers are expected, as JSON has them, are no numbers."""
    schema = frame.collect_schema()
    paths = [path for path in _NUMBERS if _type_at(schema, path) == pl.String]
    bad = {
        path: _field(schema, path, pl.String).filter(
            _field(schema, path, pl.String).is_not_null()
            & _field(schema, path, pl.Float64).is_null()
        )
        for path in paths
    }
    item = pl.element().struct.field
    for name in ("price", "quantity"):
        if _inner(schema.get("items")).get(name) == pl.String:
            is_bad = item(name).is_not_null() & item(name).cast(pl.Float64, strict=False).is_null()
            bad[f"items.{name}"] = (
                pl.col("items").list.eval(item(name).filter(is_bad)).explode().drop_nulls()
            )
    if not bad:
        return
    asked = [(e.first().alias(f"value {n}"), e.len().alias(f"rows {n}")) for n, e in bad.items()]
    found = frame.select(chain.from_iterable(asked)).collect(engine="streaming").row(0, named=True)
    _tell(reader, found, dict.fromkeys(bad, "is not a number"), place)
    reader.settle()


def _check(reader: Reader, rows: pl.LazyFrame, place: str) -> None:
    """Raise if times are not in microseconds, or events lack what sales are made of."""
    micros, refund = pl.col("micros"), pl.col("refund")
    has_price = pl.col("items").list.eval(pl.element().struct.field("price").is_not_null())
    is_unpriced = pl.col("revenue").ne_missing(0) & ~has_price.list.any().fill_null(value=False)
    asked = {
        "event_timestamp": (
            micros,
            ~micros.is_between(_YEAR_2005_US, _YEAR_2100_US).fill_null(value=False),
            "is not in microseconds",
        ),
        "event_name": (pl.col("event_name"), pl.col("event_name").is_null(), "is no name"),
        "items": (
            pl.col("order_id"),
            pl.col("is_sale") & is_unpriced,
            "is a purchase without items that have a price",
        ),
        "ecommerce.refund_value": (
            refund,
            _IS_REFUND & (refund.is_null() | (refund < 0)),
            "is no value of a refund",
        ),
    }
    found = (
        rows.select(
            *(
                value.filter(bad).first().alias(f"value {n}")
                for n, (value, bad, _) in asked.items()
            ),
            *(bad.sum().alias(f"rows {n}") for n, (_, bad, _) in asked.items()),
            unnamed=((pl.col("event_name") == "purchase") & ~pl.col("is_sale")).sum(),
        )
        .collect(engine="streaming")
        .row(0, named=True)
    )
    _tell(reader, found, {name: problem for name, (_, _, problem) in asked.items()}, place)
    if unnamed := found["unnamed"]:
        text = f"{unnamed:,} purchases without one are events, and no orders"
        reader.note(Topic.IGNORED, "ecommerce.transaction_id", text)
    reader.settle()


def _tell(
    reader: Reader, found: Mapping[str, object], problems: Mapping[str, str], place: str
) -> None:
    """Collect the faults of which rows were found, with a value of each."""
    remedy = "export it as BigQuery has it, or leave out these events"
    for name, problem in problems.items():
        if count := found[f"rows {name}"]:
            text = f"{found[f'value {name}']!r} {problem}, in {rows_text(cast('int', count))}"
            reader.faults.append(DataIssue(place, name, text, remedy))


_IS_REFUND = (pl.col("event_name") == "refund") & pl.col("order_id").is_not_null()
_FIRST_SALE = pl.col("is_sale") & pl.struct("is_sale", "order_id").is_first_distinct()


def _events(rows: pl.LazyFrame, first: pl.Series) -> pl.LazyFrame:
    """Return events; of the purchases of one order the first alone."""
    only = pl.when(pl.col("items").list.len() == 1).then(pl.col("items").list.first())
    return rows.filter(~pl.col("is_sale") | pl.col("event_id").is_in(first.implode())).select(
        *("event_id", "visitor_id", "event_name", "occurred_at", "session_id"),
        order_id=pl.when("is_sale").then("order_id"),
        product_id=only.struct.field("item_id"),
        quantity=only.struct.field("quantity"),
        value=pl.when(pl.col("event_name") == "purchase").then("revenue"),
    )


def _sessions(rows: pl.LazyFrame) -> pl.LazyFrame:
    def first(name: str) -> pl.Expr:
        return pl.col(name).sort_by("micros").drop_nulls().first().alias(name)

    is_view = pl.col("event_name").is_in(["page_view", "screen_view"])
    return (
        rows.filter(pl.col("session_id").is_not_null())
        .group_by("session_id")
        .agg(
            pl.col("visitor_id").first(),
            *map(first, ("customer_id", "source", "medium", "campaign", "device", "country")),
            started_at=pl.col("occurred_at").min(),
            ended_at=pl.col("occurred_at").max(),
            engaged_s=pl.col("engaged_ms").sum() / 1000,
            is_engaged=pl.col("engaged").any(),
            page_views=is_view.sum().cast(pl.Int64),
        )
    )


def _orders(rows: pl.LazyFrame) -> pl.LazyFrame:
    return (
        rows.sort("micros")
        .filter(_FIRST_SALE)
        .select(
            *("event_id", "order_id", "session_id", "visitor_id", "customer_id", "currency"),
            pl.col("shipping_amount", "tax_amount").fill_null(0.0),
            ordered_at="occurred_at",
            status=pl.lit("paid"),
            sales_channel=pl.lit("online"),
        )
    )


def _lines(rows: pl.LazyFrame) -> pl.LazyFrame:
    sold = rows.sort("micros").filter(_FIRST_SALE).select("order_id", "items")
    return (
        sold.explode("items")
        .filter(pl.col("items").is_not_null())
        .unnest("items")
        .with_row_index("order_line_id")
        .select(
            pl.col("order_line_id").cast(pl.Int64),
            "order_id",
            product_id=pl.coalesce("item_id", "item_name"),
            product_name="item_name",
            quantity=pl.col("quantity").fill_null(1.0),
            unit_price="price",
        )
    )


def _returns(rows: pl.LazyFrame) -> pl.LazyFrame:
    return rows.filter(_IS_REFUND).select(
        "order_id",
        return_id="event_id",
        returned_at="occurred_at",
        kind=pl.lit("return"),
        quantity="units",
        refund_amount="refund",
    )
