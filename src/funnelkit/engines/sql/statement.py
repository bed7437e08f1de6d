"""One statement that gives the final numbers of a plan: a CTE per step, then the arithmetic."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from funnelkit.calendar.calendar import Calendar
from funnelkit.engines.sql.arithmetic import Arithmetic
from funnelkit.engines.sql.names import aliased, quoted, quoted_column, quoted_table
from funnelkit.engines.sql.nodes import EachDate, IsFinite
from funnelkit.engines.sql.operations import literal
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
KEYS, PERIODS, VALUES, PERIOD = "all_keys", "all_periods", "all_values", "period"


@dataclass(frozen=True, slots=True)
class _Part:
    """The answer to one step, as a CTE.

    Attributes:
        name: Its name.
        keys: By the name of each key in the result, the column that holds it.
        folds: By the name of each fold, its column and its kind; a count or sum is 0 where
            there are no rows.
    """

    name: str
    keys: Mapping[str, str]
    folds: Mapping[str, tuple[Sql, Kind]]

    def only_keys(self, start: Sql | None = None) -> exp.Select:
        """Return the keys that it has rows of, if given from a period on."""
        columns = [
            aliased(quoted_column(column, self.name), name) for name, column in self.keys.items()
        ]
        found = exp.Select(expressions=columns).from_(quoted_table(self.name), copy=False)
        if start is None:
            return found
        period = quoted_column(self.keys[PERIOD], self.name)
        return found.where(exp.GTE(this=period, expression=start.copy()))

    def joined(self) -> exp.Join:
        """Return it as it is joined to all keys; a null key meets a null key."""
        pairs = (
            exp.NullSafeEQ(
                this=quoted_column(column, self.name), expression=quoted_column(name, KEYS)
            )
            for name, column in self.keys.items()
        )
        return exp.Join(this=quoted_table(self.name), side="LEFT", on=exp.and_(*pairs, copy=False))


def statement_of(plan: Plan, answers: Sequence[Answer], translator: Translator) -> exp.Select:
    """Return the statement that gives the values of the metrics of a plan, one row per group.

    Args:
        plan: The plan.
        answers: The relations that answer its steps.
        translator: What writes relations.

    Raises:
        UnsupportedError: It needs more than one statement; names the metric and why.
    """
    _check(plan)
    counted = frozenset(counted_folds(plan))
    named = [(f"{step.table}_step_{number}", step) for number, step in enumerate(plan.steps, 1)]
    pairs = zip(named, answers, strict=True)
    parts = [_part(translator, *each, answer, counted) for each, answer in pairs]
    ctes: list[tuple[str, exp.Query]] = [*translator.ctes()]
    keys = parts[0].keys
    if keys:
        ctes += _spine(plan, parts)
    found = _final(plan, parts)
    if not all(is_count(planned.metric.formula) for planned in plan.metrics):
        ctes.append((VALUES, found))
        found = _finite(plan, keys)
    for column, planned in zip(found.selects[len(keys) :], plan.metrics, strict=True):
        column.add_comments([_note(planned.metric)])
    with_ = [exp.CTE(this=select, alias=exp.TableAlias(this=quoted(name))) for name, select in ctes]
    found.set("with_", exp.With(expressions=with_))
    if keys:
        places = [exp.Ordered(this=quoted_column(name, ""), nulls_first=False) for name in keys]
        found.set("order", exp.Order(expressions=places))
    return found


def _part(
    translator: Translator, name: str, step: Step, answer: Answer, counted: frozenset[str]
) -> _Part:
    """Write the answer to a step as a CTE."""
    relation = answer.relation
    inner = relation.input if isinstance(relation, Named) else relation
    kinds = translator.name(Named(name, inner, str(step).splitlines()[0]))
    keys = {} if answer.period is None else {PERIOD: answer.period}
    keys |= dict(zip((group.name for group in step.groups), answer.keys, strict=True))
    folds: dict[str, tuple[Sql, Kind]] = {}
    for fold, column in zip(step.folds, answer.folds, strict=True):
        found: Sql = quoted_column(column, name)
        if fold.name in counted:
            zero = Lit(0, "int") if kinds[column] == "int" else Lit(0.0, "float")
            found = exp.Coalesce(this=found, expressions=[literal(zero)])
        folds[fold.name] = found, kinds[column]
    return _Part(name, keys, folds)


def _spine(plan: Plan, parts: Sequence[_Part]) -> Iterator[tuple[str, exp.Query]]:
    """Yield the keys of all rows; without other keys each period between the first and last.

    Rows from before the range, read to look back on, give no rows of their own.
    """
    start = _first_period(plan)
    if list(parts[0].keys) == [PERIOD]:
        labels = (literal(Lit(label.item(), "day")) for label in range_ends(plan.question))
        ends = (exp.Select(expressions=[aliased(label, PERIOD)]) for label in labels)
        yield PERIODS, _united([*(part.only_keys() for part in parts), *ends])
        yield KEYS, _every_period(plan.question.calendar, start)
        return
    selects = [part.only_keys(start) for part in parts]
    yield KEYS, _united(selects) if len(selects) > 1 else selects[0].distinct()


def _united(selects: Sequence[exp.Select]) -> exp.Query:
    """Return the different rows of some SELECTs; those of a single one as they are."""
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


def _every_period(calendar: Calendar, earliest: Sql | None) -> exp.Select:
    """Return every period from the first to the last, or from a given one on."""
    low, high = (fold(this=quoted_column(PERIOD, PERIODS)) for fold in (exp.Min, exp.Max))
    first = (
        low
        if earliest is None
        else exp.Greatest(this=low, expressions=[earliest], ignore_nulls=True)
    )
    named = [aliased(first, "first"), aliased(high, "last")]
    ends = exp.Select(expressions=named).from_(quoted_table(PERIODS), copy=False)
    span = ends.subquery("span", copy=False)
    names = exp.TableAlias(this=quoted("each"), columns=[quoted(PERIOD)])
    start, end = (quoted_column(name, "span") for name in ("first", "last"))
    days = EachDate(start=start, end=end, step=_length(calendar), alias=names)
    unnested = exp.Join(this=days, kind="CROSS")
    label = aliased(quoted_column(PERIOD, "each"), PERIOD)
    return exp.Select(expressions=[label], joins=[unnested]).from_(span, copy=False)


def _length(calendar: Calendar) -> exp.Interval:
    every = calendar.every
    if every is None or not (every.months or every.days):
        raise AssertionError(calendar)
    unit, count = ("MONTH", every.months) if every.months else ("DAY", every.days)
    return exp.Interval(this=exp.Literal.string(str(count)), unit=exp.var(unit))


def _final(plan: Plan, parts: Sequence[_Part]) -> exp.Select:
    """Return the SELECT of the keys and of the values of the metrics."""
    keys = parts[0].keys
    folds = {name: column for part in parts for name, column in part.folds.items()}
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
        if any(leaf.shift for leaf in planned.leaves):
            why = "an earlier period is set beside each; evaluate it"
            raise UnsupportedError(planned.metric.name, why)
        if calendar.has_periods and any(s.to_date and planned.rests_on(s) for s in plan.steps):
            why = "it grows from period to period; evaluate it"
            raise UnsupportedError(planned.metric.name, why)
        Arithmetic.check(planned, plan.question)
