"""Ask metrics of a shop: plan, fold, align, compute. The one orchestrator."""

from __future__ import annotations

import datetime as dt
import sys
import warnings
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import count

import polars as pl

from funnelkit.align import align
from funnelkit.binding import kind_faults
from funnelkit.calendar import Moment, Span
from funnelkit.coverage import Gap, gaps
from funnelkit.currencies import check_currencies
from funnelkit.data import ShopData
from funnelkit.engines.base import Engine, Report
from funnelkit.engines.polars import PolarsEngine
from funnelkit.errors import (
    ContractError,
    DataError,
    DefinitionError,
    Fault,
    FunnelkitError,
    HistoryWarning,
    UnknownNameError,
    check_kind,
    shortened,
)
from funnelkit.formula.formulas import Count, LastOverTime, Native, Tile, Until
from funnelkit.formula.parsing import parse_predicate
from funnelkit.formula.properties import has_node, parts_of
from funnelkit.formula.values import (
    AsOf,
    Column,
    Dimension,
    Lookup,
    Predicate,
    PredicateNode,
    Value,
    ValueNode,
    children,
)
from funnelkit.metric import Metric
from funnelkit.planning import make_plan, with_parts
from funnelkit.registries import Registry, find_metric, registry
from funnelkit.result import Result
from funnelkit.rules import FirstOver, NextOver, NumberOver, PreviousOver, dependencies
from funnelkit.shop import Shop
from funnelkit.steps import LoweredMetric, Plan, Question, Step

__all__ = ["Asked", "answer", "evaluate", "plan"]

Asked = str | Metric | Registry | Iterable[str | Metric]


def evaluate(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metrics: Asked,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
    totals: bool = False,
    coverage: bool = False,
    progress: bool = False,
) -> Result:
    """Compute metrics of a shop.

    Args:
        shop: The shop.
        metrics: Names, aliases or metrics; one of them, several, or a registry.
        by: Dimensions to group by: columns of the tables or of their parents.
        every: The length of a period: a number and "h", "d", "w", "mo", "q" or
            "y", as in "1mo"; or the boundaries of the periods: their starts
            and, last, the end of the last one.
        start: The first moment of the range, in the shop's zone.
        end: The first moment after the range.
        where: Which rows enter, over dimensions, as a predicate or its text.
        totals: Whether to add rows for all groups together, computed anew.
        coverage: Whether to count what the numbers leave out, in `Result.coverage`
            and under the table; that reads the tables once more.
        progress: Whether to write on standard error which steps are done; they
            then follow one another, which takes longer.

    Returns:
        The values, one row per period and group; see `Result`.

    Raises:
        UnknownNameError: A metric or dimension does not exist, or is not reached.
        MissingInputError: Tables or columns are missing; names them all.
        ContractError: The data breaks a promise that a number rests on.
        DefinitionError: The question contradicts itself.

    Examples:
        >>> import funnelkit as fk
        >>> result = fk.evaluate(fk.demo(), ["orders", "aov"], every="1q")
        >>> result.frame.columns
        ['period', 'orders', 'average_order_value']
    """
    made = plan(shop, metrics, by=by, every=every, start=start, end=end, where=where)
    engine = PolarsEngine(shop.data)
    result = answer(shop.data, engine, made, progress=progress)
    if coverage:
        result = result.with_coverage(_coverage(shop.data, engine, made))
    if not totals:
        return result
    every = every if by else None
    whole = [m for m in result.metrics if _has_total(m) and (by or not m.compares_periods)]
    if not whole or (every is not None and not any(m.inputs for m in whole)):
        return result.with_totals(None)
    made = plan(shop, whole, every=every, start=start, end=end, where=where)
    return result.with_totals(answer(shop.data, engine, made, progress=progress))


def _has_total(metric: Metric) -> bool:
    """Whether a metric is not a number of each group by its nature."""
    return not metric.per and not has_node(metric.formula, Tile, Until)


def plan(  # noqa: PLR0913  # as evaluate
    shop: Shop,
    metrics: Asked,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> Plan:
    """Say how a question would be answered, without reading data.

    Args:
        shop: The shop.
        metrics: As for `evaluate`.
        by: As for `evaluate`.
        every: As for `evaluate`.
        start: As for `evaluate`.
        end: As for `evaluate`.
        where: As for `evaluate`.

    Returns:
        The plan: each source, once, with what is folded. Print it.

    Raises:
        FunnelkitError: As for `evaluate`, save what only the data can show.
    """
    check_kind("shop", shop, (Shop,), "bind the frames: fk.Shop(orders=…)")
    shop.data.refresh()
    chosen = _metrics(metrics)
    dimensions = _dimensions(by, {metric.name for metric in chosen})
    predicate = _predicate(where)
    _check_moments(every, start, end)
    try:
        calendar, span = shop.data.calendar.divided(every, start, end)
        made = make_plan(shop.data, chosen, Question(dimensions, predicate, calendar, span))
        _check_latest(span)
    except OverflowError:
        raise DefinitionError(
            "the question reaches beyond the years 1 to 9999", "give a later start or earlier end"
        ) from None
    except UnknownNameError as error:
        if error.name not in {item.name for item in dimensions} or error.name not in registry():
            raise
        remedy = f"{error.name} is a metric: ask for it, and group by a column"
        raise UnknownNameError(error.kind, error.name, error.known, remedy) from None
    read = (item for step in made.steps for item in step.reads)
    if faults := kind_faults(shop.data.tables, read):
        raise ContractError(faults)
    return made


def answer(data: ShopData, engine: Engine, made: Plan, *, progress: bool = False) -> Result:
    """Carry out a plan on an engine.

    Args:
        data: The data of the shop that was planned for.
        engine: What folds its tables.
        made: The plan.
        progress: As for `evaluate`.

    Raises:
        DataError: The data cannot give the number; as for `evaluate`.
    """
    try:
        return _computed(data, engine, made, progress=progress)
    except DataError as error:
        if type(error) is DataError and (place := _unreadable(data)):
            raise DataError(f"{place}: {error.problem}", error.remedy) from None
        raise
    except pl.exceptions.PanicException as error:
        place = _unreadable(data) or "the data"
        reason = shortened(str(error).splitlines()[0], most=120)
        raise DataError(
            f"{place}: the data could not be read: {reason}", "check that its file is whole"
        ) from None
    except (OverflowError, ValueError) as error:
        if not isinstance(error, FunnelkitError) and (faults := _far_times(data)):
            raise ContractError(faults) from None
        raise


def _coverage(data: ShopData, engine: Engine, made: Plan) -> pl.DataFrame:
    """Count the rows that metrics leave out, by reason, in the whole range."""
    found = [(low.metric.name, gap) for low in made.metrics for gap in gaps(low.metric)]
    found += [(low.metric.name, gap) for low in made.metrics for gap in _without_key(made, low)]
    found = [pair for pair in found if not data.known[pair[1].table].spread]
    counts: dict[Count, Metric] = {}

    def count_of(gap: Gap, where: Predicate | None) -> str:
        rows = Count(data.known[gap.table], where=where)
        return counts.setdefault(rows, Metric(name=f"c{len(counts)}", formula=rows)).name

    pairs = [(count_of(gap, gap.of), count_of(gap, gap.kept)) for _, gap in found]
    question = replace(made.question, by=(), calendar=made.question.calendar.whole)
    values: dict[str, int] = {}
    if counts:
        asked = make_plan(data, list(counts.values()), question)
        values = answer(data, engine, asked).frame.row(0, named=True)
    rows = [
        (name, gap.table, gap.reason, values[of] - values[kept], values[of])
        for (name, gap), (of, kept) in zip(found, pairs, strict=True)
    ]
    frame = (
        pl.DataFrame(rows, schema=_COVERAGE, orient="row")
        .filter(pl.col("rows") > 0)
        .unique(maintain_order=True)
    )
    return frame.with_columns((pl.col("rows") / pl.col("of")).alias("share"))


_COVERAGE = {
    "metric": pl.String(),
    "table": pl.String(),
    "left_out": pl.String(),
    "rows": pl.Int64(),
    "of": pl.Int64(),
}


def _without_key(made: Plan, low: LoweredMetric) -> Iterator[Gap]:
    """Give the keys by which a metric is asked: rows without one are a group of their own."""
    for step in made.steps:
        for group in step.groups if low.rests_on(step) else ():
            yield Gap(step.table, f"no {group.name}", None, group.value.is_not_null())


def _unreadable(data: ShopData) -> str:
    """Name the first table that cannot be read by itself; empty where all can."""
    for name, bound in data.tables.items():
        try:
            bound.frame.select(pl.all().count()).collect(engine="streaming")
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
            return name
    return ""


def _far_times(data: ShopData) -> list[Fault]:
    """Name the columns of times so far away that the next day, or another zone, has no date."""
    problem = "holds times of the year 1 or before, or of the year 9999 or after"
    return [
        Fault(name, column, problem, "make them null or mend them")
        for name, bound in data.tables.items()
        for column, kind in bound.columns.items()
        if isinstance(kind, pl.Date | pl.Datetime)
        and bound.frame.select(~pl.col(column).dt.year().is_between(2, 9998).all()).collect().item()
    ]


def _computed(data: ShopData, engine: Engine, made: Plan, *, progress: bool) -> Result:
    as_of = _known_until(data, engine, made)
    _warn_of_history(data, engine, made)
    if as_of is not None:
        until = data.calendar.shown(as_of)
        end = made.question.span.end
        made = with_parts(made, until if end is None else min(until, end))
    steps = [*made.steps, *(part.step for part in made.parts)]
    answers = engine.fold(steps, report=_reporter(len(steps)) if progress else None)
    is_own = check_currencies(made, answers, data.currency)
    currency = data.currency if is_own else ""
    return Result.from_leaves(made, align(made, answers), currency, as_of)


def _reporter(total: int) -> Report:
    """Write a line on standard error for each step that is done."""
    done = count(1)

    def report(step: Step) -> None:
        first, *_ = str(step).splitlines()
        print(f"{next(done)} of {total}: {first}", file=sys.stderr, flush=True)  # noqa: T201

    return report


def _metrics(asked: Asked) -> list[Metric]:
    many: Iterable[str | Metric]
    match asked:
        case str() | Metric():
            many = [asked]
        case Registry():
            many = asked.values()
        case _:
            check_kind("metrics", asked, (Iterable,), _NAME_METRICS)
            many = list(asked)
    for item in many:
        check_kind("a metric", item, (str, Metric), _NAME_METRICS)
    found: dict[str, Metric] = {}
    unknown: list[UnknownNameError] = []
    for item in many:
        try:
            metric = find_metric(registry(), item)
        except UnknownNameError as error:
            unknown.append(error)
        else:
            if found.setdefault(metric.name, metric) != metric:
                problem = f"two different metrics are named {metric.name!r}"
                raise DefinitionError(problem, "give one of them another name")
    if len(unknown) > 1:
        first, *others = unknown
        names = [f"{o.name!r} (like {', '.join(o.nearest) or 'no other'})" for o in others]
        raise type(first)(first.kind, first.name, first.known, "nor " + " nor ".join(names))
    if unknown:
        raise unknown[0]
    if not found:
        raise DefinitionError("no metric was asked for", "name at least one")
    if clash := [name for name in _OWN_COLUMNS if name in found]:
        problem = f"a metric named {clash[0]!r} is also the name of a column of the result"
        raise DefinitionError(problem, "give it another name")
    return list(found.values())


_NAME_METRICS = "name metrics: 'aov', ['orders', 'aov'], or give fk.Metric objects"
_OWN_COLUMNS = ("period", "is_total")
_NAME_DIMENSIONS = "name columns: by='channel', by=['channel', 'device']"


def _predicate(where: Predicate | str | None) -> Predicate | None:
    if isinstance(where, str):
        return parse_predicate(where)
    remedy = "compare a dimension: where=\"country == 'PL'\""
    check_kind("where", where, (PredicateNode, type(None)), remedy)
    return where


def _check_moments(
    every: str | Sequence[Moment] | None, start: Moment | None, end: Moment | None
) -> None:
    remedy = "write '2024-12-31', or give a date or datetime"
    for name, moment in (("start", start), ("end", end)):
        check_kind(name, moment, (str, dt.date, type(None)), remedy)
    if every is not None and not isinstance(every, str):
        check_kind("every", every, (Sequence,), "give a length, every='1mo', or a list of moments")
        for moment in every:
            check_kind("a moment of every", moment, (str, dt.date), remedy)


def _check_latest(span: Span) -> None:
    """Refuse a range into the last day that there is: another zone has no date for its end."""
    latest = dt.datetime.combine(dt.date.max, dt.time())
    if any(moment is not None and moment > latest for moment in (span.start, span.end)):
        raise OverflowError


def _dimensions(
    by: str | Dimension | Sequence[str | Dimension], metrics: set[str]
) -> tuple[Dimension, ...]:
    many: Sequence[str | Dimension] = [by] if isinstance(by, str | Dimension) else by
    check_kind("by", many, (Iterable,), _NAME_DIMENSIONS)
    found: dict[str, Dimension] = {}
    for item in many:
        check_kind("a dimension", item, (str, Dimension), _NAME_DIMENSIONS)
        dimension = _dimension(item)
        if found.setdefault(dimension.name, dimension) != dimension:
            raise DefinitionError(
                f"by names two dimensions {dimension.name!r}", "give one of them another name"
            )
    if clash := sorted(set(found) & metrics.union(_OWN_COLUMNS)):
        raise DefinitionError(
            f"by={clash[0]!r} is also the name of a column of the result",
            f"rename it: fk.Dimension('my_{clash[0]}', table={clash[0]!r})",
        )
    return tuple(found.values())


def _dimension(item: str | Dimension) -> Dimension:
    return item if isinstance(item, Dimension) else Dimension(item)


def _known_until(data: ShopData, engine: Engine, made: Plan) -> dt.datetime | None:
    """Give the instant up to which the data is known, where the answer depends on it.

    Where it was not given, a day on which anything happened is taken as known whole.
    """
    calendar = made.question.calendar
    if not calendar.has_periods and not any(_uses_as_of(data, node) for node in _nodes(made)):
        return None
    as_of = engine.as_of()
    if as_of is None or data.given_as_of is not None or calendar.has_hours:
        return as_of
    day = dt.datetime.combine(data.calendar.shown(as_of), dt.time())
    return data.calendar.instant(day + dt.timedelta(days=1))


def _nodes(made: Plan) -> Iterator[Value | Predicate]:
    for step in made.steps:
        if step.where is not None:
            yield step.where
        for fold in step.folds:
            if not isinstance(fold.aggregate, Native):
                yield from parts_of(fold.aggregate)


def _uses_as_of(data: ShopData, node: Value | Predicate) -> bool:
    """Whether a value rests on the as-of moment, itself or through a derived column."""
    if isinstance(node, AsOf):
        return True
    if isinstance(node, Column) and not data.supplies(node):
        rule = data.rule(node)
        if isinstance(rule, ValueNode | PredicateNode) and rule != node:
            return any(_uses_as_of(data, child) for child in children(rule))
        return False
    return any(_uses_as_of(data, child) for child in children(node))


def _warn_of_history(data: ShopData, engine: Engine, made: Plan) -> None:
    """Warn where the history that a fold looks back on starts inside the range."""
    start = made.question.span.start
    if start is None:
        return
    for step in made.steps:
        is_stock = any(isinstance(fold.aggregate, LastOverTime) for fold in step.folds)
        looks_back = (step.to_date and not is_stock) or step.first_of is not None
        if not (looks_back or any(_looks_back(data, leaf) for leaf in step.reads)):
            continue
        first = engine.earliest(step.table)
        if first is not None and first >= start:
            warnings.warn(
                f"the history of {step.table} starts on {first:%Y-%m-%d}, inside the range from "
                f"{start:%Y-%m-%d}: whoever bought before looks new",
                HistoryWarning,
                stacklevel=5,
            )
            return


def _looks_back(data: ShopData, item: Column | Lookup) -> bool:
    if isinstance(item, Lookup):
        return _looks_back(data, item.key) or _looks_back(data, item.value)
    if data.supplies(item):
        return False
    rule = data.rule(item)
    if rule is None:
        return False
    if isinstance(rule, NumberOver | FirstOver | PreviousOver | NextOver):
        return True
    return any(_looks_back(data, needed) for needed in dependencies(rule))
