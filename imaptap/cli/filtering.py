"""`--filter EXPR`: the option, what finishes its words in the shell, and a word on stderr while the index is made."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from storage import Recording, Store
    from storage.filter import Matcher, Node, Search

_LAST_WORD = re.compile(r"(.*?)([A-Za-z_]*)", re.DOTALL)
_WORTH_SAYING = 20_000


class Expression(click.ParamType["Node"]):
    """A filter: docs/filter.md."""

    name = "expression"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Node:  # noqa: ARG002
        """Read it. Raises FilterError, which names the column."""
        from storage.filter import parse  # noqa: PLC0415 - slow to load, and of use with --filter only

        return parse(str(value))

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG002
        """The facts that the last word may become."""
        from storage.filter.facts import FACTS, SHORTS  # noqa: PLC0415 - as above

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
    from storage.filter import Search  # noqa: PLC0415 - as above

    return Search(store, wanted, recording, progress=_tell if sys.stderr.isatty() else None)


def matcher(store: Store, wanted: Node) -> Matcher:
    """Says of one exchange at a time whether the filter holds for it."""
    from storage.filter import Matcher  # noqa: PLC0415 - as above

    return Matcher(store, wanted)


def _tell(done: int, count: int) -> None:
    if count >= _WORTH_SAYING:
        click.echo(f"\rindexing for --filter: {done} of {count} exchanges", nl=done >= count, err=True)
