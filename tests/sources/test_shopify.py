"""The Shopify orders export: the sample's numbers are computed by hand from its rows.

Prices include 23 % of tax, so 1.23 paid are 1.00 of price and 0.23 of tax. Counted are #1001,
#1002, #1005, #1007 and #1008: #1003 is cancelled, #1004 a gift card alone, #1006 a test.
"""

import polars as pl
import pytest

import funnelkit as fk
from sources.hand import SAMPLES, assert_values, notes_of

ORDERS = SAMPLES / "shopify_orders.csv"
TEXT = pl.read_csv(ORDERS, infer_schema=False)
HAND = {
    "orders": 5,
    "units_sold": 3 + 1 + 1 + 1 + 1,
    "gross_sales": 2 * 50 + 20 + 100 + 20 + 20 + 50,
    "discounts": 12 + 20,  # 14.76 of #1001 and 24.60 of the line of #1002, without tax
    "average_order_value": (310 - 32) / 5,
    "median_order_value": 50,  # of 20, 20, 50, 80, 108
    "units_per_transaction": 7 / 5,
    "discount_rate": 32 / 310,
    "average_unit_retail": 278 / 7,
    "cancellation_rate": 1 / 7,  # #1003 of all but the test
    "customers": 3,  # anna twice, bob, celina; #1008 is of a guest
    "new_customers": 3,
    "repeat_purchase_rate": 1 / 3,
    "purchase_frequency": 4 / 3,
}


def shop_of(frame=ORDERS, **settings):
    return fk.sources.shopify(frame, time_zone="Europe/Warsaw", **settings)


def changed(**columns):
    return TEXT.with_columns(**{name.replace("_", " "): column for name, column in columns.items()})


def test_its_numbers_are_those_computed_by_hand():
    assert_values(shop_of(), HAND)


def test_a_frame_and_a_folder_are_read_as_the_file(tmp_path):
    assert_values(shop_of(TEXT), HAND)
    assert_values(shop_of(pl.read_csv(ORDERS)), HAND)
    for number, part in enumerate((TEXT[:3], TEXT[3:])):
        part.write_csv(tmp_path / f"orders_export_{number}.csv")
    assert_values(shop_of(tmp_path), HAND)
    assert_values(shop_of(tmp_path / "orders_export_*.csv"), HAND)


PRICE, DISCOUNT = pl.col("Lineitem price"), pl.col("Lineitem discount")


@pytest.mark.parametrize(
    "column",
    [
        PRICE,
        PRICE + " ",
        pl.concat_str(pl.lit(" +"), PRICE).alias("Lineitem price"),
        pl.when(DISCOUNT != "0.00")
        .then(DISCOUNT)
        .otherwise(pl.lit("  "))
        .alias("Lineitem discount"),
        pl.col("Lineitem taxable").replace({"true": "Yes", "false": "0"}),
    ],
)
def test_a_file_says_the_same_however_its_numbers_are_written(column, tmp_path):
    TEXT.with_columns(column).write_csv(tmp_path / "orders.csv")
    assert_values(shop_of(tmp_path / "orders.csv"), HAND)


@pytest.mark.parametrize("text", ["nan", "inf", "1e400", "12,5", "5 PLN"])
def test_a_file_with_a_text_for_a_number_is_refused(text, tmp_path):
    is_second = pl.int_range(pl.len()) == 1
    TEXT.with_columns(
        pl.when(is_second).then(pl.lit(text)).otherwise(PRICE).alias("Lineitem price")
    ).write_csv(tmp_path / "orders.csv")
    with pytest.raises(fk.ContractError, match=f"row 3: '{text}' is not a number"):
        shop_of(tmp_path / "orders.csv")


def test_an_order_belongs_to_the_local_day_of_its_offset():
    found = fk.evaluate(shop_of(), "orders", every="1mo").frame.get_column("orders")
    assert found.to_list() == [4, 1]  # #1008, on 30 April at 23:30 UTC, is of 1 May in Warsaw


def test_taxes_and_shipping_are_those_of_the_orders():
    orders = shop_of().frames["orders"].collect().sort("order_id")
    assert orders["tax_amount"].to_list() == [27.14, 18.4, 11.5, 0, 4.6, 11.5, 4.6, 11.5]
    assert orders["shipping_amount"].to_list() == pytest.approx([10, 0, 0, 0, 0, 0, 0, 0])
    assert orders["status"].to_list() == [
        *("fulfilled", "fulfilled", "cancelled", "fulfilled"),
        *("fulfilled", "test", "pending", "fulfilled"),
    ]


def test_refunds_without_dates_are_refused_and_none_are_none():
    with pytest.raises(fk.MissingInputError, match="Refunded Amount has no date"):
        fk.evaluate(shop_of(), "net_sales")
    without = changed(Refunded_Amount=pl.lit("0.00"))
    assert_values(shop_of(without), {"net_sales": 278, "returns_value": 0})


def test_taxes_on_top_of_prices_stay_out_of_them():
    """As the orders of a shop in the United States: the total has the taxes on top."""
    total = pl.col("Total").cast(pl.Float64) + pl.col("Taxes").cast(pl.Float64)
    shop = shop_of(changed(Total=total.round(2).cast(pl.String)))
    assert_values(shop, {"gross_sales": 310 * 1.23, "discounts": 32 * 1.23})


def test_a_total_that_shows_nothing_follows_the_others_or_needs_the_setting():
    tip = pl.when(pl.col("Name") == "#1001").then(pl.lit("150.00"))
    one = changed(Total=tip.otherwise(pl.col("Total")))
    assert_values(shop_of(one), HAND)
    assert "for 1 orders" in notes_of(shop_of(one), "assumed")["prices_include_tax"]
    alone = one.filter(pl.col("Name") == "#1001")
    with pytest.raises(fk.ContractError, match=r"150\.0 of order #1001.*prices_include_tax"):
        shop_of(alone)
    assert_values(shop_of(alone, prices_include_tax=True), {"gross_sales": 120, "discounts": 12})


def test_a_second_currency_is_not_added():
    euros = pl.when(pl.col("Name") == "#1002").then(pl.lit("EUR")).otherwise(pl.col("Currency"))
    with pytest.raises(fk.ContractError, match="EUR"):
        fk.evaluate(shop_of(changed(Currency=euros)), "gross_sales")


def test_all_faults_are_told_at_once_with_their_place():
    bad = changed(
        Created_at=pl.lit("01/04/2024 12:00"),
        Lineitem_price=pl.col("Lineitem price").str.replace(".", ",", literal=True),
    ).drop("Total")
    with pytest.raises(fk.ContractError) as caught:
        shop_of(bad)
    message = str(caught.value)
    assert len(caught.value.faults) == 1
    assert "Total: is not among its columns" in message
    with pytest.raises(fk.ContractError) as caught:
        shop_of(bad.with_columns(Total=pl.lit("1.00")))
    message = str(caught.value)
    assert "Created at: row 2: '01/04/2024 12:00' is not a time with an offset" in message
    assert "Lineitem price: row 2: '61,50' is not a number, and in 9 more rows" in message
    assert "parse it by" in message


MOMENT = pl.col("Created at").str.to_datetime("%Y-%m-%d %H:%M:%S %z")
FIRST_PRICE = pl.when(pl.int_range(pl.len()) == 0).then(pl.lit(float("nan")))


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"Created_at": MOMENT.dt.replace_time_zone(None)}, "Created at: row 2: .* is not a time"),
        ({"Created_at": MOMENT.dt.date()}, r"Created at: row 2: datetime.date.* is not a time"),
        ({"Created_at": MOMENT.dt.epoch("s")}, "Created at: row 2: 1714519800 is not a time"),
        ({"Lineitem_taxable": pl.lit(2)}, "Lineitem taxable: row 2: 2 is not a true or false"),
        (
            {"Lineitem_price": FIRST_PRICE.otherwise(PRICE.cast(pl.Float64))},
            "Lineitem price: row 2: None is no value, and the row needs one",
        ),
        (
            {"Lineitem_price": pl.lit(float("inf"))},
            "Lineitem price: row 2: inf is not a number, and in 9 more rows",
        ),
        ({"Name": pl.Series([object()] * 10, dtype=pl.Object)}, "Name: row 2: .* is not a text"),
    ],
    ids=["no offset", "day", "epoch", "flag", "nan", "infinite", "object"],
)
def test_a_frame_with_other_values_is_refused_by_column_row_and_value(columns, message):
    with pytest.raises(fk.ContractError, match=message):
        shop_of(changed(**columns))


def test_a_frame_says_the_same_whatever_its_types():
    numbers = ["Subtotal", "Shipping", "Taxes", "Total", "Lineitem price", "Lineitem discount"]
    frame = TEXT.with_columns(
        pl.col(numbers).cast(pl.Decimal(12, 2)),
        pl.col("Lineitem quantity").cast(pl.Int8),
        pl.col("Name", "Email", "Financial Status", "Currency").cast(pl.Categorical),
        (pl.col("Lineitem taxable") == "true").cast(pl.Int32),
        MOMENT.dt.convert_time_zone("America/New_York").dt.cast_time_unit("ns"),
    )
    assert_values(shop_of(frame), HAND)
    assert_values(shop_of(frame.lazy()), HAND)


@pytest.mark.parametrize("word", ["none", "N/A", " Guest ", "0", "-"])
def test_a_word_for_nobody_is_no_address(word):
    assert_values(shop_of(changed(Email=pl.col("Email").fill_null(word))), HAND)


def test_an_address_of_nobody_gives_way_to_the_phone():
    is_phoned = pl.col("Name").is_in(["#1005", "#1008"])
    found = changed(
        Email=pl.when(is_phoned).then(pl.lit("none")).otherwise(pl.col("Email")),
        Phone=pl.when(is_phoned).then(pl.concat_str(pl.lit("+48 600 100 2"), pl.col("Name"))),
    )
    assert_values(shop_of(found), {**HAND, "customers": 4, **PHONED})


PHONED = {"new_customers": 4, "repeat_purchase_rate": 1 / 4, "purchase_frequency": 5 / 4}

DEAR = pl.when(pl.col("Name") == "#1001", pl.col("Subtotal").is_not_null()).then(pl.lit("500.00"))
DEAR = DEAR.otherwise(pl.col("Subtotal"))
GERMAN = pl.when(pl.col("Financial Status").is_not_null()).then(pl.lit("bezahlt"))


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pl.concat([TEXT, TEXT[3:4]]), "row 12: '#1005' is in it twice"),
        (TEXT[1:].reverse(), "is not below the row with the fields of its order"),
        (changed(Financial_Status=GERMAN), "row 2: 'bezahlt' is none of pending"),
        (changed(Subtotal=pl.lit(None, pl.String)), "Subtotal: row 2: None"),
        (TEXT.rename({"Created at": "Created_at"}), "it has 'Created_at'"),
        (changed(Subtotal=DEAR), "500.0 of order #1001 is above 147.60, the price of its lines"),
    ],
)
def test_rows_that_make_no_orders_are_faults(frame, words):
    with pytest.raises(fk.ContractError) as caught:
        shop_of(frame)
    assert words in str(caught.value)


def test_a_file_that_broke_off_is_told(tmp_path):
    path = tmp_path / "orders.csv"
    path.write_bytes(ORDERS.read_bytes()[:-40])
    with pytest.raises(fk.ContractError, match="ends within a row"):
        shop_of(path)


def test_what_was_assumed_and_ignored_is_described():
    shop = shop_of()
    assumed = notes_of(shop, "assumed")
    assert assumed["Lineitem name"] == "2 lines are gift cards by their name"
    assert "1 orders of a bogus gateway" in assumed["Payment Method"]
    assert "in proportion to their prices" in assumed["Taxes"]
    assert "Discount Amount" in notes_of(shop, "ignored")["shopify_orders.csv"]
    assert "Refunded Amount" in notes_of(shop, "missing")["returns"]
