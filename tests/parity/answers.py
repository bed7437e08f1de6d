"""Steps answered twice: by the Polars engine, and by the relational plan in plain Python."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import polars as pl
from polars.testing import assert_frame_equal

import funnelkit as fk
from funnelkit.data.shop_data import ShopData
from funnelkit.engines.polars.engine import PolarsEngine
from funnelkit.engines.runner import Runner
from funnelkit.evaluation.evaluate import plan
from funnelkit.evaluation.history import known_until, with_as_of
from funnelkit.planning.derive import to_relations
from funnelkit.planning.partial_periods import with_partial_periods
from funnelkit.planning.plan import PERIOD, Step, group_column
from funnelkit.planning.relations import Answer, Rel
from funnelkit.planning.vocabulary import answers_in_words
from parity.plain import Plain

METRICS = tuple(fk.registry())


def steps_of(shop: fk.Shop, question: dict, metrics: Sequence[str] = METRICS) -> list[Step]:
    """Every step that any of the metrics asks, once; metrics that refuse the question ask none."""
    found: dict[str, Step] = {}
    for metric in metrics:
        try:
            made = plan(shop, metric, **question)
            until = known_until(shop.data, with_as_of(shop.runner, made))
            if until is not None:
                made = with_partial_periods(made, shop.data.calendar.shown(until))
        except fk.FunnelkitError:
            continue
        for step in (*made.steps, *(part.step for part in made.parts)):
            found[repr(step)] = step
    return [with_folds_apart(step, number) for number, step in enumerate(found.values())]


def with_folds_apart(step: Step, number: int) -> Step:
    """A step of which no fold is named as one of another plan."""
    folds = (replace(fold, name=f"{fold.name}_of_{number}") for fold in step.folds)
    return replace(step, folds=tuple(folds))


def by_engine(data: ShopData, steps: Sequence[Step]) -> list[pl.DataFrame]:
    return Runner(data, PolarsEngine(data)).fold(steps)


def by_plan(
    data: ShopData, steps: Sequence[Step], *, rewrite: Callable[[Rel], Rel] = lambda rel: rel
) -> list[pl.DataFrame]:
    answers = to_relations(data, steps)
    relations = answers_in_words(data, answers)
    frames = {name: bound.frame for name, bound in data.tables.items()}
    plain = Plain(frames)
    found = [plain.rows(rewrite(relation)).frame() for relation in relations]
    return [read(*parts) for parts in zip(steps, answers, found, strict=True)]


def read(step: Step, answer: Answer, frame: pl.DataFrame) -> pl.DataFrame:
    """An answer with the columns of the engine's."""
    label = step.calendar.label_type
    names = {} if answer.period is None else {answer.period: PERIOD}
    groups = {name: group_column(g.name) for name, g in zip(answer.keys, step.groups, strict=True)}
    folds = {name: fold.name for name, fold in zip(answer.folds, step.folds, strict=False)}
    periods = [name for name, g in zip(answer.keys, step.groups, strict=True) if g.is_period]
    labels = [pl.col(name).cast(label) for name in (*names, *periods)]
    return frame.with_columns(labels).rename({**names, **groups, **folds}, strict=False)


def assert_same_answers(one: pl.DataFrame, two: pl.DataFrame) -> None:
    """Equal to nine digits, whatever the order of rows and the width of whole numbers."""
    one, two = (_settled(frame) for frame in (one, two))
    assert_frame_equal(one, two.select(one.columns), rel_tol=1e-9, abs_tol=1e-9)


def _settled(frame: pl.DataFrame) -> pl.DataFrame:
    is_key = [name for name in frame.columns if name == PERIOD or name.startswith("#by")]
    wide = frame.with_columns(
        pl.selectors.integer().cast(pl.Int64), pl.selectors.float().cast(pl.Float64)
    )
    return wide.sort(is_key, nulls_last=True) if is_key else wide
