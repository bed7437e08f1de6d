"""Canonical tables of customers: accounts, survey responses."""

from __future__ import annotations

from funnelkit.formula.table import Table
from funnelkit.formula.values import Category, Flag, Key, Quantity, Score, Time
from funnelkit.schema.origins import CHANNELS
from funnelkit.units import (
    CUSTOMER,
    RESPONSE,
)

__all__ = ["Customers", "Surveys"]


class Customers(Table, table="customers", key="customer_id", time="created_at", row_unit=CUSTOMER):
    """One customer account."""

    customer_id = Key("The account.", CUSTOMER)
    created_at = Time("When the account was opened.")
    email_hash = Key("A hash of the normalised e-mail address or phone number.", CUSTOMER)
    country = Category("Country of the customer.", is_open=True)
    segment = Category("Segment of the customer.", is_open=True)
    acquisition_channel = Category(
        "The channel through which the customer was acquired.", values=CHANNELS, is_open=True
    )


class Surveys(
    Table,
    table="surveys",
    key="response_id",
    time="responded_at",
    row_unit=RESPONSE,
    parents={"customer_id": "customers"},
):
    """One response to a survey."""

    response_id = Key("The response.", RESPONSE)
    survey_type = Category(
        "nps, csat, brand_unaided or brand_aided.",
        values=("nps", "csat", "brand_unaided", "brand_aided"),
        synonyms={  # the names that the abbreviations stand for
            "net promoter score": "nps",
            "customer satisfaction": "csat",
        },
    )
    responded_at = Time("When the response was given.")
    customer_id = Key("The customer who responded, if known.", CUSTOMER)
    respondent = Key(
        "The respondent: the customer if known, otherwise the response itself.", RESPONSE
    )
    score = Score("The score given.")
    scale_max = Score("The highest score on the scale.")
    brand_recalled = Flag("The brand was named or recognised.")
    weight = Quantity("Number of people whom the response represents.", RESPONSE)
