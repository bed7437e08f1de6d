"""Write large made-up shops as Parquet files.

python make_data.py FOLDER [--sessions N]

FOLDER holds the sessions and orders of one shop and, in `customer_orders.parquet`, as many
orders of another that is known by its customers; FOLDER/tenth holds a tenth of the first.
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

SESSIONS = 20_000_000
ORDERS_PER_SESSION = 0.0335
VISITORS_PER_SESSION = 0.4
ORDERS_PER_CUSTOMER = 4.7
START = np.datetime64("2023-01-02", "us")
SPAN_US = 2 * 365 * 86_400 * 1_000_000
ROW_GROUP = 1_000_000

CHANNELS = ("direct", "email", "organic", "paid_search", "paid_social", "referral", "sms", "video")
DEVICES = ("desktop", "mobile", "tablet")
STATUSES = ("paid", "fulfilled", "pending", "cancelled", "test")
SALES_CHANNELS = ("online", "marketplace", "pos")


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a large made-up shop as Parquet files.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--sessions", type=int, default=SESSIONS, help="how many sessions")
    options = parser.parse_args()
    write_shop(options.folder, options.sessions)
    write_shop(options.folder / "tenth", max(1, options.sessions // 10))
    rng = np.random.default_rng(20_230_102)
    write(options.folder / "customer_orders.parquet", make_customer_orders(rng, options.sessions))


def write_shop(folder: Path, rows: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20_230_102)
    sessions = make_sessions(rng, rows)
    write(folder / "sessions.parquet", sessions)
    orders = make_orders(rng, sessions, max(1, int(rows * ORDERS_PER_SESSION)))
    write(folder / "orders.parquet", orders)


def write(path: Path, frame: pl.DataFrame) -> None:
    frame.write_parquet(path, row_group_size=ROW_GROUP)
    print(f"{path}: {frame.height:,} rows, {path.stat().st_size / 2**20:,.0f} MiB")


def make_sessions(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """Give sessions in the order in which they began, as a log holds them."""
    visitors = max(1, int(rows * VISITORS_PER_SESSION))
    engaged = rng.exponential(25.0, rows) * (rng.random(rows) < 0.8)
    return pl.DataFrame(
        {
            "session_id": np.arange(1, rows + 1, dtype=np.int64),
            "visitor_id": rng.integers(1, visitors + 1, rows),
            "started_at": START + np.sort(rng.integers(0, SPAN_US, rows)).astype("timedelta64[us]"),
            "channel": words(rng, CHANNELS, rows, [20, 8, 25, 17, 15, 6, 4, 5]),
            "device": words(rng, DEVICES, rows, [30, 62, 8]),
            "page_views": rng.geometric(0.35, rows),
            "engaged_s": engaged.round(3),
            "has_key_event": rng.random(rows) < 0.04,
            "is_bot": rng.random(rows) < 0.02,
            "has_add_to_cart": rng.random(rows) < 0.09,
        }
    )


def make_orders(rng: np.random.Generator, sessions: pl.DataFrame, rows: int) -> pl.DataFrame:
    """Give orders, most of them placed in a session; those of the shop floor have none."""
    placed_in = sessions[np.sort(rng.integers(0, sessions.height, rows))]
    channels = words(rng, SALES_CHANNELS, rows, [93, 3, 4])
    gross = rng.lognormal(4.0, 0.7, rows).round(2)
    delay = pl.Series(rng.integers(0, 1_800_000_000, rows)).cast(pl.Duration("us"))
    return pl.DataFrame(
        {
            "order_id": np.arange(1, rows + 1, dtype=np.int64),
            "ordered_at": placed_in["started_at"] + delay,
            "session_id": placed_in["session_id"].set(channels != "online", None),
            "customer_id": rng.integers(1, max(2, rows // 2), rows),
            "status": words(rng, STATUSES, rows, [70, 21, 4, 4, 1]),
            "sales_channel": channels,
            "gross_amount": gross,
            "discount_amount": (gross * rng.choice([0.0, 0.0, 0.0, 0.1, 0.25], rows)).round(2),
        }
    )


def make_customer_orders(rng: np.random.Generator, rows: int) -> pl.DataFrame:
    """Give orders of customers of whom some buy often and most seldom; few orders are guests'."""
    ids = rng.permutation(np.arange(1, max(1, int(rows / ORDERS_PER_CUSTOMER)) + 1))
    bought_by = pl.Series(ids[(len(ids) * rng.random(rows) ** 2).astype(np.int64)])
    is_guest = pl.Series(rng.random(rows) < 0.02)
    return pl.DataFrame(
        {
            "order_id": np.arange(1, rows + 1, dtype=np.int64),
            "ordered_at": START + np.sort(rng.integers(0, SPAN_US, rows)).astype("timedelta64[us]"),
            "customer_id": bought_by.set(is_guest, None),
            "status": words(rng, STATUSES, rows, [70, 21, 4, 4, 1]),
        }
    )


def words(
    rng: np.random.Generator, choices: tuple[str, ...], rows: int, weights: list[int]
) -> pl.Series:
    shares = np.cumsum(weights) / sum(weights)
    found = np.searchsorted(shares, rng.random(rows), side="right").astype(np.uint32)
    return pl.Series(choices).gather(found)


if __name__ == "__main__":
    main()
