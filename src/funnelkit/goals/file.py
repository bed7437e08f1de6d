"""Goals in TOML, beside metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from inspect import signature
from pathlib import Path
from typing import Any

from funnelkit.errors import DefinitionError, UnknownNameError
from funnelkit.exchange.toml import load_metrics
from funnelkit.exchange.toml_file import SECTIONS, Entry, TomlFile, read_toml
from funnelkit.goals.goal import Goal
from funnelkit.goals.target import Lift
from funnelkit.metrics.metric import Metric

__all__ = ["load_goals"]

FIELDS = (*signature(Goal).parameters, "lift")


def load_goals(path: str | Path) -> tuple[Goal, ...]:
    """Read goals from a TOML file, of which each `[goals.NAME]` is one.

    The fields are those of `fk.Goal`; `lift = 0.15` stands for `target = fk.Lift(0.15)`, and
    a band is a list. They may name the metrics of the same file, and those of the registry.

    Args:
        path: The file.

    Raises:
        DefinitionError: The file cannot be read, or goals are invalid; lists every problem
            with its line.

    Examples:
        >>> import tempfile
        >>> text = '''
        ... [goals.december]
        ... metric = "orders"
        ... target = 500
        ... start = 2024-12-01
        ... deadline = 2025-01-01
        ... '''
        >>> path = Path(tempfile.mkdtemp()) / "goals.toml"
        >>> _ = path.write_text(text)
        >>> load_goals(path)
        (Goal(december: at least 500 from 2024-12-01),)
    """
    file = read_toml(path, SECTIONS)
    own: dict[str, Metric] = {}
    if file.given.keys() & {"metrics", "tables"}:
        metrics = load_metrics(path)
        own = {
            name: metric for metric in metrics.values() for name in (metric.name, *metric.aliases)
        }
    goals = tuple(_goals(file, own))
    file.check()
    if not goals:
        raise DefinitionError(f"{file.name} has no goals", "write [goals.NAME]")
    return goals


def _goals(file: TomlFile, own: Mapping[str, Metric]) -> Iterator[Goal]:
    for name, entry in file.section("goals").items():
        before = len(file.faults)
        for key in entry:
            if key not in FIELDS:
                file.fault("goals", name, key, str(UnknownNameError("field", key, FIELDS)))
        if len(file.faults) > before:
            continue
        try:
            yield Goal(**_fields(name, entry, own))
        except (DefinitionError, UnknownNameError) as error:
            file.fault("goals", name, "", str(error).removeprefix(f"{name}: "))


def _fields(name: str, entry: Entry, own: Mapping[str, Metric]) -> dict[str, Any]:
    """Return the fields of a goal as `Goal` takes them.

    Raises:
        DefinitionError: It has a target and a lift.
    """
    fields: dict[str, Any] = {"name": name, **entry}
    for part in ("metric", "supports"):
        if isinstance(given := fields.get(part), str):
            fields[part] = own.get(given, given)
    if "lift" in fields:
        if "target" in fields:
            raise DefinitionError("it has a target and a lift", "write one of them")
        fields["target"] = Lift(fields.pop("lift"))
    return fields
