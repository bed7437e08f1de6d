"""Canonical tables of customers: accounts, survey answers."""

from __future__ import annotations

from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Flag, Key, Quantity, Score, Time
from funnelkit.units import (
    CUSTOMER,
    RESPONSE,
)

__all__ = ["Customers", "Surveys"]


class Customers(Table, table="customers", key="customer_id", time="created_at", row_unit=CUSTOMER):
    """One customer account."""

    customer_id = Key("The account.", CUSTOMER)
    created_at = Time("When it was opened.")
    email_hash = Key("A hash of the normalised e-mail address or phone number.", CUSTOMER)
    country = Category("Country of the customer.")
    segment = Category("Segment of the customer.")
    acquisition_channel = Category("Where the customer first came from.")


class Surveys(
    Table,
    table="surveys",
    key="response_id",
    time="responded_at",
    row_unit=RESPONSE,
    parents={"customer_id": "customers"},
):
    """One answer to a survey."""

    response_id = Key("The answer.", RESPONSE)
    survey_type = Category(
        "nps, csat, brand_unaided or brand_aided.",
        values=("nps", "csat", "brand_unaided", "brand_aided"),
        synonyms={  # the names that the abbreviations stand for
            "net promoter score": "nps",
            "customer satisfaction": "csat",
        },
    )
    responded_at = Time("When it was given.")
    customer_id = Key("Who gave it, where known.", CUSTOMER)
    respondent = Key("Who gave it: the customer, else the answer itself.", RESPONSE)
    score = Score("The mark.")
    scale_max = Score("The highest mark that could be given.")
    brand_recalled = Flag("The brand was named, or recognised.")
    weight = Quantity("How many people the answer represents.", RESPONSE)
