"""Words of a closed vocabulary: spelling changes no number, and no other word passes."""

import datetime as dt

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.engines import runner
from funnelkit.errors import rows_text
from funnelkit.formula.values import Category
from funnelkit.schema import channels
from funnelkit.schema.tables import known_tables

DAY = dt.datetime(2024, 5, 1, 10)
CLOSED = [
    column
    for table in known_tables(()).values()
    for column in table.columns.values()
    if isinstance(column, Category) and column.values and not column.is_open
]
READ_BY = {
    "orders.status": ("orders", "gross_sales", "cancellation_rate"),
    "orders.sales_channel": ("orders_per_session",),
    "order_lines.line_type": ("units_sold",),
    "returns.kind": ("net_sales",),
    "marketing_costs.purpose": ("cac",),
    "email_sends.bounce_type": ("emails_delivered", "email_bounce_rate"),
    "surveys.survey_type": ("nps", "csat"),
}


def frames(column, words):
    """Return a small shop of eight rows a table, of which a column is given by the words."""
    n = len(words)
    ids, times = list(range(n)), [DAY] * n
    found = {
        "orders": {
            "order_id": ids,
            "ordered_at": times,
            "customer_id": ids,
            "status": ["paid"] * n,
            "gross_amount": [10.0 * (i + 1) for i in ids],
            "discount_amount": [0.0] * n,
        },
        "order_lines": {
            "order_line_id": ids,
            "order_id": ids,
            "quantity": [i + 1 for i in ids],
            "unit_price": [10.0] * n,
        },
        "returns": {
            "return_id": ids,
            "order_id": ids,
            "returned_at": times,
            "refund_amount": [1.0 + i for i in ids],
        },
        "campaign_performance": {
            "date": [DAY.date()],
            "platform": ["g"],
            "campaign_id": ["c"],
            "spend": [100.0],
        },
        "marketing_costs": {
            "cost_id": ids,
            "period_start": [DAY.date()] * n,
            "period_end": [DAY.date()] * n,
            "amount": [2.0**i for i in ids],
        },
        "email_sends": {"message_id": ids, "recipient_id": ids, "sent_at": times},
        "surveys": {
            "response_id": ids,
            "responded_at": times,
            "score": [1 + i % 5 for i in ids],
        },
        "sessions": {"session_id": ids, "visitor_id": ids, "started_at": times},
    }
    plain = {"purpose": "brand", "survey_type": "nps"}
    for name, word in plain.items():
        table = "surveys" if name == "survey_type" else "marketing_costs"
        found[table][name] = [word] * n
    found[column.table][column.name] = words
    return {name: pl.DataFrame(columns) for name, columns in found.items()}


def numbers(column, words):
    shop = fk.Shop.bind(frames(column, words))
    return fk.evaluate(shop, list(READ_BY[str(column)])).frame.row(0)


@st.composite
def spellings(draw, column):
    """Return words of a vocabulary, and the same words written otherwise."""
    words = draw(st.lists(st.sampled_from(column.values), min_size=8, max_size=8))
    return words, [draw(spelling(column, word)) for word in words]


@st.composite
def spelling(draw, column, word):
    same = [other for other, meant in column.synonyms.items() if meant == word]
    text = draw(st.sampled_from([word, *same]))
    text = text.replace("_", draw(st.sampled_from(["_", "-", " ", " - ", ""])))
    letters = [c.upper() if draw(st.booleans()) else c for c in text]
    blanks = st.sampled_from(["", " ", "\t", "  "])
    return draw(blanks) + "".join(letters) + draw(blanks)


def test_the_law_covers_every_closed_vocabulary():
    assert {str(column) for column in CLOSED} == set(READ_BY)


@pytest.mark.parametrize("column", CLOSED, ids=str)
@settings(max_examples=5)
@given(data=st.data())
def test_case_blanks_and_synonyms_change_no_number(column, data):
    plain, other = data.draw(spellings(column))
    assert numbers(column, other) == numbers(column, plain)


@pytest.mark.parametrize("column", CLOSED, ids=str)
@settings(max_examples=5)
@given(data=st.data())
def test_any_other_word_is_refused_and_leaves_other_numbers_alone(column, data):
    word = data.draw(
        st.text(max_size=8).filter(lambda text: column.word(text) not in column.values)
    )
    many = data.draw(st.integers(1, 8))
    words = data.draw(st.permutations([column.values[0]] * (8 - many) + [word] * many))
    shop = fk.Shop.bind(frames(column, words))
    assert fk.evaluate(shop, "ad_spend").frame.item() == 100.0
    for _ in range(2):
        with pytest.raises(fk.ContractError) as told:
            fk.evaluate(shop, list(READ_BY[str(column)]))
        assert f"{column}: is not a known word" in str(told.value)
        assert f"in {rows_text(many)}, such as {word!r} ({many})" in str(told.value)
    found = shop.check().filter(pl.col("check").str.starts_with(f"{column.name} is not a known"))
    assert found.select("table", "severity", "rows", "sample").rows() == [
        (column.table, "error", many, f"{word!r} ({many})")
    ]


def refused(law, column):
    """Whether a law of the words of a column finds an example against it."""
    try:
        law(column=column)
    except (AssertionError, fk.ContractError, pytest.fail.Exception, BaseExceptionGroup):
        return True
    return False


@pytest.mark.parametrize("codes", [[0, 0, 1], [False, False, True], [DAY.date()] * 3])
@pytest.mark.parametrize("column", CLOSED, ids=str)
def test_codes_instead_of_words_are_refused(column, codes):
    """A bounce_type of 0 and 1 is no word, and not null either: nothing would be delivered."""
    shop = fk.Shop(**frames(column, codes))
    for metric in READ_BY[str(column)]:
        with pytest.raises(fk.ContractError, match=f"{column}: is not a known word"):
            fk.evaluate(shop, metric)
    assert "error" in shop.check().filter(pl.col("table") == column.table)["severity"].to_list()


@pytest.mark.slow
def test_words_that_are_left_as_they_are_written_are_found_out(monkeypatch):
    def meanings(_, texts):
        return {text: text for text in texts}

    monkeypatch.setattr(Category, "meanings", meanings)
    assert refused(test_case_blanks_and_synonyms_change_no_number, fk.OrderLines.line_type)


def test_unknown_words_that_nobody_looks_at_are_found_out(monkeypatch):
    monkeypatch.setattr(runner, "check_words", lambda *_: None)
    law = test_any_other_word_is_refused_and_leaves_other_numbers_alone
    assert refused(law, fk.MarketingCosts.purpose)


class Tickets(fk.Table, table="tickets", key="ticket_id", time="opened_at"):
    ticket_id = fk.Key()
    opened_at = fk.Time()
    state = fk.Category(values=("Open", "Closed"), synonyms={"Done": "Closed"})


CLOSED_TICKETS = fk.Metric(
    name="closed_tickets", formula=fk.Count(Tickets, where=Tickets.state.eq("closed"))
)


@given(data=st.data())
@settings(max_examples=10)
def test_a_table_of_ones_own_has_its_vocabulary_read_alike(data):
    plain, other = data.draw(spellings(Tickets.state))
    frame = pl.DataFrame({"ticket_id": range(8), "opened_at": [DAY] * 8, "state": other})
    shop = fk.Shop(tickets=frame, tables=[Tickets])
    closed = plain.count("Closed")
    assert fk.evaluate(shop, CLOSED_TICKETS).frame.item() == closed
    where = fk.evaluate(shop, CLOSED_TICKETS, where="state == 'DONE'").frame
    assert where["closed_tickets"].sum() == closed
    by = fk.evaluate(shop, CLOSED_TICKETS, by="state").frame
    assert set(by["state"].to_list()) <= {"Open", "Closed"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"values": "new"}, "values = 'new' is not a tuple of words"),
        ({"values": ["new"]}, "is not a tuple of words"),
        ({"values": ("new", " ")}, "' ' is not a word"),
        ({"values": ("new", 1)}, "1 is not a word"),
        ({"values": ("new", "New ")}, "'new' stands for two words"),
        ({"values": ("new",), "synonyms": {"old": "used"}}, "'used' is not among the values"),
        ({"values": ("new", "used"), "synonyms": {"NEW": "used"}}, "'new' stands for two words"),
        ({"values": ("as_new", "as-new")}, "'asnew' stands for two words"),
        ({"values": ("new",), "synonyms": ("old",)}, "does not map words to words"),
        ({"values": ("new",), "is_open": 1}, "is_open = 1 is not True or False"),
    ],
)
def test_a_vocabulary_says_what_is_wrong_with_it(given, told):
    with pytest.raises(fk.DefinitionError, match="synonyms=") as error:
        Category(**given)
    assert told in str(error.value)


def test_a_formula_is_read_as_the_column_is():
    shop = fk.Shop.bind(frames(fk.Orders.sales_channel, ["web", "POS"] * 4))
    for formula, number in (
        (fk.Count(fk.Orders, where=fk.Orders.sales_channel.eq("Online Store")), 4),
        (fk.Count(fk.Orders, where=fk.Orders.sales_channel.is_in(["WEB", " Pos"])), 8),
        (
            fk.Count(
                fk.Orders,
                where=fk.Coalesce(fk.Orders.sales_channel, "x").eq("Web"),
            ),
            4,
        ),
    ):
        metric = fk.Metric(name="some", formula=formula)
        assert fk.evaluate(shop, metric).frame.item() == number
    unknown = fk.Count(fk.Orders, where=fk.Orders.sales_channel.eq("kiosk"))
    with pytest.raises(fk.DefinitionError, match=r"orders.sales_channel is .* 'kiosk', which"):
        fk.evaluate(shop, fk.Metric(name="some", formula=unknown))


def test_a_word_is_refused_only_where_a_number_rests_on_its_column():
    frame = frames(fk.Orders.sales_channel, ["paid"] * 8)["orders"]
    shop = fk.Shop(orders=frame.with_columns(sales_channel=pl.lit("kiosk")))
    assert fk.evaluate(shop, "orders").frame.item() == 8
    with pytest.raises(fk.ContractError, match=r"'kiosk' \(8\)"):
        fk.evaluate(shop, "orders", by="sales_channel")


def test_a_filter_is_read_as_the_column_is():
    shop = fk.Shop.bind(frames(fk.Orders.sales_channel, ["web", "POS"] * 4))
    for word in ("online", " Online", "WEB"):
        assert fk.evaluate(shop, "orders", where=f"sales_channel == {word!r}").frame.item() == 4
    assert fk.evaluate(shop, "orders", where="sales_channel in ['Web']").frame.item() == 4
    with pytest.raises(fk.DefinitionError, match=r"'onlin', which .* use 'online'"):
        fk.evaluate(shop, "orders", where="sales_channel == 'onlin'")


def test_platforms_are_known_however_they_are_written():
    names = ["Facebook", "tik_tok", "LinkedIn ", "Meta Ads", "Google"]
    ads = pl.DataFrame(
        {
            "date": [DAY.date()] * 5,
            "platform": names,
            "campaign_id": ["c"] * 5,
            "engagements": [500, 30, 4, 1, 7],
        }
    )
    shop = fk.Shop(campaign_performance=ads)
    assert fk.evaluate(shop, "social_engagements").frame.item() == 535


ADS = {
    "date": [DAY.date()] * 4,
    "campaign_id": [1, 2, 3, 4],
    "spend": [1.0, 2.0, 4.0, 8.0],
    "clicks": [1, 1, 1, 1],
    "impressions": [10, 10, 10, 10],
}


@pytest.mark.parametrize(
    ("platforms", "keys"),
    [
        (["Facebook", "Facebook", "Google Ads", "Email"], ["Email", "Facebook", "Google Ads"]),
        (["Facebook ", "facebook", "Google Ads", "Email"], ["Email", "Google Ads", "facebook"]),
        (["Google", "Google Ads", "TikTok", "TikTok"], ["TikTok", "google"]),
    ],
)
def test_a_key_is_written_as_the_data_writes_it_where_in_one_way(platforms, keys):
    shop = fk.Shop(campaign_performance=pl.DataFrame({**ADS, "platform": platforms}))
    for metrics in ("ad_spend", ["ad_spend", "click_through_rate"], "impressions"):
        found = fk.evaluate(shop, metrics, by="platform").frame
        assert found.get_column("platform").to_list() == keys
    for key in keys:
        alone = fk.evaluate(shop, "ad_spend", where=f"platform == {key!r}").frame.item()
        assert (
            alone
            == fk.evaluate(shop, "ad_spend", by="platform")
            .frame.filter(pl.col("platform") == key)
            .get_column("ad_spend")
            .item()
        )


@pytest.mark.parametrize(
    ("platform", "source", "keys"),
    [
        ("Google", "Google", ["Google"]),
        ("Google Ads", "google", ["google"]),
        ("GOOGLE", "Google", ["google"]),
    ],
)
def test_a_key_of_two_tables_is_written_in_one_way(platform, source, keys):
    ads = pl.DataFrame({**ADS, "platform": [platform] * 4})
    shop = fk.Shop(campaign_performance=ads, sessions=sessions(source=[source]))
    where = fk.Dimension("origin", sessions="source", campaign_performance="platform")
    for metrics in (["ad_spend", "sessions"], ["sessions", "ad_spend"]):
        found = fk.evaluate(shop, metrics, by=where).frame
        assert found.select("origin", "sessions", "ad_spend").rows() == [(keys[0], 1, 15.0)]


def test_a_column_of_any_words_is_compared_with_a_vocabulary_as_both_are_written():
    shop = fk.Shop(
        campaign_performance=pl.DataFrame({**ADS, "platform": ["Facebook Ads"] * 4}),
        sessions=sessions(campaign=["facebook"]),
    )
    where = fk.Dimension("origin", sessions="campaign", campaign_performance="platform")
    found = fk.evaluate(shop, ["ad_spend", "sessions"], by=where).frame
    assert found.rows() == [("Facebook Ads", 15.0, 0), ("facebook", 0.0, 1)]


def test_a_journey_writes_a_key_as_the_data_does():
    events = pl.DataFrame(
        {
            "event_id": [1, 2, 3],
            "visitor_id": ["a", "b", "c"],
            "session_id": [0, 1, 2],
            "occurred_at": [DAY] * 3,
            "event_name": ["view_item"] * 3,
        }
    )
    shop = fk.Shop(events=events, sessions=sessions(source=["Google", "Bing", "bing"]))
    found = fk.funnel(shop, ["view_item", "purchase"], within="1d", by="source").frame
    assert found.get_column("source").unique().sort().to_list() == ["Google", "bing"]


def sessions(**columns):
    n = len(next(iter(columns.values())))
    plain = {"session_id": range(n), "visitor_id": ["v"] * n, "started_at": [DAY] * n}
    return pl.DataFrame({**plain, **columns})


def test_channels_are_told_by_sources_and_media_however_they_are_written():
    visits = sessions(
        source=["Google", " ", "TikTok", "x", "Facebook"],
        medium=["CPC ", "Email ", None, "E-Mail", "paid social"],
    )
    found = fk.evaluate(fk.Shop(sessions=visits), "sessions", by="channel").frame
    assert found.rows() == [
        ("Email", 2),
        ("Organic Social", 1),
        ("Paid Search", 1),
        ("Paid Social", 1),
    ]


@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("channel == 'paid search'", 1),
        ("channel != 'PAID_SEARCH'", 2),
        ("channel in ('unassigned', 'organic search')", 1),
        ("channel == 'Paid'", 0),
    ],
)
def test_a_filter_names_a_channel_however_it_is_written(where, count):
    visits = {"session_id": [1, 2, 3], "visitor_id": [1, 2, 3], "started_at": [DAY] * 3}
    came = {"source": ["Google", None, "a blog"], "medium": ["CPC", None, "guest post"]}
    shop = fk.Shop(sessions=pl.DataFrame({**visits, **came}))
    assert fk.evaluate(shop, "sessions", where=where).frame.item() == count
    told = fk.Shop(sessions=pl.DataFrame({**visits, "channel": ["Paid", "paid", None]}))
    assert fk.evaluate(told, "sessions", where="channel == 'paid'").frame.item() == 2


def test_a_blank_is_null_where_any_word_will_do():
    shop = fk.Shop(sessions=sessions(source=["google", " ", ""]))
    assert fk.evaluate(shop, "sessions", by="source").frame.rows() == [("google", 1), (None, 2)]


@pytest.mark.parametrize("name", ["addToCart", "Add To Cart", "add-to-cart", "AddedToCart"])
def test_an_event_is_known_however_its_words_are_parted(name):
    events = pl.DataFrame(
        {
            "event_id": [1, 2],
            "visitor_id": ["v"] * 2,
            "product_id": ["p"] * 2,
            "session_id": [0, 1],
            "occurred_at": [DAY] * 2,
            "event_name": ["view_item", name],
        }
    )
    shop = fk.Shop(events=events, sessions=sessions(source=["google"] * 2))
    assert fk.evaluate(shop, "add_to_cart_rate").frame.item() == 0.5
    assert shop.check().is_empty()


def test_a_word_that_is_nearly_known_is_told_with_the_one_that_may_be_meant():
    names = ["scroll_50", "view_item_list", "addd_to_cart", "page_view", "addd_to_cart"]
    times = {"visitor_id": ["v"] * 5, "occurred_at": [DAY] * 5}
    shop = fk.Shop(events=pl.DataFrame({"event_id": range(5), "event_name": names, **times}))
    (row,) = shop.check().rows(named=True)
    assert row["check"] == "event_name is nearly a word that KPIs read, but is not read as one"
    assert (row["severity"], row["rows"], row["sample"]) == ("warning", 2, "'addd_to_cart' (2)")
    assert "pl.col('event_name').replace({'addd_to_cart': 'add_to_cart'})" in row["remedy"]


def test_codes_instead_of_platforms_are_told():
    """A platform 1 is no social network that is known."""
    spend = {"date": [DAY.date()], "platform": [1], "campaign_id": [1], "engagements": [5]}
    (found,) = fk.Shop(campaign_performance=pl.DataFrame(spend)).check().rows(named=True)
    assert found["check"].startswith("platform holds none of the words that KPIs read")


@pytest.mark.parametrize(
    ("platforms", "told"),
    [
        (["Google", "Google Ads", "Meta"], "'Google' (1), 'Google Ads' (1)"),
        (["fb", "Facebook", "Instagram"], "'Facebook' (1), 'fb' (1)"),
        (["TikTok", "tiktok ", "Tik Tok"], None),
        (["Meta", "Facebook", "Facebook Shops"], None),
    ],
)
def test_names_that_are_read_as_one_word_are_told(platforms, told):
    """Facebook and Facebook Ads may be kept apart on purpose; two spellings of a name are not."""
    spend = {"date": [DAY.date()] * 3, "platform": platforms, "campaign_id": [1, 2, 3]}
    report = fk.Shop(campaign_performance=pl.DataFrame(spend)).check()
    found = report.filter(pl.col("check").str.contains("several names for one word"))
    assert found["sample"].to_list() == ([told] if told else [])
    assert all("replace({" in remedy for remedy in found["remedy"])


def test_events_of_which_no_name_is_known_are_told():
    events = pl.DataFrame(
        {"event_id": [1, 2], "visitor_id": ["v"] * 2, "occurred_at": [DAY] * 2}
    ).with_columns(event_name=pl.lit("seen"))
    (row,) = fk.Shop(events=events).check().rows(named=True)
    assert row["severity"] == "warning"
    assert row["check"].startswith("event_name holds none of the words")
    named = events.with_columns(event_name=pl.Series(["Page Viewed", "seen"]))
    assert fk.Shop(events=named).check().is_empty()


def test_channels_meet_however_each_table_writes_them():
    """A derived 'Paid Search' met no order of 'paid search': no orders per session."""
    visits = {"session_id": [1, 2], "visitor_id": [1, 2], "started_at": [DAY] * 2}
    visits |= {"source": ["google", "news"], "medium": ["cpc", "email"]}
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3],
            "ordered_at": [DAY] * 3,
            "status": ["paid"] * 3,
            "sales_channel": ["online"] * 3,
            "attributed_channel": ["paid search", "E-mail", "email "],
        }
    )
    shop = fk.Shop(sessions=pl.DataFrame(visits), orders=orders)
    channel = fk.Dimension("channel", orders="attributed_channel")
    found = fk.evaluate(shop, ["sessions", "orders_per_session"], by=channel).frame
    assert found.rows() == [("Email", 1, 2.0), ("Paid Search", 1, 1.0)]
    assert shop.check().is_empty()
    told = fk.Shop(sessions=sessions(channel=["web", "Web", "E-Mail", "EMAIL"]))
    assert fk.evaluate(told, "sessions", by="channel").frame.rows() == [
        ("Email", 2),
        ("Web", 2),
    ]
    assert told.check().is_empty()


def test_every_channel_that_a_rule_tells_is_a_word_of_the_column():
    written = {word for _, word in channels._RULES} | {channels._UNASSIGNED.value}
    assert written <= set(fk.Sessions.channel.values)
