"""The real data sets as shops, each bound once."""

import pytest

import funnelkit as fk
from data import shops, shops_dbtie, shops_visits


@pytest.fixture(scope="session")
def online_retail() -> fk.Shop:
    """Orders without a status, all of which count; their amounts derive from their lines."""
    return fk.Shop.bind(shops.online_retail(), order_policy="all", currency="GBP")


@pytest.fixture(scope="session")
def two_years() -> fk.Shop:
    return fk.Shop.bind(shops.online_retail_two_years(), order_policy="all", currency="GBP")


@pytest.fixture(scope="session")
def cdnow() -> fk.Shop:
    empty = ("returns",)
    return fk.Shop.bind(shops.cdnow(), order_policy="all", currency="USD", assume_empty=empty)


@pytest.fixture(scope="session")
def maven() -> fk.Shop:
    return fk.Shop.bind(shops.maven(), order_policy="all", currency="USD")


@pytest.fixture(scope="session")
def maven_part() -> fk.Shop:
    return fk.Shop.bind(shops.maven_part(), order_policy="all", currency="USD")


@pytest.fixture(scope="session")
def maven_pages() -> fk.Shop:
    return fk.Shop.bind(shops_visits.maven_events(), order_policy="all", currency="USD")


@pytest.fixture(scope="session")
def clickstream() -> fk.Shop:
    return fk.Shop.bind(shops_visits.clickstream(), order_policy="all")


@pytest.fixture(scope="session")
def dbtie() -> fk.Shop:
    return fk.Shop.bind(shops_dbtie.dbtie(), currency="USD")


@pytest.fixture(scope="session")
def dbtie_with_costs() -> fk.Shop:
    """The export tells nothing of parcels: what carriers take is in no margin of it."""
    empty = ("shipments",)
    return fk.Shop.bind(shops_dbtie.dbtie_with_costs(), currency="USD", assume_empty=empty)
