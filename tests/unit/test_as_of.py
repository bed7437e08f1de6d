"""The moment up to which the data is known is part of what an engine is asked."""

import datetime as dt
from dataclasses import replace

import pytest

import funnelkit as fk
from small_frames import NOON, of, orders_of

SINCE = fk.Min(fk.Elapsed(fk.Orders.ordered_at, fk.AsOf()))
OLD = fk.Count(fk.Orders, where=fk.Elapsed(fk.Orders.ordered_at, fk.AsOf()) >= dt.timedelta(days=1))


def fresh():
    return fk.Shop(orders=orders_of(ordered_at=[NOON, NOON + dt.timedelta(days=3)]))


@pytest.mark.parametrize(("formula", "expected"), [(SINCE, 0.0), (OLD, 1)])
def test_an_engine_of_a_fresh_shop_answers_what_evaluate_does(formula, expected):
    shop = fresh()
    (answer,) = shop.runner.fold(fk.plan(shop, of(formula)).steps)
    assert answer.row(0)[0] == expected
    assert fk.evaluate(fresh(), of(formula)).frame.item() == expected


def test_a_derived_column_that_rests_on_the_moment_is_known_to_an_engine():
    frames = {
        "carts": orders_of(
            cart_id=[1, 2],
            created_at=[NOON, NOON + dt.timedelta(days=3)],
        ).select("cart_id", "created_at")
    }
    shop = fk.Shop.bind(frames)
    asked = of(fk.Max(fk.Carts.age_s))
    (answer,) = shop.runner.fold(fk.plan(shop, asked).steps)
    assert answer.row(0)[0] == 3 * 86_400
    assert fk.evaluate(fk.Shop.bind(frames), asked).frame.item() == 3 * 86_400


def test_the_moment_of_a_step_is_the_one_that_counts():
    shop = fresh()
    (step,) = fk.plan(shop, of(OLD)).steps
    later = replace(step, as_of=dt.datetime(2024, 6, 1, tzinfo=dt.UTC))
    runner = shop.runner
    assert runner.fold([later])[0].row(0)[0] == 2
    assert runner.fold([step])[0].row(0)[0] == 1


def test_evaluation_says_the_moment_in_every_step():
    result = fk.evaluate(fresh(), of(OLD))
    assert {step.as_of for step in result.plan.steps} == {
        (NOON + dt.timedelta(days=3)).replace(tzinfo=dt.UTC)
    }
