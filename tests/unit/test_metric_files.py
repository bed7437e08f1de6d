"""Metrics in TOML: read with every fault at once, written so that they are read back."""

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.errors import DefinitionError

SUBSCRIPTIONS = """
[tables.subscriptions]
key = "bill_id"
time = "billed_at"
row_unit = "bill"
description = "One bill."
parents = { customer_id = "customers" }

[tables.subscriptions.columns]
bill_id = "key"
billed_at = { kind = "time", description = "When it was due." }
customer_id = { kind = "key", unit = "customer" }
mrr = { kind = "money" }
is_paused = "flag"

[metrics.mrr]
title = "Monthly recurring revenue"
formula = "sum(subscriptions.mrr, where=not subscriptions.is_paused)"
unit = "money"
bounds = [0, inf]
stage = "retention"
aliases = ["recurring_revenue"]

[metrics."mrr.per_order"]
formula = "mrr / orders"
"""


def write(tmp_path, text):
    path = tmp_path / "metrics.toml"
    path.write_text(text, "utf-8")
    return path


def test_metrics_and_tables_of_a_file_are_read_and_computed(tmp_path):
    own = fk.load_metrics(write(tmp_path, SUBSCRIPTIONS))
    assert own["recurring_revenue"].title == "Monthly recurring revenue"
    assert own["mrr"].bounds == (0, None)
    assert own["mrr.per_order"].depends_on == ("mrr", "orders")
    assert own.origin("mrr") == "metrics.toml"
    (table,) = own.tables
    assert (table.table, table.key, table.columns["mrr"].unit) == (
        "subscriptions",
        ("bill_id",),
        fk.MONEY,
    )
    bills = pl.DataFrame({"bill_id": [1, 2], "mrr": [9.0, 5.0], "is_paused": [False, True]})
    shop = fk.Shop(subscriptions=bills, tables=own.tables)
    assert fk.evaluate(shop, own["mrr"]).frame.item() == 9.0


def test_what_is_written_is_read_back(tmp_path):
    own = fk.load_metrics(write(tmp_path, SUBSCRIPTIONS))
    text = fk.dump_metrics(own.values(), tables=own.tables)
    again = fk.load_metrics(write(tmp_path, text))
    assert again == own
    assert fk.dump_metrics(again.values(), tables=again.tables) == text


def test_the_whole_catalogue_is_read_back_from_its_text(tmp_path):
    path = tmp_path / "all.toml"
    fk.dump_metrics(fk.registry().values(), path=path)
    with fk.use_registry(fk.Registry()):
        again = fk.load_metrics(path)
    assert again == fk.registry()
    fingerprints = [metric.fingerprint for metric in again.values()]
    assert fingerprints == [metric.fingerprint for metric in fk.registry().values()]


def test_words_of_any_kind_are_read_back(tmp_path):
    odd = fk.Metric(
        name="odd",
        formula="count(orders)",
        description='a "b" \\ \n\t\x7f żółty 🛒',
        bounds=(None, 3),
    )
    assert fk.load_metrics(write(tmp_path, fk.dump_metrics([odd])))["odd"] == odd


FAULTY = """
[metrics.one]
formula = "sum(orders.gros_amount)"
unit = "money"

[metrics.two]
title = 7
colour = "red"

[metrics.three]
formula = "sum(orders.gross_amount) / count(orders)"
unit = "order"
stage = "nowhere"

[metrics.Four]
formula = "1"

[tables.bills]
key = "bill_id"
time = "billed_at"
[tables.bills.columns]
bill_id = "number"
"""


def test_every_fault_is_told_with_its_line(tmp_path):
    with pytest.raises(DefinitionError) as caught:
        fk.load_metrics(write(tmp_path, FAULTY))
    lines = str(caught.value).splitlines()
    assert lines[0] == "metrics.toml has 7 problems:"
    told = {int(line.split()[1].rstrip(":")): line for line in lines[1:]}
    assert "metrics.one" in told[3]
    assert "gross_amount" in told[3]
    assert "metrics.two: has no formula" in told[6]
    assert "title = 7 is not a text" in told[7]
    assert "'colour'" in told[8]
    assert "metrics.three" in told[10]
    assert "metrics.Four: 'Four' is not a valid metric name" in told[15]
    assert "bill_id is of kind 'number'; use one of key, category" in told[22]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[metrics.x\n", "cannot be read"),
        ("[numbers.x]\nformula = '1'\n", "there is no section 'numbers'"),
        ("metrics = 3\n", "metrics is not a table"),
        ("[metrics]\nx = 3\n", "is 3, not a table"),
        ("[metrics.x]\nformula = 3\n", "formula = 3 is not a text"),
        ("[metrics.x]\nformula = 'no_such_metric'\n", "no_such_metric"),
        ("[metrics.x]\nformula = 'x + 1'\n", "circle"),
        ("[metrics.x]\nformula = 'count(orders)'\nbounds = [1]\n", "must be two finite numbers"),
        ("[metrics.x]\nformula = 'count(orders)'\ntags = 'a'\n", "is not a list of texts"),
        ("[metrics.x]\nformula = 'count(orders)'\nversion = 'a'\n", "is not a whole number"),
        ("[metrics.x]\nformula = 'count(orders)'\nunit = '?'\n", "is not a unit"),
        ("[metrics.x]\nformula = '('\n", "line 2"),
        ("[metrics.x]\nformula = 'count(orders)'\nbounds = [1, 0]\n", "the smaller first"),
        ("[metrics.x]\nformula = 'count(orders)'\nbounds = [0, -inf]\n", "must be two finite"),
        ("[metrics.x]\nformula = 'count(orders)'\nbounds = [inf, 5]\n", "must be two finite"),
        (
            "[metrics.x]\nformula = 'count(orders)'\nbounds = [true, 1]\n",
            "must be two finite numbers",
        ),
        ("[tables.x]\nkey = 3\ntime = 'at'\ncolumns = {at = 'time'}\n", "key = 3 is not a column"),
        ("[tables.x]\nkey = 'at'\ntime = ['at']\ncolumns = {at = 'time'}\n", "is not a column"),
        (
            "[tables.x]\nkey = 'at'\ntime = 'at'\nparents = 'orders'\ncolumns = {at = 'time'}\n",
            "does not map columns",
        ),
        (
            "[tables.x]\nkey = 'at'\ntime = 'at'\nrow_unit = '?'\ncolumns = {at = 'time'}\n",
            "not a unit",
        ),
        (
            "[tables.x]\nkey = 'at'\ntime = 'at'\ncolumns = {at = 'time', key = 'key'}\n",
            "not a valid column name",
        ),
        ("[tables.x]\nkey = 'at'\ntime = 'at'\ncolumns = {at = ['time']}\n", "is of kind None"),
        ("[tables.orders]\nkey = 'at'\ntime = 'at'\ncolumns = {at = 'time'}\n", "canonical table"),
        ("[tables.x]\nkey = 'no'\ntime = 'at'\ncolumns = {at = 'time'}\n", "does not declare"),
    ],
)
def test_a_file_that_is_wrong_says_what_is(tmp_path, text, told):
    with pytest.raises(DefinitionError) as caught:
        fk.load_metrics(write(tmp_path, text))
    assert told in str(caught.value)
    assert "metrics.toml" in str(caught.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(DefinitionError, match="missing"):
        fk.load_metrics(tmp_path / "missing.toml")


def test_a_polars_expression_cannot_be_written():
    native = fk.Metric(name="own", formula=fk.PolarsExpr("orders", pl.col("order_id").max()))
    with pytest.raises(DefinitionError, match="own holds a Polars expression"):
        fk.dump_metrics([native])


class Leases(
    fk.Table,
    table="leases",
    key="lease_id",
    time="first",
    prorate=fk.Proration(first="first", last="last", amounts=("rent",)),
):
    """One lease, its rent spread over its days."""

    lease_id = fk.Key()
    first = fk.Time()
    last = fk.Time()
    rent = fk.Money()


def test_a_prorated_table_is_read_back_as_one(tmp_path):
    rent = fk.Metric(name="rent", formula=fk.Sum(Leases.rent))
    again = fk.load_metrics(write(tmp_path, fk.dump_metrics([rent], tables=[Leases])))
    assert again.tables[0].prorate == Leases.prorate


def test_a_word_that_looks_like_a_polars_expression_is_one_all_the_same(tmp_path):
    odd = fk.Metric(
        name="odd", formula=fk.Count(fk.Orders, where=fk.Orders.status.eq("polars_expr("))
    )
    assert fk.load_metrics(write(tmp_path, fk.dump_metrics([odd])))["odd"] == odd


def test_a_vocabulary_is_written_and_read_back(tmp_path):
    class Tickets(fk.Table, table="tickets", key="ticket_id", time="opened_at"):
        ticket_id = fk.Key()
        opened_at = fk.Time()
        state = fk.Category(values=("Open", "Closed"), synonyms={"all done": "Closed"})
        topic = fk.Category(values=("parcel",), is_open=True)

    text = fk.dump_metrics([], tables=[Tickets])
    (again,) = fk.load_metrics(write(tmp_path, text)).tables
    for name in ("state", "topic"):
        one, two = Tickets.columns[name], again.columns[name]
        assert (one.values, dict(one.synonyms), one.is_open) == (
            two.values,
            dict(two.synonyms),
            two.is_open,
        )
    assert fk.dump_metrics([], tables=[again]) == text


def test_a_vocabulary_in_a_file_says_what_is_wrong_with_it(tmp_path):
    text = (
        "[tables.tickets]\nkey = 'id'\ntime = 'at'\n[tables.tickets.columns]\nid = 'key'\n"
        "at = 'time'\nstate = { kind = 'category', values = 'open' }\n"
        "paid = { kind = 'money', values = ['a'] }\n"
    )
    with pytest.raises(fk.DefinitionError) as told:
        fk.load_metrics(write(tmp_path, text))
    assert "line 7: tables.tickets: values = 'open' is not a tuple" in str(told.value)
    assert "line 8: tables.tickets: a money holds no words" in str(told.value)
