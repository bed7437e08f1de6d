"""Google Analytics 4: a report of the interface by day (CSV).

How to get it: Reports, Acquisition, Traffic acquisition; add Date as a second dimension; Share,
Download file, CSV. Also an exploration with Date and Sessions.

| column | made of |
| --- | --- |
| `daily_sessions.date` | `Date`, as `20240501`, in the time zone of the property |
| `daily_sessions.channel` | the default channel group of the session |
| `daily_sessions.device`, `country` | `Device category`, `Country` |
| `daily_sessions.sessions`, `engaged_sessions` | `Sessions`, `Engaged sessions` |
| `daily_sessions.visitors` | `Total users` |
| `daily_sessions.page_views` | `Views` |
| `daily_sessions.orders` | `Transactions`, otherwise `Ecommerce purchases` |

What it cannot give: sessions with a purchase, and thereby the conversion rate of sessions; orders
divided by sessions are `session_conversion_rate.orders`. Visitors of several rows are not added.

Traps: lines with `#` above the header, totals, and tables of charts below; small numbers may be
left out by a threshold of the property; active users are not all users.
"""

from __future__ import annotations

from typing import Unpack

import polars as pl

from funnelkit.data.sources import Source
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import Kind, Layout, Reader
from funnelkit.sources.reports import read_report, without_total

__all__ = ["LAYOUT", "ga4_report"]

LAYOUT = Layout(
    name="a report of Google Analytics 4",
    required={"Date": ("date", Kind.TEXT), "Sessions": ("sessions", Kind.GROUPED)},
    optional={
        "Session default channel group": ("channel", Kind.TEXT),
        "Device category": ("device", Kind.TEXT),
        "Country": ("country", Kind.TEXT),
        "Engaged sessions": ("engaged_sessions", Kind.GROUPED),
        "Total users": ("visitors", Kind.GROUPED),
        "Views": ("page_views", Kind.GROUPED),
        "Transactions": ("orders", Kind.GROUPED),
    },
    filled=("Sessions",),
)
NAMES = {
    r"Session primary channel group \(Default [Cc]hannel [Gg]roup\)": (
        "Session default channel group"
    ),
    "Session default channel grouping": "Session default channel group",
    "Ecommerce purchases": "Transactions",
}
_AMOUNTS = ("sessions", "engaged_sessions", "page_views", "orders")
_KEYS = ("date", "channel", "device", "country")


def ga4_report(report: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a report of Google Analytics 4: its sessions by day.

    Args:
        report: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the report.
    """
    reader = Reader()
    export = read_report(reader, report, LAYOUT, names=NAMES)
    date = pl.col("date").str.replace_all("-", "").str.to_date("%Y%m%d", strict=False)
    remedy = "add the dimension Date to the report"
    bad = pl.col("date").is_not_null() & date.is_null()
    reader.faults.extend(export.issue("date", bad, "is not a day, as 20240501", remedy))
    bad = pl.col("sessions") != pl.col("sessions").floor()
    remedy = "export it in English, with a point before decimals"
    reader.faults.extend(export.issue("sessions", bad, "is not a whole number", remedy))
    found = without_total(reader, export, "date", "sessions")
    keys = [name for name in _KEYS if name in export.present]
    visitors = pl.when(pl.len() == 1).then(pl.col("visitors").first())
    rows = (
        found.with_columns(date=date)
        .group_by(keys, maintain_order=True)
        .agg(
            *(pl.col(name).sum() for name in _AMOUNTS if name in export.present),
            *([visitors.alias("visitors")] if "visitors" in export.present else []),
        )
    )
    return reader.prepared({"daily_sessions": rows}).shop(settings)
