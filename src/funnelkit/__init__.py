"""Ecommerce KPI definitions that can be read, checked and evaluated.

Bind frames with `Shop`, ask with `evaluate`, read a definition with
`describe`, add your own with `Metric` and `register`.
"""

from importlib import import_module
from inspect import isfunction
from typing import TYPE_CHECKING

from funnelkit.errors import with_short_traceback

if TYPE_CHECKING:
    from funnelkit.api import *  # noqa: F403  # its __all__ is the public face
    from funnelkit.api import __all__ as __all__
else:

    def __getattr__(name: str) -> object:
        """Load the library at the first use of one of its names: importing it costs nothing."""
        face = import_module("funnelkit.api")
        if name not in {"__all__", *face.__all__}:
            message = f"module 'funnelkit' has no attribute {name!r}"
            raise AttributeError(message, name=name, obj=face)
        found = getattr(face, name)
        if isfunction(found):
            found = with_short_traceback(found)
            found.__module__, found.__qualname__ = __name__, name
        globals()[name] = found
        return found

    def __dir__() -> list[str]:
        return sorted(import_module("funnelkit.api").__all__)
