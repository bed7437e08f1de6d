"""Write a large shop of made-up sessions and orders as Parquet files.

python make_data.py FOLDER [--sessions N]
"""

import argparse
from pathlib import Path

import numpy as np
import polars as pl

SESSIONS = 20_000_000
ORDERS_PER_SESSION = 0.0335
VISITORS_PER_SESSION = 0.4
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
    options.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(20_230_102)
    sessions = make_sessions(rng, options.sessions)
    orders = make_orders(rng, sessions)
    for name, frame in {"sessions": sessions, "orders": orders}.items():
        path = options.folder / f"{name}.parquet"
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
        }
    )


def make_orders(rng: np.random.Generator, sessions: pl.DataFrame) -> pl.DataFrame:
    """Give orders, most of them placed in a session; those of the shop floor have none."""
    rows = max(1, int(sessions.height * ORDERS_PER_SESSION))
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


def words(
    rng: np.random.Generator, choices: tuple[str, ...], rows: int, weights: list[int]
) -> pl.Series:
    shares = np.cumsum(weights) / sum(weights)
    found = np.searchsorted(shares, rng.random(rows), side="right").astype(np.uint32)
    return pl.Series(choices).gather(found)


if __name__ == "__main__":
    main()
