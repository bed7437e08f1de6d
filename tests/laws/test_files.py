"""Laws of files: what is in a file is read as it is, whatever it looks like, or refused."""

import datetime as dt
import json
import re

import polars as pl
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

import funnelkit as fk

QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
DAYS = st.dates(dt.date(2023, 1, 1), dt.date(2024, 12, 31))
NUMBERED = st.sampled_from(["7", "07", "007", "70", "-0", "0", "+7"])
IDS = NUMBERED | st.sampled_from(["#7", "a", "", " ", "7.1"])
WITHOUT_ID = st.fixed_dictionaries(
    {
        "ordered_at": DAYS,
        "status": st.sampled_from(["paid", "cancelled"]),
        "gross_amount": st.integers(0, 99_999).map(lambda cents: cents / 100),
        "postcode": st.sampled_from(["01234", "1234", "SW1A", "2"]),
    },
    optional={"discount_amount": st.just(0.0)},
)


def rows_with(ids):
    row = st.builds(lambda row, one: {**row, "customer_id": one}, WITHOUT_ID, ids)
    return st.lists(row, min_size=1, max_size=12)


TABLES = rows_with(IDS) | rows_with(NUMBERED)
ASKED = ["orders", "customers", "repeat_purchase_rate", "gross_sales"]
SCHEMA = {
    "order_id": pl.Int64,
    "ordered_at": pl.Date,
    "status": pl.String,
    "customer_id": pl.String,
    "gross_amount": pl.Float64,
    "postcode": pl.String,
    "is_counted": pl.Boolean,
    "discount_amount": pl.Float64,
}


def numbered(rows, filler=0):
    first = {"ordered_at": dt.date(2024, 2, 1), "status": "paid", "gross_amount": 1.0}
    return [{"order_id": n, **row} for n, row in enumerate([first] * filler + rows)]


def frame_of(rows):
    names = {name for row in rows for name in row}
    return pl.DataFrame(rows, schema={name: t for name, t in SCHEMA.items() if name in names})


def asked(source, metrics=ASKED, *, guards=True, **question):
    shop = fk.Shop(orders=source, guards=guards)
    return fk.evaluate(shop, metrics, **question).frame


PADDED = [
    {"ordered_at": dt.date(2024, 5, 1), "status": "paid", "customer_id": one, "gross_amount": 1.0}
    for one in ("7", "007")
]


@settings(QUICK)
@example(rows=[{**row, "postcode": "2"} for row in PADDED], quoted="necessary")
@given(rows=TABLES, quoted=st.sampled_from(["necessary", "always", "non_numeric"]))
def test_a_csv_says_what_its_frame_says(tmp_path, rows, quoted):
    frame, path = frame_of(numbered(rows)), tmp_path / "orders.csv"
    frame.write_csv(path, quote_style=quoted)
    assert asked(path).equals(asked(frame))
    groups = asked(path, "orders", by="postcode")
    assert (
        groups.with_columns(pl.col("postcode").cast(pl.String))
        .sort("postcode")
        .equals(asked(frame, "orders", by="postcode").sort("postcode"))
    )


@settings(QUICK)
@given(TABLES, st.sampled_from([0, 120]), st.booleans())
def test_json_lines_say_what_their_frame_says(tmp_path, rows, filler, is_reversed):
    rows, path = numbered(rows, filler), tmp_path / "orders.ndjson"
    rows[-1]["is_counted"] = True
    lines = [json.dumps(row, default=str) for row in rows]
    path.write_text("\n".join(reversed(lines) if is_reversed else lines))
    assert asked(path, guards=False).equals(asked(frame_of(rows), guards=False))


WAYS = (
    "%Y-%m-%d",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y/%m/%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%m/%d/%y",
    "%d-%m-%Y",
    "%d.%m.%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%Y%m%d",
)


@settings(QUICK)
@given(st.lists(DAYS, min_size=1, max_size=6), st.sampled_from(WAYS))
def test_a_day_in_a_csv_is_read_right_or_the_advice_reads_it(tmp_path, days, way):
    path, written = tmp_path / "orders.csv", [day.strftime(way) for day in days]
    texts = pl.DataFrame({"order_id": range(len(days)), "ordered_at": written, "status": "paid"})
    texts.write_csv(path)
    true = asked(texts.with_columns(ordered_at=pl.Series(days)), "orders", every="1d")
    try:
        assert asked(path, "orders", every="1d").equals(true)
    except fk.ContractError as error:
        assert not way.startswith("%Y-")
        found = [
            pl.read_csv(path, try_parse_dates=False).select(expression).to_series().cast(pl.Date)
            for expression in advised(error, "ordered_at")
        ]
        assert days in [one.to_list() for one in found]
    else:
        assert way.startswith("%Y-")


def advised(error, name):
    """The expressions that a message advises."""
    found = re.findall(r"(?:pl\.(?:col|from_epoch|date).*?)(?= or pl\.|$)", str(error))
    return [eval(text.replace("pl.col(…)", f"pl.col({name!r})"), {"pl": pl}) for text in found]


UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@settings(QUICK)
@given(DAYS, st.sampled_from(list(UNITS)))
def test_a_number_of_seconds_is_advised_to_be_read_in_its_unit(tmp_path, day, unit):
    moment = dt.datetime.combine(day, dt.time(1, 2, 3), dt.UTC)
    number = int(moment.timestamp()) * UNITS[unit]
    path = tmp_path / "orders.csv"
    path.write_text(f"order_id,ordered_at\n1,{number}\n")
    for source in (path, pl.DataFrame({"order_id": [1], "ordered_at": [number]})):
        with pytest.raises(fk.ContractError, match=f"time_unit='{unit}'") as caught:
            fk.Shop(orders=source)
        (way,) = advised(caught.value, "ordered_at")
        assert pl.read_csv(path).select(way).item() == moment.replace(tzinfo=None)


NUMBERS = {
    "{:,.2f}": "thousands",
    "{:.2f} ": "strip",
    "{:,.2f} EUR": "no digit",
    "${:,.2f}": "no digit",
    "{:.2f}": "",
}


@settings(QUICK)
@example(amounts=[1234567.5], way="{:,.2f}", is_continental=False)
@given(
    amounts=st.lists(
        st.integers(-(10**10), 10**10).map(lambda cents: cents / 100), min_size=1, max_size=5
    ),
    way=st.sampled_from(list(NUMBERS)),
    is_continental=st.booleans(),
)
def test_an_amount_is_read_right_or_the_advice_reads_it(tmp_path, amounts, way, is_continental):
    swap = str.maketrans(",.", ".,") if is_continental else {}
    texts = [way.format(amount).translate(swap) for amount in amounts]
    path = tmp_path / "orders.csv"
    pl.DataFrame({"order_id": range(len(texts)), "gross_amount": texts}).write_csv(
        path, quote_style="always"
    )
    read = pl.read_csv(path, infer_schema=False)
    try:
        found = fk.Shop(orders=path).tables["orders"].frame.collect().get_column("gross_amount")
    except fk.ContractError as error:
        found = read.select(advised(error, "gross_amount")[-1]).to_series()
    assert found.to_list() == pytest.approx(amounts)


SUFFIXES = ("csv", "ndjson", "parquet", "ipc")


@settings(QUICK)
@given(
    st.lists(st.integers(1, 5), min_size=2, max_size=4),
    st.sampled_from(SUFFIXES),
    st.booleans(),
)
def test_a_file_that_grows_is_read_as_it_is_or_refused(tmp_path, sizes, suffix, is_lazy):
    path, shop = tmp_path / f"orders.{suffix}", None
    for size in sizes:
        days = [dt.date(2024, 5, 1) + dt.timedelta(days=n) for n in range(size)]
        frame = pl.DataFrame({"order_id": range(size), "ordered_at": days, "status": "paid"})
        frame = frame.with_columns(pl.col("ordered_at").cast(pl.Datetime("us")))
        path.unlink(missing_ok=True)
        getattr(frame, f"write_{suffix}")(path)
        if shop is None:
            shop = fk.Shop(orders=scanned(path) if is_lazy else path)
        try:
            found = fk.evaluate(shop, "orders", every="1d").frame
        except fk.ContractError:
            assert is_lazy
        else:
            assert found.get_column("orders").sum() == size


def scanned(path):
    frame = getattr(pl, f"scan_{path.suffix[1:]}")(path)
    if frame.collect_schema()["ordered_at"] == pl.String:
        frame = frame.with_columns(pl.col("ordered_at").str.to_datetime())
    return frame
