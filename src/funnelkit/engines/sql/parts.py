"""The answers to steps within a statement: as they are, moved to later periods, or to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from funnelkit.calendar.calendar import Calendar
from funnelkit.engines.sql.names import aliased, quoted, quoted_column, quoted_table
from funnelkit.engines.sql.operations import CONSTANT, literal, window
from funnelkit.planning.expression import FoldRef
from funnelkit.planning.relations import Kind, Lit, Op, OverOp
from funnelkit.result.arithmetic import leaf_column

__all__ = ["EACH_PERIOD", "KEYS", "PERIOD", "PERIODS", "Part", "later_label"]

Sql = exp.Expr
KEYS, PERIODS, PERIOD = "all_keys", "all_periods", "period"
EACH_PERIOD = "each_period"
"""Every period from the first to the last, silent ones as well."""
GROUPS, GROWN, BEGAN = "all_groups", "grown", "has_begun"


@dataclass(frozen=True, slots=True)
class Part:
    """The answer to one step, as a CTE; as it is, moved to later periods, or to date.

    Attributes:
        name: Its name.
        keys: By the name of each key in the result, the column that holds it.
        columns: By the name of each fold, its column and its kind.
        counted: The folds that are 0 where there are no rows.
        shift: How many periods later its rows stand.
        is_whole: Whether it has the rows of the step, neither moved nor carried on.
    """

    name: str
    keys: Mapping[str, str]
    columns: Mapping[str, tuple[str, Kind]]
    counted: frozenset[str]
    shift: int = 0
    is_whole: bool = True

    @property
    def groups(self) -> list[str]:
        """The columns of its keys save the period."""
        return [column for name, column in self.keys.items() if name != PERIOD]

    def folds(self) -> Iterator[tuple[str, tuple[Sql, Kind]]]:
        """Yield each fold as the arithmetic names it, with how it is written and its kind."""
        for fold, (column, kind) in self.columns.items():
            found: Sql = quoted_column(column, self.name)
            if fold in self.counted:
                found = _or_zero(found, kind)
            yield leaf_column(FoldRef(fold, self.shift)), (found, kind)

    def later(self, shift: int, calendar: Calendar) -> tuple[Part, exp.Select]:
        """Return it with its rows so many periods later, and the SELECT that moves them."""
        period = quoted_column(self.keys[PERIOD], self.name)
        moved = aliased(later_label(period, shift, calendar), self.keys[PERIOD])
        names = [*self.groups, *(column for column, _ in self.columns.values())]
        columns = [moved, *_columns(names, self.name)]
        found = exp.Select(expressions=columns).from_(quoted_table(self.name), copy=False)
        name = f"{self.name}_earlier_{shift}"
        return replace(self, name=name, shift=shift, is_whole=False), found

    def to_date(self) -> tuple[Part, exp.Select]:
        """Return it with totals to date, in each period from a group's first one on.

        The SELECT beside it adds them up over all periods, silent ones as well.
        """
        period, names = self.keys[PERIOD], [column for column, _ in self.columns.values()]
        grid, own = quoted_column(PERIOD, EACH_PERIOD), quoted_column(period, self.name)
        on: list[Sql] = [exp.EQ(this=own, expression=grid)]
        on += (
            exp.NullSafeEQ(this=quoted_column(name, self.name), expression=group)
            for name, group in zip(self.groups, _columns(self.groups, GROUPS), strict=True)
        )
        joins = [exp.Join(this=self._all_groups(), kind="CROSS")] if self.groups else []
        joins.append(_left_join(self.name, on))
        columns = [aliased(grid.copy(), period)]
        columns += (aliased(quoted_column(name, GROUPS), name) for name in self.groups)
        columns += (
            aliased(self._running(_or_zero(column, kind), kind), name)
            for (name, kind), column in zip(
                self.columns.values(), _columns(names, self.name), strict=True
            )
        )
        columns.append(aliased(self._running(self._is_known(names), "int"), BEGAN))
        rows = exp.Select(expressions=columns, joins=joins)
        rows = rows.from_(quoted_table(EACH_PERIOD), copy=False)
        kept = exp.Select(expressions=_columns([period, *self.groups, *names], GROWN))
        kept = kept.from_(rows.subquery(quoted(GROWN), copy=False), copy=False)
        is_begun = exp.GT(this=quoted_column(BEGAN, GROWN), expression=exp.Literal.number(0))
        part = replace(self, name=f"{self.name}_to_date", is_whole=False)
        return part, kept.where(is_begun, copy=False)

    def _all_groups(self) -> exp.Subquery:
        columns = _columns(self.groups, self.name)
        groups = exp.Select(expressions=columns).from_(quoted_table(self.name), copy=False)
        return groups.distinct(copy=False).subquery(quoted(GROUPS), copy=False)

    def _running(self, value: Sql, kind: Kind) -> Sql:
        """Return the sum of a value up to a period, within its group."""
        ordered = exp.Ordered(this=quoted_column(PERIOD, EACH_PERIOD), nulls_first=False)
        order = exp.Order(expressions=[ordered])
        return window(OverOp.SUM, value, kind, _columns(self.groups, GROUPS), order)

    def _is_known(self, names: Sequence[str]) -> Sql:
        """Return 1 where any fold is known, else 0."""
        null = exp.Null()
        known = [exp.Not(this=exp.Is(this=c, expression=null)) for c in _columns(names, self.name)]
        one, zero = exp.Literal.number(1), exp.Literal.number(0)
        return exp.Case(ifs=[exp.If(this=exp.or_(*known, copy=False), true=one)], default=zero)

    def only_keys(self, *, start: Sql | None = None) -> exp.Select:
        """Return the keys that it has rows of, if given from a period on."""
        columns = [
            aliased(quoted_column(column, self.name), name) for name, column in self.keys.items()
        ]
        found = exp.Select(expressions=columns).from_(quoted_table(self.name), copy=False)
        if start is None:
            return found
        period = quoted_column(self.keys[PERIOD], self.name)
        return found.where(exp.GTE(this=period, expression=start.copy()))

    def only_periods(self) -> exp.Select:
        """Return the periods that it has rows of."""
        period = aliased(quoted_column(self.keys[PERIOD], self.name), PERIOD)
        return exp.Select(expressions=[period]).from_(quoted_table(self.name), copy=False)

    def joined(self) -> exp.Join:
        """Return it as it is joined to all keys; a null key meets a null key."""
        pairs = (
            exp.NullSafeEQ(
                this=quoted_column(column, self.name), expression=quoted_column(name, KEYS)
            )
            for name, column in self.keys.items()
        )
        return _left_join(self.name, list(pairs))


def later_label(label: Sql, periods: int, calendar: Calendar) -> Sql:
    """Return the label of the period that lies so many later."""
    every = calendar.every
    if every is None:
        raise AssertionError(calendar)
    op, count = (Op.SHIFT_MONTHS, every.months) if every.months else (Op.SHIFT_DAYS, every.days)
    return CONSTANT[op](label, Lit(count * periods, "int"))


def _columns(names: Sequence[str], place: str) -> list[Sql]:
    return [quoted_column(name, place) for name in names]


def _left_join(name: str, on: Sequence[Sql]) -> exp.Join:
    return exp.Join(this=quoted_table(name), side="LEFT", on=exp.and_(*on, copy=False))


def _or_zero(value: Sql, kind: Kind) -> Sql:
    zero = Lit(0, "int") if kind == "int" else Lit(0.0, "float")
    return exp.Coalesce(this=value, expressions=[literal(zero)])
