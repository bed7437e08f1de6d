"""Numbers that were wrong for part of the rows once: each is pinned by the rows that showed it."""

import datetime as dt

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1, 12)
LATER = DAY + dt.timedelta(days=2)


def number(shop, name, **question):
    result = fk.evaluate(shop, name, **question)
    return result.frame.get_column(fk.registry()[name].name).item()


def order(**columns):
    known = {"order_id": 1, "ordered_at": DAY, "status": "paid", "customer_id": 7}
    return pl.DataFrame([known | columns])


def lines(*rows):
    known = {"order_id": 1, "product_id": 5, "quantity": 1, "unit_price": 10.0}
    return pl.DataFrame([{"order_line_id": n, **known, **row} for n, row in enumerate(rows)])


def returned(**columns):
    known = {"return_id": 1, "order_id": 1, "returned_at": LATER, "quantity": 1}
    return pl.DataFrame([known | {"refund_amount": 10.0} | columns])


def test_an_order_is_in_full_without_the_units_that_its_customer_cancelled():
    parcel = {
        "shipment_id": 1,
        "order_id": 1,
        "shipped_at": DAY,
        "delivered_at": LATER,
        "promised_at": LATER,
        "units_shipped": 1,
        "has_item_error": False,
        "is_damaged": False,
        "documents_ok": True,
    }
    shop = fk.Shop(
        orders=order(),
        order_lines=lines({}, {}),
        returns=returned(kind="cancellation"),
        shipments=pl.DataFrame([parcel]),
        as_of=LATER + dt.timedelta(days=1),
    )
    assert number(shop, "perfect_order_rate") == 1.0
    assert number(shop, "otif_rate") == 1.0


def test_the_refund_of_a_gift_card_takes_nothing_off_the_sale_of_goods():
    shop = fk.Shop(
        orders=order(),
        order_lines=lines({"line_type": "product"}, {"line_type": "gift_card"}),
        returns=returned(order_line_id=1),
    )
    assert number(shop, "net_sales") == 10.0
    assert number(shop, "average_revenue_per_customer") == 10.0
    assert number(shop, "units_per_transaction.net") == 1.0


def test_a_refund_without_goods_is_no_returned_unit():
    kept = fk.Shop(orders=order(), order_lines=lines({}), returns=returned(kind="refund_only"))
    assert number(kept, "units_sold.net") == 1
    assert number(kept, "net_sales") == 0.0
    back = fk.Shop(orders=order(), order_lines=lines({}), returns=returned(kind="return"))
    assert number(back, "units_sold.net") == 0


@pytest.mark.parametrize("link", ["cart", "order", "both"])
def test_a_cart_whose_order_was_cancelled_is_abandoned_however_the_two_are_linked(link):
    cart = {"cart_id": 3, "created_at": DAY, "items": 1}
    carts = pl.DataFrame([cart | ({"order_id": 1} if link != "order" else {})])
    placed = order(status="cancelled", **({"cart_id": 3} if link != "cart" else {}))
    shop = fk.Shop(orders=placed, carts=carts, as_of=LATER)
    assert number(shop, "cart_abandonment_rate") == 1.0


def test_a_cart_whose_order_is_not_in_the_history_was_bought():
    cart = {"cart_id": 3, "created_at": DAY, "items": 1, "order_id": 99}
    shop = fk.Shop(orders=order(), carts=pl.DataFrame([cart]), as_of=LATER)
    assert number(shop, "cart_abandonment_rate") == 0.0


def survey(**columns):
    known = {"response_id": 1, "survey_type": "nps", "responded_at": DAY, "score": 5}
    return pl.DataFrame([known | columns])


def test_promoters_are_told_on_a_scale_to_ten_only():
    with pytest.raises(fk.ContractError, match="scale_max: is not 10 in an nps survey"):
        number(fk.Shop(surveys=survey(scale_max=5)), "nps")
    assert number(fk.Shop(surveys=survey(scale_max=10)), "nps") == -100.0


@pytest.mark.parametrize("score", [8.5, -1, 11])
def test_promoters_are_told_of_whole_marks_only(score):
    """A mean of 8.5 was neither a promoter nor a detractor, without a word."""
    with pytest.raises(fk.ContractError, match="is not a whole number from 0 to 10 in an nps surv"):
        number(fk.Shop(surveys=survey(score=score)), "nps")
    assert number(fk.Shop(surveys=survey(score=9.0)), "nps") == 100.0


@pytest.mark.parametrize("day", ["period_start", "period_end"])
def test_a_cost_of_which_a_day_is_unknown_is_refused(day):
    """Without its first day, a cost was left out without a word."""
    row = {"cost_id": 1, "period_start": DAY.date(), "period_end": DAY.date(), "amount": 5.0}
    cost = fk.Metric(name="cost", formula="sum(marketing_costs.amount)", unit=fk.MONEY)
    costs = pl.DataFrame([row, row | {"cost_id": 2, day: None}])
    with pytest.raises(fk.ContractError, match=f"{day}: is null, so it is unknown over which days"):
        number(fk.Shop(marketing_costs=costs), cost)


def test_a_survey_of_an_unknown_kind_is_refused():
    shop = fk.Shop(surveys=survey(survey_type="ces"))
    with pytest.raises(fk.ContractError, match=r"survey_type: is not a known word.*'ces'"):
        number(shop, "nps")
    assert shop.check()["severity"].to_list() == ["error"]


def test_an_upper_end_of_the_reach_needs_every_reach():
    row = {"date": DAY.date(), "platform": "meta", "campaign_id": 1, "reach": 100}
    rows = pl.DataFrame([row, row | {"campaign_id": 2, "reach": None}])
    shop = fk.Shop(campaign_performance=rows)
    assert number(shop, "reach.upper_bound") is None
    assert number(shop, "reach.lower_bound") == 100


CHANNELS = {
    (None, None): "Direct",
    ("(direct)", "(none)"): "Direct",
    ("Google", "CPC"): "Paid Search",
    ("google", "organic"): "Organic Search",
    ("bing", None): "Organic Search",
    ("facebook", "paid_social"): "Paid Social",
    ("m.facebook.com", "referral"): "Organic Social",
    ("youtube", "cpv"): "Paid Video",
    ("criteo", "display"): "Display",
    ("criteo", "cpc"): "Paid Other",
    ("klaviyo", "email"): "Email",
    ("blog.example", "referral"): "Referral",
    ("partner", "affiliate"): "Affiliates",
    ("partner", "hand"): "Unassigned",
}


def test_a_channel_is_told_by_source_and_medium_and_the_shares_make_one():
    rows = [
        {"session_id": n, "started_at": DAY, "source": source, "medium": medium}
        for n, (source, medium) in enumerate(CHANNELS)
    ]
    shop = fk.Shop(sessions=pl.DataFrame(rows))
    found = fk.evaluate(shop, ["sessions", "traffic_source_share"], by="channel").frame
    wanted: dict[str, int] = {}
    for channel in CHANNELS.values():
        wanted[channel] = wanted.get(channel, 0) + 1
    assert dict(found.select("channel", "sessions").iter_rows()) == wanted
    assert found["traffic_source_share"].sum() == pytest.approx(1.0)


def test_a_channel_that_is_supplied_is_kept():
    row = {"session_id": 1, "started_at": DAY, "source": "google", "medium": "cpc"}
    shop = fk.Shop(sessions=pl.DataFrame([row | {"channel": "Brand"}]))
    assert fk.evaluate(shop, "sessions", by="channel").frame.rows() == [("Brand", 1)]


def test_one_goal_alone_has_a_rate_of_its_own():
    sessions = pl.DataFrame({"session_id": [1, 2], "started_at": [DAY, DAY]})
    events = pl.DataFrame(
        {
            "event_id": [1, 2, 3, 4],
            "session_id": [1, 1, 2, None],
            "event_name": ["sign_up", "sign_up", "purchase", "sign_up"],
            "occurred_at": [DAY] * 4,
        }
    )
    shop = fk.Shop(sessions=sessions, events=events)
    rate = fk.catalog.goal_conversion_rate(event="sign_up")
    assert fk.evaluate(shop, rate).frame.item() == 0.5


def test_who_came_two_months_ago_and_again_is_not_who_came_last_month():
    """Customer 1 buys in January and March, 2 in February and March, 3 in every month."""
    bought = [(1, 1), (2, 2), (3, 1), (3, 2), (1, 3), (2, 3), (3, 3)]
    orders = pl.DataFrame(
        {
            "order_id": range(len(bought)),
            "customer_id": [customer for customer, _ in bought],
            "ordered_at": [dt.datetime(2024, month, 9) for _, month in bought],
            "status": ["paid"] * len(bought),
        }
    )
    formulas = {n: fk.CountRetained(fk.Orders.customer_key, periods=n) for n in (1, 2)}
    metrics = [fk.Metric(name=f"back_{n}", formula=formula) for n, formula in formulas.items()]
    march = fk.evaluate(fk.Shop(orders=orders), metrics, every="1mo").frame.row(-1)
    assert march == (dt.date(2024, 3, 1), 2, 2)
    assert fk.evaluate(fk.Shop(orders=orders), metrics, every="1mo").frame.row(1)[1:] == (1, 0)


def test_a_key_without_any_value_is_of_the_type_that_it_has_elsewhere():
    sessions = pl.DataFrame({"session_id": [1], "started_at": [DAY]})
    orders = order(session_id=None)
    assert number(fk.Shop(sessions=sessions, orders=orders), "cr") == 0.0


def test_a_cart_that_names_orders_by_keys_of_another_type_is_refused():
    cart = {"cart_id": 3, "created_at": DAY, "items": 1, "order_id": "o1"}
    shop = fk.Shop(orders=order(), carts=pl.DataFrame([cart]), as_of=LATER)
    with pytest.raises(fk.ContractError, match="is String, and orders"):
        number(shop, "cart_abandonment_rate")
