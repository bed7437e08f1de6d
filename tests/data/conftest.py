"""The data sets as shops, each bound once: made data everywhere, real data where it is."""

from collections.abc import Callable, Iterator

import pytest

import funnelkit as fk
from data import made, shops, shops_dbtie, shops_visits
from data.sql import READ, REAL

Bind = Callable[..., fk.Shop]
REAL_DATA = pytest.param("real", marks=pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True, params=["made", REAL_DATA])
def bind(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bind]:
    """Give what binds a shop, while made or real files are read."""
    if request.param == "real" and not REAL.is_dir():
        pytest.skip("the real data sets are not here")
    is_made = request.param == "made"
    READ.path = made.write(tmp_path_factory.mktemp("made")) if is_made else REAL
    yield fk.Shop.bind
    READ.path = REAL


@pytest.fixture(scope="session")
def online_retail(bind: Bind) -> fk.Shop:
    """Orders without a status, all of which count; their amounts derive from their lines."""
    return bind(shops.online_retail(), order_policy="all", currency="GBP")


@pytest.fixture(scope="session")
def two_years(bind: Bind) -> fk.Shop:
    return bind(shops.online_retail_two_years(), order_policy="all", currency="GBP")


@pytest.fixture(scope="session")
def cdnow(bind: Bind) -> fk.Shop:
    empty = ("returns",)
    return bind(shops.cdnow(), order_policy="all", currency="USD", assume_empty=empty)


@pytest.fixture(scope="session")
def maven(bind: Bind) -> fk.Shop:
    return bind(shops.maven(), order_policy="all", currency="USD")


@pytest.fixture(scope="session")
def maven_part(bind: Bind) -> fk.Shop:
    return bind(shops.maven_part(), order_policy="all", currency="USD")


@pytest.fixture(scope="session")
def maven_pages(bind: Bind) -> fk.Shop:
    return bind(shops_visits.maven_events(), order_policy="all", currency="USD")


@pytest.fixture(scope="session")
def clickstream(bind: Bind) -> fk.Shop:
    return bind(shops_visits.clickstream(), order_policy="all")


@pytest.fixture(scope="session")
def dbtie(bind: Bind) -> fk.Shop:
    return bind(shops_dbtie.dbtie(), currency="USD")


@pytest.fixture(scope="session")
def dbtie_with_costs(bind: Bind) -> fk.Shop:
    """The export tells nothing of parcels: what carriers take is in no margin of it."""
    empty = ("shipments",)
    return bind(shops_dbtie.dbtie_with_costs(), currency="USD", assume_empty=empty)
