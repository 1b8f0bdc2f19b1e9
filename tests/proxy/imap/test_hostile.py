"""What a peer can say to do harm: memory and work stay bounded, the record is sound and says what happened."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator

import pytest

from proxy.imap import deflate, exchanges
from proxy.imap.client_secrets import ClientSecrets
from proxy.imap.conversation import Conversation
from proxy.imap.exchanges import OPEN_MAX
from proxy.imap.server_secrets import ServerSecrets
from proxy.imap.transcript import Direction, EventKind, Layer, Outcome, Record
from tests.proxy.imap import invariants
from tests.proxy.imap.playing import (
    CLIENT,
    SERVER,
    Heard,
    Said,
    at_random,
    bytewise,
    client,
    lines,
    play,
    sent,
    server,
    whole,
)
from tests.proxy.imap.test_bounds import MIB, peak_of

GREETED = lines("S: * OK hi")
LOGGED_IN = lines("S: * PREAUTH hi")
COMPRESSED = [*LOGGED_IN, *lines("C: a COMPRESS DEFLATE", "S: a OK now")]


def repeated(data: bytes, times: int) -> Iterator[bytes]:
    """A great many of the same, in chunks of about 64 KiB, each with memory of its own."""
    many = max(1, 65536 // len(data))
    for _ in range(times // many):
        yield data * many


ENDLESS: dict[str, tuple[Direction, Iterable[bytes]]] = {
    "a line": (SERVER, itertools.chain([b"* OK "], repeated(b"x", 8 * MIB))),
    "a tag": (CLIENT, repeated(b"t", 8 * MIB)),
    "a tag of the server's": (SERVER, repeated(b"t", 8 * MIB)),
    "parentheses": (SERVER, itertools.chain([b"* 1 FETCH "], repeated(b"(", 8 * MIB))),
    "parentheses of a SEARCH": (CLIENT, itertools.chain([b"a SEARCH "], repeated(b"(", 8 * MIB))),
    "NULs": (SERVER, repeated(b"\0", 8 * MIB)),
    "line ends": (CLIENT, repeated(b"\r\n", 10_000)),
    "commands": (CLIENT, repeated(b"a NOOP\r\n", 10_000)),
    "commands of one letter": (CLIENT, repeated(b"a\n", 10_000)),
    "commands with long tags": (CLIENT, repeated(b"t" * 1900 + b" " + b"X" * 100 + b"\r\n", 2_000)),
    "commands with tags that are too long": (CLIENT, repeated(b"t" * 30_000 + b" NOOP\r\n", 600)),
    "commands with long names": (CLIENT, repeated(b'a SELECT "' + b"\xf0" * 60_000 + b'"\r\n', 50)),
    "commands with many words": (CLIENT, repeated(b"a SEARCH " + b"\xe2\x98\x83" * 1000 + b"\r\n", 2_000)),
    "literals of a login": (CLIENT, itertools.chain([b"a LOGIN "], repeated(b"{4000+}\r\n" + b"x" * 4000, 2000))),
    "small literals": (SERVER, itertools.chain([b"* X "], repeated(b"{1}\r\nx", 12_000))),
    "a literal": (SERVER, itertools.chain([b"* X {9223372036854775807}\r\n"], repeated(b"a OK\r\n", 10**6))),
    "no literal": (SERVER, itertools.chain([b"* X {9223372036854775808}\r\n"], repeated(b"a OK\r\n", 10**6))),
    "orphans": (SERVER, repeated(b"a OK\r\n", 10_000)),
    "continuations": (SERVER, repeated(b"+\r\n", 10_000)),
    "new kinds of data": (SERVER, (b"* KIND%d\r\n" % number for number in range(10_000))),
    "logins": (CLIENT, (b"a LOGIN bob secret%d\r\n" % number for number in range(1_000))),
    "SASL lines": (CLIENT, itertools.chain([b"a AUTHENTICATE X\r\n"], repeated(b"bob\r\n", 2_000_000))),
}  # fmt: skip


@pytest.mark.parametrize("name", ENDLESS)
def test_what_never_ends_is_not_kept(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """At most a few MiB a session, and no more than ten KiB for each command in flight, however much has come."""
    monkeypatch.setattr(exchanges, "OPEN_MAX", 1000)
    direction, chunks = ENDLESS[name]
    assert peak_of(itertools.chain([(SERVER, b"* OK hi\r\n")], ((direction, chunk) for chunk in chunks))) < 8 * MIB


@pytest.mark.parametrize(
    ("direction", "opening", "size"),
    [
        (CLIENT, b"", 70_000),
        (CLIENT, b"a LOGIN bob ", 70_000),
        (CLIENT, b"a AUTHENTICATE PLAIN\r\n", 70_000),
        (CLIENT, b"a APPEND x {300000+}\r\n", 50_000),
        (SERVER, b"", 70_000),
        (SERVER, b"* SEARCH ", 70_000),
    ],
)
def test_a_byte_at_a_time_weighs_little_more(direction: Direction, opening: bytes, size: int) -> None:
    """A chunk is an object of a hundred bytes: those that are held are joined."""
    drops = ((direction, b"x") for _ in range(size))
    assert peak_of([(SERVER, b"* OK hi\r\n"), (direction, opening or b"y"), *drops]) < 4 * MIB


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("head", [b"x", b"* SEARCH ", b"a LOGIN bob ", b"a FETCH 1 ", b'* ID ("', b"+ "])
def test_an_endless_line_is_not_searched_at_every_byte(
    monkeypatch: pytest.MonkeyPatch, direction: Direction, head: bytes
) -> None:
    """One search for many bytes, though they come one at a time."""
    searched = 0
    for side in (ClientSecrets, ServerSecrets):
        release = side.release_partial

        def counted(self: object, release: Callable[[object], None] = release) -> None:
            nonlocal searched
            searched += 1
            release(self)

        monkeypatch.setattr(side, "release_partial", counted)
    conversation = Conversation(1)
    conversation.receive(SERVER, b"* OK hi\r\n", 0, Layer.PLAIN)
    conversation.receive(direction, head + b"y" * 70_000, 0, Layer.PLAIN)
    for _ in range(40_000):
        conversation.receive(direction, b"x", 0, Layer.PLAIN)
    assert 1 <= searched < 5


SAID: dict[str, list[Said]] = {
    "an endless literal": [server(b"* X {9223372036854775807}\r\na OK\r\n* BYE\r\n")],
    "a literal that no number holds": [server(b"* X {99999999999999999999999999}\r\na OK\r\n")],
    "literals within literals that lie": [
        client(b"a FETCH 1 BODY[]\r\n"),
        server(b"* 1 FETCH (BODY[] {26}\r\na OK done {100}\r\n* X {5}\r\n)\r\na OK done\r\n"),
    ],
    "literals of the client that lie": [
        client(b"a APPEND x {12+}\r\nb LOGIN {5}\r\n\r\nc NOOP {3+}\r\nxyz\r\n"),
        server(b"a OK\r\nb OK\r\nc OK\r\n"),
    ],
    "NULs": [client(b"a\0 NO\0OP \0\r\n\0\r\n"), server(b"* \0\r\n\0\0\r\na\0 OK \0\r\n")],
    "no UTF-8": [client(b"a SELECT \xff\xfe\xc0\x80\r\n"), server(b"* \xff\xfe\r\na OK [\xc0] \xed\xa0\x80\r\n")],
    "only 8-bit": [client(bytes(range(128, 256)) * 20), server(bytes(range(128, 256)) * 20)],
    "parentheses": [client(b"a SEARCH " + b"(" * 20_000 + b"\r\n"), server(b"* 1 FETCH " + b"(" * 20_000 + b"\r\n")],
    "brackets": [server(b"* OK [" * 5_000 + b"\r\n"), client(b"a FETCH 1 BODY[" + b"[" * 5_000 + b"\r\n")],
    "line ends of all kinds": [client(b"\r\r\n\n\r\n\r\ra\rb\nc\r\n"), server(b"\n\n\r\r* X\r\r\n\r\n\ra\r OK\r\n")],
    "escapes": [
        server(b"* \x1b]0;pwned\x07\x1b[2J\r\n"),
        client(b"\x1b[31m NOOP \x9b2J\r\n"),
        server(b"* OK [\x1b[5m] \x1b[31mred\xe2\x80\xae\r\n\x1b[31m OK [X\x1b] \x1bc\r\n"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", SAID)
@pytest.mark.parametrize("opening", [GREETED, LOGGED_IN, []], ids=["greeted", "logged in", "without a greeting"])
def test_nonsense_makes_a_sound_record(name: str, opening: list[Said]) -> None:
    """Whatever the cut: every byte is there, every exchange ends, and it is all printable."""
    said = [*opening, *SAID[name]]
    heard = play(said)
    invariants.check(heard, {direction: sent(said, direction) for direction in Direction})
    for cut in (bytewise, at_random(1), at_random(2)):
        assert play(said, cut).facts == heard.facts
    assert all(text.isprintable() for record in heard.records for text in texts(record))


def texts(record: Record) -> Iterator[str]:
    """All that a record says in words."""
    for value in (getattr(record, name) for name in dir(record) if not name.startswith("_")):
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, str):
                yield part


@pytest.mark.parametrize(
    ("name", "kind", "event"),
    [
        ("a literal that no number holds", EventKind.RAW, "literal too large"),
        ("NULs", EventKind.FAULT, "out of sync"),
        ("escapes", EventKind.NOTICE, "greeting"),
    ],
)
def test_the_record_says_what_was_odd(name: str, kind: EventKind, event: str) -> None:
    opening = [] if event == "greeting" else GREETED
    assert (kind, event) in [(x.kind, x.name) for x in play([*opening, *SAID[name]]).events]


def test_a_literal_that_speaks_ends_no_exchange() -> None:
    """Not its own, and not another one's; what follows it does."""
    heard = play([*LOGGED_IN, *SAID["literals within literals that lie"]])
    assert [(x.tag, x.status, x.text) for x in heard.exchanges] == [("a", "OK", "done")]
    heard = play([*LOGGED_IN, *SAID["an endless literal"]])
    assert heard.exchanges == []


def test_commands_that_nobody_answers_are_given_up_oldest_first() -> None:
    said = [*LOGGED_IN, client(b"".join(b"t%d NOOP\r\n" % number for number in range(OPEN_MAX + 5)))]
    exchanges = play(said).exchanges
    assert [x.tag for x in exchanges if "never answered" in x.marks] == [f"t{number}" for number in range(5)]
    assert {x.outcome for x in exchanges} == {Outcome.INCOMPLETE}


# --- deflate bombs ---------------------------------------------------------------------------------------------------


def bomb(head: bytes, filler: bytes, size: int) -> bytes:
    """`size` bytes of what compresses best, at the best compression."""
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    wire = stream.compress(head)
    block = filler * (MIB // len(filler))
    for _ in range(size // len(block)):
        wire += stream.compress(block)
    return wire + stream.flush(zlib.Z_SYNC_FLUSH)


@pytest.fixture
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is granted takes seconds to be used up."""
    monkeypatch.setattr(deflate, "LINES_GRANTED", (2_000, 4))
    monkeypatch.setattr(deflate, "BYTES_GRANTED", (4 * MIB, 100))


BOMBS = {
    "a literal of zeros": (SERVER, b"* 1 FETCH (BODY[] {1073741824}\r\n", b"\0", 16 * MIB),
    "a letter of the client's": (CLIENT, b"a APPEND x {1073741824+}\r\n", b"\0", 16 * MIB),
    "one line": (SERVER, b"* SEARCH ", b"1", 16 * MIB),
    "line ends": (SERVER, b"", b"\r\n", 4 * MIB),
    "line ends of the client": (CLIENT, b"", b"\n", 4 * MIB),
    "commands": (CLIENT, b"", b"a\n", 4 * MIB),
}


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("name", BOMBS)
def test_a_deflate_bomb_is_inflated_up_to_a_bound(name: str) -> None:
    """Then its bytes are kept as they come: so much of the record, of the memory, and of lines to be read."""
    direction, head, filler, size = BOMBS[name]
    wire = bomb(head, filler, size)
    heard = exploded(direction, wire)
    always, ratio = deflate.LINES_GRANTED if b"\n" in filler else deflate.BYTES_GRANTED
    inflated = sum(len(x.data) for x in heard.pieces(direction))
    most = always + ratio * len(wire)
    assert inflated < (4 * most if b"\n" in filler else most + 4 * 8256)
    assert [(x.kind, x.name) for x in heard.events if x.name != "out of sync"] == [
        (EventKind.COMPRESS, "start"),
        (EventKind.SECURITY, "deflate bomb"),
        (EventKind.RAW, "compress"),
        (EventKind.COMPRESS, "sizes"),
    ]
    assert heard.stream(direction).endswith(wire[-100:]) or direction is CLIENT  # what a client says unread is hidden


def exploded(direction: Direction, wire: bytes, *cuts: Callable[[bytes], Iterable[bytes]]) -> Heard:
    """The session in which it was sent."""
    return play([*COMPRESSED, Said(direction, wire)], *cuts)


@pytest.mark.usefixtures("small_bounds")
@pytest.mark.parametrize("name", ["line ends", "line ends of the client", "commands"])
def test_where_a_bomb_is_given_up_does_not_hang_on_its_chunks(name: str) -> None:
    direction, head, filler, size = BOMBS[name]
    wire = bomb(head, filler, size)
    plain = exploded(direction, wire)
    for cut in (bytewise, at_random(1), at_random(2)):
        assert exploded(direction, wire, cut).facts == plain.facts


@pytest.mark.usefixtures("small_bounds")
def test_blank_lines_in_a_letter_are_no_bomb() -> None:
    """Lines within a literal cost nothing, so that no letter can blind the recorder."""
    body = b"\r\n" * 500_000
    data = b"* 1 FETCH (BODY[] {%d}\r\n" % len(body) + body + b")\r\n* 2 EXISTS\r\n"
    for cut in (whole, at_random(3)):
        heard = exploded(SERVER, flushed(data), cut)
        assert heard.stream(SERVER).endswith(data)
        assert [x.name for x in heard.events] == ["start", "sizes", "sizes"]


def flushed(data: bytes) -> bytes:
    """Deflated, and flushed."""
    stream = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    return stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)


def test_a_bomb_costs_no_more_memory_than_its_bound() -> None:
    """64 MiB of one line out of 64 KiB, in one chunk."""
    wire = bomb(b"* SEARCH ", b"1", 64 * MIB)
    opening = [(x.direction, x.data) for x in COMPRESSED if isinstance(x, Said)]
    assert len(wire) < 80_000
    assert peak_of([*opening, (SERVER, wire)]) < 60 * MIB
