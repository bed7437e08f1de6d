"""Cohorts and RFM scores against the plain-Python functions of their words."""

import datetime as dt
import warnings
from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import funnelkit as fk
from oracle.comparing import Span
from oracle.shops import MONTHS
from oracle.shops_busy import busy_shops
from oracle.shops_cohorts import in_order, over_quarters
from oracle.shops_operations import operation_frames, operation_shops
from oracle.test_oracle import agree, any_range, few, months, whole_months
from oracle.words import Period, Row, Tables, Value
from oracle.words_cohorts import (
    COHORT_ORACLES,
    EVER,
    SCORE_ORACLES,
    size_of,
    step_number,
    step_start,
)
from oracle.words_cohorts import cohorts as cohorts_of
from oracle.words_profit import cac_payback_period, known_until

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

TABLES = (
    "orders",
    "order_lines",
    "returns",
    "shipments",
    "products",
    "campaign_performance",
    "marketing_costs",
)
STRETCHES = {1: "1mo", 3: "1q"}

Found = dict[tuple[dt.date, dt.date | None, str | None], Row]
"""Rows of an answer by their period, cohort and market."""


any_shop = st.one_of(operation_shops(TABLES), busy_shops(TABLES)).map(in_order)
any_year = any_shop.map(over_quarters)
any_span = st.one_of(st.just({}), whole_months())


# --- Comparing -----------------------------------------------------------------------------------


def answer(tables: Tables, names: str | Sequence[str], **question: Any) -> list[Row]:
    """Ask a shop that may be younger than the range asked for, in the long form."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fk.TruncatedHistoryWarning)
        shop = fk.Shop.bind(operation_frames(tables))
        return fk.evaluate(shop, names, **question).tidy().to_dicts()


def found_in(rows: Sequence[Row], name: str) -> Found:
    """Give the rows of a metric by what they are of, each of something else."""
    own = [row for row in rows if row["metric"] == name]
    found = {(row["period"], row["cohort"], row.get("market")): row for row in own}
    assert len(found) == len(own)
    return found


class Cells:
    """What the words say of a shop's cohorts, and which of it can be compared with an answer."""

    def __init__(self, tables: Tables, months: int, span: Span, *, is_part: bool = False) -> None:
        self.tables, self.months, self.is_part = tables, months, is_part
        self.start = span.get("start", dt.datetime.min)
        self.end = span.get("end", dt.datetime.max)
        self.known = min(known_until(tables) or dt.datetime.min, self.end)

    def expected(self, name: str) -> dict[tuple[dt.date, dt.date], Value]:
        """Give the values of the range by period and cohort."""
        values: dict[tuple[dt.date, dt.date], Value] = {}
        for (cohort, age), value in COHORT_ORACLES[name](self.tables, EVER, self.months).items():
            moment = step_start(self.number(cohort) + age, self.months)
            if self.start <= moment < self.end:
                values[moment.date(), cohort] = value
        return values

    def is_over(self, day: dt.date) -> bool:
        """Say whether the period that begins on a day is known whole, and asked for whole."""
        return step_start(self.number(day) + 1, self.months) <= self.known

    def number(self, day: dt.date) -> int:
        return step_number(dt.datetime(day.year, day.month, 1), self.months)


def check_cell(row: Row, value: Value, *, is_over: bool) -> None:
    """Compare the value of a period that is over; one that is still open must be marked."""
    if is_over:
        assert agree(row["value"], value), (row, value)
        assert row["reason"] != "incomplete_period", row
    else:
        assert row["value"] is None or row["reason"] == "incomplete_period", row


def check_cohorts(name: str, found: Found, cells: Cells, market: str | None = None) -> None:
    """Compare all cells of a part of a shop, and take them out of what was found.

    Periods after the last one answered have no row; nor has a cohort of which nothing is in the
    range yet, or a part of a shop in which its cohort is empty.
    """
    last = max((period for period, _, _ in found), default=dt.date.min)
    for (period, cohort), value in cells.expected(name).items():
        row = found.pop((period, cohort, market), None)
        if row is not None:
            check_cell(row, value, is_over=cells.is_over(period))
        elif period <= last and cells.is_over(period):
            assert cells.is_part, (period, cohort)
            assert value is None, (period, cohort, market, value)


def check_rest(name: str, found: Found) -> None:
    """Compare what is of no cohort with a customer: guests, for one.

    Parcels that leave after the last order make a period that is not known yet. A cohort of nobody
    on whom nothing was spent is tried by hand.
    """
    if name == "cac_payback_period":
        found = {cell: row for cell, row in found.items() if cell[1] is None}
    told = [row for row in found.values() if row["value"] is not None]
    assert [row for row in told if row["reason"] != "incomplete_period"] == []


def span_of(names: Sequence[str], span: Span) -> Span:
    """Give a range that KPIs can be told of: who counts periods refuses a start."""
    kept = {"end"} if "cac_payback_period" in names else {"start", "end"}
    return {name: moment for name, moment in span.items() if name in kept}


def check(tables: Tables, names: Sequence[str], *, every: int, span: Span) -> None:
    """Compare KPIs of cohorts that are asked together."""
    span = span_of(names, span)
    rows = answer(tables, names, by="cohort", every=STRETCHES[every], **span)
    for name in names:
        found = found_in(rows, name)
        check_cohorts(name, found, Cells(tables, every, span))
        check_rest(name, found)


# --- Cohorts -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", COHORT_ORACLES)
@few
@given(tables=st.one_of(any_shop, any_year), span=any_span)
def test_a_kpi_by_cohort_and_month_is_what_its_words_say(name: str, tables: Tables, span: Span):
    check(tables, [name], every=1, span=span)


@few
@given(tables=any_year)
def test_kpis_by_cohort_and_quarter_are_what_their_words_say(tables: Tables):
    check(tables, list(COHORT_ORACLES), every=3, span={})


@few
@given(tables=busy_shops(TABLES).map(in_order))
def test_a_cohort_pays_back_when_its_range_does(tables: Tables):
    """The KPI of a range, written on its own, tells the same of the cohort of each month."""
    found = found_in(
        answer(tables, "cac_payback_period", by="cohort", every="1mo"), "cac_payback_period"
    )
    for period in months(MONTHS[0], MONTHS[-1]):
        own = [row for (_, cohort, _), row in found.items() if cohort == period.start.date()]
        told = [row["value"] for row in own if row["reason"] != "incomplete_period"]
        assert agree(told[-1] if told else None, cac_payback_period(tables, period))


@few
@given(tables=st.one_of(any_shop, any_year))
def test_retention_weighted_by_size_adds_up_to_the_customers_of_the_month(tables: Tables):
    sizes = {
        cohort: size_of(tables, members) for cohort, members in cohorts_of(tables, EVER).items()
    }
    found = found_in(
        answer(tables, "cohort_retention", by="cohort", every="1mo"), "cohort_retention"
    )
    sums: dict[dt.date, float] = {}
    for (period, cohort, _), row in found.items():
        weight = sizes.get(cohort, 0) if cohort is not None else 0
        sums[period] = sums.get(period, 0.0) + weight * (row["value"] or 0.0)
    plain = {row["period"]: row["value"] for row in answer(tables, "customers", every="1mo")}
    assert {day for day, count in plain.items() if count} <= set(sums)
    assert all(agree(total, plain.get(day, 0)) for day, total in sums.items()), (sums, plain)


# --- Scores --------------------------------------------------------------------------------------


def check_scores(tables: Tables, rows: Sequence[Row], period: Period) -> None:
    """Compare all scores of the customers of a period."""
    for name, oracle in SCORE_ORACLES.items():
        found = {row["customer_key"]: row["value"] for row in rows if row["metric"] == name}
        expected = {str(key): mark for key, mark in oracle(tables, period).items()}
        assert {key: value for key, value in found.items() if value is not None} == expected
        assert found.get(None) is None


ORDERS = ("orders", "order_lines", "returns")
any_buyers = st.one_of(operation_shops(ORDERS), busy_shops(ORDERS))


def as_text(rows: Sequence[Row]) -> list[Row]:
    """Write customer keys as text, whatever they are made of."""
    keys = [row["customer_key"] for row in rows]
    return [
        {**row, "customer_key": None if key is None else str(key)}
        for row, key in zip(rows, keys, strict=True)
    ]


@few
@given(tables=any_buyers, span=st.one_of(st.just({}), any_range))
def test_scores_of_a_range_are_what_their_words_say(tables: Tables, span: Span):
    rows = answer(tables, list(SCORE_ORACLES), by="customer_key", **span)
    period = Period(**span) if span else EVER
    check_scores(tables, as_text(rows), period)


@few
@given(tables=any_buyers, span=whole_months())
def test_scores_of_each_month_are_what_their_words_say(tables: Tables, span: Span):
    rows = answer(tables, list(SCORE_ORACLES), by="customer_key", every="1mo", **span)
    for period in months(**span):
        own = [row for row in rows if row["period"] == period.start.date()]
        check_scores(tables, as_text(own), period)


# --- By hand -------------------------------------------------------------------------------------


def bought(*orders: tuple[int, int, int | None, float], **columns: Any) -> Tables:
    """Give orders by month, day, customer and amount, and all that KPIs of value need."""
    placed = [
        {
            "order_id": f"o{number}",
            "ordered_at": dt.datetime(2024, month, day),
            "status": "paid",
            "customer_id": customer,
            "gross_amount": amount,
            "discount_amount": 0.0,
            "payment_fee": 0.0,
            "fulfilment_cost": 0.0,
            "shipping_amount": 0.0,
            **columns,
        }
        for number, (month, day, customer, amount) in enumerate(orders)
    ]
    return {"orders": placed, **{name: [] for name in TABLES[1:]}}


def returned(order: str, month: int, amount: float) -> Row:
    """Give money paid back on the fifth of a month."""
    return {
        "return_id": f"t{order}",
        "order_id": order,
        "order_line_id": None,
        "returned_at": dt.datetime(2024, month, 5),
        "quantity": 1,
        "refund_amount": amount,
        "kind": "return",
        "is_restocked": False,
        "handling_cost": 0.0,
    }


def campaign(month: int, spend: float) -> Row:
    """Give what was spent on the first of a month."""
    day = dt.date(2024, month, 1)
    return {"date": day, "platform": "google", "campaign_id": "a1", "spend": spend, "market": "PL"}


def by_age(tables: Tables, name: str) -> dict[int, list[Value]]:
    """Give the values of each month's cohort by age, the month that is still open as well."""
    found = found_in(answer(tables, name, by="cohort", every="1mo"), name)
    table: dict[int, list[Value]] = {}
    for (_, cohort, _), row in sorted(found.items(), key=lambda item: item[0][0]):
        if cohort is not None:
            table.setdefault(cohort.month, []).append(row["value"])
    return table


def three_cohorts() -> Tables:
    """Give cohorts of January, February and April; a guest, a cancelled order, a late return."""
    tables = bought(
        (1, 1, 1, 10.0),
        (1, 31, 2, 30.0),
        (1, 31, 2, 10.0),
        (2, 1, 1, 20.0),
        (2, 10, 3, 50.0),
        (2, 11, None, 99.0),
        (2, 12, 2, 99.0),
        (4, 1, 2, 40.0),
        (4, 2, 4, 8.0),
        (5, 31, 3, 5.0),
    )
    tables["orders"][6]["status"] = "cancelled"
    return {**tables, "returns": [returned("o0", 4, 10.0)]}


def test_a_cohort_table_by_hand():
    tables = three_cohorts()
    assert by_age(tables, "cohort_retention") == {
        1: [1, 0.5, 0, 0.5, 0],
        2: [1, 0, 0, 1],
        4: [1, 0],
    }
    assert by_age(tables, "cohort_retention.on_or_after") == {
        1: [1, 1, 0.5, 0.5, 0],
        2: [1, 1, 1, 1],
        4: [1, 0],
    }
    assert by_age(tables, "cohort_retention.repurchased") == {
        1: [0.5, 1, 1, 1, 1],
        2: [0, 0, 0, 1],
        4: [0, 0],
    }
    assert by_age(tables, "cohort_cumulative_value.revenue") == {
        1: [25, 35, 35, 50, 50],
        2: [50, 50, 50, 55],
        4: [8, 8],
    }


def test_w31_a_cost_of_120_is_paid_back_by_20_a_month_when_six_months_have_paid():
    """The first month pays as well: the sixth one is five months after it."""
    tables = bought(*((month, 1, 1, 20.0) for month in range(1, 9)))
    found = by_age({**tables, "campaign_performance": [campaign(1, 120.0)]}, "cac_payback_period")
    assert found == {1: [None] * 5 + [5, 5, 5]}
    dearer = by_age({**tables, "campaign_performance": [campaign(1, 140.0)]}, "cac_payback_period")
    assert dearer == {1: [None] * 6 + [6, 6]}


def test_scores_with_ties_by_hand():
    """Five customers; three of them ordered once, two at the same moment for the same money."""
    tables = bought(
        (1, 1, 1, 10.0),
        (1, 1, 2, 10.0),
        (1, 2, 3, 10.0),
        (1, 3, 4, 40.0),
        (1, 4, 4, 40.0),
        (1, 1, 5, 15.0),
        (1, 2, 5, 15.0),
        (1, 9, 5, 15.0),
        (1, 9, None, 99.0),
    )
    tables = {name: tables[name] for name in ORDERS}
    tables["returns"] = [returned("o3", 1, 35.0)]
    found = {
        name: {
            row["customer_key"]: row["value"]
            for row in answer(tables, name, by="customer_key")
            if row["customer_key"] is not None
        }
        for name in ("rfm_score", "rfm_score.dense")
    }
    assert list(found["rfm_score"].values()) == [111, 111, 311, 444, 554]
    assert list(found["rfm_score.dense"].values()) == [111, 111, 311, 424, 544]


def test_a_return_dated_before_its_order_does_not_move_the_first_period():
    tables = bought((2, 5, 1, 10.0), (3, 5, 1, 10.0), (4, 30, 1, 10.0))
    tables["campaign_performance"] = [campaign(2, 15.0)]
    assert by_age(tables, "cac_payback_period") == {2: [None, 1, 1]}
    late = by_age({**tables, "returns": [returned("o0", 1, 1.0)]}, "cac_payback_period")
    assert late[2][-1] == 1


def test_a_cohort_of_nobody_has_not_paid_back():
    tables = bought((1, 1, 1, 10.0), (4, 30, 1, 10.0))
    tables["campaign_performance"] = [campaign(2, 0.0)]
    assert set(by_age(tables, "cac_payback_period").get(2, [None])) == {None}


def crossing() -> Tables:
    """Give a customer won in Germany who buys in Poland, and one who stays in Poland."""
    tables = bought(
        (1, 1, 1, 1.0), (1, 2, 2, 1.0), (1, 3, 1, 1.0), (2, 3, 2, 1.0), (3, 31, 2, 1.0), market="PL"
    )
    tables["orders"][0]["market"] = "DE"
    return tables


@pytest.mark.parametrize("question", [{"by": ["cohort", "market"]}, {"where": "market == 'PL'"}])
def test_a_cohort_is_not_told_by_what_its_customers_change(question: dict[str, Any]):
    asked = {"by": "cohort", "every": "1mo", **question}
    several = "divided by market: one customer may have several"
    with pytest.raises(fk.DefinitionError, match=several):
        answer(crossing(), "cohort_retention", **asked)


def test_a_cohort_is_told_by_what_is_of_the_customer():
    """Customer 1 is of Berlin and buys in January alone, 2 of Warsaw in January to March."""
    tables = crossing()
    homes = [{"customer_id": 1, "home": "Berlin"}, {"customer_id": 2, "home": "Warsaw"}]
    shop = fk.Shop.bind({**operation_frames(tables), "customers": pl.DataFrame(homes)})
    rows = fk.evaluate(shop, "cohort_retention", by=["cohort", "home"], every="1mo").frame
    found = rows.filter(pl.col("home").is_not_null()).select("period", "home", "cohort_retention")
    assert {(p.month, home): value for p, home, value in found.rows()} == {
        (1, "Berlin"): 1.0,
        (1, "Warsaw"): 1.0,
        (2, "Berlin"): 0.0,
        (2, "Warsaw"): 1.0,
        (3, "Berlin"): 0.0,
        (3, "Warsaw"): 1.0,
    }


def test_customers_are_ranked_among_all_and_not_within_a_further_key():
    orders = bought(*((1, 1, customer, 1.0) for customer in (1, 2, 2, 3, 3, 3, 4, 4, 4, 4)))
    for row in orders["orders"]:
        row["market"] = "PL" if row["customer_id"] <= 2 else "DE"
    with pytest.raises(fk.DefinitionError, match="frequency_score ranks the groups of one key"):
        answer(orders, "frequency_score", by=["customer_key", "market"])
    rows = answer(orders, "frequency_score", by="customer_key", where="market == 'DE'")
    assert [row["value"] for row in rows] == [1, 3]
