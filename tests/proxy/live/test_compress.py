"""COMPRESS=DEFLATE (M 6.12): the traffic passes as it is at any moment; the record is inflated, or says it is not."""

from __future__ import annotations

import zlib

import pytest

from proxy.imap.transcript import Direction, Ending, EventKind, Layer, Piece
from proxy.live.settings import Compress
from tests.proxy.live.conftest import Play
from tests.proxy.live.rig import Told

PAIRS = [
    ("imap+insecure", "imap+insecure"),  # gates stand in both directions for the whole session
    ("imaps", "imap+insecure"),
    ("imaps", "imaps"),  # no gate is left after the login
    ("imap+insecure", "imaps"),
]
BEFORE = "S: * OK hi\nC: a LOGIN bob secret\nS: a OK in\n"
LETTER = b"* CAPABILITY STARTTLS\r\n" * 3


class Deflate:
    """One direction: bytes, compressed and flushed, as text for a script."""

    def __init__(self) -> None:
        self._stream = zlib.compressobj(wbits=-15)

    def __call__(self, data: bytes) -> str:
        """Continue the stream."""
        deflated = self._stream.compress(data) + self._stream.flush(zlib.Z_SYNC_FLUSH)
        return "".join(f"\\x{byte:02x}" for byte in deflated)


def compressed(*, together: bool) -> str:
    """A session from COMPRESS on, for both sides; with `together` the server's OK and first data share a segment."""
    up, down = Deflate(), Deflate()
    first = down(b"* 3 EXISTS\r\n")
    steps = [
        "C: c COMPRESS DEFLATE",
        f"S= c OK go\\r\\n{first}" if together else f"S: c OK go\nS= {first}",
        f"C= {up(b'd FETCH 1 BODY[]' + bytes([13, 10]))}",
        f"S= {down(b'* 1 FETCH (BODY[] {%d}' % len(LETTER) + bytes([13, 10]) + LETTER)}",
        f"S= {down(b')' + bytes([13, 10]) + b'd OK' + bytes([13, 10]))}",
        f"C= {up(b'e COMPRESS DEFLATE' + bytes([13, 10]))}",
        f"S= {down(b'e NO [COMPRESSIONACTIVE] twice' + bytes([13, 10]))}",
        f"C= {up(b'f STARTTLS' + bytes([13, 10]))}",
        f"S= {down(b'f BAD no' + bytes([13, 10]))}",
    ]
    return "\n".join(steps)


def play_both(play: Play, pair: tuple[str, str], script: str, **settings: object) -> Told:
    """The same bytes leave one side and arrive at the other: both play one script."""
    script = f"{BEFORE}{script}\n"
    return play(*pair, f"{script}CLOSE", f"{script}EOF", **settings).told


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("together", [False, True])
def test_decoded(play: Play, pair: tuple[str, str], together: bool) -> None:
    """The stored stream is the inflated one and says so; what is asked twice is refused by the server (M 6.9, 6.12)."""
    told = play_both(play, pair, compressed(together=together), compare=False)
    assert told.ending is Ending.SERVER
    assert LETTER in told.stream(Direction.SERVER)
    assert told.stream(Direction.CLIENT).endswith(b"d FETCH 1 BODY[]\r\ne COMPRESS DEFLATE\r\nf STARTTLS\r\n")
    assert [(x.command, x.status) for x in told.exchanges] == [
        ("LOGIN", "OK"),
        ("COMPRESS", "OK"),
        ("FETCH", "OK"),
        ("COMPRESS", "NO"),
        ("STARTTLS", "BAD"),
    ]
    for side, first in ((Direction.CLIENT, b"d FETCH"), (Direction.SERVER, b"* 1 FETCH")):
        pieces = [x for x in told.records if isinstance(x, Piece) and x.direction is side]
        inside = [x for x in pieces if x.offset + len(x.data) > told.stream(side).index(first)]
        assert inside
        assert all(x.layer & Layer.DEFLATE for x in inside)
    assert [event.name for event in told.events(EventKind.COMPRESS)] == ["start", "sizes", "sizes"]


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("together", [False, True])
def test_opaque(play: Play, pair: tuple[str, str], together: bool) -> None:
    """Kept as it came."""
    told = play_both(play, pair, compressed(together=together), compress=Compress.OPAQUE)
    assert [event.name for event in told.events(EventKind.RAW)] == ["compress"]
    assert [x.command for x in told.exchanges] == ["LOGIN", "COMPRESS"]


@pytest.mark.parametrize("pair", PAIRS)
def test_stripped(play: Play, pair: tuple[str, str]) -> None:
    """The word goes from every list, before the login and after it; who compresses all the same is understood."""
    words = "IMAP4rev1 COMPRESS=DEFLATE"
    server = f"""
        S: * OK [CAPABILITY {words}] hi
        C: a LOGIN bob secret
        S: a OK [CAPABILITY {words}] in
        C: b CAPABILITY
        S: * CAPABILITY {words}
        S: b OK
        {compressed(together=False)}
        """
    client = server.replace(words, "IMAP4rev1")
    told = play(*pair, f"{server}CLOSE", f"{client}EOF", compress=Compress.STRIP, compare=False).told
    assert len(told.events(EventKind.REWRITE)) == 3
    assert LETTER in told.stream(Direction.SERVER)


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("answer", ["NO [COMPRESSIONACTIVE] no", "BAD what"])
def test_refused(play: Play, pair: tuple[str, str], answer: str) -> None:
    """The streams stay as they are, and lists are still rewritten where they were."""
    told = play_both(play, pair, f"C: c COMPRESS DEFLATE\nS: c {answer}\nC: d NOOP\nS: * 1 EXISTS\nS: d OK\n")
    assert [x.status for x in told.exchanges] == ["OK", answer.split(maxsplit=1)[0], "OK"]
    assert told.events(EventKind.COMPRESS) == []


@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_no_deflate_passes_too(play: Play, pair: tuple[str, str]) -> None:
    """The record says where it stops to understand; nothing waits for it."""
    noise = "".join(f"\\x{byte:02x}" for byte in b"\xff\xfe no deflate, no line end")
    told = play_both(play, pair, f"C: c COMPRESS DEFLATE\nS: c OK\nC= {noise}\nS= {noise}\n", compare=False)
    assert told.events(EventKind.RAW)
    assert told.stream(Direction.SERVER).endswith(b"no line end")
    assert told.stream(Direction.CLIENT).endswith(b"x" * 26), "it might be anything, also a password"


@pytest.mark.parametrize("pair", PAIRS)
def test_a_sasl_security_layer_passes(play: Play, pair: tuple[str, str]) -> None:
    """M 4.8: what it protects is no IMAP, and no gate may wait for the end of a line in it."""
    script = """
        S: * OK hi
        C: a AUTHENTICATE GSSAPI
        S: +
        C: YQ==
        S: a OK in
        C= \\x00\\x00\\x00\\x05abcde
        S= \\x00\\x00\\x00\\x05fghij
        C= \\x00\\x00\\x00\\x01x
        """
    told = play(*pair, f"{script}CLOSE", f"{script}EOF").told
    assert [event.name for event in told.events(EventKind.RAW)] == ["security layer"]
