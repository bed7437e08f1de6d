"""A metric: a formula with a name, a place in the funnel, and documentation."""

from __future__ import annotations

import hashlib
import keyword
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import cast

from funnelkit.arguments import is_finite, is_whole
from funnelkit.errors import DefinitionError, UnitError, UnknownNameError, shortened
from funnelkit.formula.accumulation import MetricKind, kind_of
from funnelkit.formula.depth import check_depth
from funnelkit.formula.formulas import Formula, FormulaNode, Reference, as_formula
from funnelkit.formula.latex import expand
from funnelkit.formula.parsing import parse_formula
from funnelkit.formula.properties import (
    Additivity,
    additivity,
    check_averages,
    inputs,
    names_in,
    needs_periods,
    references,
    replace_names,
    split_ratio,
    unit_of_formula,
)
from funnelkit.formula.table import Table, declared_tables
from funnelkit.units import NUMBER, Unit

__all__ = [
    "AidaStage",
    "Area",
    "Direction",
    "Metric",
    "Stage",
    "field_faults",
    "resolve_all",
    "title_of",
]


class Stage(StrEnum):
    """The four stages of the purchase funnel."""

    AWARENESS = "awareness"
    CONSIDERATION = "consideration"
    CONVERSION = "conversion"
    RETENTION = "retention"


class AidaStage(StrEnum):
    """The four stages of the AIDA funnel."""

    AWARENESS = "awareness"
    INTEREST = "interest"
    DECISION = "decision"
    ACTION = "action"


class Area(StrEnum):
    """The part of the business that a metric belongs to."""

    TRAFFIC = "traffic"
    ENGAGEMENT = "engagement"
    EMAIL = "email"
    FUNNEL = "funnel"
    SALES = "sales"
    PROFIT = "profit"
    CUSTOMERS = "customers"
    OPERATIONS = "operations"
    CUSTOM = "custom"


class Direction(StrEnum):
    """Which way is better."""

    UP = "up"
    DOWN = "down"
    NEUTRAL = "neutral"


_WRONG_BOUNDS = (
    "must be two finite numbers, the smaller first; None, in TOML -inf or inf, means no bound"
)
_WORD_LISTS = ("aliases", "see_also", "alternatives", "references", "tags")
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(FormulaNode):
    """A KPI as an object: what is computed, and what it means.

    Required inputs, additivity, numerator and denominator and the unit follow
    from the formula. A metric can be used in the formulas of others.

    Attributes:
        name: The full established term, in lower_snake_case.
        formula: What is computed: nodes, or their text form.
        title: The display name; by default derived from `name`.
        aliases: Other names for it.
        unit: The unit; checked against the formula's, which is the default.
        stage: Where it stands in the purchase funnel, if anywhere.
        aida: Where it stands in the AIDA funnel, if anywhere.
        area: The part of the business that it belongs to.
        direction: Which way is better.
        bounds: The smallest and largest possible value; None for no bound.
        description: What it means.
        includes: What it includes.
        excludes: What it excludes.
        null_when: When it is null.
        see_also: Related metrics.
        caveats: The common mistake.
        alternatives: Other definitions in use, and how they differ.
        required_dimension: The dimension that it must be grouped by.
        period_hint: What to use instead when the question has no periods.
        references: The sources of the definition.
        tags: Search terms.
        version: Incremented when the definition changes.

    A formula given as text names canonical tables and custom ones that were declared; of
    several declarations of a name `tables` gives the one that is meant, by default the last.
    They are no part of the definition.

    Examples:
        >>> from funnelkit import Count, Metric, Orders, Sessions
        >>> rate = Metric(name="orders_per_visit", formula=Count(Orders) / Count(Sessions))
        >>> rate.inputs
        {'orders': (), 'sessions': ()}
        >>> str(rate.unit)
        'order/session'
    """

    name: str
    formula: Formula
    title: str = ""
    aliases: tuple[str, ...] = ()
    unit: Unit = field(default=NUMBER)
    stage: Stage | None = None
    aida: AidaStage | None = None
    area: Area = Area.CUSTOM
    direction: Direction = Direction.NEUTRAL
    bounds: tuple[float | None, float | None] = (None, None)
    description: str = ""
    includes: str = ""
    excludes: str = ""
    null_when: str = ""
    see_also: tuple[str, ...] = ()
    caveats: str = ""
    alternatives: tuple[str, ...] = ()
    required_dimension: str = ""
    period_hint: str = ""
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    version: int = 1

    def __init__(  # noqa: PLR0913  # the fields of a definition, every one by keyword
        self,
        *,
        name: str,
        formula: Formula | Metric | str | float,
        title: str = "",
        aliases: tuple[str, ...] = (),
        unit: Unit | None = None,
        stage: Stage | str | None = None,
        aida: AidaStage | str | None = None,
        area: Area | str = Area.CUSTOM,
        direction: Direction | str = Direction.NEUTRAL,
        bounds: tuple[float | None, float | None] = (None, None),
        description: str = "",
        includes: str = "",
        excludes: str = "",
        null_when: str = "",
        see_also: tuple[str, ...] = (),
        caveats: str = "",
        alternatives: tuple[str, ...] = (),
        required_dimension: str = "",
        period_hint: str = "",
        references: tuple[str, ...] = (),
        tags: tuple[str, ...] = (),
        version: int = 1,
        tables: Iterable[type[Table]] = (),
    ) -> None:
        given: dict[str, object] = dict(locals())  # its fields, as listed above, and no more
        del given["self"], given["tables"], given["name"], given["formula"]
        choices = {key: given.pop(key) for key in _CHOICES}
        _check_fields(name, given)
        parsed = _checked_formula(formula, tables)
        given |= {
            "name": name,
            "formula": parsed,
            "title": title or title_of(name),
            "unit": _checked_unit(name, parsed, unit),
        }
        given |= {key: _chosen(key, choice, name) for key, choice in choices.items()}
        for key, value in given.items():
            is_list = isinstance(value, list)
            object.__setattr__(self, key, tuple(cast("list[object]", value)) if is_list else value)

    def __str__(self) -> str:
        return self.name

    def to_formula(self) -> Reference:
        """Return the reference to it for use in other formulas."""
        return Reference(self.name, self.formula, self.unit)

    @property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """The tables that it reads and, for each, the columns it names."""
        return inputs(self.formula)

    @property
    def additivity(self) -> Additivity:
        """The dimensions over which its values may be added up."""
        return additivity(self.formula)

    @property
    def kind(self) -> MetricKind:
        """How its values accumulate over time."""
        return kind_of(self.formula)

    @property
    def ratio(self) -> tuple[Formula, Formula] | None:
        """Its numerator and denominator, if it is a ratio."""
        return split_ratio(self.formula)

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The metrics that its formula refers to."""
        return tuple(reference.name for reference in references(self.formula))

    @property
    def compares_periods(self) -> bool:
        """Whether it needs a question with periods."""
        return needs_periods(self.formula)

    @property
    def variant_of(self) -> str:
        """The name of the KPI that it is an alternative definition of; empty for a KPI itself."""
        return self.name.partition(".")[0] if "." in self.name else ""

    @property
    def fingerprint(self) -> str:
        """A stable hash of the definition: name, spelled-out formula, unit, required dimension."""
        text = f"{self.name}\n{expand(self.formula)}\n{self.unit}\n{self.unit.display}"
        text += f"\n{self.required_dimension}" if self.required_dimension else ""
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def lineage(self) -> str:
        """Return the tree of metrics and folds behind it.

        Returns:
            One line per metric, indented under the one that names it.
        """
        return "\n".join(_tree(self.name, self.formula, 0))

    def resolved(self, metrics: Mapping[str, Metric]) -> Metric:
        """Return the same metric with the names in its formula resolved.

        Args:
            metrics: Metrics by name and alias, already resolved.

        Raises:
            UnknownNameError: A name is not among them.
            UnitError: The derived unit is not the declared one.
        """
        names = names_in(self.formula)
        if not names:
            return self
        found = {name: metrics[name].to_formula() for name in names if name in metrics}
        if lacking := [name for name in names if name not in found]:
            raise UnknownNameError("metric", lacking[0], sorted(metrics), f"named by {self.name}")
        unit = None if self.unit == NUMBER else self.unit
        formula = replace_names(self.formula, found)
        return replace(self, formula=formula, unit=_checked_unit(self.name, formula, unit))


def resolve_all(
    metrics: Iterable[Metric], *, among: Mapping[str, Metric] | None = None
) -> dict[str, Metric]:
    """Resolve the names in the formulas of metrics among the metrics themselves.

    Args:
        metrics: The metrics, in any order.
        among: Other metrics, by every name, that a formula may name.

    Returns:
        The metrics by name, in the order given, with every name resolved.

    Raises:
        DefinitionError: Metrics name each other in a circle, or share a name.
        UnknownNameError: A formula names none of them.
    """
    given = list(metrics)
    by_any_name: dict[str, Metric] = {}
    for metric in given:
        for name in (metric.name, *metric.aliases):
            other = by_any_name.setdefault(name, metric)
            if other != metric:
                raise DefinitionError(
                    f"{name!r} names both {other.name!r} and {metric.name!r}",
                    "rename one, drop the alias, or register with replace=True",
                )
    done: dict[str, Metric] = {}

    def resolve(metric: Metric, path: tuple[str, ...]) -> Metric:
        if metric.name in path:
            circle = " → ".join((*path, metric.name))
            raise DefinitionError(f"metrics name each other in a circle: {circle}", "break it")
        if metric.name not in done:
            needed = {
                name: resolve(by_any_name[name], (*path, metric.name))
                for name in names_in(metric.formula)
                if name in by_any_name
            }
            known = {**(among or {}), **dict.fromkeys(by_any_name, metric), **needed}
            done[metric.name] = metric.resolved(known)
        return done[metric.name]

    return {metric.name: resolve(metric, ()) for metric in given}


def _tree(name: str, formula: Formula, depth: int) -> list[str]:
    lines = [f"{'  ' * depth}{name} = {formula}"]
    for reference in references(formula):
        lines += _tree(reference.name, reference.formula, depth + 1)
    return lines


def title_of(name: str) -> str:
    """Return the default title of a metric."""
    return name.replace("_", " ").capitalize()


def field_faults(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Yield the invalid fields of a metric: the name of each, and what is wrong.

    Args:
        given: The fields by name, without `name` and `formula`; choices such as `stage` are
            looked at only for being text.
    """
    for key, value in given.items():
        wrong = ""
        if key == "unit":
            is_unit = value is None or isinstance(value, Unit)
            wrong = "" if is_unit else "is not a unit: use fk.MONEY or fk.Unit.parse('session')"
        elif key == "bounds":
            wrong = "" if _is_range(value) else _WRONG_BOUNDS
        elif key == "version":
            is_version = is_whole(value) and value > 0
            wrong = "" if is_version else "is not a whole number of 1 or more"
        elif key in _WORD_LISTS:
            wrong = "" if _are_texts(value) else "is not a list of texts"
        elif not isinstance(value, str):
            wrong = "is not a text"
        elif key == "required_dimension" and value and not value.strip():
            wrong = "is not a dimension name"
        if wrong:
            yield key, f"{key} = {shortened(repr(value))} {wrong}"


def _are_texts(value: object) -> bool:
    items = cast("Iterable[object]", value) if isinstance(value, list | tuple) else [None]
    return all(isinstance(item, str) and item.strip() for item in items)


def _is_range(value: object) -> bool:
    given = cast("Sequence[object]", value) if isinstance(value, tuple | list) else ()
    ends = [end for end in given if end is not None]
    numbers = [end for end in ends if is_finite(end)]
    return len(given) == 2 and numbers == ends and numbers == sorted(numbers)


def _is_name(thing: object) -> bool:
    return (
        isinstance(thing, str)
        and _NAME.fullmatch(thing) is not None
        and not any(map(keyword.iskeyword, thing.split(".")))
    )


def _check_fields(name: object, plain: Mapping[str, object]) -> None:
    if not _is_name(name):
        raise DefinitionError(
            f"{name!r} is not a valid metric name",
            "use lower_snake_case, with a dot before a variant",
        )
    if faults := [what for _, what in field_faults(plain)]:
        raise DefinitionError(f"{name}: {'; '.join(faults)}")


def _checked_formula(
    given: Formula | Metric | str | float, tables: Iterable[type[Table]]
) -> Formula:
    known = declared_tables(tables)
    formula = parse_formula(given, known) if isinstance(given, str) else as_formula(given)
    check_depth(formula)
    check_averages(formula)
    return formula


def _checked_unit(name: str, formula: Formula, declared: Unit | None) -> Unit:
    if names_in(formula):
        return declared or NUMBER
    derived = unit_of_formula(formula)
    if declared is None:
        return derived
    if not declared.fits(derived):
        raise UnitError(
            f"{name} declares one unit, but its formula has another", str(declared), str(derived)
        )
    return declared


_CHOICES: Mapping[str, type[StrEnum]] = {
    "stage": Stage,
    "aida": AidaStage,
    "area": Area,
    "direction": Direction,
}


def _chosen(key: str, given: object, name: str) -> StrEnum | None:
    """Return a choice as a member of its list; a place in a funnel may be None."""
    kind = _CHOICES[key]
    if given is None and key in {"stage", "aida"}:
        return None
    try:
        return kind(str(given))
    except ValueError:
        raise DefinitionError(
            f"{name}: {given!r} is not a valid {kind.__name__}",
            "use one of " + ", ".join(repr(str(member)) for member in kind),
        ) from None
