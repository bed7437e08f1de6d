"""The report on one page: what it holds, what it escapes, and that it loads nothing."""

import datetime as dt
import re
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

import funnelkit as fk
from browser import Browser, find_browser
from funnelkit.cli import main
from funnelkit.reporting.markup import bar, sparkline
from funnelkit.reporting.style import STYLE
from funnelkit.reporting.words import period_word, range_words
from small_frames import orders_of

EVIL = "<script>alert(1)</script>"
VOID = {"meta", "br"}


class Page(HTMLParser):
    """What a page holds: its elements with their attributes, and whether each is closed."""

    def __init__(self, html):
        super().__init__()
        self.found, self.open, self.text = [], [], ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += "" if "style" in self.open else data.replace("\xa0", " ")

    def all(self, tag):
        return [attrs for name, attrs in self.found if name == tag]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    target = {"start": "2024-12-01", "deadline": "2025-01-01"}
    goals = [
        fk.Goal(metric="net_sales", target=80_000, **target),
        fk.Goal(metric="session_conversion_rate", target=0.05, name=EVIL, **target),
    ]
    path = tmp_path_factory.mktemp("report") / "report.html"
    return fk.report(fk.demo(), path=path, goals=goals, title=f"Shop & {EVIL}")


def test_it_is_one_file_that_loads_nothing_and_runs_nothing(made):
    page = Page(made.html)
    assert page.open == []
    tags = {tag for tag, _ in page.found}
    assert not tags & {"script", "link", "img", "iframe", "base", "form"}
    assert not any({"src", "href", "onload"} & set(attrs) for _, attrs in page.found)
    assert "http" not in made.html.replace("http-equiv", "")
    assert "url(" not in made.html
    assert "@import" not in made.html
    assert Path(made).read_text(encoding="utf-8") == made.html
    assert len(made.html) < 200_000


def test_its_elements_say_what_they_are(made):
    page = Page(made.html)
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert page.all("th")
    assert all(th.get("scope") in {"row", "col"} for th in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table")) > 4
    assert all("aria-label" in svg or svg["aria-hidden"] == "true" for svg in page.all("svg"))
    headings = re.findall("<h2>(.*?)</h2>", made.html)
    assert headings == list(fk.REPORT_SECTIONS)
    assert made.missing == {}


def test_what_users_wrote_stays_text(made):
    assert EVIL not in made.html
    assert Page(made.html).text.count(EVIL) >= 3


def test_its_numbers_are_those_of_the_analyses(made):
    shop, text = fk.demo(), Page(made.html).text
    december = {"start": "2024-12-01", "end": "2025-01-01"}
    sales = fk.compare(shop, "net_sales", every="1mo", **december).frame.row(0, named=True)
    sure = fk.intervals(shop, "net_sales", every="1mo", **december).frame.row(0, named=True)
    for number in (sales["value"], sales["reference"]):
        assert f"{number:,.2f} PLN" in text
    assert f"95 % interval {sure['low']:,.0f} to {sure['high']:,.0f} PLN" in text
    assert f"{sales['relative']:+.2%}".replace("%", " %") in text
    for metric in ("net_sales", "session_conversion_rate"):
        assert fk.describe(metric).metric.fingerprint in text
    assert "missed" in text


def test_a_name_in_the_data_stays_text(tmp_path):
    orders = orders_of(
        ordered_at=[dt.datetime(2024, month, 5) for month in (1, 2, 2, 3)],
        channel=[EVIL, EVIL, "paid", "paid"],
    )
    shop = fk.Shop(orders=orders, assume_empty=["returns"], currency="PLN", as_of="2024-04-01")
    made = fk.report(shop, path=tmp_path / "r.html")
    assert EVIL not in made.html
    assert EVIL in Page(made.html).text
    assert "Purchase funnel" in made.missing


def frame(name):
    return fk.demo().frames[name].collect()


SHOPS = {
    "orders": lambda: fk.Shop(orders=frame("orders")),
    "sessions": lambda: fk.Shop(sessions=frame("sessions"), as_of="2025-01-01"),
    "a stock": lambda: fk.Shop(products=pl.DataFrame({"product_id": [1]})),
    "nothing": fk.Shop,
    "no orders": lambda: fk.Shop(orders=orders_of().clear(), assume_empty=["returns"]),
}


@pytest.mark.parametrize("name", SHOPS)
def test_a_shop_of_little_is_told_what_is_missing(name, tmp_path):
    made = fk.report(SHOPS[name](), path=tmp_path / "r.html")
    assert made.missing
    assert Page(made.html).open == []
    for heading, why in made.missing.items():
        assert f"<h2>{heading}</h2><p" in made.html
        assert why
        assert "\n" not in why


@pytest.mark.parametrize("every", ["6h", "1w", "1y"])
def test_periods_of_any_length(every, tmp_path):
    span = {"start": "2024-12-01", "end": "2025-01-01"} if every == "6h" else {}
    only = {"Headline": fk.REPORT_SECTIONS["Headline"]}
    file = tmp_path / "r.html"
    made = fk.report(fk.demo(), path=file, metrics="orders", every=every, sections=only, **span)
    assert made.missing == {}
    assert "the period before:" not in made.html


def test_a_period_without_rows_is_the_last_complete_one(tmp_path):
    orders = orders_of(ordered_at=[dt.datetime(2024, 1, 5), dt.datetime(2024, 2, 5)])
    shop = fk.Shop(orders=orders, as_of="2024-04-10")
    made = fk.report(shop, path=tmp_path / "r.html", metrics="orders")
    assert "2024-03-01 to 2024-03-31, the last complete month" in Page(made.html).text


def test_a_section_can_be_added_and_what_it_lacks_is_told(tmp_path):
    def own(_, question):
        return f"<p>{len(question.periods)} periods, {question.metrics[0]}</p>"

    def lacking(*_):
        raise fk.DataError("no weather <b> here")

    made = fk.report(
        fk.demo(),
        path=tmp_path / "r.html",
        metrics="orders",
        sections={"Own & more": own, "Weather": lacking, "Empty": lambda *_: ""},
    )
    assert "<h2>Own &amp; more</h2><p>25 periods, orders</p>" in made.html
    assert made.missing == {"Weather": "no weather <b> here"}
    assert "no weather &lt;b&gt; here" in made.html
    assert "Empty" not in made.html


def test_wrong_arguments_are_told(tmp_path):
    with pytest.raises(fk.UnknownNameError, match="avo"):
        fk.report(fk.demo(), path=tmp_path / "r.html", metrics=["avo"])
    with pytest.raises(fk.DefinitionError, match="not a valid period"):
        fk.report(fk.demo(), path=tmp_path / "r.html", every="1x")
    with pytest.raises(fk.DefinitionError, match="cannot be written"):
        fk.report(fk.Shop(), path=tmp_path / "no" / "r.html")


def test_the_command_writes_it(tmp_path, capsys):
    orders_of(ordered_at=[dt.datetime(2024, 1, 5)]).write_csv(tmp_path / "orders.csv")
    file = tmp_path / "r.html"
    assert main(["report", str(tmp_path), "--html", str(file), "--metrics", "orders"]) == 0
    assert str(file) in capsys.readouterr().out
    assert "<h1>Shop report</h1>" in file.read_text()
    assert main(["report", str(tmp_path), "--html", str(file), "--by", "channel"]) == 2
    assert main(["report", str(tmp_path), "--goals", "goals.toml"]) == 2


def test_a_line_has_a_gap_where_there_is_no_value():
    assert sparkline([1, 2, None, 3, 4], "x").count("<polyline") == 2
    assert sparkline([None, 1], "x") == ""
    assert 'x="50.0" y="0" width="25.0"' in bar(0.5, 0.75)
    assert 'x="25.0" y="0" width="25.0"' in bar(0.5, 0.25)


def luminance(colour):
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, two):
    low, high = sorted(map(luminance, (one, two)))
    return (high + 0.05) / (low + 0.05)


def test_every_colour_of_text_stands_out_from_its_ground():
    for palette in STYLE.split("@media print")[0].split(":root")[1:]:
        colours = dict(re.findall(r"--([\w-]+): (#\w{6});", palette))
        for text in ("text", "soft", "better", "worse", "accent"):
            for ground in ("page", "panel"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for ground in ("page", "h1", "h2", "h3", "h4", "h5"):
            assert contrast(colours["on-heat"], colours[ground]) >= 4.5, ground


CUT = """
[...document.querySelectorAll('main *')]
  .filter(each => !each.closest('.box *, svg *'))
  .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(each => each.tagName)
"""
"""What reaches beyond the page, apart from what scrolls in a box of its own."""

FAILURES = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
in_a_browser = pytest.mark.skipif(find_browser() is None, reason="there is no chromium here")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Browser(find_browser(), tmp_path_factory.mktemp("profile"))
    yield found
    found.close()


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1400, 390])
def test_a_report_loads_nothing_and_nothing_is_cut(width, scheme, browser, made):
    page = made.path.as_uri()
    browser.look_at(page, width=width, scheme=scheme)
    assert browser.told(*FAILURES, "Page.javascriptDialogOpening") == []
    requests = browser.told("Network.requestWillBeSent")
    assert [request["request"]["url"] for request in requests] == [page]
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(CUT) == []
    assert browser.run("document.querySelectorAll('script').length") == 0
    assert browser.run("document.querySelector('h1').textContent") == f"Shop & {EVIL}"
    ground = browser.run("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") == (scheme == "light")


@in_a_browser
def test_nothing_is_cut_on_paper(browser, made):
    """A4 within the margins that browsers leave."""
    browser.look_at(made.path.as_uri(), width=717)
    browser("Emulation.setEmulatedMedia", media="print")
    assert browser.run("document.documentElement.scrollWidth") <= 717
    assert browser.run("getComputedStyle(document.querySelector('.box')).overflowX") == "visible"


@in_a_browser
def test_a_view_fits_a_telephone(browser, tmp_path):
    shop = fk.demo()
    twice = pl.concat([frame("orders"), frame("orders").head(1)])
    views = [
        *(shop, fk.Shop(orders=twice).check(), fk.describe("cr"), fk.plan(shop, "cr")),
        *(fk.evaluate(shop, ["cr", "aov"], by="channel"), fk.reconcile(shop, "cr")),
    ]
    file = tmp_path / "views.html"
    body = "".join(view._repr_html_() for view in views)
    meta = '<meta name="viewport" content="width=device-width"><meta charset="utf-8">'
    file.write_text(f"<!DOCTYPE html>{meta}<main>{body}</main>", encoding="utf-8")
    browser.look_at(file.as_uri(), width=390)
    assert browser.run("document.documentElement.scrollWidth") <= 390


@in_a_browser
def test_a_page_with_faults_is_seen(browser, tmp_path):
    """What the test above looks for is found where it is."""
    file = tmp_path / "bad.html"
    wide = "<main><p style='width:2000px'>wide</p></main>"
    bad = "<img src='http://127.0.0.1:9/x.png'><script>no()</script>"
    file.write_text(f"<!DOCTYPE html>{wide}{bad}")
    browser.look_at(file.as_uri(), width=390)
    assert browser.told(*FAILURES)
    assert len(browser.told("Network.requestWillBeSent")) > 1
    assert browser.run("document.documentElement.scrollWidth") > 390
    assert browser.run(CUT) == ["P"]


def test_periods_and_ranges_are_named_as_people_name_them():
    assert [period_word(every) for every in ("1mo", "week", "2w", "6h")] == [
        "month",
        "week",
        "period of 2 weeks",
        "period of 6 hours",
    ]
    day, noon = dt.date(2024, 3, 1), dt.datetime(2024, 3, 1, 12)
    assert range_words(day, dt.date(2024, 4, 1)) == "2024-03-01 to 2024-03-31"
    assert range_words(day, dt.date(2024, 3, 2)) == "2024-03-01"
    assert range_words(noon, noon.replace(hour=18)).endswith("until before 2024-03-01 18:00:00")
    assert range_words("2024-01-01", None) == "from 2024-01-01"
    assert range_words(None, day) == "until 2024-02-29"
    assert range_words(None, None) == ""
