"""Whether an engine can do what a plan needs, found before anything runs."""

from __future__ import annotations

from dataclasses import replace

from funnelkit.engines.runner import Runner
from funnelkit.engines.supports import Feature, Support, features_of
from funnelkit.errors import UnsupportedError
from funnelkit.planning.plan import Plan, Step

__all__ = ["check_supported"]


def check_supported(runner: Runner, made: Plan, support: Support) -> None:
    """Check that an engine, or a dialect, can do all that a plan needs; no data is read.

    Raises:
        UnsupportedError: It cannot; names the metric, and what it needs.
    """
    if not support.lacks:
        return
    for step, answer in zip(made.steps, runner.sketches(made.steps), strict=True):
        for feature, why in support.missing(answer.relation):
            name = _user(runner, made, step, feature)
            raise UnsupportedError(f"{name} on {support.title}: {feature}", why)


def _user(runner: Runner, made: Plan, step: Step, feature: Feature) -> str:
    """Return the name of a metric for which a step needs a part of the plan."""
    for planned in made.metrics:
        names = {leaf.name for leaf in planned.leaves}
        if folds := tuple(fold for fold in step.folds if fold.name in names):
            (alone,) = runner.sketches([replace(step, folds=folds)])
            if feature in features_of(alone.relation):
                return planned.metric.name
    raise AssertionError(step)
