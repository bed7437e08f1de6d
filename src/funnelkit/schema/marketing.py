"""Canonical tables of marketing: campaigns, costs, e-mails, ad views."""

from __future__ import annotations

from funnelkit.formula.table import Proration, Table
from funnelkit.formula.values import Category, Flag, Key, Money, Quantity, Time
from funnelkit.schema.origins import PLATFORM_SYNONYMS, PLATFORMS
from funnelkit.units import (
    CLICK,
    EMAIL,
    ENGAGEMENT,
    FOLLOWER,
    IMPRESSION,
    ORDER,
    RECIPIENT,
    VISITOR,
)

__all__ = ["AdViews", "CampaignPerformance", "EmailSends", "MarketingCosts"]


class CampaignPerformance(
    Table,
    table="campaign_performance",
    key=("date", "platform", "campaign_id"),
    time="date",
):
    """One campaign on one platform on one day, as the platform reports it."""

    date = Time("The day, in the time zone of the platform account.")
    platform = Category(
        "The advertising platform.",
        values=PLATFORMS,
        synonyms=PLATFORM_SYNONYMS,
        is_open=True,
    )
    campaign_id = Key("The campaign.")
    is_paid = Flag("The reach was paid for.")
    impressions = Quantity("Number of times an ad was served.", IMPRESSION)
    clicks = Quantity("Number of clicks.", CLICK)
    reach = Quantity("Number of people reached; valid for this row only.", VISITOR)
    engagements = Quantity("Number of reactions, comments, shares and saves.", ENGAGEMENT)
    followers = Quantity("Number of followers of the account.", FOLLOWER)
    attribution = Category("The platform's attribution model and window.")
    is_social = Flag("The platform is a social network.")
    spend = Money("Media cost, net of credits and tax.")
    conversions = Quantity("Conversions claimed by the platform.", ORDER)
    conversion_value = Money("Sales claimed by the platform.")
    cohort = Category("The period of the cost: that of the customers acquired in it.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity(
        "Exchange rate: the value of one unit of the currency in the shop's currency."
    )


class MarketingCosts(
    Table,
    table="marketing_costs",
    key="cost_id",
    time="period_start",
    prorate=Proration(first="period_start", last="period_end", amounts=("amount",)),
):
    """One marketing cost other than media, spread evenly over the days that it covers."""

    cost_id = Key("The cost.")
    period_start = Time("First day of the period that it covers.")
    period_end = Time("Last day of the period that it covers, inclusive.")
    amount = Money("Amount of the cost.")
    cohort = Category("The period of the cost: that of the customers acquired in it.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity(
        "Exchange rate: the value of one unit of the currency in the shop's currency."
    )
    kind = Category("agency, salaries, tools, creative, promo, affiliate or other.")
    purpose = Category(
        "acquisition, retention or brand.", values=("acquisition", "retention", "brand")
    )
    is_variable = Flag("It is a variable cost: it rises with sales.")


class EmailSends(
    Table,
    table="email_sends",
    key=("message_id", "recipient_id"),
    time="sent_at",
    row_unit=EMAIL,
    parents={"order_id": "orders"},
):
    """One message sent to one recipient."""

    message_id = Key("The message.")
    recipient_id = Key("The recipient.", RECIPIENT)
    sent_at = Time("When it was sent, which determines its period.")
    bounce_type = Category(
        "hard or soft, if it bounced.",
        values=("hard", "soft"),
        synonyms={  # with the noun; permanent and transient are what mail servers answer
            "hard bounce": "hard",
            "permanent": "hard",
            "soft bounce": "soft",
            "transient": "soft",
        },
    )
    first_opened_at = Time("When it was first opened.")
    first_clicked_at = Time("When a link in it was first clicked.")
    unsubscribed_at = Time("When the recipient unsubscribed through it.")
    complained_at = Time("When the recipient reported it as spam.")
    is_machine_open = Flag("A machine opened it, not the recipient.")
    order_id = Key("The order attributed to it.", ORDER)
    attributed_revenue = Money("Net revenue attributed to it.")
    is_delivered = Flag("It was delivered: it did not bounce.")
    is_opened = Flag("It was opened; a click implies an open.")
    is_clicked = Flag("A link in it was clicked.")


class AdViews(Table, table="ad_views", key="view_id", time="viewed_at"):
    """One view of one ad by one person, from a log."""

    view_id = Key("The view.")
    viewer_id = Key("The viewer.", VISITOR)
    campaign_id = Key("The campaign.")
    viewed_at = Time("When the ad was viewed.")
