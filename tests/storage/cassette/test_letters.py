"""A cassette that is imported without its letters: as if it had been recorded without them."""

from __future__ import annotations

import hashlib
import io
import re
from typing import TYPE_CHECKING

import pytest

from proxy.imap.letters.policy import Bodies
from proxy.imap.transcript import Direction, EventKind
from storage import Check, Store, open_store
from storage.cassette import CassetteError, export_cassette, import_cassette, import_statements, told_session
from storage.cassette.telling import ended, exchanges
from storage.cassette.values import Header, Placed, Told
from tests.storage.cassette.tripping import exported
from tests.storage.test_letters import LONG, record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage import Recording

LEAVING = [Bodies.HEADERS, Bodies.NONE, Bodies.HASH]


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[dict[Bodies, Store]]:
    """Of each policy, a store with what was recorded under it."""
    made = dict[Bodies, Store]()
    for policy in Bodies:
        made[policy] = open_store(tmp_path / f"{policy}.db", create=True)
        record(made[policy], policy)
    yield made
    for store in made.values():
        store.close()


def text(store: Store) -> str:
    return exported(store, store.recording("letters"))


def kept(store: Store, recording: Recording) -> list[object]:
    """What is on record: streams, exchanges, spans, and where what is not there was."""
    session = ended(store, next(store.sessions(recording)))
    streams = [b"".join(store.stream(session, side, 0, end)) for side, end in runs(store, recording)]
    left_out = [
        (each.offset, each.length, each.text)
        for each in store.events(session, EventKind.SECRET)
        if each.name in {"body", "unread"}
    ]
    pieces = [
        (each.offset, each.length, each.literal, each.left_out)
        for side in Direction
        for each in store.pieces(session, side)
    ]
    return [streams, sorted(map(repr, left_out)), pieces, list(exchanges(store, session)), list(store.spans(session))]


def runs(store: Store, recording: Recording) -> list[tuple[Direction, int]]:
    """Each side up to the first literal that was not kept."""
    session = next(store.sessions(recording))
    found = list[tuple[Direction, int]]()
    for side in Direction:
        pieces = list(store.pieces(session, side))
        found.append((side, next((each.offset for each in pieces if each.left_out is not None), pieces[-1].end)))
    return found


@pytest.mark.parametrize("policy", LEAVING)
@pytest.mark.parametrize("told", [Told.EVENTS, Told.EVERYTHING])
def test_as_it_would_have_been_recorded(stores: dict[Bodies, Store], policy: Bodies, told: Told) -> None:
    source, here = stores[Bodies.FULL], stores[policy]
    session = ended(source, next(source.sessions(source.recording("letters"))))
    statements = (Placed(0, each) for each in (Header(settings="s"), *told_session(source, session, told)))
    recording = import_statements(here, statements, "imported", policy)
    assert recording.settings == f"s --bodies {policy}"
    assert kept(here, recording) == kept(here, here.recording("letters"))
    assert list(Check(here).findings()) == []


@pytest.mark.parametrize("policy", LEAVING)
@pytest.mark.parametrize("before", LEAVING)
def test_what_was_left_out_already(stores: dict[Bodies, Store], before: Bodies, policy: Bodies) -> None:
    """Nobody has it, and its masks are not hashed; a hash stays where hashes are asked for. Headers that are there are
    hashed, as far as they are there."""
    store = stores[before]
    again = import_cassette(store, io.BytesIO(text(store).encode()), "again", policy)
    told = exported(store, again)
    assert "canary" not in told
    assert ("sha256" in told) == (policy is Bodies.HASH and before is not Bodies.NONE)
    for hashed in set(re.findall("[0-9a-f]{64}", told)) if before is Bodies.HEADERS else ():
        assert hashed == hashlib.sha256(LONG[: LONG.index(b"canary")]).hexdigest()
    if policy is before:
        assert kept(store, again) == kept(store, store.recording("letters"))
    assert list(Check(store).findings()) == []


@pytest.mark.parametrize("masked", [True, False])
def test_a_letter_with_a_password_masked_in_it_has_no_hash(sqlite: Store, masked: bool) -> None:
    """It would be the hash of another letter."""
    said = "imaptap cassette 1\nsession tells=events\nS: * PREAUTH hi\nC: a FETCH 1 BODY[TEXT]\n"
    said += 'S: * 1 FETCH (BODY[TEXT] "I said xxxxxx")\nS: a OK done\n'
    said += "event kind=secret name=echo side=server offset=44 length=6\n" if masked else ""
    told = exported(sqlite, import_cassette(sqlite, io.BytesIO(said.encode()), "hashed", Bodies.HASH))
    assert "I said" not in told
    assert ("sha256" in told) != masked


def test_what_was_left_out_and_is_not_heard_as_a_literal_again(sqlite: Store) -> None:
    """What it is of, masks do not say; so the hint is to leave --bodies out, with which everything is told."""
    literal = "body" + "x" * 5000
    said = "S: * PREAUTH hi\nC: a FROB it\nS: a BAD what\n"
    said += f"C: b APPEND x {{{len(literal)}+}}\nC| {literal}{{{{-}}}}\nC:\nS: b OK done\n"
    first = import_cassette(sqlite, io.BytesIO(f"imaptap cassette 1\n{said}".encode()), "first", Bodies.NONE)
    again = exported(sqlite, first)
    assert "tells=everything" in again
    with pytest.raises(CassetteError, match="the bytes that were not kept are not those of a literal") as caught:
        import_cassette(sqlite, io.BytesIO(again.encode()), "refused", Bodies.NONE)
    assert "--bodies" in caught.value.hint
    assert exported(sqlite, import_cassette(sqlite, io.BytesIO(again.encode()), "as it is")) == again


def test_everything_is_kept_as_it_was(stores: dict[Bodies, Store]) -> None:
    for store in stores.values():
        written = text(store)
        assert exported(store, import_cassette(store, io.BytesIO(written.encode()), "again")) == written


@pytest.mark.parametrize("policy", LEAVING)
def test_of_lost_bytes_nobody_knows_what_they_were(sqlite: Store, policy: Bodies) -> None:
    said = 'imaptap cassette 1\nsession tells=everything\nS: * OK\nhole side="server" length=20\nS: canary\n'
    with pytest.raises(CassetteError, match="at line 4, column 1: where bytes were lost") as caught:
        import_cassette(sqlite, io.BytesIO(said.encode()), "lost", policy)
    assert "--bodies" in caught.value.hint
    assert list(sqlite.recordings()) == []
    lines = list[str]()
    export_cassette(sqlite, import_cassette(sqlite, io.BytesIO(said.encode()), "lost"), lines.append)
    assert "canary" in "".join(lines)
