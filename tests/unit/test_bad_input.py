"""Bad frames, files and settings: the message says what is wrong, where, and what to do."""

import datetime as dt
import os
from decimal import Decimal

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.date(2024, 5, 1)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
CSV = b"order_id,ordered_at,status,gross_amount,discount_amount\n1,2024-05-01,paid,10,0\n"


def orders(**columns):
    base = {
        "order_id": [1, 2],
        "ordered_at": [DAY, DAY],
        "status": ["paid", "paid"],
        "gross_amount": [10.0, 30.0],
        "discount_amount": [0.0, 0.0],
    }
    return pl.DataFrame(base | columns)


def asked(source, metrics="aov", settings=None, **question):
    return fk.evaluate(fk.Shop(orders=source, **(settings or {})), metrics, **question).frame.rows()


def written(folder, name, content):
    path = folder / name
    path.write_bytes(content)
    return path


def refused(source, kind=fk.ContractError, **question):
    with pytest.raises(kind) as caught:
        asked(source, **question)
    return str(caught.value)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ({"order_id": [1]}, "dict"),
        ([{"order_id": 1}], "list"),
        (None, "NoneType"),
        (3.5, "float"),
        (b"orders.csv", "bytes"),
        (pl.Series([1]), "Series"),
    ],
)
def test_what_is_no_table_is_named_by_its_type(source, kind):
    assert refused(source) == (
        f"orders: a {kind} is not a table; pass a Polars frame (or pl.DataFrame(…) of it), "
        "a pandas or pyarrow table, or a path"
    )


def test_a_frame_without_columns_is_refused():
    assert refused(pl.DataFrame()) == "orders: the DataFrame has no columns"
    assert refused(pl.LazyFrame()) == "orders: the LazyFrame has no columns"


def test_sources_that_cannot_be_read_are_reported_with_the_faults_of_the_others(tmp_path):
    with pytest.raises(fk.ContractError) as caught:
        fk.Shop(
            orders=3,
            sessions=pl.DataFrame(),
            carts=written(tmp_path, "carts.parquet", PNG),
            returns=pl.DataFrame({"quantity": ["x"]}),
            surveys=tmp_path / "surveys.csv",
        )
    places = [(fault.table, fault.column) for fault in caught.value.faults]
    assert places == [
        ("orders", ""),
        ("sessions", ""),
        ("carts", ""),
        ("returns", "quantity"),
        ("surveys", ""),
    ]
    assert "5 problems in the data:" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.parquet", PNG, "must end with PAR1"),
        ("a.parquet", CSV, "check that it is complete and matches its file extension"),
        ("a.ipc", CSV, "a.ipc' cannot be read"),
        ("a.ndjson", b"[1, 2]\n", r"is one JSON array, .*pl.read_json"),
        ("a.csv", PNG, "a.csv' is not UTF-8 text: it has a zero byte at 8"),
        ("a.csv", "order_id\n1".encode("utf-16"), r"is UTF-16 text, .*encoding='utf-16'"),
        ("a.csv", "status\ncancell\xe9\n".encode("latin-1"), "it has byte 0xe9 at 14"),
        ("a.csv", "status\ncancell\xe9\n".encode("latin-1"), "encoding='windows-1252'"),
        ("a.csv", CSV.replace(b",", b";"), r"has one column, 'order_id;ordered_at.*separator=';'"),
        ("a.csv", b"order_id,order_id\n1,2\n", "has two columns 'order_id'; rename one"),
        ("a.csv", b"\n\n", "empty CSV"),
        ("a.csv", b"", "a.csv' is empty"),
        ("a.xlsx", PNG, "is not a supported file; use a file or glob ending in .parquet, .csv"),
    ],
)
def test_a_file_that_is_not_what_its_name_says_is_refused(tmp_path, name, content, message):
    with pytest.raises(fk.ContractError, match=message) as caught:
        fk.Shop(orders=written(tmp_path, name, content))
    assert str(caught.value).startswith("orders: '")


@pytest.mark.parametrize("suffix", ["parquet", "ipc"])
def test_a_file_that_was_cut_off_is_refused(tmp_path, suffix):
    path = tmp_path / f"orders.{suffix}"
    getattr(orders(), f"write_{suffix}")(path)
    path.write_bytes(path.read_bytes()[:-20])
    assert "check that it is complete" in refused(path)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nowhere.csv", "orders: there is no file 'nowhere.csv'"),
        ("nowhere-*.csv", "orders: there is no file 'nowhere-*.csv'"),
        ("a\0.csv", "orders: there is no file 'a\\x00.csv'"),
        ("**[.csv", "orders: '**[.csv' is not a valid glob (Invalid pattern"),
        ("s3://shop/a.parquet", "orders: 's3://shop/a.parquet' is a URL, not a file; open it"),
        ("a" * 5000 + ".csv", "File name too long"),
        ("", "orders: '' is not a supported file"),
    ],
)
def test_a_path_that_leads_nowhere_is_named(source, message):
    assert message in refused(source)
    assert len(refused(source)) < 600


def test_a_csv_whose_rows_have_too_many_fields_is_refused_and_not_cut(tmp_path):
    path = written(tmp_path, "orders.csv", CSV + b"2,2024-05-01,paid,1,234.50,0\n")
    message = refused(path)
    assert "orders.csv' has 6 fields in line 3, and 5 columns: '2,2024-05-01,paid,1,234" in message
    assert "quote values that hold the separator" in message
    late = written(tmp_path, "late.csv", CSV + b"2,2024-05-01,paid,1,0\n" * 9999 + b"1,2,3,4,5,6\n")
    assert "late.csv' has 6 fields in line 10,002, and 5 columns" in refused(late)
    quoted = written(tmp_path, "fine.csv", CSV + b'2,2024-05-01,"paid, twice",1,0\n')
    assert asked(quoted, "gross_sales", settings={"order_policy": "all"}) == [(11.0,)]


def test_a_csv_with_a_header_alone_is_an_empty_table(tmp_path):
    path = written(tmp_path, "orders.csv", CSV.splitlines(keepends=True)[0])
    assert asked(path, ["orders", "aov"]) == [(0, None)]


def test_a_csv_may_have_a_byte_order_mark_and_brackets_in_its_name(tmp_path):
    path = written(tmp_path, "orders [2024].csv", b"\xef\xbb\xbf" + CSV)
    assert asked(path) == [(10.0,)]


def test_a_folder_says_what_is_wrong_with_it(tmp_path):
    with pytest.raises(fk.DataError, match=r"has no file named after a table; name files sessions"):
        fk.Shop.scan(tmp_path)
    with pytest.raises(fk.DataError, match="there is no folder"):
        fk.Shop.scan(tmp_path / "nowhere")
    with pytest.raises(fk.DataError, match="a int is not a folder; pass its path"):
        fk.Shop.scan(3)
    written(tmp_path, "orders.parquet", PNG)
    written(tmp_path, "sessions.csv", b"")
    with pytest.raises(fk.ContractError, match="2 problems") as caught:
        fk.Shop.scan(tmp_path)
    assert [fault.table for fault in caught.value.faults] == ["orders", "sessions"]
    (tmp_path / "many.csv").mkdir()
    assert "there is no file" in refused(tmp_path / "many.csv")


def test_a_file_whose_inside_is_damaged_is_named(tmp_path):
    path = tmp_path / "orders.parquet"
    orders().write_parquet(path)
    content = bytearray(path.read_bytes())
    content[20:60] = bytes(40)
    message = refused(written(tmp_path, "orders.parquet", content), fk.DataError)
    assert message.startswith("orders: the data could not be read: parquet: ")


def test_a_source_that_vanishes_before_it_is_read_is_named(tmp_path):
    path = tmp_path / "orders.parquet"
    orders().write_parquet(path)
    shop = fk.Shop(orders=pl.scan_parquet(path), customers=pl.DataFrame({"customer_id": [1]}))
    path.unlink()
    with pytest.raises(fk.DataError, match=r"^orders: '.*orders.parquet' has changed, or is gone"):
        fk.evaluate(shop, "aov")


def test_a_key_that_no_whole_number_of_64_bits_with_a_sign_holds_is_named():
    message = refused(orders(order_id=pl.Series([1, 2**63], dtype=pl.UInt64)), fk.DataError)
    assert message.startswith("orders: the data could not be read: conversion from `u64` to `i64`")
    assert "in column 'order_id' for 1 out of 2 values: [9223372036854775808]" in message


def test_a_lazy_frame_that_fails_when_it_is_read_names_the_table():
    failing = orders().lazy().with_columns(gross_amount=pl.col("status").cast(pl.Float64))
    message = refused(failing, fk.DataError)
    assert message.startswith("orders: the data could not be read: conversion from `str` to `f64`")
    assert "the LazyFrame cannot be read" in refused(orders().lazy().select("nowhere"))


def test_a_file_of_which_a_later_part_is_no_utf_8_names_the_table(tmp_path):
    late = CSV + b"2,2024-05-01,paid,1,0\n" * 5000 + "3,2024-05-01,\xe9,1,0\n".encode("latin-1")
    message = refused(written(tmp_path, "orders.csv", late))
    assert "orders.csv' cannot be read (invalid utf-8 sequence)" in message


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        (
            "order_id",
            [1.0, 2.0],
            "expected key, found Float64, such as .*; cast it to a string or an integer",
        ),
        ("order_id", pl.Series([1, 2], dtype=pl.Int128), "expected key, found Int128"),
        ("order_id", [b"a", b"b"], "expected key, found Binary"),
        ("order_id", [[1], [2]], r"expected key, found List\(Int64\)"),
        (
            "ordered_at",
            ["2024-05-01"] * 2,
            r"expected time, found String, such as .*; parse it: .*to_date\(",
        ),
        ("ordered_at", [dt.time(1)] * 2, "expected time, found Time"),
        (
            "gross_amount",
            ["1", "2"],
            r"expected money, found String, such as .*cast\(pl.Float64\)",
        ),
        ("gross_amount", [True, False], "expected money, found Boolean"),
        ("gross_amount", [{"a": 1}] * 2, "expected money, found Struct"),
        (
            "status",
            [1.5, 2.5],
            r"expected category, found Float64, such as 1.5; cast it to a string",
        ),
        (
            "status",
            [object(), object()],
            "expected category, found Object; it holds Python objects: build it as",
        ),
        (
            "is_counted",
            [1, 0],
            r"expected flag, found Int64, such as 1; cast it: pl.col\(…\).cast\(pl.Boolean",
        ),
    ],
)
def test_a_type_that_will_not_do_is_named_with_what_is_wanted(column, values, message):
    kind = {"dtype": pl.Object} if isinstance(values, list) and type(values[0]) is object else {}
    frame = orders().with_columns(
        values.alias(column) if isinstance(values, pl.Series) else pl.Series(column, values, **kind)
    )
    with pytest.raises(fk.ContractError, match=rf"^orders\.{column}: {message}"):
        fk.Shop(orders=frame)


@pytest.mark.parametrize(
    "values",
    [
        pl.Series([object(), object()], dtype=pl.Object),
        pl.Series([[1], [2]]),
        pl.Series([[1], [2]], dtype=pl.Array(pl.Int64, 1)),
        pl.Series([{"a": 1}, {"a": 2}]),
        pl.Series([b"a", b"b"]),
    ],
    ids=lambda values: str(values.dtype),
)
def test_a_column_of_nested_values_may_be_there_but_nothing_is_asked_by_it(values):
    frame = orders().with_columns(values.alias("own"))
    assert asked(frame) == [(20.0,)]
    message = f"orders.own: holds {values.dtype}, by which rows cannot be grouped or compared"
    assert refused(frame, by="own").startswith(message)
    assert refused(frame, where="own == 1").startswith(message)


@pytest.mark.parametrize(
    ("values", "groups"),
    [
        (pl.Series(["a", "b"], dtype=pl.Categorical), ["a", "b"]),
        (pl.Series(["a", "b"], dtype=pl.Enum(["b", "a"])), ["a", "b"]),
        (pl.Series([Decimal("1.5"), Decimal("2.5")]), [Decimal("1.5"), Decimal("2.5")]),
        (pl.Series([1, 2], dtype=pl.Int8), [1, 2]),
        (pl.Series([1, 2**64 - 1], dtype=pl.UInt64), [1, 2**64 - 1]),
        (pl.Series([1.5, 2.5], dtype=pl.Float32), [1.5, 2.5]),
        (pl.Series([DAY, DAY + dt.timedelta(1)]), [DAY, DAY + dt.timedelta(1)]),
        (pl.Series([dt.time(1), dt.time(2)]), [dt.time(1), dt.time(2)]),
        (pl.Series([dt.timedelta(seconds=1), dt.timedelta(seconds=2)]), [1.0, 2.0]),
        (pl.Series([None, None], dtype=pl.Null), [None]),
    ],
    ids=lambda values: str(getattr(values, "dtype", "")),
)
def test_a_column_of_any_plain_type_is_a_dimension(values, groups):
    rows = asked(orders().with_columns(values.alias("own")), "orders", by="own")
    assert [group for group, _ in rows] == groups
    assert sum(count for _, count in rows) == 2


@pytest.mark.parametrize(
    ("kind", "values", "message"),
    [
        (fk.Money, ["1", "2"], "expected money, found String, such as '1' in row 1; cast it"),
        (fk.Money, [True, False], "expected money, found Boolean"),
        (fk.Quantity, [DAY, DAY], "expected quantity, found Date"),
    ],
)
def test_a_column_of_ones_own_is_what_the_formula_says_or_refused(kind, values, message):
    total = fk.Metric(name="total", formula=fk.Sum(fk.Orders.column("own", kind)))
    with pytest.raises(fk.ContractError, match=rf"^orders\.own: {message}"):
        asked(orders(own=values), total)
    assert asked(orders(own=[Decimal("1.5"), Decimal(2)]), total) == [(3.5,)]


def test_several_columns_that_are_renamed_to_one_are_a_fault():
    both = {"status": "state", "order_id": "state"}
    with pytest.raises(fk.ContractError, match="2 problems") as caught:
        fk.Shop(orders=orders(), rename={"orders": both})
    assert str(caught.value.faults[0]) == (
        "orders.state: would be a second column, renamed from 'status'; drop or rename the other"
        " one"
    )
    swapped = {"gross_amount": "discount_amount", "discount_amount": "gross_amount"}
    assert asked(orders(), "gross_sales", settings={"rename": {"orders": swapped}}) == [(0.0,)]


@pytest.mark.parametrize(
    "setting",
    [
        {"rename": 3},
        {"rename": {"orders": 3}},
        {"rename": {"orders": {"a": 3}}},
        {"time_zone": None},
        {"currency": 3},
        {"order_policy": None},
        {"assume_empty": "returns"},
        {"assume_empty": [3]},
        {"as_of": 3},
        {"fiscal_year": 4},
        {"guards": "no"},
        {"tables": [int]},
    ],
    ids=str,
)
def test_a_setting_of_the_wrong_kind_is_shown(setting):
    (name,) = setting
    with pytest.raises(fk.DefinitionError) as caught:
        fk.Shop(orders=orders(), **setting)
    assert str(caught.value).startswith(f"settings of the wrong type: {name}={setting[name]!r};")


@pytest.mark.parametrize(
    ("frames", "message"),
    [
        ({1: orders()}, "table=1 is not a name"),
        ({"orders": orders(), None: orders(), b"x": 3}, r"table=None is not a name; table=b'x' is"),
        ([orders()], r"frames is a list: .*; name their tables: \{'orders': frame\}"),
        (orders(), "frames is a DataFrame"),
        (None, "frames is a NoneType"),
    ],
    ids=["number", "none and bytes", "list", "frame", "none"],
)
def test_frames_that_are_not_by_name_are_refused(frames, message):
    with pytest.raises(fk.DefinitionError, match=message):
        fk.Shop.bind(frames)


def test_all_settings_of_the_wrong_kind_are_named_together():
    with pytest.raises(fk.DefinitionError, match=r"wrong type: currency=3, guards='no'; rename"):
        fk.Shop(orders=orders(), guards="no", currency=3)


@pytest.mark.parametrize("engine", [None, "duckdb", 3])
def test_what_is_no_database_is_refused(engine):
    with pytest.raises(fk.DefinitionError, match=r"engine is an? .*fk\.DuckDB"):
        fk.Shop.on(engine, orders=orders())


def test_a_setting_that_does_not_exist_comes_with_the_nearest():
    with pytest.raises(fk.UnknownNameError, match="did you mean 'time_zone'"):
        fk.Shop(orders=orders(), tim_zone="UTC")
    with pytest.raises(fk.UnknownNameError) as caught:
        fk.Shop(orders=orders(), time_zone="x" * 100_000)
    assert len(str(caught.value)) < 200


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(tmp_path):
    path = written(tmp_path, "orders.csv", CSV)
    path.chmod(0)
    assert "Permission denied" in refused(path)


def test_one_frame_may_be_bound_to_two_tables():
    frame = orders().with_columns(session_id=pl.Series([1, 2]), started_at=pl.lit(DAY))
    shop = fk.Shop(orders=frame, sessions=frame)
    result = fk.evaluate(shop, ["orders", "sessions", "cr"])
    assert result.frame.rows() == [(2, 2, 1.0)]


def test_a_pandas_frame_that_cannot_be_a_table_says_why():
    pandas = pytest.importorskip("pandas")
    mixed = pandas.DataFrame({"order_id": [1, "x"]})
    assert "the DataFrame cannot be read (Could not convert 'x'" in refused(mixed)
    fine = pandas.DataFrame(orders().to_dict(as_series=False))
    fine["ordered_at"] = pandas.to_datetime(fine["ordered_at"])
    assert asked(fine) == [(20.0,)]
