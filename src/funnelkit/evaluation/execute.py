"""A plan carried out: its steps folded, aligned and made a result."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Container, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import count

import polars as pl

from funnelkit.engines.runner import Report, Runner
from funnelkit.errors import ContractError, FunnelkitError
from funnelkit.evaluation.history import known_since, known_until, warn_of_history, with_as_of
from funnelkit.planning.partial_periods import with_partial_periods
from funnelkit.planning.plan import IS_NAMED, UNITS, Plan, Step
from funnelkit.result.align import align, as_leaves, in_total
from funnelkit.result.currencies import Currencies
from funnelkit.result.result import Result, values_of
from funnelkit.verification.rows import far_times

__all__ = ["answer", "answer_of_units"]


def answer(runner: Runner, made: Plan, *, progress: bool = False, is_sorted: bool = True) -> Result:
    """Carry out a plan.

    Args:
        runner: What carries out its steps.
        made: The plan.
        progress: As for `evaluate`.
        is_sorted: Whether the rows of many groups are sorted, which takes longest of all.

    Raises:
        DataError: The number cannot be computed from the data; as for `evaluate`.
    """
    with _near_times(runner):
        made = _known(runner, made)
        answers = _folded(runner, made, progress=progress)
        return _result(runner, made, answers, is_sorted=is_sorted)


def answer_of_units(
    runner: Runner, made: Plan, of_each: Container[str]
) -> tuple[Result, pl.DataFrame]:
    """Carry out a plan that counts the rows of one table for each unit.

    Args:
        runner: What carries out its step.
        made: The plan.
        of_each: The names of the metrics that are wanted of each unit.

    Returns:
        The result of all units together in the other metrics, and these of the units: a row
        for all that have the same counts, with the keys, whether the units are named, their
        number, and the metrics.

    Raises:
        DataError: As for `answer`.
    """
    with _near_times(runner):
        made = _known(runner, made)
        (units,) = _folded(runner, made)
        others, own = made.without_unit().parted(of_each)
        whole = _result(runner, others, [in_total(others, units)])
        return whole, values_of(own, as_leaves(own, units), others=[IS_NAMED, UNITS])


@contextmanager
def _near_times(runner: Runner) -> Generator[None]:
    """Check that no time lies so far away that a calendar cannot hold it, where one fails."""
    try:
        yield
    except (OverflowError, ValueError) as error:
        is_ours = isinstance(error, FunnelkitError)
        if not is_ours and (faults := far_times(runner.data, runner.read)):
            raise ContractError(faults) from None
        raise


def _known(runner: Runner, made: Plan) -> Plan:
    """Return a plan as of the moment up to which the data is known, where that matters."""
    data, made = runner.data, with_as_of(runner, made)
    as_of = known_until(data, made)
    warn_of_history(runner, made)
    if as_of is None:
        return made
    until, end = data.calendar.shown(as_of), made.question.span.end
    return with_partial_periods(made, until if end is None else min(until, end))


def _folded(runner: Runner, made: Plan, *, progress: bool = False) -> list[pl.DataFrame]:
    """Return the answers to the steps of a plan, then to its parts, and to its guards."""
    steps = [*made.steps, *(part.step for part in made.parts), *made.guards]
    return runner.fold(steps, report=_reporter(len(steps)) if progress else None)


def _result(
    runner: Runner, made: Plan, answers: Sequence[pl.DataFrame], *, is_sorted: bool = True
) -> Result:
    data, many = runner.data, len(made.steps) + len(made.parts)
    of_amounts = [*answers[: len(made.steps)], *answers[many:]]
    currencies = Currencies.of(made, of_amounts, data.currency, data.schema)
    aligned = align(made, answers[:many], is_sorted=is_sorted)
    since: Mapping[str, dt.datetime | None] = {}
    if made.question.calendar.has_periods:
        since = known_since(runner, [planned.metric for planned in made.metrics])
    return Result.from_leaves(made, aligned, currencies, known_until(data, made), since)


def _reporter(total: int) -> Report:
    """Return a function that writes a line to standard error for each completed step."""
    done = count(1)

    def report(step: Step) -> None:
        first, *_ = str(step).splitlines()
        print(f"{next(done)} of {total}: {first}", file=sys.stderr, flush=True)  # noqa: T201

    return report
