"""How the library's numbers are compared with the expected ones."""

import polars as pl
from polars.testing import assert_frame_equal

import funnelkit as fk

KEYS: frozenset[str] = frozenset(
    {
        "period",
        "channel",
        "country",
        "device",
        "platform",
        "age",
        "gender",
        "market",
        "message_id",
        "zip_code",
    }
)
"""The columns of expected frames that are keys; every other one is named after its metric."""


def ask(shop: fk.Shop, wanted: pl.DataFrame, **question: object) -> fk.Result:
    """Evaluate every metric of an expected frame by its keys."""
    keys = [name for name in wanted.columns if name in KEYS]
    metrics = [name for name in wanted.columns if name not in KEYS]
    every = "1mo" if "period" in keys else None
    by = [key for key in keys if key != "period"]
    return fk.evaluate(shop, metrics, by=by, every=every, **question)


def the_same(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    """Assert that two frames hold the same keys and, to 1e-9 of their size, the same values."""
    keys = [name for name in wanted.columns if name in KEYS]
    assert found.columns == wanted.columns
    assert found.schema.get("period", pl.Date()) == pl.Date()
    ordered = wanted.sort(keys, nulls_last=True) if keys else wanted
    floats = {name: kind for name, kind in found.schema.items() if kind == pl.Float64}
    assert_frame_equal(found, ordered.cast(floats), rel_tol=1e-9, abs_tol=0)


def agree(shop: fk.Shop, wanted: pl.DataFrame, **question: object) -> None:
    the_same(ask(shop, wanted, **question).frame, wanted)
