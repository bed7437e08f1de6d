"""Keys that name nobody, rows that are there twice: what `Shop.check` says, and what is refused."""

import datetime as dt
import hashlib
import re

import polars as pl
import pytest

import funnelkit as fk

DAY = dt.datetime(2024, 5, 1, 10)
NOBODY = "customer_id is a word for nobody, and is counted as one customer"
FREQUENT = "customer_id is in far more rows than any other, and is counted as one customer"


def orders(many=4, **columns):
    ids = list(range(1, many + 1))
    plain = {
        "order_id": ids,
        "ordered_at": [DAY] * many,
        "status": ["paid"] * many,
        "gross_amount": [10.0] * many,
        "discount_amount": [0.0] * many,
    }
    return pl.DataFrame({**plain, **columns})


def findings(shop):
    return shop.check().select("table", "check", "severity", "rows", "sample").rows()


def number(shop, metric, **question):
    return fk.evaluate(shop, metric, **question).frame.item()


@pytest.mark.parametrize(
    "word",
    [
        *("guest", "Guest", "NULL", "none", "n/a", "nan", "Unknown", "anonymous", "(not set)"),
        *("NA", "#N/A", "(null)", "(none)", "Not logged in", "Guest Customer", "-", "-1", "test"),
        *("walk-in", "WalkIn", "Walk In", "guest_user", "missing", "[object Object]", "Gość"),
        "00000000-0000-0000-0000-000000000000",
        *(way(b"").hexdigest() for way in (hashlib.md5, hashlib.sha1, hashlib.sha256)),
    ],
)
def test_a_word_for_nobody_is_no_customer(word):
    shop = fk.Shop(orders=orders(customer_id=["a", word, word, None]))
    assert findings(shop) == [("orders", NOBODY, "error", 2, f"{word!r} (2)")]
    assert number(shop, "gross_sales") == 40.0
    with pytest.raises(fk.ContractError) as told:
        number(shop, "customers")
    assert str(told.value) == (
        f"orders.customer_id: is a word for nobody, and is counted as one customer, in 2 rows, "
        f"such as {word!r} (2); make it null: pl.when(~pl.col('customer_id').is_in([{word!r}]))"
        ".then(pl.col('customer_id'))"
    )
    assert number(fk.Shop(orders=orders(customer_id=["a", None, None, None])), "customers") == 1


def test_the_null_of_a_dump_of_mysql_is_no_customer():
    shop = fk.Shop(orders=orders(customer_id=["a", r"\N", r"\N", None]))
    assert [found[:4] for found in findings(shop)] == [("orders", NOBODY, "error", 2)]


def test_minus_one_is_no_customer():
    shop = fk.Shop(orders=orders(customer_id=[1, -1, 3, -1]))
    assert findings(shop) == [("orders", NOBODY, "error", 2, "-1 (2)")]
    with pytest.raises(fk.ContractError, match=r"orders.customer_id: is a word for nobody"):
        number(shop, "customers")


@pytest.mark.parametrize(
    ("word", "many", "found"), [("0", 3, True), ("0", 2, False), ("7", 3, False)]
)
def test_customer_zero_is_doubtful_from_three_times_the_orders_of_others_on(word, many, found):
    shop = fk.Shop(orders=orders(many + 2, customer_id=[word] * many + ["1", "2"]))
    told = [("orders", FREQUENT, "warning", many, f"{word!r} ({many})")]
    assert findings(shop) == (told if found else [])


@pytest.mark.parametrize("key", [" C1", "C1 ", "\tC1", "C1\u00a0"])
def test_blanks_around_a_key_make_no_other_customer(key):
    shop = fk.Shop(orders=orders(customer_id=["C1", key, "C2", " guest"]))
    padded = "customer_id has blanks around it, and is read without them"
    (told,) = (one for one in findings(shop) if one[2] == "warning")
    assert told == ("orders", padded, "warning", 2, f"{key!r}, ' guest'")
    with pytest.raises(fk.ContractError, match=r"is a word for nobody, .* such as 'guest' \(1\)"):
        number(shop, "customers")
    assert number(fk.Shop(orders=orders(customer_id=["C1", key, "C2", " "])), "customers") == 2


def test_an_address_as_an_account_in_two_cases_is_not_two_customers():
    shop = fk.Shop(orders=orders(customer_id=["A@x.pl", "a@x.pl", "b@x.pl", None]))
    cases = "customer_id is written in capital and in small letters, and counted as several"
    assert findings(shop) == [("orders", cases, "error", 2, "'A@x.pl' and 'a@x.pl'")]
    with pytest.raises(fk.ContractError, match=r"pl.col\('customer_id'\).str.to_lowercase"):
        number(shop, "customers")
    assert findings(fk.Shop(orders=orders(customer_id=["aB", "ab", "A@x.pl", "b@x.pl"]))) == []


@pytest.mark.parametrize(
    ("ids", "told", "rows"),
    [
        (["5.5E+12", "5,51E+12", "7", "E+x"], "is a number that a spreadsheet has rounded", 2),
        (["1.0", "2.0", "1.0.3", "0.5"], "is a whole number with decimals", 2),
    ],
)
def test_an_id_that_a_spreadsheet_wrote_as_a_number_is_refused(ids, told, rows):
    shop = fk.Shop(orders=orders(customer_id=ids))
    (found,) = findings(shop)
    assert found[1].startswith(f"customer_id {told}")
    assert found[2:4] == ("error", rows)
    assert number(shop, "gross_sales") == 40.0
    with pytest.raises(fk.ContractError, match=f"orders.customer_id: {told}"):
        number(shop, "customers")


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("customer_id", ["1.0", "2,00", "1", "7"]),
        ("customer_id", ["N.A.", "b", "c", "guest"]),
        ("customer_id", ["A@x.pl", "a@x.pl", "b", "c"]),
        ("email_hash", ["F0", "f0", "b", "c"]),
        ("currency", ["EUR", "eur ", "EUR", "Eur"]),
    ],
)
def test_what_an_error_advises_mends_it(column, values):
    """The expression of a remedy can be pasted: a brace too few in it goes unnoticed otherwise."""
    made = orders(**{column: values})
    (found,) = (
        fk.Shop(orders=made, currency="EUR").check().filter(severity="error").rows(named=True)
    )
    (text,) = re.findall(r"pl\.(?:col|when)\(.*\)", found["remedy"].split(", and fk")[0])
    mended = made.with_columns(eval(text, {"pl": pl}).alias(column))
    assert mended[column].to_list() != values
    assert fk.Shop(orders=mended, currency="EUR").check().filter(severity="error").is_empty()


def test_order_0_is_the_order_of_no_two_carts():
    """0 for carts without an order made every cart a sale, and abandonment 0 %."""
    carts = {
        "cart_id": [1, 2, 3],
        "created_at": [dt.datetime(2024, 5, 1)] * 3,
        "last_activity_at": [dt.datetime(2024, 5, 1)] * 3,
    }
    zeros = fk.Shop(carts=pl.DataFrame({**carts, "order_id": [7, 0, 0]}), as_of="2024-06-01")
    with pytest.raises(fk.ContractError, match=r"carts.order_id: is in far more rows"):
        number(zeros, "cart_abandonment_rate")
    one = fk.Shop(carts=pl.DataFrame({**carts, "order_id": [7, 0, None]}), as_of="2024-06-01")
    assert number(one, "cart_abandonment_rate") == pytest.approx(1 / 3)


def test_an_id_with_and_without_zeros_before_it_is_doubtful():
    shop = fk.Shop(orders=orders(5, customer_id=["00123", "123", "007", "123", "0a"]))
    told = "customer_id is there with and without zeros before it, and counted as several"
    assert findings(shop) == [("orders", told, "warning", 3, "'00123' (1), '123' (2)")]
    assert number(shop, "customers") == 4


def test_an_order_without_a_session_is_of_no_session_called_null():
    shop = fk.Shop(orders=orders(session_id=["s1", "NULL", "NULL", "s2"]))
    assert number(shop, "gross_sales") == 40.0
    online = fk.Metric(name="online", formula=fk.Count(fk.Orders, where=fk.Orders.is_online))
    with pytest.raises(fk.ContractError, match=r"orders.session_id: is a word for nobody"):
        number(shop, online)


def test_a_hash_of_no_address_is_no_customer():
    nothing = hashlib.sha256(b"").hexdigest()
    shop = fk.Shop(orders=orders(email_hash=["f0", nothing, nothing.upper(), nothing]))
    with pytest.raises(fk.ContractError, match=r"orders.email_hash: is a word for nobody"):
        number(shop, "customers")


def test_nobody_visits_no_shop():
    visits = {"session_id": [1, 2], "visitor_id": ["v", "anonymous"], "started_at": [DAY] * 2}
    shop = fk.Shop(sessions=pl.DataFrame(visits))
    assert number(shop, "sessions") == 2
    with pytest.raises(fk.ContractError, match=r"sessions.visitor_id: is a word for nobody"):
        number(shop, "visitors")


@pytest.mark.parametrize("nobody", [0, "0"])
def test_a_number_for_nobody_is_told_by_its_share(nobody):
    some = [str(n) if isinstance(nobody, str) else n for n in range(1, 11)]
    few = fk.Shop(orders=orders(30, customer_id=[nobody] * 20 + some))
    assert findings(few) == [("orders", FREQUENT, "warning", 20, f"{nobody!r} (20)")]
    assert number(few, "customers") == 11
    many = fk.Shop(orders=orders(50, customer_id=[nobody] * 40 + some))
    assert findings(many) == [("orders", FREQUENT, "error", 40, f"{nobody!r} (40)")]
    assert number(many, "gross_sales") == 500.0
    with pytest.raises(fk.ContractError, match=r"orders.customer_id: is in far more rows"):
        number(many, "customers")


def test_numbers_that_begin_at_zero_are_customers():
    shop = fk.Shop(orders=orders(12, customer_id=[n % 4 for n in range(12)]))
    assert findings(shop) == []
    assert number(shop, "customers") == 4
    assert findings(fk.Shop(orders=orders(1, customer_id=[0]))) == []


def test_a_key_in_an_implausible_share_of_the_rows_is_odd():
    shop = fk.Shop(orders=orders(45, customer_id=[99] * 40 + [1, 2, 3, 4, 4]))
    assert findings(shop) == [("orders", FREQUENT, "warning", 40, "99 (40)")]
    assert number(shop, "customers") == 5


def test_one_address_in_two_cases_is_not_two_customers():
    shop = fk.Shop(orders=orders(email_hash=["A@x.org", "a@x.org", "b@x.org", None]))
    cases = "email_hash is written in capital and in small letters, and counted as several"
    plain = "email_hash is an e-mail address in plain text"
    assert findings(shop) == [
        ("orders", cases, "error", 2, "'A@x.org' and 'a@x.org'"),
        ("orders", plain, "warning", 3, "'A@x.org', 'a@x.org', 'b@x.org'"),
    ]
    with pytest.raises(fk.ContractError, match=r"orders.email_hash: is written in capital"):
        number(shop, "customers")
    assert number(shop, "gross_sales") == 40.0
    assert findings(fk.Shop(orders=orders(email_hash=["0a", "0b", "0b", None]))) == []


def test_a_guest_who_registers_later_is_told():
    frame = orders(customer_id=[None, "7", None, None], email_hash=["g1", "g1", "g2", None])
    told = (
        "email_hash is of several customers: orders without an account, or of another, are not "
        "linked with it"
    )
    shop = fk.Shop(orders=frame)
    assert findings(shop) == [("orders", told, "warning", 2, "'g1'")]
    assert number(shop, "customers") == 3
    linked = frame.with_columns(customer_key=pl.Series(["7", "7", "g2", None]))
    assert findings(fk.Shop(orders=linked)) == []


def purchases(**columns):
    plain = {
        "event_id": [1, 2, 3, 4],
        "visitor_id": ["v", "v", "w", "w"],
        "event_name": ["purchase", "Purchase", "purchase", "page_view"],
        "occurred_at": [DAY] * 4,
        "order_id": ["T1", "T1", "T2", "T2"],
        "value": [60.0, 60.0, 30.0, None],
    }
    return pl.DataFrame({**plain, **columns})


def test_two_purchase_events_of_an_order_are_not_two_orders():
    shop = fk.Shop(events=purchases())
    told = "order_id has several purchase events, each with its value"
    assert findings(shop) == [("events", told, "error", 2, "'T1'")]
    spent = fk.Metric(
        name="spent", formula=fk.Sum(fk.Events.value, where=fk.Events.event_name.eq("purchase"))
    )
    with pytest.raises(fk.ContractError, match=r"events.order_id: has several purchase .* 'T1'"):
        number(shop, spent)
    assert number(shop, fk.Metric(name="seen", formula=fk.Count(fk.Events))) == 4
    once = fk.Shop(events=purchases(order_id=["T1", None, "T2", "T2"]))
    assert findings(once) == []
    assert number(once, spent) == 150.0


def test_a_key_of_which_a_column_is_missing_is_checked_as_far_as_it_goes():
    days = {"date": [DAY.date()] * 3, "campaign_id": ["c", "c", "d"], "spend": [10.0] * 3}
    shop = fk.Shop(campaign_performance=pl.DataFrame(days))
    told = "platform is not supplied, and date, campaign_id repeats without it"
    sample = "(datetime.date(2024, 5, 1), 'c')"
    assert findings(shop) == [("campaign_performance", told, "warning", 1, sample)]
    unique = pl.DataFrame(days).head(2).with_columns(campaign_id=pl.Series(["c", "d"]))
    assert findings(fk.Shop(campaign_performance=unique)) == []


def test_a_table_without_its_key_is_told():
    shop = fk.Shop(orders=orders().drop("order_id"))
    told = "order_id is not supplied, so that repeated rows would be counted again"
    assert findings(shop) == [("orders", told, "warning", 4, "")]
    assert findings(fk.Shop(orders=orders(0).drop("order_id"))) == []


def test_rows_that_point_to_a_table_without_its_key_are_no_reason_to_stop():
    """An export without order ids beside refunds: what can be looked at is looked at."""
    orders = pl.DataFrame(
        {
            "ordered_at": [dt.datetime(2024, 1, 1)] * 2,
            "status": ["paid"] * 2,
            "gross_amount": [60.0, 20.0],
            "discount_amount": [0.0] * 2,
        }
    )
    refunds = pl.DataFrame(
        {
            "return_id": [1],
            "order_id": [7],
            "returned_at": [dt.datetime(2024, 1, 2)],
            "refund_amount": [5.0],
        }
    )
    shop = fk.Shop(orders=orders, returns=refunds)
    told = "order_id is not supplied, so that repeated rows would be counted again"
    assert told in shop.check().get_column("check").to_list()
    is_large = fk.Lookup(fk.Returns.order_id, fk.Orders.gross_amount) > 50
    refunded = fk.Metric(name="refunded", formula=fk.Sum(fk.Returns.refund_amount, where=is_large))
    with pytest.raises(fk.MissingInputError, match="order_id: needed by refunded"):
        fk.evaluate(shop, refunded)


def test_rows_without_a_time_are_told():
    frame = orders(ordered_at=[DAY, None, DAY, None])
    shop = fk.Shop(orders=frame)
    told = "ordered_at is null, so that the row is in no period"
    assert findings(shop) == [("orders", told, "warning", 2, "2, 4")]
    parcels = {"shipment_id": [1, 2], "order_id": [1, 2], "shipped_at": [DAY, None]}
    assert findings(fk.Shop(shipments=pl.DataFrame(parcels), orders=orders())) == []


def lines(kinds):
    rows = len(kinds)
    plain = {
        "order_line_id": range(rows),
        "order_id": [1, 1, 2, 3, 4][:rows],
        "quantity": [1] * rows,
        "unit_price": [100.0, 60.0, 10.0, 10.0, 10.0][:rows],
        "line_type": kinds,
    }
    return pl.DataFrame(plain)


def test_a_gift_card_within_an_amount_is_told():
    kinds = ["gift card", "product", "product", "product", "product"]
    amounts = [160.0, 10.0, 10.0, 10.0]
    shop = fk.Shop(orders=orders(gross_amount=amounts), order_lines=lines(kinds))
    told = "gross_amount includes the gift cards of the order, which are not sales yet"
    assert findings(shop) == [("orders", told, "warning", 1, "(1, 160.0, 100.0)")]
    right = orders(gross_amount=[60.0, *amounts[1:]])
    assert findings(fk.Shop(orders=right, order_lines=lines(kinds))) == []


def test_the_demo_shop_has_none_of_these():
    assert findings(fk.demo()) == []


def test_without_guards_a_number_is_given_and_the_finding_stays():
    shop = fk.Shop(orders=orders(customer_id=["a", "guest", "guest", None]), guards=False)
    assert number(shop, "customers") == 2
    assert findings(shop) == [("orders", NOBODY, "error", 2, "'guest' (2)")]


def stock(moments, units):
    rows = len(moments)
    plain = {
        "snapshot_date": moments,
        "product_id": ["p"] * rows,
        "location_id": ["w"] * rows,
        "on_hand_units": units,
        "unit_cost": [1.0] * rows,
    }
    return pl.DataFrame(plain)


def test_several_counts_of_one_day_are_not_added_up():
    hours = stock([dt.datetime(2024, 5, 1, hour) for hour in range(24)], list(range(24)))
    shop = fk.Shop(inventory_snapshots=hours)
    problem = "holds several counts of a product in a place on one day, which would be added up"
    sample = "datetime.date(2024, 5, 1) and 'p' and 'w'"
    found = ("inventory_snapshots", f"snapshot_date {problem}", "error", 24, sample)
    assert findings(shop) == [found]
    with pytest.raises(fk.ContractError, match=r"snapshot_date: holds several counts .*group_by"):
        number(shop, "stockout_rate")
    day = pl.col("snapshot_date").dt.date()
    last = hours.sort("snapshot_date").group_by(day, "product_id", "location_id").last()
    assert last["on_hand_units"].to_list() == [23]
    assert findings(fk.Shop(inventory_snapshots=last)) == []
    assert number(fk.Shop(inventory_snapshots=last), "stockout_rate") == 0.0


def test_a_count_at_a_moment_of_each_local_day_is_one_count():
    late = [dt.datetime(2024, 5, 1, 22, tzinfo=dt.UTC), dt.datetime(2024, 5, 2, 22, tzinfo=dt.UTC)]
    frame = stock(late, [3, 0])
    assert findings(fk.Shop(inventory_snapshots=frame, time_zone="Europe/Warsaw")) == []
    same = stock([late[0], dt.datetime(2024, 5, 2, 10, tzinfo=dt.UTC)], [3, 0])
    assert len(findings(fk.Shop(inventory_snapshots=same, time_zone="Europe/Warsaw"))) == 1
    assert findings(fk.Shop(inventory_snapshots=same)) == []


def answers(**columns):
    plain = {"response_id": [1, 2], "survey_type": ["CSAT", "csat"], "responded_at": [DAY] * 2}
    return pl.DataFrame({**plain, "score": [4, 5], "scale_max": [10, 10], **columns})


@pytest.mark.parametrize("metric", ["csat", "customer_satisfaction_score.all_answers"])
def test_satisfied_is_four_of_five_and_not_of_ten(metric):
    shop = fk.Shop(surveys=answers())
    told = ("surveys", "scale_max is not 5 in a csat survey", "error", 2, "10")
    assert findings(shop) == [told]
    with pytest.raises(fk.ContractError, match=r"scale_max: is not 5 in a csat .*any_scale"):
        number(shop, metric)
    with pytest.raises(fk.ContractError, match=r"scale_max: is not 5"):
        fk.evaluate(shop, [metric, "customer_satisfaction_score.any_scale"])
    assert number(fk.Shop(surveys=answers(scale_max=[5, None])), metric) == 1.0


def test_any_scale_is_asked_of_any_scale():
    shop = fk.Shop(surveys=answers(score=[9, 8]))
    assert number(shop, "customer_satisfaction_score.any_scale") == 0.5
    with pytest.raises(fk.ContractError, match=r"score: lies outside 1 to scale_max"):
        number(fk.Shop(surveys=answers(scale_max=[5, 4])), "customer_satisfaction_score.any_scale")
    with pytest.raises(fk.ContractError, match=r"score: lies outside 1 to 5"):
        number(fk.Shop(surveys=answers(score=[4, 9]).drop("scale_max")), "csat")
    scale = answers(survey_type=["nps", "csat"], score=[9, 8])
    assert number(fk.Shop(surveys=scale), "nps") == 100.0


@pytest.mark.parametrize("name", ["Currency", "currency_code", "presentment currency"])
def test_a_currency_under_another_name_is_told(name):
    frame = orders(2).with_columns(pl.Series(name, ["USD", "EUR"]))
    told = f"currency is not supplied, but {name!r} is: amounts are taken to be of one currency"
    assert findings(fk.Shop(orders=frame)) == [("orders", told, "warning", 2, repr(name))]
    renamed = fk.Shop(orders=frame, rename={"orders": {name: "currency"}})
    assert [row[1] for row in findings(renamed)] == ["currency is mixed, and there are no rates"]


def test_a_value_that_nothing_is_asked_of_but_its_sum_is_added_up_twice():
    with pytest.raises(fk.ContractError, match=r"events.order_id: has several purchase events"):
        number(fk.Shop(events=purchases()), fk.Metric(name="all", formula=fk.Sum(fk.Events.value)))


def test_a_key_that_is_null_repeats_nothing():
    frame = orders(5, order_id=[1, 1, None, None, None])
    assert findings(fk.Shop(orders=frame)) == [
        ("orders", "order_id is null, and identifies the row", "error", 3, ""),
        ("orders", "order_id is not unique: a key is repeated", "error", 1, "1"),
    ]
    days = {"date": [DAY.date()] * 2, "campaign_id": [None, None], "spend": [10.0] * 2}
    assert findings(fk.Shop(campaign_performance=pl.DataFrame(days))) == []


def test_a_sample_shows_what_it_is_about_and_nothing_else():
    frame = orders(ordered_at=[None] * 4, gross_amount=[10.0, -1.0, 10.0, 10.0]).drop("order_id")
    moments = frame.with_columns(pl.col("ordered_at").cast(pl.Datetime))
    assert {row[1]: row[4] for row in findings(fk.Shop(orders=moments))} == {
        "discount_amount is above gross_amount": "(0.0, -1.0)",
        "gross_amount is below zero": "-1.0",
        "ordered_at is null, so that the row is in no period": "None, None, None",
        "order_id is not supplied, so that repeated rows would be counted again": "",
    }


def test_a_sample_begins_with_what_is_most_frequent():
    frame = orders(7, customer_id=["none", "null", "guest", "guest", "n/a", "n/a", "n/a"])
    (found,) = findings(fk.Shop(orders=frame))
    assert found[4] == "'n/a' (3), 'guest' (2), 'null' (1)"


RATES = pl.DataFrame(
    {"date": [DAY.date(), DAY.date() + dt.timedelta(days=2)], "currency": "EUR", "rate": [4.0, 4.5]}
)


def test_a_refund_is_compared_with_its_order_in_the_currency_of_both():
    sold = orders(currency=["EUR", "PLN", "EUR", "EUR"])
    refunds = pl.DataFrame(
        {
            "return_id": [1, 2, 3],
            "order_id": [1, 2, 3],
            "returned_at": [DAY + dt.timedelta(days=2)] * 3,
            "refund_amount": [10.0, 15.0, 30.0],
            "currency": ["EUR", "PLN", "PLN"],
        }
    )
    shop = fk.Shop(orders=sold, returns=refunds, exchange_rates=RATES, currency="PLN")
    told = "refund_amount is above the gross amount of the order"
    assert findings(shop) == [("returns", told, "warning", 1, "(2, 15.0, 10.0)")]


@pytest.mark.parametrize(("rate", "found"), [(1.0, 0), (4.0, 1), (0.25, 1)])
def test_the_currency_of_the_shop_is_worth_one(rate, found):
    own = pl.DataFrame({"date": [DAY.date()], "currency": ["PLN"], "rate": [rate]})
    sold = orders(currency=["EUR", "PLN", "EUR", "EUR"])
    shop = fk.Shop(orders=sold, exchange_rates=pl.concat([RATES, own]), currency="PLN")
    assert len(findings(shop)) == found
    if found:
        with pytest.raises(fk.ContractError, match=r"rate: is not 1 .* such as \('PLN', "):
            number(shop, "gross_sales")
    else:
        assert number(shop, "gross_sales") == 130.0


def test_an_order_without_a_currency_or_a_rate_is_told():
    half = fk.Shop(orders=orders(currency=["EUR", None, "EUR", "EUR"]))
    assert findings(half) == [
        ("orders", "currency is null in some rows, and known in others", "error", 1, "")
    ]
    sold = orders(currency=["EUR", "USD", "USD", "PLN"])
    shop = fk.Shop(orders=sold, exchange_rates=RATES, currency="PLN")
    told = "currency has no rate on the day of the row or in the week before"
    assert ("orders", told, "error", 2, "'USD'") in findings(shop)


def test_a_blank_currency_is_named_as_one():
    shop = fk.Shop(orders=orders(currency=["", "USD", "USD", "USD"]))
    with pytest.raises(fk.ContractError, match="holds the text '' and USD, whose amounts"):
        number(shop, "gross_sales")
    assert findings(shop)[0][-1] == "USD, ''"


@pytest.mark.parametrize(("refunds", "is_found"), [([-5.0] * 10, True), ([-5.0, 5.0], False)])
def test_refunds_below_zero_are_not_added_to_sales(refunds, is_found):
    many = len(refunds)
    returns = {"return_id": range(many), "order_id": [1] * many, "returned_at": [DAY] * many}
    shop = fk.Shop(orders=orders(), returns=pl.DataFrame({**returns, "refund_amount": refunds}))
    told = "refund_amount is below zero in nearly every row"
    assert any(found[1].startswith(told) for found in findings(shop)) == is_found
    if is_found:
        with pytest.raises(fk.ContractError, match=r"turn its sign: -pl.col\('refund_amount'\)"):
            number(shop, "net_sales")
    else:
        assert number(shop, "net_sales") == 40.0
