"""Metrics that installed packages offer, by the entry-point group `funnelkit.metrics`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from threading import Lock
from typing import cast

from funnelkit.catalog import BUILT_IN
from funnelkit.errors import DefinitionError, PluginWarning
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import Registry

__all__ = ["GROUP", "load_plugins"]

GROUP = "funnelkit.metrics"
_lock = Lock()


def load_plugins() -> Registry:
    """Give the metrics that installed packages offer; read once.

    A package offers them under the entry-point group `funnelkit.metrics`: a
    metric, several, a registry, or a function without arguments that gives
    one of these. Names in their text formulas may be those of built-in metrics.

    Returns:
        The metrics. `fk.register(fk.load_plugins())` adds them to the default
        registry.

    Warns:
        PluginWarning: A plug-in cannot be loaded, or claims a name that is taken;
            it is named and left out.
    """
    with _lock:
        return _loaded()


@cache
def _loaded() -> Registry:
    found = Registry()
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        origin = _origin(entry)
        try:
            found = found | _offered(entry, origin)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # its host goes on, whatever
            reason = f"{type(error).__name__}: {error}"
            warnings.warn(f"{origin} is left out: {reason}", PluginWarning, stacklevel=3)
    return found


def _origin(entry: EntryPoint) -> str:
    package = "" if entry.dist is None else f" of {entry.dist.name} {entry.dist.version}"
    return f"the plug-in {entry.name!r}{package}"


def _offered(entry: EntryPoint, origin: str) -> Registry:
    offered: object = entry.load()
    if callable(offered) and not isinstance(offered, Metric | Registry):
        offered = cast("Callable[[], object]", offered)()
    tables = offered.tables if isinstance(offered, Registry) else ()
    metrics = _metrics(offered, entry.value)
    return Registry(metrics, origin=origin, among=BUILT_IN, tables=tables)


def _metrics(offered: object, value: str) -> list[Metric]:
    if isinstance(offered, Metric):
        return [offered]
    if isinstance(offered, Registry):
        return list(offered.values())
    items = list(cast("Iterable[object]", offered)) if isinstance(offered, Iterable) else [offered]
    for item in items:
        if not isinstance(item, Metric):
            raise DefinitionError(
                f"{value} offers a {type(item).__name__}", "offer fk.Metric objects or a registry"
            )
    return cast("list[Metric]", items)
