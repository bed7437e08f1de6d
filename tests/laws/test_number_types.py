"""A law: a number is the same whatever type a column of numbers has that can hold it."""

from functools import cache

import polars as pl
import polars.selectors as cs
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.demo_shop.shop import demo_frames

TYPES = [pl.Int8, pl.UInt16, pl.Int32, pl.UInt64, pl.Float32, pl.Decimal(20, 2)]
NUMBERS = cs.numeric() - cs.ends_with("_id")


@cache
def small_frames():
    """Some rows of each table, with small whole numbers, which every type can hold."""
    few = {name: frame.head(120) for name, frame in demo_frames().items()}
    whole = NUMBERS.cast(pl.Float64).round().clip(0, 100)
    return {name: frame.with_columns(whole) for name, frame in few.items()}


@cache
def answers(kind):
    frames = {
        name: frame.with_columns(NUMBERS.cast(kind)) for name, frame in small_frames().items()
    }
    shop = fk.Shop(**frames, time_zone="Europe/Warsaw", currency="PLN")
    known = [m for m in fk.registry().values() if not shop.missing(m) and not m.required_dimension]
    return fk.evaluate(shop, known, every="1y").frame


@pytest.mark.slow
@pytest.mark.parametrize("kind", TYPES, ids=str)
def test_every_metric_is_the_same_for_every_type_of_numbers(kind):
    assert_frame_equal(answers(kind), answers(pl.Float64), rel_tol=1e-9)
