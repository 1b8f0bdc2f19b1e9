"""Where the report of `imaptap diff` goes, and in which form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from rich.text import Text

from imaptap.cli.errors import escaped
from imaptap.cli.pager import show_lines
from imaptap.cli.terminal import Output
from imaptap.cli.written import written_file
from storage.diff.equality import RULES
from storage.diff.report import document, junit, markdown, page, terminal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from storage import Store
    from storage.diff.report.values import Result

TERMINAL = "text"
FORMS: dict[str, Callable[[Result], Iterator[str]]] = {
    "json": document.parts,
    "html": page.parts,
    "markdown": markdown.parts,
    "junit": junit.parts,
}
WIDTH = 120
"""Of a report that goes to no terminal."""


@dataclass(frozen=True, slots=True)
class Wish:
    """How somebody wants the report."""

    form: str
    output: Path | None = None
    everything: bool = False
    explain: bool = False
    pager: bool = True


def print_report(result: Result, wish: Wish, store: Store) -> None:
    """Print it, or write it to the file. Raises UserError where that cannot be."""
    if wish.output is not None:
        with written_file(wish.output, store) as file:
            for part in _text(result, wish):
                file.write(part.encode("utf-8", "backslashreplace"))
    elif wish.form != TERMINAL:
        for part in _text(result, wish):
            click.echo(part, nl=False)
    else:
        output = Output()
        width = output.width if output.is_terminal else WIDTH
        show_lines(output, _lines(result, wish, width), pager=wish.pager)


def print_rules() -> None:
    """The built-in rules in the order in which they are applied."""
    Output().table(("rule", "what it lets pass"), [(each.rule.value, each.sentence) for each in RULES])


def _text(result: Result, wish: Wish) -> Iterator[str]:
    if wish.form != TERMINAL:
        yield from FORMS[wish.form](result)
        return
    for line in _lines(result, wish, WIDTH):
        yield line.plain + "\n"


def _lines(result: Result, wish: Wish, width: int) -> Iterator[Text]:
    yield from terminal.lines(result, width, everything=wish.everything)
    if wish.explain:
        yield from _explained(result)


def _explained(result: Result) -> Iterator[Text]:
    """Which rules have let something pass: how often, what each says, and an example."""
    sentences = {each.rule.value: each.sentence for each in RULES}
    yield Text()
    for name, count in sorted(result.totals.rules.items()):
        yield Text(
            escaped(f"let pass {count} times by {name}: {sentences.get(name, 'learned, or from a file')}"), "dim"
        )
        example = result.totals.examples.get(name)
        if example is not None:
            sides = " / ".join("nothing" if side is None else side for side in (example.left, example.right))
            yield Text(escaped(f"    {example.where}: {sides}"), "dim")
