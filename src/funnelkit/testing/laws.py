"""The laws that every metric keeps, each as a check of one metric on one drawn shop."""

from __future__ import annotations

import math
import pickle
import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from funnelkit.data.schema import Severity
from funnelkit.engines.polars.engine import PolarsEngine
from funnelkit.engines.polars.translate import scalar
from funnelkit.engines.runner import Runner
from funnelkit.errors import ContractError, DefinitionError, FunnelkitError, UnsupportedError
from funnelkit.evaluation.evaluate import plan
from funnelkit.evaluation.execute import answer
from funnelkit.formula.formulas import (
    ClosingBalance,
    PeriodsToBreakEven,
    PolarsExpr,
    QuantileBucket,
    Shift,
)
from funnelkit.formula.parsing import parse_formula
from funnelkit.formula.values import Duration, Key, Money, Quantity
from funnelkit.formula.walk import leaves
from funnelkit.metrics.metric import Metric
from funnelkit.planning.lowering import lowering_of
from funnelkit.schema.checks import CHECKS
from funnelkit.testing import structure
from funnelkit.testing.strategies import GROUP, Frames
from funnelkit.testing.trial import Place, Trial, Values, differs, near, values_of

__all__ = ["LAWS", "Law", "LawBrokenError"]


class LawBrokenError(AssertionError):
    """A metric breaks a law on a shop.

    Attributes:
        law: The name of the law.
        metric: The name of the metric.
        found: A description of what was found.
        frames: The shop that shows it.
    """

    def __init__(self, law: Law, metric: Metric, found: str, frames: Frames) -> None:
        super().__init__(law, metric, found, frames)
        self.law = law.name
        self.metric = metric.name
        self.found = found
        self.frames = frames
        self.says = law.says

    def __str__(self) -> str:
        with pl.Config(tbl_rows=-1, tbl_cols=-1, tbl_hide_dataframe_shape=True):
            shop = "\n".join(f"{name}:\n{frame}" for name, frame in self.frames.items())
        return f"{self.metric} breaks {self.law!r}: {self.says}\n{self.found}\non the shop\n{shop}"


Check = Callable[[Trial], "str | None"]
Applies = Callable[[Metric], bool]


def _always(_: Metric) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Law:
    """A law: what it states, for which metrics, and how it is checked.

    Attributes:
        name: Its name.
        says: What it states.
        check: Returns what is wrong in a trial; None where it holds.
        applies: Whether it applies to a metric.
        needs_data: Whether it is about numbers; the others look at the definition alone.
    """

    name: str
    says: str
    check: Check
    applies: Applies = _always
    needs_data: bool = True

    def enforce(self, trial: Trial) -> None:
        """Check a trial.

        Raises:
            LawBrokenError: The law is broken.
        """
        try:
            found = self.check(trial)
        except FunnelkitError as error:
            found = f"it cannot be evaluated: {error}"
        if found is not None:
            raise LawBrokenError(self, trial.metric, found, trial.frames)


def _row_order(trial: Trial) -> str | None:
    dice = random.Random(trial.seed)  # noqa: S311  # no secret is kept with it
    shuffled = {
        name: frame[dice.sample(range(frame.height), frame.height)]
        for name, frame in trial.frames.items()
    }
    turned = {name: frame.reverse() for name, frame in trial.frames.items()}
    plain = trial.values()
    names = ("as the rows are", "in another order")
    return differs(plain, trial.values(of=shuffled), names) or differs(
        plain, trial.values(of=turned), names
    )


def _partition(trial: Trial) -> str | None:
    dice = random.Random(trial.seed)  # noqa: S311  # as above
    joined: Frames = {}
    for name, frame in trial.frames.items():
        cut = dice.randint(0, frame.height)
        joined[name] = pl.concat([frame[:cut], frame[cut:]], rechunk=False)
    names = ("in one frame", "in two that are joined")
    return differs(trial.values(), trial.values(of=joined), names)


def _outside(trial: Trial) -> str | None:
    """Add a row of nothing but a new key and a time that is there already."""
    errors = [check.column for check in CHECKS if check.finding.severity is Severity.ERROR]
    more = dict(trial.frames)
    for name, frame in trial.frames.items():
        table = trial.declared[name]
        has_id = len(table.key) == 1 and isinstance(table.get(table.key[0]), Key)
        times = frame.get_column(table.time).drop_nulls()
        refused = {column.name for column in errors if column.table == name}
        may_be_null = has_id and times.len() and not set(frame.columns) & refused
        if may_be_null and not structure.takes_any_row(trial.metric, name):
            key = frame.get_column(table.key[0])
            new = pl.Series([-1 if key.dtype.is_integer() else "nobody"], dtype=key.dtype)
            row = pl.DataFrame({table.key[0]: new, table.time: times[:1]})
            more[name] = pl.concat([frame, row], how="diagonal")
    names = ("as it is", "with rows that no condition lets in")
    return differs(trial.values(), trial.values(of=more), names)


def _double(trial: Trial) -> str | None:
    for name, frame in trial.frames.items():
        if frame.height == 0 or name not in trial.metric.inputs:
            continue
        twice = {**trial.frames, name: pl.concat([frame, frame[:1]])}
        try:
            found = trial.values(of=twice)
        except ContractError:
            continue
        return f"with a row of {name} twice it is {found}, and no error"
    return None


FACTOR = 4.0


def _scaled(trial: Trial) -> str | None:
    power = dict(trial.metric.unit.powers).get("money", 0)
    scaled = {
        name: frame.with_columns(
            pl.col(column) * FACTOR
            for column in structure.money_columns(trial.metric, name)
            if column in frame.columns
        )
        for name, frame in trial.frames.items()
    }
    wanted = {
        key: None if value is None else value * FACTOR**power
        for key, value in trial.values().items()
    }
    names = (f"times {FACTOR:g}^{power}", f"with every amount times {FACTOR:g}")
    return differs(wanted, trial.values(of=scaled), names)


def _bounds(trial: Trial) -> str | None:
    low, high = trial.metric.bounds
    sound = {name: _sound(trial, name, frame) for name, frame in trial.frames.items()}
    whole, groups = trial.values(of=sound), trial.values(of=sound, by=trial.groups)
    for key, value in {**whole, **groups}.items():
        if value is None:
            continue
        if not math.isfinite(value):
            return f"it is {value} at {key}"
        if (low is not None and value < low - 1e-9) or (high is not None and value > high + 1e-9):
            return f"it is {value} at {key}, outside {low} to {high}"
    return None


def _sound(trial: Trial, name: str, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the unremarkable rows of a table, without negative numbers."""
    kinds = (Money, Quantity, Duration)
    columns = trial.declared[name].columns.values()
    numbers = [c.name for c in columns if isinstance(c, kinds) and c.name in frame.columns]
    frame = frame.with_columns(pl.col(numbers).abs()).drop_nulls(numbers)
    lowering = lowering_of(trial.bind({**trial.frames, name: frame}).data)
    for check in CHECKS:
        read = {str(leaf) for leaf in leaves(check.broken)}
        if check.column.table == name and read <= {f"{name}.{c}" for c in frame.columns}:
            is_broken = scalar(lowering.predicate(check.broken))
            frame = frame.filter(~is_broken.fill_null(value=False))
    return frame


def _empty(trial: Trial) -> str | None:
    empty = {name: frame.clear() for name, frame in trial.frames.items()}
    found = trial.values(of=empty)
    wanted = structure.value_of_nothing(trial.metric.formula)
    wrong = {key: value for key, value in found.items() if value != wanted}
    return f"without any row it is {wrong}, and not {wanted}" if wrong else None


def _settled(trial: Trial) -> Trial:
    """Return the trial with each entity in one group: over others a stock does not add up."""
    if not structure.has(trial.metric, ClosingBalance):
        return trial
    entities = {name: trial.declared[name].entity_key for name in trial.frames}
    one_group = {
        name: frame.with_columns(pl.col(GROUP).first().over(entities[name]))
        for name, frame in trial.frames.items()
        if entities[name]
    }
    return replace(trial, frames={**trial.frames, **one_group})


def _between(trial: Trial) -> str | None:
    trial = _settled(trial)
    result = trial.result(by=trial.groups)
    below = result.tidy().get_column("denominator").to_list()
    parts: dict[Place, list[float]] = {}
    odd: set[Place] = set()
    for (key, value), whole in zip(values_of(result, trial.metric).items(), below, strict=True):
        if value is None or whole is None or whole <= 0:
            odd.add(key[:-1])
        else:
            parts.setdefault(key[:-1], []).append(value)
    for place, total in trial.values().items():
        own = [] if place in odd or total is None else parts.get(place, [])
        if own and not min(own) - 1e-6 <= (total or 0.0) <= max(own) + 1e-6:
            return f"the total {total} lies outside its groups' {own}"
    return None


def _totals(trial: Trial) -> str | None:
    frame = trial.result(by=trial.groups, totals=True).frame.filter("is_total")
    keys = [name for name in ("period", *trial.by) if name in frame.columns and not trial.by]
    rows = frame.select(*keys, trial.metric.name).rows()
    found = {tuple(row[:-1]): row[-1] for row in rows}
    return differs(found, trial.values(), ("as a total", "evaluated separately"))


def _adds_up(trial: Trial) -> str | None:
    trial = _settled(trial)
    adds = trial.metric.additivity
    whole = trial.values()
    names = ("the sum is", "the whole is")
    if adds.over_keys:
        groups = trial.values(by=trial.groups)
        if wrong := differs(_added(groups, slice(None, -1)), whole, names):
            return f"of the groups {wrong}"
    if adds.over_time and "every" not in trial.question:
        timed = trial.values(start="2000-01-01", end="2030-01-01")
        if wrong := differs(_added(trial.values(every="1mo"), slice(1, None)), timed, names):
            return f"of the months {wrong}"
    return None


def _added(parts: Values, kept: slice) -> Values:
    """Add values over the keys that are not kept."""
    sums: Values = {}
    for key, value in parts.items():
        if value is not None:
            sums[key[kept]] = (sums.get(key[kept]) or 0.0) + value
    return sums


def _rollup(trial: Trial) -> str | None:
    result = trial.result(by=trial.groups)
    kept = [name for name in result.keys if name != GROUP]
    try:
        rolled = result.rollup(kept)
    except UnsupportedError:
        return None
    names = ("rolled up", "evaluated again")
    return differs(values_of(rolled, trial.metric), trial.values(), names)


def _null_keys(trial: Trial) -> str | None:
    groups = trial.values(by=trial.groups)
    of_null = {key[:-1]: value for key, value in groups.items() if key[-1] is None}
    alone = trial.values(where=f"is_null({GROUP})")
    return differs(of_null, alone, ("in the group without a key", "of these rows alone"))


def _null_values(trial: Trial) -> str | None:
    """Add all rows again without the value that an expression reads, once and twice.

    A count of rows or of nulls grows each time; what grows at the first time alone is a
    distinct count with null as one of its values.
    """
    for part, column in structure.expressions_of_keys(trial.metric, trial.declared):
        frame = trial.frames[column.table]
        if column.name in frame.columns:
            valued = frame.drop_nulls(column.name)
            empty = valued.with_columns(pl.lit(None, frame[column.name].dtype).alias(column.name))
            none, once, twice = (_number([valued, *[empty] * n], part) for n in (0, 1, 2))
            if 1 <= none < once == twice:
                return f"{part} is {none:g}, and {once:g} with rows whose {column.name} is null"
    return None


def _number(frames: list[pl.DataFrame], part: pl.Expr) -> float:
    """Return the number that an expression gives; 0 where it does not give one."""
    try:
        values = pl.concat(frames).select(part).to_series()
    except pl.exceptions.PolarsError:  # a part alone need not be valid, nor its columns be drawn
        return 0.0
    is_number = values.len() == 1 and values.dtype.is_numeric()
    return float(values.item() or 0) if is_number else 0.0


def _periods(trial: Trial) -> str | None:
    try:
        months = trial.values(every="1mo")
    except DefinitionError:  # such as the mean of amounts that are prorated: no value in a period
        return None
    for key, value in months.items():
        if not key or key[0] is None:
            continue
        start = pl.Series([key[0]])
        end = start.dt.offset_by("1mo").item()
        alone = trial.values(every=None, start=key[0], end=end)
        if not near(alone.get(key[1:]) or 0.0, value or 0.0):
            return f"in the month of {key[0]} it is {value}, of its days alone {alone}"
    return None


def _engines(trial: Trial) -> str | None:
    shop = trial.shop
    streamed = Runner(shop.data, PolarsEngine(shop.data, most_in_memory=-1))
    by = trial.groups if _has_group(trial.metric) else trial.by
    question: dict[str, Any] = {**trial.question, "by": by}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = answer(streamed, plan(shop, trial.metric, **question))
    names = ("evaluated normally", "by the streaming engine")
    return differs(trial.values(by=by), values_of(found, trial.metric), names)


def _text(trial: Trial) -> str | None:
    text = str(trial.metric.formula)
    read = parse_formula(text, trial.declared)
    again = replace(trial.metric, formula=read).resolved(structure.references_of(trial.metric))
    if str(again.formula) != text or again.fingerprint != trial.metric.fingerprint:
        return f"{text} is read as {again.formula}"
    return None


def _pickled(trial: Trial) -> str | None:
    again = pickle.loads(pickle.dumps(trial.metric))  # noqa: S301  # it was just made
    if again != trial.metric or again.fingerprint != trial.metric.fingerprint:
        return "a copy by pickle is not the same metric"
    return None


def _has_group(metric: Metric) -> bool:
    return metric.required_dimension != "cohort" and not structure.has(
        metric, QuantileBucket, PeriodsToBreakEven
    )


def _is_plain(metric: Metric) -> bool:
    return _has_group(metric) and not structure.has(metric, PolarsExpr)


def _is_ratio(metric: Metric) -> bool:
    sides = metric.ratio
    if sides is None or not _has_group(metric):
        return False
    return all(structure.adds_over_keys(side) for side in sides)


def _scales(metric: Metric) -> bool:
    return not (structure.has(metric, PolarsExpr) or structure.compares_money(metric))


def _is_timed(metric: Metric) -> bool:
    return not (
        metric.compares_periods
        or metric.required_dimension == "cohort"
        or structure.has(metric, Shift)
    )


LAWS: tuple[Law, ...] = (
    Law("row order", "the order of rows changes nothing", _row_order),
    Law("partition", "cutting frames and joining them again changes nothing", _partition),
    Law(
        "outside rows",
        "rows that no condition lets in change nothing",
        _outside,
        applies=lambda metric: not structure.has(metric, PolarsExpr),
    ),
    Law("double rows", "a row that is there twice is an error", _double),
    Law("scaled money", "amounts times n are n times the money", _scaled, applies=_scales),
    Law("bounds", "every value lies within the bounds", _bounds, applies=_has_group),
    Law(
        "nothing",
        "without rows a sum and a count are 0, everything else is null",
        _empty,
        applies=lambda m: (
            not (m.required_dimension or m.compares_periods or structure.has(m, PolarsExpr))
        ),
    ),
    Law("between", "a ratio lies between those of its groups", _between, applies=_is_ratio),
    Law(
        "totals",
        "a total is recomputed from the data",
        _totals,
        applies=lambda m: not m.required_dimension and not structure.has(m, QuantileBucket),
    ),
    Law("additivity", "metrics declared additive add up", _adds_up, applies=_has_group),
    Law("rollup", "a rollup is exact or an error", _rollup, applies=_has_group),
    Law(
        "null keys",
        "rows without a key form a separate group",
        _null_keys,
        applies=lambda m: _is_timed(m) and _is_plain(m) and not structure.sets_groups_apart(m),
    ),
    Law(
        "periods",
        "a period equals an evaluation of its days alone, or is an error",
        _periods,
        applies=_is_timed,
    ),
    Law(
        "null values",
        "a distinct count in a Polars expression does not count null",
        _null_values,
        applies=lambda metric: structure.has(metric, PolarsExpr),
    ),
    Law("engines", "every engine gives the same", _engines),
    Law(
        "text",
        "the text of the formula is read back as it is",
        _text,
        applies=lambda metric: not structure.has(metric, PolarsExpr),
        needs_data=False,
    ),
    Law(
        "pickling",
        "a copy by pickle is the same",
        _pickled,
        applies=lambda metric: not structure.has(metric, PolarsExpr),
        needs_data=False,
    ),
)
"""Every law."""
