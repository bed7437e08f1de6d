"""Running the laws: over one metric, or over all of a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from funnelkit.arguments import check_kind
from funnelkit.catalog.default import registry
from funnelkit.evaluation.evaluate import evaluate as evaluate_shop
from funnelkit.formula.table import Table
from funnelkit.metrics.metric import Metric
from funnelkit.testing.laws import LAWS, Law, LawBrokenError
from funnelkit.testing.strategies import shop_frames
from funnelkit.testing.trial import Evaluate, Trial

__all__ = ["LawsBrokenError", "check_law", "check_metric", "metric_laws"]


class LawsBrokenError(AssertionError):
    """A metric breaks laws.

    Attributes:
        broken: What each broken law found, on its smallest shop.
    """

    def __init__(self, broken: Sequence[LawBrokenError]) -> None:
        super().__init__(tuple(broken))
        self.broken = tuple(broken)

    def __str__(self) -> str:
        names = ", ".join(repr(error.law) for error in self.broken)
        head = f"{self.broken[0].metric} breaks {len(self.broken)} of {len(LAWS)} laws: {names}"
        return "\n\n".join([head, *map(str, self.broken)])


def check_metric(
    metric: Metric,
    *,
    tables: Iterable[type[Table]] = (),
    examples: int = 30,
    evaluate: Evaluate = evaluate_shop,
) -> None:
    """Run every law that applies to a metric, over generated shops.

    The shops are the same at each run.

    Args:
        metric: The metric; names in its formula are looked up in the default registry.
        tables: Declarations of the tables it reads beyond the canonical ones.
        examples: How many shops each law is tried on.
        evaluate: How a shop is evaluated: `fk.evaluate`, or an engine under test.

    Raises:
        LawsBrokenError: Laws are broken; reports each with the smallest shop that
            shows it.

    Examples:
        >>> import funnelkit as fk
        >>> from funnelkit.testing import check_metric
        >>> share = fk.Metric(name="share_online", formula="count(orders, where=orders.is_online)")
        >>> check_metric(share, examples=5)
    """
    check_kind("metric", metric, (Metric,), "look it up: fk.registry()['aov']")
    metric = metric.resolved(registry())
    declared = tuple(tables)
    broken = _broken(metric, declared, examples, evaluate)
    for name in broken:
        try:
            law = next(law for law in LAWS if law.name == name)
            check_law(metric, law, tables=declared, examples=examples, evaluate=evaluate)
        except LawBrokenError as error:
            broken[name] = error
    if broken:
        raise LawsBrokenError(list(broken.values()))


def check_law(
    metric: Metric,
    law: Law,
    *,
    tables: Iterable[type[Table]] = (),
    examples: int = 30,
    evaluate: Evaluate = evaluate_shop,
) -> None:
    """Run one law over a metric; does nothing where it does not apply.

    Args:
        metric: The metric.
        law: The law.
        tables: As for `check_metric`.
        examples: As for `check_metric`.
        evaluate: As for `check_metric`.

    Raises:
        LawBrokenError: The law is broken, on the smallest shop that shows it.
    """
    metric = metric.resolved(registry())
    if not law.applies(metric):
        return
    declared = tuple(tables)
    if not law.needs_data:
        law.enforce(Trial(metric, {}, declared, evaluate))
        return

    _over_shops(metric, declared, examples, evaluate, law.enforce)


def _broken(
    metric: Metric, declared: tuple[type[Table], ...], examples: int, evaluate: Evaluate
) -> dict[str, LawBrokenError]:
    """Return the laws that are broken, in their order, each on the first shop that shows it."""
    laws = [law for law in LAWS if law.applies(metric)]
    found: dict[str, LawBrokenError] = {}

    def look(trial: Trial, *, needs_data: bool = True) -> None:
        for law in laws:
            if law.needs_data is needs_data and law.name not in found:
                try:
                    law.enforce(trial)
                except LawBrokenError as error:
                    found[law.name] = error

    _over_shops(metric, declared, examples, evaluate, look)
    look(Trial(metric, {}, declared, evaluate), needs_data=False)
    return {law.name: found[law.name] for law in laws if law.name in found}


def _over_shops(
    metric: Metric,
    declared: tuple[type[Table], ...],
    examples: int,
    evaluate: Evaluate,
    look: Callable[[Trial], None],
) -> None:
    """Draw shops, the same at each run, and look at the metric on each."""

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=True,
        print_blob=False,
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    @given(frames=shop_frames(metric, tables=declared), seed=st.integers(0, 9))
    def holds(frames: dict[str, object], seed: int) -> None:
        look(Trial(metric, frames, declared, evaluate, seed))  # type: ignore[arg-type]  # Hypothesis hands out frames

    holds()


def metric_laws(metrics: Iterable[Metric]) -> list[tuple[Metric, Law]]:
    """Return every metric with every law that applies to it, as parameters for pytest.

    Args:
        metrics: The metrics, such as `fk.registry().values()`.

    Examples:
        >>> import funnelkit as fk
        >>> pairs = metric_laws([fk.registry()["orders"]])
        >>> [law.name for _, law in pairs][:2]
        ['row order', 'partition']
    """
    known = registry()
    resolved = [metric.resolved(known) for metric in metrics]
    return [(metric, law) for metric in resolved for law in LAWS if law.applies(metric)]
