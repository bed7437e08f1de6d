"""`funnelkit watch`: what it prints, and the exit code that a schedule acts on."""

import datetime as dt

import polars as pl
import pytest

from funnelkit.cli import main

WEEKS = [7, 8] * 6


@pytest.fixture
def folder(tmp_path):
    def write(weeks):
        monday = dt.datetime(2024, 1, 1, 12)
        days = [
            monday + dt.timedelta(weeks=week, hours=20 * number)
            for week, count in enumerate([*weeks, 1])
            for number in range(count)
        ]
        orders = {"order_id": range(len(days)), "ordered_at": days, "status": ["paid"] * len(days)}
        pl.DataFrame(orders).write_csv(tmp_path / "orders.csv")
        return str(tmp_path)

    return write


@pytest.fixture
def goals(tmp_path):
    def write(target):
        text = f"[goals.spring]\nmetric = 'orders'\ntarget = {target}\nowner = 'CRM'\n"
        file = tmp_path / "goals.toml"
        file.write_text(text + "start = 2024-01-01\ndeadline = 2024-07-01\n")
        return str(file)

    return write


def test_nothing_to_answer_is_code_0(folder, goals, capsys):
    assert main(["watch", folder(WEEKS), "--goals", goals(180)]) == 0
    out = capsys.readouterr().out
    assert "nothing needs an answer" in out
    assert "looked at 1 chart and 1 goal since 2024-03-18" in out


def test_a_signal_of_the_last_complete_period_is_code_1(folder, goals, capsys):
    assert main(["watch", folder([*WEEKS, 1]), "--goals", goals(100)]) == 1
    assert "orders: 1 in the period of 2024-03-25" in capsys.readouterr().out


def test_a_signal_of_an_earlier_period_is_not_news(folder, goals):
    assert main(["watch", folder([*WEEKS, 1, 7]), "--goals", goals(100)]) == 0


def test_a_goal_off_track_is_code_1(folder, goals, capsys):
    assert main(["watch", folder(WEEKS), "--goals", goals(900)]) == 1
    out = capsys.readouterr().out
    assert "off_track" in out
    assert "CRM" in out


def test_charts_of_named_metrics_need_no_goals(folder, capsys):
    assert main(["watch", folder([*WEEKS, 1]), "--metrics", "orders", "--every", "week"]) == 1
    assert "outside" in capsys.readouterr().out


def test_days_are_charted_without_their_week(folder, capsys):
    assert main(["watch", folder([7] * 9), "--metrics", "orders", "--every", "1d"]) == 0
    assert "looked at 1 chart" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "nothing to watch"),
        (["--goals", "none.toml"], "none.toml cannot be read"),
        (["--metrics", "ordrs"], "did you mean 'orders'"),
        (["--metrics", "sessions"], "sessions"),
        (["--metrics", "orders", "--every", "1y"], "no two complete periods"),
        (["--metrics", "orders", "--every", "1mo"], "no chart has limits"),
    ],
    ids=str,
)
def test_what_cannot_be_looked_at_is_code_2(folder, arguments, told, capsys):
    assert main(["watch", folder(WEEKS), *arguments]) == 2
    assert told in capsys.readouterr().err


def test_orders_that_stop_while_visits_go_on_are_code_1(folder, goals, capsys, tmp_path):
    place = folder(WEEKS)
    pl.read_csv(f"{place}/orders.csv", try_parse_dates=True).filter(
        pl.col("ordered_at") < dt.datetime(2024, 3, 18)
    ).write_csv(f"{place}/orders.csv")
    visits = [dt.datetime(2024, 1, 1, 12) + dt.timedelta(days=day) for day in range(85)]
    sessions = {"session_id": range(85), "visitor_id": range(85), "started_at": visits}
    pl.DataFrame(sessions).write_csv(tmp_path / "sessions.csv")
    assert main(["watch", place, "--goals", goals(100)]) == 1
    assert "orders: 0 in the period of 2024-03-18" in capsys.readouterr().out
