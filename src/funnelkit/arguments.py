"""Checks of arguments, each worded once."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TypeGuard, cast

from funnelkit.errors import DefinitionError, shortened

__all__ = [
    "check_choices",
    "check_flags",
    "check_key_names",
    "check_kind",
    "check_most",
    "check_names",
    "check_none",
    "is_finite",
    "is_number",
    "is_whole",
    "not_above",
    "not_between",
    "not_chosen",
    "not_whole",
]


def check_kind(name: str, thing: object, kinds: tuple[type, ...], remedy: str) -> None:
    """Raise if an argument is not of the expected types.

    Raises:
        DefinitionError: It is of another kind.
    """
    if not isinstance(thing, kinds):
        kind = thing.__name__ if isinstance(thing, type) else type(thing).__name__
        article = "an" if kind[0] in "aeiouAEIOU" else "a"
        kind = kind if isinstance(thing, type) else f"{article} {kind}"
        raise DefinitionError(
            f"{name} is {kind}: {shortened(' '.join(repr(thing).split()))}", remedy
        )


def check_choices(*choices: tuple[str, object, Iterable[str]]) -> None:
    """Raise if arguments are not among their choices.

    Args:
        choices: For each argument its name, its value and what it may be.

    Raises:
        DefinitionError: Some are not; lists all of them.
    """
    check_none([not_chosen(*choice) for choice in choices])


def check_flags(**flags: object) -> None:
    """Raise if arguments are not booleans.

    Raises:
        DefinitionError: Some are not; lists all of them.
    """
    check_none(
        f"{_given(name, value)} is not True or False"
        for name, value in flags.items()
        if not isinstance(value, bool)
    )


def check_most(name: str, most: object) -> None:
    """Raise if how many there are at most is neither a whole number above zero nor None.

    Raises:
        DefinitionError: It is neither.
    """
    if most is not None:
        check_none([not_whole(name, most, 1)], remedy=f"write {name}=None for all")


def check_names(argument: str, names: str | Iterable[str]) -> list[str]:
    """Return one name or several as a list.

    Raises:
        DefinitionError: They are not texts.
    """
    given = [names] if isinstance(names, str) else names
    check_kind(argument, given, (Iterable,), "pass a name, or a list of names")
    listed: list[object] = list(given)
    check_none(f"{argument}={each!r} is not a name" for each in listed if not isinstance(each, str))
    return cast("list[str]", listed)


def check_none(faults: Iterable[str], *, remedy: str = "") -> None:
    """Raise if there are faults; those without words are none.

    Raises:
        DefinitionError: There are; lists all of them.
    """
    if found := [fault for fault in faults if fault]:
        raise DefinitionError("; ".join(found), remedy)


def check_key_names(keys: Iterable[str], taken: Iterable[str], *, argument: str = "by") -> None:
    """Raise if keys have names of other columns of the result.

    Args:
        keys: The names of the keys.
        taken: The names of the other columns.
        argument: The argument that names the keys.

    Raises:
        DefinitionError: Some have; lists all of them.
    """
    clash = sorted({*taken}.intersection(keys))
    check_none(
        (f"{argument}={name!r} is also the name of a column of the result" for name in clash),
        remedy=f"rename it: fk.Dimension('my_{clash[0]}', table={clash[0]!r})" if clash else "",
    )


def not_chosen(name: str, value: object, known: Iterable[str]) -> str:
    """Return what is wrong with an argument that is not among its choices; else nothing."""
    words = list(dict.fromkeys(map(str, known)))
    if isinstance(value, str) and value in words:
        return ""
    return f"{_given(name, value)} is not one of {', '.join(map(repr, words))}"


def not_between(name: str, value: object, low: float, high: float) -> str:
    """Return what is wrong with an argument that is not inside a range; else nothing."""
    is_inside = is_number(value) and low < value < high
    return "" if is_inside else f"{_given(name, value)} is not between {low:g} and {high:g}"


def not_above(name: str, value: object, least: float) -> str:
    """Return what is wrong with an argument that is not a number above another; else nothing."""
    is_above = is_finite(value) and value > least
    return "" if is_above else f"{_given(name, value)} is not a number above {least:g}"


def not_whole(name: str, value: object, least: int) -> str:
    """Return what is wrong with an argument that is no whole number, or a small one."""
    is_fit = is_whole(value) and value >= least
    return "" if is_fit else f"{_given(name, value)} is not a whole number of {least} or more"


def is_number(thing: object) -> TypeGuard[float]:
    """Return whether a thing is a number; true and false are none."""
    return isinstance(thing, int | float) and not isinstance(thing, bool)


def is_finite(thing: object) -> TypeGuard[float]:
    """Return whether a thing is a finite number, which a float can hold."""
    return is_number(thing) and abs(thing) <= sys.float_info.max


def is_whole(thing: object) -> TypeGuard[int]:
    """Return whether a thing is a whole number; true and false are none."""
    return isinstance(thing, int) and not isinstance(thing, bool)


def _given(name: str, value: object) -> str:
    return f"{name}={shortened(repr(value))}"
