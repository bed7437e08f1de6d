"""What evaluate accepts, refuses and returns."""

import datetime as dt
import pickle

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import funnelkit as fk


@pytest.fixture
def shop():
    return fk.demo()


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ({"metrics": []}, "no metric is requested"),
        ({"metrics": "avo"}, "or 'aov'"),
        ({"metrics": "aov", "every": "5mo"}, "does not divide a year"),
        ({"metrics": "aov", "start": "yesterday"}, "is not a valid date"),
        ({"metrics": "aov", "start": "2024-05-01", "end": "2024-05-01"}, "is not after"),
        ({"metrics": "aov", "where": "channel = 'paid'"}, "is not an expression"),
        ({"metrics": "aov", "where": "chanel == 'paid'"}, "did you mean 'channel'"),
        ({"metrics": "aov", "by": "period"}, "also the name of a column"),
        ({"metrics": "orders", "by": "orders"}, "also the name of a column"),
        ({"metrics": "clv"}, r"fk.catalog.customer_lifetime_value\(lifespan_years"),
        ({"metrics": "churn"}, "give periods"),
        ({"metrics": "churn", "every": "1mo", "start": "2024-05-10"}, "not the start of a period"),
        ({"metrics": "ad_spend", "by": "channel"}, "ad_spend needs it there"),
        ({"metrics": "ad_spend", "every": "1h"}, "whole days"),
        (
            {"metrics": fk.catalog.customer_lifetime_value(lifespan_years=2)},
            "length of the range",
        ),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_what_to_do(shop, question, message):
    with pytest.raises(fk.FunnelkitError, match=message):
        fk.evaluate(shop, **question)


def test_a_metric_asked_by_alias_has_its_full_name_and_comes_once(shop):
    result = fk.evaluate(shop, ["aov", "average_order_value", fk.registry()["aov"]])
    assert result.frame.columns == ["average_order_value"]


def test_counts_are_whole_and_everything_else_is_float(shop):
    schema = fk.evaluate(
        shop, ["orders", "customers", "units_sold", "cr"], every="1mo"
    ).frame.schema
    assert dict(schema) == {
        "period": pl.Date,
        "orders": pl.Int64,
        "customers": pl.Int64,
        "units_sold": pl.Float64,
        "session_conversion_rate": pl.Float64,
    }


def test_hours_are_labelled_by_a_datetime_in_the_zone_of_the_shop(shop):
    frame = fk.evaluate(shop, "sessions", every="1h", end="2024-01-02").frame
    assert frame.schema["period"] == pl.Datetime("us", "Europe/Warsaw")
    assert frame.get_column("sessions").sum() > 0


def test_totals_are_computed_anew_and_marked(shop):
    result = fk.evaluate(shop, ["cr", "unique_visitors"], by="device", totals=True)
    total = result.frame.filter("is_total")
    whole = fk.evaluate(shop, ["cr", "unique_visitors"])
    assert total.select(whole.frame.columns).equals(whole.frame)
    parts = result.frame.filter(~pl.col("is_total")).get_column("unique_visitors").sum()
    assert parts > total.get_column("unique_visitors").item()


def test_totals_are_of_the_range_between_boundaries(shop):
    first = fk.evaluate(shop, "orders", every="1mo").frame["period"][0]
    ends = [first, first + dt.timedelta(days=5), first + dt.timedelta(days=9)]
    result = fk.evaluate(shop, "orders", every=ends, totals=True)
    total = result.frame.filter("is_total").get_column("orders").item()
    assert total == result.frame.filter(~pl.col("is_total")).get_column("orders").sum()
    assert total == fk.evaluate(shop, "orders", start=ends[0], end=ends[-1]).frame.item()


def test_totals_without_keys_are_of_the_whole_range(shop):
    result = fk.evaluate(shop, ["orders", "churn"], every="1q", totals=True)
    total = result.frame.filter("is_total")
    assert total.get_column("orders").item() == fk.evaluate(shop, "orders").frame.item()
    assert total.get_column("customer_churn_rate").item() is None


def test_a_result_rolls_up_where_that_is_legal_and_names_what_stops_it(shop):
    fine = fk.evaluate(shop, ["cr", "aov"], by=["channel", "device"], every="1q")
    direct = fk.evaluate(shop, ["cr", "aov"], by="channel")
    assert_frame_equal(fine.rollup("channel").frame, direct.frame)
    visitors = fk.evaluate(shop, "revenue_per_visitor", by=["channel", "device"])
    with pytest.raises(fk.UnsupportedError, match=r"revenue_per_visitor .* over device: count_dis"):
        visitors.rollup("channel")
    with pytest.raises(fk.UnknownNameError, match="chanel"):
        fine.rollup("chanel")


def test_tidy_gives_numerator_denominator_n_and_reasons(shop):
    tidy = fk.evaluate(shop, ["cr", "orders", "roas", "churn"], every="1q").tidy()
    rate = tidy.filter(pl.col("metric") == "session_conversion_rate")
    assert (rate["numerator"] / rate["denominator"]).to_list() == rate["value"].to_list()
    assert rate["n"].to_list() == rate["denominator"].to_list()
    orders = tidy.filter(pl.col("metric") == "orders")
    assert orders["n"].to_list() == orders["value"].to_list()
    reasons = dict(tidy.filter(pl.col("value").is_null()).select("metric", "reason").iter_rows())
    assert reasons == {
        "return_on_ad_spend": "mixed_platform",
        "customer_churn_rate": "empty_denominator",
    }


def test_a_result_speaks_arrow_html_and_text_and_survives_pickling(shop):
    result = fk.evaluate(shop, ["aov", "cr"], by="channel", every="1q")
    assert pl.DataFrame(result).equals(result.frame)
    assert "<table " in result._repr_html_()
    assert "PLN" in repr(result)
    back = pickle.loads(pickle.dumps(result))
    assert back.frame.equals(result.frame)
    assert back.explain() == result.explain()


def test_the_plan_reads_each_table_once_and_only_what_is_needed(shop):
    plan = fk.plan(shop, ["cr", "bounce_rate", "sessions", "aov", "orders"], every="1w")
    text = str(plan)
    assert repr(plan) == text
    assert ">2 steps for 5 metrics" in plan._repr_html_()
    assert text.count("fold sessions") == 1
    assert text.count("fold orders") == 1
    assert "visitor_id" not in text


def test_parts_of_one_question_can_be_asked_from_many_threads(shop):
    from concurrent.futures import ThreadPoolExecutor

    def ask(_):
        return fk.evaluate(shop, ["aov", "repeat_purchase_rate"], by="channel").frame

    with ThreadPoolExecutor(8) as pool:
        frames = list(pool.map(ask, range(24)))
    assert all(frame.equals(frames[0]) for frame in frames)


def test_the_earlier_period_is_read_even_before_the_start(shop):
    months = fk.evaluate(shop, "churn", every="1mo").frame
    cut = fk.evaluate(shop, "churn", every="1mo", start="2024-06-01", end="2024-09-01").frame
    assert cut.equals(
        months.filter(pl.col("period").is_between(dt.date(2024, 6, 1), dt.date(2024, 8, 1)))
    )


def test_a_registry_is_a_value_and_refuses_a_clash():
    own = fk.Metric(name="own_orders", formula="orders * 1", aliases=("oo",))
    joined = fk.registry() | fk.Registry([own.resolved(dict(fk.registry()))])
    assert joined["oo"].name == "own_orders"
    assert "oo" not in fk.registry()
    clash = fk.Metric(name="aov", formula=fk.Count(fk.Orders))
    with pytest.raises(fk.DefinitionError, match="'aov' names both"):
        fk.registry() | fk.Registry([clash])


def test_metrics_that_name_each_other_in_a_circle_are_refused():
    one = fk.Metric(name="one", formula="two * 2")
    two = fk.Metric(name="two", formula="one * 2")
    with pytest.raises(fk.DefinitionError, match="one → two → one"):
        fk.Registry([one, two])


def test_register_looks_names_up_and_may_replace():
    own = fk.register(fk.Metric(name="own_ticket", formula="gross_sales / orders"))
    assert str(own.unit) == "money/order"
    assert fk.evaluate(fk.demo(), "own_ticket").frame.item() > 0
    with pytest.raises(fk.DefinitionError, match="own_ticket"):
        fk.register(fk.Metric(name="own_ticket", formula="net_sales / orders"))
    fk.register(fk.Metric(name="own_ticket", formula="net_sales / orders"), replace=True)
    assert fk.registry()["own_ticket"].depends_on == ("net_sales", "orders")
    with pytest.raises(fk.UnknownNameError, match="did you mean 'net_sales'"):
        fk.register(fk.Metric(name="broken", formula="net_sale / orders"))


def test_an_empty_result_and_one_of_which_nothing_is_known_until_when_are_shown():
    nothing = fk.Shop(orders=pl.DataFrame(schema=EMPTY_ORDERS))
    assert "orders" in repr(fk.evaluate(nothing, ["aov", "orders"], every="1mo", by="channel"))
    assert fk.evaluate(nothing, ["aov", "orders"]).frame.rows() == [(None, 0)]
    answers = pl.DataFrame(
        {
            "response_id": [1, 2],
            "survey_type": ["nps", "nps"],
            "responded_at": [dt.date(2024, 1, 5), dt.date(2024, 3, 5)],
            "score": [10, 0],
        }
    )
    shown = fk.evaluate(fk.Shop(surveys=answers), "nps", every="1mo")
    assert [line.split()[-1] for line in repr(shown).splitlines()[2:]] == ["+100.0", "–", "-100.0"]
    assert "<table " in shown._repr_html_()


EMPTY_ORDERS = {
    "order_id": pl.Int64,
    "ordered_at": pl.Datetime,
    "status": pl.String,
    "gross_amount": pl.Float64,
    "discount_amount": pl.Float64,
    "channel": pl.String,
}
