"""A mapping that is proposed for files of unknown names, and files that a mapping names."""

import shutil
import tomllib

import pytest

import funnelkit as fk
from funnelkit.cli import main
from sources.hand import SAMPLES

ORDERS = """orderId,Created At,Status,Customer Id,Total,Discount,Land
1,2024-05-01 10:00:00,paid,a,100.0,10.0,DE
2,2024-05-02 10:00:00,cancelled,b,50.0,0.0,DE
3,2024-06-02 10:00:00,paid,a,60.0,0.0,PL
"""
ITEMS = """id,order_id,sku,qty,price
1,1,MUG,2,50.0
2,2,TEA,1,50.0
3,3,TEA,2,30.0
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "bestellungen.csv").write_text(ORDERS)
    (tmp_path / "positionen.csv").write_text(ITEMS)
    (tmp_path / "zz.csv").write_text("a,b\n1,x\n")
    return tmp_path


def test_a_proposal_is_a_mapping_of_what_is_sure(folder):
    told = tomllib.loads(fk.sources.propose(folder))
    assert told["files"] == {"orders": "bestellungen.csv", "order_lines": "positionen.csv"}
    assert told["rename"]["orders"] == {
        "orderId": "order_id",
        "Created At": "ordered_at",
        "Status": "status",
        "Customer Id": "customer_id",
        "Discount": "discount_amount",
    }
    assert told["rename"]["order_lines"]["qty"] == "quantity"


def test_what_is_not_sure_is_a_remark(folder):
    lines = fk.sources.propose(folder).splitlines()
    doubt = '# "Total" = "gross_amount"  # Price of the goods before discounts, tax and shipping.'
    assert doubt in lines
    assert '# "Land" is of no column; it can be used in by= and where= (String)' in lines
    assert "# zz.csv: like no table; its columns have other names or types" in lines


def test_the_command_prints_it_and_report_reads_it(folder, capsys):
    assert main(["init", str(folder)]) == 0
    (folder / "funnelkit.toml").write_text(capsys.readouterr().out)
    question = ["--metrics", "orders,gross_sales,discounts,customers", "--format", "csv"]
    assert main(["report", str(folder), *question]) == 0
    assert capsys.readouterr().out.splitlines()[1] == "2,160.0,10.0,1"


def test_a_folder_without_files_and_a_mapping_of_other_things_are_errors(tmp_path, capsys):
    assert main(["init", str(tmp_path)]) == 2
    assert "has no file that can be bound" in capsys.readouterr().err
    (tmp_path / "funnelkit.toml").write_text("files = [1]")
    assert main(["report", str(tmp_path)]) == 2
    assert "files that are not names" in capsys.readouterr().err
    (tmp_path / "funnelkit.toml").write_text('[files]\norders = "gone.csv"')
    assert main(["report", str(tmp_path)]) == 2
    assert "gone.csv" in capsys.readouterr().err


def test_report_recognises_exports_and_tells_what_it_took_them_for(tmp_path, capsys):
    for name in ("shopify_orders.json", "google_ads.csv"):
        shutil.copy(SAMPLES / name, tmp_path)
    (tmp_path / "funnelkit.toml").write_text('time_zone = "Europe/Warsaw"')
    question = ["--metrics", "orders,ad_spend", "--format", "csv"]
    assert main(["report", str(tmp_path), *question]) == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[1] == "3,1215.0"
    assert "note: google_ads.csv: a Google Ads report: has Campaign, Cost, Day" in told.err
    assert "note: shopify_orders.json: orders of the Shopify Admin API" in told.err
    assert main(["report", str(tmp_path / "google_ads.csv"), "--metrics", "ad_spend"]) == 0
    assert "1,215.00 PLN" in capsys.readouterr().out


def test_tax_is_not_taken_out_twice():
    with pytest.raises(fk.DefinitionError, match="of this export are without tax"):
        fk.sources.google_ads(SAMPLES / "google_ads.csv", prices_include_tax=True)
