"""One statement that gives the final numbers of a plan: a CTE per step, then the arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from funnelkit.engines.sql.arithmetic import Arithmetic
from funnelkit.engines.sql.names import aliased, quoted_column, quoted_table
from funnelkit.engines.sql.nodes import IsFinite
from funnelkit.engines.sql.operations import literal
from funnelkit.engines.sql.parts import EACH_PERIOD, KEYS, PERIOD, PERIODS, Part
from funnelkit.engines.sql.series import Series, common_table, series_of
from funnelkit.engines.sql.translate import Translator
from funnelkit.errors import UnsupportedError
from funnelkit.formula.properties import is_count
from funnelkit.metrics.metric import Metric
from funnelkit.planning.plan import Plan, PlannedMetric, Step
from funnelkit.planning.relations import Answer, Kind, Lit, Named
from funnelkit.result.align import range_ends
from funnelkit.result.arithmetic import counted_folds

__all__ = ["statement_of"]

Sql = exp.Expr
VALUES = "all_values"


def statement_of(
    plan: Plan, answers: Sequence[Answer], translator: Translator, *, has_series: bool
) -> exp.Select:
    """Return the statement that gives the values of the metrics of a plan, one row per group.

    Args:
        plan: The plan.
        answers: The relations that answer its steps.
        translator: What writes relations.
        has_series: Whether the dialect makes rows of a series of days; else it counts them up.

    Raises:
        UnsupportedError: It needs more than one statement; names the metric and why.
    """
    _check(plan)
    counted = frozenset(counted_folds(plan))
    named = [(f"{step.table}_step_{number}", step) for number, step in enumerate(plan.steps, 1)]
    shared = Counter(answer.relation.name for answer in answers)
    parts = list[Part]()
    for (name, step), answer in zip(named, answers, strict=True):
        relation = answer.relation
        rows = relation if shared[relation.name] > 1 else relation.input
        kinds = translator.name(Named(name, rows, str(step).splitlines()[0]))
        parts.append(_part(name, step, answer, kinds, counted))
    ctes: list[tuple[str, exp.Query]] = [*translator.ctes()]
    keys, read = parts[0].keys, parts
    series = series_of(plan.question.calendar, has_series=has_series)
    if PERIOD in keys:
        read, made = _read(plan, parts)
        if made or len(keys) == 1:
            ctes.append((PERIODS, _periods(plan, parts)))
        if any(step.is_grown for step in plan.steps):
            ctes.append((EACH_PERIOD, series(EACH_PERIOD, None)))
        ctes += made
    if keys:
        ctes.append((KEYS, _all_keys(plan, parts, read, series)))
    found = _final(plan, keys, read)
    if not all(is_count(planned.metric.formula) for planned in plan.metrics):
        ctes.append((VALUES, found))
        found = _finite(plan, keys)
    for column, planned in zip(found.selects[len(keys) :], plan.metrics, strict=True):
        column.add_comments([_note(planned.metric)])
    tables = [common_table(name, query) for name, query in ctes]
    is_recursive = any(table.args["alias"].columns for table in tables)
    found.set("with_", exp.With(expressions=tables, recursive=is_recursive))
    if keys:
        places = [exp.Ordered(this=quoted_column(name, ""), nulls_first=False) for name in keys]
        found.set("order", exp.Order(expressions=places))
    return found


def _part(
    name: str, step: Step, answer: Answer, kinds: Mapping[str, Kind], counted: frozenset[str]
) -> Part:
    """Return the answer to a step, which is a CTE with columns of some kinds."""
    keys = {} if answer.period is None else {PERIOD: answer.period}
    keys |= dict(zip((group.name for group in step.groups), answer.keys, strict=True))
    names = (fold.name for fold in step.folds)
    columns: dict[str, tuple[str, Kind]] = {
        fold: (column, kinds[column]) for fold, column in zip(names, answer.folds, strict=True)
    }
    return Part(name, keys, columns, counted)


def _read(plan: Plan, parts: Sequence[Part]) -> tuple[list[Part], list[tuple[str, exp.Query]]]:
    """Return the answers as the arithmetic reads them, and the CTEs that make them so.

    These are totals to date, and the answers beside later periods.
    """
    calendar, found, ctes = plan.question.calendar, list[Part](), list[tuple[str, exp.Query]]()
    for step, part in zip(plan.steps, parts, strict=True):
        own = part
        if step.is_grown:
            own, select = part.to_date()
            ctes.append((own.name, select))
        for shift in _shifts(plan, part):
            moved = own
            if shift:
                moved, select = own.later(shift, calendar)
                ctes.append((moved.name, select))
            found.append(moved)
    return found, ctes


def _shifts(plan: Plan, part: Part) -> list[int]:
    """Return how many periods later the rows of a step are wanted; 0 where they are as well."""
    leaves = (leaf for planned in plan.metrics for leaf in planned.leaves)
    return sorted({leaf.shift for leaf in leaves if leaf.name in part.columns})


def _all_keys(plan: Plan, parts: Sequence[Part], read: Sequence[Part], series: Series) -> exp.Query:
    """Return the keys of all rows; without other keys each period between the first and last.

    Rows from before the range, read to look back on, give no rows of their own; neither do
    those that stand beside a period after the last.
    """
    if not plan.question.calendar.has_periods:
        return _united([part.only_keys() for part in parts], is_distinct=True)
    start = _first_period(plan)
    if list(parts[0].keys) == [PERIOD]:
        return series(KEYS, start)
    selects = [part.only_keys(start=start) for part in parts]
    selects += [
        _until_last(part.only_keys(start=start), part) for part in read if not part.is_whole
    ]
    return _united(selects, is_distinct=True)


def _periods(plan: Plan, parts: Sequence[Part]) -> exp.Query:
    """Return the periods in which there are rows, and the ends of a range that is shown whole."""
    labels = (literal(Lit(label.item(), "day")) for label in range_ends(plan.question))
    ends = (exp.Select(expressions=[aliased(label, PERIOD)]) for label in labels)
    return _united([*(part.only_periods() for part in parts), *ends])


def _until_last(keys: exp.Select, part: Part) -> exp.Select:
    """Return the keys of the periods up to the last."""
    last = exp.Select(expressions=[exp.Max(this=quoted_column(PERIOD, PERIODS))])
    last = last.from_(quoted_table(PERIODS), copy=False)
    period = quoted_column(part.keys[PERIOD], part.name)
    return keys.where(exp.LTE(this=period, expression=last.subquery(copy=False)), copy=False)


def _united(selects: Sequence[exp.Select], *, is_distinct: bool = False) -> exp.Query:
    """Return the different rows of some SELECTs; those of a single one as they are, if wanted."""
    if is_distinct and len(selects) == 1:
        return selects[0].distinct()
    found: exp.Query = selects[0]
    for other in selects[1:]:
        found = exp.union(found, other, copy=False)
    return found


def _first_period(plan: Plan) -> Sql | None:
    """Return the label of the first period of the range; None where no step looks back on one."""
    calendar, start = plan.question.calendar, plan.question.span.start
    if start is None or not calendar.has_periods:
        return None
    if all(step.span.start == start for step in plan.steps):
        return None
    return literal(Lit(calendar.label(calendar.floor(start)).item(), "day"))


def _final(plan: Plan, keys: Iterable[str], parts: Sequence[Part]) -> exp.Select:
    """Return the SELECT of the keys and of the values of the metrics."""
    folds = dict(each for part in parts for each in part.folds())
    groups = [quoted_column(PERIOD, KEYS)] if PERIOD in keys else []
    arithmetic = Arithmetic(folds, groups, plan.question)
    columns: list[Sql] = [aliased(quoted_column(name, KEYS), name) for name in keys]
    columns += [_value(metric, arithmetic) for metric in plan.metrics]
    if keys:
        joins = [part.joined() for part in parts]
        return exp.Select(expressions=columns, joins=joins).from_(quoted_table(KEYS), copy=False)
    first, *others = parts
    joins = [exp.Join(this=quoted_table(part.name), kind="CROSS") for part in others]
    return exp.Select(expressions=columns, joins=joins).from_(quoted_table(first.name), copy=False)


def _finite(plan: Plan, keys: Iterable[str]) -> exp.Select:
    """Return the SELECT of the keys and values; null where arithmetic left the numbers."""
    columns: list[Sql] = [aliased(quoted_column(name, VALUES), name) for name in keys]
    for planned in plan.metrics:
        value: Sql = quoted_column(planned.metric.name, VALUES)
        if not is_count(planned.metric.formula):
            value = exp.Case(ifs=[exp.If(this=IsFinite(this=value), true=value)])
        columns.append(aliased(value, planned.metric.name))
    return exp.Select(expressions=columns).from_(quoted_table(VALUES), copy=False)


def _note(metric: Metric) -> str:
    """Return the name and fingerprint of a metric as a comment."""
    return f"{metric.title}: {metric.name} {metric.fingerprint}".replace("*/", "* /")


def _value(planned: PlannedMetric, arithmetic: Arithmetic) -> Sql:
    """Return the value of a metric."""
    metric = planned.metric
    kind: Kind = "int" if is_count(metric.formula) else "float"
    value = arithmetic.value(planned.value, kind)
    if metric.required_dimension:
        key = quoted_column(metric.required_dimension, KEYS)
        known = exp.Not(this=exp.Is(this=key, expression=exp.Null()))
        value = exp.Case(ifs=[exp.If(this=known, true=value)])
    return aliased(value, metric.name)


def _check(plan: Plan) -> None:
    """Check that a plan can be written as one statement."""
    calendar = plan.question.calendar
    if calendar.has_hours:
        raise UnsupportedError("periods of hours", "write days, weeks or months, or evaluate them")
    if calendar.edges and not plan.question.by:
        why = "periods between given days need a key; group by one, or evaluate them"
        raise UnsupportedError(str(calendar), why)
    for planned in plan.metrics:
        if any(leaf.like_for_like for leaf in planned.leaves):
            why = "an open period is set beside the same part of an earlier one; evaluate it"
            raise UnsupportedError(planned.metric.name, why)
        is_grown = any(step.is_grown and planned.rests_on(step) for step in plan.steps)
        if calendar.edges and (is_grown or any(leaf.shift for leaf in planned.leaves)):
            why = "it looks back on earlier periods; write days, weeks or months, or evaluate it"
            raise UnsupportedError(planned.metric.name, why)
        Arithmetic.check(planned, plan.question)
