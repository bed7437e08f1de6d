"""Files by their path: right numbers from what exports look like, or an error that helps."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.cli import main

HEAD = "order_id,ordered_at,status,gross_amount,discount_amount\n"
PAID = HEAD + "1,2024-05-01,paid,10,0\n"


@pytest.fixture
def file(tmp_path):
    def write(text, name="orders.csv"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def asked(metrics="orders", by=(), **tables):
    return fk.evaluate(fk.Shop(**tables), metrics, by=by).frame.rows()


def refused(path):
    with pytest.raises(fk.ContractError) as caught:
        fk.Shop(orders=path)
    return str(caught.value)


def test_a_key_that_comes_late_in_json_lines_is_read(file, tmp_path):
    visits = '{"session_id": %d}\n'
    late = "".join(visits % n for n in range(300)) + '{"session_id": 300, "is_bot": true}\n'
    assert asked("sessions", sessions=file(late, "sessions.ndjson")) == [(300,)]
    file(visits % 1, "s-1.jsonl")
    file('{"session_id": 2, "is_bot": true}\n', "s-2.jsonl")
    assert asked("sessions", sessions=tmp_path / "s-*.jsonl") == [(1,)]


def test_ids_that_are_padded_with_zeros_are_words_and_others_are_numbers(file):
    text = "order_id,ordered_at,status,customer_id,postcode\n"
    padded = file(text + "1,2024-05-01,paid,007,0123\n2,2024-05-01,paid,7,123\n")
    bound = fk.Shop(orders=padded).tables["orders"]
    assert bound.columns["customer_id"] == bound.columns["postcode"] == pl.String()
    assert bound.columns["order_id"] == pl.Int64()
    assert asked("customers", orders=padded) == [(2,)]


def customers(*ids):
    return pl.DataFrame({"customer_id": ids, "country": ["PL"] * len(ids)})


@pytest.mark.parametrize(
    ("mine", "theirs", "rows"),
    [
        (["7"], customers(7), [("PL", 1)]),
        (["7"], customers("7"), [("PL", 1)]),
        (["007", "7"], customers("007", "8"), [("PL", 1), (None, 1)]),
        (["7", "8"], "customer_id,country\n007,PL\n7,DE\n", [("DE", 1), (None, 1)]),
    ],
)
def test_ids_of_a_csv_meet_those_of_other_tables(file, mine, theirs, rows):
    lines = "".join(f"{n},2024-05-01,paid,{one}\n" for n, one in enumerate(mine))
    path = file("order_id,ordered_at,status,customer_id\n" + lines)
    other = file(theirs, "customers.csv") if isinstance(theirs, str) else theirs
    assert asked(by="country", orders=path, customers=other) == rows


def test_words_that_meet_numbers_of_a_frame_are_refused_with_the_cast(file):
    path = file("order_id,ordered_at,status,customer_id\n1,2024-05-01,paid,007\n")
    with pytest.raises(fk.ContractError) as caught:
        fk.Shop(orders=path, customers=customers(7))
    assert str(caught.value) == (
        "orders.customer_id: is String, such as '007', but customers.customer_id is Int64; cast "
        "one of them so that they match: the numbers of customers.customer_id to words, "
        "pl.col('customer_id').cast(pl.String)"
    )


def test_a_table_assumed_empty_has_ids_of_the_type_that_files_settle_on(file):
    lines = file("order_line_id,order_id\n1,7\n", "order_lines.csv")
    shop = fk.Shop(
        orders=file("order_id,ordered_at,status\n#7,2024-05-01,paid\n"),
        order_lines=lines,
        assume_empty=("returns",),
    )
    kinds = {name: shop.tables[name].columns["order_id"] for name in shop.tables}
    assert set(kinds.values()) == {pl.String()}


def test_an_id_without_a_letter_is_null_and_is_reported(tmp_path, file):
    days = [dt.date(2024, 5, 1)] * 4
    ids = ["", " \t", "b", None]
    frame = pl.DataFrame(
        {"order_id": range(4), "ordered_at": days, "status": "paid", "customer_id": ids}
    )
    path = tmp_path / "o.parquet"
    frame.write_parquet(path)
    quoted = tmp_path / "o.csv"
    frame.write_csv(quoted, quote_style="always")
    for source, blank in ((frame, 2), (path, 2), (quoted, 3)):
        assert asked("customers", orders=source) == [(1,)]
        (found,) = fk.Shop(orders=source).check().drop("remedy").rows()
        text = "customer_id is an empty text, and read as null"
        assert found[:4] == ("orders", text, "warning", blank)
        assert "' \\t'" in found[4]
    assert main(["check", str(file(PAID).parent)]) == 0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "Report of May\n\n" + PAID,
            "lines before its header, such as 'Report of May'.*skip_rows=2",
        ),
        ("# by me, on Monday\n" + PAID, "lines before its header.*comment_prefix='#'"),
        (PAID + "# a remark\n", "a line that is no row: '# a remark'.*comment_prefix='#'"),
        (PAID + "Made by us on Monday\n", "a line that is no row: 'Made by us on Monday'"),
        (PAID + "Total,,,10,0\n", "a row that adds up the others: 'Total,10,0'; remove it"),
        (PAID + '2,2024-05-02,paid,"1,234.50",0\n', r"'1,234.50' in row 2; remove the thousands"),
        (PAID + '2,2024-05-02,paid,"1,234",0\n', "cannot be known what the comma separates"),
        (PAID + '2,2024-05-02,paid,"12,50",0\n', "such as '12,50'.*decimal_comma=True"),
        (PAID + "2,2024-05-02,paid,--,0\n", r"such as '--'.*null_values=\['--'\]"),
        (PAID + "2,2024-05-02,paid,n/a,0\n", r"such as 'n/a'.*null_values=\['n/a'\]"),
        (PAID + "2,2024-05-02,paid,(12.50),0\n", "amount in parentheses is below zero"),
        (
            PAID + "2,2024-05-02,paid,\N{MINUS SIGN}12.50,0\n",
            "a minus is at the end, or another sign",
        ),
        (PAID + "2,2024-05-02,paid,12.50-,0\n", "a minus is at the end, or another sign"),
        (PAID + "2,05/13/2024,paid,1,0\n", "'05/13/2024' in row 2; .*written in different ways"),
        (HEAD + "1,2024-02-30,paid,1,0\n", "'2024-02-30' is no day of the calendar"),
        (HEAD + "1,02/01/2024,paid,1,0\n", "order of day and month cannot be known"),
        (HEAD + "1,31/01/2024,paid,1,0\n", r"parse it: pl.col\(…\).str.to_date\('%d/%m/%Y'\)"),
        (HEAD + "1,5/13/24,paid,1,0\n", r"parse it: pl.col\(…\).str.to_date\('%m/%d/%y'\)"),
        (HEAD + "1,20240513,paid,1,0\n", r"found Int64, such as 20240513; .*to_date\('%Y%m%d'\)"),
        (HEAD + "1,45413,paid,1,0\n", r"pl.date\(1899, 12, 30\) \+ pl.duration"),
        (HEAD + "1,1714550400,paid,1,0\n", r"pl.from_epoch\(pl.col\(…\), time_unit='s'\)"),
        (
            HEAD.replace(",", ";") + "1;2024-05-01;paid;1,5;0\n",
            r"separator=';', decimal_comma=True",
        ),
        (
            PAID + "2,2024-05-02,paid\n",
            "has 3 fields in line 3, and 5 columns: '2,2024-05",
        ),
        (PAID + "2\n", "has 1 fields in line 3, and 5 columns: '2'; complete the line"),
        (
            "sep=;\n" + PAID.replace(",", ";").replace("1;0", "1,5;0"),
            r"the line 'sep=;', .*skip_rows=1, separator=';'",
        ),
        (PAID.replace("\n", "\r"), r"a carriage return alone, .*eol_char='\\r'"),
        (HEAD + "1,2024-05-01 10:00 EST,paid,1,0\n", r"it names its zone: .*time_zone='…'"),
        (HEAD + "1,2024-05-01T10:00:00[Europe/Warsaw],paid,1,0\n", "it names its zone: remove it"),
        (HEAD + "1,2024-05-01T10:00+02:00[Europe/Warsaw],paid,1,0\n", "its zone after its offset"),
        (HEAD + "1,2024-05-01T10,paid,1,0\n", "it has hours alone"),
        (HEAD + "1,2024-05-01T24:00:00,paid,1,0\n", "24:00 is the next day at 00:00"),
        (HEAD + "1,0000-00-00 00:00:00,paid,1,0\n", "how databases write an unknown time"),
        (PAID + "2,2024-05-01T10:00:00Z ,paid,1,0\n", r"in row 2; strip it"),
    ],
)
@pytest.mark.filterwarnings("error")
def test_what_an_export_may_look_like_is_refused_with_the_setting_that_reads_it(file, text, told):
    path = file(text)
    with pytest.raises(fk.ContractError, match=told):
        fk.Shop(orders=path)


def test_a_file_may_have_one_column(file):
    assert list(fk.Shop(orders=file("order_id\n1\n2\n")).frames) == ["orders"]
    assert list(fk.Shop(orders=file("order_id\n")).frames) == ["orders"]


def test_a_line_that_is_cut_off_is_found_in_a_long_file_and_quoted_lines_are_not(file):
    rows = "".join(f"{n},2024-05-01,paid,1,0\n" for n in range(5_000))
    with pytest.raises(fk.ContractError, match="has 3 fields in line 5,003, and 5 columns"):
        fk.Shop(orders=file(HEAD + rows + '"a,b",2024-05-01,paid,1,0\n2,2024-05-01,paid\n'))
    notes = 'c,2024-05-01,"paid\n",1,0\n'
    whole = file(HEAD + rows + '"a,b",2024-05-01,paid,1,0\n' + notes)
    assert asked("orders", orders=whole) == [(5_002,)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"order_id": 1}\n{"order_id": NaN}\n', "has NaN, which is no JSON, in line 2"),
        ('{"order_id": 1}\n{"order_id": 2, "o\n', r"no JSON object in line 2: .*order_id"),
        (
            '{\n"order_id": 1\n}\n',
            r"no JSON object in line 1: '\{'; write every object",
        ),
        ('{"ordered_at": "2024-05-01"}\n3\n', "no JSON object in line 2: '3'"),
        ('\ufeff{"order_id": 1}\n', "byte order mark; .*utf-8-sig"),
        ('{"order_id": 18446744073709551617}\n', r"too long: .*pl.col\(…\).cast\(pl.String\)"),
    ],
)
def test_a_line_that_is_no_json_is_named(tmp_path, text, told):
    path = tmp_path / "orders.ndjson"
    path.write_text(text)
    with pytest.raises(fk.ContractError, match=told):
        fk.Shop(orders=path)


def test_empty_lines_are_no_rows_and_decimals_may_come_late(file):
    rows = "".join(f"{n},2024-05-01,paid,1,0\n" for n in range(12_000))
    path = file(HEAD + rows + "\n,,,,\n12000,2024-05-01,paid,1.5,0\n\n")
    assert asked(["orders", "gross_sales"], orders=path) == [(12_001, 12_001.5)]


def test_a_column_that_is_not_asked_for_stops_nothing(file):
    rows = "".join(f"{n},2024-05-01,paid,{n}\n" for n in range(11_000))
    path = file("order_id,ordered_at,status,fee\n" + rows + "11000,2024-05-01,paid,n/a\n")
    assert asked(orders=path) == [(11_001,)]
    fees = fk.Metric(name="fees", formula=fk.Sum(fk.Orders.column("fee", fk.Money)))
    with pytest.raises(fk.ContractError, match=r"orders.fee: expected money, .*such as 'n/a'"):
        asked(fees, orders=path)


@pytest.mark.parametrize("offset", [" -0500", "-05:00", "-05"])
def test_times_with_an_offset_are_instants(file, offset):
    path = file(
        "Name,Status,Created at,Paid at\n"
        f"#1,paid,2024-02-29 23:30:00{offset},2024-03-01 00:00:00{offset}\n"
    )
    names = {"Name": "order_id", "Status": "status", "Created at": "ordered_at"}
    shop = fk.Shop(orders=path, rename={"orders": names}, time_zone="America/New_York")
    result = fk.evaluate(shop, "orders", every="1d").frame.rows()
    assert result == [(dt.date(2024, 2, 29), 1)]
    assert shop.tables["orders"].columns["Paid at"] == pl.Datetime("us", "UTC")


def test_a_lazy_frame_whose_file_has_changed_is_refused(tmp_path):
    days = [dt.date(2024, 5, 1), dt.date(2024, 5, 2), dt.date(2024, 6, 3)]
    orders = pl.DataFrame({"order_id": [1, 2, 3], "ordered_at": days, "status": "paid"})
    for number in range(4):
        orders[:1].with_columns(order_id=number).write_parquet(tmp_path / f"{number}.parquet")
    shop = fk.Shop(orders=pl.scan_parquet(tmp_path / "*.parquet"))
    assert fk.evaluate(shop, "orders").frame.item() == 4
    orders[1:].with_columns(order_id=pl.Series([8, 9])).write_parquet(tmp_path / "3.parquet")
    for _ in range(2):
        with pytest.raises(fk.ContractError, match=r"3.parquet' has changed, .*bind it anew"):
            fk.evaluate(shop, "orders")
