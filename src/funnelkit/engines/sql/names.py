"""Names in statements: always quoted, so that none is ever read as SQL."""

from __future__ import annotations

from sqlglot import exp

__all__ = ["aliased", "quoted", "quoted_column", "quoted_table"]


def quoted(name: str) -> exp.Identifier:
    """Return a name."""
    return exp.to_identifier(name, quoted=True)


def quoted_table(name: str) -> exp.Table:
    """Return the table, or the common table expression, of a name."""
    return exp.Table(this=quoted(name))


def quoted_column(name: str, place: str) -> exp.Column:
    """Return the column of a name, of a table unless that is empty."""
    return exp.Column(this=quoted(name), table=quoted(place) if place else None)


def aliased(value: exp.Expr, name: str) -> exp.Alias:
    """Return a value as a column of a name."""
    return exp.Alias(this=value, alias=quoted(name))
