"""Files of definitions in TOML: sections of named entries, and problems with their lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from funnelkit.arguments import check_kind
from funnelkit.errors import DefinitionError

__all__ = ["SECTIONS", "Entry", "TomlFile", "read_toml"]

Entry = Mapping[str, object]
SECTIONS = ("tables", "metrics", "goals")
"""The sections that a file of definitions may have."""


@dataclass(slots=True)
class TomlFile:
    """A file being read: its text, and the problems found so far.

    Attributes:
        name: The name of the file.
        text: Its text.
        given: What it holds, by section.
        faults: The line of each problem, and what it is.
    """

    name: str
    text: str
    given: Entry
    faults: list[tuple[int, str]] = field(default_factory=list)

    def line(self, section: str, name: str, *, key: str = "") -> int:
        """Return the line of a key of a section, or of the section itself."""
        head = re.compile(rf'^\s*\[\s*{section}\s*\.\s*(["\']?){re.escape(name)}\1\s*[\].]')
        lines = self.text.splitlines()
        start = next((n for n, line in enumerate(lines) if head.match(line)), 0)
        for number in range(start + 1, len(lines) if key else start + 1):
            if re.match(rf'^\s*(["\']?){re.escape(key)}\1\s*=', lines[number]):
                return number + 1
            if lines[number].lstrip().startswith("[") and not head.match(lines[number]):
                break
        return start + 1

    def fault(self, section: str, name: str, key: str, what: str) -> None:
        """Add a problem with a key of an entry of a section."""
        self.faults.append((self.line(section, name, key=key), f"{section}.{name}: {what}"))

    def check(self) -> None:
        """Raise if anything in the file is wrong."""
        if self.faults:
            lines = [f"  line {line}: {what}" for line, what in sorted(self.faults)]
            many = f"{len(lines)} problem{'s' if len(lines) > 1 else ''}"
            raise DefinitionError("\n".join([f"{self.name} has {many}:", *lines]))

    def section(self, name: str) -> dict[str, Entry]:
        """Return the entries of a section; none where it is not there."""
        section = self.given.get(name, {})
        if not isinstance(section, dict):
            self.faults.append((1, f"{name} is not a table: write [{name}.…]"))
            return {}
        found: dict[str, Entry] = {}
        for key, entry in cast("dict[str, object]", section).items():
            if isinstance(entry, dict):
                found[key] = cast("Entry", entry)
            else:
                self.fault(name, key, "", f"is {entry!r}, not a table: write [{name}.{key}]")
        return found


def read_toml(path: str | Path, sections: Sequence[str]) -> TomlFile:
    """Read a file of definitions.

    Args:
        path: The file.
        sections: The sections that it may have.

    Raises:
        DefinitionError: It cannot be read.
    """
    check_kind("path", path, (str, Path), "pass the path of a TOML file")
    place = Path(path)
    try:
        text = place.read_text("utf-8-sig")
        given = cast("Entry", tomllib.loads(text))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise DefinitionError(f"{place.name} cannot be read: {error}", "write TOML") from None
    file = TomlFile(place.name, text, given)
    for section in given:
        if section not in sections:
            several = ", ".join(sections[:-1]) + f" and {sections[-1]}"
            file.faults.append((1, f"there is no section {section!r}; use {several}"))
    return file
