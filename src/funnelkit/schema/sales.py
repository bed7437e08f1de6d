"""Canonical tables of sales: orders, their lines, returns, exchange rates."""

from __future__ import annotations

from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Flag, Key, Money, Quantity, Time
from funnelkit.schema.origins import CHANNELS
from funnelkit.units import (
    CART,
    CUSTOMER,
    DAY,
    ITEM,
    MONEY,
    ORDER,
    PRODUCT,
    RETURN,
    SESSION,
    VISITOR,
)

__all__ = ["ExchangeRates", "OrderLines", "Orders", "Returns"]


class Orders(
    Table,
    table="orders",
    key="order_id",
    time="ordered_at",
    row_unit=ORDER,
    parents={"session_id": "sessions", "customer_id": "customers", "cart_id": "carts"},
):
    """One order."""

    order_id = Key("The order.", ORDER)
    ordered_at = Time("When it was placed.")
    status = Category(
        "pending, paid, fulfilled, cancelled, voided, draft, test or deleted.",
        values=("pending", "paid", "fulfilled", "cancelled", "voided", "draft", "test", "deleted"),
        synonyms={"canceled": "cancelled"},  # American spelling
    )
    customer_id = Key("The customer's account.", CUSTOMER)
    email_hash = Key("A hash of the normalised e-mail address or phone number.", CUSTOMER)
    customer_key = Key(
        "The buyer: the account, otherwise the e-mail hash; null for a guest.", CUSTOMER
    )
    session_id = Key("The session in which it was placed.", SESSION)
    cart_id = Key("The cart that it came from.", CART)
    visitor_id = Key("The browser or device that placed it.", VISITOR)
    sales_channel = Category(
        "online, pos, phone or marketplace.",
        values=("online", "pos", "phone", "marketplace"),
        synonyms={  # how shop systems name the web shop; the abbreviation in full
            "web": "online",
            "online store": "online",
            "point of sale": "pos",
        },
    )
    is_online = Flag("It was placed in the online shop.")
    gross_amount = Money("Price of the goods before discounts, tax and shipping.")
    discount_amount = Money("Discounts on the goods, as a positive amount.")
    currency = Category("Currency of the amounts charged to the customer.")
    fx_rate = Quantity(
        "Exchange rate: the value of one unit of the currency in the shop's currency."
    )
    shipping_amount = Money("Shipping charged to the customer, excluding tax.")
    gross_with_tax = Money("The gross amount, including tax.")
    discount_with_tax = Money("Discounts on the goods, including tax.")
    shipping_with_tax = Money("Shipping charged to the customer, including tax.")
    net_share = Quantity("The share of prices with tax that is not tax.")
    tax_amount = Money("Taxes on the order.")
    duties_amount = Money("Customs duties charged to the customer.")
    fees_amount = Money("Other fees charged to the customer.")
    payment_fee = Money("Cost of the payment to the shop, in the shop's currency.")
    fulfilment_cost = Money("Cost of picking and packing, in the shop's currency.")
    shipping_cost = Money("Carrier cost of its parcels, in the shop's currency.")
    attributed_channel = Category(
        "The channel to which the order is attributed.", values=CHANNELS, is_open=True
    )
    attributed_campaign = Category("The campaign to which the order is attributed.")
    is_gift_card_only = Flag("It has line items, all of which are gift cards.")
    is_counted = Flag("It is counted under the shop's order policy.")
    order_number = Quantity("1 for the customer's first counted order, 2 for the next, …")
    is_first_order = Flag("It is the customer's first counted order.", unique_within="customer_key")
    first_order_at = Time("When the customer's first counted order was placed.")
    cohort = Category("The period in which the customer's first counted order was placed.")
    previous_ordered_at = Time("When the customer's previous counted order was placed.")
    next_ordered_at = Time("When the customer's next counted order was placed.")
    session_number = Quantity(
        "Number of the session in which it was placed: 1 for the visitor's first."
    )
    previous_session_number = Quantity(
        "Number of the session in which the visitor's previous order was placed."
    )
    lines_amount = Money("Price of its product lines, before discounts and tax.")
    lines_discount = Money("Discounts on its product lines.")
    product_lines = Quantity("Number of product lines.")
    units = Quantity("Number of product units ordered.", ITEM)
    cancelled_units = Quantity("Number of units cancelled by the customer.", ITEM)
    returned_units = Quantity("Number of units returned, at any time.", ITEM)
    returned_amount = Money("Value of the goods refunded, at any time.")
    has_return = Flag("It has at least one return, at any time.")
    has_upsell = Flag("It has an upsold line.")
    has_cross_sell = Flag("It has a cross-sold line.")
    has_primary = Flag("It has a product that was not cross-sold.")
    has_attached = Flag("It has a product that was cross-sold.")
    first_shipped_at = Time("When its first parcel was shipped.")
    last_shipped_at = Time("When its last parcel was shipped; null until all have been.")
    delivered_at = Time("When its last parcel was delivered; null until all have been.")
    promised_at = Time("The promised delivery date.")
    shipped_units = Quantity("Number of units in its parcels.", ITEM)
    first_shipped_units = Quantity("Number of units in its first shipment.", ITEM)
    has_item_error = Flag("A parcel contains a wrong, missing or surplus item.")
    is_damaged = Flag("A parcel was damaged.")
    has_documents = Flag("The documents of every parcel were correct.")
    is_on_time = Flag("Its last parcel was delivered by the promised date.")
    is_in_full = Flag("All units ordered, less those cancelled, were shipped.")
    is_perfect = Flag("On time, in full, undamaged and correctly documented.")


class OrderLines(
    Table,
    table="order_lines",
    key="order_line_id",
    time="ordered_at",
    parents={"order_id": "orders", "product_id": "products"},
):
    """One line item of an order."""

    order_line_id = Key("The line.")
    order_id = Key("The order that it belongs to.", ORDER)
    ordered_at = Time("When the order was placed.")
    day = Key("The day on which the order was placed.", DAY)
    product_id = Key("The product bought.", PRODUCT)
    quantity = Quantity("Number of units.", ITEM)
    unit_price = Money("Price of one unit, before discounts and tax.", MONEY / ITEM)
    discount_amount = Money("Discount on the line, including its share of an order-level discount.")
    gross_amount = Money("Price of all its units, before discounts and tax.")
    tax_amount = Money("Tax on the line.")
    unit_price_with_tax = Money("Price of one unit, before discounts, including tax.", MONEY / ITEM)
    gross_with_tax = Money("Price of all its units, before discounts, including tax.")
    discount_with_tax = Money("Discount on the line, including tax.")
    net_share = Quantity("The share of prices with tax that is not tax.")
    allocated_discount = Money(
        "Its own discount plus its share, by value, of order-level discounts."
    )
    unit_cost = Money("Cost of one unit to the shop, in the shop's currency.", MONEY / ITEM)
    line_type = Category(
        "product, gift_card or fee.",
        values=("product", "gift_card", "fee"),
    )
    is_upsell = Flag("Upsell: the customer was led to a more expensive product.")
    is_cross_sell = Flag("Cross-sell: the customer was led to an additional product.")
    fx_rate = Quantity(
        "Exchange rate: the value of one unit of the currency in the shop's currency."
    )
    customer_key = Key("The buyer of the order.", CUSTOMER)
    is_counted = Flag("It is a product line of a counted order.")


class Returns(
    Table,
    table="returns",
    key="return_id",
    time="returned_at",
    row_unit=RETURN,
    parents={"order_id": "orders", "order_line_id": "order_lines"},
):
    """One returned line, or one refund."""

    return_id = Key("The return.", RETURN)
    order_id = Key("The order that was returned or refunded, in whole or in part.", ORDER)
    order_line_id = Key("The line that was returned or refunded, in whole or in part.")
    returned_at = Time("Time of the return, which determines its period.")
    quantity = Quantity("Number of units returned.", ITEM)
    refund_amount = Money("Value of the goods refunded, excluding shipping and tax.")
    kind = Category(
        "return, refund_only, cancellation or chargeback.",
        values=("return", "refund_only", "cancellation", "chargeback"),
        synonyms={  # other forms of one word
            "returned": "return",
            "cancelled": "cancellation",
            "canceled": "cancellation",
        },
    )
    refund_shipping = Money("Shipping refunded.")
    refund_tax = Money("Tax refunded.")
    refund_with_tax = Money("Value of the goods refunded, including tax.")
    refund_shipping_with_tax = Money("Shipping refunded, including tax.")
    net_share = Quantity("The share of amounts with tax that is not tax.")
    handling_cost = Money("Cost of handling the return, in the shop's currency.")
    is_restocked = Flag("The goods were put back into stock.")
    restocked_cost = Money("Cost of the goods put back into stock, in the shop's currency.")
    currency = Category("Currency of the refund; that of the order, unless supplied.")
    fx_rate = Quantity(
        "Exchange rate: the value of one unit of the currency in the shop's currency."
    )
    customer_key = Key("The buyer of the order.", CUSTOMER)
    is_of_product = Flag("It is of goods, not of a gift card or a fee, as far as is known.")
    goods_returned = Flag("It is counted, and goods were sent back: not a refund alone.")
    is_counted = Flag("It reverses a sale that is counted under the shop's order policy.")


class ExchangeRates(Table, table="exchange_rates", key=("date", "currency"), time="date"):
    """The rate of one currency on one day; it remains valid for the following seven days."""

    date = Time("The day.")
    currency = Category("The currency.")
    rate = Quantity("The value of one unit of the currency in the shop's currency.")
