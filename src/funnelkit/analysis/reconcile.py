"""Competing definitions of a KPI side by side: what each gives, and why they differ."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from textwrap import fill

import polars as pl

from funnelkit.calendar.calendar import Moment
from funnelkit.catalog.default import registry
from funnelkit.errors import DefinitionError
from funnelkit.evaluation.arguments import ask
from funnelkit.evaluation.evaluate import answer_question
from funnelkit.formula.values import Dimension, Predicate
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import find_metric
from funnelkit.result.view import Figure, Shown, View
from funnelkit.shop.shop import Shop
from funnelkit.units import Display

__all__ = ["Reconciliation", "reconcile"]

WORDS = ("title", "includes", "excludes")
TEXT_WIDTH = 110


@dataclass(frozen=True, slots=True, repr=False, eq=False, kw_only=True)
class Reconciliation(View):
    """A KPI by each of its definitions.

    Attributes:
        keys: The period and the keys.
        currency: The code of the currency of amounts.
    """

    keys: tuple[str, ...]
    currency: str
    _frame: pl.DataFrame
    _variants: tuple[Metric, ...]

    @property
    def frame(self) -> pl.DataFrame:
        """One row per definition, period and group, those of the chosen definition first.

        `metric`, the period and keys, `value`, `numerator`, `denominator`, `n`, `unit`,
        `reason`, and the texts `title`, `includes` and `excludes` of each definition. A
        definition for which inputs are missing has one row; its reason names them.
        """
        return self._frame.clone()

    def _shown(self) -> Shown:
        rows = self._by_key() if self.keys else self._alone()
        return replace(rows, notes=[*self._because()], currency=self.currency)

    def _alone(self) -> Shown:
        """Return a row per definition, with its distance from the chosen one."""
        values = dict(self._frame.select("metric", "value").rows())
        base, first = values[self._variants[0].name], self._variants[0]
        names = [each.name for each in self._variants]
        texts = [
            each.unit.format(values[each.name], currency=self.currency) for each in self._variants
        ]
        apart = [
            "" if each is first else self._difference(each, values[each.name], base)
            for each in self._variants
        ]
        columns = {"definition": names, "value": _right(texts), "difference": _right(apart)}
        frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.String))
        return Shown(frame=frame, figures=(), keys=list(columns), notes=())

    def _difference(self, metric: Metric, value: float | None, base: float | None) -> str:
        """Return how far a value is from that of the chosen definition, and by what share."""
        if value is None or base is None:
            return ""
        apart = value - base
        if metric.unit.display is Display.PERCENT:
            size = f"{apart * 100:+,.2f} pp"
        else:
            size = metric.unit.format(apart, currency=self.currency)
            size = size if apart < 0 else f"+{size}"
        share = f" ({apart / abs(base):+.1%})" if base and apart else ""
        return f"{size if apart else '0'}{share}"

    def _by_key(self) -> Shown:
        """Return a row per period and group, and a column per definition."""
        known = self._frame.filter(~pl.col("reason").fill_null("").str.starts_with("lacks "))
        wide = known.pivot("metric", index=self.keys, values="value")
        figures = [Figure(m.name, m.unit) for m in self._variants if m.name in wide.columns]
        labels = [self._short(figure.name) for figure in figures]
        return Shown(frame=wide, figures=figures, keys=self.keys, notes=(), labels=labels)

    def _short(self, name: str) -> str:
        """Return the name of a variant without that of the chosen definition."""
        return name.removeprefix(self._variants[0].name) or name

    def _because(self) -> Iterator[str]:
        """Return a line per definition: what it counts that the chosen one does not."""
        first = self._variants[0]
        reasons = dict(self._frame.select("metric", "reason").unique("metric").rows())
        for each in self._variants:
            if (reasons[each.name] or "").startswith("lacks "):
                words = reasons[each.name]
            elif each is not first and each.includes == first.includes:
                words = f"excludes: {each.excludes}"
            else:
                words = each.includes
            yield fill(f"{self._short(each.name)}: {words}", TEXT_WIDTH, subsequent_indent="    ")


def _right(texts: Sequence[str]) -> list[str]:
    """Return texts of equal width, so that they end below each other."""
    width = max(map(len, texts))
    return [text.rjust(width) for text in texts]


def reconcile(  # noqa: PLR0913  # the question, every part of it by keyword
    shop: Shop,
    metric: str | Metric,
    *,
    by: str | Dimension | Sequence[str | Dimension] = (),
    every: str | Sequence[Moment] | None = None,
    start: Moment | None = None,
    end: Moment | None = None,
    where: Predicate | str | None = None,
) -> Reconciliation:
    """Compute a KPI by every definition that the registry has of it.

    The KPI is given by name or alias; its variants are those named after it with
    a dot. The other arguments are those of `evaluate`.

    Returns:
        The values side by side, each with its distance from the chosen definition and with
        what it includes or excludes; `frame` has them as rows.

    Raises:
        UnknownNameError: There is no metric of that name.
        DefinitionError: There is one definition only.

    Examples:
        >>> import funnelkit as fk
        >>> found = fk.reconcile(fk.demo(), "aov")
        >>> found.frame.get_column("metric").first()
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
    keys, currency = tuple[str, ...](), ""
    if ready:
        question = ask(shop, by=by, every=every, start=start, end=end, where=where)
        result = answer_question(shop, ready, question)
        found.insert(0, result.tidy())
        keys, currency = result.keys, result.currency
    words = [{"metric": m.name, **{word: getattr(m, word) for word in WORDS}} for m in variants]
    order = pl.DataFrame(words).with_row_index("#order")
    rows = pl.concat(found, how="diagonal").join(order, on="metric", how="left")
    rows = rows.sort("#order", maintain_order=True).drop("#order")
    if "value" not in rows.columns:
        rows = rows.with_columns(pl.lit(None, pl.Float64).alias("value"))
    return Reconciliation(keys=keys, currency=currency, _frame=rows, _variants=tuple(variants))


def _missing(metric: Metric, lacking: Sequence[str]) -> pl.DataFrame:
    """Return the row of a definition that cannot be computed."""
    row = {
        "metric": metric.name,
        "unit": str(metric.unit),
        "reason": f"lacks {', '.join(lacking)}",
    }
    return pl.DataFrame([row])
