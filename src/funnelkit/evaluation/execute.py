"""A plan carried out: its steps folded, aligned and made a result."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Mapping
from itertools import count

from funnelkit.engines.runner import Report, Runner
from funnelkit.errors import ContractError, FunnelkitError
from funnelkit.evaluation.history import known_since, known_until, warn_of_history, with_as_of
from funnelkit.planning.partial_periods import with_partial_periods
from funnelkit.planning.plan import Plan, Step
from funnelkit.result.align import align
from funnelkit.result.currencies import Currencies
from funnelkit.result.result import Result
from funnelkit.verification.rows import far_times

__all__ = ["answer"]


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
    try:
        return _computed(runner, made, progress=progress, is_sorted=is_sorted)
    except (OverflowError, ValueError) as error:
        is_ours = isinstance(error, FunnelkitError)
        if not is_ours and (faults := far_times(runner.data, runner.read)):
            raise ContractError(faults) from None
        raise


def _computed(runner: Runner, made: Plan, *, progress: bool, is_sorted: bool) -> Result:
    data, made = runner.data, with_as_of(runner, made)
    as_of = known_until(data, made)
    warn_of_history(runner, made)
    if as_of is not None:
        until = data.calendar.shown(as_of)
        end = made.question.span.end
        made = with_partial_periods(made, until if end is None else min(until, end))
    parts = [part.step for part in made.parts]
    steps = [*made.steps, *parts, *made.guards]
    answers = runner.fold(steps, report=_reporter(len(steps)) if progress else None)
    folds, guards = answers[: len(made.steps)], answers[len(made.steps) + len(parts) :]
    currencies = Currencies.of(made, [*folds, *guards], data.currency, data.schema)
    aligned = align(made, answers[: len(made.steps) + len(parts)], is_sorted=is_sorted)
    since: Mapping[str, dt.datetime | None] = {}
    if made.question.calendar.has_periods:
        since = known_since(runner, [planned.metric for planned in made.metrics])
    return Result.from_leaves(made, aligned, currencies, as_of, since)


def _reporter(total: int) -> Report:
    """Return a function that writes a line to standard error for each completed step."""
    done = count(1)

    def report(step: Step) -> None:
        first, *_ = str(step).splitlines()
        print(f"{next(done)} of {total}: {first}", file=sys.stderr, flush=True)  # noqa: T201

    return report
