"""Questions that make no sense: the message says what was given and what is wanted."""

import datetime as dt
import time

import polars as pl
import pytest

import funnelkit as fk
from small_frames import orders_of, value, values

DAY = dt.date(2024, 5, 1)
ORDERS = pl.DataFrame(
    {
        "order_id": [1, 2],
        "ordered_at": [DAY, DAY],
        "status": ["paid", "paid"],
        "gross_amount": [10.0, 30.0],
        "discount_amount": [0.0, 0.0],
        "country": ["PL", "DE"],
    }
)
COUNT = fk.Count(fk.Orders)


def asked(metrics="orders", *, frame=ORDERS, **question):
    return fk.evaluate(fk.Shop(orders=frame), metrics, **question).frame.rows()


def refused(metrics="orders", kind=fk.DefinitionError, **question):
    with pytest.raises(kind) as caught:
        asked(metrics, **question)
    return str(caught.value)


def test_every_metric_that_does_not_exist_is_named_with_the_nearest():
    message = refused(["avo", "orders", "ordrs", "zzzzzz"], fk.UnknownNameError)
    assert message.startswith("there is no metric named 'avo'; did you mean ")
    assert message.endswith("(nor 'ordrs' (like orders) nor 'zzzzzz' (like no other))")
    assert "fk.registry().find(text=…) searches them" in refused("zzzzzz", KeyError)


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        (None, "metrics is a NoneType: None; name metrics: 'aov', ['orders', 'aov']"),
        (3, "metrics is an int: 3; name metrics"),
        ([3], "a metric is an int: 3; name metrics"),
        (["orders", None], "a metric is a NoneType: None; name metrics"),
        (COUNT, "metrics is a Count: Count(rows="),
        ([], "no metric is requested; name at least one"),
        ({}, "no metric is requested"),
    ],
)
def test_what_is_no_metric_is_shown(metrics, message):
    assert refused(metrics).startswith(message)


def test_two_metrics_of_one_name_are_refused_unless_they_are_one():
    own = fk.Metric(name="average_order_value", formula=COUNT)
    assert "two different metrics are named 'average_order_value'" in refused(["aov", own])
    assert asked(["aov", "average_order_value", fk.registry()["aov"]]) == [(20.0,)]


@pytest.mark.parametrize("name", ["period", "is_total"])
def test_a_metric_named_like_a_column_of_the_result_is_refused(name):
    own = fk.Metric(name=name, formula=COUNT)
    assert f"metric named {name!r} is also the name of a column" in refused(own, every="1mo")


def test_a_metric_named_like_the_column_that_is_grouped_by_is_refused():
    own = fk.Metric(name="status", formula=COUNT)
    message = refused(own, by="status")
    assert message == (
        "by='status' is also the name of a column of the result; "
        "rename it: fk.Dimension('my_status', table='status')"
    )
    assert asked(own, by=fk.Dimension("state", orders="status")) == [("paid", 2)]


def test_what_is_no_shop_is_shown():
    with pytest.raises(fk.DefinitionError, match=r"shop is a DataFrame: .*bind the frames: fk"):
        fk.evaluate(pl.DataFrame({"a": [1]}), "orders")
    with pytest.raises(fk.DefinitionError, match="shop is a NoneType: None"):
        fk.plan(None, "orders")


@pytest.mark.parametrize(
    ("by", "message"),
    [
        (None, "by is a NoneType: None; name columns: by='channel'"),
        (3, "by is an int: 3; name columns"),
        ([3], "a dimension is an int: 3; name columns"),
        (fk.Orders.status, "by is a Category"),
        ([fk.Orders.status], "a dimension is a Category"),
        (
            ["status", fk.Dimension("status", orders="country")],
            "by names two dimensions 'status'; rename one of them",
        ),
    ],
    ids=str,
)
def test_what_is_no_dimension_is_shown(by, message):
    assert refused(by=by).startswith(message)


def test_a_dimension_that_is_named_twice_comes_once():
    assert asked(by=["status", "status", fk.Dimension("status")]) == [("paid", 2)]


def test_a_metric_is_not_a_dimension():
    message = refused(by="aov", kind=fk.UnknownNameError)
    assert "there is no dimension of orders named 'aov'" in message
    assert message.endswith("(aov is a metric: ask for it, and group by a column)")


def test_a_name_of_a_million_letters_makes_a_short_message():
    for question in ({"by": "x" * 1_000_000}, {"metrics": "x" * 1_000_000}):
        assert len(refused(kind=fk.UnknownNameError, **question)) < 500


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (3.5, "where is a float: 3.5; compare a dimension: where=\"country == 'PL'\""),
        ([], "where is a list: []"),
        (fk.Dimension("status"), "where is a Dimension: Dimension(name='status'"),
        (fk.Orders.status, "where is a Category"),
        (pl.col("status") == "paid", "where is an Expr: <Expr"),
        (
            fk.Sessions.is_bot,
            "where names sessions.is_bot, and rows of orders are asked, too",
        ),
        ("status == 'paid' and", "is not an expression: invalid syntax (at column 20)"),
        ("status", "'status' is not true or false (at column 0); compare it, or use a flag"),
        ("\ud800", "surrogates not allowed"),
        ("status = 'paid'", "invalid syntax (at column 7); compare with =="),
        ("(status == 'a') & (status == 'b')", "join conditions with and, or, not"),
        ("status is None", "write is_null(x), or not is_null(x)"),
        ("status == None", "'None' equals nothing (at column 10); write is_null(x)"),
        ("10 <= gross_amount <= 20", "write between(x, low, high)"),
        (
            "status.str.contains('x')",
            "is not a column (at column 0); write the name of",
        ),
        ("ordered_at > today()", "there is no function named 'today'"),
        ("ordered_at > as_of() - days(30)", "the time between two is elapsed(start, end)"),
        ("status == 3", "orders.status == 3 compares a number with a word; write numbers plain"),
        ("status in ['paid', 3]", "compares a number with a word"),
        ("between(status, 'a', 3)", "compares a number with a word"),
        ("status + 1 == 2", "orders.status + 1 compares a number with a word"),
        ("coalesce(status, 3) == 3", "coalesce(orders.status, 3) compares a number with a word"),
        ("if_else(status == 'paid', 'a', 2) == 1", "compares a number with a word"),
        ("elapsed(status, ordered_at) > days(3)", "compares a time with a word"),
        ("ordered_at > 'x'", "compares a time with a word"),
        ("status == date('2024-05-01')", "compares a time with a word"),
        ("gross_amount == True", "compares a flag with a number"),
    ],
    ids=str,
)
def test_a_where_that_makes_no_sense_is_refused(where, message):
    found = refused(where=where)
    assert message in found
    assert len(found) < 300


def test_a_where_over_a_column_that_does_not_exist_names_the_others():
    message = refused(where="contry == 'PL'", kind=fk.UnknownNameError)
    assert "no dimension of orders named 'contry'; did you mean 'country'?" in message
    wanted = refused(where=fk.Orders.is_first_order, kind=fk.MissingInputError)
    assert "orders.customer_id: needed by where" in wanted


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("start", 3),
        ("end", 3.5),
        ("start", True),
        ("end", dt.time(3)),
        ("start", dt.timedelta(1)),
        ("end", []),
    ],
)
def test_what_is_no_moment_is_shown(name, value):
    kind = "an int" if value == 3 else f"a {type(value).__name__}"
    assert refused(**{name: value}) == (
        f"{name} is {kind}: {value!r}; write '2024-12-31', or pass a date or datetime"
    )


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"start": "tomorrow"}, "start='tomorrow' is not a valid date; write 2024-12-31"),
        ({"end": "2024-02-30"}, "end='2024-02-30' is not a valid date"),
        ({"start": "2024-06-01", "end": "2024-05-01"}, "end=2024-05-01 is not after start=2024-06"),
        ({"start": "0001-01-01T00:00+14:00"}, "reaches beyond the years 1 to 9999"),
        ({"end": dt.datetime.max}, "reaches beyond the years 1 to 9999; pass a later start or"),
        ({"every": "monthly"}, "every='monthly' is not a valid period"),
        ({"every": 3}, "every is an int: 3; pass a length, every='1mo', or a list of times"),
        ({"every": [1, 2]}, "a moment of every is an int: 1"),
    ],
    ids=str,
)
def test_a_range_that_makes_no_sense_is_refused(question, message):
    assert message in refused(**question)


def test_a_metric_that_compares_periods_wants_periods():
    frame = ORDERS.with_columns(customer_id=pl.Series([1, 2]))
    assert "give periods: every='1mo'" in refused("retention", frame=frame)
    message = refused("retention", frame=frame, every="1d", start="0001-01-01")
    assert "reaches beyond the years 1 to 9999" in message


@pytest.mark.parametrize(
    "name", ['a "b"', "a'b", "a.b", "a b", "✨", "", "a\nb", "#period", "f0", "{x}", "名"]
)
def test_a_column_of_any_name_is_a_dimension(name):
    frame = ORDERS.with_columns(pl.Series(name, ["u", "v"]))
    assert asked(frame=frame, by=name) == [("u", 1), ("v", 1)]
    assert asked(frame=frame, where=fk.Dimension(name).eq("u")) == [(1,)]
    assert asked(frame=frame, where=f"dimension({name!r}) == 'u'") == [(1,)]
    renamed = fk.Shop(orders=frame, rename={"orders": {name: "own"}})
    assert fk.evaluate(renamed, "orders", by="own").frame.rows() == [("u", 1), ("v", 1)]


def local(*hours):
    return pl.Series([dt.datetime(2024, 5, 1, hour, 30) for hour in hours])


def test_naive_times_and_times_with_a_zone_meet_in_the_zone_of_the_shop():
    naive, zoned = local(0, 3), local(0, 3).dt.replace_time_zone("Europe/Warsaw")
    in_utc = zoned.dt.convert_time_zone("UTC")
    visits = pl.DataFrame({"session_id": [1, 2], "started_at": naive})
    orders = ORDERS.with_columns(ordered_at=in_utc, seen_at=in_utc, noted_at=naive)
    shop = fk.Shop(orders=orders, sessions=visits, time_zone="Europe/Warsaw")
    days = fk.evaluate(shop, ["orders", "sessions"], every="1d").frame
    assert days.rows() == [(DAY, 2, 2)]
    for where, count in (
        ("seen_at == noted_at", 2),
        ("seen_at >= date('2024-05-01')", 2),
        ("seen_at >= date('2024-05-01T03:30')", 1),
        ("noted_at >= date('2024-05-01T03:30+02:00')", 1),
        ("noted_at >= date('2024-05-01T01:30+00:00')", 1),
        ("ordered_at >= date('2024-05-01T01:30Z')", 1),
        ("seen_at in [date('2024-05-01T03:30+02:00')]", 1),
        ("between(noted_at, date('2024-04-30T22:30Z'), date('2024-05-01T01:29Z'))", 1),
    ):
        assert fk.evaluate(shop, "orders", where=where).frame.item() == count, where


def test_an_empty_frame_answers_with_nothing():
    empty = ORDERS.clear()
    assert asked(["orders", "aov", "gross_sales"], frame=empty) == [(0, None, 0.0)]
    assert asked(["orders", "aov"], frame=empty, every="1mo", by="country") == []


def test_times_so_far_away_that_there_is_no_next_day_are_named():
    far = ORDERS.with_columns(ordered_at=pl.Series([dt.datetime.min, dt.datetime.max]))
    shop = fk.Shop(orders=far, guards=False)
    with pytest.raises(fk.ContractError) as error:
        fk.evaluate(shop, "orders", every="1y")
    assert str(error.value) == (
        "orders.ordered_at: holds times of the year 1 or before, or of the year 9999 or after; "
        "make them null or mend them"
    )
    assert fk.evaluate(shop, "orders").frame.item() == 2
    with pytest.raises(fk.DefinitionError, match="status == 3 compares"):
        fk.evaluate(shop, "orders", where="status == 3")


def test_ten_thousand_groups_are_given_and_quickly_shown():
    many = pl.DataFrame({"order_id": range(10_000)}).with_columns(
        ordered_at=pl.lit(DAY), status=pl.lit("paid"), own=pl.col("order_id")
    )
    result = fk.evaluate(fk.Shop(orders=many), "orders", by="own")
    assert result.frame.height == 10_000
    start = time.process_time()
    assert len(repr(result)) + len(result._repr_html_()) < 20_000
    assert time.process_time() - start < 0.5


@pytest.mark.parametrize(
    "text",
    ["1+" * 499_999 + "1", "(" * 999_999, "-" * 999_999 + "1", "not " * 200_000, "a" * 1_000_001],
    ids=lambda text: text[:4],
)
def test_a_text_of_a_million_letters_is_refused_in_few_words(text):
    for read in (fk.parse, lambda where: asked(where=where)):
        with pytest.raises(fk.DefinitionError) as caught:
            read(text)
        assert len(str(caught.value)) < 200


def test_a_text_that_ends_too_early_is_faulted_at_its_end():
    with pytest.raises(fk.DefinitionError, match=r"\(at column 8\)"):
        fk.parse("orders +")


@pytest.mark.parametrize(
    "question", [{"every": "1mo"}, {"by": "status", "start": "2024-05-01", "end": "2024-06-01"}]
)
def test_a_number_that_reads_no_table_is_not_divided(question):
    days = fk.Metric(name="days", formula=fk.PeriodDays() * 2)
    shop = fk.Shop(orders=orders_of())
    with pytest.raises(fk.DefinitionError, match="days: no table is read"):
        fk.evaluate(shop, days, **question)
    both = fk.evaluate(shop, [days, "orders"], every="1mo")
    assert both.frame["days"].to_list() == [62.0]


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (pl.col("gross_amount"), "gives several values per group; fold them to one"),
        (pl.col("gross_amount").head(2), "several values per group"),
        (pl.col("gross_amount").max().over("status"), "several values per group"),
        (pl.col("gross_amount").implode(), "several values per group"),
        (pl.col("ordered_at").max(), "gives Datetime"),
        (pl.col("status").first(), "gives String, not a number"),
        (pl.col("status").sum(), "cannot be computed"),
    ],
)
@pytest.mark.parametrize("question", [{}, {"by": "status"}, {"every": "1mo"}])
def test_an_expression_of_the_users_gives_one_number_per_group(expression, told, question):
    shop = fk.Shop(orders=orders_of(status=["paid", "paid", "fulfilled"]))
    with pytest.raises(fk.DefinitionError, match=told):
        values(shop, fk.PolarsExpr("orders", expression, fk.MONEY), **question)


def test_an_expression_of_the_users_may_say_yes_or_no():
    shop = fk.Shop(orders=orders_of(status=["paid", "paid", "fulfilled"]))
    assert value(shop, fk.PolarsExpr("orders", (pl.col("status") == "paid").any())) == 1.0


def test_every_unknown_dimension_is_told_at_once():
    message = refused(by=["statsu", "colour"], kind=fk.UnknownNameError)
    assert "'statsu'; did you mean 'status'?" in message
    assert message.endswith("; nor is there 'colour')")


def test_a_name_is_found_by_a_part_of_it():
    with pytest.raises(fk.DefinitionError, match="did you mean 'gross_amount'"):
        fk.parse("sum(orders.gross)")
