"""Competing definitions of a KPI side by side: what each gives, and why they differ."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from funnelkit.calendar.calendar import Moment
from funnelkit.catalog.default import registry
from funnelkit.errors import DefinitionError
from funnelkit.evaluation.arguments import ask
from funnelkit.evaluation.evaluate import answer_question
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import find_metric
from funnelkit.shop.shop import Shop

__all__ = ["reconcile"]

WORDS = ("title", "includes", "excludes")


def reconcile(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metric: str | Metric,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> pl.DataFrame:
    """Compute a KPI by every definition that the registry has of it.

    The KPI is given by name or alias; its variants are those named after it with
    a dot. The other arguments are those of `evaluate`.

    Returns:
        A frame with `metric`, the period and keys, `value`, `numerator`,
        `denominator`, `n`, `unit`, `reason`, and the texts `title`, `includes` and
        `excludes` of each definition: the chosen one first. A definition for
        which inputs are missing has one row; its reason names the missing inputs.

    Raises:
        UnknownNameError: There is no metric of that name.
        DefinitionError: There is one definition only.

    Examples:
        >>> import funnelkit as fk
        >>> rows = fk.reconcile(fk.demo(), "aov")
        >>> rows.get_column("metric").first()
        'average_order_value'
    """
    chosen = find_metric(registry(), metric)
    known = registry().values()
    variants = [chosen, *(m for m in known if m.variant_of == chosen.name)]
    if len(variants) == 1:
        raise DefinitionError(
            f"{chosen.name} has one definition in the registry",
            f"register another under a name such as {chosen.name}.mine",
        )
    lacking = {m.name: sorted(shop.missing(m)) for m in variants}
    ready = [m for m in variants if not lacking[m.name]]
    found = [_missing(m, lacking[m.name]) for m in variants if lacking[m.name]]
    if ready:
        question = ask(shop, by=by, every=every, start=start, end=end, where=where)
        found.insert(0, answer_question(shop, ready, question).tidy())
    words = [{"metric": m.name, **{word: getattr(m, word) for word in WORDS}} for m in variants]
    order = pl.DataFrame(words).with_row_index("#order")
    rows = pl.concat(found, how="diagonal").join(order, on="metric", how="left")
    return rows.sort("#order", maintain_order=True).drop("#order")


def _missing(metric: Metric, lacking: Sequence[str]) -> pl.DataFrame:
    """Return the row of a definition that cannot be computed."""
    row = {
        "metric": metric.name,
        "unit": str(metric.unit),
        "reason": f"lacks {', '.join(lacking)}",
    }
    return pl.DataFrame([row])
