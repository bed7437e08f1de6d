"""Metrics that installed packages provide, by the entry-point group `funnelkit.metrics`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from threading import Lock
from typing import cast

from funnelkit.catalog.default import registry
from funnelkit.errors import DefinitionError, FunnelkitError, PluginWarning
from funnelkit.formula.table import Table
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import Registry

__all__ = ["GROUP", "load_plugins"]

GROUP = "funnelkit.metrics"


@dataclass(frozen=True, slots=True)
class _Offer:
    """The metrics of one package, or the error that reading them raised."""

    origin: str
    metrics: tuple[Metric, ...] = ()
    tables: tuple[type[Table], ...] = ()
    error: BaseException | None = None


class _Loaded:
    """Holds what was read, and the registry in which names were last looked up."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.forget()

    def forget(self) -> None:
        """Discard what was read, so that it is read again."""
        self.offers: list[_Offer] | None = None
        self.among: Registry | None = None
        self.found = Registry()


_loaded = _Loaded()


def load_plugins() -> Registry:
    """Return the metrics that installed packages provide; read once.

    A package offers them under the entry-point group `funnelkit.metrics`: a
    metric, several, a registry, or a function without arguments that returns
    one of these. Names in their text formulas may be those of the default
    registry, of the same package, and of packages whose entry point precedes it
    alphabetically; they are looked up again when the default registry changes.

    Returns:
        The metrics. `fk.register(fk.load_plugins())` adds them to the default
        registry.

    Warns:
        PluginWarning: A plug-in cannot be loaded, or uses a name that is taken;
            the warning names it, and it is skipped.
    """
    among = registry()
    with _loaded.lock:
        if _loaded.offers is None:
            entries = sorted(entry_points(group=GROUP), key=lambda entry: entry.name)
            _loaded.offers = [_read(entry) for entry in entries]
        if _loaded.among is not among:
            _loaded.found = _looked_up(_loaded.offers, among)
            _loaded.among = among
        return _loaded.found


def _looked_up(offers: Iterable[_Offer], among: Registry) -> Registry:
    found = Registry()
    for offer in offers:
        error = offer.error
        if error is None:
            try:
                found = found | Registry(
                    offer.metrics,
                    origin=offer.origin,
                    among=among.replacing(found),
                    tables=offer.tables,
                )
            except FunnelkitError as refused:
                error = refused
        if error is not None:
            reason = f"{type(error).__name__}: {error}"
            warnings.warn(f"{offer.origin} is skipped: {reason}", PluginWarning, stacklevel=4)
    return found


def _origin(entry: EntryPoint) -> str:
    package = "" if entry.dist is None else f" of {entry.dist.name} {entry.dist.version}"
    return f"the plug-in {entry.name!r}{package}"


def _read(entry: EntryPoint) -> _Offer:
    origin = _origin(entry)
    try:
        offered: object = entry.load()
        if callable(offered) and not isinstance(offered, Metric | Registry):
            offered = cast("Callable[[], object]", offered)()
        tables = offered.tables if isinstance(offered, Registry) else ()
        return _Offer(origin, tuple(_metrics(offered, entry.value)), tables)
    except (Exception, SystemExit) as error:  # noqa: BLE001  # its host goes on, whatever
        return _Offer(origin, error=error)


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
