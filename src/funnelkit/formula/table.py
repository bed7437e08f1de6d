"""Tables: a grain, a key, a time column, columns of declared kinds, parents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar, TypeVar

from funnelkit.errors import DefinitionError, UnknownNameError
from funnelkit.formula.values import Column
from funnelkit.units import NUMBER, Unit

__all__ = ["Rows", "Table", "rows_of"]

AnyColumn = TypeVar("AnyColumn", bound=Column)


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of a table, as the thing that `Count` counts."""

    table: str
    unit: Unit = field(compare=False)

    def __str__(self) -> str:
        return self.table


class Table:
    """A table, declared by a class body of columns.

    The declaration is the class itself: it has no instances.

    Attributes:
        table: The name by which frames are bound to it.
        row: What one row is, as a unit.
        key: The names of the columns that identify a row.
        time: The name of the column by which a row enters a period.
        spread: For a row that covers several days: the names of its first day,
            its last day (included) and the amounts shared out evenly.
        parents: Foreign key column and the table it points to, many-to-one.
        things: Where a row is a thing at a time, the key columns that name the
            thing; none where the time is no part of the key.
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
    row: ClassVar[Unit]
    key: ClassVar[tuple[str, ...]]
    time: ClassVar[str]
    spread: ClassVar[tuple[str, str, tuple[str, ...]] | None]
    parents: ClassVar[Mapping[str, str]]
    things: ClassVar[tuple[str, ...]]
    columns: ClassVar[Mapping[str, Column]]

    def __init_subclass__(  # noqa: PLR0913  # a declaration names all it declares
        cls,
        *,
        table: str,
        key: str | tuple[str, ...],
        time: str,
        row: Unit | None = None,
        parents: Mapping[str, str] | None = None,
        spread: tuple[str, str, tuple[str, ...]] | None = None,
    ) -> None:
        """Give every column its table and name, and check what the header names."""
        super().__init_subclass__()
        cls.table = table
        cls.key = (key,) if isinstance(key, str) else key
        cls.time = time
        cls.things = tuple(n for n in cls.key if n != time) if time in cls.key else ()
        cls.row = row or Unit(((table.removesuffix("s"), 1),))
        cls.spread = spread
        cls.parents = dict(parents or {})
        cls.columns = {
            name: replace(
                column,
                table=table,
                name=name,
                once_per=name if cls.key == (name,) else column.once_per,
            )
            for name, column in vars(cls).items()
            if isinstance(column, Column)
        }
        for name, column in cls.columns.items():
            setattr(cls, name, column)
        named = {*cls.key, time, *cls.parents}
        if unknown := sorted(named - set(cls.columns)):
            raise DefinitionError(
                f"table {table!r} names columns it does not declare: {', '.join(unknown)}",
                "declare them in the class body",
            )

    @classmethod
    def column(cls, name: str, kind: type[AnyColumn], unit: Unit = NUMBER) -> AnyColumn:
        """Give a column that the table does not declare, by name and kind.

        Args:
            name: The column's name in the bound frame.
            kind: Money, Quantity, Key, Category, Flag, Time, Duration or Score.
            unit: What one unit of it is, where the kind does not say.

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
        """Give a declared column by its name.

        Raises:
            UnknownNameError: The table declares no such column.
        """
        if name not in cls.columns:
            raise UnknownNameError(f"column of {cls.table}", name, list(cls.columns))
        return cls.columns[name]


def rows_of(thing: object) -> Rows:
    """Give the rows of a declared table.

    Raises:
        DefinitionError: It is none.
    """
    if not (isinstance(thing, type) and issubclass(thing, Table) and thing is not Table):
        raise DefinitionError(f"{thing!r} is no declared table", "use one such as fk.Orders")
    return Rows(thing.table, thing.row)
