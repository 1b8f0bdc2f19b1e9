"""The corpus: framed as its own tool frames it, and every conversation the same however it is cut."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from proxy.imap.commands import read_head
from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction
from proxy.imap.units import Boundary, UnitReader
from tests.proxy.imap import corpus, invariants
from tests.proxy.imap.playing import at_random, bytewise, play, sent

ORACLE = sys.version_info < (3, 13)
"""imap-codec has no wheels for later Pythons (pyproject.toml)."""
if ORACLE:
    import imap_codec

QUEUED = "all server data was queued first"
"""The corpus's note on conversations whose steps are not in the order of the wire."""
UNASKED = {
    "imap-codec/trace.rs.test_from_search.50": 1,
    "imap-codec/trace.rs.test_response_data_continue.91": 2,
}
"""Lines of a specification's example that complete commands which the example does not show."""


def units(direction: Direction, data: bytes) -> Iterator[tuple[int, int]]:
    """Where the units of a stream start and end."""
    reader = UnitReader(direction)
    pos = 0
    while pos < len(data):
        boundary, pos = reader.read(data, pos)
        if boundary is Boundary.UNIT:
            unit = reader.take_unit()
            yield unit.start, unit.end


def test_what_any_oracle_takes_is_framed_alike() -> None:
    """No exception is needed: the corpus's framing takes free text that ends in {n} for a literal, but has none."""
    different = []
    count = 0
    for (ident, side), numbers in corpus.accepted().items():
        stream = corpus.tool().stream(corpus.records()[ident], side)
        ours = set(units(corpus.SIDES[side], stream))
        start = 0
        for number, (unit, _) in enumerate(corpus.tool().frames(stream)):
            if number in numbers:
                count += 1
                if (start, start + len(unit)) not in ours:
                    different.append((ident, side, number))
            start += len(unit)
    assert different == []
    assert count > 3000


def test_conversations_do_not_depend_on_the_cut() -> None:
    for record in corpus.conversations():
        said = corpus.clear(record)
        wire = corpus.on_the_wire(said)
        heard = play(wire)
        streams = {direction: sent(said, direction) for direction in Direction}
        invariants.check(heard, streams)
        for cut in (bytewise, at_random(1), at_random(2)):
            assert play(wire, cut).facts == heard.facts, record.id
        assert play(wire, bytewise, between=Conversation.tick).but_for_secrets == heard.but_for_secrets, record.id


def test_one_sided_records_make_a_sound_record() -> None:
    for record in corpus.records().values():
        said = corpus.on_the_wire(corpus.clear(record))
        if record.kind == "conversation":
            continue
        invariants.check(play(said, at_random(3)), {direction: sent(said, direction) for direction in Direction})


def test_completions_of_conversations_find_their_commands() -> None:
    orphans = {}
    for record in corpus.conversations():
        heard = play(corpus.on_the_wire(corpus.clear(record)))
        found = [x for x in heard.events if x.name == "orphan"]
        if found and not (record.meta.get("note") or "").startswith(QUEUED):
            orphans[record.id] = len(found)
    assert orphans == UNASKED


@pytest.mark.skipif(not ORACLE, reason="imap-codec has no wheels for this Python")
def test_commands_are_named_as_imap_codec_names_them() -> None:
    """Tag and command of every command that the oracle takes."""
    count = 0
    for (ident, side), numbers in corpus.accepted().items():
        if side != "C":
            continue
        for number, (unit, _) in enumerate(corpus.tool().frames(corpus.tool().stream(corpus.records()[ident], "C"))):
            if number in numbers and (named := _named_by(unit)):
                head = read_head(unit)
                assert (head.tag, head.name) == named, unit
                assert head.legal
                count += 1
    assert count > 700


def _named_by(unit: bytes) -> tuple[bytes, str] | None:
    """Tag and name that imap-codec reads, or None where it does not."""
    try:
        _, command = imap_codec.CommandCodec.decode(unit)
    except imap_codec.DecodeError:
        return None
    values = command.as_dict()
    body = values["body"]
    name, fields = next(iter(body.items())) if isinstance(body, dict) else (body, {})
    uid = name.endswith("Uid") or (isinstance(fields, dict) and fields.get("uid") is True)
    name = name.removesuffix("Uid").upper()
    return values["tag"].encode(), "UID " + name if uid else name
