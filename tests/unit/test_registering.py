"""Metrics of one's own: registered, overridden in a block, offered by plug-ins."""

import importlib.metadata
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile
from pathlib import Path

import polars as pl
import pytest

import funnelkit as fk
from funnelkit.catalog import plugins
from funnelkit.catalog.plugins import GROUP
from funnelkit.formula.properties import walk

PACKAGE = Path(__file__).with_name("example_plugin")


def metric(name="own_orders", formula="count(orders)", **fields):
    return fk.Metric(name=name, formula=formula, **fields)


def test_a_clash_names_both_origins():
    one = fk.Registry([metric()], origin="acme.toml")
    two = fk.Registry([metric(formula="count(sessions)")], origin="the plug-in 'acme'")
    with pytest.raises(fk.DefinitionError) as caught:
        _ = one | two
    assert "'own_orders' of acme.toml and 'own_orders' of the plug-in 'acme'" in str(caught.value)
    with pytest.raises(fk.DefinitionError, match="built-in catalogue and 'x' of fk"):
        fk.register(metric("x", aliases=("aov",)))


def test_a_registry_is_registered_as_a_whole_or_not_at_all():
    both = fk.Registry([metric("one"), metric("orders", formula="count(orders)")])
    with pytest.raises(fk.DefinitionError, match="'orders' names both"):
        fk.register(both)
    assert "one" not in fk.registry()
    fk.register(both, replace=True)
    assert str(fk.registry()["orders"].formula) == "count(orders)"


def test_a_replaced_metric_takes_the_place_of_one_and_leaves_the_others():
    before = fk.registry()
    fk.register(metric("orders", "count(orders)"), replace=True)
    assert len(fk.registry()) == len(before)
    assert before["orders"] != fk.registry()["orders"]


def test_a_registry_is_overridden_in_a_block_and_nowhere_else():
    own = fk.Registry([metric()])
    seen = []
    with fk.use_registry(own):
        assert list(fk.registry()) == ["own_orders"]
        fk.register(metric("another"))
        assert list(fk.registry()) == ["own_orders", "another"]
        other = threading.Thread(target=lambda: seen.append("aov" in fk.registry()))
        other.start()
        other.join()
        with pytest.raises(fk.UnknownNameError, match="'aov'"):
            fk.evaluate(fk.demo(), "aov")
    assert seen == [True]
    assert "own_orders" not in fk.registry()
    assert "another" not in fk.registry()


class Entry:
    """An entry point that gives what it is told."""

    dist = None
    value = "acme:metrics"

    def __init__(self, name, offered):
        self.name, self.offered = name, offered

    def load(self):
        if isinstance(self.offered, Exception):
            raise self.offered
        return self.offered


@pytest.fixture
def plugged(monkeypatch):
    def plug(**offered):
        entries = [Entry(name, value) for name, value in offered.items()]
        monkeypatch.setattr("funnelkit.catalog.plugins.entry_points", lambda **_: entries)
        plugins._loaded.forget()
        return fk.load_plugins

    yield plug
    plugins._loaded.forget()


@pytest.mark.parametrize(
    "offered",
    [
        metric(),
        [metric()],
        fk.Registry([metric()]),
        metric,
        lambda: (metric(),),
    ],
    ids=["metric", "list", "registry", "function", "function of several"],
)
def test_a_plug_in_offers_metrics_in_any_of_these_shapes(plugged, offered):
    assert list(plugged(acme=offered)()) == ["own_orders"]


def test_a_plug_in_may_name_built_in_metrics_in_its_formulas(plugged):
    found = plugged(acme=[metric("margin_per_order", "gross_profit / orders")])()
    assert found["margin_per_order"].depends_on == ("gross_profit", "orders")
    fk.register(found)
    assert fk.evaluate(fk.demo(), "margin_per_order").frame.height == 1


def test_a_plug_in_may_name_metrics_that_were_registered_and_those_of_other_plug_ins(plugged):
    load = plugged(
        alpha=[metric("one", "ours * 2"), metric("two", "one + orders")],
        beta=metric("three", "two + ours"),
    )
    with pytest.warns(fk.PluginWarning, match="skipped"):
        assert list(load()) == []
    fk.register(metric("ours"))
    found = load()
    assert list(found) == ["one", "two", "three"]
    assert found["three"].depends_on == ("two", "ours")
    fk.register(found)
    assert list(load()) == ["one", "two", "three"]


def test_a_plug_in_is_looked_up_in_the_registry_of_the_block(plugged):
    load = plugged(acme=metric("double", "ours * 2"))
    with fk.use_registry(fk.Registry([metric("ours")])):
        assert list(load()) == ["double"]


def test_a_shop_lists_the_metrics_that_were_registered(demo):
    fk.register(metric("ours"))
    assert "ours" in demo.metrics()["metric"]
    with fk.use_registry(fk.Registry([metric("alone")])):
        assert demo.metrics()["metric"].to_list() == ["alone"]


@pytest.fixture(scope="module")
def demo():
    return fk.demo()


def test_a_registry_cannot_be_given_other_tables():
    with pytest.raises(AttributeError):
        fk.registry().tables = ()


@pytest.mark.parametrize(
    ("offered", "reason"),
    [
        (ImportError("no module named acme"), "no module named acme"),
        (RuntimeError("boom"), "RuntimeError: boom"),
        (7, "offers a int"),
        ([metric(), "aov"], "offers a str"),
        ([metric(formula="no_such_metric / orders")], "no_such_metric"),
    ],
)
def test_a_broken_plug_in_is_named_and_left_out(plugged, offered, reason):
    with pytest.warns(fk.PluginWarning, match="the plug-in 'broken'.* is skipped") as caught:
        found = plugged(broken=offered, sound=metric())()
    assert reason in str(caught[0].message)
    assert list(found) == ["own_orders"]


def test_plug_ins_are_read_once(plugged):
    load = plugged(acme=metric())
    assert load() is load()


def test_of_two_plug_ins_that_clash_the_second_is_left_out(plugged):
    with pytest.warns(fk.PluginWarning, match="the plug-in 'beta' is skipped"):
        found = plugged(alpha=metric(), beta=metric(formula="count(sessions)"))()
    assert str(found["own_orders"].formula) == "count(orders)"


def test_an_installed_package_is_found(tmp_path):
    """A wheel is built of the example package, unpacked as an installer does, and found."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=PACKAGE,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("acme_kpis-1.0-*.whl")
    fresh = tmp_path / "fresh"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(fresh)
    code = (
        "import funnelkit as fk; fk.register(fk.load_plugins());"
        "print(fk.registry().origin('gift_wrap_rate'));"
        "print(fk.describe('gift_wrap_rate').metric.title)"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(fresh)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.splitlines() == ["the plug-in 'acme' of acme-kpis 1.0", "Gift-wrap rate"]


def test_without_plugins_in_the_environment_none_are_loaded():
    offered = importlib.metadata.entry_points(group=GROUP)
    plugins._loaded.forget()
    assert (len(fk.load_plugins()) > 0) == (len(offered) > 0)


THREADS, ROUNDS = 16, 20


def test_many_threads_evaluate_while_metrics_are_registered():
    """Same numbers, no error, and no memory that grows with the rounds."""
    orders = pl.select(
        order_id=pl.Series([1, 2]),
        status=pl.Series(["paid", "paid"]),
        ordered_at=pl.Series(["2024-05-01", "2024-05-02"]).str.to_datetime(),
    )
    shop = fk.Shop(orders=orders)
    fk.evaluate(shop, "orders")
    found, errors, stop = set(), [], threading.Event()

    def ask():
        try:
            for _ in range(ROUNDS):
                found.add(fk.evaluate(shop, ["orders"]).frame.item())
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    def add():
        number = 0
        while not stop.is_set():
            fk.register(metric(f"own_{number % 7}"), replace=True)
            number += 1
            time.sleep(0.001)

    tracemalloc.start()
    writer = threading.Thread(target=add)
    writer.start()
    readers = [threading.Thread(target=ask) for _ in range(THREADS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    stop.set()
    writer.join()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert not errors
    assert found == {2}
    assert held < 30_000_000


@pytest.mark.parametrize(
    "ask",
    [
        lambda: fk.register("aov"),
        lambda: fk.Registry(["aov"]),
        lambda: fk.dump_metrics(["aov"]),
        lambda: fk.use_registry({}).__enter__(),
        lambda: fk.parse(None),
        lambda: fk.describe(5),
        lambda: fk.load_metrics(None),
        lambda: fk.registry().find(text=5),
    ],
)
def test_what_is_no_metric_or_registry_is_refused_in_words(ask):
    with pytest.raises(fk.DefinitionError, match=r"give|pass|write it in quotes"):
        ask()


ONLINE = "count(orders, where=orders.is_online)"


def test_a_metric_is_of_the_metrics_that_stand_beside_it_in_the_registry():
    before = fk.registry()
    fk.register(metric("orders", ONLINE), replace=True)
    after = fk.registry()
    replaced = after["orders"].to_formula()
    for name in ("aov", "gross_profit_per_order"):
        assert after[name].fingerprint != before[name].fingerprint
        assert str(after[name].formula) == str(before[name].formula)
    assert replaced in nodes(after["aov"])
    assert replaced in nodes(after["gross_profit_per_order"])
    assert after["sessions"] == before["sessions"]


def test_what_refers_to_a_metric_by_way_of_another_follows_too():
    before = fk.registry()
    fk.register(metric("gross_sales", "sum(orders.gross_amount)"), replace=True)
    for name in ("net_sales", "gross_profit", "gross_margin"):
        replaced = fk.registry()["gross_sales"].to_formula()
        assert replaced in nodes(fk.registry()[name])
        assert replaced not in nodes(before[name])


def nodes(found):
    return list(walk(found.formula))


def test_a_metric_that_comes_with_a_replacement_is_of_the_replacement():
    made = fk.Metric(name="made", formula=fk.registry()["aov"] * 2)
    fk.register(fk.Registry([metric("orders", ONLINE), made]), replace=True)
    assert fk.registry()["orders"].to_formula() in nodes(fk.registry()["made"])


def test_a_metric_does_not_replace_what_it_is_made_of():
    less = fk.Metric(name="net_sales", formula=fk.registry()["net_sales"] * 0.8)
    with pytest.raises(fk.DefinitionError, match="in a circle: net_sales → net_sales"):
        fk.register(less, replace=True)
    with pytest.raises(fk.DefinitionError, match=r"in a circle: .*gross_profit"):
        fk.register(metric("net_sales", "gross_profit + cost_of_goods_sold"), replace=True)


def test_a_metric_is_replaced_by_one_of_its_unit():
    with pytest.raises(fk.UnitError, match=r"orders cannot be replaced: .* declares one unit"):
        fk.register(metric("orders", "count(sessions)"), replace=True)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"stage": "nope"}, "stage='nope' is not one of 'awareness', 'consideration'"),
        ({"stage": ["awareness"]}, r"stage=\['awareness'\] is not one of"),
        ({"area": "nope"}, "area='nope' is not one of"),
        ({"table": fk.Orders}, "table is Orders"),
        ({"tag": 3}, "tag is an int: 3; pass a search term"),
    ],
)
def test_metrics_are_not_looked_for_by_what_there_is_not(asked, told):
    with pytest.raises(fk.DefinitionError, match=told):
        fk.registry().find(**asked)


def test_what_is_found_knows_where_it_comes_from_and_its_tables():
    class Bills(fk.Table, table="bills", key="bill_id", time="billed_at"):
        bill_id = fk.Key()
        billed_at = fk.Time()

    bills = fk.Metric(name="bills", formula=fk.Count(Bills), area="sales")
    found = fk.Registry([bills], origin="the books", tables=[Bills]).find(area="sales")
    assert found.origin("bills") == "the books"
    assert found.tables == (Bills,)
    assert list(fk.registry().find(stage=fk.Stage.AWARENESS, table="campaign_performance"))
