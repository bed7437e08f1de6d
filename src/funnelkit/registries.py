"""The registry: metrics by name, immutable; and the default one, swapped as a whole."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping

import polars as pl

from funnelkit.catalog import BUILT_IN
from funnelkit.errors import UnknownNameError
from funnelkit.metric import AidaStage, Area, Card, Metric, Stage, resolve_all

__all__ = ["Registry", "describe", "find_metric", "register", "registry"]


class Registry(Mapping[str, Metric]):
    """Metrics by name. Aliases resolve; iterating gives each metric once.

    Args:
        metrics: The metrics. Names in text formulas are looked up among them.

    Raises:
        DefinitionError: Two metrics claim the same name or alias.
        UnknownNameError: A formula names a metric that is not among them.

    Examples:
        >>> import funnelkit as fk
        >>> fk.registry()["aov"].name
        'average_order_value'
    """

    __slots__ = ("_by_any_name", "_metrics")

    def __init__(self, metrics: Iterable[Metric] = ()) -> None:
        self._metrics = resolve_all(metrics)
        self._by_any_name = {
            name: metric
            for metric in self._metrics.values()
            for name in (metric.name, *metric.aliases)
        }

    def __getitem__(self, name: str) -> Metric:
        if name not in self._by_any_name:
            remedy = "fk.registry().find(text=…) searches them"
            raise UnknownMetricError("metric", name, sorted(self._by_any_name), remedy)
        return self._by_any_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self._by_any_name

    def __iter__(self) -> Iterator[str]:
        return iter(self._metrics)

    def __len__(self) -> int:
        return len(self._metrics)

    def __or__(self, other: Registry) -> Registry:
        """Give both together; refuses two metrics of one name."""
        return Registry((*self.values(), *(m for m in other.values() if m not in self.values())))

    def __repr__(self) -> str:
        return f"Registry of {len(self)} metrics: {', '.join(self)}"

    def replacing(self, metric: Metric) -> Registry:
        """Give the registry with one metric instead of the one of the same name."""
        return Registry({**{m.name: m for m in self.values()}, metric.name: metric}.values())

    def find(  # noqa: PLR0913  # what to look by, each by keyword
        self,
        *,
        stage: Stage | AidaStage | str | None = None,
        area: Area | str | None = None,
        table: str | None = None,
        tag: str | None = None,
        per: str | None = None,
        text: str | None = None,
    ) -> Registry:
        """Give the metrics that satisfy every condition.

        Args:
            stage: A stage of either funnel.
            area: A part of the business.
            table: A table that they read.
            tag: One of their tags.
            per: The dimension that their values belong to; "" for those that have
                a value without any.
            text: Words in a name, title, alias or description; case does not matter.
        """
        low = None if text is None else text.casefold()
        return Registry(
            metric
            for metric in self.values()
            if (stage is None or stage in {metric.stage, metric.aida})
            and (area is None or area == metric.area)
            and (table is None or table in metric.inputs)
            and (tag is None or tag in metric.tags)
            and (per is None or per == metric.per)
            and (low is None or low in _text(metric))
        )

    def to_frame(self) -> pl.DataFrame:
        """Give one row per metric: name, title, area, stage, unit, formula, aliases."""
        rows = [
            {
                "name": metric.name,
                "title": metric.title,
                "area": str(metric.area),
                "stage": None if metric.stage is None else str(metric.stage),
                "aida": None if metric.aida is None else str(metric.aida),
                "unit": str(metric.unit),
                "better": str(metric.better),
                "formula": str(metric.formula),
                "aliases": ", ".join(metric.aliases),
            }
            for metric in self.values()
        ]
        names = ("name", "title", "area", "stage", "aida", "unit", "better", "formula", "aliases")
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


class UnknownMetricError(UnknownNameError, KeyError):
    """As `UnknownNameError`; what a mapping lacks is a KeyError as well."""


def _text(metric: Metric) -> str:
    parts = (metric.name, metric.title, *metric.aliases, metric.description, *metric.tags)
    return "\n".join(parts).casefold()


class _Default:
    """Holds the default registry; readers see the old value or the new one, whole."""

    def __init__(self) -> None:
        self.value: Registry | None = None
        self.lock = threading.Lock()


_default = _Default()


def registry() -> Registry:
    """Give the default registry: the built-in metrics and those registered since."""
    if _default.value is None:
        with _default.lock:
            if _default.value is None:
                _default.value = Registry(BUILT_IN.values())
    return _default.value


def register(metric: Metric, *, replace: bool = False) -> Metric:
    """Add a metric to the default registry.

    Args:
        metric: The metric. Names in its text formula are looked up.
        replace: Whether it may take the place of a metric of the same name.

    Returns:
        The metric, with every name in its formula looked up.

    Raises:
        DefinitionError: A name or alias is taken.
        UnknownNameError: Its formula names a metric that is not registered.
    """
    current = registry()
    with _default.lock:
        current = _default.value or current
        looked_up = metric.resolved({name: current[name] for name in _names(current)})
        added = current.replacing(looked_up) if replace else current | Registry([looked_up])
        _default.value = added
    return looked_up


def _names(registry: Registry) -> list[str]:
    return [name for metric in registry.values() for name in (metric.name, *metric.aliases)]


def find_metric(registry: Registry, item: str | Metric) -> Metric:
    """Give a metric by name or alias; one given as an object is looked up in no registry.

    Raises:
        UnknownNameError: There is none of that name.
    """
    if isinstance(item, str):
        return registry[item]
    return item.resolved({name: registry[name] for name in _names(registry)})


def describe(metric: str | Metric) -> Card:
    """Give a metric's card: words, formula, inputs, unit, additivity, sources.

    Args:
        metric: A name, an alias, or a metric.

    Raises:
        UnknownNameError: There is no metric of that name.
    """
    return Card(find_metric(registry(), metric))
