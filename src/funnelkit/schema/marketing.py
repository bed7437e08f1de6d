"""Canonical tables of marketing: campaigns, costs, e-mails, views of adverts."""

from __future__ import annotations

from funnelkit.formula.table import Proration, Table
from funnelkit.formula.values import Category, Flag, Key, Money, Quantity, Time
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

    date = Time("The day, in the platform's account zone.")
    platform = Category("The advertising platform.")
    campaign_id = Key("The campaign.")
    is_paid = Flag("The reach was bought.")
    impressions = Quantity("Times an ad was served.", IMPRESSION)
    clicks = Quantity("Clicks on it.", CLICK)
    reach = Quantity("People it reached, valid for this row alone.", VISITOR)
    engagements = Quantity("Reactions, comments, shares and saves.", ENGAGEMENT)
    followers = Quantity("Followers of the account.", FOLLOWER)
    attribution = Category("Model and window of the platform's attribution.")
    is_social = Flag("The platform is a social network.")
    spend = Money("Media cost, net of credits and tax.")
    conversions = Quantity("Conversions that the platform credits to itself.", ORDER)
    conversion_value = Money("Sales that the platform credits to itself.")
    cohort = Category("The period in which it was spent: of the customers won then.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity("The value of one unit of the currency in the shop's currency.")


class MarketingCosts(
    Table,
    table="marketing_costs",
    key="cost_id",
    time="period_start",
    prorate=Proration(first="period_start", last="period_end", amounts=("amount",)),
):
    """One cost of marketing other than media, spread evenly over its days."""

    cost_id = Key("The cost.")
    period_start = Time("Its first day.")
    period_end = Time("Its last day, included.")
    amount = Money("The amount.")
    cohort = Category("The period in which it was spent: of the customers won then.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity("The value of one unit of the currency in the shop's currency.")
    kind = Category("agency, salaries, tools, creative, promo, affiliate or other.")
    purpose = Category(
        "acquisition, retention or brand.", values=("acquisition", "retention", "brand")
    )
    is_variable = Flag("It rises with sales.")


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
    recipient_id = Key("Who it was sent to.", RECIPIENT)
    sent_at = Time("When it was sent; it belongs to that period.")
    bounce_type = Category(
        "hard or soft, where it did not arrive.",
        values=("hard", "soft"),
        synonyms={  # with the noun; permanent and transient are what mail servers answer
            "hard bounce": "hard",
            "hard_bounce": "hard",
            "permanent": "hard",
            "soft bounce": "soft",
            "soft_bounce": "soft",
            "transient": "soft",
        },
    )
    first_opened_at = Time("When it was first opened.")
    first_clicked_at = Time("When a link in it was first clicked.")
    unsubscribed_at = Time("When the recipient unsubscribed by it.")
    complained_at = Time("When the recipient reported it as spam.")
    is_machine_open = Flag("A machine opened it, not the recipient.")
    order_id = Key("The order that is credited to it.", ORDER)
    attributed_revenue = Money("Net revenue that is credited to it.")
    is_delivered = Flag("It arrived: it did not bounce.")
    is_opened = Flag("It was opened, or clicked, which takes opening it.")
    is_clicked = Flag("A link in it was clicked.")


class AdViews(Table, table="ad_views", key="view_id", time="viewed_at"):
    """One view of one ad by one person, as a log has it."""

    view_id = Key("The view.")
    viewer_id = Key("Who saw it.", VISITOR)
    campaign_id = Key("The campaign.")
    viewed_at = Time("When it was seen.")
