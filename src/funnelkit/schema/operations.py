"""Canonical tables of what a shop has and moves: products, stock, parcels, deliveries."""

from __future__ import annotations

from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Flag, Key, Money, Quantity, Time
from funnelkit.units import DAY, ITEM, MONEY, ORDER, PARCEL, PRODUCT

__all__ = ["InventorySnapshots", "Products", "Receipts", "Shipments"]


class Products(Table, table="products", key="product_id", time="created_at", row_unit=PRODUCT):
    """One product, or variant of one, as it is kept in stock."""

    product_id = Key("The product.", PRODUCT)
    created_at = Time("When it was listed.")
    sku = Key("Its stock-keeping unit.")
    category = Category("Its category.")
    list_price = Money("Its price before discounts, without tax.", MONEY / ITEM)
    unit_cost = Money("What one unit costs now, in the shop's currency.", MONEY / ITEM)
    lead_time_days = Quantity("How many days it takes from ordering it to having it.")
    lead_time_sd = Quantity("Standard deviation of that number of days.")
    safety_stock = Quantity("Units kept for bad days.", ITEM)
    is_active = Flag("It is for sale.")
    is_tracked = Flag("Its stock is counted.")


class InventorySnapshots(
    Table,
    table="inventory_snapshots",
    key=("snapshot_date", "product_id", "location_id"),
    time="snapshot_date",
    parents={"product_id": "products"},
):
    """The stock of one product in one place at the end of one day."""

    snapshot_date = Time("The day.")
    product_id = Key("The product.", PRODUCT)
    location_id = Key("The place.")
    on_hand_units = Quantity("Units there; below zero where more was sold.", ITEM)
    unit_cost = Money("What one unit cost the shop, in the shop's currency.", MONEY / ITEM)
    committed_units = Quantity("Units promised to orders.", ITEM)
    incoming_units = Quantity("Units on their way in.", ITEM)
    inventory_value = Money("Value of the stock at cost; stock below zero is worth nothing.")
    retail_value = Money("Value of the stock at list price.")
    is_offered = Flag("The product is for sale and its stock is counted.")
    day = Key("The day.", DAY)
    product_day = Key("The product on the day.")


class Shipments(
    Table,
    table="shipments",
    key="shipment_id",
    time="shipped_at",
    row_unit=PARCEL,
    parents={"order_id": "orders"},
):
    """One parcel."""

    shipment_id = Key("The parcel.", PARCEL)
    order_id = Key("The order that it belongs to.", ORDER)
    shipped_at = Time("When it left; it belongs to that period.")
    delivered_at = Time("When it arrived.")
    promised_at = Time("By when the order was promised.")
    shipping_cost = Money("What the carrier took, in the shop's currency.")
    units_shipped = Quantity("Units in it.", ITEM)
    has_item_error = Flag("It holds something wrong, or too little, or too much.")
    is_damaged = Flag("It arrived damaged.")
    documents_ok = Flag("Its papers were right.")
    is_counted = Flag("Its order counts, or is not known.")
    is_first_parcel = Flag("It left when the first parcel of its order left.")


class Receipts(
    Table,
    table="receipts",
    key="receipt_id",
    time="received_at",
    parents={"product_id": "products"},
):
    """One delivery of one product to the shop."""

    receipt_id = Key("The delivery.")
    product_id = Key("The product.", PRODUCT)
    received_at = Time("When it came in.")
    units = Quantity("How many units.", ITEM)
