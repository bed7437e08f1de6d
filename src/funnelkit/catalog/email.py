"""E-mail: what arrives, is opened and clicked, and what it sells.

One message to one recipient is one e-mail. All rates are of those that were
delivered, on both sides, so that none exceeds 1.
"""

from __future__ import annotations

from dataclasses import replace

from funnelkit.errors import DefinitionError
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

DAY = 86_400
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
    description="How many e-mails arrived.",
    includes="Messages that did not bounce, one for each recipient, in the period of sending.",
    excludes="Bounces; messages that were held back before sending.",
    null_when="Never: no e-mails are 0.",
    see_also=("email_delivery_rate", "email_open_rate"),
    caveats="Taking it for the inbox: what a server accepts may end as spam.",
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
    description="Which share of the e-mails that were sent arrived.",
    includes="E-mails that did not bounce over all that were sent.",
    excludes="Messages that were held back before sending.",
    null_when="Nothing was sent.",
    see_also=("email_bounce_rate", "email_complaint_rate"),
    caveats="Reading it for the inbox: what a server accepts may end as spam.",
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
    description="Which share of the e-mails that were sent came back.",
    includes="Hard and soft bounces over all e-mails that were sent.",
    excludes="Messages that were held back before sending; soft bounces that arrived in the end.",
    null_when="Nothing was sent.",
    see_also=("email_delivery_rate", "email_bounce_rate.hard", "email_bounce_rate.soft"),
    caveats="Dividing by the e-mails that were delivered; and setting it against a tool that "
    "counts hard bounces alone.",
    alternatives=(
        "email_bounce_rate.hard: addresses that do not exist.",
        "email_bounce_rate.soft: addresses that could not be reached for now.",
        "bounce_rate: visits of the shop, another thing.",
    ),
    references=(_SENDER,),
    tags=("email", "ratio"),
)

email_bounce_rate_hard = replace(
    email_bounce_rate,
    name="email_bounce_rate.hard",
    title="E-mail bounce rate, hard",
    formula=Count(EmailSends, where=EmailSends.bounce_type.eq("hard")) / Count(EmailSends),
    description="Which share of the e-mails that were sent can never arrive.",
    includes="Hard bounces over all e-mails that were sent.",
    excludes="Soft bounces, of the numerator.",
    see_also=("email_bounce_rate",),
    caveats="Writing to such addresses again.",
    alternatives=("email_bounce_rate: hard and soft bounces.",),
)

email_bounce_rate_soft = replace(
    email_bounce_rate,
    name="email_bounce_rate.soft",
    title="E-mail bounce rate, soft",
    formula=Count(EmailSends, where=EmailSends.bounce_type.eq("soft")) / Count(EmailSends),
    description="Which share of the e-mails that were sent could not be delivered for now.",
    includes="Soft bounces that remained so, over all e-mails that were sent.",
    excludes="From the numerator: hard bounces.",
    see_also=("email_bounce_rate",),
    caveats="Reading it before the retries are over.",
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
    description="Which share of the e-mails that arrived was opened.",
    includes="E-mails with a recorded open, however often they were opened, over those delivered.",
    excludes="Bounces, on both sides; clicks without a recorded open.",
    null_when="Nothing was delivered.",
    see_also=("email_open_rate.without_machines", "email_click_rate"),
    caveats="Averaging the rates of campaigns or days. Mail programs that fetch every picture "
    "look like readers: set it beside the rate without machines.",
    alternatives=(
        "email_open_rate.without_machines: opens by people.",
        "email_open_rate.of_sent: over all e-mails that were sent.",
        "email_open_rate.of_recipients: people who opened over people who were written to.",
    ),
    references=(_CAMPAIGN, _UNIQUE, _MACHINES, _FIELDS, _RATES, _MAILCHIMP),
    tags=("email", "ratio"),
)

email_open_rate_without_machines = replace(
    email_open_rate,
    name="email_open_rate.without_machines",
    title="E-mail open rate, without machines",
    aliases=(),
    formula=Count(EmailSends, where=_IS_OPEN & _IS_BY_PERSON) / Name("emails_delivered"),
    description="Which share of the e-mails that arrived was opened by a person.",
    includes="E-mails with a recorded open not known to be a machine's, over those delivered.",
    excludes="Bounces, on both sides; opens by machines; clicks without a recorded open.",
    see_also=("email_open_rate", "email_click_rate"),
    caveats="Where machines open for people, whether the person looked is not known: the rate "
    "is too low as the other is too high.",
    alternatives=("email_open_rate: machines' opens among them, as vendors show it.",),
    references=(_MACHINES,),
)

email_open_rate_of_sent = replace(
    email_open_rate,
    name="email_open_rate.of_sent",
    title="E-mail open rate, of sent",
    aliases=(),
    formula=Count(EmailSends, where=_IS_OPEN) / Count(EmailSends),
    description="Which share of the e-mails that were sent was opened.",
    includes="E-mails that arrived and have a recorded open over all that were sent.",
    excludes="Clicks without a recorded open.",
    null_when="Nothing was sent.",
    see_also=("email_open_rate", "email_delivery_rate"),
    caveats="Comparing it with a rate of delivered e-mails: it falls with every bounce.",
    alternatives=("email_open_rate: of those delivered.",),
)

email_open_rate_of_recipients = replace(
    email_open_rate,
    name="email_open_rate.of_recipients",
    title="E-mail open rate, of recipients",
    aliases=(),
    formula=CountDistinct(EmailSends.recipient_id, where=_IS_OPEN)
    / CountDistinct(EmailSends.recipient_id),
    description="Which share of the people written to opened something.",
    includes="People with a recorded open over people who were written to, each once.",
    excludes="Clicks without a recorded open; opens of what bounced.",
    null_when="Nobody was written to.",
    see_also=("email_open_rate",),
    caveats="Adding months: whoever opens in two of them is in both. It rises with the number of "
    "messages in the question.",
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
    description="Which share of the e-mails that arrived had a link clicked.",
    includes="E-mails with a click, however many, over those delivered.",
    excludes="Bounces, on both sides.",
    null_when="Nothing was delivered.",
    see_also=("email_open_rate", "email_conversion_rate"),
    caveats="Clicks by programs that check links for harm.",
    alternatives=("click_through_rate: clicks on ads over impressions, another thing.",),
    references=(_FIELDS, _MAILCHIMP),
    tags=("email", "ratio"),
)

email_click_to_open_rate = Metric(
    name="email_click_to_open_rate",
    title="Click-to-open rate",
    aliases=("ctor", "click_to_open_rate"),
    formula=Count(EmailSends, where=_IS_CLICK)
    / Count(EmailSends, where=EmailSends.is_delivered & EmailSends.is_opened),
    unit=RATIO,
    stage=Stage.CONSIDERATION,
    aida=AidaStage.INTEREST,
    area=Area.EMAIL,
    direction=Direction.UP,
    bounds=(0, 1),
    description="Which share of the e-mails that were opened had a link clicked.",
    includes="E-mails with a click over those opened; what was clicked was opened, also where no "
    "open was recorded.",
    excludes="Bounces, on both sides.",
    null_when="Nothing was opened.",
    see_also=("email_open_rate", "email_click_rate"),
    caveats="Machines' opens swell the denominator. Dividing by recorded opens alone, which can "
    "give more than 1.",
    alternatives=("email_click_to_open_rate.without_machines: opens by people.",),
    references=(_FIELDS, _FORMULAS),
    tags=("email", "ratio"),
)

email_click_to_open_rate_without_machines = replace(
    email_click_to_open_rate,
    name="email_click_to_open_rate.without_machines",
    title="Click-to-open rate, without machines",
    aliases=(),
    formula=Count(EmailSends, where=_IS_CLICK)
    / Count(
        EmailSends,
        where=EmailSends.is_delivered
        & (EmailSends.is_clicked | (EmailSends.is_opened & _IS_BY_PERSON)),
    ),
    description="Which share of the e-mails that people opened had a link clicked.",
    includes="E-mails with a click over those clicked, or opened by a person.",
    excludes="Bounces, on both sides; opens by machines of what was not clicked.",
    see_also=("email_click_to_open_rate", "email_open_rate.without_machines"),
    caveats="Whether a person also looked at what a machine opened is not known.",
    alternatives=("email_click_to_open_rate: machines' opens among them.",),
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
    description="Which share of the e-mails that arrived made their reader unsubscribe.",
    includes="E-mails by which the recipient unsubscribed over those delivered.",
    excludes="Bounces, on both sides; people who leave in another way.",
    null_when="Nothing was delivered.",
    see_also=("email_complaint_rate", "email_click_rate"),
    caveats="Reading a low rate as content: uninterested readers may simply not open it.",
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
    description="Which share of the e-mails that arrived was reported as spam.",
    includes="E-mails that their recipient reported over those delivered.",
    excludes="Bounces, on both sides; reports that the mailbox provider does not disclose.",
    null_when="Nothing was delivered.",
    see_also=("email_unsubscribe_rate", "email_delivery_rate"),
    caveats="Taking it for all complaints: Gmail does not disclose who complained.",
    references=("Klaviyo metrics for ecommerce (third party)",),
    tags=("email", "ratio"),
)

_IS_COUNTED = IsTrue(Lookup(EmailSends.order_id, Orders.is_counted))
_IS_ATTRIBUTED = EmailSends.order_id.is_not_null() & (
    Lookup(EmailSends.order_id, Orders.order_id).is_null() | _IS_COUNTED
)
_SINCE_CLICK = Elapsed(EmailSends.first_clicked_at, Lookup(EmailSends.order_id, Orders.ordered_at))


def _bought_within(days: float) -> Predicate:
    in_time = _SINCE_CLICK.is_between(0, days * DAY)
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
    description="How many of those who were written to ordered soon after a click.",
    includes="Recipients, each once, with an order that counts and was placed within 5 days of the "
    "click on the e-mail that it is credited to, over e-mails delivered.",
    excludes="Bounces, on both sides; orders before the click, after the 5 days, or that are "
    "not in the data.",
    null_when="Nothing was delivered.",
    see_also=("email_click_rate", "revenue_per_recipient"),
    caveats="Comparing tools whose windows differ: the 5 days are one choice of many. The last "
    "days' e-mails have not had theirs yet.",
    alternatives=(
        "fk.catalog.email_conversion_rate(days=…): another window.",
        "email_conversion_rate.as_attributed: as the sender's tool credits orders.",
        "email_conversion_rate.orders: orders over people, as Klaviyo has it; it can exceed 1.",
    ),
    references=(_CAMPAIGN,),
    tags=("email", "ratio", "attributed"),
)


def email_conversion_rate_within(*, days: float) -> Metric:
    """Return the e-mail conversion rate with a custom window.

    Args:
        days: Within how many days of the click an order counts.

    Raises:
        DefinitionError: The window has no length.

    Examples:
        >>> email_conversion_rate_within(days=2).name
        'email_conversion_rate.within_2_days'
    """
    if not days > 0:
        raise DefinitionError(f"days={days} is not above 0", "state the days after the click")
    return replace(
        email_conversion_rate,
        name="email_conversion_rate." + f"within_{days:g}_days".replace(".", "p"),
        title=f"E-mail conversion rate within {days:g} days",
        aliases=(),
        formula=CountDistinct(EmailSends.recipient_id, where=_bought_within(days))
        / Name("emails_delivered"),
        includes="Recipients, each once, with an order that counts and was placed within "
        f"{days:g} days of the click on the e-mail that it is credited to, over e-mails delivered.",
        excludes=f"Bounces, on both sides; orders before the click, after the {days:g} days, or "
        "that are not in the data.",
        see_also=("email_conversion_rate",),
        caveats="Comparing it with a rate of another window.",
        alternatives=("email_conversion_rate: within 5 days.",),
    )


email_conversion_rate_as_attributed = replace(
    email_conversion_rate,
    name="email_conversion_rate.as_attributed",
    title="E-mail conversion rate, as attributed",
    aliases=(),
    formula=CountDistinct(EmailSends.recipient_id, where=EmailSends.is_delivered & _IS_ATTRIBUTED)
    / Name("emails_delivered"),
    description="How many of those who were written to ordered, as the sender's tool says.",
    includes="Recipients, each once, with an order that the tool credits to an e-mail, whenever it "
    "was placed, over e-mails delivered.",
    excludes="Bounces, on both sides; orders that are known not to count.",
    see_also=("email_conversion_rate",),
    caveats="Comparing tools: each has its own window, and some credit an open without a click.",
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
    description="How many orders the tool credits to e-mails for each person who got one.",
    includes="Different orders that the tool credits to e-mails over different people who got one.",
    excludes="Bounces, on both sides; orders that are known not to count.",
    see_also=("email_conversion_rate", "revenue_per_recipient"),
    caveats="Reading it as a share: a person who orders twice is in it twice, and it can exceed 1.",
    alternatives=("email_conversion_rate: recipients over e-mails, within 5 days of a click.",),
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
    description="What an e-mail that arrived sold.",
    includes="Net revenue that the sender's tool credits to e-mails over e-mails delivered. Of one "
    "message that is per recipient; someone with three messages counts three times.",
    excludes="Bounces, on both sides.",
    null_when="Nothing was delivered.",
    see_also=("email_conversion_rate", "average_order_value"),
    caveats="Adding it to what ad platforms claim: the same order may be credited twice. The "
    "tool's attribution model and window decide the number.",
    references=(_CAMPAIGN, "Klaviyo: analytics glossary (vendor)"),
    tags=("email", "money", "attributed"),
)
