"""Whatever a client says, a portrait is made of it, and all of its text can be printed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.imap.grammar import Command, cut, write
from proxy.imap.portrait import Portrait, Step, Talk, portray
from proxy.imap.portrait.forms import FORM_MOST
from proxy.imap.transcript import Direction
from tests.proxy.imap.grammar.strategies import COMMAND
from tests.proxy.imap.grammar.test_properties import ALPHABET

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.units import Unit

NAMES = [
    "FETCH",
    "UID FETCH",
    "SEARCH",
    "UID STORE",
    "APPEND",
    "SELECT",
    "LIST",
    "ID",
    "LOGIN",
    "IDLE",
    "CLOSE",
    "X\x1b",
]


def texts(portrait: Portrait) -> Iterator[str]:
    """All that is said in a portrait."""
    for traits in portrait.traits:
        yield from (fact.text for fact in traits.facts)
        yield from (form for way in traits.ways for block in way.blocks for form in block.forms)
    for words in (portrait.used, portrait.ignored, portrait.silent, portrait.unoffered, portrait.withheld):
        yield from words


def harmless(units: list[tuple[str, Unit]]) -> None:
    steps = tuple(Step(name, unit, at, at + 5, "OK") for at, (name, unit) in enumerate(units))
    portrait = portray([Talk(0, 100, "no TLS", frozenset(), frozenset(), steps)])
    assert portrait.steps == len(units)
    for text in texts(portrait):
        assert text.isprintable()
    forms = [form for traits in portrait.traits for way in traits.ways for block in way.blocks for form in block.forms]
    assert len(forms) > 0
    assert max(map(len, forms)) <= FORM_MOST


def name_of(command: Any) -> str:
    """As the conversation names it."""
    words = write(command).texts[0].split()
    uid = len(words) > 2 and words[1] == b"UID"
    return b" ".join(words[1 : 2 + uid]).decode("latin-1").upper()


@settings(max_examples=25)
@given(st.lists(COMMAND.filter(lambda value: isinstance(value, Command)), min_size=1, max_size=3))
def test_all_commands(commands: list[Any]) -> None:
    harmless([(name_of(command), write(command)) for command in commands])


@given(st.sampled_from(NAMES), st.lists(st.sampled_from(ALPHABET), max_size=20).map(b"".join))
def test_bytes_do_no_harm(name: str, data: bytes) -> None:
    line = b"a " + name.encode() + b" " + data + b"\r\n"
    harmless([(name, cut(line, Direction.CLIENT)), (name, cut(data, Direction.CLIENT))])
