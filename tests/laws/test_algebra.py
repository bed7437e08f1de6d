"""Laws of the algebra: text form, equality, units, additivity."""

import copy
import datetime as dt
import pickle
import re

import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, example, find, given, note, settings
from hypothesis import strategies as st

import funnelkit as fk
from funnelkit.errors import DefinitionError, UnitError
from funnelkit.formula.formulas import Arithmetic, Constant, Formula, Name
from funnelkit.formula.operators import Operator
from funnelkit.formula.parsing import parse_predicate
from funnelkit.formula.properties import unit_of_formula
from funnelkit.formula.values import (
    IsTrue,
    Literal,
    unit_of,
)
from laws.plainly import same, sums
from strategies import (
    ORDERS,
    PLAIN_NUMBERS,
    SESSIONS,
    Pool,
    World,
    aggregates,
    fits,
    numbers,
    odd,
    predicates,
    texts_of_formulas,
    worlds,
)

lawful = settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)
cheap = settings(lawful, max_examples=200)
finding = settings(lawful, max_examples=2000, phases=[Phase.generate])
POOLS = st.sampled_from([ORDERS, SESSIONS])
TIP = fk.Orders.column("tip", fk.Money)


def counted(where: object) -> fk.Count:
    return fk.Count(fk.Orders, where=where)


# --- text form -----------------------------------------------------------------------------------


@cheap
@given(texts_of_formulas())
@example(fk.Sum(fk.Orders.gross_amount) - (fk.Sum(TIP) - fk.Sum(fk.Orders.discount_amount)))
@example(fk.Sum(fk.Orders.gross_amount) / (fk.Sum(TIP) * 2) * -1)
@example(Constant(-1) - Constant(-0.5) * Constant(-2))
@example(Constant(10**30) + 1e-300)
@example(fk.Sum((fk.Orders.gross_amount - (TIP - 1)) * (TIP / (TIP * TIP))))
@example(counted((fk.Orders.is_counted | fk.Orders.is_online) & ~(TIP.is_null() | (TIP > 1))))
@example(counted(fk.Orders.is_counted & (fk.Orders.is_online & fk.Orders.is_first_order)))
@example(counted(fk.Orders.is_counted | (fk.Orders.is_online | fk.Orders.is_first_order)))
@example(counted(~~fk.Orders.status.is_in(["a", "'", '"', "\\", "\n"])))
@example(counted(fk.Orders.ordered_at >= dt.datetime(2024, 5, 1)))
@example(counted(fk.Orders.ordered_at >= dt.datetime(2024, 5, 1, tzinfo=dt.UTC)))
@example(counted(Literal(5).eq(fk.Orders.gross_amount)))
def test_a_formula_is_read_back_from_its_text(formula):
    text = str(formula)
    assert fk.parse(text) == formula
    assert str(fk.parse(text)) == text


@cheap
@given(st.data(), POOLS)
def test_every_fold_is_read_back_from_its_text(data, pool):
    formula = data.draw(aggregates(odd(pool, data.draw)))
    assert fk.parse(str(formula)) == formula


@cheap
@given(st.data())
def test_a_predicate_over_dimensions_is_read_back_from_its_text(data):
    words = (fk.Dimension("channel"), fk.Dimension("a b"), fk.Dimension("class"))
    words = (*words, fk.Dimension("channel", orders="sales_channel", carts="sessions.channel"))
    pool = Pool(
        fk.Orders,
        numbers=(fk.Dimension("score"),),
        words=words,
        flags=(IsTrue(fk.Coalesce(fk.Dimension("is_new"), Literal(value=False))),),
        times=(fk.Dimension("day"),),
        keys=(fk.Dimension("id"),),
        literal_words=st.text(max_size=5),
    )
    predicate = data.draw(predicates(pool, 2))
    assert parse_predicate(str(predicate)) == predicate


def test_a_chain_of_many_terms_is_read_back():
    chain: Formula = Name("a")
    for number in range(140):
        chain = chain + Name(f"a{number}")
    assert fk.parse(str(chain)) == chain


def test_a_condition_of_many_alternatives_is_read_back():
    condition = fk.Orders.status.eq("s")
    for number in range(140):
        condition = condition | fk.Orders.status.eq(f"s{number}")
    assert fk.parse(str(counted(condition))) == counted(condition)


def test_brackets_in_a_word_are_no_nesting():
    formula = counted(fk.Orders.status.eq("(" * 500))
    assert fk.parse(str(formula)) == formula


def test_days_in_a_list_are_read_back():
    days = [dt.date(2024, 5, 1), dt.date(2024, 5, 2)]
    formula = counted(fk.Orders.ordered_at.is_in(days))
    assert fk.parse(str(formula)) == formula


def test_a_metric_whose_name_has_a_dot_is_read_back():
    value = fk.catalog.customer_lifetime_value(lifespan_years=3)
    formula = value / Name("customers")
    assert fk.parse(str(formula)) == Name(value.name) / Name("customers")


@pytest.mark.parametrize("unit", [fk.RATIO, fk.SCORE, fk.MULTIPLE, (fk.MONEY / fk.ORDER).percent])
def test_a_column_shown_as_a_share_is_read_back(unit):
    formula = fk.Mean(fk.Orders.column("margin", fk.Quantity, unit))
    assert fk.parse(str(formula)) == formula


@pytest.mark.parametrize("name", ["class", "in", "not", "True", "None", "a b", "", "where", "key"])
def test_the_column_of_a_rollup_is_read_back_or_its_name_is_refused(name):
    try:
        rollup = fk.PerKey(fk.Orders.customer_key, **{name: fk.Count(fk.Orders)})
    except (DefinitionError, TypeError):
        return
    formula = fk.Mean(rollup[name]) if rollup.columns else fk.Count(rollup)
    assert fk.parse(str(formula)) == formula


@pytest.mark.parametrize("name", ["class", "in", "not", "lambda", "if"])
def test_a_metric_is_read_back_by_its_name_or_its_name_is_refused(name):
    try:
        metric = fk.Metric(name=name, formula=fk.Count(fk.Orders))
    except DefinitionError:
        return
    assert fk.parse(str(metric / 2)) == Name(name) / 2


# --- any text ------------------------------------------------------------------------------------

TOKENS = st.sampled_from(
    re.findall(
        r"\S+",
        """
        sum count count_distinct count_retained mean min max quantile std_dev closing_balance rollup
        shift cumulative positive period_days lookup coalesce case elapsed as_of joined date
        dimension between is_null is_true orders sessions orders.gross_amount orders.order_id
        orders.is_counted orders.ordered_at orders.column sessions.channel 'paid' 'money' '' 1 -1
        0.5 1e400 1j True None nan where= of= require_single= periods= skip_nulls= n= ** * + - /
        // % ( ) [ ] { } , . : == != < <= in not and or is if else lambda := ; # ' " \\ b'' f'{x}'
        ... 2024 '2024-01-01' 0x1f 1_0 @ ~ n a é ٣
        """,
    )
)
ENDINGS = st.sampled_from(["", " ", "\n", "\t", "\x00", "\ud800", "\ufeff", "#"])
soups = st.lists(TOKENS, max_size=14).map(" ".join)


@st.composite
def damaged(draw):
    """Texts of formulas with a few tokens lost, doubled, swapped or replaced."""
    tokens = re.findall(r"\w+|\s+|.", str(draw(texts_of_formulas(2))))
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, max(0, len(tokens) - 1)))
        match draw(st.integers(0, 3)):
            case 0:
                del tokens[place : place + 1]
            case 1:
                tokens[place:place] = tokens[place : place + 3]
            case 2:
                tokens[place : place + 2] = reversed(tokens[place : place + 2])
            case _:
                tokens[place : place + 1] = [draw(TOKENS)]
    return "".join(tokens)


def read(text: str) -> Formula | None:
    try:
        return fk.parse(text)
    except DefinitionError as error:
        refused = error
    assert str(refused)
    assert refused.position is None or refused.position >= 0
    return None


@settings(cheap, max_examples=400)
@given(st.text(max_size=40) | soups | damaged(), ENDINGS)
@example("1" * 400, "")
@example("1" * 5000, "")
@example("-" + "9" * 400, "")
@example("sum(coalesce() + orders.gross_amount)", "")
@example("sum(lookup(1, 2))", "")
@example("sum(lookup(orders.session_id, 2))", "")
@example("count(orders, where=dimension(5) == 1)", "")
@example("count(orders, where=is_true(coalesce()))", "")
@example("sum(orders.column('x', 'money', 'a^99999999999999999999'))", "")
@example("count(per_key(orders.customer_key, n=orders))", "")
@example("count(per_key(orders.customer_key, n=1))", "")
@example("count(per_key(orders.customer_key, n=shift(count(orders))))", "")
@example("count_retained(orders.order_id, periods=0.5)", "")
@example("count_retained(orders.order_id, periods='x')", "")
@example("count_retained(orders.order_id, periods=None)", "")
@example("sum(orders.gross_amount, skip_nulls='x')", "")
@example("quantile(orders.gross_amount, 1e999)", "")
@example("count(orders, where=orders.gross_amount > 1e999)", "")
@example("count(orders, where=orders.gross_amount in [1e999])", "")
@example("if_else(orders.is_counted, 1, 2)", "")
@example("sum(if_else(1, 1, 2))", "")
@example("sum(concat_key('a', orders.order_id))", "")
def test_any_text_is_a_formula_or_a_definition_error(text, ending):
    formula = read(text + ending)
    if formula is not None:
        assert fk.parse(str(formula)) == formula


@settings(cheap, max_examples=150)
@given(st.text(max_size=30) | soups)
def test_any_text_is_a_predicate_or_a_definition_error(text):
    try:
        predicate = parse_predicate(text)
    except DefinitionError:
        return
    assert parse_predicate(str(predicate)) == predicate


DEEP = 100_000


@pytest.mark.parametrize(
    "text",
    [
        "(" * DEEP,
        "(" * DEEP + "a" + ")" * DEEP,
        "[" * DEEP,
        "-" * DEEP + "1",
        "not " * 50_000 + "1",
        "a+" * DEEP + "a",
        "a*" * DEEP + "a",
        "a and " * 50_000 + "a",
        "a." * DEEP + "a",
        "a<" * DEEP + "a",
        "positive_or_null(" * DEEP + "a" + ")" * DEEP,
        "positive_or_null(" * 110 + "a" + ")" * 110,
        "-(" * 110 + "a" + ")" * 110,
        "a if a else " * 20_000 + "a",
        "lambda:" * 20_000 + "a",
        "a" * DEEP,
        "1" * DEEP,
        "'" * DEEP,
        "sum(a,where=" * 50_000,
        "count(orders, where=" + "orders.is_counted or " * 20_000 + "orders.is_counted)",
        "x" * 3_000_000,
    ],
    ids=lambda text: f"{text[:12]}…{len(text)}",
)
def test_deep_and_long_texts_end(text):
    read(text)


@pytest.mark.parametrize(
    "text",
    [
        "sum(orders.gross_amount, of=5)",
        "sum(orders.gross_amount, of=orders.customer_key)",
        "count(orders, of=1)",
        "count(orders, 2)",
        "shift(orders, periods=3)",
        "shift(orders, 2, where=orders.is_counted)",
        "shift(orders, 2, 3)",
        "cumulative(orders, where=orders.is_counted)",
        "positive_or_null(orders, above=1)",
        "period_days(every=1)",
        "sum(if_else(orders.is_counted, 1, orders.gross_amount, otherwise=2))",
        "count(orders, where=orders.ordered_at == date('2024-01-01', zone='UTC'))",
        "count_distinct(concat_key('a', orders.order_id, suffix='b'))",
        "count(per_key(orders.customer_key, **x))",
        "count(per_key(orders.customer_key, where=orders.is_counted, where=orders.is_online))",
        "count(orders, where=orders.is_counted, where=orders.is_online)",
        "sum(*orders.gross_amount)",
        "count(orders, **x)",
        "sum(orders.column('x', 'money', unit='money'))",
        "sum(lookup(orders.session_id, sessions.engaged_s, default=0))",
        "mean(orders.gross_amount, skip_nulls=True)",
        "mean(orders.gross_amount, require_single=orders.status)",
        "count(orders, where=dimension('a', **x) == 1)",
    ],
)
def test_an_argument_that_would_be_passed_over_is_refused(text):
    with pytest.raises(DefinitionError):
        fk.parse(text)


# --- nodes ---------------------------------------------------------------------------------------


@cheap
@given(texts_of_formulas())
@example(fk.Count(fk.PerKey(fk.Orders.customer_key, a=fk.Count(fk.Orders), b=fk.Count(fk.Orders))))
def test_nodes_hash_copy_and_pickle(formula):
    again = fk.parse(str(formula))
    assert hash(again) == hash(formula)
    assert {formula: 1}[again] == 1
    for copied in (pickle.loads(pickle.dumps(formula)), copy.deepcopy(formula)):
        assert copied == formula
        assert hash(copied) == hash(formula)
        assert str(copied) == str(formula)


def test_a_metric_survives_pickling_with_its_fingerprint():
    for metric in fk.registry().values():
        copied = pickle.loads(pickle.dumps(metric))
        assert copied == metric
        assert copied.fingerprint == metric.fingerprint


# --- units ---------------------------------------------------------------------------------------


@cheap
@given(st.data(), POOLS)
def test_the_unit_of_a_product_or_quotient_follows(data, pool):
    wide = odd(pool, data.draw)
    one, two = data.draw(numbers(wide)), data.draw(numbers(wide))
    note(f"{one} and {two}")
    assert unit_of(one * two).fits(unit_of(one) * unit_of(two))
    assert unit_of(one / two).fits(unit_of(one) / unit_of(two))
    above, below = fk.Sum(one), fk.Max(two)
    assert unit_of_formula(above * below).fits(unit_of(one) * unit_of(two))
    assert unit_of_formula(above / below).fits(unit_of(one) / unit_of(two))
    assert unit_of_formula(above * 2).fits(unit_of(one))
    assert fk.Metric(name="m", formula=above / below).unit.fits(unit_of(one) / unit_of(two))


@cheap
@given(st.data(), POOLS)
def test_unlike_units_are_never_added_or_compared(data, pool):
    wide = odd(pool, data.draw)
    one, two = data.draw(numbers(wide, 1)), data.draw(numbers(wide, 1))
    formula = Arithmetic(
        data.draw(st.sampled_from([Operator.ADD, Operator.SUBTRACT])), *map(fk.Sum, (one, two))
    )
    if fits(one, two):
        if unit_of(one).fits(unit_of(two)):
            assert unit_of(one - two).fits(unit_of(one))
            assert fk.Metric(name="m", formula=formula).unit.fits(unit_of(one))
        return
    for refused in (lambda: one - two, lambda: one < two, lambda: one.eq(two)):
        with pytest.raises(UnitError):
            refused()
    with pytest.raises(UnitError):
        fk.Metric(name="m", formula=formula)


def test_a_declared_unit_must_be_the_one_that_follows():
    sales = fk.Sum(fk.Orders.gross_amount) / fk.Count(fk.Orders)
    with pytest.raises(UnitError):
        fk.Metric(name="m", formula=sales, unit=fk.MONEY)
    assert fk.Metric(name="m", formula=sales).unit == fk.MONEY / fk.ORDER


@pytest.mark.parametrize(
    "build",
    [
        lambda: fk.If(fk.Orders.is_counted, TIP, fk.Orders.column("wait", fk.Duration)),
        lambda: fk.Coalesce(TIP, fk.Orders.column("wait", fk.Duration)),
    ],
)
def test_the_branches_of_a_choice_have_one_unit(build):
    with pytest.raises(UnitError):
        fk.Metric(name="m", formula=fk.Sum(build()))


def test_a_constant_beside_a_formula_of_a_unit_is_refused():
    with pytest.raises(UnitError):
        fk.Metric(name="m", formula=fk.Sum(TIP) + 1)


# --- additivity ----------------------------------------------------------------------------------

ADDING = ("sum", "strict_sum", "count", "count_value", "distinct", "last", "rollup")
ONCE = fk.CountDistinct(
    fk.Orders.customer_key, where=fk.Orders.is_counted & fk.Orders.is_first_order
)


@st.composite
def adding(draw, kinds=ADDING):
    """Formulas that may or may not add up: folds, sums of folds, multiples of folds."""
    fold = draw(aggregates(draw(POOLS), kinds=kinds))
    match draw(st.integers(0, 3)):
        case 0:
            return fold * draw(PLAIN_NUMBERS)
        case 1:
            return draw(PLAIN_NUMBERS) * fold - fold / 4
        case 2:
            return fk.PositiveOrNull(fold)
        case _:
            return fold


@settings(lawful, max_examples=100)
@given(worlds("sessions", "orders", most=5), adding())
@example(World({}), ONCE)
def test_what_adds_up_over_groups_adds_up_to_the_total(world, formula):
    if not world.tables:
        world = _two_channels()
    metric = fk.Metric(name="m", formula=formula)
    if not metric.additivity.over_keys:
        return
    groups = fk.evaluate(world.shop(), metric, by="channel").frame
    total = fk.evaluate(world.shop(), metric).frame["m"].item()
    largest = max((abs(value) for value in groups["m"].drop_nulls()), default=1)
    assert same(groups["m"].sum(), total or 0, largest)


@settings(lawful, max_examples=80)
@given(
    worlds("sessions", "orders", most=5),
    adding(),
    st.sampled_from(["1d", "1w", "1mo", "1y"]),
)
@example(World({}), ONCE, "1mo")
def test_what_adds_up_over_time_adds_up_to_the_whole(world, formula, every):
    if not world.tables:
        world = _two_channels()
    metric = fk.Metric(name="m", formula=formula)
    if not metric.additivity.over_time:
        return
    periods = fk.evaluate(world.shop(), metric, every=every).frame
    total = fk.evaluate(world.shop(), metric).frame["m"].item()
    largest = max((abs(value) for value in periods["m"].drop_nulls()), default=1)
    assert same(periods["m"].sum(), total or 0, largest)


@lawful
@given(worlds("sessions", "orders", most=5), adding(), st.sampled_from(["1w", "1mo"]))
def test_what_adds_up_over_groups_does_so_in_every_period(world, formula, every):
    metric = fk.Metric(name="m", formula=fk.Shift(formula))
    if not metric.additivity.over_keys:
        return
    shop = world.shop()
    groups = fk.evaluate(shop, metric, by="channel", every=every).frame
    found = sums(groups.select("period", "m").rows())
    totals = dict(fk.evaluate(shop, metric, every=every).frame.select("period", "m").rows())
    largest = max((abs(value) for value in found.values()), default=1)
    for period in {*found, *totals}:
        assert same(found.get(period, 0), totals.get(period) or 0, largest)


@lawful
@given(worlds("marketing_costs", "campaign_performance"), st.sampled_from(["1d", "1w", "1mo"]))
def test_costs_spread_over_days_add_up_over_time(world, every):
    costs, ads = fk.MarketingCosts, fk.CampaignPerformance
    formulas_of = {
        "amount": fk.Sum(costs.amount),
        "spend": fk.Sum(ads.spend, where=ads.is_paid),
        "rows": fk.Count(ads),
        "kinds": fk.Count(ads.platform, where=ads.platform.eq("meta")),
    }
    metrics = [fk.Metric(name=name, formula=formula) for name, formula in formulas_of.items()]
    assert all(metric.additivity.over_time for metric in metrics)
    shop = world.shop()
    periods, total = fk.evaluate(shop, metrics, every=every).frame, fk.evaluate(shop, metrics).frame
    for metric in metrics:
        values = periods[metric.name].drop_nulls().to_list()
        largest = max(map(abs, [1, *values]))
        assert same(sum(values), total[metric.name].item(), largest)


def test_a_cost_that_spans_months_is_counted_as_often_as_it_is_said_to_add_up():
    costs = pl.DataFrame(
        {
            "cost_id": [1],
            "period_start": [dt.date(2024, 1, 30)],
            "period_end": [dt.date(2024, 2, 2)],
            "amount": [4.0],
        }
    )
    shop = fk.Shop(marketing_costs=costs)
    for formula in (fk.Count(fk.MarketingCosts), fk.CountDistinct(fk.MarketingCosts.cost_id)):
        metric = fk.Metric(name="m", formula=formula)
        yearly = fk.evaluate(shop, metric, every="1y").frame["m"].to_list()
        monthly = fk.evaluate(shop, metric, every="1mo").frame["m"].to_list()
        assert yearly == [1]
        assert all(value <= 1 for value in monthly)
        assert not metric.additivity.over_time or sum(monthly) == 1


@given(POOLS, st.data())
@cheap
def test_distinct_counts_do_not_add_up(pool, data):
    columns = [key for key in pool.keys if key.unique_within != key.name]
    distinct = fk.CountDistinct(data.draw(st.sampled_from([*columns, *pool.words])))
    for formula in (distinct, 2 * distinct, distinct + distinct, fk.Shift(distinct)):
        added = fk.Metric(name="m", formula=formula).additivity
        assert not added.over_keys
        assert not added.over_time


@given(st.data(), POOLS)
@cheap
def test_ratios_and_folds_that_are_no_sums_do_not_add_up(data, pool):
    kinds = ["mean", "min", "max", "quantile", "std_dev", "retained", "strict_sum", "within"]
    fold = data.draw(aggregates(pool, kinds=kinds))
    for formula in (fold, fold / fk.Count(pool.table), fk.Count(pool.table) / fold):
        added = fk.Metric(name="m", formula=formula).additivity
        assert not added.over_keys
        assert not added.over_time


def test_earlier_and_running_values_do_not_add_up_over_time():
    for formula in (fk.Shift(fk.Count(fk.Orders)), fk.Cumulative(fk.Count(fk.Orders))):
        assert not fk.Metric(name="m", formula=formula).additivity.over_time
        assert fk.Metric(name="m", formula=formula).additivity.over_keys


# --- these laws can fail -------------------------------------------------------------------------


@pytest.mark.slow
def test_shops_are_found_in_which_distinct_counts_do_not_add_up():
    customers = fk.Metric(name="m", formula=fk.CountDistinct(fk.Orders.customer_key))

    def differs(world: World) -> bool:
        groups = fk.evaluate(world.shop(), customers, by="channel").frame["m"].sum()
        months = fk.evaluate(world.shop(), customers, every="1d").frame["m"].sum()
        total = fk.evaluate(world.shop(), customers).frame["m"].item()
        return total not in {groups, months}

    assert find(worlds("sessions", "orders"), differs, settings=finding)


def test_formulas_are_found_that_are_claimed_to_add_up():
    for wanted in ("over_keys", "over_time"):
        for kind in ("sum", "count", "count_value", "distinct"):
            find(
                adding([kind]),
                lambda f, wanted=wanted: getattr(fk.Metric(name="m", formula=f).additivity, wanted),
                settings=finding,
            )


def _two_channels() -> World:
    day = dt.datetime(2024, 1, 31, 12)
    sessions = pl.DataFrame(
        {"session_id": [1, 2], "started_at": [day, day], "channel": ["paid", None]}
    )
    orders = pl.DataFrame(
        {
            "order_id": [1, 2, 3],
            "ordered_at": [day, day + dt.timedelta(days=1), day + dt.timedelta(days=2)],
            "status": ["paid"] * 3,
            "customer_id": [7, 7, 8],
            "session_id": [1, 2, 2],
        }
    )
    return World({"sessions": sessions, "orders": orders})
