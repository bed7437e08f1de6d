"""Steps: events by name, or conditions on events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from funnelkit.arguments import check_kind
from funnelkit.errors import DefinitionError, MissingInputError, UnknownNameError, shortened
from funnelkit.formula.operators import Relation
from funnelkit.formula.parsing import parse_predicate
from funnelkit.formula.values import (
    And,
    Category,
    Column,
    Comparison,
    IsIn,
    Literal,
    Or,
    Predicate,
    PredicateNode,
)
from funnelkit.journeys.rows import Reader
from funnelkit.planning.vocabulary import meanings

__all__ = ["Step", "check_events", "event_name_of", "step_of"]

Step = str | tuple[str, Predicate | str]
"""The name of an event, or a name and a condition on events."""

REMEDY = "write 'purchase', or ('big purchase', \"event_name == 'purchase' and value > 100\")"


def step_of(reader: Reader, step: Step) -> tuple[str, Predicate]:
    """Return the name of a step, and the condition on events that it is.

    Args:
        reader: What reads the events.
        step: The name of an event, or a name and a condition.

    Raises:
        FunnelkitError: The condition is not one on events.
        MissingInputError: Events have no names.
    """
    check_kind("a step", step, (str, tuple), REMEDY)
    if isinstance(step, str):
        column = event_name_of(reader)
        return step, reader.predicate(column.eq(step))
    if len(step) != 2:
        raise DefinitionError(f"{shortened(step)} is not a step", REMEDY)
    name, condition = step
    check_kind("the name of a step", name, (str,), REMEDY)
    check_kind(f"the step {name!r}", condition, (str, PredicateNode), REMEDY)
    read = parse_predicate(condition) if isinstance(condition, str) else condition
    return name, reader.predicate(read)


def check_events(reader: Reader, conditions: Sequence[Predicate]) -> None:
    """Check that each step looks for an event of the data or of its vocabulary, if for any.

    The words of the data are known once it has been read. A step may look for several events,
    of which some need not have happened.

    Args:
        reader: What reads the events.
        conditions: The conditions on events that steps are.

    Raises:
        UnknownNameError: Some do not; lists all events for which they look.
    """
    wanted = [names for names in map(list, map(_events_of, conditions)) if names]
    if not wanted:
        return
    column = event_name_of(reader)
    words = reader.data.seen_words.get(column)
    if words is None:
        return
    known = {*filter(None, words.meant.values()), *column.values}
    meant = [meanings(reader.data, column, names) for names in wanted]
    if unknown := [name for own in meant if known.isdisjoint(own.values()) for name in own]:
        errors = [UnknownNameError("event", name, sorted(known)) for name in dict.fromkeys(unknown)]
        others = [f"{e.name!r} (like {', '.join(e.nearest) or 'no other'})" for e in errors[1:]]
        remedy = "nor " + " nor ".join(others) if others else ""
        raise UnknownNameError("event", unknown[0], sorted(known), remedy)


def _events_of(condition: Predicate) -> Iterator[str]:
    """Yield the names of the events for which a condition looks."""
    match condition:
        case And(left, right) | Or(left, right):
            yield from _events_of(left)
            yield from _events_of(right)
        case Comparison(
            Relation.EQ, Column(name="event_name"), Literal(str() as name)
        ) | Comparison(Relation.EQ, Literal(str() as name), Column(name="event_name")):
            yield name
        case IsIn(Column(name="event_name"), options):
            yield from (name for name in options if isinstance(name, str))
        case _:
            pass


def event_name_of(reader: Reader) -> Category:
    """Return the column of the names of events.

    Raises:
        MissingInputError: Events have no names.
    """
    column = reader.data.column(reader.table, "event_name")
    if lacking := reader.data.missing_for(column):
        raise MissingInputError(dict.fromkeys(sorted(lacking), ("the steps",)))
    return cast("Category", column)
