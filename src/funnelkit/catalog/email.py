"""E-mail: delivery, opens, clicks, and the sales they lead to.

One message to one recipient is one e-mail. Unless a card says otherwise, rates are based
on delivered e-mails, in the numerator and in the denominator.
"""

from __future__ import annotations

from dataclasses import replace

from funnelkit.arguments import check_none, not_above
from funnelkit.catalog.parameters import word_of
from funnelkit.formula.constants import length_of
from funnelkit.formula.formulas import Count, CountDistinct, Name, Sum
from funnelkit.formula.values import Elapsed, IsTrue, Lookup, Predicate
from funnelkit.metrics.metric import AidaStage, Area, Direction, Metric, Stage
from funnelkit.schema.marketing import EmailSends
from funnelkit.schema.sales import Orders
from funnelkit.units import EMAIL, MONEY, ORDER, RATIO, RECIPIENT

__all__ = [
    "email_bounce_rate",
    "email_bounce_rate_hard",
    "email_bounce_rate_soft",
    "email_click_rate",
    "email_click_to_open_rate",
    "email_click_to_open_rate_without_machines",
    "email_complaint_rate",
    "email_conversion_rate",
    "email_conversion_rate_as_attributed",
    "email_conversion_rate_orders",
    "email_conversion_rate_within",
    "email_delivery_rate",
    "email_open_rate",
    "email_open_rate_of_recipients",
    "email_open_rate_of_sent",
    "email_open_rate_without_machines",
    "email_unsubscribe_rate",
    "emails_delivered",
    "revenue_per_recipient",
]

CLICK_WINDOW_DAYS = 5

_SENDER = "Sender: bounce counter (third party)"
_CAMPAIGN = "Klaviyo: campaign performance (vendor)"
_UNIQUE = "Klaviyo: unique vs total opens and clicks (vendor)"
_MACHINES = "Klaviyo: identify MPP opens (vendor)"
_FIELDS = "Funnel.io: Klaviyo fields (third party)"
_RATES = "Funnel.io: working with Klaviyo open/click rates (third party)"
_MAILCHIMP = "CNSG: quick guide to Mailchimp analytics (third party)"
_FORMULAS = "MemberClicks email report formulas (third party)"

_IS_OPEN = EmailSends.is_delivered & EmailSends.first_opened_at.is_not_null()
_IS_BY_PERSON = EmailSends.is_machine_open.is_null() | ~EmailSends.is_machine_open
_IS_CLICK = EmailSends.is_delivered & EmailSends.is_clicked

emails_delivered = Metric(
    name="emails_delivered",
    title="E-mails delivered",
    formula=Count(EmailSends, where=EmailSends.is_delivered),
    unit=EMAIL,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(0, None),
    description="Number of e-mails delivered.",
    includes="Messages that did not bounce, one per recipient, in the period of sending.",
    excludes="Bounces; messages suppressed before sending.",
    null_when="Never; it is 0 if no e-mail was delivered.",
    see_also=("email_delivery_rate", "email_open_rate"),
    caveats="Delivered does not mean in the inbox: a message accepted by the server may end up "
    "as spam.",
    references=(_SENDER,),
    tags=("email", "count"),
)

email_delivery_rate = Metric(
    name="email_delivery_rate",
    title="E-mail delivery rate",
    aliases=("delivered_rate",),
    formula=Name("emails_delivered") / Count(EmailSends),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the e-mails sent that were delivered.",
    includes="E-mails that did not bounce divided by all e-mails sent.",
    excludes="Messages suppressed before sending.",
    null_when="Nothing was sent.",
    see_also=("email_bounce_rate", "email_complaint_rate"),
    caveats="Delivered does not mean in the inbox: a message accepted by the server may end up "
    "as spam.",
    references=(_SENDER,),
    tags=("email", "ratio"),
)

email_bounce_rate = Metric(
    name="email_bounce_rate",
    title="E-mail bounce rate",
    formula=Count(EmailSends, where=EmailSends.bounce_type.is_in(["hard", "soft"]))
    / Count(EmailSends),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of the e-mails sent that bounced.",
    includes="Hard and soft bounces divided by all e-mails sent.",
    excludes="Messages suppressed before sending; soft bounces that were delivered in the end.",
    null_when="Nothing was sent.",
    see_also=("email_delivery_rate", "email_bounce_rate.hard", "email_bounce_rate.soft"),
    caveats="Do not divide by e-mails delivered. Do not compare it with a tool that counts hard "
    "bounces alone.",
    alternatives=(
        "email_bounce_rate.hard: addresses that do not exist.",
        "email_bounce_rate.soft: temporary failures.",
        "bounce_rate: a different measure, of sessions in the shop.",
    ),
    references=(_SENDER,),
    tags=("email", "ratio"),
)

email_bounce_rate_hard = replace(
    email_bounce_rate,
    name="email_bounce_rate.hard",
    title="E-mail bounce rate, hard",
    formula=Count(EmailSends, where=EmailSends.bounce_type.eq("hard")) / Count(EmailSends),
    description="Share of the e-mails sent that bounced permanently.",
    includes="Hard bounces divided by all e-mails sent.",
    excludes="Soft bounces, from the numerator.",
    see_also=("email_bounce_rate",),
    caveats="Do not send to such addresses again.",
    alternatives=("email_bounce_rate: hard and soft bounces.",),
)

email_bounce_rate_soft = replace(
    email_bounce_rate,
    name="email_bounce_rate.soft",
    title="E-mail bounce rate, soft",
    formula=Count(EmailSends, where=EmailSends.bounce_type.eq("soft")) / Count(EmailSends),
    description="Share of the e-mails sent that could not be delivered for a temporary reason.",
    includes="Soft bounces that were never resolved, divided by all e-mails sent.",
    excludes="Hard bounces, from the numerator.",
    see_also=("email_bounce_rate",),
    caveats="Do not read it before the retries are over.",
    alternatives=("email_bounce_rate: hard and soft bounces.",),
)

email_open_rate = Metric(
    name="email_open_rate",
    title="E-mail open rate",
    aliases=("open_rate", "unique_open_rate"),
    formula=Count(EmailSends, where=_IS_OPEN) / Name("emails_delivered"),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the e-mails delivered that were opened.",
    includes="E-mails with at least one recorded open divided by e-mails delivered.",
    excludes="Bounces, from both numerator and denominator; clicks without a recorded open.",
    null_when="Nothing was delivered.",
    see_also=("email_open_rate.without_machines", "email_click_rate"),
    caveats="Do not average the rates of campaigns or days. Mail clients that prefetch images "
    "look like readers: compare it with the rate without machine opens.",
    alternatives=(
        "email_open_rate.without_machines: opens by people.",
        "email_open_rate.of_sent: divided by all e-mails sent.",
        "email_open_rate.of_recipients: recipients who opened divided by all recipients.",
    ),
    references=(_CAMPAIGN, _UNIQUE, _MACHINES, _FIELDS, _RATES, _MAILCHIMP),
    tags=("email", "ratio"),
)

email_open_rate_without_machines = replace(
    email_open_rate,
    name="email_open_rate.without_machines",
    title="E-mail open rate, without machine opens",
    aliases=(),
    formula=Count(EmailSends, where=_IS_OPEN & _IS_BY_PERSON) / Name("emails_delivered"),
    description="Share of the e-mails delivered that were opened by a person.",
    includes="E-mails with a recorded open that is not known to be by a machine, divided by "
    "e-mails delivered.",
    excludes="Bounces, from both numerator and denominator; machine opens; clicks without a "
    "recorded open.",
    see_also=("email_open_rate", "email_click_rate"),
    caveats="If a machine opened the e-mail, whether the recipient also opened it is not known: "
    "this rate is too low, just as the rate with machine opens is too high.",
    alternatives=("email_open_rate: with machine opens, as vendors show it.",),
    references=(_MACHINES,),
)

email_open_rate_of_sent = replace(
    email_open_rate,
    name="email_open_rate.of_sent",
    title="E-mail open rate, of sent",
    aliases=(),
    formula=Count(EmailSends, where=_IS_OPEN) / Count(EmailSends),
    description="Share of the e-mails sent that were opened.",
    includes="E-mails delivered with a recorded open divided by all e-mails sent.",
    excludes="Clicks without a recorded open.",
    null_when="Nothing was sent.",
    see_also=("email_open_rate", "email_delivery_rate"),
    caveats="Do not compare it with a rate of e-mails delivered: every bounce lowers it.",
    alternatives=("email_open_rate: of e-mails delivered.",),
)

email_open_rate_of_recipients = replace(
    email_open_rate,
    name="email_open_rate.of_recipients",
    title="E-mail open rate, of recipients",
    aliases=(),
    formula=CountDistinct(EmailSends.recipient_id, where=_IS_OPEN)
    / CountDistinct(EmailSends.recipient_id),
    description="Share of recipients who opened at least one e-mail.",
    includes="Distinct recipients with a recorded open divided by distinct recipients to whom an "
    "e-mail was sent.",
    excludes="Clicks without a recorded open; opens of e-mails that bounced.",
    null_when="Nothing was sent.",
    see_also=("email_open_rate",),
    caveats="Do not sum months: someone who opens e-mails in two of them counts in both. It rises "
    "with the number of messages covered.",
    alternatives=("email_open_rate: messages, not people.",),
)

email_click_rate = Metric(
    name="email_click_rate",
    title="E-mail click rate",
    aliases=("email_click_through_rate", "email_ctr"),
    formula=Count(EmailSends, where=_IS_CLICK) / Name("emails_delivered"),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the e-mails delivered in which a link was clicked.",
    includes="E-mails with at least one click divided by e-mails delivered.",
    excludes="Bounces, from both numerator and denominator.",
    null_when="Nothing was delivered.",
    see_also=("email_open_rate", "email_conversion_rate"),
    caveats="Security scanners also click links.",
    alternatives=("click_through_rate: a different measure, of clicks on ads per impression.",),
    references=(_FIELDS, _MAILCHIMP),
    tags=("email", "ratio"),
)

email_click_to_open_rate = Metric(
    name="email_click_to_open_rate",
    title="Click-to-open rate",
    aliases=("ctor", "click_to_open_rate"),
    formula=Count(EmailSends, where=_IS_CLICK)
    / Count(
        EmailSends, where=EmailSends.is_delivered & (EmailSends.is_opened | EmailSends.is_clicked)
    ),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Share of the e-mails opened in which a link was clicked.",
    includes="E-mails with a click divided by e-mails opened; a clicked e-mail counts as opened "
    "even if no open was recorded.",
    excludes="Bounces, from both numerator and denominator.",
    null_when="Nothing was opened.",
    see_also=("email_open_rate", "email_click_rate"),
    caveats="Machine opens inflate the denominator. Dividing by recorded opens alone can give "
    "more than 1.",
    alternatives=("email_click_to_open_rate.without_machines: opens by people.",),
    references=(_FIELDS, _FORMULAS),
    tags=("email", "ratio"),
)

email_click_to_open_rate_without_machines = replace(
    email_click_to_open_rate,
    name="email_click_to_open_rate.without_machines",
    title="Click-to-open rate, without machine opens",
    aliases=(),
    formula=Count(EmailSends, where=_IS_CLICK)
    / Count(
        EmailSends,
        where=EmailSends.is_delivered
        & (EmailSends.is_clicked | (EmailSends.is_opened & _IS_BY_PERSON)),
    ),
    description="Share of the e-mails opened by people in which a link was clicked.",
    includes="E-mails with a click divided by e-mails that were clicked or opened by a person.",
    excludes="Bounces, from both numerator and denominator; machine opens of e-mails that were not "
    "clicked.",
    see_also=("email_click_to_open_rate", "email_open_rate.without_machines"),
    caveats="Whether the recipient also opened an e-mail that a machine opened is not known.",
    alternatives=("email_click_to_open_rate: with machine opens.",),
    references=(_FORMULAS, _MACHINES),
)

email_unsubscribe_rate = Metric(
    name="email_unsubscribe_rate",
    title="E-mail unsubscribe rate",
    aliases=("unsubscribe_rate",),
    formula=Count(
        EmailSends, where=EmailSends.is_delivered & EmailSends.unsubscribed_at.is_not_null()
    )
    / Name("emails_delivered"),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of the e-mails delivered through which the recipient unsubscribed.",
    includes="E-mails with an unsubscription divided by e-mails delivered.",
    excludes="Bounces, from both numerator and denominator; people who unsubscribe in another way.",
    null_when="Nothing was delivered.",
    see_also=("email_complaint_rate", "email_click_rate"),
    caveats="A low rate does not mean satisfaction: uninterested readers may simply not open the "
    "e-mail.",
    references=(_FIELDS,),
    tags=("email", "ratio"),
)

email_complaint_rate = Metric(
    name="email_complaint_rate",
    title="Spam complaint rate",
    aliases=("spam_complaint_rate", "spam_rate"),
    formula=Count(
        EmailSends, where=EmailSends.is_delivered & EmailSends.complained_at.is_not_null()
    )
    / Name("emails_delivered"),
    unit=RATIO,
    stage=Stage.RETENTION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.DOWN,
    bounds=(0, 1),
    description="Share of the e-mails delivered that were reported as spam.",
    includes="E-mails that their recipient reported divided by e-mails delivered.",
    excludes="Bounces, from both numerator and denominator; reports that the mailbox provider does "
    "not disclose.",
    null_when="Nothing was delivered.",
    see_also=("email_unsubscribe_rate", "email_delivery_rate"),
    caveats="It does not cover all complaints: Gmail does not disclose who complained.",
    references=("Klaviyo metrics for ecommerce (third party)",),
    tags=("email", "ratio"),
)

_IS_COUNTED = IsTrue(Lookup(EmailSends.order_id, Orders.is_counted))
_IS_ATTRIBUTED = EmailSends.order_id.is_not_null() & (
    Lookup(EmailSends.order_id, Orders.order_id).is_null() | _IS_COUNTED
)
_SINCE_CLICK = Elapsed(EmailSends.first_clicked_at, Lookup(EmailSends.order_id, Orders.ordered_at))


def _bought_within(days: float) -> Predicate:
    in_time = _SINCE_CLICK.is_between(0, length_of("days", days))
    return EmailSends.is_delivered & _IS_COUNTED & in_time


email_conversion_rate = Metric(
    name="email_conversion_rate",
    title="E-mail conversion rate",
    aliases=("placed_order_rate",),
    formula=CountDistinct(EmailSends.recipient_id, where=_bought_within(CLICK_WINDOW_DAYS))
    / Name("emails_delivered"),
    unit=(RECIPIENT / EMAIL).percent,
    stage=Stage.CONVERSION,
    aida=AidaStage.DECISION,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Recipients who ordered within 5 days of a click, divided by e-mails delivered.",
    includes="Distinct recipients with a counted order placed within 5 days of the click on the "
    "e-mail to which it is attributed, divided by e-mails delivered.",
    excludes="Bounces, from both numerator and denominator; orders placed before the click or "
    "after the 5 days, and orders that are not in the data.",
    null_when="Nothing was delivered.",
    see_also=("email_click_rate", "revenue_per_recipient"),
    caveats="Do not compare tools with different windows: 5 days is one choice of many. For the "
    "most recent e-mails, the window is still open.",
    alternatives=(
        "fk.catalog.email_conversion_rate(days=…): another window.",
        "email_conversion_rate.as_attributed: as the sending tool attributes orders.",
        "email_conversion_rate.orders: orders per recipient, as Klaviyo defines it.",
    ),
    references=(_CAMPAIGN,),
    tags=("email", "ratio", "attributed"),
)


def email_conversion_rate_within(*, days: float) -> Metric:
    """Return the e-mail conversion rate with a custom window.

    Args:
        days: The window after the click, in days.

    Raises:
        DefinitionError: The window is not a number above 0.

    Examples:
        >>> email_conversion_rate_within(days=2).name
        'email_conversion_rate.within_2_days'
    """
    check_none([not_above("days", days, 0)], remedy="write days=5 for five days after the click")
    return replace(
        email_conversion_rate,
        name=f"email_conversion_rate.within_{word_of(days)}_days",
        title=f"E-mail conversion rate within {days:g} days",
        aliases=(),
        formula=CountDistinct(EmailSends.recipient_id, where=_bought_within(days))
        / Name("emails_delivered"),
        includes=f"Distinct recipients with a counted order placed within {days:g} days of the "
        "click on the e-mail to which it is attributed, divided by e-mails delivered.",
        excludes="Bounces, from both numerator and denominator; orders placed before the click or "
        f"after the {days:g} days, and orders that are not in the data.",
        see_also=("email_conversion_rate",),
        caveats="Do not compare it with a rate of another window.",
        alternatives=("email_conversion_rate: within 5 days.",),
    )


email_conversion_rate_as_attributed = replace(
    email_conversion_rate,
    name="email_conversion_rate.as_attributed",
    title="E-mail conversion rate, as attributed",
    aliases=(),
    formula=CountDistinct(EmailSends.recipient_id, where=EmailSends.is_delivered & _IS_ATTRIBUTED)
    / Name("emails_delivered"),
    description="Recipients with an order that the sending tool attributes to an e-mail, divided "
    "by e-mails delivered.",
    includes="Distinct recipients with an attributed order, whenever it was placed, divided by "
    "e-mails delivered.",
    excludes="Bounces, from both numerator and denominator; orders known not to be counted.",
    see_also=("email_conversion_rate",),
    caveats="Do not compare tools: each has its own window, and some credit an open without a "
    "click.",
    alternatives=("email_conversion_rate: within 5 days of a click.",),
)

email_conversion_rate_orders = replace(
    email_conversion_rate,
    name="email_conversion_rate.orders",
    title="E-mail orders per recipient",
    aliases=(),
    formula=CountDistinct(EmailSends.order_id, where=EmailSends.is_delivered & _IS_ATTRIBUTED)
    / CountDistinct(EmailSends.recipient_id, where=EmailSends.is_delivered),
    unit=(ORDER / RECIPIENT).percent,
    bounds=(0, None),
    description="Orders that the sending tool attributes to e-mails, divided by the people who "
    "received one.",
    includes="Distinct attributed orders divided by distinct recipients of a delivered e-mail.",
    excludes="Bounces, from both numerator and denominator; orders known not to be counted.",
    see_also=("email_conversion_rate", "revenue_per_recipient"),
    caveats="Do not read it as a share: a recipient with two orders counts twice, and it can "
    "exceed 1.",
    alternatives=(
        "email_conversion_rate: recipients divided by e-mails, within 5 days of a click.",
    ),
)

revenue_per_recipient = Metric(
    name="revenue_per_recipient",
    title="Revenue per recipient",
    aliases=("revenue_per_email",),
    formula=Sum(EmailSends.attributed_revenue, where=EmailSends.is_delivered)
    / Name("emails_delivered"),
    unit=MONEY / EMAIL,
    stage=Stage.CONVERSION,
    aida=AidaStage.ACTION,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(None, None),
    description="Revenue attributed to e-mails divided by e-mails delivered.",
    includes="Net revenue that the sending tool attributes to e-mails, divided by e-mails "
    "delivered. For a single message this is per recipient; someone who receives three messages "
    "counts three times.",
    excludes="Bounces, from both numerator and denominator.",
    null_when="Nothing was delivered.",
    see_also=("email_conversion_rate", "average_order_value"),
    caveats="Do not add it to what ad platforms claim: the same order may be attributed twice. "
    "The tool's attribution model and window determine the value.",
    references=(_CAMPAIGN, "Klaviyo: analytics glossary (vendor)"),
    tags=("email", "money", "attributed"),
)
