"""The server's direction of a conversation: greeting, data, continuations, completions (M sections 2-4, 7)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from proxy.imap.client_side import ClientSide
from proxy.imap.exchanges import Attribution, Expects, OpenExchange, Spans
from proxy.imap.ledger import Ledger
from proxy.imap.masking import masked
from proxy.imap.responses import ResponseHead, read_response
from proxy.imap.secrets import challenge_secret, server_secrets, token_spans
from proxy.imap.shared import Shared
from proxy.imap.state import Phase
from proxy.imap.transcript import Certainty, Direction, EventKind, LiteralPart, Outcome, readable
from proxy.imap.units import LITERAL_KEPT, TEXT_KEPT, Boundary, Unit, UnitReader

_LAYERED_MECHANISMS = frozenset({"GSSAPI", "GSS-SPNEGO", "DIGEST-MD5", "KERBEROS_V4", "SRP", "NTLM"})
_NOBODY = Attribution(None, Certainty.UNSOLICITED)
_UNREAD = ResponseHead(None, "?")


class ServerSide:
    """Reads what the server sends and says what it does to the exchanges."""

    def __init__(self, shared: Shared, client: ClientSide, wake_client: Callable[[], None]) -> None:
        self.reader = UnitReader(Direction.SERVER)
        self.ledger = Ledger(shared.session, Direction.SERVER, shared.put)
        self.spans = Spans(shared.session, Direction.SERVER, shared.put)
        self._shared = shared
        self._client = client
        self._wake_client = wake_client
        self._head = _UNREAD
        self._whose = _NOBODY
        self._first = b""
        self._first_at = 0
        self._out_of_sync = False
        self._cleared = 0

    def run(self, chunk: bytes) -> int:
        """Read the chunk, which the ledger holds. Returns how far: less than all where COMPRESS begins in it."""
        pos = 0
        while pos < len(chunk):
            boundary, pos = self.reader.read(chunk, pos)
            if boundary is Boundary.UNIT:
                self._line()
                self._end_unit(self.reader.take_unit())
                if self._shared.compressed:
                    break
            else:
                self._at(boundary)
        self.ledger.release(self._cleared)
        return pos

    def _at(self, boundary: Boundary) -> None:
        if boundary is Boundary.LINE:
            self._line()
        elif boundary is Boundary.PARTIAL:
            if self.reader.partial > TEXT_KEPT:
                self.release_partial()
        elif boundary is Boundary.RAW:
            self._cleared = self.reader.offset
        else:
            self._literal(boundary)

    def _line(self) -> None:
        reader, line = self.reader, self.reader.line
        first = len(reader.texts) == 1
        if first:
            self._begin_unit(line)
        spans = self._line_secrets(line, first=first)
        self._mask(reader.line_start, spans)
        if reader.line_start + len(line) < reader.offset:
            self._search_held()
        if first:
            self._first = masked(line, spans)
            if spans and self._head.status:
                self._head = replace(self._head, code=read_response(self._first).code)
        self._cleared = reader.offset

    def _begin_unit(self, line: bytes) -> None:
        book = self._shared.book
        self._head = head = read_response(line)
        self._first_at = self.ledger.time_of(self.reader.unit_start)
        if head.kind == "+":
            target = book.first(Expects.LITERAL, Expects.SASL, Expects.IDLE)
            self._whose = Attribution(target, Certainty.SURE) if target else _NOBODY
        elif head.tag is not None:
            exchange = book.find(head.tag) if head.status else None
            self._whose = Attribution(exchange, Certainty.SURE) if exchange else _NOBODY
        elif not book.open:
            self._whose = _NOBODY
        else:
            self._whose = book.attribute(head, line)

    def _line_secrets(self, line: bytes, *, first: bool) -> list[tuple[int, int]]:
        exchange = self._whose.exchange
        if first and self._head.kind == "+" and exchange and exchange.expects is Expects.SASL:
            return challenge_secret(line)
        return [*server_secrets(line), *self._shared.vault.find(line, words=self._head.status is not None)]

    def _mask(self, start: int, spans: list[tuple[int, int]]) -> None:
        name = "sasl" if self._head.kind == "+" else "echo"
        for a, b in spans:
            self.ledger.mask(start + a, start + b, name, self._first_at)

    def _search_held(self) -> None:
        start = self.ledger.released
        held = self.ledger.unmasked(start, self.reader.offset)
        self._mask(start, [*server_secrets(held), *self._shared.vault.find(held)])

    def _literal(self, boundary: Boundary) -> None:
        reader = self.reader
        literal = reader.literals[-1]
        if literal.size <= LITERAL_KEPT:
            if boundary is Boundary.LITERAL_END:
                content = literal.content or b""
                self._mask(literal.start, [*self._shared.vault.find(content), *token_spans(content)])
                self._cleared = reader.offset
            return
        self.ledger.release(self._cleared)
        self.ledger.release(reader.offset, LiteralPart(literal.start, literal.size))
        self._cleared = reader.offset

    def _end_unit(self, unit: Unit) -> None:
        head, whose = self._head, self._whose
        at = self.ledger.time_of(unit.end - 1)
        self.spans.add(whose, unit.start, unit.end, self._first_at, at)
        if whose.exchange:
            whose.exchange.server_bytes += unit.end - unit.start
            for flaw in unit.flaws:
                whose.exchange.mark(flaw)
        if head.kind == "+":
            self._continue(whose.exchange)
        elif head.tag is not None and head.status:
            self._complete(whose.exchange, head, at)
        else:
            self._untagged(whose.exchange, head, at)

    def _continue(self, exchange: OpenExchange | None) -> None:
        if exchange is None:
            return
        if exchange.expects is Expects.SASL:
            self._client.permit()
            self._wake_client()
        else:
            exchange.expects = Expects.NOTHING

    def _complete(self, exchange: OpenExchange | None, head: ResponseHead, at: int) -> None:
        shared = self._shared
        self._learn_capabilities(head)
        if exchange is None:
            shared.event(at, EventKind.NOTICE, "orphan", f"a tagged {head.status} for no command in flight")
            return
        status = head.status or ""
        text = readable(self._first[head.text :].strip())
        shared.state.complete(exchange.command, status, exchange.mailbox)
        shared.book.close(exchange, Outcome.COMPLETED, head, text, at)
        self._client.refuse(exchange)
        self.spans.flush()
        self._client.spans.flush()
        if status == "OK" and exchange.command == "COMPRESS" and "DEFLATE" in exchange.arguments.upper():
            shared.compressed = True
        shared.layered |= status == "OK" and exchange.mechanism in _LAYERED_MECHANISMS
        if not shared.compressed:
            self._wake_client()

    def _untagged(self, exchange: OpenExchange | None, head: ResponseHead, at: int) -> None:
        shared = self._shared
        self._learn_capabilities(head)
        if exchange:
            exchange.responses[head.kind] = exchange.responses.get(head.kind, 0) + 1
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
        elif head.status == "BAD" and (illegal := shared.book.oldest_illegal()):
            text = readable(self._first[head.text :].strip())
            shared.book.close(illegal, Outcome.RULE, head, text, at)
            self._client.refuse(illegal)

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
            self._shared.state.learn_capabilities(self._first.partition(b"CAPABILITY")[2], layer)

    def release_partial(self) -> None:
        """Release what has come of a line that has not ended, but for its end, where a secret may be half said."""
        reader = self.reader
        if not reader.partial or reader.raw:
            return
        line = reader.line
        if not reader.texts and line[:1] == b"+" and self._shared.book.first(Expects.SASL):
            if reader.partial > TEXT_KEPT:
                self._mask(0, [(max(self.ledger.released, reader.line_start + 2), reader.offset)])
                self.ledger.release(reader.offset)
            return
        self._search_held()
        tokens = b"://" in line or b"[" in line[:200] or line[:5].upper() in {b"* ID ", b"* MET"}
        keep = max(self._shared.vault.longest, 512 if tokens else 0)
        self.ledger.release(reader.offset - keep)

    def close(self) -> None:
        """No more bytes will come."""
        reader = self.reader
        if reader.partial:
            line = reader.line
            if not reader.texts:
                self._begin_unit(line)
                self._first = masked(line, self._line_secrets(line, first=True))
            self._mask(reader.line_start, self._line_secrets(line, first=not reader.texts))
            self._search_held()
        unit = reader.cut()
        if unit:
            at = self.ledger.time_of(unit.end - 1)
            self.spans.add(self._whose, unit.start, unit.end, self._first_at, at)
            if self._whose.exchange:
                self._whose.exchange.server_bytes += unit.end - unit.start
        self.ledger.release(self.ledger.received)
        self.spans.flush()
