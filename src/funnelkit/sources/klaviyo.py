"""Klaviyo: events of its API, as messages sent (JSON).

How to get it: `GET /api/events?include=metric` for the metrics below, its pages saved in one
folder.

| column | made of |
| --- | --- |
| `email_sends.message_id`, `recipient_id` | `$message` of the properties; the profile |
| `email_sends.sent_at` | the first `Received Email` or `Bounced Email` |
| `email_sends.bounce_type` | `Bounce Type` of a `Bounced Email` |
| `email_sends.first_opened_at`, `first_clicked_at` | the first `Opened Email`, `Clicked Email` |
| `email_sends.unsubscribed_at` | `Unsubscribed` |
| `email_sends.complained_at` | `Marked Email as Spam` |
| `email_sends.is_machine_open` | every open has `machine_open` |
| `email_sends.campaign` | `Campaign Name` of the properties |

What it cannot give: orders and revenue attributed to messages, and thereby revenue per recipient.

Traps: a message of a flow that a person gets several times is one message; e-mails that Klaviyo
dropped were not sent; opens and clicks name the message, not the sending; those of a message
whose sending is in no file are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

import polars as pl

from funnelkit.errors import DataIssue
from funnelkit.shop.description import Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.objects import flat, read_objects
from funnelkit.sources.opening import place_of
from funnelkit.sources.reading import Kind, Layout, Reader

__all__ = ["EVENT", "klaviyo"]

EVENT = Layout(
    name="events of Klaviyo",
    required={
        "attributes.datetime": ("at", Kind.INSTANT),
        "attributes.event_properties.$message": ("message_id", Kind.TEXT),
        "relationships.profile.data.id": ("recipient_id", Kind.TEXT),
        "relationships.metric.data.id": ("metric_id", Kind.TEXT),
    },
    optional={
        "attributes.event_properties.Campaign Name": ("campaign", Kind.TEXT),
        "attributes.event_properties.Bounce Type": ("bounce_type", Kind.TEXT),
        "attributes.event_properties.machine_open": ("machine_open", Kind.FLAG),
    },
    filled=("attributes.datetime", "relationships.profile.data.id", "relationships.metric.data.id"),
)
METRIC = Layout(
    name="metrics of Klaviyo",
    required={
        "id": ("metric_id", Kind.TEXT),
        "attributes.name": ("metric", Kind.TEXT),
    },
    filled=("id", "attributes.name"),
)


def klaviyo(events: str | Path, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in events of Klaviyo: its messages.

    Args:
        events: A file, or a folder or glob of files.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the files.
    """
    reader, place = Reader(), place_of(events)
    export = reader.typed(flat(read_objects(reader, events, "data"), EVENT), EVENT, place)
    included = [each for each in read_objects(reader, events, "included") if "id" in each]
    metrics = reader.typed(flat(included, METRIC), METRIC, place).rows.unique("metric_id")
    reader.settle()
    rows = export.rows.join(metrics, on="metric_id", how="left", maintain_order="left")
    name = pl.col("metric").str.strip_chars().str.to_lowercase()
    rows = rows.filter(pl.col("message_id").is_not_null()).with_columns(metric=name)
    _check(reader, rows, place)
    reader.note(Topic.ASSUMED, "email_sends", "a message that a person got several times is one")
    sends = _sends(rows)
    sent = sends.filter(pl.col("sent_at").is_not_null())
    if unsent := sends.height - sent.height:
        text = f"{unsent:,} messages opened or clicked, of which no file has the sending"
        reader.note(Topic.IGNORED, "email_sends", text)
    return reader.prepared({"email_sends": sent}).shop(settings)


def _check(reader: Reader, rows: pl.DataFrame, place: str) -> None:
    """Collect what is wrong with events that can be read."""
    unnamed = rows.filter(pl.col("metric").is_null()).height
    if unnamed:
        problem = f"{unnamed:,} events are of a metric without a name"
        reader.faults.append(DataIssue(place, "included", problem, "ask with include=metric"))
    untyped = rows.filter((pl.col("metric") == _BOUNCED) & pl.col("bounce_type").is_null()).height
    if untyped:
        problem = f"{untyped:,} bounces are neither hard nor soft"
        reader.faults.append(DataIssue(place, "Bounce Type", problem, "remove them, or fill it"))
    found = set(rows.get_column("metric"))
    if found & {_OPENED, _CLICKED} and not found & {_SENT, _BOUNCED}:
        problem = "are opens and clicks alone, of which no file has the sending"
        remedy = "export Received Email and Bounced Email as well"
        reader.faults.append(DataIssue(place, "data", problem, remedy))


_SENT, _BOUNCED, _OPENED, _CLICKED = (
    f"{what} email" for what in ("received", "bounced", "opened", "clicked")
)


def _sends(rows: pl.DataFrame) -> pl.DataFrame:
    metric, at = pl.col("metric"), pl.col("at")

    def first(name: str) -> pl.Expr:
        return at.filter(metric == name).min()

    is_open = metric == _OPENED
    is_machine = pl.col("machine_open").fill_null(value=False)
    return rows.group_by("message_id", "recipient_id", maintain_order=True).agg(
        pl.col("campaign").drop_nulls().first(),
        sent_at=at.filter(metric.is_in([_SENT, _BOUNCED])).min(),
        bounce_type=pl.col("bounce_type").filter(metric == _BOUNCED).first(),
        first_opened_at=first(_OPENED),
        first_clicked_at=first(_CLICKED),
        unsubscribed_at=first("unsubscribed"),
        complained_at=first("marked email as spam"),
        is_machine_open=is_open.any() & is_machine.filter(is_open).all(),
    )
