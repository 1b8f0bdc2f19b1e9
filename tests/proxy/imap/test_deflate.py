"""Deflated streams (RFC 4978; M 6.12): all of it, in bounded parts, and a clean end where one is broken."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.conversation import Conversation
from proxy.imap.deflate import PART, Failure, Inflater
from proxy.imap.transcript import EventKind, Layer
from proxy.imap.units import UnitReader
from tests.proxy.imap.playing import CLIENT, SERVER, Said, at_random, bytewise, lines, play, server, whole


def deflated(data: bytes, *, end: bool = False) -> bytes:
    """Raw deflate, flushed as a peer flushes at the end of what it has to say."""
    stream = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush(zlib.Z_FINISH if end else zlib.Z_SYNC_FLUSH)


def inflated(inflater: Inflater, chunks: Iterable[bytes]) -> list[bytes]:
    """All parts."""
    return [part for chunk in chunks for part in inflater.feed(chunk)]


@pytest.mark.parametrize("size", [0, 1, 1000, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 1, 5_000_000])
def test_all_of_it_comes_in_parts(size: int) -> None:
    inflater = Inflater(UnitReader(SERVER))
    data = b"x" * size
    parts = inflated(inflater, [deflated(data)])
    assert b"".join(parts) == data
    assert all(0 < len(part) <= PART for part in parts)
    assert (inflater.inflated, inflater.failure) == (size, None)


def test_nothing_is_held_back_of_a_stream_that_ends_anywhere() -> None:
    """A full part may leave output behind although all input has been taken."""
    wire = deflated(b"x" * (2 * PART + 5000))
    for end in range(len(wire)):
        told = zlib.decompressobj(-zlib.MAX_WBITS).decompress(wire[:end])
        assert sum(map(len, inflated(Inflater(UnitReader(SERVER)), [wire[:end]]))) == len(told), end


@given(st.binary(max_size=300), st.integers(0, 2**32))
def test_no_cut_changes_it(data: bytes, seed: int) -> None:
    assert b"".join(inflated(Inflater(UnitReader(SERVER)), at_random(seed)(deflated(data)))) == data


@pytest.mark.parametrize("junk", [b"\xff" * 20, b"a OK not compressed\r\n", deflated(b"x", end=True) + b"more"])
def test_a_broken_stream_breaks_at_the_same_byte_however_it_is_cut(junk: bytes) -> None:
    wire = deflated(b"* 1 EXISTS\r\n" * 20) + junk
    results = set()
    for cut in (whole, bytewise, at_random(1), at_random(2)):
        inflater = Inflater(UnitReader(SERVER))
        chunks = list(cut(wire))
        out, rest = b"", b""
        for number, chunk in enumerate(chunks):
            out += b"".join(inflater.feed(chunk))
            if inflater.failure:
                rest = inflater.rest + b"".join(chunks[number + 1 :])
                break
        assert inflater.failure is Failure.BROKEN
        results.add((out, rest))
    assert len(results) == 1
    assert results.pop()[0].startswith(b"* 1 EXISTS\r\n" * 20)


OPENING = lines("S: * PREAUTH hi", "C: a COMPRESS DEFLATE", "S: a OK now")


def test_a_broken_stream_is_said_and_the_session_goes_on() -> None:
    wire = deflated(b"* 1 EXISTS\r\n") + b"\xff\xff\xff\xff"
    for cut in (whole, bytewise):
        heard = play([*OPENING, server(wire), Said(CLIENT, deflated(b"b NOOP\r\n"))], cut)
        assert [(x.kind, x.name) for x in heard.events[:2]] == [
            (EventKind.COMPRESS, "start"),
            (EventKind.RAW, "compress"),
        ]
        assert heard.stream(SERVER).startswith(b"* PREAUTH hi\r\na OK now\r\n* 1 EXISTS\r\n")
        assert heard.stream(CLIENT).endswith(b"b NOOP\r\n")


def test_opaque_keeps_both_streams_as_they_are() -> None:
    """--compress opaque."""
    there, back = deflated(b"* 1 EXISTS\r\n"), deflated(b"b NOOP\r\n")
    for cut in (whole, bytewise):
        heard = play([*OPENING, server(there), Said(CLIENT, back)], cut, decode=False)
        assert heard.stream(SERVER) == b"* PREAUTH hi\r\na OK now\r\n" + there
        assert heard.stream(CLIENT) == b"a COMPRESS DEFLATE\r\n" + back
        assert [(x.kind, x.name) for x in heard.events] == [(EventKind.RAW, "compress")]
        assert len(heard.exchanges) == 1


def test_a_second_compress_changes_nothing() -> None:
    """RFC 4978 section 3: it is refused; a server that takes it all the same does not get us to inflate twice."""
    said = [
        *OPENING,
        Said(CLIENT, deflated(b"b COMPRESS DEFLATE\r\n")),
        server(deflated(b"b OK again\r\n* 1 EXISTS\r\n")),
    ]
    heard = play(said)
    assert heard.stream(SERVER).endswith(b"b OK again\r\n* 1 EXISTS\r\n")
    assert [x.name for x in heard.events] == ["start", "sizes", "sizes"]


def test_sizes_before_and_after_are_kept() -> None:
    """M 6.12."""
    wire = deflated(b"* 1 EXISTS\r\n" * 1000)
    heard = play([*OPENING, server(wire)])
    sizes = [x.text for x in heard.events if x.name == "sizes" and x.direction is SERVER]
    assert sizes == [f"server: {len(wire)} B compressed held 12000 B"]


def test_the_layer_is_kept_with_the_bytes() -> None:
    tls = [Said(x.direction, x.data, Layer.TLS) for x in OPENING if isinstance(x, Said)]
    wire = Said(SERVER, deflated(b"* 1 EXISTS\r\n"), Layer.TLS)
    heard = play([*tls, wire])
    assert heard.layers(SERVER) == [(Layer.TLS, 24), (Layer.TLS | Layer.DEFLATE, 12)]


def test_who_asks_learns_which_command_may_start_it() -> None:
    conversation = Conversation(1)
    assert conversation.compressing is None
    conversation.receive(CLIENT, b"a COMPRESS DEFLATE\r\n", 0, Layer.PLAIN)
    assert conversation.compressing == b"a"
    conversation.receive(SERVER, b"a NO no\r\n", 0, Layer.PLAIN)
    assert conversation.compressing is None
