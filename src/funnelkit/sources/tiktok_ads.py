"""TikTok Ads: a report of campaigns by day (CSV).

How to get it: Analytics, Custom report, dimensions Campaign and By Day; download as CSV. Columns:
By Day, Campaign name and Cost; Campaign ID, Impressions, Reach, Clicks, Conversions and Currency
if you like.

| column | made of |
| --- | --- |
| `campaign_performance.date` | `By Day`, in the time zone of the account |
| `campaign_performance.campaign_id` | `Campaign ID`, otherwise `Campaign name` |
| `campaign_performance.platform`, `is_paid` | "tiktok"; true |
| `campaign_performance.spend`, `currency` | `Cost`, `Currency` |
| `campaign_performance.impressions` | `Impressions` |
| `campaign_performance.clicks` | `Clicks (destination)`, otherwise `Clicks` |
| `campaign_performance.reach` | `Reach`, where a campaign has one row on a day |
| `campaign_performance.conversions` | `Conversions` |
| `campaign_performance.conversion_value` | `Total purchase value` |

What it cannot give: the reach of several rows, since the same person may be in each; orders and
sessions.

Traps: the last row, "Total of …", adds up the others; a dash stands for nothing; `Conversions`
counts what the campaign is optimised for, which need not be a purchase.
"""

from __future__ import annotations

from typing import Unpack

from funnelkit.data.sources import Source
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import Kind, Layout
from funnelkit.sources.reports import shop_of_report

__all__ = ["LAYOUT", "tiktok_ads"]

LAYOUT = Layout(
    name="a TikTok Ads report",
    required={
        "By Day": ("date", Kind.DAY),
        "Campaign name": ("campaign_name", Kind.TEXT),
        "Cost": ("spend", Kind.GROUPED),
    },
    optional={
        "Campaign ID": ("campaign_id", Kind.TEXT),
        "Currency": ("currency", Kind.TEXT),
        "Impressions": ("impressions", Kind.GROUPED),
        "Reach": ("reach", Kind.GROUPED),
        "Clicks (destination)": ("clicks", Kind.GROUPED),
        "Conversions": ("conversions", Kind.GROUPED),
        "Total purchase value": ("conversion_value", Kind.GROUPED),
    },
    filled=("Campaign name", "By Day"),
    nulls=("-", "--"),
)
NAMES = {
    "Date": "By Day",
    "Campaign Name": "Campaign name",
    "Clicks": "Clicks (destination)",
    "Total complete payment value": "Total purchase value",
}


def tiktok_ads(report: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a TikTok Ads report: its campaigns by day.

    Args:
        report: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the report.
    """
    return shop_of_report(report, LAYOUT, names=NAMES, platform="tiktok", settings=settings)
