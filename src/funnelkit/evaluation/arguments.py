"""The arguments of a question: parsing and validation."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager

from funnelkit.arguments import check_key_names, check_kind
from funnelkit.calendar.calendar import Moment
from funnelkit.calendar.grain import Span
from funnelkit.catalog.default import registry
from funnelkit.errors import DefinitionError, UnknownNameError
from funnelkit.formula.parsing import parse_predicate
from funnelkit.formula.values import (
    Dimension,
    Predicate,
    PredicateNode,
)
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import Registry, find_metric
from funnelkit.planning.plan import Question
from funnelkit.shop.shop import Shop

__all__ = [
    "Asked",
    "ask",
    "check_column_names",
    "representable",
    "requested_metrics",
]


Asked = str | Metric | Registry | Iterable[str | Metric]


def ask(  # noqa: PLR0913  # as evaluate
    shop: Shop,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> Question:
    """Return the question that the arguments of `evaluate` stand for, checked and parsed.

    Raises:
        DefinitionError: An argument is not valid, or two contradict each other.
    """
    check_kind("shop", shop, (Shop,), "bind the frames: fk.Shop(orders=…)")
    shop.refresh()
    dimensions = _dimensions(by)
    predicate = _predicate(where)
    _check_moments(every, start, end)
    with representable():
        calendar, span = shop.data.calendar.divided(every, start, end)
    return Question(dimensions, predicate, calendar, span)


@contextmanager
def representable(*, span: Span | None = None) -> Generator[None]:
    """Check that the dates that a question needs exist, also those in another zone.

    Raises:
        DefinitionError: It reaches beyond the calendar.
    """
    try:
        yield
        if span is not None:
            _check_latest(span)
    except OverflowError:
        raise DefinitionError(
            "the question reaches beyond the years 1 to 9999",
            "pass a later start or an earlier end",
        ) from None


def requested_metrics(asked: Asked) -> list[Metric]:
    """Return the requested metrics, each once, looked up in the registry in force.

    Raises:
        UnknownNameError: A metric name is unknown; lists all such names.
        DefinitionError: None is requested, or two differ and share a name.
    """
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
                raise DefinitionError(problem, "rename one of them")
    if len(unknown) > 1:
        first, *others = unknown
        names = [f"{o.name!r} (like {', '.join(o.nearest) or 'no other'})" for o in others]
        raise type(first)(first.kind, first.name, first.known, "nor " + " nor ".join(names))
    if unknown:
        raise unknown[0]
    if not found:
        raise DefinitionError("no metric is requested", "name at least one")
    if clash := [name for name in _OWN_COLUMNS if name in found]:
        problem = f"a metric named {clash[0]!r} is also the name of a column of the result"
        raise DefinitionError(problem, "rename it")
    return list(found.values())


_NAME_METRICS = "name metrics: 'aov', ['orders', 'aov'], or pass fk.Metric objects"


_OWN_COLUMNS = ("period", "is_total")


_NAME_DIMENSIONS = "name columns: by='channel', by=['channel', 'device']"


def _predicate(where: Predicate | str | None) -> Predicate | None:
    """Return the condition on rows as a predicate.

    Raises:
        DefinitionError: It is not a predicate over dimensions.
    """
    if isinstance(where, str):
        return parse_predicate(where)
    remedy = "compare a dimension: where=\"country == 'PL'\""
    check_kind("where", where, (PredicateNode, type(None)), remedy)
    return where


def _check_moments(
    every: str | Sequence[Moment] | None, start: Moment | None, end: Moment | None
) -> None:
    """Raise if the arguments about time are not of the right kind.

    Raises:
        DefinitionError: One of them is not.
    """
    remedy = "write '2024-12-31', or pass a date or datetime"
    for name, moment in (("start", start), ("end", end)):
        check_kind(name, moment, (str, dt.date, type(None)), remedy)
    if every is not None and not isinstance(every, str):
        check_kind("every", every, (Sequence,), "pass a length, every='1mo', or a list of times")
        for moment in every:
            check_kind("a moment of every", moment, (str, dt.date), remedy)


def _check_latest(span: Span) -> None:
    """Raise if a range ends on the last possible day: its end has no date in another zone."""
    latest = dt.datetime.combine(dt.date.max, dt.time())
    if any(moment is not None and moment > latest for moment in (span.start, span.end)):
        raise OverflowError


def _dimensions(by: str | Dimension | Sequence[str | Dimension]) -> tuple[Dimension, ...]:
    """Return the requested dimensions.

    Raises:
        DefinitionError: One is not a dimension, or two share a name.
    """
    many: Sequence[str | Dimension] = [by] if isinstance(by, str | Dimension) else by
    check_kind("by", many, (Iterable,), _NAME_DIMENSIONS)
    found: dict[str, Dimension] = {}
    for item in many:
        check_kind("a dimension", item, (str, Dimension), _NAME_DIMENSIONS)
        dimension = _dimension(item)
        if found.setdefault(dimension.name, dimension) != dimension:
            raise DefinitionError(
                f"by names two dimensions {dimension.name!r}", "rename one of them"
            )
    return tuple(found.values())


def check_column_names(metrics: Iterable[Metric], dimensions: Iterable[Dimension]) -> None:
    """Raise if a dimension has the name of another column of the result.

    Raises:
        DefinitionError: One has; names it.
    """
    taken = {metric.name for metric in metrics}.union(_OWN_COLUMNS)
    check_key_names((dimension.name for dimension in dimensions), taken)


def _dimension(item: str | Dimension) -> Dimension:
    return item if isinstance(item, Dimension) else Dimension(item)
