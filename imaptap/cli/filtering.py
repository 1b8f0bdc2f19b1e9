"""`--filter EXPR`: the option, what finishes its words in the shell, and a word on stderr while the index is made."""

import re
import sys
from typing import Any

import click
from click.shell_completion import CompletionItem

from storage import Recording, Store
from storage.filter import Node, Search, parse
from storage.filter.facts import FACTS, SHORTS

_LAST_WORD = re.compile(r"(.*?)([A-Za-z_]*)", re.DOTALL)
_WORTH_SAYING = 20_000


class Expression(click.ParamType[Node]):
    """A filter: docs/filter.md."""

    name = "expression"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Node:  # noqa: ARG002
        """Read it. Raises FilterError, which names the column."""
        return parse(str(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """The facts that the last word may become."""
        match = _LAST_WORD.fullmatch(incomplete)
        before, word = (match[1], match[2].lower()) if match else (incomplete, "")
        words = {f"{fact.name}:": fact.meaning for fact in FACTS.values()}
        words |= {short.name: f"{short.fact}:{short.value}" for short in SHORTS.values()}
        return [CompletionItem(before + each, help=words[each]) for each in words if each.startswith(word)]


filter_option = click.option(
    "--filter",
    "wanted",
    metavar="EXPR",
    type=Expression(),
    help="Only exchanges for which EXPR holds, such as 'cmd:FETCH ms>500' (docs/filter.md).",
)
"""Gives the command a `wanted: Node | None`."""


def search(store: Store, wanted: Node, recording: Recording | None = None) -> Search:
    """A search in one recording, or in all. Says on a terminal how the index comes along, if that takes a while."""
    return Search(store, wanted, recording, progress=_tell if sys.stderr.isatty() else None)


def _tell(done: int, count: int) -> None:
    if count >= _WORTH_SAYING:
        click.echo(f"\rindexing for --filter: {done} of {count} exchanges", nl=done >= count, err=True)
