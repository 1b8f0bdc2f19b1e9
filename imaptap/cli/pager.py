"""Output of more than a screen goes through a pager, as git's does: on a terminal only, and as it comes."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.text import Text

    from imaptap.cli.terminal import Output

_ONE_BY_ONE = 200
_TOGETHER = 100

pager_option = click.option(
    "--pager/--no-pager", "pager", default=True, help="On a terminal, show it through $PAGER (default: less)."
)
"""Gives the command a `pager: bool`."""


def show_lines(output: Output, lines: Iterable[Text], *, pager: bool) -> None:
    """Print lines, through a pager if `pager` and if a person is looking. Quitting the pager is no error."""
    if not (pager and output.is_terminal and sys.stdin.isatty()):
        for line in lines:
            output.say(line)
        return
    # As git does: quit where one screen is enough, pass colours on, leave the text on the screen.
    os.environ.setdefault("LESS", "-FRX")
    click.echo_via_pager(_batches(_rendered(output, lines)), color=None if output.no_color else True)


def _rendered(output: Output, lines: Iterable[Text]) -> Iterator[str]:
    for line in lines:
        with output.capture() as captured:
            output.say(line)
        yield captured.get()


def _batches(texts: Iterator[str]) -> Iterator[str]:
    """The first screens at once, then many lines at a time: each goes through a pipe."""
    for _ in range(_ONE_BY_ONE):
        text = next(texts, None)
        if text is None:
            return
        yield text
    batch: list[str] = []
    for text in texts:
        batch.append(text)
        if len(batch) == _TOGETHER:
            yield "".join(batch)
            batch.clear()
    yield "".join(batch)
