"""Wire data that nobody here wrote: all of it has a meaning that can be printed, and states as on the wire."""

from __future__ import annotations

from proxy.imap.conversation import Conversation
from proxy.imap.state import Phase
from proxy.imap.transcript import Direction, Layer
from proxy.imap.view.session import SessionView
from tests.imaptap.meaning.meant import gather, printable
from tests.proxy.imap import corpus
from tests.proxy.imap.playing import play
from tests.proxy.imap.view.seeing import Units


def test_the_corpus_has_meanings() -> None:
    meanings = 0
    for record in corpus.records().values():
        for meaning in gather(corpus.clear(record)).values():
            assert printable(meaning), record.id
            meanings += 1
    assert meanings > 1000


def test_conversations_end_in_the_state_that_the_wire_came_to() -> None:
    """Without compression: what is said goes over the wire as it is."""
    checked = 0
    for record in corpus.conversations():
        said = corpus.clear(record)
        if any(b"COMPRESS" in one.data.upper() for one in said):
            continue
        conversation, view = Conversation(1), SessionView()
        played = play(said)
        units = {direction: Units(played, direction) for direction in Direction}
        ends = dict.fromkeys(Direction, 0)
        for one in said:
            conversation.receive(one.direction, one.data, 0, Layer.PLAIN)
            ends[one.direction] += len(one.data)
            for unit in units[one.direction].until(ends[one.direction], 0, Layer.PLAIN):
                view.feed(unit)
        state, live = view.state(), conversation.state
        if state.phase is Phase.LOGOUT and live.phase is not Phase.LOGOUT:
            # The wire does not mind a BYE outside of LOGOUT: it waits for the end of the stream (M 3.14).
            assert b"* BYE" in played.stream(Direction.SERVER), record.id
            continue
        assert state.phase == live.phase, record.id
        assert (state.mailbox is None) == (live.mailbox is None), record.id
        checked += 1
    assert checked > 50
