"""What a terminal gets beside the answer: a bar while work goes on, and words to complete."""

from __future__ import annotations

import argparse
import time
from collections.abc import Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import TextIO

__all__ = ["Bar", "completion", "working"]

WIDTH, SHORT_S, EVERY_S = 20, 0.6, 0.2
"""How wide a bar is, how long work takes before it is shown, and how often it is drawn."""


class Bar:
    """How far work is.

    Attributes:
        parts: How many parts it has; 0 where that is not known.
        done: How many of them are done.
        label: What is being done.
        notes: Lines to print once the bar is gone.
    """

    def __init__(self) -> None:
        self.parts, self.done, self.label = 0, 0, "computing"
        self.notes = list[str]()
        self._since = time.monotonic()

    def __str__(self) -> str:
        seconds = time.monotonic() - self._since
        if not self.parts:
            return f"{self.label} … {seconds:.0f} s"
        full = WIDTH * self.done // self.parts
        bar = "█" * full + "░" * (WIDTH - full)
        return f"{bar} {self.done}/{self.parts} {self.label} … {seconds:.0f} s"


@contextmanager
def working(stream: TextIO) -> Generator[Bar]:
    """Show a bar while work goes on for long, on a terminal alone; it is gone afterwards."""
    bar, over = Bar(), Event()
    drawing = Thread(target=_draw, args=(bar, over, stream), daemon=True)
    is_shown = stream.isatty()
    if is_shown:
        drawing.start()
    try:
        yield bar
    finally:
        over.set()
        if is_shown:
            drawing.join()
        for note in bar.notes:
            print(note, file=stream)


def _draw(bar: Bar, over: Event, stream: TextIO) -> None:
    """Draw a bar again and again, each over the one before; in the end leave nothing."""
    length, pause = 0, SHORT_S
    while not over.wait(pause):
        line, pause = str(bar), EVERY_S
        stream.write(f"\r{line:<{length}}")
        stream.flush()
        length = len(line)
    if length:
        stream.write(f"\r{'':<{length}}\r")
        stream.flush()


SCRIPT = """\
# funnelkit: completion for bash and zsh. Read this file in ~/.bashrc or ~/.zshrc.
if [ -n "$ZSH_VERSION" ]; then
  autoload -U +X compinit && compinit -u
  autoload -U +X bashcompinit && bashcompinit
fi
_funnelkit() {
  local words="" current="${COMP_WORDS[COMP_CWORD]}"
  local before="${COMP_WORDS[COMP_CWORD-1]}"
  if [ "$COMP_CWORD" = 1 ]; then
    words="COMMANDS"
  else
    case "${COMP_WORDS[1]} $before" in
CASES
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _funnelkit funnelkit"""


def completion(
    commands: Mapping[str, argparse.ArgumentParser], names: Mapping[str, Iterable[str]]
) -> str:
    """Return a script by which bash and zsh complete commands, options and their values.

    Args:
        commands: The parser of each command.
        names: By the name of an argument, the words that it takes.
    """
    cases = [line for name, parser in commands.items() for line in _cases(name, parser, names)]
    return SCRIPT.replace("COMMANDS", " ".join(commands)).replace("CASES", "\n".join(cases))


def _cases(
    command: str, parser: argparse.ArgumentParser, names: Mapping[str, Iterable[str]]
) -> Iterator[str]:
    """Yield what follows each option of a command, and what follows anything else."""
    loose = list[str]()
    for action in parser._actions:  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]  # argparse has no other way
        values = [str(word) for word in action.choices or names.get(action.dest, ())]
        if not action.option_strings:
            loose += values
            continue
        loose += action.option_strings
        if action.nargs != 0:
            for option in action.option_strings:
                yield f'      "{command} {option}") words="{" ".join(values)}" ;;'
    yield f'      "{command} "*) words="{" ".join(loose)}" ;;'
