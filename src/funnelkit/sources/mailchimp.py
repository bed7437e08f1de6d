"""Mailchimp: the report of all campaigns (CSV), as messages sent.

How to get it: Campaigns, Analytics or Reports, Export: one row per campaign, which begins with
`Title`, `Subject`. The report of a single campaign has another layout, and is not read.

| column | made of |
| --- | --- |
| `email_sends` | a row for each of `Total Recipients` of a campaign |
| `email_sends.message_id`, `campaign` | `Unique Id`; `Title` |
| `email_sends.sent_at` | `Send Date`, in the shop's zone |
| `email_sends.bounce_type` | as many as `Soft Bounces` and `Hard Bounces` say |
| `email_sends.first_opened_at`, `first_clicked_at` | as many as `Unique Opens`, `Unique Clicks` |
| `email_sends.unsubscribed_at`, `complained_at` | as many as `Unsubscribes`, `Abuse Complaints` |
| `email_sends.audience` | `Audience`, in older reports `List` |

What it cannot give: who the recipients are, and thereby who opened any of several campaigns; when
they opened, clicked or left: the moment of sending stands for it; machine opens; orders and
revenue.

Traps: `Open Rate` and `Click Rate` are of deliveries, and are not read; a mean of them over
campaigns is not the rate of all. Those who clicked are taken for ones who opened. The time is that
of the account, without a zone.
"""

from __future__ import annotations

from typing import Unpack

import polars as pl

from funnelkit.data.sources import Source
from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import Export, Kind, Layout, Reader

__all__ = ["LAYOUT", "mailchimp"]

LAYOUT = Layout(
    name="a report of Mailchimp's campaigns",
    required={
        "Title": ("campaign", Kind.TEXT),
        "Send Date": ("sent", Kind.TEXT),
        "Total Recipients": ("recipients", Kind.GROUPED),
        "Successful Deliveries": ("delivered", Kind.GROUPED),
        "Soft Bounces": ("soft", Kind.GROUPED),
        "Hard Bounces": ("hard", Kind.GROUPED),
        "Unique Opens": ("opened", Kind.GROUPED),
        "Unique Clicks": ("clicked", Kind.GROUPED),
        "Unsubscribes": ("unsubscribed", Kind.GROUPED),
        "Abuse Complaints": ("complained", Kind.GROUPED),
        "Unique Id": ("message_id", Kind.TEXT),
    },
    optional={"List": ("list", Kind.TEXT), "Audience": ("audience", Kind.TEXT)},
    filled=(
        *("Title", "Send Date", "Total Recipients", "Successful Deliveries", "Soft Bounces"),
        *("Hard Bounces", "Unique Opens", "Unique Clicks", "Unsubscribes", "Abuse Complaints"),
        "Unique Id",
    ),
)
SENT = pl.col("sent").str.strip_chars().str.to_datetime("%b %d, %Y %I:%M %p", strict=False)
OF_DELIVERED = {
    "opened": "first_opened_at",
    "clicked": "first_clicked_at",
    "unsubscribed": "unsubscribed_at",
    "complained": "complained_at",
}
COUNTS = ("recipients", "delivered", "soft", "hard", *OF_DELIVERED)


def mailchimp(report: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a report of Mailchimp's campaigns: its messages.

    Args:
        report: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the report.
    """
    reader = Reader()
    export = reader.read(report, LAYOUT)
    reader.settle()
    _check(reader, export)
    reader.settle()
    text = "times of opens, clicks and complaints are those of sending"
    reader.note(Topic.ASSUMED, "email_sends", text)
    return reader.prepared({"email_sends": _sends(export.rows)}).shop(settings)


def _check(reader: Reader, export: Export) -> None:
    """Collect what is wrong with campaigns that can be read."""
    remedy = "export the report again, in English, as Mailchimp writes it"
    is_twice = ~pl.col("message_id").is_first_distinct()
    reader.faults.extend(export.issue("message_id", is_twice, "is in it twice", remedy))
    written = "is not a time as in 'Jun 09, 2018 09:30 pm'"
    reader.faults.extend(export.issue("sent", SENT.is_null(), written, remedy))
    for name in COUNTS:
        is_whole = (pl.col(name) >= 0) & (pl.col(name) == pl.col(name).floor())
        reader.faults.extend(export.issue(name, ~is_whole, "is not a number of people", remedy))
    parts = pl.col("delivered") + pl.col("soft") + pl.col("hard")
    problem = "is not the sum of deliveries and bounces"
    reader.faults.extend(export.issue("recipients", parts != pl.col("recipients"), problem, remedy))
    for name in OF_DELIVERED:
        is_more = pl.col(name) > pl.col("delivered")
        reader.faults.extend(export.issue(name, is_more, "is above the deliveries", remedy))


def _sends(campaigns: pl.DataFrame) -> pl.DataFrame:
    """Return a row per recipient: first those it was delivered to, then the bounces."""
    number, sent, delivered = pl.col("number"), pl.col("sent_at"), pl.col("delivered")
    rows = campaigns.with_columns(
        pl.coalesce("audience", "list").alias("audience"),
        sent_at=SENT,
        number=pl.int_ranges(0, pl.col("recipients").cast(pl.Int64)),
    ).filter(pl.col("recipients") > 0)
    bounced = pl.when(number >= delivered + pl.col("soft")).then(pl.lit("hard"))
    return rows.explode("number").select(
        *("message_id", "campaign", "audience", "sent_at"),
        bounced.when(number >= delivered).then(pl.lit("soft")).alias("bounce_type"),
        *(
            pl.when(number < pl.col(count)).then(sent).alias(at)
            for count, at in OF_DELIVERED.items()
        ),
    )
