"""Which format a file or folder is of, and shops of folders in which each file is recognised."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Unpack

import polars as pl

from funnelkit.errors import DataError, shortened
from funnelkit.shop.description import Note, Topic
from funnelkit.shop.settings import Settings
from funnelkit.shop.shop import Shop
from funnelkit.sources.ga4_bigquery import ga4_bigquery
from funnelkit.sources.ga4_report import LAYOUT as GA4
from funnelkit.sources.ga4_report import NAMES as GA4_NAMES
from funnelkit.sources.ga4_report import ga4_report
from funnelkit.sources.google_ads import LAYOUT as GOOGLE
from funnelkit.sources.google_ads import NAMES as GOOGLE_NAMES
from funnelkit.sources.google_ads import google_ads
from funnelkit.sources.klaviyo import klaviyo
from funnelkit.sources.magento import LAYOUTS as MAGENTO
from funnelkit.sources.magento import magento
from funnelkit.sources.mailchimp import LAYOUT as MAILCHIMP
from funnelkit.sources.mailchimp import mailchimp
from funnelkit.sources.meta_ads import LAYOUT as META
from funnelkit.sources.meta_ads import NAMES as META_NAMES
from funnelkit.sources.meta_ads import meta_ads
from funnelkit.sources.olist import LAYOUTS as OLIST
from funnelkit.sources.olist import olist
from funnelkit.sources.reading import Layout
from funnelkit.sources.reports import spellings
from funnelkit.sources.segment import segment
from funnelkit.sources.shopify import LAYOUT as SHOPIFY
from funnelkit.sources.shopify import shopify
from funnelkit.sources.shopify_json import shopify_json
from funnelkit.sources.stripe import LAYOUT as STRIPE
from funnelkit.sources.stripe import stripe
from funnelkit.sources.tiktok_ads import LAYOUT as TIKTOK
from funnelkit.sources.tiktok_ads import NAMES as TIKTOK_NAMES
from funnelkit.sources.tiktok_ads import tiktok_ads
from funnelkit.sources.woocommerce import LAYOUTS as WOOCOMMERCE
from funnelkit.sources.woocommerce import woocommerce
from funnelkit.sources.woocommerce_orders import LAYOUT as WOOCOMMERCE_ORDERS
from funnelkit.sources.woocommerce_orders import woocommerce_orders

__all__ = ["Detected", "detect", "scan"]

START = 1 << 16
"""How many bytes of a file show of which format it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Format:
    """How a format is recognised.

    Attributes:
        name: The name of the function that reads it.
        read: The function.
        what: What it is.
        needs: The columns, keys or tables that it has.
        names: Other names of its columns, as regular expressions.
    """

    name: str
    read: Callable[..., Shop]
    what: str
    needs: frozenset[str]
    names: Mapping[str, str] = field(default_factory=dict[str, str])


def _of_columns(
    read: Callable[..., Shop], layout: Layout, names: Mapping[str, str] | None = None
) -> _Format:
    needs = frozenset(layout.required)
    return _Format(name=read.__name__, read=read, what=layout.name, needs=needs, names=names or {})


def _of_needs(read: Callable[..., Shop], what: str, *needs: str) -> _Format:
    return _Format(name=read.__name__, read=read, what=what, needs=frozenset(needs))


TABLES = (
    _of_columns(shopify, SHOPIFY),
    _of_columns(stripe, STRIPE),
    _of_columns(mailchimp, MAILCHIMP),
    _of_columns(woocommerce_orders, WOOCOMMERCE_ORDERS),
    _of_columns(ga4_report, GA4, spellings(GA4, GA4_NAMES)),
    _of_columns(meta_ads, META, spellings(META, META_NAMES)),
    _of_columns(tiktok_ads, TIKTOK, spellings(TIKTOK, TIKTOK_NAMES)),
    _of_columns(google_ads, GOOGLE, spellings(GOOGLE, GOOGLE_NAMES)),
)
"""Formats that the columns of one table show."""

OBJECTS = (
    _of_needs(
        ga4_bigquery,
        "the export of Google Analytics 4 to BigQuery",
        *("event_name", "event_timestamp", "event_params", "user_pseudo_id"),
    ),
    _of_needs(
        shopify_json,
        "orders of the Shopify Admin API",
        *("line_items", "financial_status", "total_tax"),
    ),
    _of_needs(segment, "events of Segment", "messageId", "timestamp", "type"),
    _of_needs(klaviyo, "events of Klaviyo", "relationships", "attributes", "event_properties"),
)
"""Formats that the keys of their objects show."""

FOLDERS = (
    _of_needs(woocommerce, "tables of WooCommerce", *(set(WOOCOMMERCE) - {"wc_customer_lookup"})),
    _of_needs(magento, "tables of Magento", *(set(MAGENTO) - {"sales_creditmemo_item"})),
    _of_needs(
        olist, "tables of Olist", *(set(OLIST) - {"products_dataset", "order_reviews_dataset"})
    ),
)
"""Formats that the files of a folder show."""


@dataclass(frozen=True, slots=True)
class Detected:
    """What a file or folder was found to be.

    Attributes:
        path: The file or folder.
        format: The name of the function of `fk.sources` that reads it; empty if there is none.
        why: What shows it, or what the closest format has besides.
    """

    path: Path
    format: str
    why: str

    def __str__(self) -> str:
        return f"{self.path.name}: {self.why}"

    def shop(self, **settings: Unpack[Settings]) -> Shop:
        """Return the shop in it.

        Args:
            settings: As for `Shop`.

        Raises:
            DataError: It is of no known format.
        """
        for known in (*TABLES, *OBJECTS, *FOLDERS):
            if known.name == self.format:
                return known.read(self.path, **settings)
        raise DataError(f"{self.path.name!r} is of no known format: {self.why}", _REMEDY)


_REMEDY = "name it after a table, such as orders.csv, or write a mapping: funnelkit init FOLDER"


def detect(path: str | Path) -> Detected:
    """Return of which format a file or folder is, and why.

    Args:
        path: The file or folder.

    Raises:
        DataError: It does not exist.
    """
    place = Path(path)
    if not place.exists():
        raise DataError(f"there is no file {shortened(str(place), most=200)!r}")
    if place.is_dir():
        return _of_folder(place)
    if place.suffix.lower() in (".json", ".jsonl", ".ndjson"):
        return _best(place, OBJECTS, [set(re.findall(r'"([\w$ ]+)"\s*:', _start(place)))])
    if place.suffix.lower() == ".parquet":
        return _best(place, OBJECTS[:1], [set(_columns(place))])
    if place.suffix.lower() in (".csv", ".tsv", ".txt"):
        return _best(place, TABLES, _lines(_start(place)))
    return Detected(place, "", "no known format ends in " + (place.suffix or "nothing"))


def _of_folder(folder: Path) -> Detected:
    """Return the format of a folder: of its tables, or of all of its files."""
    files = sorted(file for file in folder.iterdir() if file.is_file())
    tables = [{need for need in known.needs if _has_table(files, need)} for known in FOLDERS]
    found = _best(folder, FOLDERS, tables)
    if found.format:
        return found
    kinds = {detect(file).format for file in files}
    if len(kinds) == 1 and "" not in kinds:
        return Detected(folder, kinds.pop(), f"every file is {detect(files[0]).why}")
    return found


def _has_table(files: Iterable[Path], table: str) -> bool:
    return any(file.stem.lower().endswith(table) for file in files)


def _start(path: Path) -> str:
    with path.open("rb") as opened:
        start = opened.read(START)
    is_wide = start.startswith((b"\xff\xfe", b"\xfe\xff"))
    return start.decode("utf-16" if is_wide else "utf-8-sig", errors="replace")


def _columns(path: Path) -> list[str]:
    try:
        return list(pl.read_parquet_schema(path))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError):
        return []


def _lines(text: str) -> list[set[str]]:
    """Return the cells of each of the first lines, for every separator."""
    found: list[set[str]] = []
    for separator in ",\t;":
        try:
            rows = list(csv.reader(StringIO(text, newline=""), delimiter=separator))[:30]
        except csv.Error:
            continue
        found += [{cell.strip() for cell in row} for row in rows]
    return found


def _best(path: Path, formats: Sequence[_Format], found: Sequence[set[str]]) -> Detected:
    """Return the format of which a line has all that it needs, else the closest."""
    shares = [
        (max((_share(known, cells) for cells in found), default=0.0), known) for known in formats
    ]
    share, known = max(shares, key=lambda pair: pair[0])
    if share == 1:
        return Detected(path, known.name, f"{known.what}: has {', '.join(sorted(known.needs))}")
    if share == 0:
        return Detected(path, "", "nothing in it is of a known format")
    cells = max(found, key=lambda cells: _share(known, cells))
    lacking = ", ".join(sorted(known.needs - _known(known, cells)))
    return Detected(path, "", f"closest to {known.what}, which also has {lacking}")


def _known(known: _Format, cells: set[str]) -> set[str]:
    others = {
        name
        for pattern, name in known.names.items()
        for cell in cells
        if re.fullmatch(pattern, cell, re.IGNORECASE)
    }
    return (cells | others) & known.needs


def _share(known: _Format, cells: set[str]) -> float:
    return len(_known(known, cells)) / len(known.needs)


def scan(folder: str | Path, **settings: Unpack[Settings]) -> Shop:
    """Return the shop in a folder of exports, of which each is recognised.

    `shop.describe()` tells what each file was taken for. Campaigns of several files are put
    together; any other table must be in one of them.

    Args:
        folder: The folder, or one file.
        settings: As for `Shop`.

    Raises:
        DataError: Nothing in it is of a known format, or two files have the same table.
        ContractError: Lists every fault of a file.
    """
    place = Path(folder)
    whole = detect(place)
    if whole.format:
        shop = whole.shop(**settings)
        shop.notes = (Note(Topic.RECOGNISED, whole.path.name, whole.why), *shop.notes)
        return shop
    files = sorted(place.iterdir()) if place.is_dir() else [place]
    found = [detect(file) for file in files if file.is_file() and file.suffix != ".toml"]
    parts = [(each, each.shop(**settings)) for each in found if each.format]
    if not parts:
        told = "".join(f"\n  {each}" for each in found)
        problem = f"{str(place)!r} has no file named after a table, nor one of a known format"
        raise DataError(problem + told, _REMEDY)
    own: Settings = {**_currency(parts), **settings}
    own.pop("rename", None)
    own.pop("prices_include_tax", None)
    shop = Shop.bind(_merged(parts), **own)
    shop.add_notes([Note(_topic(each), each.path.name, each.why) for each in found])
    shop.add_notes([note for _, part in parts for note in part.notes])
    return shop


def _topic(found: Detected) -> Topic:
    return Topic.RECOGNISED if found.format else Topic.IGNORED


def _currency(parts: Sequence[tuple[Detected, Shop]]) -> Settings:
    codes = {part.data.currency for _, part in parts if part.data.currency}
    return {"currency": codes.pop()} if len(codes) == 1 else {}


def _merged(parts: Sequence[tuple[Detected, Shop]]) -> dict[str, pl.LazyFrame]:
    merged: dict[str, pl.LazyFrame] = {}
    for each, part in parts:
        for name, frame in part.frames.items():
            if name in merged and name != "campaign_performance":
                problem = f"{each.path.name!r} has {name}, and so has another file"
                raise DataError(problem, "read them one by one, and bind what you want of each")
            whole = [merged[name], frame] if name in merged else [frame]
            merged[name] = pl.concat(whole, how="diagonal_relaxed")
    return merged
