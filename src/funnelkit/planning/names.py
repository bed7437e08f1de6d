"""Names for the columns that a plan makes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["Names"]


@dataclass(slots=True)
class Names:
    """Names for the columns that a plan makes: none of them is a column of any table.

    Attributes:
        taken: The names in use, in small letters: not every engine tells them apart.
        given: What was named, and how.
    """

    taken: set[str]
    given: dict[object, str] = field(default_factory=dict[object, str])

    def of(self, thing: object, wanted: str) -> str:
        """Return the name of a thing: the wanted one, or one with a number after it.

        Args:
            thing: What is named; the same thing always has the same name.
            wanted: The name by preference; what no identifier holds is replaced.
        """
        if thing not in self.given:
            plain = re.sub(r"\W", "_", wanted, flags=re.ASCII).strip("_") or "column"
            plain = f"n{plain}" if plain[0].isdigit() else plain
            name, number = plain, 1
            while name.lower() in self.taken:
                number += 1
                name = f"{plain}_{number}"
            self.taken.add(name.lower())
            self.given[thing] = name
        return self.given[thing]
