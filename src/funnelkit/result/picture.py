"""Pictures of results: time as lines, groups as bars, a single value as a number."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from funnelkit.arguments import check_kind
from funnelkit.charts.bars import bars, number
from funnelkit.charts.control import control_chart
from funnelkit.charts.lines import lines
from funnelkit.charts.spec import Measure, Spec, below_each_other
from funnelkit.errors import DefinitionError, UnknownNameError, some
from funnelkit.metrics.metric import Metric
from funnelkit.result.display import IS_OPEN, IS_TOTAL, TableView, key_text
from funnelkit.result.rollup import PERIOD_NAME

__all__ = ["chosen_metrics", "control_charts", "group_names", "measure_of", "picture_of"]

MOST_PICTURES = 12


def measure_of(metric: Metric, *, currency: str, until: str = "") -> Measure:
    """Return what the values of a metric are, with their source."""
    known = f" · data up to {until}" if until else ""
    tables = f"from {some(list(metric.inputs))} · " if metric.inputs else ""
    definition = f"{metric.name}, version {metric.version} ({metric.fingerprint[:8]})"
    return Measure(
        title=metric.title,
        unit=metric.unit,
        currency=currency,
        direction=metric.direction,
        source=f"{tables}definition {definition}{known}",
    )


def chosen_metrics(
    metrics: Sequence[Metric], names: str | Sequence[str] | None
) -> tuple[Metric, ...]:
    """Return the metrics that are named, by name or alias; all of them by default.

    Raises:
        UnknownNameError: The result has no metric of that name.
        DefinitionError: There are too many for one picture.
    """
    if names is None:
        chosen = list(metrics)
    else:
        check_kind("metrics", names, (str, list, tuple), "pass the names of metrics of the result")
        known = {any_name: m for m in metrics for any_name in (m.name, *m.aliases)}
        wanted = [names] if isinstance(names, str) else list(names)
        for name in wanted:
            if name not in known:
                raise UnknownNameError("metric of the result", name, [m.name for m in metrics])
        chosen = [known[name] for name in wanted]
    if not 1 <= len(chosen) <= MOST_PICTURES:
        raise DefinitionError(
            f"{len(chosen)} metrics do not fit in a picture",
            f"choose 1 to {MOST_PICTURES}: plot(metrics=['{metrics[0].name}', …])",
        )
    return tuple(chosen)


def group_names(frame: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Replace keys by one column `group` that names the group."""
    names = [" · ".join(map(key_text, row)) for row in frame.select(keys).rows()]
    return frame.drop(keys).with_columns(pl.Series("group", names, dtype=pl.String))


def picture_of(sheet: TableView, metrics: Sequence[Metric], until: str) -> Spec:
    """Return the picture that answers the question: one below the other for each metric.

    Time becomes lines, dashed where periods are open; groups become sorted bars; groups
    over time become a line each, or a panel each where there are many. Totals are left out.
    """
    rows = sheet.frame.filter(~pl.col(IS_TOTAL)) if len(sheet.keys) else sheet.frame
    rows = rows.rename({IS_OPEN: "is_open"}).drop(IS_TOTAL)
    by = [key for key in sheet.keys if key != PERIOD_NAME]
    pictures: list[Spec] = []
    for metric in metrics:
        measure = measure_of(metric, currency=sheet.currency, until=until)
        frame = rows.select(*sheet.keys, "is_open", pl.col(metric.name).alias("value"))
        frame = group_names(frame, by) if by else frame
        if PERIOD_NAME in sheet.keys:
            pictures.append(lines(frame.filter(pl.col(PERIOD_NAME).is_not_null()), measure))
        elif by:
            pictures.append(bars(frame.drop("is_open"), measure))
        else:
            pictures.append(number(frame.get_column("value").item(), measure))
    return below_each_other(pictures)


def control_charts(
    frame: pl.DataFrame, metrics: Sequence[Metric], groups: Sequence[str], currency: str
) -> Spec:
    """Return a control chart per metric, one below the other.

    Args:
        frame: One row per metric, group and period, as `Trend.frame`.
        metrics: The metrics.
        groups: The keys beside the period.
        currency: The code of the currency of amounts.
    """
    names = ("value", "expected", "lower", "upper", "signal", "verdict")
    pictures: list[Spec] = []
    for metric in metrics:
        rows = frame.filter(pl.col("metric") == metric.name)
        rows = rows.select(PERIOD_NAME, *groups, *names)
        rows = rows.with_columns(pl.col("signal", "verdict").cast(pl.String))
        rows = group_names(rows, groups) if groups else rows
        pictures.append(control_chart(rows, measure_of(metric, currency=currency)))
    return below_each_other(pictures)
