"""Whatever is said, it has a meaning that can be printed: no exception, no control character, no second line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from imaptap.meaning.exchange import Gathered
from proxy.imap.grammar import Command, Parsed, Tagged, Untagged
from proxy.imap.transcript import Certainty, Direction, Exchange, Layer, Origin, Outcome
from proxy.imap.view.session import SessionView
from proxy.imap.view.values import Said
from tests.imaptap.meaning.meant import gather, printable
from tests.proxy.imap.grammar.strategies import COMMAND, RESPONSE
from tests.proxy.imap.talk import TALK

if TYPE_CHECKING:
    from tests.proxy.imap.playing import Turn

NAMES = "FETCH|UID FETCH|STORE|SEARCH|UID SORT|LIST|SELECT|NOOP|LOGIN|CAPABILITY|XFOO|APPEND|IDLE"


@settings(max_examples=300)
@given(st.sampled_from(NAMES.split("|")), COMMAND, st.lists(RESPONSE, max_size=4), st.sampled_from(Certainty))
def test_every_value_has_a_meaning(name: str, command: Command, responses: list[object], certainty: Certainty) -> None:
    exchange = Exchange(1, 1, "a", name, "", None, Origin.CLIENT, Outcome.COMPLETED, "OK", None, None, 0, 1, 0, 0)
    gathered, view = Gathered(exchange, deep=True), SessionView()
    for value in (command, *responses):
        side = Direction.SERVER if isinstance(value, Untagged | Tagged) else Direction.CLIENT
        said = Said(side, 0, Layer.PLAIN, exchange, certainty, (), Parsed(value))  # type: ignore[arg-type]
        gathered.add(said, view.feed(said), view)
    assert printable(gathered.meaning())


@given(TALK)
def test_every_talk_has_meanings(talk: list[Turn]) -> None:
    assert all(printable(meaning) for meaning in gather(talk).values())
