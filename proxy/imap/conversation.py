"""A session's two streams turned into records: pieces, exchanges, spans, events (M sections 2-5, 7).

Push chunks in with their time and layer (`receive`), pull the records out (`take`). There is no socket, clock or
callback in here, no input makes it raise, and what it says is already masked. Time is given by the caller, in
microseconds since the session was opened.
"""

from __future__ import annotations

from collections.abc import Iterator

from proxy.imap.client_side import ClientSide
from proxy.imap.deflate import Failure, Inflater
from proxy.imap.exchanges import Book
from proxy.imap.letters.policy import Bodies
from proxy.imap.responses import ResponseHead
from proxy.imap.server_side import ServerSide
from proxy.imap.shared import Shared
from proxy.imap.state import Phase, SessionState
from proxy.imap.transcript import (
    Direction,
    Ending,
    Event,
    EventKind,
    Layer,
    Origin,
    Outcome,
    Record,
    SessionClosed,
)
from proxy.imap.vault import Vault

_LINES_AT_ONCE = 200


class Conversation:
    """Listens to both directions of one session."""

    def __init__(
        self, session: int, *, decode: bool = True, recorded: bool = False, bodies: Bodies = Bodies.FULL
    ) -> None:
        """`session` is its number in the recording; with `decode`, COMPRESS=DEFLATE is inflated for the record.

        With `recorded`, its streams come from a record, where that has been done. `bodies` is what is kept of letters.
        """
        self._records: list[Record] = []
        put = self._records.append
        self._shared = Shared(session, put, Book(session, put), SessionState(), Vault(), bodies=bodies)
        self._client = ClientSide(self._shared)
        self._server = ServerSide(self._shared, self._client, self._client.run)
        self._decode = decode
        self._recorded = recorded
        self._inflaters: dict[Direction, Inflater] = {}
        self._first_deflated: list[tuple[Direction, bytes, Layer]] = []

    @property
    def state(self) -> SessionState:
        """What the session has become."""
        return self._shared.state

    @property
    def compressing(self) -> bytes | None:
        """The tag of a COMPRESS command that the server has not answered yet."""
        exchange = self._shared.book.running("COMPRESS")
        return exchange.tag if exchange else None

    @property
    def in_flight(self) -> int:
        """How many exchanges are open."""
        return len(self._shared.book.open)

    @property
    def said_bye(self) -> bool:
        """Whether the server has said that it will close the connection, unasked or because of a LOGOUT."""
        return self._shared.bye or self._shared.state.phase is Phase.LOGOUT

    @property
    def awaits_command(self) -> bool:
        """Whether the client's next byte begins something new: also where the server has refused a literal (M 4.3)."""
        return self._client.reader.between and not self._client.behind

    @property
    def holds_text(self) -> bool:
        """Whether a part of a line is held back that `tick` may release."""
        return bool(self._client.reader.partial or self._server.reader.partial)

    @property
    def client_may_be_told(self) -> bool:
        """Whether a line of ours would be one to the client: the server is between two units, and both are in clear."""
        return self._server.reader.between and not self._shared.deflated

    def received(self, direction: Direction) -> int:
        """Bytes received so far in this direction, as the record counts them."""
        return self._side(direction).ledger.received

    def passing(self, direction: Direction) -> int:
        """How many of the next bytes of this direction are a literal's which nobody looks into: they take no time."""
        return 0 if direction in self._inflaters else self._side(direction).reader.passing

    def take(self) -> list[Record]:
        """The records made since the last call."""
        self._record()
        records = self._records[:]
        self._records.clear()
        return records

    def receive(self, direction: Direction, chunk: bytes, at: int, layer: Layer) -> None:
        """The peer on this side has sent these bytes."""
        for _ in self.begin(direction, chunk, at, layer) or ():
            pass

    def begin(self, direction: Direction, chunk: bytes, at: int, layer: Layer) -> Iterator[None] | None:
        """`receive` for somebody who has other things to do as well: what is deflated is left to the steps returned.

        Each of them reads a few hundred lines at most. All have to be taken before anything else is received.
        """
        if self._inflaters and direction in self._inflaters:
            return self._deflated(direction, chunk, at, layer)
        try:
            if chunk:
                self._receive_clear(direction, chunk, at, layer)
        except Exception as error:  # noqa: BLE001 - rule 1: whatever is wrong here concerns the record only
            self._fault(direction, error, at)
        return self._deflated_first(at) if self._first_deflated else None

    def _deflated_first(self, at: int) -> Iterator[None]:
        """What came behind the command, and then what came behind the OK to COMPRESS."""
        while self._first_deflated:
            direction, chunk, layer = self._first_deflated.pop(0)
            yield from self._deflated(direction, chunk, at, layer)

    def _deflated(self, direction: Direction, chunk: bytes, at: int, layer: Layer) -> Iterator[None]:
        try:
            yield from self._receive_deflated(direction, self._inflaters[direction], chunk, at, layer)
        except Exception as error:  # noqa: BLE001 - as above
            self._fault(direction, error, at)

    def proxy_command(self, line: bytes, at: int) -> None:
        """imaptap itself has sent this command upstream (M 6.4)."""
        tag, _, command = line.strip().partition(b" ")
        name, _, arguments = command.partition(b" ")
        exchange = self._shared.book.begin(tag, name.decode("ascii").upper(), at, Origin.PROXY)
        exchange.add_arguments(arguments)
        exchange.sending = False
        self._shared.book.changed(exchange)

    def answer(self, tag: bytes, status: str, text: str, at: int) -> None:
        """imaptap itself has answered the client's STARTTLS with this tag, as it came; the server never saw it."""
        exchange = next(reversed(self._shared.book.open.values()), None)
        # Not the oldest with this tag: that may be a command which the server has yet to answer (M 3.2).
        if exchange is None or (exchange.tag, exchange.sent) != (tag, "STARTTLS"):
            return
        exchange.mark("answered by imaptap")
        head = ResponseHead(tag, status, status)
        self._shared.book.close(exchange, Outcome.COMPLETED, head, text, at)
        self._client.spans.flush()
        self._client.run()

    def inflated(self) -> None:
        """What follows COMPRESS is in the record as it was before it was compressed, as with `recorded`."""
        self._recorded = True

    def secured(self) -> None:
        """TLS now protects a leg that was clear: what was said before is not to be trusted (M 6.8)."""
        self._shared.state.switch_to_tls()

    def give_up(self, at: int, why: str) -> None:
        """Read no further: what still comes is kept as it is, and the client's words hidden."""
        for direction in Direction:
            self._inflaters.pop(direction, None)
            self._side(direction).lose()
        self._shared.event(at, EventKind.RAW, "unread", f"both sides' bytes are not read from here on: {why}")

    def event(self, event: Event) -> None:
        """Put an event of the live side on record, in order with everything else."""
        self._record()
        self._records.append(event)

    def tick(self) -> None:
        """Release what is public of lines that have not ended, so that a crash does not lose it."""
        self._client.release_partial()
        self._server.release_partial()

    def close(self, at: int, ending: Ending, reason: str) -> None:
        """The session is over: everything still held is released, everything open is ended (rule 7)."""
        # The server first: what it says cannot be an answer to a command that has not ended.
        for direction in (Direction.SERVER, Direction.CLIENT):
            try:
                self._side(direction).close()
            except Exception as error:  # noqa: BLE001 - the session's end must be recorded all the same
                self._fault(direction, error, at)
        for exchange in list(self._shared.book.open.values()):
            ended = self._shared.bye or "BYE" in exchange.responses
            self._shared.book.close(exchange, Outcome.BYE if ended else Outcome.INCOMPLETE, None, "", at)
        self._close_inflaters(at)
        self._record()
        client, server = self._client.ledger.received, self._server.ledger.received
        self._records.append(SessionClosed(self._shared.session, at, ending, reason, client, server))

    def _record(self) -> None:
        self._client.ledger.record()
        self._server.ledger.record()
        self._shared.book.tell()

    def _side(self, direction: Direction) -> ClientSide | ServerSide:
        return self._client if direction is Direction.CLIENT else self._server

    def _receive_clear(self, direction: Direction, chunk: bytes, at: int, layer: Layer) -> None:
        if direction is Direction.CLIENT:
            if self._shared.layered:
                self._watch_for_security_layer(chunk, at)
            self._client.ledger.hold(chunk, at, layer)
            self._client.run(chunk)
            return
        self._server.ledger.hold(chunk, at, layer)
        read = self._server.run(chunk)
        if self._shared.compressed:
            self._start_deflate(at)
        elif read < len(chunk):
            self._begin_security_layer(at)
            self._server.run(chunk[read:])

    def _watch_for_security_layer(self, chunk: bytes, at: int) -> None:
        """The client's first byte behind the OK says whether there is one. The server's lines may go on until then."""
        self._shared.layered = False
        if chunk[0] == 0 and self._client.reader.between:
            self._begin_security_layer(at)

    def _begin_security_layer(self, at: int) -> None:
        """A SASL security layer frames by a 4-byte length, so it starts with NUL, which no IMAP line does (M 4.8)."""
        self._shared.layered = False
        self._go_raw(at, "security layer", "the SASL mechanism protects the rest of the session")

    def _go_raw(self, at: int, name: str, text: str) -> None:
        for side in (self._client, self._server):
            side.reader.go_raw()
            if self._shared.bodies is not Bodies.FULL:  # letters may be in there
                side.ledger.mask_rest(side.reader.offset, "unread", at)
        self._shared.event(at, EventKind.RAW, name, text)

    def _start_deflate(self, at: int) -> None:
        """COMPRESS was answered OK: the next byte of both directions is compressed (RFC 4978 section 3)."""
        self._shared.compressed, self._shared.deflated = False, True
        if self._recorded:
            self._server.run(self._unread(Direction.SERVER))
            self._client.run()
            return
        if not self._decode:
            self._go_raw(at, "compress", "kept as it is: --compress opaque")
            self._server.run(self._unread(Direction.SERVER))
            self._client.run()
            return
        self._shared.event(at, EventKind.COMPRESS, "start", "both directions are deflated from here on")
        for direction in Direction:
            side, rest = self._side(direction), self._unread(direction)
            self._inflaters[direction] = Inflater(side.reader)
            if rest:
                self._first_deflated.append((direction, rest, side.ledger.layer))
                side.ledger.take_back(side.reader.offset)

    def _unread(self, direction: Direction) -> bytes:
        side = self._side(direction)
        return side.ledger.unmasked(side.reader.offset, side.ledger.received)

    def _receive_deflated(
        self, direction: Direction, inflater: Inflater, chunk: bytes, at: int, layer: Layer
    ) -> Iterator[None]:
        for part in inflater.feed(chunk):
            size = max(1, len(part) * _LINES_AT_ONCE // max(part.count(b"\n"), _LINES_AT_ONCE))
            for start in range(0, len(part), size):
                self._receive_clear(direction, part[start : start + size], at, layer | Layer.DEFLATE)
                yield
        if inflater.failure:
            self._stop_inflating(direction, inflater, inflater.failure, at)
            if inflater.rest:
                self._receive_clear(direction, inflater.rest, at, layer)

    def _stop_inflating(self, direction: Direction, inflater: Inflater, failure: Failure, at: int) -> None:
        """What still comes in this direction is kept as it is."""
        del self._inflaters[direction]
        self._side(direction).lose()
        who = direction.name.lower()
        what = "is broken"
        if failure is Failure.BOMB:
            what = f"is a bomb ({inflater.compressed} B held {inflater.inflated} B)"
            self._shared.event(at, EventKind.SECURITY, "deflate bomb", f"the {who}'s deflate stream {what}")
        text = f"the {who}'s deflate stream {what}; its bytes are kept compressed from here on"
        self._shared.event(at, EventKind.RAW, "compress", text)

    def _close_inflaters(self, at: int) -> None:
        for direction, inflater in self._inflaters.items():
            text = f"{direction.name.lower()}: {inflater.compressed} B compressed held {inflater.inflated} B"
            event = Event(self._shared.session, at, EventKind.COMPRESS, "sizes", text, direction)
            self._records.append(event)

    def _fault(self, direction: Direction, error: Exception, at: int) -> None:
        """A fault of our own: hide what is held, keep the rest as raw bytes, and say so without quoting the traffic."""
        side = self._side(direction)
        side.ledger.mask(side.ledger.released, side.ledger.received, "unread", at)
        side.ledger.release(side.ledger.received)
        side.reader.offset = side.ledger.received
        side.lose()
        where = error.__traceback__
        while where and where.tb_next:
            where = where.tb_next
        line = where.tb_lineno if where else 0
        text = f"{type(error).__name__} at line {line}: the {direction.name.lower()}'s bytes are kept raw from here on"
        self._shared.event(at, EventKind.FAULT, "parser", text)
