"""Meta Ads (Facebook, Instagram): a report of Ads Manager by day (CSV).

How to get it: Ads Manager, Breakdown, By time, Day; Reports, Export table data, CSV. Columns:
Campaign name and Amount spent; Campaign ID, Impressions, Reach, Link clicks, Purchases and their
value if you like.

| column | made of |
| --- | --- |
| `campaign_performance.date` | `Day`, in the time zone of the account |
| `campaign_performance.campaign_id` | `Campaign ID`, otherwise `Campaign name` |
| `campaign_performance.platform`, `is_paid` | "meta"; true |
| `campaign_performance.spend`, `currency` | `Amount spent (…)`; `Currency`, or that of the name |
| `campaign_performance.impressions`, `clicks` | `Impressions`; `Link clicks`, not all clicks |
| `campaign_performance.reach` | `Reach`, where a campaign has one row on a day |
| `campaign_performance.conversions` | `Purchases` |
| `campaign_performance.conversion_value` | `Purchases conversion value` |

What it cannot give: the reach of several rows, since the same person may be in each; orders and
sessions.

Traps: the first row may add up the others, without a campaign; a report that is not by day has
only `Reporting starts` and `Reporting ends`; rows of ad sets and ads are added up.
"""

from __future__ import annotations

from typing import Unpack

from funnelkit.data.sources import Source
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.reading import Kind, Layout
from funnelkit.sources.reports import shop_of_report

__all__ = ["LAYOUT", "meta_ads"]

SPENT = "Amount spent"
LAYOUT = Layout(
    name="a report of Meta Ads Manager",
    required={
        "Day": ("date", Kind.DAY),
        "Campaign name": ("campaign_name", Kind.TEXT),
        SPENT: ("spend", Kind.GROUPED),
    },
    optional={
        "Campaign ID": ("campaign_id", Kind.TEXT),
        "Currency": ("currency", Kind.TEXT),
        "Impressions": ("impressions", Kind.GROUPED),
        "Reach": ("reach", Kind.GROUPED),
        "Link clicks": ("clicks", Kind.GROUPED),
        "Purchases": ("conversions", Kind.GROUPED),
        "Purchases conversion value": ("conversion_value", Kind.GROUPED),
    },
    nulls=("-", "--"),
)
NAMES = {
    r"Amount spent \([A-Z]{3}\)": SPENT,
    "Website purchases": "Purchases",
    "Website purchases conversion value": "Purchases conversion value",
}


def meta_ads(report: Source, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a report of Meta Ads Manager: its campaigns by day.

    Args:
        report: The file, a folder or glob of files, or a frame of it.
        settings: As for `Shop`.

    Raises:
        ContractError: Lists every fault of the report.
    """
    return shop_of_report(report, LAYOUT, names=NAMES, platform="meta", settings=settings)
