"""Units and their algebra: what a number counts, and how it is shown.

A unit is a product of integer powers of base units: `MONEY / ORDER`. Two
units fit together when their powers are the same; how they are displayed
(as a percentage, a multiple, a score) does not matter for that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import assert_never

from funnelkit.errors import DefinitionError

__all__ = [
    "CART",
    "CLICK",
    "CUSTOMER",
    "DAY",
    "EMAIL",
    "ENGAGEMENT",
    "EVENT",
    "FOLLOWER",
    "IMPRESSION",
    "ITEM",
    "MILLISECOND",
    "MONEY",
    "MULTIPLE",
    "NUMBER",
    "ORDER",
    "PAGE",
    "PARCEL",
    "PRODUCT",
    "QUERY",
    "RATIO",
    "RECIPIENT",
    "RESPONSE",
    "RETURN",
    "SCORE",
    "SECOND",
    "SESSION",
    "VISITOR",
    "Display",
    "Unit",
]


TINY, HUGE = 1e-6, 1e15
MOST_PLACES = 8
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86_400

MINOR_UNITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
"""The decimal places of the currencies of ISO 4217 that do not have two."""


class Display(StrEnum):
    """How a value of a unit is shown; the value itself is never scaled."""

    NUMBER = "number"
    PERCENT = "percent"
    MULTIPLE = "multiple"
    SCORE = "score"


@dataclass(frozen=True, slots=True)
class Unit:
    """A product of powers of base units, with a way to show it.

    Attributes:
        powers: Base unit and exponent, sorted by name, no exponent 0.
        display: How values are shown.

    Examples:
        >>> str(MONEY / ORDER)
        'money/order'
        >>> (ORDER / ORDER).fits(RATIO)
        True
    """

    powers: tuple[tuple[str, int], ...] = ()
    display: Display = Display.NUMBER

    def __mul__(self, other: Unit) -> Unit:
        return self._combine(other, 1)

    def __truediv__(self, other: Unit) -> Unit:
        return self._combine(other, -1)

    def __str__(self) -> str:
        above = "·".join(_power(name, n) for name, n in self.powers if n > 0)
        below = "·".join(_power(name, -n) for name, n in self.powers if n < 0)
        return (above or "1") + (f"/{below}" if below else "")

    @property
    def label(self) -> str:
        """The text form with the display, as `parse` reads it: `"click/impression as percent"`."""
        return str(self) if self.display is Display.NUMBER else f"{self} as {self.display}"

    @classmethod
    def parse(cls, text: str) -> Unit:
        """Read a unit from its text form: `"money/order"`, `"1 as percent"`.

        Raises:
            DefinitionError: The text is not a unit.
        """
        dimensions, _, display = text.partition(" as ")
        if display and display not in set(Display):
            raise DefinitionError(f"{display!r} is no display", "use " + ", ".join(Display))
        above, _, below = dimensions.partition("/")
        powers: dict[str, int] = {}
        for part, sign in ((above, 1), (below, -1)):
            for factor in filter(None, part.split("·")):
                name, _, power = factor.partition("^")
                if factor == "1":
                    continue
                if not name.isidentifier() or not (power or "1").isdecimal():
                    raise DefinitionError(f"{text!r} is not a unit", "write it like money/order")
                powers[name] = powers.get(name, 0) + sign * int(power or "1")
        kept = tuple(sorted((name, n) for name, n in powers.items() if n))
        return cls(kept, Display(display) if display else Display.NUMBER)

    @property
    def percent(self) -> Unit:
        """The same unit, shown as a percentage."""
        return replace(self, display=Display.PERCENT)

    @property
    def root(self) -> Unit:
        """The unit of the square root.

        Raises:
            DefinitionError: It is no square of a unit.
        """
        if any(n % 2 for _, n in self.powers):
            raise DefinitionError(
                f"the square root of {self} is not a unit", "take the root of a square: a variance"
            )
        return Unit(tuple((name, n // 2) for name, n in self.powers))

    @property
    def is_plain(self) -> bool:
        """Whether it is a pure number."""
        return not self.powers

    @property
    def is_count(self) -> bool:
        """Whether it is a count: a single base unit other than money or time."""
        return len(self.powers) == 1 and self.powers[0] not in {("money", 1), ("second", 1)}

    @property
    def is_tally(self) -> bool:
        """Whether it is a plain count of some base unit, not for example its square or inverse."""
        return self.is_count and self.powers[0][1] == 1

    def fits(self, other: Unit) -> bool:
        """Return whether values of the two units may be added or compared."""
        return self.powers == other.powers

    def format(self, value: float | None, *, currency: str = "") -> str:
        """Return a value as display text: percent, money with its currency, thousands separated.

        Args:
            value: The number, or None for a value that does not exist.
            currency: The code shown after money.
        """
        if value is None or not math.isfinite(value):
            return "–"
        match self.display:
            case Display.PERCENT if abs(value) < HUGE:
                return f"{_percent(value)} %"
            case Display.PERCENT | Display.MULTIPLE:
                return f"{_decimal(value)}×"
            case Display.SCORE if abs(value) >= HUGE:
                return _decimal(value)
            case Display.SCORE:
                return f"{value:+.1f}" if round(value, 1) else "0.0"
            case Display.NUMBER:
                return self._plain(value, currency)
            case _:
                assert_never(self.display)

    def _plain(self, value: float, currency: str) -> str:
        above = [name for name, n in self.powers if n > 0]
        if above == ["second"] and ("second", 1) in self.powers:
            return _duration(value)
        is_whole = isinstance(value, int) or (self.is_tally and value % 1 == 0)
        if is_whole and abs(value) < HUGE:
            return f"{int(value):,}"
        if ("money", 1) in self.powers:
            return f"{_decimal(value, MINOR_UNITS.get(currency.upper(), 2))} {currency}".rstrip()
        return _decimal(value, 4 if abs(value) < 1 else 2)

    def _combine(self, other: Unit, sign: int) -> Unit:
        total = dict(self.powers)
        for name, n in other.powers:
            total[name] = total.get(name, 0) + sign * n
        return Unit(tuple(sorted((name, n) for name, n in total.items() if n)))


def _power(name: str, n: int) -> str:
    return name if n == 1 else f"{name}^{n}"


def _decimal(value: float, places: int = 2) -> str:
    """Return a number as text, neither a tiny one as 0 nor a huge one as a row of digits."""
    size = abs(value)
    if size >= HUGE or 0 < size < TINY:
        return f"{value:.2e}"
    if 0 < size < 10**-places:
        places = 1 - math.floor(math.log10(size))
    return f"{value if round(value, places) else 0.0:,.{places}f}"


def _percent(share: float) -> str:
    """Return a share as text in percent; a share below 1 is not rounded to 100."""
    text = _decimal(share * 100)
    if abs(share) >= 1 or text.lstrip("-") != "100.00":
        return text
    places = min(math.ceil(-math.log10(100 - abs(share) * 100)), MOST_PLACES)
    cut = min(abs(share) * 100, 100 - 10**-places)
    return f"{math.copysign(cut, share):.{places}f}"


def _duration(seconds: float) -> str:
    """Return a duration as text in its two largest units, such as days and hours."""
    size, sign = abs(seconds), "-" if seconds < 0 else ""
    if size >= HUGE:
        return f"{seconds / DAY_S:.2e} d"
    if round(size, 1) < MINUTE_S:
        return f"{_decimal(seconds, 1 if size >= 1 else 2)} s"
    for large, small, names in (
        (MINUTE_S, 1, "min s"),
        (HOUR_S, MINUTE_S, "h min"),
        (DAY_S, HOUR_S, "d h"),
    ):
        whole = round(size / small) * small
        limit = {MINUTE_S: HOUR_S, HOUR_S: DAY_S}.get(large, math.inf)
        if whole < limit:
            count, rest = divmod(whole, large)
            first, second = names.split()
            more = f" {rest // small} {second}" if rest else ""
            return f"{sign}{count:,} {first}{more}"
    raise AssertionError(seconds)


def _base(name: str) -> Unit:
    return Unit(((name, 1),))


NUMBER = Unit()
RATIO = Unit(display=Display.PERCENT)
MULTIPLE = Unit(display=Display.MULTIPLE)
SCORE = Unit(display=Display.SCORE)

MONEY = _base("money")
SECOND = _base("second")

CART = _base("cart")
CLICK = _base("click")
CUSTOMER = _base("customer")
DAY = _base("day")
EMAIL = _base("email")
ENGAGEMENT = _base("engagement")
EVENT = _base("event")
FOLLOWER = _base("follower")
IMPRESSION = _base("impression")
ITEM = _base("item")
MILLISECOND = _base("millisecond")
ORDER = _base("order")
PAGE = _base("page")
PARCEL = _base("parcel")
PRODUCT = _base("product")
QUERY = _base("query")
RECIPIENT = _base("recipient")
RESPONSE = _base("response")
RETURN = _base("return")
SESSION = _base("session")
VISITOR = _base("visitor")
