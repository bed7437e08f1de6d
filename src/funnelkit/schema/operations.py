"""Canonical tables of operations: products, inventory, shipments, receipts."""

from __future__ import annotations

from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Flag, Key, Money, Quantity, Time
from funnelkit.units import DAY, ITEM, MONEY, ORDER, PARCEL, PRODUCT

__all__ = ["InventorySnapshots", "Products", "Receipts", "Shipments"]


class Products(Table, table="products", key="product_id", time="created_at", row_unit=PRODUCT):
    """One product or product variant, as kept in stock."""

    product_id = Key("The product.", PRODUCT)
    created_at = Time("When it was listed.")
    sku = Key("The stock-keeping unit (SKU).")
    category = Category("The product category.", is_open=True)
    list_price = Money("List price: before discounts, excluding tax.", MONEY / ITEM)
    unit_cost = Money("Current cost of one unit, in the shop's currency.", MONEY / ITEM)
    lead_time_days = Quantity("Lead time: days from ordering the product to receiving it.")
    lead_time_sd = Quantity("Standard deviation of the lead time, in days.")
    safety_stock = Quantity("Units held as safety stock.", ITEM)
    is_active = Flag("It is for sale.")
    is_tracked = Flag("Its inventory is tracked.")


class InventorySnapshots(
    Table,
    table="inventory_snapshots",
    key=("snapshot_date", "product_id", "location_id"),
    time="snapshot_date",
    parents={"product_id": "products"},
):
    """The stock of one product at one location at the end of one day."""

    snapshot_date = Time("The day.")
    product_id = Key("The product.", PRODUCT)
    location_id = Key("The location.")
    on_hand_units = Quantity("Units on hand; negative if more was sold than was in stock.", ITEM)
    unit_cost = Money("Cost of one unit to the shop, in the shop's currency.", MONEY / ITEM)
    committed_units = Quantity("Units committed to orders.", ITEM)
    incoming_units = Quantity("Incoming units, not yet received.", ITEM)
    inventory_value = Money("Value of the stock at cost; negative stock is valued at 0.")
    retail_value = Money("Value of the stock at list price; negative stock is valued at 0.")
    is_offered = Flag("The product is for sale and its inventory is tracked.")
    day = Key("The day.", DAY)
    product_day = Key("The product and the day, combined.")


class Shipments(
    Table,
    table="shipments",
    key="shipment_id",
    time="shipped_at",
    row_unit=PARCEL,
    parents={"order_id": "orders"},
):
    """One parcel shipped."""

    shipment_id = Key("The parcel.", PARCEL)
    order_id = Key("The order to which it belongs.", ORDER)
    shipped_at = Time("When it was shipped, which determines its period.")
    delivered_at = Time("When it was delivered.")
    promised_at = Time("The promised delivery date of the order.")
    shipping_cost = Money("Carrier cost, in the shop's currency.")
    units_shipped = Quantity("Number of units in it.", ITEM)
    has_item_error = Flag("It contains a wrong, missing or surplus item.")
    is_damaged = Flag("It arrived damaged.")
    documents_ok = Flag("Its documents were correct.")
    is_counted = Flag("Its order is counted, or is not known.")
    is_first_parcel = Flag("It was shipped at the same time as the first parcel of its order.")


class Receipts(
    Table,
    table="receipts",
    key="receipt_id",
    time="received_at",
    parents={"product_id": "products"},
):
    """One receipt of goods: one product delivered to the shop."""

    receipt_id = Key("The receipt.")
    product_id = Key("The product.", PRODUCT)
    received_at = Time("When it was received.")
    units = Quantity("Number of units received.", ITEM)
