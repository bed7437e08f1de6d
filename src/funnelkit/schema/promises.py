"""What must hold of keys, and of rows that belong together."""

from __future__ import annotations

from funnelkit.data.findings import Finding, Severity
from funnelkit.data.promise_kinds import (
    AboveCheck,
    DailyCheck,
    DayCheck,
    DeadlineCheck,
    OnceCheck,
    OneOwnerCheck,
    OwnRateCheck,
    Promise,
    ScaleCheck,
    SignCheck,
    SpellingCheck,
    SpreadsheetCheck,
    StandInCheck,
    TotalCheck,
)
from funnelkit.formula.values import Column
from funnelkit.schema.customers import Customers, Surveys
from funnelkit.schema.derivations import IS_PRODUCT
from funnelkit.schema.marketing import AdViews, CampaignPerformance, EmailSends, MarketingCosts
from funnelkit.schema.operations import InventorySnapshots, Products, Shipments
from funnelkit.schema.sales import ExchangeRates, OrderLines, Orders, Returns
from funnelkit.schema.traffic import Carts, DailySessions, Events, SearchInterest, Sessions

__all__ = ["NOBODY", "PROMISES"]

NOBODY = (
    *("guest", "null", "none", "nil", "n/a", "nan", "<na>", "unknown", "undefined", "anonymous"),
    *("(not set)", "not set", "-", "--", "–", "—", "?", "missing", "test", "[object Object]"),
    *(
        "na",
        "n.a.",
        "#n/a",
        "#ref!",
        "#value!",
        "\\n",
        "(null)",
        "(none)",
        "[null]",
        "{}",
        "[]",
        "no customer",
        "customer",
    ),
    *("guest user", "guest customer", "anonymous user", "not logged in", "(not logged in)"),
    *("guest checkout", "walk in", "walk in customer", "cash customer", "test customer"),
    *("test user", "unknown customer", "unknown user", "default", "dummy"),
    *("gast", "unbekannt", "laufkunde", "gość", "brak", "nieznany"),  # in German, in Polish
    "00000000-0000-0000-0000-000000000000",
    *("0" * digits for digits in (8, 10, 12, 16, 32)),
    "d41d8cd98f00b204e9800998ecf8427e",  # the MD5 hash of an empty text
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",  # SHA-1
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",  # SHA-256
)
_NEVER, _NUMBERS = (-1,), (0,)
_ENOUGH, _TIMES, _DOUBTFUL = 30, 10, 3
_SEVERAL = 2
"""In how many rows a key of which each is of one row, such as the order of a cart, is too many."""
_HASH = "normalise, then hash: pl.col('email_hash').str.strip_chars().str.to_lowercase()"
_LOWER = "write addresses in small letters: pl.col({!r}).str.to_lowercase()"


def _of_utc(column: Column, severity: Severity) -> Finding:
    return Finding(
        "is a date, where days are meant",
        "is midnight in UTC in every row, when the shop's zone has the day before",
        f"make it a date: pl.col({column.name!r}).dt.date(); where moments are meant, with"
        " .dt.convert_time_zone('…') before it",
        severity,
    )


PROMISES: tuple[Promise, ...] = (
    *(
        StandInCheck(column, NOBODY, _NEVER, _NUMBERS, _ENOUGH, _TIMES, _DOUBTFUL)
        for column in (
            Orders.customer_id,
            Orders.email_hash,
            Orders.session_id,
            Orders.visitor_id,
            Customers.customer_id,
            Sessions.customer_id,
            Sessions.visitor_id,
            Events.visitor_id,
            Carts.customer_id,
            Carts.visitor_id,
            Surveys.customer_id,
            EmailSends.recipient_id,
            AdViews.viewer_id,
        )
    ),
    *(
        StandInCheck(column, NOBODY, _NEVER, _NUMBERS, _SEVERAL, _SEVERAL, _SEVERAL)
        for column in (Orders.cart_id, Carts.order_id, EmailSends.order_id)
    ),
    *(SpellingCheck(column, _HASH) for column in (Orders.email_hash, Customers.email_hash)),
    *(
        SpellingCheck(column, _LOWER.format(column.name), holds="@")
        for column in (
            Orders.customer_id,
            Orders.customer_key,
            Customers.customer_id,
            Sessions.customer_id,
            Carts.customer_id,
            Surveys.customer_id,
            EmailSends.recipient_id,
        )
    ),
    *(
        SpreadsheetCheck(column)
        for column in (
            Orders.order_id,
            Orders.customer_id,
            OrderLines.order_id,
            OrderLines.product_id,
            Returns.order_id,
            Customers.customer_id,
            Carts.customer_id,
            EmailSends.recipient_id,
            Products.product_id,
            InventorySnapshots.product_id,
        )
    ),
    OneOwnerCheck(
        Orders.email_hash,
        Orders.customer_key,
        Finding(
            "is of one customer",
            "is of several customers: orders without an account, or of another, are not linked"
            " with it",
            "supply customer_key, the same for all orders of one person",
            Severity.WARNING,
        ),
    ),
    OnceCheck(
        Events.order_id,
        Events.event_name.eq("purchase"),
        Events.value,
        Finding(
            "has one purchase event",
            "has several purchase events, each with its value",
            "keep one: frame.filter(pl.struct('event_name', 'order_id').is_first_distinct()"
            " | pl.col('order_id').is_null() | (pl.col('event_name') != 'purchase'))",
        ),
    ),
    TotalCheck(
        Orders.gross_amount,
        OrderLines.order_id,
        (OrderLines.quantity, OrderLines.unit_price),
        IS_PRODUCT,
        OrderLines.line_type.eq("gift_card"),
        Finding(
            "is without the gift cards of the order",
            "includes the gift cards of the order, which are not sales yet",
            "leave them out, or leave out gross_amount, which is then the sum of the product lines",
            Severity.WARNING,
        ),
        Finding(
            "is the sum of quantity × unit_price of its product lines",
            "is not the sum of quantity × unit_price of its product lines",
            "see what one has and the other has not: tax (prices_include_tax=True), shipping, fees,"
            " or discounts; or leave out gross_amount, which is then that sum",
            Severity.WARNING,
        ),
    ),
    AboveCheck(
        Returns.refund_amount,
        Returns.order_id,
        Orders.gross_amount,
        Finding(
            "is not above the gross amount of the order",
            "is above the gross amount of the order",
            "look at these rows: the amount is without shipping and tax",
            Severity.WARNING,
        ),
    ),
    *(
        SignCheck(
            column,
            Finding(
                "is zero or above, as a rule",
                "is below zero in nearly every row, and would be added instead of subtracted",
                f"turn its sign: -pl.col({column.name!r})",
            ),
        )
        for column in (
            Orders.payment_fee,
            Orders.fulfilment_cost,
            Orders.shipping_cost,
            OrderLines.unit_cost,
            Returns.refund_amount,
            Returns.refund_shipping,
            Returns.refund_tax,
            Returns.handling_cost,
            Products.unit_cost,
            CampaignPerformance.spend,
            MarketingCosts.amount,
            Shipments.shipping_cost,
        )
    ),
    *(
        OwnRateCheck(
            rate,
            currency,
            Finding(
                "is 1 for the shop's own currency",
                "is not 1 for the shop's own currency, so that the rates are of another, or"
                " inverse",
                "supply the value of one unit of each currency in that of the shop",
            ),
        )
        for rate, currency in (
            (ExchangeRates.rate, ExchangeRates.currency),
            (Orders.fx_rate, Orders.currency),
            (Returns.fx_rate, Returns.currency),
            (Carts.fx_rate, Carts.currency),
            (CampaignPerformance.fx_rate, CampaignPerformance.currency),
            (MarketingCosts.fx_rate, MarketingCosts.currency),
        )
    ),
    *(
        DayCheck(day, _of_utc(day, Severity.ERROR))
        for day in (
            DailySessions.date,
            CampaignPerformance.date,
            MarketingCosts.period_start,
            MarketingCosts.period_end,
            InventorySnapshots.snapshot_date,
            SearchInterest.date,
            ExchangeRates.date,
        )
    ),
    *(
        DayCheck(moment, _of_utc(moment, Severity.WARNING))
        for moment in (Sessions.started_at, Orders.ordered_at, Returns.returned_at)
    ),
    *(
        DeadlineCheck(
            promised,
            delivered,
            Finding(
                "is a date, where the whole day is meant",
                "is a midnight in every row, so that a delivery on the day itself would be late",
                f"make it a date, in its own zone: pl.col({promised.name!r}).dt.date(), less a day"
                " where the day before is the last",
            ),
        )
        for promised, delivered in (
            (Orders.promised_at, Orders.delivered_at),
            (Shipments.promised_at, Shipments.delivered_at),
        )
    ),
    DailyCheck(
        InventorySnapshots.snapshot_date,
        Finding(
            "holds one count of a product in a place on a day",
            "holds several counts of a product in a place on one day, which would be added up",
            "keep the last of each day: frame.sort('snapshot_date')"
            ".group_by(pl.col('snapshot_date').dt.date(), 'product_id', 'location_id').last()",
        ),
    ),
    ScaleCheck(
        Surveys.scale_max,
        Surveys.survey_type.eq("csat"),
        Surveys.score,
        5,
        Finding(
            "is 5 in a csat survey",
            "is not 5 in a csat survey",
            "rescale the answers to 1 to 5, or ask customer_satisfaction_score.any_scale",
        ),
    ),
)
"""What is checked when a result first depends on it, and always by `Shop.check`."""
