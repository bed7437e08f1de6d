"""Measure a Shopify export of a million rows: from the file to the first ten KPIs.

python export.py FOLDER [--rows N] [--runs N]

Writes the export to FOLDER if it is not there, and prints the time of `fk.sources.shopify` and the
first ten KPIs beside that of reading the file with Polars, in turn, and the ratio of the medians
and of the fastest runs. The target is 1.5.
"""

import argparse
import statistics
import time
from pathlib import Path

import numpy as np
import polars as pl

import funnelkit as fk

TARGET = 1.5
HEADER = Path(__file__).resolve().parents[1] / "sources" / "samples" / "shopify_orders.csv"
TEN = (
    *("orders", "gross_sales", "discounts", "average_order_value", "median_order_value"),
    *("units_sold", "units_per_transaction", "discount_rate", "customers", "new_customers"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a Shopify export.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many rows")
    parser.add_argument("--runs", type=int, default=5, help="how many runs of each")
    options = parser.parse_args()
    path = options.folder / f"shopify_{options.rows}.csv"
    if not path.exists():
        options.folder.mkdir(parents=True, exist_ok=True)
        make_export(options.rows).write_csv(path)
    read, asked = [], []
    for _ in range(options.runs):
        read.append(seconds(lambda: pl.read_csv(path)))
        asked.append(seconds(lambda: first_ten(path)))
        print(f"read_csv {read[-1]:.2f} s, ten KPIs {asked[-1]:.2f} s", flush=True)
    medians = statistics.median(asked) / statistics.median(read)
    print(f"ratio {medians:.2f}, least {min(asked) / min(read):.2f}, target {TARGET}")


def first_ten(path: Path) -> fk.Result:
    return fk.evaluate(fk.sources.shopify(path, time_zone="Europe/Warsaw"), list(TEN))


def seconds(call) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def make_export(rows: int) -> pl.DataFrame:
    """Give orders of two lines each, in the columns of the admin's export."""
    rng = np.random.default_rng(20_230_102)
    number = np.arange(rows) // 2
    base = pl.DataFrame({"order": number, "buyer": rng.integers(0, max(1, rows // 8), rows)})
    is_first = pl.int_range(pl.len()) % 2 == 0
    minutes = pl.duration(minutes=pl.col("order"))
    time_text = (pl.datetime(2024, 1, 1) + minutes).dt.strftime("%Y-%m-%d %H:%M:%S") + " +0200"
    of_orders = {
        "Financial Status": "paid", "Fulfillment Status": "fulfilled", "Currency": "PLN",
        "Subtotal": "35.00", "Shipping": "5.00", "Taxes": "9.20", "Total": "49.20",
        "Discount Code": "SPRING", "Discount Amount": "5.00", "Shipping Method": "Courier",
        "Billing Name": "A B", "Billing Street": "Long 1", "Billing City": "Warszawa",
        "Billing Zip": "'00-001", "Billing Country": "PL", "Shipping Name": "A B",
        "Shipping Street": "Long 1", "Shipping City": "Warszawa", "Shipping Country": "PL",
        "Payment Method": "Shopify Payments", "Refunded Amount": "0.00", "Source": "web",
        "Risk Level": "Low", "Tax 1 Name": "VAT 23%", "Tax 1 Value": "9.20",
    }  # fmt: skip
    of_lines = {
        "Lineitem quantity": "1", "Lineitem name": "Mug", "Lineitem price": "20.00",
        "Lineitem sku": "MUG-1", "Lineitem requires shipping": "true", "Vendor": "Mugs",
        "Lineitem taxable": "true", "Lineitem discount": "0.00",
    }  # fmt: skip
    columns = {
        "Name": pl.format("#{}", pl.col("order") + 1001),
        "Email": pl.format("buyer{}@example.com", "buyer"),
        "Created at": time_text,
        **{name: pl.when(is_first).then(pl.lit(text)) for name, text in of_orders.items()},
        **{name: pl.lit(text) for name, text in of_lines.items()},
    }
    header = pl.read_csv(HEADER, n_rows=0).columns
    nothing = pl.lit(None, pl.String)
    return base.select(columns.get(name, nothing).alias(name) for name in header)


if __name__ == "__main__":
    main()
