"""Promises about data: what breaks one is counted in plain Python, and refuses what rests on it.

Each law draws rows that keep or break a promise, says from the words of the promise which of them
break it, and expects of the library these findings and no others.
"""

import datetime as dt
import re
from collections import Counter, defaultdict
from dataclasses import replace
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.data.promise_kinds import (
    DailyCheck,
    OnceCheck,
    OneOwnerCheck,
    ScaleCheck,
    StandInCheck,
    TotalCheck,
)
from funnelkit.schema import shop_schema
from funnelkit.schema.promises import PROMISES
from funnelkit.schema.tables import TABLES
from funnelkit.verification import amounts, broken_promises
from funnelkit.verification import rows as row_checks

DAY = dt.datetime(2024, 5, 1, 10)
ERROR, WARNING = "error", "warning"

KINDS = {
    "is a word for nobody": "nobody",
    "is in far more rows than any other": "frequent",
    "is written in capital and in small letters": "two cases",
    "is an e-mail address in plain text": "address",
    "is of several customers": "several customers",
    "has several purchase events": "purchased twice",
    "is an empty text, and read as null": "blank",
    "is null, and identifies the row": "no key",
    "is not unique": "repeated",
    "is not supplied, so that repeated rows": "no key bound",
    "repeats without it": "key bound in part",
    "is null, so that the row is in no period": "no time",
    "is null, and adds 0": "no amount",
    "includes the gift cards of the order": "gift card",
    "is not the sum of quantity": "another sum",
    "holds several counts of a product": "several a day",
    "is not 5 in a csat survey": "csat scale",
    "is not 10 in an nps survey": "nps scale",
}
"""What the laws call the findings, by what is said of them; any other is not expected."""


def kind_of(problem):
    return next((kind for said, kind in KINDS.items() if said in problem), problem)


def findings(frames, **settings):
    """What the check of a shop finds: the place, the kind, how bad it is, rows; and samples."""
    rows = fk.Shop.bind(frames, **settings).check().rows(named=True)
    found = {}
    for row in rows:
        column = re.split(r" (?:is|has|holds|includes) ", row["check"])[0]
        kind = kind_of(row["check"])
        key = (f"{row['table']}.{column}", kind, row["severity"], row["rows"])
        assert key not in found
        found[key] = row["sample"]
    return found


def refusal(shop, formula, **question):
    """The findings for which a number is refused; None where it is given."""
    asked = formula if isinstance(formula, str) else fk.Metric(name="asked", formula=formula)
    try:
        fk.evaluate(shop, asked, **question)
    except fk.ContractError as error:
        return {
            (f"{fault.table}.{fault.column}", kind_of(fault.problem), rows_of(fault.problem))
            for fault in error.faults
        }
    return None


def rows_of(problem):
    return int(re.search(r", in ([\d,]+) rows?\b", problem)[1].replace(",", ""))


def refuses(expected):
    """What a number is refused for that rests on all that was found."""
    return {
        (place, kind, rows) for place, kind, severity, rows in expected if severity == ERROR
    } or None


def frame_of(rows, **types):
    return pl.DataFrame(rows, schema_overrides=types)


def rearranged(data, frames):
    """The same rows in another order, with a column that no promise is about."""
    return {
        name: frame[data.draw(st.permutations(range(frame.height)))].with_columns(
            remark=pl.lit("guest")
        )
        for name, frame in frames.items()
    }


def written(sample):
    """The values that a sample shows, each a tuple."""
    found = eval(f"[{sample.replace(' and ', ' , ')}]", {"datetime": dt})
    return found if found and isinstance(found[0], tuple) else [(one,) for one in found]


# --- words and numbers that name nobody ----------------------------------------------------------

NAMES = [
    fk.Orders.customer_id,
    fk.Orders.email_hash,
    fk.Customers.customer_id,
    fk.Sessions.customer_id,
    fk.Sessions.visitor_id,
    fk.Events.visitor_id,
    fk.Carts.customer_id,
    fk.Surveys.customer_id,
    fk.EmailSends.recipient_id,
]
NOBODY = ["guest", "null", "none", "nan", "n/a", "unknown", "undefined", "anonymous", "(not set)"]
SOMEBODY = ["a", "b7", "guestbook", "unknowns", "nullius", "0x", "none of us", "-a"]


def table_of(column, keys):
    """Return a table with a column of keys, whole in all else that it must have."""
    table, many = TABLES[column.table], len(keys)
    ids = {name: list(range(1, many + 1)) for name in table.key}
    return {table.table: pl.DataFrame({**ids, table.time: [DAY] * many, column.name: keys})}


@st.composite
def names(draw):
    """Return a column of names, and keys of it, some of them words for nobody."""
    column = draw(st.sampled_from(NAMES))
    ways = st.sampled_from([str.lower, str.upper, str.capitalize, str.title])
    word = st.builds(lambda text, way: way(text), st.sampled_from(NOBODY), ways)
    key = TABLES[column.table].key
    nothing = [] if column.name in key else [None, " "]
    each = word | st.sampled_from([*SOMEBODY, *nothing])
    keys = draw(st.lists(each, min_size=1, max_size=9, unique=key == (column.name,)))
    return column, keys


def nobodies(column, keys):
    """In how many rows a word for nobody is."""
    bad = [key for key in keys if key is not None and key.lower() in NOBODY]
    found = {(str(column), "nobody", ERROR, len(bad)): Counter(bad)} if bad else {}
    blank = keys.count(" ")
    return found | ({(str(column), "blank", WARNING, blank): None} if blank else {})


def two_cases(column, keys):
    """In how many rows a text is that is written in two ways."""
    ways = defaultdict(set)
    for key in keys:
        if key is not None and key.strip():
            ways[key.lower()].add(key)
    bad = [key for key in keys if key is not None and len(ways[key.lower()]) > 1]
    return {(str(column), "two cases", ERROR, len(bad)): ways} if bad else {}


def resting(column):
    """Numbers that rest on a column, and one of its table that does not."""
    rows = TABLES[column.table]
    return [
        (fk.CountDistinct(column), {}),
        (fk.Count(rows, where=column.is_not_null()), {}),
        (fk.Count(rows), {"by": column.name}),
        (fk.Count(rows), {"where": f"{column.name} == 'a'"}),
    ]


@settings(max_examples=150)
@given(data=st.data())
def test_a_word_for_nobody_refuses_what_rests_on_its_column(data):
    column, keys = data.draw(names())
    found = nobodies(column, keys)
    if column.name == "email_hash":
        found |= two_cases(column, keys)
    frames = table_of(column, keys)
    seen = findings(frames)
    assert set(seen) == set(found)
    for place, rows in found.items():
        if place[1] == "nobody":
            shown = re.findall(r"'([^']+)' \((\d+)\)", seen[place])
            assert len(shown) == min(3, len(rows))
            assert {word: int(many) for word, many in shown}.items() <= rows.items()
    shop = fk.Shop.bind(frames)
    formula, question = data.draw(st.sampled_from(resting(column)))
    assert refusal(shop, fk.Count(TABLES[column.table])) is None
    assert refusal(shop, formula, **question) == refuses(found)
    assert findings(rearranged(data, frames)) == seen
    more = table_of(column, [*keys, "one more", "two more"])
    assert findings(more) == seen


def in_far_more_rows(column, counts):
    """What is said of keys by the rows that they are in: -1 names nobody, 0 mostly does not."""
    never = {key: rows for key, rows in counts.items() if int(key) == -1}
    found = {(str(column), "nobody", ERROR, sum(never.values())): never} if never else {}
    zero = {key: rows for key, rows in counts.items() if int(key) == 0}
    others = [rows for key, rows in counts.items() if int(key) not in (0, -1)]
    most, usual = sum(zero.values()), sum(others) / max(len(others), 1)
    if most > 1 and most >= 3 * usual:
        severity = ERROR if most >= max(30, 10 * usual) else WARNING
        found[str(column), "frequent", severity, most] = zero
    (key, first), *_ = ranked = sorted(counts.items(), key=lambda item: -item[1])
    if len(ranked) > 1 and key in others_of(counts) and first >= max(30, 10 * ranked[1][1]):
        found[str(column), "frequent", WARNING, first] = {key: first}
    return found


def others_of(counts):
    return {key for key in counts if int(key) not in (0, -1)}


def told_of_counts(column, counts, unknown):
    """Check what is found of keys that are in so many rows, and return the table."""
    found = in_far_more_rows(column, counts)
    rows = [key for key, many in counts.items() for _ in range(many)]
    frames = table_of(column, [*rows, *[None] * unknown])
    seen = findings(frames)
    assert set(seen) == set(found)
    for place, keys in found.items():
        told = [f"{key!r} ({rows})" for key, rows in keys.items()]
        assert sorted(seen[place].split(", ")) == sorted(told)
    assert refusal(fk.Shop.bind(frames), fk.CountDistinct(column)) == refuses(found)
    return frames


@settings(max_examples=80)
@given(data=st.data())
def test_a_key_in_far_more_rows_than_others_is_told(data):
    column = data.draw(st.sampled_from([fk.Orders.customer_id, fk.EmailSends.recipient_id]))
    usual = data.draw(st.sampled_from([1, 2, 3, 4]))
    near = st.sampled_from([10 * usual - 1, 10 * usual, 10 * usual + 1, 29, 30, 31])
    few = st.integers(max(1, usual - 1), usual + 1) | st.just(usual)
    keys = data.draw(st.lists(st.integers(1, 9), max_size=4, unique=True))
    odd = data.draw(st.lists(st.sampled_from([0, -1, 99]), max_size=2, unique=True))
    counts = {key: data.draw(few) for key in keys}
    counts |= {key: data.draw(near | few) for key in odd} or {1: 1}
    is_text = data.draw(st.booleans())
    keys = {str(key) if is_text else key: many for key, many in counts.items()}
    unknown = 0 if column.name in TABLES[column.table].key else data.draw(st.sampled_from([0, 40]))
    frames = told_of_counts(column, keys, unknown)
    assert findings(rearranged(data, frames)) == findings(frames)


@pytest.mark.parametrize("usual", [2, 3])
@pytest.mark.parametrize("rows", [20, 29, 30])
@pytest.mark.parametrize("key", [0, -1, 99])
def test_a_key_is_in_far_more_rows_from_thirty_and_ten_times_on(key, rows, usual):
    told_of_counts(fk.Orders.customer_id, {key: rows, 5: usual, 6: usual}, 40)


@settings(max_examples=60)
@given(data=st.data())
def test_a_hash_in_two_cases_refuses_what_rests_on_it(data):
    column = data.draw(st.sampled_from([fk.Orders.email_hash, fk.Customers.email_hash]))
    texts = st.text(st.sampled_from("aAbB5é"), min_size=1, max_size=2)
    hashes = data.draw(st.lists(texts | st.sampled_from([None, "A@x", "a@x", "B@x"]), max_size=9))
    hashes.append("c")
    found = two_cases(column, hashes)
    if addresses := [key for key in hashes if key is not None and "@" in key]:
        found[str(column), "address", WARNING, len(addresses)] = None
    frames = table_of(column, hashes)
    seen = findings(frames)
    assert set(seen) == set(found)
    for (_, kind, *_), sample in seen.items():
        if kind == "address":
            assert {one for (one,) in written(sample)} <= set(addresses)
            continue
        for pair in sample.split(", "):
            one, other = (key for (key,) in written(pair))
            assert one != other
            assert one.lower() == other.lower()
            assert {one, other} <= set(hashes)
    shop = fk.Shop.bind(frames)
    assert refusal(shop, fk.CountDistinct(column)) == refuses(found)
    assert refusal(shop, fk.Count(TABLES[column.table])) is None
    again = findings(rearranged(data, frames))
    assert set(again) == set(seen)


# --- rows that are there twice -------------------------------------------------------------------

BUYING = ["purchase", "Purchase", " PURCHASE ", "order completed"]


@settings(max_examples=60)
@given(data=st.data())
def test_an_order_that_is_purchased_twice_refuses_values(data):
    names = st.sampled_from([*BUYING, "page_view", "add_to_cart", "seen"])
    event = st.tuples(names, st.sampled_from(["T1", "T2", "T3", None]), st.integers(0, 9))
    events = [*data.draw(st.lists(event, max_size=9)), ("page_view", None, 0)]
    bought = Counter(order for name, order, _ in events if name in BUYING and order is not None)
    twice = {order: rows for order, rows in bought.items() if rows > 1}
    place = ("events.order_id", "purchased twice", ERROR, sum(twice.values()))
    found = {place: twice} if twice else {}

    def frames_of(events):
        name, order, value = zip(*events, strict=True)
        ids = range(len(events))
        return {
            "events": frame_of(
                {
                    "event_id": ids,
                    "visitor_id": [f"v{n}" for n in ids],
                    "occurred_at": [DAY] * len(events),
                    "event_name": name,
                    "order_id": order,
                    "value": value,
                },
                order_id=pl.String,
            )
        }

    frames = frames_of(events)
    seen = findings(frames)
    assert set(seen) == set(found)
    for sample in seen.values():
        shown = [order for (order,) in written(sample)]
        assert shown == sorted(twice)[:3]
    shop, bought = fk.Shop.bind(frames), fk.Events.event_name.eq("purchase")
    assert refusal(shop, fk.Sum(fk.Events.value, where=bought)) == refuses(found)
    assert refusal(shop, fk.Sum(fk.Events.value)) == refuses(found)
    assert refusal(shop, fk.Count(fk.Events, where=bought)) is None
    assert refusal(shop, fk.CountDistinct(fk.Events.order_id)) is None
    assert findings(rearranged(data, frames)) == seen
    more = [*events, ("purchase", "T9", 5), ("page_view", "T1", 5), ("purchase", None, 5)]
    assert findings(frames_of(more)) == seen


KEYED = {
    "orders": {"order_id": [1, 2, 3, None]},
    "email_sends": {"message_id": [1, 2, None], "recipient_id": ["r", "s", None]},
    "campaign_performance": {
        "date": [DAY.date(), dt.date(2024, 5, 2), None],
        "platform": ["google", "meta", None],
        "campaign_id": ["c", "d", None],
    },
    "inventory_snapshots": {
        "snapshot_date": [DAY.date(), dt.date(2024, 5, 2), None],
        "product_id": ["p", "q", None],
        "location_id": ["w", "x"],
    },
    "exchange_rates": {"date": [DAY.date(), dt.date(2024, 5, 2)], "currency": ["EUR", "USD", None]},
}


@st.composite
def keyed(draw):
    """Return a table, its rows, and which columns of its key are bound."""
    table = TABLES[draw(st.sampled_from(list(KEYED)))]
    columns = {name: st.sampled_from(values) for name, values in KEYED[table.table].items()}
    if table.time not in columns:
        columns[table.time] = st.sampled_from([DAY, DAY, DAY, None])
    rows = draw(st.lists(st.fixed_dictionaries(columns), min_size=1, max_size=6))
    gone = draw(st.lists(st.sampled_from(table.key), max_size=2, unique=True))
    return table, rows, [name for name in table.key if name not in gone]


def broken_keys(table, rows, bound):
    """What is wrong with keys and times, by the rows: no key, a key twice, a key in part."""
    found = {}
    key = [tuple(row[name] for name in bound) for row in rows]
    whole = [one for one in key if None not in one]
    doubles = Counter(whole)
    doubles = {one: many for one, many in doubles.items() if many > 1}
    repeated = sum(doubles.values()) - len(doubles)
    missing = ", ".join(name for name in table.key if name not in bound)
    if not bound:
        found[f"{table.table}.{missing}", "no key bound", WARNING, len(rows)] = None
    elif missing:
        if repeated:
            found[f"{table.table}.{missing}", "key bound in part", WARNING, repeated] = doubles
    else:
        place = f"{table.table}.{', '.join(table.key)}"
        if repeated:
            found[place, "repeated", ERROR, repeated] = doubles
        if len(whole) < len(key):
            found[place, "no key", ERROR, len(key) - len(whole)] = None
    is_timed = table.time in bound or table.time not in table.key
    untimed = [one for one, row in zip(key, rows, strict=True) if row[table.time] is None]
    if is_timed and untimed:
        found[f"{table.table}.{table.time}", "no time", WARNING, len(untimed)] = untimed
    return found


@settings(max_examples=120)
@given(data=st.data())
def test_keys_are_unique_and_whole_and_rows_have_a_time(data):
    table, rows, bound = data.draw(keyed())
    names = [name for name in rows[0] if name in bound or name not in table.key]
    assert names or not bound
    plain = [{**{name: row[name] for name in names}, "note": "x"} for row in rows]
    moments = pl.Date if table.table in {"campaign_performance", "exchange_rates"} else None
    types = {table.time: moments} if moments and table.time in names else {}
    frames = {table.table: frame_of(plain, **types)}
    found = broken_keys(table, rows, bound)
    seen = findings(frames)
    assert set(seen) == set(found)
    for place, bad in found.items():
        if isinstance(bad, dict):
            most = sorted(bad.values(), reverse=True)[:3]
            assert [bad[one] for one in written(seen[place])] == most
        if isinstance(bad, list) and bound == list(table.key):
            assert set(written(seen[place])) <= set(bad)
            assert len(written(seen[place])) == min(3, len(bad))
    shop = fk.Shop.bind(frames)
    refused = refusal(shop, fk.Count(table))
    assert refused == refuses(found)
    is_timed = table.time in names and any(row[table.time] is not None for row in rows)
    if refused is None and is_timed:
        days = fk.evaluate(shop, fk.Metric(name="n", formula=fk.Count(table)), every="1d").frame
        assert days["n"].sum() == sum(row[table.time] is not None for row in rows)
    assert findings(rearranged(data, frames)) == seen


# --- rows that belong together -------------------------------------------------------------------

PARTS = {
    "goods": ["product", "PRODUCT", None],
    "cards": ["gift_card", "Gift Card", "giftcard "],
    "fees": ["fee"],
}
"""What a line may be called, by what it is."""


@st.composite
def order_of_parts(draw):
    """Return the lines of an order by part: what each is called, its units, the price of one."""
    price = st.sampled_from([2500, 2500, 4000, 0])
    units = st.sampled_from([1, 1, 2, None])
    return {
        part: draw(st.lists(st.tuples(st.sampled_from(words), units, price), max_size=2))
        for part, words in PARTS.items()
    }


@settings(max_examples=100)
@given(data=st.data())
def test_an_amount_with_its_gift_cards_is_told(data):
    orders = data.draw(st.lists(order_of_parts(), min_size=1, max_size=4))
    amounts, bad, others = {}, {}, set()
    for order, parts in enumerate(orders):
        cents = {
            part: sum((units or 0) * price for _, units, price in lines)
            for part, lines in parts.items()
        }
        both = cents["goods"] + cents["cards"]
        gross = data.draw(st.sampled_from([both, both, both + cents["fees"], cents["goods"]]))
        gross = max(gross + data.draw(st.sampled_from([0, 0, 0.4, -0.4, 0.6, -0.6])), 0)
        amounts[order] = data.draw(st.sampled_from([gross / 100] * 4 + [None]))
        is_sum = amounts[order] is not None and abs(gross - both) < 0.5
        if is_sum and cents["goods"] and cents["cards"]:
            bad[order] = (amounts[order], cents["cards"] / 100)
        has_goods = any(units is not None for _, units, _ in parts["goods"])
        is_far = abs(gross - cents["goods"]) > 0.01 * cents["goods"] + 5
        if amounts[order] is not None and has_goods and is_far and order not in bad:
            others.add(order)
    lines = [
        (order, *line)
        for order, parts in enumerate(orders)
        for some in parts.values()
        for line in some
    ]
    place = ("orders.gross_amount", "gift card", WARNING, len(bad))
    found = {place: bad} if bad else {}
    frames = shop_of_lines(amounts, lines)
    seen = findings(frames)
    unknown = sum(amount is None for amount in amounts.values())
    more = {("orders.gross_amount", "no amount", WARNING, unknown)} if unknown else set()
    more |= {("orders.gross_amount", "another sum", WARNING, len(others))} if others else set()
    uncounted = sum(units is None for _, _, units, _ in lines)
    more |= {("order_lines.quantity", "no amount", WARNING, uncounted)} if uncounted else set()
    assert set(seen) == set(found) | more
    for place in found:
        shown = written(seen[place])
        assert len(shown) == min(3, len(bad))
        assert {order: tuple(told) for order, *told in shown}.items() <= bad.items()
    assert refusal(fk.Shop.bind(frames), "gross_sales") is None
    assert findings(rearranged(data, frames)) == seen
    more = shop_of_lines({**amounts, 9: 9.0}, [*lines, (9, "product", 1, 900), (9, "fee", 1, 5)])
    assert findings(more) == seen


def shop_of_lines(amounts, lines):
    orders = {
        "order_id": list(amounts),
        "ordered_at": [DAY] * len(amounts),
        "status": ["paid"] * len(amounts),
        "gross_amount": list(amounts.values()),
    }
    order, kind, units, cents = zip(*lines, strict=True) if lines else ((), (), (), ())
    rows = {
        "order_line_id": range(len(lines)),
        "order_id": order,
        "line_type": kind,
        "quantity": units,
        "unit_price": [price / 100 for price in cents],
    }
    types = {"order_id": pl.Int64, "line_type": pl.String, "quantity": pl.Int64}
    return {
        "orders": frame_of(orders, gross_amount=pl.Float64),
        "order_lines": frame_of(rows, unit_price=pl.Float64, **types),
    }


@settings(max_examples=150)
@given(data=st.data())
def test_a_guest_who_registers_later_is_told(data):
    buyer = st.tuples(
        st.sampled_from([None, None, "7", "8"]),
        st.sampled_from([None, "g1", "g2", "g3", "G1"]),
        st.sampled_from([None, "7", "g1", "x"]),
    )
    buyers = data.draw(st.lists(buyer, min_size=1, max_size=8))
    is_given, has_accounts = data.draw(st.booleans()), data.draw(st.booleans())
    owners = defaultdict(set)
    for account, email, key in buyers:
        owner = key if is_given else (account if has_accounts else None) or email
        if email is not None and owner is not None:
            owners[email].add(owner)
    hashes = [email for _, email, _ in buyers]
    several = [email for email in hashes if email is not None and len(owners[email]) > 1]
    found = two_cases(fk.Orders.email_hash, hashes)
    if several:
        found["orders.email_hash", "several customers", WARNING, len(several)] = several

    def frames_of(buyers):
        account, email, key = zip(*buyers, strict=True)
        plain = {"order_id": range(len(buyers)), "ordered_at": [DAY] * len(buyers)}
        plain |= {"email_hash": email, "status": ["paid"] * len(buyers)}
        plain |= {"customer_id": account} if has_accounts else {}
        plain |= {"customer_key": key} if is_given else {}
        keys = {name: pl.String for name in plain if name in KEYS}
        return {"orders": frame_of(plain, **keys)}

    frames = frames_of(buyers)
    seen = findings(frames)
    assert set(seen) == set(found)
    for (_, kind, *_), sample in seen.items():
        if kind == "several customers":
            assert [one for (one,) in written(sample)] == sorted(set(several))[:3]
    shop = fk.Shop.bind(frames)
    assert refusal(shop, fk.CountDistinct(fk.Orders.email_hash)) == refuses(found)
    assert refusal(shop, "customers") == (None if is_given else refuses(found))
    assert refusal(shop, "orders") is None
    assert findings(rearranged(data, frames)) == seen
    more = frames_of([*buyers, (None, "g9", "z"), (None, "g9", "z"), ("9", None, "9")])
    assert findings(more) == seen


KEYS = {"email_hash", "customer_id", "customer_key"}


# --- snapshots and scales ------------------------------------------------------------------------

ZONES = ["UTC", "Europe/Warsaw", "America/New_York", "Pacific/Auckland", "Asia/Kathmandu"]


@settings(max_examples=100)
@given(data=st.data())
def test_several_counts_of_a_product_in_a_place_on_a_local_day_are_refused(data):
    zone, is_aware = data.draw(st.sampled_from(ZONES)), data.draw(st.booleans())
    minutes = st.integers(-26, 26).map(lambda half: 30 * half)
    start = data.draw(st.sampled_from([dt.datetime(2024, 3, 31), dt.datetime(2024, 10, 27)]))
    moment = minutes.map(lambda past: start + dt.timedelta(minutes=past))
    count = st.tuples(moment, st.sampled_from("pq"), st.sampled_from("wx"))
    rows = data.draw(st.lists(count, min_size=1, max_size=6, unique=True))
    has_places = data.draw(st.booleans())

    def local(moment):
        if not is_aware:
            return moment.date()
        return moment.replace(tzinfo=dt.UTC).astimezone(ZoneInfo(zone)).date()

    def frames_of(rows):
        moment, product, place = zip(*rows, strict=True)
        many = len(rows)
        plain = {"snapshot_date": moment, "product_id": product, "on_hand_units": [3] * many}
        plain |= {"location_id": place} if has_places else {}
        frame = pl.DataFrame({**plain, "unit_cost": [1.0] * many})
        day = pl.col("snapshot_date")
        moments = day.dt.replace_time_zone("UTC") if is_aware else day
        return {"inventory_snapshots": frame.with_columns(moments)}

    days = [(local(moment), product, place)[: 2 + has_places] for moment, product, place in rows]
    counts = Counter(days)
    bad = {day: many for day, many in counts.items() if many > 1}
    found = {}
    if bad:
        place = ("inventory_snapshots.snapshot_date", "several a day", ERROR, sum(bad.values()))
        found[place] = bad
    doubles = len(rows) - len({row[: 2 + has_places] for row in rows})
    if doubles:
        place = "inventory_snapshots.location_id"
        found[place, "key bound in part", WARNING, doubles] = None
    frames = frames_of(rows)
    seen = findings(frames, time_zone=zone)
    assert set(seen) == set(found)
    for (_, kind, *_), sample in seen.items():
        if kind == "several a day":
            shown = re.findall(r"(datetime.date\([^)]*\)(?: and '\w')+)", sample)
            assert [tuple(one for (one,) in written(each)) for each in shown] == sorted(bad)[:3]
    shop = fk.Shop.bind(frames, time_zone=zone)
    question = data.draw(st.sampled_from([{}, {"every": "1d"}, {"by": "product_id"}]))
    table = fk.InventorySnapshots
    folds = [fk.Count(table), fk.Sum(table.on_hand_units), fk.CountDistinct(table.product_id)]
    assert refusal(shop, data.draw(st.sampled_from(folds)), **question) == refuses(found)
    assert refusal(shop, "stockout_rate") == refuses(found)
    assert findings(rearranged(data, frames), time_zone=zone) == seen
    more = [*rows, (start + dt.timedelta(days=9), "p", "w"), (start, "r", "w")]
    assert findings(frames_of(more), time_zone=zone) == seen


ANSWER = st.sampled_from(["csat", "CSAT", "nps", " Nps", "brand_aided"]).flatmap(
    lambda kind: st.tuples(
        st.just(kind),
        st.integers(1, 5) | st.none(),
        st.sampled_from([5, 10, 7, None]) if "sat" in kind.lower() else SCALES,
    )
)
SCALES = st.sampled_from([10, 10, 10, None, 5, 11])
"""What scale an answer is on that is none of satisfaction."""


@settings(max_examples=100)
@given(data=st.data())
def test_an_answer_on_another_scale_refuses_what_takes_it_for_the_usual_one(data):
    answers = data.draw(st.lists(ANSWER, min_size=1, max_size=7))
    has_scale = data.draw(st.booleans())
    kinds = [kind.strip().lower() for kind, _, _ in answers]
    scales = [(kind, scale) for kind, (_, _, scale) in zip(kinds, answers, strict=True)]
    bad = {
        kind: [
            n for n, (of, scale) in enumerate(scales) if of == kind and scale not in (usual, None)
        ]
        for kind, usual in (("csat", 5), ("nps", 10))
    }
    found = {
        ("surveys.scale_max", f"{kind} scale", ERROR, len(rows)): rows
        for kind, rows in bad.items()
        if rows and has_scale
    }

    def frames_of(answers):
        kind, score, scale = zip(*answers, strict=True)
        plain = {
            "response_id": range(len(answers)),
            "responded_at": [DAY] * len(answers),
            "survey_type": kind,
            "score": score,
        }
        plain |= {"scale_max": scale} if has_scale else {}
        types = {name: pl.Int64 for name in ("score", "scale_max") if name in plain}
        return {"surveys": frame_of(plain, survey_type=pl.String, **types)}

    frames = frames_of(answers)
    seen = findings(frames)
    assert set(seen) == set(found)
    for (_, kind, *_), sample in seen.items():
        shown = written(sample)
        if kind == "csat scale":
            assert [(one,) for one in sorted({answers[n][2] for n in bad["csat"]})] == shown
        else:
            assert [(n, "nps", answers[n][2]) for n in bad["nps"][:3]] == shown
    shop = fk.Shop.bind(frames)
    of_all = {one for one in refuses(found) or () if one[1] == "nps scale"} or None
    of_five = of_all or refuses(found)
    assert refusal(shop, data.draw(st.sampled_from(OF_FIVE))) == of_five
    others = st.sampled_from(["nps", fk.Count(fk.Surveys), "customer_satisfaction_score.any_scale"])
    other = data.draw(others)
    if has_scale or not isinstance(other, str) or "any" not in other:
        assert refusal(shop, other) == of_all
    assert findings(rearranged(data, frames)) == seen
    more = [*answers, ("csat", 4, 5), ("csat", 2, None), ("nps", 9, 10), ("nps", 3, None)]
    assert findings(frames_of(more)) == seen


OF_FIVE = ["csat", "customer_satisfaction_score.all_answers"]


# --- a shop that keeps them all ------------------------------------------------------------------


@st.composite
def kept(draw):
    """Return a shop of many tables that keeps every promise, in words that shops use."""
    people = [f"c{n}" for n in range(draw(st.integers(1, 4)))]
    orders = draw(st.lists(st.sampled_from([*people, None]), min_size=1, max_size=6))
    ids = list(range(len(orders)))
    moments = [DAY + dt.timedelta(hours=draw(st.integers(0, 999))) for _ in orders]
    goods = [draw(st.integers(1, 9)) * 10.0 for _ in orders]
    cards = [draw(st.sampled_from([0, 0, 25.0])) for _ in orders]
    lines = [(order, "product", price) for order, price in enumerate(goods)]
    lines += [(order, "Gift Card", price) for order, price in enumerate(cards) if price]
    order_of, kind, price = zip(*lines, strict=True)
    kinds = draw(st.lists(st.sampled_from([("nps", 10), ("CSAT", 5), ("csat", None)]), min_size=1))
    survey_type, scale = zip(*kinds, strict=True)
    hours = st.integers(0, 23).map(lambda hour: DAY.replace(hour=hour))
    counts = draw(st.lists(st.tuples(st.sampled_from("pq"), st.sampled_from("wx")), unique=True))
    counts = [(*count, draw(hours)) for count in counts or [("p", "w")]]
    product, place, counted = zip(*counts, strict=True)
    return {
        "customers": {"customer_id": people, "created_at": [DAY] * len(people)},
        "orders": {
            "order_id": ids,
            "ordered_at": moments,
            "status": [draw(st.sampled_from(["paid", "Cancelled", "pending"])) for _ in ids],
            "customer_id": orders,
            "email_hash": [f"h{n}" if who is None else f"f{who}" for n, who in enumerate(orders)],
            "gross_amount": goods,
            "discount_amount": [draw(st.sampled_from([0.0, 5.0])) for _ in ids],
        },
        "order_lines": {
            "order_line_id": range(len(lines)),
            "order_id": order_of,
            "line_type": kind,
            "quantity": [1] * len(lines),
            "unit_price": price,
        },
        "events": {
            "event_id": range(2 * len(ids)),
            "visitor_id": [f"v{n % 3}" for n in range(2 * len(ids))],
            "event_name": ["purchase"] * len(ids) + ["page_view"] * len(ids),
            "occurred_at": moments * 2,
            "order_id": ids * 2,
            "value": goods * 2,
        },
        "surveys": {
            "response_id": range(len(kinds)),
            "responded_at": [DAY] * len(kinds),
            "survey_type": survey_type,
            "scale_max": scale,
            "score": [draw(st.integers(1, 5)) for _ in kinds],
        },
        "inventory_snapshots": {
            "snapshot_date": counted,
            "product_id": product,
            "location_id": place,
            "on_hand_units": [draw(st.integers(0, 9)) for _ in counts],
            "unit_cost": [2.0] * len(counts),
        },
    }


@pytest.mark.filterwarnings("ignore::funnelkit.TruncatedHistoryWarning")
@settings(max_examples=30)
@given(data=st.data())
def test_a_shop_that_keeps_every_promise_is_never_refused(data):
    frames = {name: pl.DataFrame(rows) for name, rows in data.draw(kept()).items()}
    assert findings(frames) == {}
    shop = fk.Shop.bind(frames)
    ready = shop.metrics().filter("is_ready")["metric"].to_list()
    for name in data.draw(st.lists(st.sampled_from(ready), min_size=6, max_size=6, unique=True)):
        by = fk.registry()[name].required_dimension or []
        assert refusal(shop, name, by=by, every="1mo") is None


# --- these laws can fail -------------------------------------------------------------------------


def breaks(law):
    """Whether a law finds an example against it."""
    examples = settings(max_examples=200, phases=[Phase.generate], database=None, derandomize=True)
    try:
        examples(given(data=st.data())(law.hypothesis.inner_test))()
    except (AssertionError, BaseExceptionGroup):
        return True
    return False


def otherwise(kind, **fields):
    """Return the promises with those of a kind declared otherwise."""
    return tuple(replace(one, **fields) if isinstance(one, kind) else one for one in PROMISES)


def with_one_row_more(*args):
    rows, sample = COUNTED(*args)
    return rows + 1, sample


def without_doubles(*args):
    return replace(OVERVIEW(*args), double_keys=0)


COUNTED, OVERVIEW = broken_promises.counted, row_checks._overview
WORDS = test_a_word_for_nobody_refuses_what_rests_on_its_column
NUMBERS = test_a_key_in_far_more_rows_than_others_is_told
HASHES = test_a_hash_in_two_cases_refuses_what_rests_on_it
PURCHASES = test_an_order_that_is_purchased_twice_refuses_values
WHOLE_KEYS = test_keys_are_unique_and_whole_and_rows_have_a_time
GIFTS = test_an_amount_with_its_gift_cards_is_told
GUESTS = test_a_guest_who_registers_later_is_told
SNAPSHOTS = test_several_counts_of_a_product_in_a_place_on_a_local_day_are_refused
SCALED = test_an_answer_on_another_scale_refuses_what_takes_it_for_the_usual_one
KEPT = test_a_shop_that_keeps_every_promise_is_never_refused
ALL = fk.Events.event_name.is_not_null() | fk.Events.event_name.is_null()
FAULTS = {
    "words in small letters alone": (WORDS, broken_promises, "_spelt", list),
    "nothing rests on words": (WORDS, broken_promises, "_is_due", lambda *_: False),
    "everything rests on words": (WORDS, broken_promises, "_is_due", lambda *_: True),
    "eleven times": (NUMBERS, shop_schema, "PROMISES", otherwise(StandInCheck, times=11)),
    "case is not folded": (HASHES, broken_promises, "Lower", lambda column: column),
    "events of any name": (PURCHASES, shop_schema, "PROMISES", otherwise(OnceCheck, where=ALL)),
    "no key is repeated": (WHOLE_KEYS, row_checks, "_overview", without_doubles),
    "a row more": (GIFTS, amounts, "counted", with_one_row_more),
    "any line is a gift card": (
        GIFTS,
        shop_schema,
        "PROMISES",
        otherwise(TotalCheck, outside=fk.OrderLines.line_type.ne("product")),
    ),
    "owned by the account": (
        GUESTS,
        shop_schema,
        "PROMISES",
        otherwise(OneOwnerCheck, owner=fk.Orders.customer_id),
    ),
    "days of another clock": (
        SNAPSHOTS,
        shop_schema,
        "PROMISES",
        otherwise(DailyCheck, column=fk.Orders.ordered_at),
    ),
    "satisfied of ten": (SCALED, shop_schema, "PROMISES", otherwise(ScaleCheck, scale=10)),
    "a false alarm": (KEPT, shop_schema, "PROMISES", otherwise(ScaleCheck, scale=4)),
}


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found_out(fault, monkeypatch):
    law, place, name, other = FAULTS[fault]
    monkeypatch.setattr(place, name, other)
    assert breaks(law)
