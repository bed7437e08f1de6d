"""Everything that `import funnelkit as fk` shows, under the names it shows it by."""

from funnelkit import catalog, sources
from funnelkit.analysis.benchmarks import BenchmarkComparison, against, own_benchmark
from funnelkit.analysis.cohorts import Cohorts, cohorts
from funnelkit.analysis.comparison import Comparison, compare
from funnelkit.analysis.conversion import Conversion, conversion
from funnelkit.analysis.drivers import Drivers, drivers
from funnelkit.analysis.durations import Durations, durations
from funnelkit.analysis.experiments import Experiment, experiment, unit_sides
from funnelkit.analysis.funnel import Funnel, funnel
from funnelkit.analysis.growth import Growth, growth
from funnelkit.analysis.intervals import Intervals, intervals
from funnelkit.analysis.monitoring import Deviations, deviations
from funnelkit.analysis.paths import Paths, paths
from funnelkit.analysis.reconcile import Reconciliation, reconcile
from funnelkit.analysis.rfm import Rfm, rfm
from funnelkit.analysis.sample_size import SampleSize, sample_size
from funnelkit.analysis.sessionize import Sessionized, sessionize
from funnelkit.analysis.tracking import Progress, track
from funnelkit.analysis.trend import Trend, trend
from funnelkit.calendar.day_pairs import DayPairs
from funnelkit.calendar.fiscal import RetailCalendar
from funnelkit.catalog import presets
from funnelkit.catalog.default import describe, register, registry, use_registry
from funnelkit.catalog.plugins import load_plugins
from funnelkit.demo_shop.shop import demo
from funnelkit.engines.sql.database import SqlDatabase
from funnelkit.engines.sql.duckdb import DuckDB
from funnelkit.engines.sql.spark import Spark
from funnelkit.errors import (
    ContractError,
    DataError,
    DataIssue,
    DefinitionError,
    FunnelkitError,
    MissingInputError,
    MissingPackageError,
    PluginWarning,
    TruncatedHistoryWarning,
    UncomparedDialectWarning,
    UnitError,
    UnknownNameError,
    UnsupportedError,
)
from funnelkit.evaluation.evaluate import evaluate, plan
from funnelkit.evaluation.to_sql import to_sql
from funnelkit.exchange.benchmarks import Benchmark, Benchmarks, benchmarks, load_benchmarks
from funnelkit.exchange.toml import dump_metrics, load_metrics
from funnelkit.formula import columns
from funnelkit.formula.accumulation import MetricKind
from funnelkit.formula.formulas import (
    Abs,
    ClosingBalance,
    Count,
    CountDistinct,
    CountRetained,
    Cumulative,
    Max,
    Mean,
    Median,
    Min,
    PeriodDays,
    PeriodsToBreakEven,
    PerKey,
    PolarsExpr,
    PositiveOrNull,
    Quantile,
    QuantileBucket,
    ShareOfTotal,
    Shift,
    Sqrt,
    StdDev,
    Sum,
)
from funnelkit.formula.reason import Reason
from funnelkit.formula.table import Proration, Table
from funnelkit.formula.values import (
    AsOf,
    Category,
    Coalesce,
    Dimension,
    Duration,
    Elapsed,
    Flag,
    If,
    Key,
    Lookup,
    Lower,
    Money,
    Quantity,
    Score,
    Time,
)
from funnelkit.goals.file import load_goals
from funnelkit.goals.goal import Goal
from funnelkit.goals.outlook import GoalReason
from funnelkit.goals.status import Status, StatusRule, StatusRules
from funnelkit.goals.target import Lift
from funnelkit.metrics.card import Card
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.metrics.registry import Registry
from funnelkit.reporting.question import ReportQuestion
from funnelkit.reporting.report import Report, report
from funnelkit.reporting.sections import REPORT_SECTIONS, ReportSection
from funnelkit.result.result import Result
from funnelkit.schema.customers import Customers, Surveys
from funnelkit.schema.marketing import AdViews, CampaignPerformance, EmailSends, MarketingCosts
from funnelkit.schema.operations import InventorySnapshots, Products, Receipts, Shipments
from funnelkit.schema.policies import OrderPolicy
from funnelkit.schema.sales import ExchangeRates, OrderLines, Orders, Returns
from funnelkit.schema.tables import parse
from funnelkit.schema.traffic import Carts, DailySessions, Events, SearchInterest, Sessions
from funnelkit.shop.check_report import CheckReport
from funnelkit.shop.shop import Shop
from funnelkit.units import (
    CART,
    CLICK,
    CUSTOMER,
    DAY,
    EMAIL,
    EVENT,
    IMPRESSION,
    ITEM,
    MONEY,
    MULTIPLE,
    NUMBER,
    ORDER,
    PARCEL,
    PRODUCT,
    RATIO,
    RECIPIENT,
    RESPONSE,
    SCORE,
    SECOND,
    SESSION,
    VISITOR,
    Unit,
)

__all__ = [
    "CART",
    "CLICK",
    "CUSTOMER",
    "DAY",
    "EMAIL",
    "EVENT",
    "IMPRESSION",
    "ITEM",
    "MONEY",
    "MULTIPLE",
    "NUMBER",
    "ORDER",
    "PARCEL",
    "PRODUCT",
    "RATIO",
    "RECIPIENT",
    "REPORT_SECTIONS",
    "RESPONSE",
    "SCORE",
    "SECOND",
    "SESSION",
    "VISITOR",
    "Abs",
    "AdViews",
    "AidaStage",
    "Area",
    "AsOf",
    "Benchmark",
    "BenchmarkComparison",
    "Benchmarks",
    "CampaignPerformance",
    "Card",
    "Carts",
    "Category",
    "CheckReport",
    "ClosingBalance",
    "Coalesce",
    "Cohorts",
    "Comparison",
    "ContractError",
    "Conversion",
    "Count",
    "CountDistinct",
    "CountRetained",
    "Cumulative",
    "Customers",
    "DailySessions",
    "DataError",
    "DataIssue",
    "DayPairs",
    "DefinitionError",
    "Deviations",
    "Dimension",
    "Direction",
    "Drivers",
    "DuckDB",
    "Duration",
    "Durations",
    "Elapsed",
    "EmailSends",
    "Events",
    "ExchangeRates",
    "Experiment",
    "Flag",
    "Funnel",
    "FunnelkitError",
    "Goal",
    "GoalReason",
    "Growth",
    "If",
    "Intervals",
    "InventorySnapshots",
    "Key",
    "Lift",
    "Lookup",
    "Lower",
    "MarketingCosts",
    "Max",
    "Mean",
    "Median",
    "Metric",
    "MetricKind",
    "Min",
    "MissingInputError",
    "MissingPackageError",
    "Money",
    "OrderLines",
    "OrderPolicy",
    "Orders",
    "Paths",
    "PerKey",
    "PeriodDays",
    "PeriodsToBreakEven",
    "PluginWarning",
    "PolarsExpr",
    "PositiveOrNull",
    "Products",
    "Progress",
    "Proration",
    "Quantile",
    "QuantileBucket",
    "Quantity",
    "Reason",
    "Receipts",
    "Reconciliation",
    "Registry",
    "Report",
    "ReportQuestion",
    "ReportSection",
    "Result",
    "RetailCalendar",
    "Returns",
    "Rfm",
    "SampleSize",
    "Score",
    "SearchInterest",
    "Sessionized",
    "Sessions",
    "ShareOfTotal",
    "Shift",
    "Shipments",
    "Shop",
    "Spark",
    "SqlDatabase",
    "Sqrt",
    "Stage",
    "Status",
    "StatusRule",
    "StatusRules",
    "StdDev",
    "Sum",
    "Surveys",
    "Table",
    "Time",
    "Trend",
    "TruncatedHistoryWarning",
    "UncomparedDialectWarning",
    "Unit",
    "UnitError",
    "UnknownNameError",
    "UnsupportedError",
    "against",
    "benchmarks",
    "catalog",
    "cohorts",
    "columns",
    "compare",
    "conversion",
    "demo",
    "describe",
    "deviations",
    "drivers",
    "dump_metrics",
    "durations",
    "evaluate",
    "experiment",
    "funnel",
    "growth",
    "intervals",
    "load_benchmarks",
    "load_goals",
    "load_metrics",
    "load_plugins",
    "own_benchmark",
    "parse",
    "paths",
    "plan",
    "presets",
    "reconcile",
    "register",
    "registry",
    "report",
    "rfm",
    "sample_size",
    "sessionize",
    "sources",
    "to_sql",
    "track",
    "trend",
    "unit_sides",
    "use_registry",
]
