"""Google Ads: a report of campaigns by day (CSV).

How to get it: Campaigns, segment by Time, Day; Download, ".csv" or "Excel .csv". Columns: Day,
Campaign and Cost; Campaign ID, Impr., Clicks, Conversions, Conv. value and Currency code if you
like.

| column | made of |
| --- | --- |
| `campaign_performance.date` | `Day`, in the time zone of the account |
| `campaign_performance.campaign_id` | `Campaign ID`, otherwise `Campaign` |
| `campaign_performance.platform`, `is_paid` | "google"; true |
| `campaign_performance.spend`, `currency` | `Cost`, `Currency code` |
| `campaign_performance.impressions`, `clicks` | `Impr.`, `Clicks` |
| `campaign_performance.conversions`, `conversion_value` | `Conversions`, `Conv. value` |

What it cannot give: reach and engagements; orders and sessions.

Traps: two lines above the header; totals below the rows; `--` for nothing; commas between
thousands; rows by device or ad group, which are added up; "Excel .csv" is UTF-16 with tabs.
Numbers are read as English writes them, with a decimal point.
"""

from __future__ import annotations

from typing import Unpack

from funnelkit.data.sources import Source
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import Kind, Layout
from funnelkit.sources.reports import shop_of_report

__all__ = ["LAYOUT", "google_ads"]

LAYOUT = Layout(
    name="a Google Ads report",
    required={
        "Day": ("date", Kind.DAY),
        "Campaign": ("campaign_name", Kind.TEXT),
        "Cost": ("spend", Kind.GROUPED),
    },
    optional={
        "Campaign ID": ("campaign_id", Kind.TEXT),
        "Impr.": ("impressions", Kind.GROUPED),
        "Clicks": ("clicks", Kind.GROUPED),
        "Conversions": ("conversions", Kind.GROUPED),
        "Conv. value": ("conversion_value", Kind.GROUPED),
        "Currency code": ("currency", Kind.TEXT),
    },
    filled=("Day", "Campaign"),
    nulls=("--", "-"),
)
NAMES = {
    "Date": "Day",
    "Campaign name": "Campaign",
    "Impressions": "Impr.",
    "Total conv. value": "Conv. value",
    "Conversion value": "Conv. value",
    "Currency": "Currency code",
}


def google_ads(report: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a Google Ads report: its campaigns by day.

    Args:
        report: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the report.
    """
    return shop_of_report(report, LAYOUT, names=NAMES, platform="google", settings=settings)
