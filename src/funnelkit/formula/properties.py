"""What follows from a formula: unit, inputs, additivity, ratio, lineage.

None of it is declared anywhere, so none of it can be declared wrongly.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from funnelkit.errors import DefinitionError, UnitError, UnknownNameError
from funnelkit.formula.formulas import (
    Aggregate,
    Applied,
    Arithmetic,
    ClosingBalance,
    Constant,
    Count,
    CountDistinct,
    CountRetained,
    Formula,
    Max,
    Mean,
    Min,
    Name,
    PeriodDays,
    PerKey,
    PolarsExpr,
    Quantile,
    Reference,
    StdDev,
    Sum,
    measured,
    source_of,
    unit_of_aggregate,
)
from funnelkit.formula.functions import AnyApplied, Function, Sample, function_of
from funnelkit.formula.operators import Operator
from funnelkit.formula.values import (
    Category,
    Column,
    Flag,
    Key,
    Lookup,
    PerKeyColumn,
    Predicate,
    Score,
    Time,
    Value,
)
from funnelkit.formula.walk import conjuncts, leaves, nodes_in
from funnelkit.units import NUMBER, Unit

__all__ = [
    "Additivity",
    "additivity",
    "aggregates",
    "check_averages",
    "check_grows",
    "columns_of",
    "compares_groups",
    "functions_in",
    "has_node",
    "inputs",
    "is_count",
    "is_of_each_group",
    "names_in",
    "natives",
    "needs_periods",
    "parts_of",
    "references",
    "replace_names",
    "split_ratio",
    "tally_of",
    "unit_of_formula",
    "walk",
    "with_names",
]


@dataclass(frozen=True, slots=True)
class Additivity:
    """Along what a value may be added up.

    Attributes:
        over_time: Whether periods add up to the longer period.
        over_keys: Whether groups add up to the total.
    """

    over_time: bool
    over_keys: bool

    def __str__(self) -> str:
        match self.over_time, self.over_keys:
            case True, True:
                return "adds up over time and over groups"
            case False, True:
                return "adds up over groups, not over time"
            case True, False:
                return "adds up over time, not over groups"
            case _:
                return "does not add up: recompute it at each level"


def unit_of_formula(formula: Formula) -> Unit:
    """Return the unit of a formula.

    Raises:
        UnitError: It adds or subtracts values of different units.
        DefinitionError: It names a metric that has not been looked up.
    """
    match formula:
        case Constant() | PeriodDays():
            return NUMBER
        case Reference() | PolarsExpr():
            return formula.unit
        case Name(name):
            raise DefinitionError(f"metric {name!r} is not looked up yet", "register the metric")
        case Applied():
            rule = function_of(formula).unit
            return rule if isinstance(rule, Unit) else rule(unit_of_formula(formula.formula))
        case Arithmetic(operator, left, right):
            one, two = unit_of_formula(left), unit_of_formula(right)
            if operator is Operator.MULTIPLY:
                return one * two
            if operator is Operator.DIVIDE:
                return one / two
            if not one.fits(two):
                raise UnitError(str(formula), str(one), str(two))
            return one
        case Min(value) | Max(value) if isinstance(value, Key | Category | Time):
            raise DefinitionError(f"{formula} is not a number", "use it inside a PerKey, or count")
        case _:
            return unit_of_aggregate(formula)


def walk(formula: Formula) -> Iterator[Formula]:
    """Yield a formula and every one inside it, including its metrics, in reading order."""
    yield formula
    match formula:
        case Reference() | Applied():
            yield from walk(formula.formula)
        case Arithmetic(_, left, right):
            yield from walk(left)
            yield from walk(right)
        case _:
            return


def has_node(formula: Formula, *kinds: type) -> bool:
    """Return whether a formula, including its metrics, has a node of one of the types."""
    return any(isinstance(node, kinds) for node in walk(formula))


def aggregates(formula: Formula) -> Iterator[Aggregate]:
    """Yield every aggregate of a formula, including its metrics, in reading order."""
    return (node for node in walk(formula) if isinstance(node, Aggregate))


def parts_of(aggregate: Aggregate) -> Iterator[Value | Predicate]:
    """Return every value and predicate of an aggregate, including those of its `PerKey`."""
    yield from (part for part in (measured(aggregate), aggregate.where) if part is not None)
    if isinstance(aggregate, Sum) and isinstance(aggregate.require_single, Column):
        yield aggregate.require_single
    rollup = aggregate.of
    if rollup is not None:
        yield rollup.key
        if rollup.where is not None:
            yield rollup.where
        for _, inner in rollup.columns:
            yield from parts_of(inner)


def columns_of(aggregate: Aggregate) -> Iterator[Column | Lookup]:
    """Return every column and lookup of its source table that an aggregate reads."""
    for part in parts_of(aggregate):
        yield from leaves(part)


def inputs(
    formula: Formula, *, as_read: Callable[[Aggregate], Aggregate] | None = None
) -> dict[str, tuple[str, ...]]:
    """Return the tables that a formula reads and, of each, the columns, sorted."""
    found: dict[str, set[str]] = {}
    for aggregate in map(as_read, aggregates(formula)) if as_read else aggregates(formula):
        found.setdefault(source_of(aggregate), set())
        for leaf in columns_of(aggregate):
            _add_inputs(leaf, found)
    for native in natives(formula):
        roots = set(native.expression.meta.root_names())
        found.setdefault(native.table, set()).update(roots)
    return {table: tuple(sorted(columns)) for table, columns in sorted(found.items())}


def natives(formula: Formula) -> Iterator[PolarsExpr]:
    """Return every Polars expression in a formula."""
    return (node for node in walk(formula) if isinstance(node, PolarsExpr))


def _add_inputs(leaf: Column | Lookup, found: dict[str, set[str]]) -> None:
    if isinstance(leaf, Column):
        found.setdefault(leaf.table, set()).add(leaf.name)
    else:
        _add_inputs(leaf.key, found)
        _add_inputs(leaf.value, found)


def references(formula: Formula) -> tuple[Reference, ...]:
    """Return the metrics that a formula names directly, in reading order, once each."""
    found: dict[str, Reference] = {}

    def walk(node: Formula) -> None:
        match node:
            case Reference():
                found.setdefault(node.name, node)
            case Applied():
                walk(node.formula)
            case Arithmetic(_, left, right):
                walk(left)
                walk(right)
            case _:
                return

    walk(formula)
    return tuple(found.values())


def names_in(formula: Formula) -> tuple[str, ...]:
    """Return the metric names in a formula that are not resolved."""
    match formula:
        case Name(name):
            return (name,)
        case Applied(inner):
            return names_in(inner)
        case Arithmetic(_, left, right):
            return (*names_in(left), *names_in(right))
        case _:
            return ()


def replace_names(formula: Formula, found: Mapping[str, Reference]) -> Formula:
    """Return the formula with every name replaced by its metric.

    Raises:
        UnknownNameError: A name is not among those found.
    """

    def looked_up(node: Name | Reference) -> Formula:
        if isinstance(node, Reference):
            return node
        if node.name not in found:
            raise UnknownNameError("metric", node.name, list(found))
        return found[node.name]

    return _with_metrics(formula, looked_up)


def with_names(formula: Formula, names: Container[str]) -> Formula:
    """Return the formula with metrics of some names as bare names, to be looked up again."""
    return _with_metrics(formula, lambda node: Name(node.name) if node.name in names else node)


def _with_metrics(formula: Formula, change: Callable[[Name | Reference], Formula]) -> Formula:
    """Return a formula with the metrics that it names directly replaced."""
    match formula:
        case Name() | Reference():
            return change(formula)
        case Applied(inner):
            return replace(formula, formula=_with_metrics(inner, change))
        case Arithmetic(operator, left, right):
            sides = (_with_metrics(side, change) for side in (left, right))
            return Arithmetic(operator, *sides)
        case _:
            return formula


def additivity(formula: Formula) -> Additivity:
    """Return the dimensions over which a formula's values may be added up."""
    match formula:
        case Reference(_, inner):
            return additivity(inner)
        case Applied():
            adds = function_of(formula).adds_over_groups and additivity(formula.formula).over_keys
            return Additivity(over_time=False, over_keys=adds)
        case Constant() | PeriodDays() | Name() | PolarsExpr():
            return Additivity(over_time=False, over_keys=False)
        case Arithmetic(operator, left, right):
            return _additivity_of_arithmetic(operator, left, right)
        case _:
            return _additivity_of_aggregate(formula)


def _additivity_of_arithmetic(operator: Operator, left: Formula, right: Formula) -> Additivity:
    if operator.binds == 1:
        one, two = additivity(left), additivity(right)
        return Additivity(one.over_time and two.over_time, one.over_keys and two.over_keys)
    if isinstance(right, Constant):
        return additivity(left)
    if isinstance(left, Constant) and operator is Operator.MULTIPLY:
        return additivity(right)
    return Additivity(over_time=False, over_keys=False)


def _additivity_of_aggregate(aggregate: Aggregate) -> Additivity:
    match aggregate:
        case Sum():
            adds = (
                aggregate.of is None and aggregate.require_single is None and aggregate.skip_nulls
            )
        case Count():
            adds = aggregate.of is None
        case CountDistinct():
            adds = _is_once(aggregate)
        case ClosingBalance():
            return Additivity(over_time=False, over_keys=True)
        case CountRetained() | Mean() | Min() | Max() | Quantile() | StdDev():
            adds = False
        case _:
            assert_never(aggregate)
    return Additivity(over_time=adds, over_keys=adds)


def _is_once(aggregate: CountDistinct) -> bool:
    """Return whether no two included rows can hold the same value."""
    if not isinstance(aggregate.value, Column):
        return False
    if aggregate.value.unique_within == aggregate.value.name:
        return True
    flags = [part for part in conjuncts(aggregate.where) if isinstance(part, Flag)]
    return any(flag.unique_within == aggregate.value.name for flag in flags)


def check_grows(aggregate: Aggregate | PolarsExpr) -> None:
    """Raise if a fold cannot be accumulated from one period to the next.

    Raises:
        DefinitionError: It is not a sum, count or distinct count.
    """
    match aggregate:
        case CountDistinct():
            grows = aggregate.of is None
        case Sum() | Count():
            inner = aggregate.of.columns if isinstance(aggregate.of, PerKey) else ()
            grows = all(isinstance(fold, Sum | Count | Min | Max) for _, fold in inner)
            strict = [fold for fold in (aggregate, *(f for _, f in inner)) if isinstance(fold, Sum)]
            grows = grows and all(
                fold.skip_nulls and fold.require_single is None for fold in strict
            )
        case (
            Mean()
            | Min()
            | Max()
            | Quantile()
            | StdDev()
            | ClosingBalance()
            | CountRetained()
            | PolarsExpr()
        ):
            grows = False
        case _:
            assert_never(aggregate)
    if not grows:
        raise DefinitionError(
            f"cumulative({aggregate}) cannot be grown row by row",
            "use sums, counts and distinct counts, of a table or of a rollup of such",
        )


def check_averages(formula: Formula) -> None:
    """Raise for the mean of a mean: a mean of few rows would weigh as much as one of many.

    Raises:
        DefinitionError: It is.
    """
    for fold in aggregates(formula):
        if isinstance(fold, Mean) and fold.of is not None:
            means = {name for name, inner in fold.of.columns if isinstance(inner, Mean)}
            if any(isinstance(n, PerKeyColumn) and n.name in means for n in nodes_in(fold.value)):
                remedy = "divide a sum by a count, so that each weighs as many rows as it has"
                raise DefinitionError(f"{fold} averages averages", remedy)


def split_ratio(formula: Formula) -> tuple[Formula, Formula] | None:
    """Return the numerator and denominator of a formula, if it is a ratio.

    A ratio stays one when it is scaled by a constant, or a constant is added:
    `1 - a / b` is `(b - a) / b`.
    """
    match formula:
        case Reference(_, inner):
            return split_ratio(inner)
        case Mean(value, where=where, of=None) if not isinstance(value, Score):
            return Sum(value, where=where), Count(value, where=where)
        case Arithmetic(Operator.DIVIDE, left, right) if not isinstance(right, Constant):
            return left, right
        case Arithmetic(operator, Constant() as constant, right) if found := split_ratio(right):
            above, below = found
            if operator is Operator.MULTIPLY:
                return Arithmetic(operator, constant, above), below
            scaled = (
                below if constant.value == 1 else Arithmetic(Operator.MULTIPLY, constant, below)
            )
            return Arithmetic(operator, scaled, above), below
        case _:
            return None


def is_count(formula: Formula) -> bool:
    """Return whether a formula yields whole numbers: counts, added and subtracted."""
    match formula:
        case Count() | CountDistinct() | CountRetained():
            return True
        case Reference(_, inner):
            return is_count(inner)
        case Applied(inner):
            function = function_of(formula)
            return function.is_whole or (function.keeps_counts and is_count(inner))
        case Arithmetic(Operator.MULTIPLY, Constant() as times, right):
            return is_count(times) and is_count(right)
        case Arithmetic(operator, left, right):
            return operator.binds == 1 and is_count(left) and is_count(right)
        case Constant(value):
            return float(value).is_integer()
        case _:
            return False


def tally_of(formula: Formula) -> Formula | None:
    """Return the sample size of a formula as a formula; None where no single number describes it.

    A sum of counts, such as impressions, is its own sample size; for any other
    fold it is the number of values included.
    """
    if _is_tally(formula):
        return formula
    match formula:
        case Sum(value) | Mean(value) | Min(value) | Max(value) | Quantile(value) | StdDev(value):
            if formula.of is None:
                return Count(value, where=formula.where)
            has_value = ~value.is_null()
            kept = has_value if formula.where is None else formula.where & has_value
            return Count(formula.of, where=kept)
        case Reference(_, inner):
            return tally_of(inner)
        case Applied():
            return _tally_of_applied(formula)
        case _:
            return None


def _tally_of_applied(formula: AnyApplied) -> Formula | None:
    sample = function_of(formula).sample
    inner = None if sample is Sample.NONE else tally_of(formula.formula)
    if inner is None or sample is Sample.OF_ARGUMENT:
        return inner
    return replace(formula, formula=inner)


def _is_tally(formula: Formula) -> bool:
    """Return whether a formula only adds up counts."""
    match formula:
        case Count() | CountDistinct() | CountRetained():
            return True
        case Sum():
            return unit_of_formula(formula).is_tally
        case Reference(_, inner):
            return _is_tally(inner)
        case Applied(inner):
            return function_of(formula).keeps_counts and _is_tally(inner)
        case Arithmetic(Operator.ADD, left, right):
            return _is_tally(left) and _is_tally(right)
        case _:
            return False


def needs_periods(formula: Formula) -> bool:
    """Return whether a formula compares periods."""
    return any(
        function_of(node).compares_periods
        if isinstance(node, Applied)
        else isinstance(node, CountRetained)
        for node in walk(formula)
    )


def functions_in(formula: Formula) -> Iterator[Function]:
    """Return the functions of a formula, including those of its metrics, in reading order."""
    return (function_of(node) for node in walk(formula) if isinstance(node, Applied))


def compares_groups(formula: Formula) -> bool:
    """Return whether the value of a group depends on the other groups."""
    return any(function.compares_groups for function in functions_in(formula))


def is_of_each_group(formula: Formula) -> bool:
    """Return whether a formula has no value for all groups together."""
    return any(function.is_of_each_group for function in functions_in(formula))
