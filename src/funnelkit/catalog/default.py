"""The default registry: the built-in metrics and those registered since, replaced atomically."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import overload

from funnelkit.arguments import check_kind
from funnelkit.catalog import BUILT_IN
from funnelkit.metrics.card import Card
from funnelkit.metrics.metric import Metric
from funnelkit.metrics.registry import Registry, find_metric

__all__ = ["describe", "register", "registry", "use_registry"]


class _Default:
    """The default registry, replaced atomically: readers see the old value or the new one."""

    def __init__(self) -> None:
        self.value: Registry | None = None
        self.lock = threading.Lock()


_default = _Default()


_used: ContextVar[Registry | None] = ContextVar("funnelkit_registry", default=None)


def registry() -> Registry:
    """Return the default registry: the built-in metrics and those registered since."""
    used = _used.get()
    if used is not None:
        return used
    if _default.value is None:
        with _default.lock:
            if _default.value is None:
                _default.value = Registry(BUILT_IN.values(), origin="the built-in catalogue")
    return _default.value


@contextmanager
def use_registry(metrics: Registry) -> Generator[Registry]:
    """Use another registry as the default one inside a `with` block.

    Only the code of the block uses it, not other threads or tasks; registrations
    made in the block are discarded at its end.

    Args:
        metrics: The registry.

    Examples:
        >>> import funnelkit as fk
        >>> with fk.use_registry(fk.Registry([fk.Metric(name="rows", formula="count(orders)")])):
        ...     list(fk.registry())
        ['rows']
    """
    check_kind("metrics", metrics, (Registry,), "pass a registry: fk.Registry([…])")
    token = _used.set(metrics)
    try:
        yield metrics
    finally:
        _used.reset(token)


@overload
def register(metrics: Metric, *, replace: bool = False) -> Metric: ...


@overload
def register(metrics: Registry, *, replace: bool = False) -> Registry: ...


def register(metrics: Metric | Registry, *, replace: bool = False) -> Metric | Registry:
    """Add a metric, or all of a registry, to the default registry.

    Args:
        metrics: The metric or metrics. Names in a text formula are looked up.
        replace: Whether they may replace metrics of the same name. Registered metrics
            that refer to a replaced one refer to the new one from then on.

    Returns:
        The metric, with every name in its formula looked up, or the registry.

    Raises:
        DefinitionError: A name or alias is taken.
        UnknownNameError: Its formula names a metric that is not registered.
    """
    check_kind("metrics", metrics, (Metric, Registry), "pass a metric or a registry")
    registry()
    with _default.lock:
        current = registry()
        if isinstance(metrics, Metric):
            added = Registry([metrics], origin="fk.register", among=current)
        else:
            added = metrics
        both = current.replacing(added) if replace else current | added
        if _used.get() is None:
            _default.value = both
        else:
            _used.set(both)
    return added[metrics.name] if isinstance(metrics, Metric) else added


def describe(metric: str | Metric) -> Card:
    """Return a metric's card: documentation, formula, inputs, unit, additivity, sources.

    Args:
        metric: A name, an alias, or a metric.

    Raises:
        UnknownNameError: There is no metric of that name.
    """
    return Card(find_metric(registry(), metric))
