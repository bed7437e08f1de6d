"""What is written for BigQuery, run by the reference engine of its language.

BigQuery itself cannot be run here. Arithmetic that leaves the numbers is an error there, so NaN
is never compared.
"""

from typing import Any

import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames
from funnelkit.engines.supports import SUPPORTS
from funnelkit.errors import UncomparedDialectWarning
from funnelkit.evaluation.evaluate import plan
from funnelkit.evaluation.supported import check_supported
from funnelkit.planning.relations import Agg, AggOp, Aggregate, Call, Col, Op, Select
from parity.both import assert_alike
from parity.googlesql import googlesql
from parity.shops import some_of
from parity.test_databases import OF_SHOPS, answerable
from parity.test_operations import AGGREGATED, ARGUMENTS, CONDITIONS, crossed

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("_no_warnings_of_history")]
RUN_AS_AGGREGATES = [op for op in AggOp if op not in {AggOp.CUSTOM, AggOp.QUANTILE}]


@pytest.mark.parametrize("op", Op)
def test_an_operation_gives_what_is_said_of_it(op):
    digits = 15 if op is Op.SECONDS_BETWEEN else 17
    for arguments in ARGUMENTS[op]:
        if "wild" in arguments:
            continue
        frame, scan = crossed(*(name for name in arguments if isinstance(name, str)))
        columns = (Col(name) for name, _ in scan.columns)
        args = tuple(next(columns) if isinstance(a, str) else a for a in arguments)
        named = ((name, Col(name)) for name, _ in scan.columns)
        found = Select(scan, (*named, ("found", Call(op, args))))
        if not any(SUPPORTS["bigquery"].missing(found)):
            assert_alike("bigquery", {"t": frame}, found, digits=digits)


@pytest.mark.parametrize("where", CONDITIONS.values(), ids=CONDITIONS)
@pytest.mark.parametrize("keys", [(), ("c2",), ("c2", "c1")])
@pytest.mark.parametrize("op", RUN_AS_AGGREGATES)
def test_an_aggregate_gives_what_is_said_of_it(op, keys, where):
    for name in AGGREGATED.get(op, ("int",)):
        frame, scan = crossed(name, "bool", "int")
        fold = Agg(op, None if op is AggOp.ROWS else Col("c0"), where)
        for rows in (frame, frame[:1], frame.clear()):
            rel = Aggregate(scan, keys, (("fold", fold),))
            assert_alike("bigquery", {"t": rows}, rel, digits=12)


@pytest.mark.parametrize("asked", OF_SHOPS, ids=str)
def test_the_catalogue_is_answered_alike(asked):
    question, settings = asked
    frames = some_of(demo_frames())
    for name, frame in frames.items():
        googlesql().load(name, frame)
    with pytest.warns(UncomparedDialectWarning, match="BigQuery"):
        database = fk.SqlDatabase(googlesql(), dialect="bigquery")
    here = fk.Shop.bind(frames, **settings)
    there = fk.Shop.on(database, **{name: name for name in frames}, **settings)
    metrics = [m for m in answerable(here, question) if is_written(here, m, question)]
    assert len(metrics) >= 120
    one, two = (fk.evaluate(shop, metrics, **question) for shop in (here, there))
    assert_frame_equal(one.tidy(), two.tidy(), rel_tol=1e-9, abs_tol=1e-9)
    assert (one.currency, one.as_of) == (two.currency, two.as_of)


def is_written(shop: fk.Shop, metric: fk.Metric, question: Any) -> bool:
    """Whether a metric can be asked; one that takes a quantile is refused by name."""
    try:
        check_supported(shop.runner, plan(shop, metric, **question), SUPPORTS["bigquery"])
    except fk.UnsupportedError:
        return False
    return True
