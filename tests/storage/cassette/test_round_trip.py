"""Any recording comes back from its cassette as it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from proxy.imap.transcript import Direction, Ending, Event, EventKind, Layer, Piece
from storage import Check, Writer, open_store
from storage.cassette import export_cassette
from tests.imaptap.telling import C, S, Tale
from tests.proxy.imap.playing import Said, at_random, bytewise, play
from tests.proxy.imap.scripts import everything, load
from tests.proxy.imap.talk import TALK
from tests.storage.cassette.tripping import exported, imported, record, trip
from tests.storage.scenes import Wire, eventually, opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Store

SEEDS = st.integers(0, 2**32)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with open_store(tmp_path_factory.mktemp("store") / "recordings.db", create=True) as store:
        yield store


SLOW = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NOT_FROM_BYTES = {
    # What was masked told more than its mask does.
    *("auth_answer_sent_too_early", "auth_ends_within_a_line", "doubts_end", "password_like_a_word"),
    # More came of an exchange that had ended.
    *("idle_ends_at_the_cr", "refused_after_go_ahead", "refused_mixed_literals"),
}
"""Of these scripts, everything is told."""


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_scripts(store: Store, path: Path) -> None:
    script = load(path)
    text = trip(store, record(store, play(script.turns, ending=script.ending).records, opened=True))
    assert ("tells=everything" in text) == (path.stem in NOT_FROM_BYTES)


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_scripts_byte_by_byte(store: Store, path: Path) -> None:
    script = load(path)
    trip(store, record(store, play(script.turns, bytewise, ending=script.ending).records, opened=True))


@SLOW
@given(TALK, SEEDS)
def test_any_talk_cut_anywhere(store: Store, talk: list[Said], seed: int) -> None:
    trip(store, record(store, play(talk, at_random(seed)).records, opened=True))


@SLOW
@given(st.lists(st.tuples(st.sampled_from(Direction), st.binary(min_size=1, max_size=300)), max_size=8), SEEDS)
def test_any_bytes_cut_anywhere(store: Store, chunks: list[tuple[Direction, bytes]], seed: int) -> None:
    said = [Said(direction, data) for direction, data in chunks]
    trip(store, record(store, play(said, at_random(seed)).records, opened=True))


LETTER = b"Subject: Gr\xfc\xdfe\r\n\r\n" + b"some words \t\r\n" * 500
FETCHED = b"* 1 FETCH (BODY[] {%d}\r\n" % len(LETTER)


def tale() -> Tale:
    """Somebody logs in and fetches a letter."""
    told = Tale().say("S: * OK hello\nC: a LOGIN bob secret\nS: a OK\nC: b FETCH 1 BODY[]")
    return told.send(S, FETCHED + LETTER[:100], LETTER[100:200], LETTER[200:] + b")\r\nb OK done\r\n")


def test_a_letter_is_text_and_its_latin_1_is_escaped(store: Store) -> None:
    text = trip(store, record(store, tale().end()))
    assert "S| Subject: Gr{{=fcdf}}e\nS|\nS| some words {{=09}}\n" in text
    assert "tells=events" in text


def test_a_letter_that_was_not_kept(store: Store) -> None:
    text = trip(store, record(store, tale().end(), max_literal=5000))
    assert f"sha256={hashlib.sha256(LETTER).hexdigest()}" in text
    assert "tells=events" in text
    assert "some words" not in text


def test_a_letter_that_was_not_kept_and_did_not_come_whole(store: Store) -> None:
    told = Tale().say("S: * OK hello\nC: b FETCH 1 BODY[]").send(S, FETCHED, LETTER[:5000], LETTER[5000:6000])
    trip(store, record(store, told.end(Ending.CUT, "stopped"), max_literal=5000))


def test_holes(store: Store) -> None:
    """Bytes were lost at the beginning, in a body, and at the end."""
    lost = (b"* OK hello\r\na OK\r\n" + FETCHED, LETTER[100:200], b")\r\nb OK done\r\n")
    records = [each for each in tale().end() if not (isinstance(each, Piece) and bytes(each.data) in lost)]
    text = trip(store, record(store, records))
    assert text.count("\nhole side=server") == 2
    assert "client-bytes=38 server-bytes=7076\n" in text
    assert "tells=everything" in text


def test_what_is_left_of_a_recorder_that_was_killed(store: Store) -> None:
    """No session has an end, no exchange is complete: the cassette says what `show` says of them."""
    text = trip(store, record(store, tale().so_far()))
    assert "end how=cut" in text


def test_what_is_still_recorded(store: Store) -> None:
    writer = Writer(store, version="0.1.0")
    writer.put(*tale().say("C: c NOOP").so_far())
    try:
        eventually(lambda: list(store.sessions(store.recording(str(writer.recording.id)))))
        text = exported(store, store.recording(str(writer.recording.id)))
    finally:
        writer.close()
    assert 'reason="it was open when it was exported"' in text
    again = imported(store, text)
    assert exported(store, again) == text


def test_commands_and_answers_of_imaptap_itself(store: Store) -> None:
    text = trip(store, record(store, secured().end()))
    assert 'proxy at=0.002000 command="I1 STARTTLS"' in text
    assert "tells=events" in text


def secured() -> Tale:
    """imaptap began TLS with the server before the client came."""
    told = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello").ask("I1 STARTTLS")
    told.say("S: I1 OK begin").happen(EventKind.TLS, "server", "TLSv1.3, cipher \u202e \x1b[2J", S)
    return told.say("C: a1 NOOP\nS: a1 OK")


def test_events_of_any_kind(store: Store) -> None:
    told = Tale().say("S: * OK [CAPABILITY IMAP4rev1 LITERAL-] hi")
    told.rewrite(S, 26, b" LITERAL-", b"").rewrite(S, 26, b"\xff\x00", b"hex:")
    for kind in EventKind:
        told.happen(kind, 'a "name"', "and\ntext", S, (1, None)).happen(kind, kind.value)
    trip(store, record(store, [Event(None, 5, EventKind.STEP, "replay of", "1 x imaps://y"), *told.end()]))


def test_sessions_in_order(store: Store) -> None:
    """Whichever began first; numbers may be missing."""
    records = [*Tale(7).say("S: * OK hi").end(), *Tale(3).say("S: * BYE no").end(Ending.SERVER, "greeted with BYE")]
    text = trip(store, record(store, records))
    assert text.index("session number=3") < text.index("session number=7")


def test_one_session(store: Store) -> None:
    recording = record(store, [*Tale(1).say("S: * OK hi").end(), *Tale(2).say("S: * BYE no").end()])
    lines: list[str] = []
    export_cassette(store, recording, lines.append, store.session(recording, 2))
    text = "".join(lines)
    assert "hi" not in text
    again = imported(store, text)
    assert [session.number for session in store.sessions(again)] == [2]
    assert exported(store, again) == text


def test_nothing(store: Store) -> None:
    trip(store, record(store, []))
    trip(store, record(store, Tale().end()))


def test_layers(store: Store) -> None:
    """A side changes its layer in the middle of a line."""
    wire = Wire()
    pieces = [wire.say(b"* OK he")._replace(layer=Layer.PLAIN), wire.say(b"llo\r\n")._replace(layer=Layer.DEFLATE)]
    text = trip(store, record(store, [opened(), *pieces, wire.closed()]))
    assert "\nS: * OK he{{-}}\nlayer side=server is=deflate\n+0.000010\nS: llo\n" in text


def test_more_chunks_than_are_held(store: Store) -> None:
    """A password comes byte by byte: the times of some bytes are not kept, and those of others are."""
    told = Tale().say("S: * OK hello").send(C, *(bytes([each]) for each in b"a LOGIN bob " + b"s" * 5000 + b"\r\n"))
    trip(store, record(store, told.say("S: a NO no").end()))


def test_what_is_imported_is_whole(store: Store) -> None:
    """As `imaptap check` sees it, and so are its bodies."""
    for max_literal in (None, 5000):
        again = imported(store, exported(store, record(store, tale().end(), max_literal=max_literal)))
        assert list(Check(store, [again]).findings()) == []
