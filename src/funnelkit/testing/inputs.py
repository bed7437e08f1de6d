"""What must be drawn so that a metric can be computed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from funnelkit.errors import DefinitionError
from funnelkit.formula.derived import (
    Default,
    FirstOver,
    NextOver,
    NumberOver,
    PeriodOf,
    PreviousOver,
    dependencies,
)
from funnelkit.formula.properties import aggregates, inputs, parts_of
from funnelkit.formula.table import Table
from funnelkit.formula.values import (
    Category,
    Column,
    Comparison,
    IsIn,
    Literal,
    Lookup,
    Predicate,
    Quantity,
    Value,
)
from funnelkit.formula.walk import nodes_in
from funnelkit.metrics.metric import Metric
from funnelkit.schema.derivations import RULES
from funnelkit.schema.policies import POLICIES, policy_rules
from funnelkit.schema.tables import known_tables

__all__ = ["RULES_OF", "Needed", "check_declared", "needed_columns", "nodes_of", "plain_columns"]

_WINDOWS = (NumberOver, FirstOver, PreviousOver, NextOver, PeriodOf)


@dataclass(frozen=True, slots=True)
class Needed:
    """What metrics read.

    Attributes:
        columns: The columns to draw, by table.
        words: The texts that conditions compare with.
    """

    columns: dict[type[Table], tuple[Column, ...]]
    words: tuple[str, ...]


def needed_columns(metrics: Iterable[Metric], tables: Sequence[type[Table]]) -> Needed:
    """Return what is to be generated.

    What only a window over the history can tell, such as which order is the
    first, is left to be derived; everything else is drawn as it is named.
    """
    known = known_tables(tables)
    found: dict[type[Table], dict[Column, None]] = {}
    words: dict[str, None] = {}
    for metric in metrics:
        check_declared(metric, known)
        named = _columns(metric)
        for table, names in inputs(metric.formula).items():
            found.setdefault(known[table], {})
            for name in names:
                is_named = (table, name) in named
                column = named[table, name] if is_named else _of_native(known[table], name)
                for drawn in _drawn(column):
                    found.setdefault(known[drawn.table], {})[drawn] = None
            for column in _path_to(metric.required_dimension, known[table], known):
                for drawn in _drawn(column):
                    found.setdefault(known[drawn.table], {})[drawn] = None
        words |= dict.fromkeys(_words(metric))
    return Needed({table: tuple(columns) for table, columns in found.items()}, tuple(words))


def check_declared(metric: Metric, known: Mapping[str, type[Table]]) -> None:
    """Check that every table that a metric reads is declared.

    Raises:
        DefinitionError: Some are not.
    """
    if unknown := [repr(table) for table in metric.inputs if table not in known]:
        problem = f"{metric.name} reads the table {', '.join(unknown)}, which is not known"
        raise DefinitionError(problem, "declare it: tables=(…,)")


def _path_to(name: str, table: type[Table], known: Mapping[str, type[Table]]) -> tuple[Column, ...]:
    """Return the columns that give a table a dimension: its own, or a key and a parent's."""
    if not name:
        return ()
    if name in table.columns:
        return (table.columns[name],)
    for key, parent in table.parents.items():
        if name in known[parent].columns:
            return (table.columns[key], known[parent].columns[name])
    return ()


def _columns(metric: Metric) -> dict[tuple[str, str], Column]:
    return {(node.table, node.name): node for node in nodes_of(metric) if isinstance(node, Column)}


def _of_native(table: type[Table], name: str) -> Column:
    if name in table.columns:
        return table.columns[name]
    return Quantity(table=table.table, name=name, is_declared=False)


def plain_columns(table: type[Table]) -> tuple[Column, ...]:
    """Return the columns of a table by which rows can be grouped and filtered."""
    return tuple(
        column
        for column in table.columns.values()
        if not any(isinstance(rule, PeriodOf) for rule in RULES_OF.get(column, ()))
    )


def _drawn(column: Column) -> Iterator[Column]:
    rules = [rule for rule in (RULES_OF.get(column) or ()) if not isinstance(rule, Default)]
    if not rules or not (column.unique_within or isinstance(rules[0], _WINDOWS)):
        yield column
        return
    for item in dependencies(rules[0]):
        yield from _drawn(item.key if isinstance(item, Lookup) else item)


RULES_OF = {**RULES, **policy_rules(POLICIES["default"])}
"""How each column is derived, under the default order policy."""


def nodes_of(metric: Metric) -> Iterator[Value | Predicate]:
    """Return every value and predicate of a metric's folds, and their parts."""
    for aggregate in aggregates(metric.formula):
        for part in parts_of(aggregate):
            yield from nodes_in(part)


def _words(metric: Metric) -> Iterator[str]:
    """Return the texts that a metric's conditions compare categories with."""
    for node in nodes_of(metric):
        match node:
            case Comparison(_, Category(), Literal(str() as word)):
                yield word
            case IsIn(Category(), options):
                yield from (word for word in options if isinstance(word, str))
            case _:
                continue
