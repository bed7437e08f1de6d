"""Steps: events by name, or conditions on events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from funnelkit.checks import check_kind
from funnelkit.errors import DefinitionError, MissingInputError, UnknownNameError, shortened
from funnelkit.formula.parsing import parse_predicate
from funnelkit.formula.values import Category, Predicate, PredicateNode
from funnelkit.journeys.rows import Reader

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


def check_events(reader: Reader, steps: Sequence[Step]) -> None:
    """Check that steps are events that the data has, or that its vocabulary names.

    The words of the data are known once it has been read.

    Raises:
        UnknownNameError: They are not; lists all such steps.
    """
    names = [step for step in steps if isinstance(step, str)]
    if not names:
        return
    column = event_name_of(reader)
    words = reader.data.seen_words.get(column)
    if words is None:
        return
    known = {*filter(None, words.meant.values()), *column.values}
    meant = column.meanings(names)
    if unknown := [name for name in names if meant[name] not in known]:
        errors = [UnknownNameError("event", name, sorted(known)) for name in unknown]
        others = [f"{e.name!r} (like {', '.join(e.nearest) or 'no other'})" for e in errors[1:]]
        remedy = "nor " + " nor ".join(others) if others else ""
        raise UnknownNameError("event", unknown[0], sorted(known), remedy)


def event_name_of(reader: Reader) -> Category:
    """Return the column of the names of events.

    Raises:
        MissingInputError: Events have no names.
    """
    column = reader.data.column(reader.table, "event_name")
    if lacking := reader.data.missing_for(column):
        raise MissingInputError(dict.fromkeys(sorted(lacking), ("the steps",)))
    return cast("Category", column)
