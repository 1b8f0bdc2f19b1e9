"""What of the server's bytes is secret: challenges, tokens, and echoes of what the client has said (M 7.3-7.5)."""

from __future__ import annotations

from proxy.imap.client_secrets import TOKEN_KEPT
from proxy.imap.exchanges import Expects
from proxy.imap.ledger import Ledger
from proxy.imap.responses import ResponseHead, read_response
from proxy.imap.secrets import challenge_secret, secret_literal, server_secrets, token_spans
from proxy.imap.shared import Shared
from proxy.imap.transcript import LiteralPart
from proxy.imap.units import LITERAL_KEPT, TEXT_KEPT, Literal, UnitReader
from proxy.imap.vault import Spans

_MAY_HOLD_TOKENS = frozenset({"ID", "METADATA"})


class ServerSecrets:
    """Follows the units that the reader finds."""

    def __init__(self, shared: Shared, reader: UnitReader, ledger: Ledger) -> None:
        self._shared, self._reader, self._ledger = shared, reader, ledger
        self._kind = "?"
        self._status = False
        self._challenge = False
        self._secret_literal = False

    def begin(self, head: ResponseHead, *, challenge: bool) -> None:
        """A unit with this head begins; `challenge`: a `+` would be a step of AUTHENTICATE."""
        self._kind = head.kind
        self._status = head.status is not None
        self._challenge = challenge and head.kind == "+"
        self._secret_literal = False

    def line(self, line: bytes, *, first: bool, last: bool) -> Spans:
        """Mask the secrets of the line just read. Returns where they are in it."""
        if first and self._challenge:
            spans = challenge_secret(line)
            self._mask(self._reader.line_start, spans, "sasl")
        else:
            spans = self._search(self._reader.line_start, line, first=first, ended=True)
            if self._reader.partial:
                self._half_said(self._reader.line_start)
        self._secret_literal = not last and secret_literal(line, self._kind)
        if self._reader.line_start + len(line) < self._reader.offset:
            self._overlong()
        return spans

    def _mask(self, start: int, spans: Spans, name: str) -> None:
        for a, b in spans:
            self._ledger.mask(start + a, start + b, name, self._ledger.time_of(start + a))

    def _search(self, start: int, data: bytes, *, first: bool, ended: bool) -> Spans:
        tokens = server_secrets(data, self._kind, first=first)
        echoes = self._shared.vault.find(data, words=self._status, ended=ended)
        if tokens or echoes:
            self._mask(start, tokens, "token")
            self._mask(start, echoes, "echo")
        return tokens + echoes

    def _overlong(self) -> None:
        """The rest of a line that is longer than what is kept."""
        if self._challenge:
            start = self._reader.line_start + 2
            self._mask(0, [(max(start, self._ledger.released), self._reader.offset)], "sasl")
        else:
            start = self._ledger.released
            held = self._ledger.unmasked(start, self._reader.offset)
            self._search(start, held, first=start == self._reader.line_start, ended=False)

    def small_literal(self, literal: Literal) -> None:
        """A literal has come that is kept with its unit."""
        content = literal.content
        if content is None:  # the unit has too many of them
            content = self._ledger.unmasked(literal.start, self._reader.offset)
        if self._secret_literal:
            self._mask(literal.start, [(0, len(content))], "token")
            return
        self._mask(literal.start, token_spans(content), "token")
        self._mask(literal.start, self._shared.vault.find(content), "echo")

    def large_literal(self, literal: Literal) -> LiteralPart | None:
        """A part of a large literal has come. Returns what it is to be recorded as: nothing special if secret."""
        if not self._secret_literal:
            return LiteralPart(literal.start, literal.size)
        self._mask(literal.start, [(0, literal.size)], "token")
        return None

    def close_literal(self) -> None:
        """No more bytes will come, in the middle of a literal."""
        literal = self._reader.literal
        if literal is None:
            return
        if self._secret_literal:
            self._mask(0, [(literal.start, self._reader.offset)], "token")
        elif literal.size <= LITERAL_KEPT:
            content = self._ledger.unmasked(literal.start, self._reader.offset)
            self._mask(literal.start, token_spans(content), "token")
            self._mask(literal.start, self._shared.vault.find(content), "echo")
            self._half_said(literal.start)

    def _half_said(self, start: int) -> None:
        """No more bytes will come, and at the end of what has come since `start` a known secret may have begun."""
        start = max(start, self._ledger.released)
        self._mask(start, self._shared.vault.begun(self._ledger.unmasked(start, self._reader.offset)), "echo")

    def release_partial(self) -> None:
        """Release what has come of a line that has not ended, but for its end, where a secret may be half said."""
        reader = self._reader
        if not reader.partial or reader.raw:
            return
        line, first = reader.line, not reader.texts
        if first:
            book = self._shared.book
            target = book.first(Expects.LITERAL, Expects.SASL, Expects.IDLE)
            self.begin(read_response(line), challenge=target is not None and target.expects is Expects.SASL)
        if reader.partial > TEXT_KEPT:
            self._overlong()
            keep = 0 if self._challenge else max(self._shared.vault.longest, TOKEN_KEPT)
            self._ledger.release(reader.offset - keep)
        elif self._is_public(line, first=first):
            self._search(reader.line_start, line, first=first, ended=False)
            self._ledger.release(reader.offset - self._shared.vault.longest)

    def _is_public(self, line: bytes, *, first: bool) -> bool:
        """Whether a part of this line may be released, but for echoes. Not before its kind is known: two words."""
        if (first and line.count(b" ") < 2) or (self._challenge and first) or self._kind in _MAY_HOLD_TOKENS:
            return False
        return b"://" not in line and b"[" not in line[:200] and b"aps-" not in line.lower()
