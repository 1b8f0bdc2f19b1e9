"""The server's direction of a conversation: greeting, data, continuations, completions (M sections 2-4, 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proxy.imap.client_side import ClientSide
from proxy.imap.exchanges import Expects, OpenExchange
from proxy.imap.ledger import Ledger
from proxy.imap.letters.policy import Bodies
from proxy.imap.letters.server import ServerLetters
from proxy.imap.masking import masked
from proxy.imap.ordinary import OrdinaryResponses
from proxy.imap.responses import ResponseHead, read_response
from proxy.imap.server_secrets import ServerSecrets
from proxy.imap.shared import Shared
from proxy.imap.spans import NOBODY, Attribution, Spans
from proxy.imap.state import Phase
from proxy.imap.transcript import Certainty, Direction, EventKind, Outcome, readable
from proxy.imap.units import LITERAL_KEPT, OVERLONG_HELD, TEXT_KEPT, Boundary, Unit, UnitReader

_LAYERED_MECHANISMS = frozenset({"GSSAPI", "GSS-SPNEGO", "DIGEST-MD5", "KERBEROS_V4", "SRP", "NTLM"})
_UNREAD = ResponseHead(None, "?")
_TEXT_SHOWN = 4000


class ServerSide:
    """Reads what the server sends and says what it does to the exchanges."""

    def __init__(self, shared: Shared, client: ClientSide, wake_client: Callable[[], None]) -> None:
        self.reader = UnitReader(Direction.SERVER)
        self.ledger = Ledger(shared.session, Direction.SERVER, shared.put)
        self.spans = Spans(shared.session, Direction.SERVER, shared.put)
        self._shared = shared
        self._client = client
        self._wake_client = wake_client
        self._secrets = ServerSecrets(shared, self.reader, self.ledger)
        self._ordinary = OrdinaryResponses(shared, self.reader, self.ledger, self.spans, self._completed)
        self._letters: ServerLetters | None = None
        """There where not everything is kept."""
        if shared.bodies is not Bodies.FULL:
            self._letters = ServerLetters(shared.bodies, shared, self.reader, self.ledger)
            self._ordinary.mind_letters()
        self._head = _UNREAD
        self._shown = _UNREAD
        self._first = b""
        """The unit's first line, and `_shown` its head, as the record has them; `_head` is as it was sent."""
        self._whose = NOBODY
        self._unit_at = 0
        self._out_of_sync = False
        self._cleared = 0

    def lose(self) -> None:
        """From here on the server is not understood. Before a login what it says stays hidden: it may be challenges."""
        self.reader.go_raw()
        if self._letters or not self._shared.state.authenticated:
            self.ledger.mask_rest(self.reader.offset, "unread", self.ledger.newest_at)

    def run(self, chunk: bytes) -> int:
        """Read the chunk, which the ledger holds.

        Returns how far: less than all where COMPRESS or, with a NUL, a security layer begins in it.
        """
        pos = 0
        while pos < len(chunk):
            if self.reader.between:
                if self._shared.layered and chunk[pos] == 0:
                    break
                pos = self._run_ordinary(chunk, pos)
                if pos == len(chunk):
                    break
                self._unit_at = self.ledger.time_of(self.reader.offset)
            elif end := self._ordinary.end(self._whose, chunk, pos):
                pos, self._cleared = end, self.reader.offset
                continue
            boundary, pos = self.reader.read(chunk, pos)
            if boundary is Boundary.UNIT:
                self._line(last=True)
                self._end_unit(self.reader.take_unit())
                if self._shared.compressed:
                    break
            else:
                self._at(boundary)
        self.ledger.release(self._cleared)
        return pos

    def _run_ordinary(self, chunk: bytes, pos: int) -> int:
        doubtful = self._out_of_sync or (self._letters is not None and self._letters.doubtful)
        if not doubtful and not self._client.reader.partial:
            pos = self._ordinary.read(chunk, pos)
            if pos < len(chunk) and (begun := self._ordinary.begin(chunk, pos)):
                self._head, self._first, self._whose = begun
                self._shown, self._unit_at = self._head, self.ledger.newest_at
                self._secrets.begin(self._head, challenge=False)
                pos += len(self._first)
            self._cleared = self.reader.offset
        return pos

    def _at(self, boundary: Boundary) -> None:
        if boundary is Boundary.LINE:
            self._line(last=False)
        elif boundary is Boundary.PARTIAL:
            if self.reader.partial > TEXT_KEPT and self.ledger.held > OVERLONG_HELD:
                self.release_partial()
        elif boundary is Boundary.RAW:
            self._cleared = self.reader.offset
        else:
            self._literal(boundary)

    def _line(self, *, last: bool) -> None:
        self._read_line(self.reader.line, first=self.reader.first, last=last)
        self._cleared = self.reader.offset

    def _read_line(self, line: bytes, *, first: bool, last: bool) -> None:
        if first:
            self._begin_unit(line)
        spans = self._secrets.line(line, first=first, last=last)
        if self._letters:
            if first:
                self._letters.begin(self._head, line, self._whose.exchange)
            spans = spans + self._letters.line(line, first=first)
        if first:
            self._first = masked(line, spans)
            self._shown = read_response(self._first) if spans else self._head
            if self._letters and self._letters.hidden:
                self._shown = _UNREAD

    def _begin_unit(self, line: bytes) -> None:
        book = self._shared.book
        self._client.begin_early()
        self._head = head = read_response(line)
        if head.kind == "+":
            target = book.first(Expects.LITERAL, Expects.SASL, Expects.IDLE)
            self._whose = Attribution(target, Certainty.SURE) if target else NOBODY
        elif head.tag is not None:
            exchange = book.find(head.tag) if head.status else None
            self._whose = Attribution(exchange, Certainty.SURE) if exchange else NOBODY
        elif not book.open:
            self._whose = NOBODY
        else:
            self._whose = book.attribute(head, line)
        target = self._whose.exchange
        self._secrets.begin(head, challenge=target is not None and target.expects is Expects.SASL)

    def _literal(self, boundary: Boundary) -> None:
        literal = self.reader.last_literal
        if literal is None:
            return
        if self._letters and not self._letters.keeps_literal():
            self.ledger.release(self._cleared)
            if boundary is Boundary.LITERAL_END and self._letters.keeps_beginning(literal):
                self._secrets.small_literal(literal)
            if self._letters.literal(literal, boundary):
                self._cleared = self.reader.offset
            return
        if literal.size <= LITERAL_KEPT:
            if boundary is Boundary.LITERAL_END:
                self._secrets.small_literal(literal)
                self._cleared = self.reader.offset
            return
        self.ledger.release(self._cleared)
        self.ledger.release(self.reader.offset, self._secrets.large_literal(literal))
        self._cleared = self.reader.offset

    def _close_literal(self) -> None:
        self._secrets.close_literal()
        literal = self.reader.literal
        if literal is not None and self._letters and not self._letters.keeps_literal():
            self._letters.close_literal(literal)  # behind its header, which may be kept

    def _end_unit(self, unit: Unit) -> None:
        head, whose = self._head, self._whose
        at = self._add_span(unit)
        if whose.exchange:
            for flaw in unit.flaws:
                whose.exchange.mark(flaw)
        if head.kind == "+":
            self._continue(whose.exchange)
        elif head.tag is not None and head.status:
            self._complete(whose.exchange, head, at)
        else:
            self._untagged(whose.exchange, head, at)
        if self.reader.raw:
            self.lose()
            text = "the server's bytes are not read from here on: a literal is announced that no client could take"
            self._shared.event(at, EventKind.RAW, "literal too large", text)

    def _add_span(self, unit: Unit) -> int:
        at = self.ledger.time_of(unit.end - 1)
        self.spans.add(self._whose, unit.start, unit.end, self._unit_at, at)
        if self._whose.exchange:
            self._whose.exchange.server_bytes += unit.end - unit.start
        return at

    def _continue(self, exchange: OpenExchange | None) -> None:
        if exchange is None:
            return
        if exchange.expects is Expects.SASL:
            self._client.permit()
            self._wake_client()
        else:
            self._shared.book.expect(exchange, Expects.NOTHING)

    def _complete(self, exchange: OpenExchange | None, head: ResponseHead, at: int) -> None:
        shared = self._shared
        self._learn_capabilities(head)
        if exchange is None:
            shared.event(at, EventKind.NOTICE, "orphan", f"a tagged {head.status} for no command in flight")
            return
        status = head.status or ""
        shared.state.complete(exchange.sent, status, exchange.mailbox)
        if exchange.hidden and status == "OK":
            shared.doubtful = False
        self._close(exchange, Outcome.COMPLETED, at)
        if status == "OK" and exchange.sent == "COMPRESS" and not shared.deflated:
            shared.compressed = "DEFLATE" in exchange.arguments.upper()
        shared.layered |= status == "OK" and exchange.mechanism in _LAYERED_MECHANISMS
        self._completed()

    def _completed(self) -> None:
        """An exchange has ended, which tells what the client's next bytes are."""
        self.spans.flush()
        self._client.spans.flush()
        if not self._shared.compressed and self._client.behind:
            self._wake_client()

    def _close(self, exchange: OpenExchange, outcome: Outcome, at: int) -> None:
        text = readable(self._first[self._head.text :][:_TEXT_SHOWN].strip())
        head = self._head if self._head is self._shown else replace(self._head, code=self._shown.code)
        self._shared.book.close(exchange, outcome, head, text, at)
        self._client.refuse(exchange)

    def _untagged(self, exchange: OpenExchange | None, head: ResponseHead, at: int) -> None:
        shared = self._shared
        self._learn_capabilities(head)
        illegal = shared.book.oldest_illegal() if head.status == "BAD" else None
        if illegal:
            self._close(illegal, Outcome.RULE, at)
        elif exchange:
            exchange.count(head.status or self._shown.kind)
        if head.kind == "?":
            self._lost_sync(at)
        else:
            self._out_of_sync = False
        if shared.state.phase is Phase.CONNECTED:
            shared.state.greet(head.status or "")
            if head.status not in {"OK", "PREAUTH", "BYE"}:
                shared.event(at, EventKind.NOTICE, "greeting", "the server's first line is no IMAP greeting")
        if head.status == "BYE" and not shared.book.running("LOGOUT"):
            shared.bye = True

    def _lost_sync(self, at: int) -> None:
        """A line that is no IMAP: said once, until a line of IMAP comes (M 2.16)."""
        if not self._out_of_sync:
            self._out_of_sync = True
            self._shared.event(at, EventKind.FAULT, "out of sync", "a server line is no IMAP response")

    def _learn_capabilities(self, head: ResponseHead) -> None:
        layer = self.ledger.layer
        if head.code == "CAPABILITY":
            self._shared.state.learn_capabilities(head.code_arguments, layer)
        elif head.kind == "CAPABILITY" and head.tag is None:
            self._shared.state.learn_capabilities(self._first[len(b"* CAPABILITY") :], layer)

    def release_partial(self) -> None:
        """Release what is certainly public of a line that has not ended."""
        if not self._letters:
            self._secrets.release_partial()
        elif self.reader.partial > TEXT_KEPT and not self.reader.raw:
            book, line = self._shared.book, self.reader.line
            target = book.first(Expects.LITERAL, Expects.SASL, Expects.IDLE) if line.startswith(b"+") else None
            if not self._letters.hides_partial(line, target):
                self._secrets.release_partial()
                return
            self.ledger.release(self.reader.offset)

    def close(self) -> None:
        """No more bytes will come."""
        reader = self.reader
        if reader.partial:
            self._read_line(reader.line, first=not reader.texts, last=True)
        else:
            self._close_literal()
        unit = reader.cut()
        if unit:
            self._add_span(unit)
        self.ledger.release(self.ledger.received)
        self.spans.flush()
