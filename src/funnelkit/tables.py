"""The canonical tables of a shop.

Amounts are exclusive of tax. Only the columns that the asked metrics need have
to be supplied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from funnelkit.errors import check_kind
from funnelkit.formula.formulas import Formula
from funnelkit.formula.parsing import parse_formula
from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Duration, Flag, Key, Money, Quantity, Score, Time
from funnelkit.stock import InventorySnapshots, Products, Receipts, Shipments
from funnelkit.units import (
    CART,
    CLICK,
    CUSTOMER,
    DAY,
    EMAIL,
    ENGAGEMENT,
    EVENT,
    FOLLOWER,
    IMPRESSION,
    ITEM,
    MILLISECOND,
    MONEY,
    ORDER,
    PAGE,
    PRODUCT,
    QUERY,
    RECIPIENT,
    RESPONSE,
    RETURN,
    SESSION,
    VISITOR,
)

__all__ = [
    "TABLES",
    "CampaignPerformance",
    "Carts",
    "Customers",
    "EmailSends",
    "Events",
    "ExchangeRates",
    "InventorySnapshots",
    "MarketingCosts",
    "OrderLines",
    "Orders",
    "Products",
    "Receipts",
    "Returns",
    "SearchInterest",
    "Sessions",
    "Shipments",
    "Surveys",
    "Viewers",
    "known_tables",
    "parse",
]


class Sessions(
    Table,
    table="sessions",
    key="session_id",
    time="started_at",
    row=SESSION,
    parents={"customer_id": "customers"},
):
    """One visit to the shop."""

    session_id = Key("The visit.", SESSION)
    visitor_id = Key("The browser or device that visits; not a person.", VISITOR)
    started_at = Time("When the visit began; it belongs to that period whole.")
    customer_id = Key("The customer, where the visitor signed in.", CUSTOMER)
    ended_at = Time("When the last thing happened in the visit.")
    duration_s = Duration("Length of the visit.")
    engaged_s = Duration("How long the shop was in the foreground.")
    page_views = Quantity("Pages viewed.", PAGE)
    source = Category("Where the visit came from.")
    medium = Category("By what kind of link.")
    campaign = Category("By which campaign.")
    channel = Category("The channel that the visit is credited to.")
    device = Category("Kind of device.")
    country = Category("Country of the visitor.")
    is_bot = Flag("The visit was made by a machine.")
    has_key_event = Flag("A goal was reached in the visit.")
    has_product_view = Flag("A product page was seen in the visit.")
    has_add_to_cart = Flag("Something was put into a cart in the visit.")
    has_checkout = Flag("A checkout was begun in the visit.")
    has_purchase = Flag("An order that counts was placed in the visit.")
    has_content_interaction = Flag("Content was used: scrolled through, watched, downloaded, read.")
    is_engaged = Flag("Longer than 10 s in the foreground, or a goal reached, or two pages seen.")
    is_bounce = Flag("Not engaged.")
    is_counted = Flag("It counts: it is not known to be a bot's.")
    session_number = Quantity("1 for the visitor's first visit that counts, 2 for the next, …")
    is_first_session = Flag("It is its visitor's first visit that counts.", once_per="visitor_id")
    first_seen_at = Time("When its visitor was first seen.")


class Events(
    Table,
    table="events",
    key="event_id",
    time="occurred_at",
    row=EVENT,
    parents={
        "session_id": "sessions",
        "order_id": "orders",
        "cart_id": "carts",
        "product_id": "products",
    },
):
    """One event of the clickstream, under the names that GA4 uses."""

    event_id = Key("The event.", EVENT)
    visitor_id = Key("Who caused it.", VISITOR)
    event_name = Category("What happened: page_view, view_item, add_to_cart, purchase, …")
    occurred_at = Time("When it happened.")
    session_id = Key("The visit that it belongs to.", SESSION)
    cart_id = Key("The cart that it touches.", CART)
    order_id = Key("The order that it places.", ORDER)
    product_id = Key("The product that it is about.", PRODUCT)
    quantity = Quantity("How many units of it.", ITEM)
    value = Money("What it is worth, as the tag reports it.")
    offer_id = Key("The offer that is shown or accepted.")
    offer_type = Category("upsell, cross_sell, …")
    load_ms = Quantity("How long the page took to load.", MILLISECOND)
    visitor_product = Key("The visitor with the product.")
    is_key_event = Flag("It is a goal.")
    is_content = Flag("Content is used: scrolled through, watched, downloaded, read.")
    is_counted = Flag("It counts: it is not known to be a bot's.")


class Orders(
    Table,
    table="orders",
    key="order_id",
    time="ordered_at",
    row=ORDER,
    parents={"session_id": "sessions", "customer_id": "customers", "cart_id": "carts"},
):
    """One order."""

    order_id = Key("The order.", ORDER)
    ordered_at = Time("When it was placed.")
    status = Category("pending, paid, fulfilled, cancelled, voided, draft, test or deleted.")
    customer_id = Key("The customer's account.", CUSTOMER)
    email_hash = Key("A hash of the normalised e-mail address or phone number.", CUSTOMER)
    customer_key = Key("Who bought: the account, else the e-mail hash; null for a guest.", CUSTOMER)
    session_id = Key("The visit in which it was placed.", SESSION)
    cart_id = Key("The cart that it came from.", CART)
    visitor_id = Key("The browser or device that placed it.", VISITOR)
    sales_channel = Category("online, pos, phone or marketplace.")
    is_online = Flag("It was placed in the online shop.")
    gross_amount = Money("Price of the goods before discounts, tax and shipping.")
    discount_amount = Money("Discounts on the goods, as a positive amount.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity("What one unit of the currency is worth in the shop's own.")
    shipping_amount = Money("What the customer pays for shipping, without tax.")
    tax_amount = Money("Taxes on the order.")
    duties_amount = Money("Customs duties that the customer pays.")
    fees_amount = Money("Other charges to the customer.")
    payment_fee = Money("What the payment cost the shop.")
    fulfilment_cost = Money("What picking and packing cost the shop.")
    shipping_cost = Money("What the carriers took for its parcels.")
    attributed_channel = Category("The channel that the order is credited to.")
    attributed_campaign = Category("The campaign that the order is credited to.")
    is_gift_card_only = Flag("It has lines, and every one is a gift card.")
    is_counted = Flag("It counts as an order under the shop's order policy.")
    order_number = Quantity("1 for the customer's first counted order, 2 for the next, …")
    is_first_order = Flag("It is its customer's first counted order.", once_per="customer_key")
    first_order_at = Time("When its customer first placed a counted order.")
    cohort = Category("The period in which its customer first placed a counted order.")
    previous_ordered_at = Time("When its customer placed the counted order before this one.")
    next_ordered_at = Time("When its customer placed the counted order after this one.")
    session_number = Quantity("The number of the visit in which it was placed, for its visitor.")
    previous_session_number = Quantity("That of its visitor's order before this one.")
    units = Quantity("Units of products in it.", ITEM)
    cancelled_units = Quantity("Units of it that the customer cancelled.", ITEM)
    returned_units = Quantity("Units of it that came back, at any time.", ITEM)
    returned_amount = Money("Value of it that was refunded, at any time.")
    has_return = Flag("Some of it came back, at any time.")
    has_upsell = Flag("It has a line that was sold up.")
    has_cross_sell = Flag("It has a line that was sold across.")
    has_primary = Flag("It has a line that was not sold across.")
    first_shipped_at = Time("When its first parcel was shipped.")
    last_shipped_at = Time("When its last parcel was shipped, once all are.")
    delivered_at = Time("When its last parcel arrived, once all have.")
    promised_at = Time("By when it was promised.")
    shipped_units = Quantity("Units in its parcels.", ITEM)
    first_shipped_units = Quantity("Units in the parcels that left first.", ITEM)
    has_item_error = Flag("A parcel of it holds something wrong, or too little, or too much.")
    is_damaged = Flag("A parcel of it was damaged.")
    has_documents = Flag("The papers of every parcel were right.")
    is_on_time = Flag("All of it arrived by when it was promised.")
    is_in_full = Flag("All units that were ordered were shipped.")
    is_perfect = Flag("On time, in full, undamaged, with the right papers.")


class OrderLines(
    Table,
    table="order_lines",
    key="order_line_id",
    time="ordered_at",
    parents={"order_id": "orders", "product_id": "products"},
):
    """One line of an order."""

    order_line_id = Key("The line.")
    order_id = Key("The order that it belongs to.", ORDER)
    ordered_at = Time("When the order was placed.")
    day = Key("The day on which the order was placed.", DAY)
    product_id = Key("What was bought.", PRODUCT)
    quantity = Quantity("How many units.", ITEM)
    unit_price = Money("Price of one unit, before discounts and tax.", MONEY / ITEM)
    discount_amount = Money("Discount on the line, with its share of an order-level discount.")
    unit_cost = Money("What one unit cost the shop.", MONEY / ITEM)
    line_type = Category("product, gift_card or fee.")
    is_upsell = Flag("The customer was led to a dearer product.")
    is_cross_sell = Flag("The customer was led to a further product.")
    fx_rate = Quantity("What one unit of the currency is worth in the shop's own.")
    customer_key = Key("Who bought.", CUSTOMER)
    is_counted = Flag("It is a product line of an order that counts.")


class Returns(
    Table,
    table="returns",
    key="return_id",
    time="returned_at",
    row=RETURN,
    parents={"order_id": "orders", "order_line_id": "order_lines"},
):
    """One returned line, or one refund."""

    return_id = Key("The return.", RETURN)
    order_id = Key("The order that it undoes.", ORDER)
    order_line_id = Key("The line that it undoes.")
    returned_at = Time("When it was returned; it belongs to that period.")
    quantity = Quantity("How many units came back.", ITEM)
    refund_amount = Money("Value of the goods refunded, without shipping and tax.")
    kind = Category("return, refund_only, cancellation or chargeback.")
    refund_shipping = Money("Shipping refunded.")
    refund_tax = Money("Tax refunded.")
    handling_cost = Money("What taking it back cost the shop.")
    is_restocked = Flag("The goods went back to stock.")
    restocked_cost = Money("Cost of the goods that went back to stock.")
    fx_rate = Quantity("What one unit of the currency is worth in the shop's own.")
    customer_key = Key("Who had bought.", CUSTOMER)
    is_of_product = Flag("It undoes goods, as far as is known: no gift card, no fee.")
    came_back = Flag("It counts, and the goods came back: not the money alone.")
    is_counted = Flag("It undoes a sale that counts under the shop's order policy.")


class Customers(Table, table="customers", key="customer_id", time="created_at", row=CUSTOMER):
    """One customer account."""

    customer_id = Key("The account.", CUSTOMER)
    created_at = Time("When it was opened.")
    email_hash = Key("A hash of the normalised e-mail address or phone number.", CUSTOMER)
    country = Category("Country of the customer.")
    segment = Category("Segment of the customer.")
    acquisition_channel = Category("Where the customer first came from.")


class Carts(
    Table,
    table="carts",
    key="cart_id",
    time="created_at",
    row=CART,
    parents={"session_id": "sessions", "customer_id": "customers"},
):
    """One cart."""

    cart_id = Key("The cart.", CART)
    created_at = Time("When the first item went in.")
    visitor_id = Key("Whose cart it is.", VISITOR)
    customer_id = Key("The customer, where known.", CUSTOMER)
    session_id = Key("The visit in which it was begun.", SESSION)
    items = Quantity("Units in it at the end.", ITEM)
    value = Money("Value of the items.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity("What one unit of the currency is worth in the shop's own.")
    order_id = Key("The order that it became.", ORDER)
    checkout_started_at = Time("When its checkout was begun.")
    last_activity_at = Time("When it was last touched.")
    ordered_at = Time("When it became an order.")
    is_abandoned = Flag("It was left for a day or longer, whether or not it was bought later.")
    is_recovered = Flag("It was left, and bought within the thirty days after.")
    age_s = Duration("Time from its first item to the moment up to which data is known.")
    is_converted = Flag("It became an order.")


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
    fx_rate = Quantity("What one unit of the currency is worth in the shop's own.")


class MarketingCosts(
    Table,
    table="marketing_costs",
    key="cost_id",
    time="period_start",
    spread=("period_start", "period_end", ("amount",)),
):
    """One cost of marketing other than media, spread evenly over its days."""

    cost_id = Key("The cost.")
    period_start = Time("Its first day.")
    period_end = Time("Its last day, included.")
    amount = Money("The amount.")
    cohort = Category("The period in which it was spent: of the customers won then.")
    currency = Category("Currency of the amounts.")
    fx_rate = Quantity("What one unit of the currency is worth in the shop's own.")
    kind = Category("agency, salaries, tools, creative, promo, affiliate or other.")
    purpose = Category("acquisition, retention or brand.")
    is_variable = Flag("It rises with sales.")


class Surveys(
    Table,
    table="surveys",
    key="response_id",
    time="responded_at",
    row=RESPONSE,
    parents={"customer_id": "customers"},
):
    """One answer to a survey."""

    response_id = Key("The answer.", RESPONSE)
    survey_type = Category("nps, csat, brand_unaided or brand_aided.")
    responded_at = Time("When it was given.")
    customer_id = Key("Who gave it, where known.", CUSTOMER)
    respondent = Key("Who gave it: the customer, else the answer itself.", RESPONSE)
    score = Score("The mark.")
    scale_max = Score("The highest mark that could be given.")
    brand_recalled = Flag("The brand was named, or recognised.")
    weight = Quantity("How many people the answer stands for.", RESPONSE)


class EmailSends(
    Table,
    table="email_sends",
    key=("message_id", "recipient_id"),
    time="sent_at",
    row=EMAIL,
    parents={"order_id": "orders"},
):
    """One message sent to one recipient."""

    message_id = Key("The message.")
    recipient_id = Key("Who it was sent to.", RECIPIENT)
    sent_at = Time("When it was sent; it belongs to that period.")
    bounce_type = Category("hard or soft, where it did not arrive.")
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


class SearchInterest(Table, table="search_interest", key="date", time="date"):
    """How often a fixed set of brands was searched for on one day."""

    date = Time("The day.")
    brand_queries = Quantity("Searches for the own brand.", QUERY)
    category_queries = Quantity("Searches for all brands of the set, the own among them.", QUERY)


class Viewers(Table, table="viewers", key="view_id", time="viewed_at"):
    """One view of one ad by one person, as a log has it."""

    view_id = Key("The view.")
    viewer_id = Key("Who saw it.", VISITOR)
    campaign_id = Key("The campaign.")
    viewed_at = Time("When it was seen.")


class ExchangeRates(Table, table="exchange_rates", key=("date", "currency"), time="date"):
    """What one currency was worth on one day; it holds for the seven days after."""

    date = Time("The day.")
    currency = Category("The currency.")
    rate = Quantity("What one unit of it is worth in the shop's own.")


TABLES: Mapping[str, type[Table]] = {
    table.table: table
    for table in (
        Sessions,
        Events,
        Orders,
        OrderLines,
        Returns,
        Customers,
        Carts,
        CampaignPerformance,
        MarketingCosts,
        Surveys,
        EmailSends,
        Products,
        InventorySnapshots,
        Shipments,
        Receipts,
        SearchInterest,
        Viewers,
        ExchangeRates,
    )
}


def known_tables(own: Iterable[type[Table]]) -> dict[str, type[Table]]:
    """Give the canonical tables and further ones, by name."""
    return {**TABLES, **{table.table: table for table in own}}


def parse(text: str, *, tables: Sequence[type[Table]] = ()) -> Formula:
    """Read a formula from its text form; nothing is evaluated.

    Args:
        text: The formula: `"sum(orders.gross_amount) / count(orders)"`.
        tables: Declarations of tables beyond the canonical ones.

    Raises:
        DefinitionError: The text is not a formula; says at which column.

    Examples:
        >>> str(parse("count(orders, where = orders.is_counted)"))
        'count(orders, where=orders.is_counted)'
    """
    check_kind("text", text, (str,), "write it in quotes")
    return parse_formula(text, known_tables(tables))
