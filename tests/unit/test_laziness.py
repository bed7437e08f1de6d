"""What is read, and how: only the columns and rows that are needed, by the engine that fits."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.engines.polars import engine
from funnelkit.engines.polars.engine import SMALL, PolarsEngine

DAYS = 400


def sales(rows=DAYS):
    start = dt.datetime(2024, 1, 1)
    return pl.DataFrame(
        {
            "order_id": range(rows),
            "ordered_at": [start + dt.timedelta(days=number % DAYS) for number in range(rows)],
            "status": ["paid"] * rows,
            "customer_id": [number % 7 for number in range(rows)],
            "country": ["PL", "DE"] * (rows // 2),
            "gross_amount": [10.0] * rows,
            "discount_amount": [0.0] * rows,
            "note": ["unread"] * rows,
        }
    )


@pytest.fixture(name="shop")
def shop_on_disk(tmp_path):
    sales().write_parquet(tmp_path / "orders.parquet", row_group_size=100)
    return fk.Shop.scan(tmp_path)


def plans_of(shop, metrics, **question):
    """Give the optimized query of every step, once the shop has been used."""
    fk.evaluate(shop, metrics, **question)
    steps = fk.plan(shop, metrics, **question).steps
    relations = [answer.relation for answer in shop.runner.answers(steps)]
    queries = PolarsEngine(shop.data).queries(relations)
    return [query.explain(engine="streaming") for query in queries]


def test_only_the_columns_that_are_needed_are_read(shop):
    (plan,) = plans_of(shop, ["orders"], every="1mo")
    assert "PROJECT 2/8 COLUMNS" in plan
    assert all(name not in plan for name in ("note", "gross_amount", "country"))
    (plan,) = plans_of(shop, ["gross_sales"], by="country")
    assert "PROJECT 3/8 COLUMNS" in plan


def test_a_column_that_is_not_asked_for_is_not_derived(shop):
    (plan,) = plans_of(shop, ["gross_sales"], every="1mo")
    assert "customer_key" not in plan
    assert "order_number" not in plan
    assert "SORT" not in plan


def test_the_range_and_the_filter_reach_the_scan(shop):
    question = {"start": "2024-03-01", "end": "2024-04-01", "where": "country == 'PL'"}
    (plan,) = plans_of(shop, ["gross_sales"], **question)
    scan = plan[plan.index("Parquet SCAN") :]
    assert 'col("ordered_at")' in scan
    assert 'col("country")' in scan


def test_history_is_read_whole_where_it_is_needed(shop):
    with pytest.warns(fk.TruncatedHistoryWarning):
        fk.evaluate(shop, "new_customers", start="2024-01-01", end="2025-01-01")
    plans = plans_of(shop, ["repeat_purchase_rate"], every="1q", end="2024-10-01")
    assert all('col("ordered_at")) >=' not in plan for plan in plans)
    late = fk.evaluate(shop, "new_customers", start="2024-06-01", end="2025-01-01").frame
    assert late.item() == 0


def test_the_plan_says_what_is_read_and_nothing_is_folded_twice(shop):
    result = fk.evaluate(shop, ["gross_sales", "orders", "aov"], by="country", every="1mo")
    assert result.explain().count("fold orders") == 1
    assert result.explain().count("sum(orders.gross_amount)") == 1
    reads = next(line for line in result.explain().splitlines() if "reads" in line)
    for name in ("country", "gross_amount", "discount_amount", "is_counted"):
        assert name in reads


def test_each_table_is_read_by_one_step_per_grain(shop):
    names = ["orders", "gross_sales", "discounts", "aov", "customers", "purchase_frequency"]
    plan = fk.plan(shop, [*names, "new_customers", "retention", "churn"], every="1mo")
    plain = [step for step in plan.steps if not step.to_date and step.first_of is None]
    kinds = {(step.table, str(step.folds[0].asked.of)) for step in plain}
    assert len(kinds) == len({step.table for step in plain})


@pytest.mark.parametrize(("rows", "wanted"), [(SMALL, "in-memory"), (SMALL + 2, "streaming")])
def test_small_frames_and_large_ones_take_different_engines(monkeypatch, rows, wanted):
    used = []

    def collect_all(queries, **options):
        used.append(options["engine"])
        return collect(queries, **options)

    collect = pl.collect_all
    monkeypatch.setattr(engine.pl, "collect_all", collect_all)
    shop = fk.Shop(orders=sales(rows))
    assert fk.evaluate(shop, "orders").frame.item() == rows
    assert set(used) == {wanted}


def test_a_scan_that_turned_out_small_is_folded_in_memory(monkeypatch, shop):
    fk.evaluate(shop, "orders")
    used = []
    collect = pl.collect_all
    monkeypatch.setattr(
        engine.pl, "collect_all", lambda q, **o: (used.append(o["engine"]), collect(q, **o))[1]
    )
    assert fk.evaluate(shop, "orders").frame.item() == DAYS
    assert used == ["in-memory"]


def test_progress_is_told_on_standard_error_and_only_when_asked(shop, capsys):
    names = ["orders", "repeat_purchase_rate", "churn"]
    quiet = fk.evaluate(shop, names, every="1mo")
    assert capsys.readouterr() == ("", "")
    told = fk.evaluate(shop, names, every="1mo", progress=True)
    printed = capsys.readouterr()
    lines = printed.err.splitlines()
    assert not printed.out
    assert [line.split(":")[0] for line in lines] == [
        f"{number} of {len(lines)}" for number in range(1, len(lines) + 1)
    ]
    assert lines[0].endswith("fold orders by period")
    assert told.frame.equals(quiet.frame)
