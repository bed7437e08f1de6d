"""A metric: a formula with a name, a place in the funnel, and words."""

from __future__ import annotations

import hashlib
import keyword
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TypeVar, cast

from funnelkit.errors import DefinitionError, UnitError, UnknownNameError, shortened
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
from funnelkit.formula.table import Table, rows_of
from funnelkit.schema.tables import known_tables
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
    """The part of the business that a metric speaks of."""

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
    "are no two finite numbers, the smaller first; None, in TOML -inf or inf, stands for no bound"
)
_WORD_LISTS = ("aliases", "see_also", "alternatives", "references", "tags")
_Choice = TypeVar("_Choice", bound=StrEnum)
_NAME = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric(FormulaNode):
    """A KPI as an object: what is computed, and what it means.

    Required inputs, additivity, numerator and denominator and the unit follow
    from the formula. A metric can be used in the formulas of others.

    Attributes:
        name: The trade's spelled-out term, in lower_snake_case.
        formula: What is computed: nodes, or their text form.
        title: The name as people write it; by default made from `name`.
        aliases: Other names that it answers to.
        unit: The unit; checked against the formula's, which is the default.
        stage: Where it stands in the purchase funnel, if anywhere.
        aida: Where it stands in the AIDA funnel, if anywhere.
        area: The part of the business that it speaks of.
        direction: Which way is better.
        bounds: The smallest and largest possible value; None for no bound.
        description: What it tells.
        includes: What it counts.
        excludes: What it leaves out.
        null_when: When it has no value.
        see_also: What to read it with.
        caveats: The usual mistake.
        alternatives: Other definitions in use, and how they differ.
        required_dimension: The dimension that its values belong to; without it, it is refused.
        period_hint: What to ask instead when the question has no periods.
        references: The sources of the definition.
        tags: Words to find it by.
        version: Raised when the definition changes.

    A formula given as text names canonical tables, and those of one's own that are
    given as `tables`; they are no part of the definition.

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
        plain: dict[str, object] = {
            "title": title,
            "aliases": aliases,
            "unit": unit,
            "bounds": bounds,
            "description": description,
            "includes": includes,
            "excludes": excludes,
            "null_when": null_when,
            "see_also": see_also,
            "caveats": caveats,
            "alternatives": alternatives,
            "required_dimension": required_dimension,
            "period_hint": period_hint,
            "references": references,
            "tags": tags,
            "version": version,
        }
        _check_fields(name, plain)
        parsed = _checked_formula(formula, tables)
        given = plain | {
            "name": name,
            "formula": parsed,
            "title": title or title_of(name),
            "unit": _checked_unit(name, parsed, unit),
            "stage": None if stage is None else _member(Stage, stage, name),
            "aida": None if aida is None else _member(AidaStage, aida, name),
            "area": _member(Area, area, name),
            "direction": _member(Direction, direction, name),
        }
        for key, value in given.items():
            is_list = isinstance(value, list)
            object.__setattr__(self, key, tuple(cast("list[object]", value)) if is_list else value)

    def __str__(self) -> str:
        return self.name

    def to_formula(self) -> Reference:
        """Give the reference that other formulas hold."""
        return Reference(self.name, self.formula, self.unit)

    @property
    def inputs(self) -> dict[str, tuple[str, ...]]:
        """The tables that it reads and, of each, the columns it names."""
        return inputs(self.formula)

    @property
    def additivity(self) -> Additivity:
        """Along what its values may be added up."""
        return additivity(self.formula)

    @property
    def ratio(self) -> tuple[Formula, Formula] | None:
        """Its numerator and denominator, if it is a ratio."""
        return split_ratio(self.formula)

    @property
    def depends_on(self) -> tuple[str, ...]:
        """The metrics that its formula names."""
        return tuple(reference.name for reference in references(self.formula))

    @property
    def compares_periods(self) -> bool:
        """Whether it needs a question with periods."""
        return needs_periods(self.formula)

    @property
    def variant_of(self) -> str:
        """The name of the KPI of which it is a competing definition; empty for a KPI itself."""
        return self.name.partition(".")[0] if "." in self.name else ""

    @property
    def fingerprint(self) -> str:
        """A stable hash of the definition: name, spelled-out formula, unit, what it is asked by."""
        text = f"{self.name}\n{expand(self.formula)}\n{self.unit}\n{self.unit.display}"
        text += f"\n{self.required_dimension}" if self.required_dimension else ""
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def lineage(self) -> str:
        """Draw the tree of metrics and folds that it rests on.

        Returns:
            One line per metric, indented under the one that names it.
        """
        return "\n".join(_tree(self.name, self.formula, 0))

    def resolved(self, metrics: Mapping[str, Metric]) -> Metric:
        """Give the same metric with the names in its formula looked up.

        Args:
            metrics: Metrics by every name that they answer to, themselves looked up.

        Raises:
            UnknownNameError: A name is not among them.
            UnitError: The unit that follows is not the declared one.
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
    """Look up the names in the formulas of metrics among the metrics themselves.

    Args:
        metrics: The metrics, in any order.
        among: Other metrics, by every name, that a formula may name.

    Returns:
        The metrics by name, in the order given, every name looked up.

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
    """Give the title of a metric that was given none."""
    return name.replace("_", " ").capitalize()


def field_faults(given: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    """Give what is wrong with the fields of a metric that stand alone: which, and in words.

    Args:
        given: The fields by name, without `name` and `formula`; choices such as `stage` are
            looked at only for being text.
    """
    for key, value in given.items():
        wrong = ""
        if key == "unit":
            is_unit = value is None or isinstance(value, Unit)
            wrong = "" if is_unit else "is no unit: use fk.MONEY or fk.Unit.parse('session')"
        elif key == "bounds":
            wrong = "" if _is_range(value) else _WRONG_BOUNDS
        elif key == "version":
            is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
            wrong = "" if is_number else "is no whole number of 1 or more"
        elif key in _WORD_LISTS:
            wrong = "" if _are_texts(value) else "is no list of texts"
        elif not isinstance(value, str):
            wrong = "is no text"
        elif key == "required_dimension" and value and not value.strip():
            wrong = "is no name of a dimension"
        if wrong:
            yield key, f"{key} = {shortened(repr(value))} {wrong}"


def _are_texts(value: object) -> bool:
    items = cast("Iterable[object]", value) if isinstance(value, list | tuple) else [None]
    return all(isinstance(item, str) and item.strip() for item in items)


def _is_range(value: object) -> bool:
    given = cast("Sequence[object]", value) if isinstance(value, tuple | list) else ()
    ends = [end for end in given if end is not None]
    numbers = [end for end in ends if isinstance(end, int | float) and not isinstance(end, bool)]
    are_finite = all(abs(number) <= sys.float_info.max for number in numbers)
    are_all = len(given) == 2 and len(numbers) == len(ends)
    return are_all and are_finite and numbers == sorted(numbers)


def _is_name(thing: object) -> bool:
    return (
        isinstance(thing, str)
        and _NAME.fullmatch(thing) is not None
        and not any(map(keyword.iskeyword, thing.split(".")))
    )


def _check_fields(name: object, plain: Mapping[str, object]) -> None:
    if not _is_name(name):
        raise DefinitionError(
            f"{name!r} is no name for a metric", "use lower_snake_case, dots between variants"
        )
    if faults := [what for _, what in field_faults(plain)]:
        raise DefinitionError(f"{name}: {'; '.join(faults)}")


def _checked_formula(
    given: Formula | Metric | str | float, tables: Iterable[type[Table]]
) -> Formula:
    own = list(tables)
    for table in own:
        rows_of(table)  # refuses what is no table
    known = known_tables(own)
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
            f"{name} declares one unit, its formula gives another", str(declared), str(derived)
        )
    return declared


def _member(kind: type[_Choice], given: str, name: str) -> _Choice:
    try:
        return kind(given)
    except ValueError:
        raise DefinitionError(
            f"{name}: {given!r} is no {kind.__name__}",
            "use one of " + ", ".join(repr(str(member)) for member in kind),
        ) from None
