"""The command line: a thin layer over the library.

A user's mistake gets one message on standard error and exit code 2.
"""

from __future__ import annotations

import argparse
import datetime as dt
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from funnelkit.analysis.monitoring import Deviations, deviations
from funnelkit.analysis.tracking import track
from funnelkit.analysis.trend import Trend, trend
from funnelkit.catalog.default import describe, registry
from funnelkit.charts.spec import check_format, save_chart
from funnelkit.demo_shop.shop import demo
from funnelkit.engines.sql.duckdb import DuckDB
from funnelkit.engines.supports import DIALECTS
from funnelkit.errors import DataError, DefinitionError, FunnelkitError, TruncatedHistoryWarning
from funnelkit.evaluation.arguments import ask
from funnelkit.evaluation.evaluate import answer_question, evaluate
from funnelkit.evaluation.to_sql import to_sql
from funnelkit.goals.file import load_goals
from funnelkit.metrics.metric import Area, Metric, Stage
from funnelkit.planning.dimensions import can_reach
from funnelkit.planning.plan import Question
from funnelkit.reporting.question import ReportQuestion
from funnelkit.reporting.report import Report, report
from funnelkit.reporting.sections import REPORT_SECTIONS, ReportSection
from funnelkit.result.control_chart import SEASONS
from funnelkit.result.known import complete_periods
from funnelkit.result.result import Result
from funnelkit.result.watched import Watched
from funnelkit.schema.tables import known_tables
from funnelkit.shop.description import Topic
from funnelkit.shop.settings import MAPPING, read_files, read_settings
from funnelkit.shop.shop import Shop
from funnelkit.sources import propose, scan
from funnelkit.terminal import Bar, completion, working

__all__ = ["main"]

LOOK_BACK, LOOK_BACK_ELSE = {"1h": 8 * 168, "1d": 26 * 7}, 52
"""How many periods before the last give the limits by which `watch` judges it: whole weeks."""

FOLDER = "a folder with files such as orders.parquet"
PLACE = f"{FOLDER}, or the file of a database"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: The arguments; those of the process by default.

    Returns:
        The exit code: 0, 1 where `watch` finds what needs an answer, 2 for a mistake of the user.
    """
    options, code = _parser().parse_args(arguments), 0
    try:
        with warnings.catch_warnings(record=True) as caught, working(sys.stderr) as bar:
            warnings.simplefilter("always", TruncatedHistoryWarning)
            options.bar = bar
            answer = options.run(options)
        if isinstance(answer, Deviations):
            code = int(not answer.frame.is_empty())
        print(answer)
        for warning in caught:
            print(f"funnelkit: note: {warning.message}", file=sys.stderr)
    except FunnelkitError as error:
        print(f"funnelkit: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        sys.stderr.close()
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="funnelkit", description="Ecommerce KPIs, defined once.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    show = commands.add_parser("demo", help="every KPI of a small built-in shop")
    show.set_defaults(run=_demo)

    catalog = commands.add_parser("catalog", help="list the KPIs")
    catalog.add_argument("--stage", help="only this stage of either funnel")
    catalog.add_argument("--area", choices=list(map(str, Area)), help="only this area")
    catalog.add_argument("--data", metavar="FOLDER", help="list the inputs that its files lack")
    catalog.set_defaults(run=_catalog)

    card = commands.add_parser("describe", help="show the definition of a KPI")
    card.add_argument("name", metavar="NAME", help="its name or an alias")
    card.add_argument("--data", metavar="FOLDER", help="list the inputs that its files lack")
    card.set_defaults(run=_describe)

    check = commands.add_parser("check", help="list errors and warnings about a folder of files")
    check.add_argument("folder", metavar="FOLDER", help=FOLDER)
    check.set_defaults(run=_check)

    _add_report(commands.add_parser("report", help="compute KPIs of files, or of a database"))

    _add_watch(commands.add_parser("watch", help="list what needs an answer: exit code 1 if any"))

    init = commands.add_parser("init", help="propose a mapping of a folder of unknown files")
    init.add_argument("folder", metavar="FOLDER", help="a folder of files; nothing is written")
    init.set_defaults(run=_init)

    _add_sql(commands.add_parser("sql", help="write KPIs as one statement of SQL"))

    shell = commands.add_parser("completion", help="write a script of completion for bash and zsh")
    shell.set_defaults(run=_completion, commands=commands.choices)
    return parser


def _completion(options: argparse.Namespace) -> str:
    names = [name for metric in registry().values() for name in (metric.name, *metric.aliases)]
    words = {"name": names, "metrics": names, "stage": list(map(str, Stage))}
    return completion(options.commands, words)


def _add_report(command: argparse.ArgumentParser) -> None:
    command.add_argument("place", metavar="PLACE", help=PLACE)
    _add_question(command)
    command.add_argument(
        "--metrics", help="comma-separated names; by default all that can be computed"
    )
    command.add_argument("--format", choices=["table", "csv", "json"], default="table")
    command.add_argument("--html", metavar="FILE", help="write a report on one page instead")
    command.add_argument("--goals", metavar="FILE", help="with --html: a file of goals")
    command.add_argument("--plot", metavar="FILE", help="draw --metrics instead: .svg, .png, .html")
    command.set_defaults(run=_report)


def _add_watch(watch: argparse.ArgumentParser) -> None:
    watch.add_argument("place", metavar="PLACE", help=PLACE)
    watch.add_argument("--engine", choices=["duckdb"], help="read a database, not a folder")
    watch.add_argument("--goals", metavar="FILE", help="a file of goals, such as goals.toml")
    watch.add_argument("--metrics", help="comma-separated names to chart beside those of goals")
    watch.add_argument("--every", default="1w", help="the length of a period of charts: 1w")
    watch.set_defaults(run=_watch)


def _add_sql(sql: argparse.ArgumentParser) -> None:
    sql.add_argument("metrics", metavar="METRIC", nargs="+", help="a name or an alias")
    sql.add_argument("--data", metavar="PLACE", required=True, help=PLACE)
    _add_question(sql)
    sql.add_argument("--dialect", choices=DIALECTS, default="duckdb", help="duckdb by default")
    sql.set_defaults(run=_sql)


def _add_question(command: argparse.ArgumentParser) -> None:
    command.add_argument("--engine", choices=["duckdb"], help="read a database, not a folder")
    command.add_argument("--every", help="the length of a period: 6h, 1d, 2w, 1mo, 1q, 1y, …")
    command.add_argument("--by", action="append", default=[], help="group by this; repeatable")
    command.add_argument("--start", help="the start of the range, such as 2024-01-01")
    command.add_argument("--end", help="the end of the range, exclusive, such as 2025-01-01")
    command.add_argument("--where", help="which rows to include: \"country == 'PL'\"")


def _demo(_: argparse.Namespace) -> str:
    shop = demo()
    kpis = [m for m in registry().values() if not (m.variant_of or m.required_dimension)]
    quarters = evaluate(shop, kpis, every="1q", start="2024-01-01")
    parts = ["The demo shop, 2024 by quarter", repr(quarters)]
    names = ["sessions", "conversion_rate", "average_order_value", "repeat_purchase_rate"]
    channels = evaluate(shop, names, by="channel", totals=True)
    parts += ["By channel of the visit", repr(channels)]
    platforms = evaluate(shop, ["ad_spend", "return_on_ad_spend"], by="platform")
    parts += ["By advertising platform", repr(platforms)]
    names = ["cohort_retention", "cohort_cumulative_value", "cac_payback_period"]
    cohorts = evaluate(shop, names, by="cohort", every="1q")
    parts += ["By quarter of the first order", repr(cohorts)]
    scores = evaluate(shop, "rfm_score", by="customer_key")
    parts += ["RFM scores of customers", repr(scores)]
    names = ["daily_demand", "safety_stock", "reorder_point"]
    stock = evaluate(shop, names, by="product_id", start="2024-01-01", end="2025-01-01")
    parts += ["When to order more", repr(stock)]
    parts += ["Run a command such as funnelkit describe cr to see a definition."]
    return "\n\n".join(parts)


def _catalog(options: argparse.Namespace) -> str:
    found = registry().find(stage=options.stage, area=options.area)
    shop = Shop.scan(options.data) if options.data else None
    lines = [
        f"{metric.name:<28} {metric.area:<11} {_stage(metric):<14} {metric.title}"
        + (f" ({', '.join(metric.aliases)})" if metric.aliases else "")
        + (f": {_readiness(shop, metric)}" if shop else "")
        for metric in found.values()
    ]
    known = ", ".join(Stage)
    return "\n".join(lines) if lines else f"no KPI matches; the stages of the funnel are {known}"


def _stage(metric: Metric) -> str:
    return "" if metric.stage is None else str(metric.stage)


def _describe(options: argparse.Namespace) -> str:
    card = describe(options.name)
    if not options.data:
        return str(card)
    return f"{card}\n  {options.data}: {_readiness(Shop.scan(options.data), card.metric)}"


def _readiness(shop: Shop, metric: Metric) -> str:
    missing = sorted(shop.missing(metric))
    return f"lacks {', '.join(missing)}" if missing else "ready"


def _check(options: argparse.Namespace) -> str:
    return repr(Shop.scan(options.folder).check())


def _init(options: argparse.Namespace) -> str:
    return propose(options.folder)


def _report(options: argparse.Namespace) -> str | Report:
    if options.html:
        return _page(options)
    if options.goals:
        raise DefinitionError("--goals is for a report on one page", "add --html FILE")
    if options.plot:
        check_format(options.plot)
        if not options.metrics:
            raise DefinitionError("--plot needs to know what to draw", "add --metrics NAMES")
    shop = _shop(options.place, options)
    question = ask(shop, **_question(options))
    result = answer_question(shop, _asked(options, shop, question), question)
    if options.plot:
        save_chart(result.picture(), options.plot)
        return str(options.plot)
    match options.format:
        case "csv":
            return result.frame.write_csv().rstrip("\n")
        case "json":
            return result.frame.write_json()
        case _:
            return repr(result)


def _page(options: argparse.Namespace) -> Report:
    """Write the report on one page."""
    others = {
        "--by": options.by,
        "--where": options.where,
        "--format": options.format != "table",
        "--plot": options.plot,
    }
    if given := [name for name, value in others.items() if value]:
        raise DefinitionError(f"--html has no {', '.join(given)}", "leave it out, or leave --html")
    options.bar.parts = len(REPORT_SECTIONS)
    return report(
        _shop(options.place, options),
        path=options.html,
        sections={name: _told(name, make, options.bar) for name, make in REPORT_SECTIONS.items()},
        metrics=_names(options.metrics) or None,
        every=options.every or "1mo",
        goals=load_goals(options.goals) if options.goals else (),
        start=options.start,
        end=options.end,
    )


def _told(heading: str, section: ReportSection, bar: Bar) -> ReportSection:
    """Return a section that says when it begins and ends."""

    def told(shop: Shop, question: ReportQuestion, /) -> str:
        bar.label = heading
        try:
            return section(shop, question)
        finally:
            bar.done += 1

    return told


def _names(given: str | None) -> list[str]:
    """Return the names in a list with commas."""
    return [name.strip() for name in (given or "").split(",") if name.strip()]


def _watch(options: argparse.Namespace) -> Deviations:
    """Return what needs an answer since the last complete period began."""
    goals = load_goals(options.goals) if options.goals else ()
    names = [registry()[name] for name in _names(options.metrics)]
    metrics = list(dict.fromkeys([*(goal.metric for goal in goals), *names]))
    if not metrics:
        raise DefinitionError("there is nothing to watch", "give --goals FILE or --metrics NAMES")
    shop = _shop(options.place, options)
    result = evaluate(shop, metrics, every=options.every)
    sources: list[Watched] = [track(shop, goals)] if goals else []
    closed = [start for start, _ in complete_periods(result)]
    if len(closed) > 1:
        sources.append(_charts(result, closed))
    if not sources:
        raise DataError(f"there are no two complete periods of {options.every}")
    found = deviations(*sources, since=closed[-1] if closed else None)
    if not (found.looked_at or goals):
        raise DataError("no chart has limits", "these need 6 complete periods before the last")
    return found


def _charts(result: Result, closed: Sequence[dt.date]) -> Trend:
    """Return the charts of a result, with limits from the periods before the last of those over."""
    grain = str(result.plan.question.calendar)
    first = max(0, len(closed) - 1 - LOOK_BACK.get(grain, LOOK_BACK_ELSE))
    season = next((name for name, (every, _, _) in SEASONS.items() if every == grain), None)
    return trend(result, baseline=(closed[first], closed[-1]), season=season)


def _sql(options: argparse.Namespace) -> str:
    shop = _shop(options.data, options)
    return to_sql(shop, options.metrics, **_question(options), dialect=options.dialect)


def _shop(place: str, options: argparse.Namespace) -> Shop:
    """Bind the files of a folder, or the tables of a database; settings are beside them.

    Where no file is named after a table, each is recognised as an export.
    """
    if options.engine is None:
        folder = Path(place)
        return Shop.scan(place) if _has_tables(folder) else _recognised(folder, options.bar)
    database, settings = DuckDB(place), read_settings(Path(place).parent / MAPPING)
    known = known_tables(())
    tables = {name: name for name in database.names() if name in known}
    if not tables:
        raise DataError(f"{place!r} has no table of a canonical name", f"such as {min(known)}")
    return Shop.on(database, **settings, **tables)


def _has_tables(folder: Path) -> bool:
    """Return whether a folder is to be bound as it is: by names of files, or by a mapping."""
    if not folder.is_dir():
        return not folder.is_file()
    names = known_tables(())
    is_mapped = bool(read_files(folder / MAPPING))
    return is_mapped or any(file.stem in names for file in folder.iterdir())


def _recognised(place: Path, bar: Bar) -> Shop:
    """Return the shop in exports, and note what each was taken for."""
    folder = place if place.is_dir() else place.parent
    shop = scan(place, **read_settings(folder / MAPPING))
    said = {note.subject: note.text for note in reversed(shop.notes) if note.topic in _TAKEN}
    bar.notes += [f"funnelkit: note: {name}: {said[name]}" for name in sorted(said)]
    return shop


_TAKEN = (Topic.RECOGNISED, Topic.IGNORED)


def _question(options: argparse.Namespace) -> dict[str, Any]:
    names = ("by", "every", "start", "end", "where")
    return {name: getattr(options, name) for name in names}


def _asked(options: argparse.Namespace, shop: Shop, question: Question) -> list[str | Metric]:
    """Return the requested metrics, or all that the shop and the question allow."""
    if options.metrics:
        return list[str | Metric](_names(options.metrics))
    names = [dimension.name for dimension in question.by]
    return [
        metric
        for metric in registry().values()
        if not (metric.variant_of or shop.missing(metric))
        and (question.calendar.has_periods or not metric.compares_periods)
        and (not metric.required_dimension or metric.required_dimension in names)
        and all(can_reach(shop.data, table, name) for table in metric.inputs for name in names)
    ]
