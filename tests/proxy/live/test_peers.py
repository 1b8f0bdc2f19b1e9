"""Two peers do whatever comes into their heads, and the whole core is watched: gates, relay, tap, conversation.

`Peers` foresees what is in flight as long as both know IMAP. When one of them lies or talks nonsense, what must hold
of any two streams is still looked at. At the end everything that was heard is told again, byte by byte.
"""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from proxy.imap.gate import LINE_MAX
from proxy.imap.transcript import Direction, Exchange, Piece, Record
from proxy.live.endpoint import Security
from tests.proxy.imap import invariants
from tests.proxy.imap.logins import MARKER, PLAIN, b64
from tests.proxy.imap.playing import Cut, Heard, Said, play
from tests.proxy.imap.test_marker import traces
from tests.proxy.live.peers import CLIENT, PASSWORD, SERVER, Mood, Peers
from tests.proxy.live.rig import Told
from tests.proxy.live.wireless import Wireless

HELD_MAX = 256 * 1024
CHUNKS_MAX = 500
TAGS = st.sampled_from([b"a", b"b", b".", b"A0001"])
SIZES = st.sampled_from([0, 1, 5, 4095, 4096, 70_000])
SIDES = st.sampled_from(Direction)
MOST = st.sampled_from([1, 2, 3, 7, 30, 10**6])
FILLER = b"x OK done\r\n* CAPABILITY STARTTLS\r\n+ go\r\n"
WORDS = st.sampled_from(
    [b"NOOP", b"UID FETCH 1:* (FLAGS)", b"SELECT INBOX", b'LIST "" "*"', b"XVENDOR (1 2)", b"LOGOUT"]
)
DATA = st.sampled_from(
    [
        *(b"* 3 EXISTS\r\n", b"* OK [ALERT] look\r\n", b'* LIST () "/" INBOX\r\n', b"* SEARCH 1 2 3\r\n"),
        *(b"* NO hm\r\n", b'* ESEARCH (TAG "a") UID ALL 1:5\r\n', b"* OK " + b"x" * 20_000 + b"\r\n"),
    ]
)
OFFER = b"* CAPABILITY IMAP4rev1%s AUTH=PLAIN COMPRESS=DEFLATE\r\n"
GREETINGS = [b"* OK hi\r\n", b"* PREAUTH hi\r\n", b"* OK [CAPABILITY IMAP4rev1 STARTTLS IDLE] hi\r\n"]
NONSENSE = st.one_of(
    st.binary(min_size=1, max_size=40),
    st.sampled_from([b"a APPEND x {10}\r\nb NOOP\r\n", b"* 1 FETCH (BODY[] {99}\r\na OK\r\n", b"* X {", b"\r\n\n\r"])
    | st.sampled_from(
        [b"a OK early\r\n", b"+ \r\n", b"DONE\r\n", b"* BYE\r\n", b"{9223372036854775807}\r\n", b"\0" * 30]
    )
    | st.sampled_from([b"a STARTTLS\r\n", b"a LOGIN {3}\r\n", b"b AUTHENTICATE X\r\n", b"a COMPRESS DEFLATE\r\n"]),
)


def filler(size: int) -> bytes:
    """So many bytes that look like answers and commands."""
    return (FILLER * (size // len(FILLER) + 1))[:size]


class TwoPeers(RuleBasedStateMachine):
    """Rules are what a peer, the network or the recorder may do next."""

    def __init__(self) -> None:
        super().__init__()
        self.peers = Peers()
        self.heard: list[Said] = []
        self.ended: Direction | None = None

    @initialize(tls=st.booleans(), greeting=st.sampled_from(GREETINGS), most=MOST)
    def open(self, tls: bool, greeting: bytes, most: int) -> None:
        """The server is about to greet."""
        self.tls = tls
        self.wire = Wireless(Security.TLS if tls else Security.PLAIN)
        self.peers.greet(greeting, greeting.replace(b" STARTTLS", b""))
        self._say(SERVER, most)

    # --- both

    def _say(self, direction: Direction, most: int) -> None:
        self._deliver(direction, self.peers.next(direction, most))

    def _deliver(self, direction: Direction, data: bytes) -> None:
        if data:
            self.heard.append(Said(direction, data))
            self.wire.deliver(direction, data)

    def _busy(self, direction: Direction) -> bool:
        return self.ended is None and self.peers.peer(direction).busy

    @precondition(lambda self: self._busy(CLIENT))
    @rule(most=MOST)
    def client_goes_on(self, most: int) -> None:
        self._say(CLIENT, most)

    @precondition(lambda self: self._busy(SERVER))
    @rule(most=MOST)
    def server_goes_on(self, most: int) -> None:
        self._say(SERVER, most)

    @precondition(lambda self: self.ended is None)
    @rule(side=SIDES, data=NONSENSE)
    def talk_nonsense(self, side: Direction, data: bytes) -> None:
        peer = self.peers.peer(side)
        if not peer.busy:
            self.peers.lost = True
            peer.said += data
            self._deliver(side, data)

    # --- the client

    @property
    def _free(self) -> bool:
        return self.ended is None and not self.peers.client.busy and self.peers.mood is Mood.FREE

    @precondition(lambda self: self._free)
    @rule(tag=TAGS, words=WORDS, most=MOST)
    def command(self, tag: bytes, words: bytes, most: int) -> None:
        self.peers.command(tag, words)
        self._say(CLIENT, most)

    @precondition(lambda self: self._free)
    @rule(tags=st.lists(TAGS, min_size=2, max_size=12), words=WORDS, most=MOST)
    def pipeline(self, tags: list[bytes], words: bytes, most: int) -> None:
        for tag in tags:
            self.peers.command(tag, words)
        self._say(CLIENT, most)

    @precondition(lambda self: self._free)
    @rule(tag=TAGS, size=SIZES, plus=st.booleans(), most=MOST)
    def append(self, tag: bytes, size: int, plus: bool, most: int) -> None:
        self.peers.with_literal(tag, b"APPEND box ", filler(size), plus=plus)
        self._say(CLIENT, most)

    @precondition(lambda self: self._free and not self.peers.lost)
    @rule(tag=TAGS, how=st.sampled_from(["line", "literal", "literal+"]), most=MOST)
    def login(self, tag: bytes, how: str, most: int) -> None:
        if how == "line":
            self.peers.command(tag, b"LOGIN bob " + PASSWORD)
        else:
            self.peers.with_literal(tag, b"LOGIN bob ", MARKER, plus=how == "literal+")
        self._say(CLIENT, most)

    @precondition(lambda self: self._free)
    @rule(tag=TAGS, what=st.sampled_from([b"AUTHENTICATE PLAIN", b"IDLE", b"COMPRESS DEFLATE"]), most=MOST)
    def command_that_waits(self, tag: bytes, what: bytes, most: int) -> None:
        if what != b"COMPRESS DEFLATE" or not self.peers.compressed:
            self.peers.command(tag, what)
            self._say(CLIENT, most)

    @precondition(lambda self: self._free and not self.tls and not self.peers.compressed)
    @rule(tag=TAGS, behind=st.lists(TAGS, max_size=2), most=MOST)
    def starttls(self, tag: bytes, behind: list[bytes], most: int) -> None:
        self.peers.starttls(tag)
        for each in behind:
            self.peers.command(each, b"NOOP")
        self._say(CLIENT, most)

    @precondition(lambda self: self.ended is None and not self.peers.client.busy and self.peers.mood is Mood.CHALLENGED)
    @rule(cancel=st.booleans(), most=MOST)
    def answer_challenge(self, cancel: bool, most: int) -> None:
        self.peers.answer(b"*" if cancel else b64(b"bob") if self.peers.lost else PLAIN)
        self._say(CLIENT, most)

    @precondition(lambda self: self.ended is None and not self.peers.client.busy and self.peers.mood is Mood.IDLING)
    @rule(most=MOST)
    def done(self, most: int) -> None:
        self.peers.done()
        self._say(CLIENT, most)

    # --- the server

    @property
    def _server_free(self) -> bool:
        return self.ended is None and not self.peers.server.busy

    @precondition(lambda self: self._server_free)
    @rule(most=MOST)
    def go_ahead(self, most: int) -> None:
        self.peers.go_ahead()
        self._say(SERVER, most)

    @precondition(lambda self: self._server_free)
    @rule(data=DATA, most=MOST)
    def untagged(self, data: bytes, most: int) -> None:
        self.peers.data(data)
        self._say(SERVER, most)

    @precondition(lambda self: self._server_free and self.peers.told and not self.peers.lost)
    @rule(most=MOST)
    def echo(self, most: int) -> None:
        """Servers tell what they did not like. (One that lies about a literal could say it half within that.)"""
        self.peers.data(b"* BAD LOGIN bob " + PASSWORD + b" is wrong\r\n")
        self._say(SERVER, most)

    @precondition(lambda self: self._server_free)
    @rule(size=SIZES, most=MOST)
    def message(self, size: int, most: int) -> None:
        self.peers.data(b"* 1 FETCH (UID 7 BODY[] {%d}\r\n" % size + filler(size) + b" FLAGS ())\r\n")
        self._say(SERVER, most)

    @precondition(lambda self: self._server_free)
    @rule(most=MOST)
    def capabilities(self, most: int) -> None:
        hidden = b"" if self.peers.authenticated or self.peers.compressed else b" STARTTLS"
        self.peers.data(OFFER % hidden, OFFER % b"" if hidden else None)
        self._say(SERVER, most)

    @precondition(lambda self: self._server_free and self.peers.answerable)
    @rule(data=st.data(), status=st.sampled_from([b"OK", b"OK", b"NO", b"BAD"]), most=MOST)
    def complete(self, data: st.DataObject, status: bytes, most: int) -> None:
        self.peers.complete(data.draw(st.sampled_from(self.peers.answerable)), status, b"[CODE 1] so be it")
        self._say(SERVER, most)

    @precondition(lambda self: self._server_free and self.peers.mood is Mood.LITERAL)
    @rule(most=MOST)
    def refuse_literal(self, most: int) -> None:
        """Where no other command has the same tag: nobody could say which of them is meant."""
        waiting = self.peers.waiting
        if waiting and [x.tag for x in self.peers.open].count(waiting.tag) == 1:
            self.peers.complete(waiting, b"NO", b"[TOOBIG] no")
            self._say(SERVER, most)

    # --- the network and the recorder

    @precondition(lambda self: self.ended is None)
    @rule(side=SIDES, full=st.booleans())
    def press(self, side: Direction, full: bool) -> None:
        self.wire.press(side, full=full)

    @precondition(lambda self: self.ended is None)
    @rule(full=st.booleans())
    def fill_recorder(self, full: bool) -> None:
        self.wire.fill(full=full)

    @precondition(lambda self: self.ended is None)
    @rule()
    def look(self) -> None:
        """What is in flight is what the peers know to be."""
        conversation = self.wire.tap.conversation
        if self.peers.foreseeable:
            tags = [x.tag for x in conversation._shared.book.open.values()]
            assert tags == [x.tag for x in self.peers.open]
            assert conversation.in_flight == len(tags)
            assert conversation.state.authenticated == self.peers.authenticated

    @precondition(lambda self: self.ended is None and len(self.heard) > 5)
    @rule(side=SIDES, how=st.sampled_from(["end", "close", "reset"]))
    def hang_up(self, side: Direction, how: str) -> None:
        self.wire.fill(full=False)  # who goes while the recorder is behind is heard out once it is back
        self.ended = side
        error = ConnectionResetError(104, "Connection reset by peer") if how == "reset" else None
        self.wire.hang_up(side, error, politely=how == "end")

    @precondition(lambda self: self.ended is not None)
    @rule()
    def rest(self) -> None:
        """Nobody is there any more."""

    # --- what always holds

    @invariant()
    def bytes_go_on(self) -> None:
        """All but a line that may have to be changed, and nothing else than what came."""
        if not self.heard or self.peers.lost:
            return
        for direction, got in ((CLIENT, self._at_server), (SERVER, self._at_client)):
            peer = self.peers.peer(direction)
            expected = bytes(peer.arrived + peer.half)
            assert expected.startswith(got) or got.startswith(peer.arrived), direction
            # While the recorder is behind, what was left of a chunk for the next turn waits for it (rule 6).
            assert self.wire.sink.full or len(expected) - len(got) <= LINE_MAX

    @invariant()
    def little_is_held(self) -> None:
        if self.heard:
            conversation = self.wire.tap._conversation
            for direction in Direction:
                assert conversation._side(direction).ledger.held <= HELD_MAX
            assert self.wire.faults == []

    @property
    def _at_server(self) -> bytes:
        return bytes(self.wire.server.got)

    @property
    def _at_client(self) -> bytes:
        """What the client got from the server, without what imaptap has said to it."""
        got = bytearray(self.wire.client.got)
        for before, said in reversed(self.wire.answers):
            assert got[before : before + len(said)] == said
            del got[before : before + len(said)]
        return bytes(got)

    def teardown(self) -> None:
        """The whole record, and the same once more from the same bytes."""
        if not self.heard:
            return
        if self.ended is None:
            self.hang_up(CLIENT, "end")
        try:
            self._check_the_end()
        finally:
            self.wire.close()

    def _check_the_end(self) -> None:
        assert self.wire.faults == []
        heard = Heard(self.wire.records[1:])
        if not self.peers.lost:
            for direction, got in ((CLIENT, self._at_server), (SERVER, self._at_client)):
                peer = self.peers.peer(direction)
                # Half a line that may have to be changed does not reach a peer that has gone.
                assert bytes(peer.arrived + peer.half).startswith(got)
                assert direction is not self.ended or got == bytes(peer.arrived + peer.half)
        if not self.peers.compressed and not any(x.name == "start" for x in heard.events):
            streams = {d: b"".join(x.data for x in self.heard if x.direction is d) for d in Direction}
            invariants.check(heard, streams)
            self._check_what_arrived(Told(self.wire.records))
        else:
            invariants.check(heard, {d: heard.stream(d) for d in Direction})
        again = play(self.heard)
        assert traces([_numberless(record) for record in heard.records]) == []
        if not self.wire.answers:
            assert [_timeless(x) for x in again.exchanges] == [_timeless(x) for x in heard.exchanges]
            assert all(again.stream(d) == heard.stream(d) for d in Direction)

    def _check_what_arrived(self, told: Told) -> None:
        """What is said to a peer that has gone is on record, and reaches nobody."""
        if self.peers.lost and self.wire.answers:
            return  # a STARTTLS behind a command that is never answered is taken out, and never read
        if self.ended is CLIENT:
            told.assert_arrived(server=self._at_server)
        else:
            told.assert_arrived(client=bytes(self.wire.client.got))


def _finely(heard: list[Said]) -> Cut:
    """Byte by byte, but in no more chunks than the ledger tells the times of, should it have to hold them all."""
    size = sum(len(x.data) for x in heard) // CHUNKS_MAX + 1
    return lambda data: [data[at : at + size] for at in range(0, len(data), size)]


def _numberless(record: Record) -> Record:
    """Without what only counts, and places in memory: four digits in a row may look like a part of anything."""
    if isinstance(record, Piece):
        record = record._replace(chunks=(), literal=None, data=bytes(record.data))
    return record._replace(**{name: 0 for name, value in record._asdict().items() if type(value) is int})


def _timeless(exchange: Exchange) -> Exchange:
    return exchange._replace(started=0, ended=0)


def test_two_peers(soak: bool) -> None:
    """Shortly in `make test`; with --soak a hundred times as many sessions, and longer ones."""
    run_state_machine_as_test(
        TwoPeers,
        settings=settings(
            max_examples=3000 if soak else 50,
            stateful_step_count=100 if soak else 30,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
