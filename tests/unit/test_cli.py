import datetime as dt
import importlib.util
import json

import duckdb
import polars as pl
import pytest

from funnelkit.cli import main


@pytest.fixture
def folder(tmp_path):
    orders = pl.DataFrame(
        {
            "id": [1, 2, 3],
            "ordered_at": [
                dt.datetime(2024, 1, 5),
                dt.datetime(2024, 1, 6),
                dt.datetime(2024, 2, 1),
            ],
            "state": ["paid", "cancelled", "paid"],
            "total": [40.0, 10.0, 60.0],
            "discount_amount": [0.0, 0.0, 6.0],
            "country": ["PL", "PL", None],
        }
    )
    orders.write_csv(tmp_path / "orders.csv")
    (tmp_path / "notes.csv").write_text("not a table\n")
    (tmp_path / "funnelkit.toml").write_text(
        'currency = "PLN"\ntime_zone = "Europe/Warsaw"\n'
        '[rename.orders]\nid = "order_id"\nstate = "status"\ntotal = "gross_amount"\n'
    )
    return tmp_path


@pytest.fixture
def database(folder):
    path = folder / "shop.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(f"CREATE TABLE orders AS FROM '{folder / 'orders.csv'}'")
        connection.execute("CREATE VIEW notes AS SELECT 1")
    return str(path)


def test_report_computes_in_a_database(folder, database, capsys):
    options = ["--every", "1mo", "--by", "country", "--metrics", "orders, aov", "--format", "csv"]
    assert main(["report", str(folder), *options]) == 0
    of_files = capsys.readouterr().out
    assert main(["report", database, "--engine", "duckdb", *options]) == 0
    assert capsys.readouterr().out == of_files
    assert main(["report", database, "--engine", "duckdb"]) == 0
    assert "average_order_value" in capsys.readouterr().out


def test_sql_writes_a_statement(folder, database, capsys):
    question = ["--every", "1mo", "--by", "country", "--where", "country == 'PL'"]
    assert main(["sql", "orders", "aov", "--data", str(folder), *question]) == 0
    statement = capsys.readouterr().out
    assert main(["sql", "orders", "aov", "--data", database, "--engine", "duckdb", *question]) == 0
    with duckdb.connect(database, read_only=True) as connection:
        found = connection.sql(capsys.readouterr().out).fetchall()
    assert found == [(dt.date(2024, 1, 1), "PL", 1, 40.0)]
    assert main(["sql", "aov", "--data", str(folder), "--dialect", "bigquery"]) == 0
    assert "FROM `orders`" in capsys.readouterr().out
    assert '"average_order_value"' in statement


def test_a_database_without_a_table_is_told(tmp_path, capsys):
    path = tmp_path / "empty.duckdb"
    duckdb.connect(path).close()
    assert main(["report", str(path), "--engine", "duckdb"]) == 2
    assert "has no table of a canonical name" in capsys.readouterr().err
    assert main(["report", str(tmp_path / "none"), "--engine", "duckdb"]) == 2
    assert "cannot be opened" in capsys.readouterr().err


def test_demo_shows_every_kpi(capsys):
    assert main(["demo"]) == 0
    out = capsys.readouterr()
    assert "average_order_value" in out.out
    assert "return_on_ad_spend" in out.out
    assert out.err == ""


def test_catalog_lists_a_stage_and_an_area(capsys):
    assert main(["catalog", "--stage", "decision"]) == 0
    assert "\ncart_abandonment_rate" in capsys.readouterr().out
    assert main(["catalog", "--area", "engagement"]) == 0
    assert "bounce_rate" in capsys.readouterr().out


def test_describe_tells_what_a_kpi_means(capsys):
    assert main(["describe", "cr"]) == 0
    assert "Share of sessions with at least one order." in capsys.readouterr().out


def test_report_reads_the_mapping_and_groups_by_period_and_key(folder, capsys):
    options = ["--every", "1mo", "--by", "country", "--metrics", "orders, aov"]
    assert main(["report", str(folder), *options, "--format", "csv"]) == 0
    assert capsys.readouterr().out == (
        "period,country,orders,average_order_value\n2024-01-01,PL,1,40.0\n2024-02-01,,1,54.0\n"
    )


def test_report_as_json_and_as_a_table(folder, capsys):
    assert main(["report", str(folder), "--metrics", "orders", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"orders": 2}]
    assert main(["report", str(folder), "--metrics", "aov"]) == 0
    assert "47.00 PLN" in capsys.readouterr().out


def test_report_without_metrics_gives_all_that_the_files_and_the_question_allow(folder, capsys):
    assert main(["report", str(folder), "--format", "csv"]) == 0
    head = capsys.readouterr().out.splitlines()[0].split(",")
    assert {"orders", "gross_sales", "discounts", "average_order_value"} <= set(head)
    assert not any("." in name for name in head)


def test_a_history_that_is_cut_off_is_a_note_not_a_failure(capsys, tmp_path):
    pl.DataFrame(
        {
            "order_id": [1],
            "ordered_at": [dt.datetime(2024, 3, 1)],
            "status": ["paid"],
            "customer_id": ["a"],
        }
    ).write_parquet(tmp_path / "orders.parquet")
    options = ["--metrics", "new_customers", "--start", "2024-01-01"]
    assert main(["report", str(tmp_path), *options]) == 0
    assert "note: the history of orders starts on 2024-03-01" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["describe", "nsp"], "did you mean 'nps'"),
        (["report", "nowhere"], "there is no folder 'nowhere'"),
        (["report", ".", "--every", "fortnight"], "has no file named after a table"),
    ],
)
def test_a_mistake_gets_one_message_and_exit_code_2(
    arguments, message, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    out = capsys.readouterr()
    assert out.out == ""
    assert message in out.err
    assert "Traceback" not in out.err


def test_a_setting_that_does_not_exist_is_named(folder, capsys):
    (folder / "funnelkit.toml").write_text('time_zon = "UTC"\n')
    assert main(["report", str(folder)]) == 2
    assert "did you mean 'time_zone'" in capsys.readouterr().err


def test_a_setting_of_the_wrong_kind_is_named(folder, capsys):
    (folder / "funnelkit.toml").write_text("currency = 3\nrename = 'orders'\n")
    assert main(["report", str(folder)]) == 2
    err = capsys.readouterr().err
    assert "rename" in err
    assert "currency" in err


def test_the_catalogue_says_what_a_folder_lacks(tmp_path, capsys):
    pl.DataFrame(
        {"order_id": [1], "ordered_at": [dt.datetime(2024, 5, 1)], "status": ["paid"]}
    ).write_parquet(tmp_path / "orders.parquet")
    assert main(["catalog", "--area", "sales", "--data", str(tmp_path)]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines["orders"].endswith(": ready")
    assert lines["average_order_value"].endswith(": lacks order_lines")
    assert main(["describe", "aov", "--data", str(tmp_path)]) == 0
    assert capsys.readouterr().out.rstrip().endswith(f"{tmp_path}: lacks order_lines")


def test_report_draws_the_metrics_that_are_named(folder, capsys):
    pytest.importorskip("altair")
    file = folder / "orders.json"
    options = ["--every", "1mo", "--metrics", "orders", "--plot"]
    assert main(["report", str(folder), *options, str(file)]) == 0
    assert capsys.readouterr().out == f"{file}\n"
    chart = json.loads(file.read_text())
    assert chart["title"]["text"] == "Orders"
    assert [row["value"] for rows in chart["datasets"].values() for row in rows] == [1, 1]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--plot", "a.html"], "add --metrics"),
        (["--plot", "a.gif", "--metrics", "orders"], ".html, .json, .svg, .png, .pdf"),
        (["--plot", "none/a.json", "--metrics", "orders"], "in a folder that exists"),
        (["--plot", "a.html", "--html", "b.html"], "--html has no --plot"),
    ],
)
def test_what_cannot_be_drawn_is_told(folder, options, message, capsys):
    pytest.importorskip("altair")
    assert main(["report", str(folder), *options]) == 2
    assert message in capsys.readouterr().err
    assert not (folder / "a.html").exists()


def test_a_picture_that_needs_a_package_says_which(folder, monkeypatch, capsys):
    found = importlib.util.find_spec
    missing = {"vl_convert"}
    monkeypatch.setattr(
        "funnelkit.charts.spec.find_spec", lambda name: None if name in missing else found(name)
    )
    options = ["report", str(folder), "--metrics", "orders", "--plot", "a.svg"]
    assert main(options) == 2
    assert "vl-convert-python is not installed; pip install 'funnelkit[plot]'" in (
        capsys.readouterr().err
    )
    missing.add("altair")
    assert main(options) == 2
    assert "altair is not installed" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["cr", "nps", "customer_lifetime_value.discounted"])
def test_a_definition_fits_80_columns(name, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["describe", name]) == 0
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
