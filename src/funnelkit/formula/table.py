"""Tables: a grain, a key, a time column, columns of declared kinds, parents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar

from funnelkit.errors import DefinitionError, UnknownNameError
from funnelkit.formula.values import Column
from funnelkit.units import NUMBER, Unit

__all__ = ["Proration", "Rows", "Table", "declared_tables", "rows_of"]

AnyColumn = TypeVar("AnyColumn", bound=Column)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table, as counted by `Count`."""

    table: str
    unit: Unit = field(compare=False)

    def __str__(self) -> str:
        return self.table


@dataclass(frozen=True, slots=True, kw_only=True)
class Proration:
    """How the amounts of a row that covers several days are shared out: evenly, day by day.

    Attributes:
        first: The name of the column that holds its first day.
        last: The name of the column that holds its last day, included.
        amounts: The names of the columns that are shared out.
    """

    first: str
    last: str
    amounts: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns that it uses."""
        return (self.first, self.last, *self.amounts)


_DECLARED: dict[str, type[Table]] = {}
"""Every table that was declared, by its name: the last one, and the library's own always."""


def declared_tables(own: Iterable[type[Table]]) -> dict[str, type[Table]]:
    """Return what a formula given as text may name: tables that were declared, by name.

    Args:
        own: Declarations that go before others of the same name.
    """
    return {**_DECLARED, **{rows_of(table).table: table for table in own}}


class Table:
    """A table, declared by a class body of columns.

    The declaration is the class itself: it has no instances.

    Attributes:
        table: The name by which frames are bound to it.
        row_unit: What one row is, as a unit; by default the singular of the table's name.
        key: The names of the columns that identify a row.
        time: The name of the column that assigns a row to a period.
        prorate: For a row that covers several days: how its amounts are shared out.
        parents: Foreign key column and the table it points to, many-to-one.
        entity_key: Where a row is the state of an entity at a time, the key columns that
            name the entity; empty where the time is not part of the key.
        columns: The declared columns by name.

    Examples:
        >>> from funnelkit import CUSTOMER, Key, Money, Table, Time
        >>> class Subscriptions(Table, table="subscriptions", key="subscription_id",
        ...                     time="billed_at"):
        ...     subscription_id = Key()
        ...     billed_at = Time()
        ...     customer_id = Key(unit=CUSTOMER)
        ...     mrr = Money("Monthly recurring revenue.")
        >>> str(Subscriptions.mrr)
        'subscriptions.mrr'
    """

    table: ClassVar[str]
    row_unit: ClassVar[Unit]
    key: ClassVar[tuple[str, ...]]
    time: ClassVar[str]
    prorate: ClassVar[Proration | None]
    parents: ClassVar[Mapping[str, str]]
    entity_key: ClassVar[tuple[str, ...]]
    columns: ClassVar[Mapping[str, Column]]

    def __init_subclass__(  # noqa: PLR0913  # a declaration names all it declares
        cls,
        *,
        table: str,
        key: str | tuple[str, ...],
        time: str,
        row_unit: Unit | None = None,
        parents: Mapping[str, str] | None = None,
        prorate: Proration | None = None,
    ) -> None:
        """Set the table and name of every column, and check the names in the class header."""
        super().__init_subclass__()
        _check_names(table, vars(cls))
        cls.table = table
        cls.key = (key,) if isinstance(key, str) else key
        cls.time = time
        cls.entity_key = tuple(n for n in cls.key if n != time) if time in cls.key else ()
        cls.row_unit = row_unit or Unit(((_one_of(table), 1),))
        cls.prorate = prorate
        cls.parents = dict(parents or {})
        cls.columns = {
            name: replace(
                column,
                table=table,
                name=name,
                unique_within=name if cls.key == (name,) else column.unique_within,
            )
            for name, column in vars(cls).items()
            if isinstance(column, Column)
        }
        for name, column in cls.columns.items():
            setattr(cls, name, column)
        cls._check_columns()
        if _is_of_library(cls) or not _is_of_library(_DECLARED.get(table, cls)):
            _DECLARED[table] = cls

    @classmethod
    def _check_columns(cls) -> None:
        prorated = cls.prorate.columns if cls.prorate else ()
        named = {*cls.key, cls.time, *cls.parents, *prorated}
        if unknown := sorted(named - set(cls.columns)):
            raise DefinitionError(
                f"table {cls.table!r} names columns it does not declare: {', '.join(unknown)}",
                "declare them in the class body",
            )

    @classmethod
    def column(cls, name: str, kind: type[AnyColumn], unit: Unit = NUMBER) -> AnyColumn:
        """Return a column that the table does not declare, by name and kind.

        Args:
            name: The column's name in the bound frame.
            kind: Money, Quantity, Key, Category, Flag, Time, Duration or Score.
            unit: Its unit, where the kind does not determine it.

        Raises:
            DefinitionError: The table declares a column of that name.
        """
        if name in cls.columns:
            raise DefinitionError(
                f"{cls.table}.{name} is declared as {type(cls.columns[name]).__name__}",
                f"use {cls.__name__}.{name}",
            )
        blank = kind(table=cls.table, name=name, is_declared=False)
        return blank if unit == NUMBER else replace(blank, unit=unit)

    @classmethod
    def get(cls, name: str) -> Column:
        """Return a declared column by its name.

        Raises:
            UnknownNameError: The table declares no such column.
        """
        if name not in cls.columns:
            raise UnknownNameError(f"column of {cls.table}", name, list(cls.columns))
        return cls.columns[name]


_TAKEN = {*Table.__annotations__, *vars(Table)}
"""The names of what a declaration has besides its columns."""


def _check_names(table: str, body: Mapping[str, object]) -> None:
    taken = sorted(n for n, thing in body.items() if isinstance(thing, Column) and n in _TAKEN)
    if taken:
        other = f"{table}_{taken[0]}"
        raise DefinitionError(
            f"table {table!r} cannot have columns named {', '.join(taken)}: "
            "a declaration has these names for other things",
            f"declare {other}, and bind the frame with "
            f"rename={{{table!r}: {{{taken[0]!r}: {other!r}}}}}",
        )


def _is_of_library(table: type[Table]) -> bool:
    return table.__module__.startswith("funnelkit.")


def _one_of(table: str) -> str:
    """Return the singular of a regular plural; any other word as it is."""
    if table.endswith("ies") and len(table) > 4:
        return table.removesuffix("ies") + "y"
    if table.endswith(("sses", "xes", "ches", "shes")):
        return table.removesuffix("es")
    return table if table.endswith("ss") else table.removesuffix("s")


def rows_of(thing: object) -> Rows:
    """Return the rows of a declared table.

    Raises:
        DefinitionError: It is not a declared table.
    """
    if not (isinstance(thing, type) and issubclass(thing, Table) and thing is not Table):
        raise DefinitionError(f"{thing!r} is not a declared table", "use one such as fk.Orders")
    return Rows(thing.table, thing.row_unit)
