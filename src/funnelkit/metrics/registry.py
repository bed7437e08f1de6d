"""The registry: metrics by name, immutable; and the default one, swapped as a whole."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from types import NoneType

import polars as pl

from funnelkit.arguments import check_choices, check_kind, check_most
from funnelkit.errors import DefinitionError, UnitError, UnknownNameError
from funnelkit.formula.formulas import Reference
from funnelkit.formula.properties import names_in, walk, with_names
from funnelkit.formula.table import Table
from funnelkit.metrics.listing import MOST_ROWS, listing_html, listing_text
from funnelkit.metrics.metric import AidaStage, Area, Metric, Stage, resolve_all

__all__ = ["Registry", "find_metric"]


class Registry(Mapping[str, Metric]):
    """Metrics by name. Aliases resolve; iterating gives each metric once.

    Args:
        metrics: The metrics. Names in text formulas are looked up among them.
        origin: Where they come from, for messages: a file, a package.
        among: Other metrics that their formulas may name.
        tables: Declarations of the tables that they read beyond the canonical ones.

    Raises:
        DefinitionError: Two metrics claim the same name or alias.
        UnknownNameError: A formula names a metric that is not among them.

    Examples:
        >>> import funnelkit as fk
        >>> fk.registry()["aov"].name
        'average_order_value'
    """

    __slots__ = ("_by_any_name", "_metrics", "_origins", "_tables")

    def __init__(
        self,
        metrics: Iterable[Metric] = (),
        *,
        origin: str = "this session",
        among: Mapping[str, Metric] | None = None,
        tables: Iterable[type[Table]] = (),
    ) -> None:
        metrics = list(metrics)
        for item in metrics:
            check_kind("a metric", item, (Metric,), "pass fk.Metric objects")
        self._metrics = resolve_all(metrics, among={} if among is None else _any_names(among))
        self._origins = dict.fromkeys(self._metrics, origin)
        self._tables = tuple(tables)
        self._by_any_name = _any_names(self._metrics)

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
        """Return the union of both; raises if two metrics share a name."""
        for name, metric in _any_names(other).items():
            if name in self and self[name] != metric:
                one = f"{self[name].name!r} of {self.origin(name)}"
                two = f"{metric.name!r} of {other.origin(name)}"
                raise DefinitionError(
                    f"{name!r} names both {one} and {two}",
                    "rename one, drop the alias, or register with replace=True",
                )
        return self.replacing(other)

    def __repr__(self) -> str:
        return self.to_text(rows=MOST_ROWS)

    def _repr_html_(self) -> str:
        return listing_html(tuple(self.values()))

    def to_text(self, *, rows: int | None = None) -> str:
        """Return the metrics as a table: name, meaning, unit and stage.

        Args:
            rows: How many metrics are shown at most; None for all.

        Raises:
            DefinitionError: It is not a whole number above zero.
        """
        check_most("rows", rows)
        return listing_text(tuple(self.values()), rows=rows)

    @property
    def tables(self) -> tuple[type[Table], ...]:
        """The declarations of the tables that the metrics read beyond the canonical ones."""
        return self._tables

    def origin(self, name: str) -> str:
        """Return the origin of a metric."""
        return self._origins[self[name].name]

    def replacing(self, metrics: Registry | Metric) -> Registry:
        """Return the registry with metrics in place of those of the same names.

        Metrics whose formulas refer to a replaced one are of the new one from then on.

        Raises:
            DefinitionError: The new one refers to itself or to one of those.
            UnitError: The formula of one of those no longer has its unit.
        """
        other = Registry([metrics]) if isinstance(metrics, Metric) else metrics
        union = {**self, **other}
        replaced = {name for name in other if name in self and self[name] != other[name]}
        changed = replaced | {n for n, metric in union.items() if _rests_on(metric) & replaced}
        try:
            both = Registry(_looked_up_again(metric, changed) for metric in union.values())
        except UnitError as error:
            context = f"{', '.join(sorted(replaced))} cannot be replaced: {error.context}"
            raise UnitError(context, error.left, error.right) from None
        both._origins = {name: (other if name in other else self).origin(name) for name in both}
        both._tables = tuple(dict.fromkeys((*self.tables, *other.tables)))
        return both

    def find(  # noqa: PLR0913  # what to look by, each by keyword
        self,
        *,
        stage: Stage | AidaStage | str | None = None,
        area: Area | str | None = None,
        table: str | None = None,
        tag: str | None = None,
        required_dimension: str | None = None,
        text: str | None = None,
    ) -> Registry:
        """Return the metrics that satisfy every condition.

        Args:
            stage: A stage of either funnel.
            area: A part of the business.
            table: A table that they read.
            tag: One of their tags.
            required_dimension: The dimension that their values belong to; "" for those that have
                a value without any.
            text: Words in a name, title, alias or description; case does not matter.

        Raises:
            DefinitionError: A stage or area is unknown, or a search term is not a text.
        """
        _check_choice("stage", stage, [*Stage, *AidaStage])
        _check_choice("area", area, Area)
        for name, given in {
            "table": table,
            "tag": tag,
            "required_dimension": required_dimension,
            "text": text,
        }.items():
            check_kind(name, given, (str, NoneType), "pass a search term")
        low = None if text is None else text.casefold()
        chosen = (
            metric
            for metric in self.values()
            if (stage is None or stage in {metric.stage, metric.aida})
            and (area is None or area == metric.area)
            and (table is None or table in metric.inputs)
            and (tag is None or tag in metric.tags)
            and (required_dimension is None or required_dimension == metric.required_dimension)
            and (low is None or low in _text(metric))
        )
        found = Registry(chosen, tables=self.tables)
        found._origins = {name: self._origins[name] for name in found}
        return found

    def to_frame(self) -> pl.DataFrame:
        """Return one row per metric: name, title, area, stage, unit, formula, aliases."""
        rows = [
            {
                "name": metric.name,
                "title": metric.title,
                "area": str(metric.area),
                "stage": None if metric.stage is None else str(metric.stage),
                "aida": None if metric.aida is None else str(metric.aida),
                "unit": str(metric.unit),
                "direction": str(metric.direction),
                "formula": str(metric.formula),
                "aliases": ", ".join(metric.aliases),
            }
            for metric in self.values()
        ]
        names = (
            "name",
            "title",
            "area",
            "stage",
            "aida",
            "unit",
            "direction",
            "formula",
            "aliases",
        )
        return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String))


class UnknownMetricError(UnknownNameError, KeyError):
    """As `UnknownNameError`; what a mapping lacks is a KeyError as well."""


def _text(metric: Metric) -> str:
    parts = (metric.name, metric.title, *metric.aliases, metric.description, *metric.tags)
    return "\n".join(parts).casefold()


def _rests_on(metric: Metric) -> frozenset[str]:
    """Return the metrics that a formula refers to, and those that these refer to."""
    return frozenset(node.name for node in walk(metric.formula) if isinstance(node, Reference))


def _looked_up_again(metric: Metric, names: Container[str]) -> Metric:
    """Return a metric with some names in its formula not looked up."""
    formula = with_names(metric.formula, names)
    return metric if formula == metric.formula else replace(metric, formula=formula)


def _any_names(metrics: Mapping[str, Metric]) -> dict[str, Metric]:
    return {name: m for m in metrics.values() for name in (m.name, *m.aliases)}


def _check_choice(name: str, given: object, known: Iterable[str]) -> None:
    if given is not None:
        check_choices((name, given, known))


def find_metric(registry: Registry, item: str | Metric) -> Metric:
    """Return a metric by name or alias; a metric object is returned without a lookup.

    Raises:
        UnknownNameError: The name is unknown.
    """
    if isinstance(item, str):
        return registry[item]
    check_kind("metric", item, (Metric,), "pass a name or a metric")
    return item.resolved(_any_names(registry)) if names_in(item.formula) else item
