"""What a terminal gets beside the answer: a bar, and words to complete."""

import contextlib
import io
import shutil
import subprocess
import time

import pytest

import funnelkit.terminal
from funnelkit.cli import main
from funnelkit.terminal import working


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(funnelkit.terminal, "SHORT_S", 0.001)
    monkeypatch.setattr(funnelkit.terminal, "EVERY_S", 0.001)


def until(stream, text):
    """Wait until a stream shows a text; a test that waits in vain fails."""
    for _ in range(2000):
        if text in stream.getvalue():
            return
        time.sleep(0.001)
    raise AssertionError(stream.getvalue())


@pytest.mark.usefixtures("quick")
def test_long_work_is_shown_on_a_terminal_and_leaves_nothing():
    stream = Terminal()
    with working(stream) as bar:
        until(stream, "\rcomputing … 0 s")
        bar.parts, bar.done, bar.label = 4, 1, "Cohorts"
        until(stream, "\r█████░░░░░░░░░░░░░░░ 1/4 Cohorts … 0 s")
    *_, last, end = stream.getvalue().split("\r")
    assert last
    assert not last.strip()
    assert end == ""


@pytest.mark.usefixtures("quick")
def test_a_shorter_line_covers_a_longer_one():
    stream = Terminal()
    with working(stream) as bar:
        bar.label = "long " * 9
        until(stream, "long")
        bar.label = "x"
        until(stream, "\rx … 0 s" + " " * 20)


@pytest.mark.usefixtures("quick")
def test_short_work_and_work_in_a_pipe_are_silent(monkeypatch):
    pipe = io.StringIO()
    with working(pipe):
        time.sleep(0.01)
    assert pipe.getvalue() == ""
    monkeypatch.setattr(funnelkit.terminal, "SHORT_S", 60)
    stream = Terminal()
    with working(stream):
        pass
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("quick")
def test_a_bar_is_gone_before_the_message_of_an_error():
    stream = Terminal()
    with contextlib.suppress(ZeroDivisionError), working(stream):
        until(stream, "computing")
        raise ZeroDivisionError
    assert stream.getvalue().endswith("\r")


@pytest.mark.usefixtures("quick")
def test_a_note_has_a_line_of_its_own_once_the_bar_is_gone():
    stream = Terminal()
    with working(stream) as bar:
        until(stream, "computing")
        bar.notes.append("a.csv: read as orders")
    assert stream.getvalue().endswith("\ra.csv: read as orders\n")


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_commands_options_and_names_are_completed(capsys, tmp_path):
    assert main(["completion"]) == 0
    script = tmp_path / "completion.sh"
    script.write_text(capsys.readouterr().out)
    asked = {
        "re": ["report"],
        "describe net_promoter": ["net_promoter_score", "net_promoter_score.all_answers"],
        "report FOLDER --format ''": ["table", "csv", "json"],
        "report FOLDER --h": ["--help", "--html"],
        "report FOLDER --html ''": [],
        "report FOLDER --metrics average_order_value.p": ["average_order_value.purchase_events"],
        "catalog --stage a": ["awareness"],
        "catalog --area s": ["sales"],
        "sql aov --dialect b": ["bigquery"],
    }
    lines = [f"source {script}"]
    for words in asked:
        lines += [
            f"COMP_WORDS=(funnelkit {words})",
            "COMP_CWORD=$(( ${#COMP_WORDS[@]} - 1 )); _funnelkit; echo ${COMPREPLY[@]}",
        ]
    ran = subprocess.run(
        ["bash", "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert ran.stderr == ""
    assert [line.split() for line in ran.stdout.splitlines()] == list(asked.values())
