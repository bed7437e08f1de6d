"""Canonical tables of sales: orders, their lines, returns, exchange rates."""

from __future__ import annotations

from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Flag, Key, Money, Quantity, Time
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
    customer_key = Key("Who bought: the account, else the e-mail hash; null for a guest.", CUSTOMER)
    session_id = Key("The visit in which it was placed.", SESSION)
    cart_id = Key("The cart that it came from.", CART)
    visitor_id = Key("The browser or device that placed it.", VISITOR)
    sales_channel = Category(
        "online, pos, phone or marketplace.",
        values=("online", "pos", "phone", "marketplace"),
        synonyms={  # how shop systems name the web shop; the abbreviation in full
            "web": "online",
            "online store": "online",
            "online_store": "online",
            "point of sale": "pos",
            "point_of_sale": "pos",
        },
    )
    is_online = Flag("It was placed in the online shop.")
    gross_amount = Money("Price of the goods before discounts, tax and shipping.")
    discount_amount = Money("Discounts on the goods, as a positive amount.")
    currency = Category("Currency of the amounts that the customer pays.")
    fx_rate = Quantity("The value of one unit of the currency in the shop's currency.")
    shipping_amount = Money("What the customer pays for shipping, without tax.")
    tax_amount = Money("Taxes on the order.")
    duties_amount = Money("Customs duties that the customer pays.")
    fees_amount = Money("Other charges to the customer.")
    payment_fee = Money("What the payment cost the shop, in the shop's currency.")
    fulfilment_cost = Money("What picking and packing cost, in the shop's currency.")
    shipping_cost = Money("What the carriers took for its parcels, in the shop's currency.")
    attributed_channel = Category("The channel that the order is credited to.")
    attributed_campaign = Category("The campaign that the order is credited to.")
    is_gift_card_only = Flag("It has lines, and every one is a gift card.")
    is_counted = Flag("It counts as an order under the shop's order policy.")
    order_number = Quantity("1 for the customer's first counted order, 2 for the next, …")
    is_first_order = Flag("It is its customer's first counted order.", unique_within="customer_key")
    first_order_at = Time("When its customer first placed a counted order.")
    cohort = Category("The period in which its customer first placed a counted order.")
    previous_ordered_at = Time("When its customer placed the counted order before this one.")
    next_ordered_at = Time("When its customer placed the counted order after this one.")
    session_number = Quantity("The number of the visit in which it was placed, for its visitor.")
    previous_session_number = Quantity("That of its visitor's order before this one.")
    lines_amount = Money("Price of its lines of products, before discounts and tax.")
    lines_discount = Money("Discounts on its lines of products.")
    product_lines = Quantity("Lines of products in it.")
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
    gross_amount = Money("Price of its units, before discounts and tax.")
    allocated_discount = Money("Discounts on it: its own, and its share by value of the order's.")
    unit_cost = Money("What one unit cost the shop, in the shop's currency.", MONEY / ITEM)
    line_type = Category(
        "product, gift_card or fee.",
        values=("product", "gift_card", "fee"),
        synonyms={  # spellings of one word
            "gift card": "gift_card",
            "gift-card": "gift_card",
            "giftcard": "gift_card",
        },
    )
    is_upsell = Flag("The customer was led to a dearer product.")
    is_cross_sell = Flag("The customer was led to a further product.")
    fx_rate = Quantity("The value of one unit of the currency in the shop's currency.")
    customer_key = Key("Who bought.", CUSTOMER)
    is_counted = Flag("It is a product line of an order that counts.")


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
    order_id = Key("The order that it undoes.", ORDER)
    order_line_id = Key("The line that it undoes.")
    returned_at = Time("When it was returned; it belongs to that period.")
    quantity = Quantity("How many units came back.", ITEM)
    refund_amount = Money("Value of the goods refunded, without shipping and tax.")
    kind = Category(
        "return, refund_only, cancellation or chargeback.",
        values=("return", "refund_only", "cancellation", "chargeback"),
        synonyms={  # other forms and spellings of one word
            "returned": "return",
            "refund only": "refund_only",
            "refund-only": "refund_only",
            "cancelled": "cancellation",
            "canceled": "cancellation",
        },
    )
    refund_shipping = Money("Shipping refunded.")
    refund_tax = Money("Tax refunded.")
    handling_cost = Money("What taking it back cost the shop, in the shop's currency.")
    is_restocked = Flag("The goods went back to stock.")
    restocked_cost = Money("Cost of the goods back in stock, in the shop's currency.")
    currency = Category("Currency of the amounts refunded; the order's, unless supplied.")
    fx_rate = Quantity("The value of one unit of the currency in the shop's currency.")
    customer_key = Key("Who had bought.", CUSTOMER)
    is_of_product = Flag("It undoes goods, as far as is known: no gift card, no fee.")
    goods_returned = Flag("It counts, and the goods came back: not the money alone.")
    is_counted = Flag("It undoes a sale that counts under the shop's order policy.")


class ExchangeRates(Table, table="exchange_rates", key=("date", "currency"), time="date"):
    """What one currency was worth on one day; it holds for the seven days after."""

    date = Time("The day.")
    currency = Category("The currency.")
    rate = Quantity("The value of one unit in the shop's currency.")
