"""Text to formula: a whitelisted subset of Python's expressions, never evaluated.

Invalid text raises a `DefinitionError` with the column of the problem.
"""

from __future__ import annotations

import ast
import datetime as dt
import keyword
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from funnelkit.arguments import is_number
from funnelkit.errors import DefinitionError
from funnelkit.formula.arguments import DEEPEST
from funnelkit.formula.constants import LENGTHS, length_of
from funnelkit.formula.folds import FOLDS
from funnelkit.formula.formulas import (
    Arithmetic,
    Constant,
    Count,
    Formula,
    Name,
    PeriodDays,
    PerKey,
    Quantile,
)
from funnelkit.formula.functions import (
    CALLS,
    FUNCTIONS,
    KINDS,
    AnyApplied,
    Function,
    function_named,
)
from funnelkit.formula.operators import Operator, Relation
from funnelkit.formula.parse_errors import (
    quoted,
    refuse,
    refuse_arguments,
    refuse_condition,
    refuse_name,
)
from funnelkit.formula.table import Rows, Table
from funnelkit.formula.values import (
    And,
    Coalesce,
    Column,
    Comparison,
    Dimension,
    If,
    IsBetween,
    IsIn,
    IsNull,
    IsTrue,
    Literal,
    Lookup,
    Not,
    Operation,
    Or,
    Predicate,
    PredicateNode,
    Scalar,
    Value,
)
from funnelkit.units import Unit

__all__ = ["parse_formula", "parse_predicate"]

Read = TypeVar("Read")

LONGEST = 1_000_000

_OPERATORS: dict[type[ast.operator], Operator] = {
    ast.Add: Operator.ADD,
    ast.Sub: Operator.SUBTRACT,
    ast.Mult: Operator.MULTIPLY,
    ast.Div: Operator.DIVIDE,
}
_RELATIONS: dict[type[ast.cmpop], Relation] = {
    ast.Eq: Relation.EQ,
    ast.NotEq: Relation.NE,
    ast.Lt: Relation.LT,
    ast.LtE: Relation.LE,
    ast.Gt: Relation.GT,
    ast.GtE: Relation.GE,
}


def parse_formula(text: str, tables: Mapping[str, type[Table]]) -> Formula:
    """Read a formula.

    Args:
        text: The formula.
        tables: The tables that it may name.

    Raises:
        DefinitionError: The text is not a formula; gives the column.
    """
    return _read(text, _Reader(tables).formula)


def parse_predicate(text: str) -> Predicate:
    """Read a predicate over dimensions, as `where=` takes it.

    Args:
        text: The predicate: `"country == 'PL' and channel in ('paid', 'email')"`.

    Raises:
        DefinitionError: The text is not a predicate; gives the column.
    """
    return _read(text, _Reader({}).predicate)


def _read(text: str, read: Callable[[ast.expr], Read]) -> Read:
    if len(text) > LONGEST:
        raise DefinitionError(f"a text of {len(text):,} characters", f"stay under {LONGEST:,}")
    problem = f"{quoted(text)} is not an expression"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            return read(ast.parse(text.strip(), mode="eval").body)
    except DefinitionError:
        raise
    except SyntaxError as error:
        at = error.offset - 1 if error.offset else len(text.strip())
        remedy = "compare with ==, join with and, or, not, quote texts"
        raise DefinitionError(f"{problem}: {error.msg}", remedy, at) from None
    except ValueError as error:
        raise DefinitionError(f"{problem}: {error}", position=0) from None
    except (MemoryError, RecursionError):
        raise DefinitionError(f"{problem}: it is nested too deeply", position=0) from None


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads one text; knows the tables and, inside an aggregate, its `PerKey`."""

    tables: Mapping[str, type[Table]]
    rollup: PerKey | None = None

    def formula(self, node: ast.expr, depth: int = 0) -> Formula:
        if depth > DEEPEST:
            refuse(node, "nested too deeply", f"stay within {DEEPEST} levels")
        match node:
            case ast.Constant(value=int() | float() as value) if not isinstance(value, bool):
                return Constant(value)
            case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float())):
                return Constant(_number(node))
            case ast.BinOp():
                first, others = _chain(node)
                deep = depth + len(others)
                chain = self.formula(first, deep)
                for above, (operator, other) in enumerate(others):
                    chain = Arithmetic(operator, chain, self.formula(other, deep - above))
                return chain
            case ast.Name() | ast.Attribute() if name := self._dotted(node):
                return Name(name)
            case ast.Call(func=ast.Name(id=name)):
                return self._call(name, node, depth)
            case _:
                refuse(node, "is not a formula", "use aggregates, metric names and + - * /")

    def _dotted(self, node: ast.expr) -> str:
        """Return a metric's name, dotted for a variant; empty for a column of a table."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name) or (parts and node.id in self.tables):
            return ""
        if any(
            map(keyword.iskeyword, (node.id, *parts))
        ):  # Unicode letters that normalise to a keyword
            refuse(node, "is written with letters that spell a keyword", "write plain letters")
        return ".".join([node.id, *reversed(parts)])

    def _call(self, name: str, node: ast.Call, depth: int) -> Formula:
        if function := function_named(name):
            return self._applied(function, node, depth + 1)
        if name == "period_days":
            if _words(node) or node.args:
                refuse_arguments(node, name)
            return PeriodDays()
        if name in {*FOLDS, "count", "quantile"}:
            return self._aggregate(name, node, depth + 1)
        functions = [function.name for function in FUNCTIONS.values()]
        known = sorted([*FOLDS, *functions, "period_days", "count", "quantile"])
        refuse_name(node, "function", name, known)

    def _applied(self, function: Function, node: ast.Call, depth: int) -> Formula:
        words = _words(node)
        if not set(words) <= function.keywords:
            refuse_arguments(node, function.name)
        match node.args:
            case [inner] | [inner, ast.Constant(value=int())] if function.takes(len(node.args)):
                make: Callable[..., AnyApplied] = function.node
                count, others = map(_number, node.args[1:]), self._others(words)
                return self._built(node, make, self.formula(inner, depth), *count, **others)
            case _:
                refuse_arguments(node, function.name)

    def _aggregate(self, name: str, node: ast.Call, depth: int) -> Formula:
        words = _words(node)
        if not node.args:
            refuse(node, "is not an aggregate", "pass what to fold, then keyword arguments")
        first, *rest = node.args
        source = words.pop("of", None) if name != "count" else first
        rollup = None if source is None else self._rollup(source, depth)
        if name != "count" and source is not None and rollup is None:
            refuse(source, "is not a per_key(…)", "write of=per_key(key, …)")
        if name == "count" and rest:
            refuse(node, "counts rows or one column", "write count(table, where=…)")
        inside = _Reader(self.tables, rollup)
        options: dict[str, object] = {}
        if (where := words.pop("where", None)) is not None:
            options["where"] = inside.predicate(where, depth)
        if name == "count":
            counted = rollup or inside.counted(first, depth)
            return self._built(node, Count, counted, **options, **self._others(words))
        if (within := words.pop("require_single", None)) is not None:
            table = self.tables.get(within.id) if isinstance(within, ast.Name) else None
            options["require_single"] = table or inside.column(within)
        options |= self._others(words)
        value = inside.value(first, depth)
        if name == "quantile" and len(rest) == 1:
            return self._folded(node, rollup, Quantile, value, _number(rest[0]), **options)
        if name == "quantile" or rest:
            refuse_arguments(node, name)
        return self._folded(node, rollup, FOLDS[name], value, **options)

    def _folded(
        self,
        node: ast.Call,
        source: PerKey | None,
        make: Callable[..., Formula],
        /,
        *args: object,
        **options: object,
    ) -> Formula:
        """Return an aggregate; what it says after `of=` must be what its columns are of."""
        made = self._built(node, make, *args, **options)
        if source is not None and getattr(made, "of", None) != source:
            remedy = "fold the columns of per_key(…), or drop of="
            refuse(node, "mixes per_key(…) with columns of a table", remedy)
        return made

    def _others(self, words: dict[str, ast.expr]) -> dict[str, object]:
        plain: dict[str, object] = {}
        for word, node in words.items():
            if not isinstance(node, ast.Constant):
                refuse(node, f"is not a constant for {word}=", "write the value itself")
            plain[word] = node.value
        return plain

    def _built(
        self, node: ast.expr, make: Callable[..., Read], /, *args: object, **kw: object
    ) -> Read:
        try:
            return make(*args, **kw)
        except DefinitionError as error:
            if error.position is not None:
                raise
            raise DefinitionError(error.problem, error.remedy, node.col_offset) from None
        except TypeError:
            refuse(node, "has an argument that it does not take", "see the reference of the node")

    def _rollup(self, node: ast.expr, depth: int) -> PerKey | None:
        match node:
            case ast.Call(func=ast.Name(id="per_key"), args=[key]):
                words = _words(node)
                where = words.pop("where", None)
                return self._built(
                    node,
                    PerKey,
                    self.key(key, depth),
                    where=None if where is None else self.predicate(where, depth),
                    **{name: self.formula(inner, depth) for name, inner in words.items()},
                )
            case _:
                return None

    def key(self, node: ast.expr, depth: int) -> Value:
        is_lookup = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        return self.value(node, depth) if is_lookup else self.column(node)

    def counted(self, node: ast.expr, depth: int) -> Rows | Value:
        if isinstance(node, ast.Name) and self.rollup is None:
            table = self.table(node)
            return Rows(table.table, table.row_unit)
        return self.value(node, depth)

    def table(self, node: ast.Name) -> type[Table]:
        if node.id not in self.tables:
            remedy = "declare a table of your own: class Rides(fk.Table, table=…, key=…, time=…)"
            refuse_name(node, "table", node.id, self.tables, remedy=remedy)
        return self.tables[node.id]

    def column(self, node: ast.expr) -> Column:
        match node:
            case ast.Attribute(value=ast.Name(), attr=name) if not self.tables:
                refuse(node, "names a table", f"write the column alone, as in {name} == …")
            case ast.Attribute(value=ast.Name() as owner, attr=name):
                table = self.table(owner)
                if name not in table.columns:
                    remedy = f"write {owner.id}.column('{name}', kind) for a custom column"
                    refuse_name(node, f"column of {owner.id}", name, table.columns, remedy=remedy)
                return table.columns[name]
            case ast.Call(
                func=ast.Attribute(value=ast.Name() as owner, attr="column"),
                args=[ast.Constant(value=str() as name), ast.Constant(value=str() as kind), *unit],
                keywords=[],
            ) if kind in KINDS:
                units = [self._built(u, Unit.parse, _word(u)) for u in unit]
                make: Callable[..., Column] = self.table(owner).column
                return self._built(node, make, name, KINDS[kind], *units)
            case ast.Call(func=ast.Name(id=name)) if not self.tables:
                refuse_name(node, "function", name, CALLS)
            case _:
                remedy = "write table.column" if self.tables else "write the name of a dimension"
                refuse(node, "is not a column", remedy)

    def value(self, node: ast.expr, depth: int = 0) -> Value:
        if depth > DEEPEST:
            refuse(node, "nested too deeply", f"stay within {DEEPEST} levels")
        match node:
            case ast.Constant() | ast.UnaryOp(op=ast.USub()):
                return Literal(_scalar(node))
            case ast.BinOp():
                first, others = _chain(node)
                deep = depth + len(others)
                chain = self.value(first, deep)
                for above, (operator, other) in enumerate(others):
                    right = self.value(other, deep - above)
                    chain = self._built(other, Operation, operator, chain, right)
                return chain
            case ast.Name(id=name):
                return Dimension(name) if self.rollup is None else self._of_rollup(node)
            case ast.Call(func=ast.Name(id=name)) if name in CALLS or name == "dimension":
                return self._value_call(name, node, depth + 1)
            case _:
                return self.column(node)

    def _of_rollup(self, node: ast.Name) -> Value:
        if self.rollup is None:
            refuse(node, "is not a column", "write table.column")
        return self._built(node, self.rollup.__getitem__, node.id)

    def _value_call(self, name: str, node: ast.Call, depth: int) -> Value:
        if name == "dimension":
            words = self._others(_words(node))
            return self._built(node, Dimension, *map(_scalar, node.args), **words)
        if node.keywords:
            refuse(node, "takes no named arguments", f"see {name} in the reference")
        if name == "date" or name in LENGTHS:
            return Literal(_scalar(node))
        if name == "if_else" and len(node.args) == 3:
            condition, then, otherwise = node.args
            sides = self.value(then, depth), self.value(otherwise, depth)
            return self._built(node, If, self.predicate(condition, depth), *sides)
        make, arity = CALLS[name]
        if make is None or (arity is not None and len(node.args) != arity):
            refuse_arguments(node, name)
        return self._built(node, make, *(self.value(arg, depth) for arg in node.args))

    def predicate(self, node: ast.expr, depth: int = 0) -> Predicate:
        if depth > DEEPEST:
            refuse(node, "nested too deeply", f"stay within {DEEPEST} levels")
        below = depth + 1
        match node:
            case ast.BoolOp(op=op, values=[first, *others]):
                _check_length(node, len(others))
                deep = depth + len(others)
                joined = self.predicate(first, deep)
                for above, other in enumerate(others):
                    right = self.predicate(other, deep - above)
                    joined = And(joined, right) if isinstance(op, ast.And) else Or(joined, right)
                return joined
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return Not(self.predicate(operand, below))
            case ast.Compare(
                left=left,
                ops=[ast.In() | ast.NotIn() as op],
                comparators=[ast.List() | ast.Tuple() as options],
            ):
                some = tuple(map(_scalar, options.elts))
                found = self._built(node, IsIn, self.value(left, below), some)
                return found if isinstance(op, ast.In) else Not(found)
            case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in _RELATIONS:
                relation = _RELATIONS[type(op)]
                sides = self.value(left, below), self.value(right, below)
                return self._built(node, Comparison, relation, *sides)
            case ast.Call(func=ast.Name(id="is_null"), args=[value], keywords=[]):
                return IsNull(self.value(value, below))
            case ast.Call(func=ast.Name(id="is_true"), args=[value], keywords=[]):
                looked_up = self.value(value, below)
                if isinstance(looked_up, Lookup | Coalesce):
                    return IsTrue(looked_up)
                refuse(node, "is not the lookup of a flag", "write is_true(lookup(key, flag))")
            case ast.Call(func=ast.Name(id="between"), args=[value, low, high], keywords=[]):
                parts = (self.value(part, below) for part in (value, low, high))
                return self._built(node, IsBetween, *parts)
            case _:
                return self._flag(node)

    def _flag(self, node: ast.expr) -> Predicate:
        if isinstance(node, ast.Attribute | ast.Call):
            column = self.column(node)
            if isinstance(column, PredicateNode):
                return column  # type: ignore[return-value]  # only Flag is both
        refuse_condition(node)


def _chain(node: ast.expr) -> tuple[ast.expr, list[tuple[Operator, ast.expr]]]:
    """Return the first term of a chain of operations, and each operator with what follows."""
    others: list[tuple[Operator, ast.expr]] = []
    while isinstance(node, ast.BinOp):
        if type(node.op) not in _OPERATORS:
            refuse(node, "is not an arithmetic operator", "use + - * /")
        _check_length(node, len(others) + 1)
        others.append((_OPERATORS[type(node.op)], node.right))
        node = node.left
    return node, others[::-1]


def _check_length(node: ast.expr, length: int) -> None:
    if length > DEEPEST:
        refuse(node, "is too long a chain", f"stay within {DEEPEST} terms")


def _words(node: ast.Call) -> dict[str, ast.expr]:
    """Return the keyword arguments of a call by name; each may be given once."""
    words: dict[str, ast.expr] = {}
    for word in node.keywords:
        if word.arg is None or word.arg in words:
            refuse(node, "has an unnamed or repeated argument", "name each argument once")
        words[word.arg] = word.value
    return words


def _scalar(node: ast.expr) -> Scalar:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant() as inner):
            return -_number(inner)
        case ast.Constant(value=None):
            refuse(node, "equals nothing", "write is_null(x), or not is_null(x)")
        case ast.Call(func=ast.Name(id="date")):
            return _date(node)
        case ast.Call(func=ast.Name(id=unit)) if unit in LENGTHS:
            return _length(unit, node)
        case _:
            refuse(node, "is not a constant", "write a number, a quoted text, True or False")


def _word(node: ast.expr) -> str:
    value = _scalar(node)
    if not isinstance(value, str):
        refuse(node, "is not a text", "quote it")
    return value


def _date(node: ast.Call) -> dt.date:
    match node.args:
        case [ast.Constant(value=str() as text)]:
            try:
                return (
                    dt.datetime.fromisoformat(text)
                    if len(text) > 10
                    else dt.date.fromisoformat(text)
                )
            except ValueError:
                refuse(
                    node, f"holds {text!r}, which is not a valid date", "write date('2024-12-31')"
                )
        case _:
            refuse(node, "is not a date", "write date('2024-12-31')")


def _length(unit: str, node: ast.Call) -> dt.timedelta:
    if len(node.args) != 1 or node.keywords:
        refuse_arguments(node, unit)
    number = _number(node.args[0])
    try:
        return length_of(unit, number)
    except DefinitionError as error:
        raise DefinitionError(error.problem, error.remedy, node.col_offset) from None


def _number(node: ast.expr) -> float:
    value = _scalar(node)
    if not is_number(value):
        refuse(node, "is not a number", "write a number")
    return value
