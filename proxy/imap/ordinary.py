"""The ordinary lines of a session, read by one pattern each: most of what passes, and most of the cost.

Everything here could as well be left to `client_side` and `server_side`, which read any line and come to the same
records; a line that is cut in two always goes there, so that whoever compares a stream whole with the same stream cut
into bytes compares the two ways. No line is ordinary that holds a quote, a small literal, a response code, or
anything that the vault or a token could hide in.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from proxy.imap.exchanges import Expects, OpenExchange
from proxy.imap.ledger import Ledger
from proxy.imap.responses import ResponseHead
from proxy.imap.shared import Shared
from proxy.imap.spans import NOBODY, Attribution, Spans
from proxy.imap.state import Phase
from proxy.imap.transcript import BODY_MIN, LiteralPart, Outcome
from proxy.imap.units import UnitReader

_COMMAND = re.compile(
    rb"([0-9A-Za-z.]{1,64}) ((?:UID )?(?:NOOP|FETCH|SEARCH|STORE|COPY|MOVE|CHECK|EXPUNGE|CLOSE|UNSELECT|SORT|THREAD))"
    rb"(?: ([!#-z|~][ !#-z|~]{0,4000}))?\r\n",
    re.IGNORECASE,
)
"""A command on the selected mailbox: tag, name, arguments."""
_APPEND = re.compile(
    rb"([0-9A-Za-z.]{1,64}) APPEND "
    rb"((?:([0-9A-Za-z./_-]{1,200})|\"([ 0-9A-Za-z./_-]{1,200})\")"
    rb"(?: \([ 0-9A-Za-z$\\]{0,200}\))?(?: \"[ 0-9A-Za-z:+-]{1,40}\")? \{([0-9]{4,10})(\+?)\})\r\n",
    re.IGNORECASE,
)
"""APPEND with a literal: tag, arguments, the mailbox as an atom or quoted, the literal's size, whether it has a `+`."""
_COMPLETION = re.compile(
    rb"([0-9A-Za-z.]{1,64}) (OK|NO|BAD)"
    rb"(?: \[(APPENDUID|COPYUID|HIGHESTMODSEQ|MODIFIED) [0-9:, ]{1,4000}\])?( [ -Z\\-z|~]{1,3000})\r\n",
    re.IGNORECASE,
)
"""Tag, status, code, text."""
_CONTINUATION = re.compile(rb"\+(?: [ !#-Z\\-z|~]{0,4000})?\r\n")
_DATA = re.compile(
    rb"\* (?:[0-9]{1,10} )?(FETCH|EXISTS|RECENT|EXPUNGE|SEARCH|SORT|THREAD|FLAGS|LIST|LSUB|STATUS|VANISHED)"
    rb"(?: [ !#-Z\\-z|~]{0,4000})?\r\n",
    re.IGNORECASE,
)
_MESSAGE = re.compile(
    rb"\* [0-9]{1,10} FETCH \([ !#-Z\\-z|~]{0,4000}(?:BODY\[[0-9A-Z.]{0,100}\](?:<[0-9]{1,10}>)?|RFC822(?:\.TEXT)?)"
    rb" \{([0-9]{4,10})\}\r\n",
    re.IGNORECASE,
)
"""FETCH data that ends with a literal; its size."""
_NEWS = re.compile(
    rb"\* [0-9]{1,10} FETCH \("
    rb"(?:(?:UID [0-9]{1,10}|FLAGS \([^()\"\[{\r\n]*\)|RFC822\.SIZE [0-9]{1,20}|MODSEQ \([0-9]{1,20}\)) ?)*\)\r\n",
    re.IGNORECASE,
)
"""FETCH data without a string: nothing of a letter is in it."""
_END_OF_MESSAGE = re.compile(rb"[ !#-Z\\-z|~]{0,4000}\)\r\n")
_CODES = "APPENDUID", "COPYUID", "HIGHESTMODSEQ", "MODIFIED", None
_STATUS_HEADS = {
    (word.encode(), code.encode() if code else None): ResponseHead(None, word, word, code)
    for word in ("OK", "NO", "BAD")
    for code in _CODES
}
_DATA_HEADS = {
    word.encode(): ResponseHead(None, word)
    for word in "FETCH EXISTS RECENT EXPUNGE SEARCH SORT THREAD FLAGS LIST LSUB STATUS VANISHED".split()
}


_FETCH = _DATA_HEADS[b"FETCH"]
_STAR, _PLUS, _BRACE = b"*+}"


class OrdinaryCommands:
    """Reads what the client sends, as long as it is ordinary."""

    def __init__(self, shared: Shared, reader: UnitReader, ledger: Ledger, spans: Spans) -> None:
        self._shared, self._reader, self._ledger, self._spans = shared, reader, ledger, spans

    def read(self, chunk: bytes, pos: int) -> int:
        """Read the chunk that was held last, between units, from `pos`. Returns where another kind of line begins."""
        shared, at = self._shared, self._ledger.newest_at
        while match := _COMMAND.match(chunk, pos):
            line, tag, name, arguments = match.group(0, 1, 2, 3)
            if shared.vault.touches(line):
                break
            exchange = shared.book.begin(tag, name.decode("ascii").upper(), at)
            exchange.mailbox = shared.state.mailbox
            exchange.sending = False
            if arguments:
                exchange.add_arguments(arguments)
            exchange.client_bytes = len(line)
            shared.book.changed(exchange)
            start = self._reader.skip(len(line))
            self._spans.add_to(exchange, start, start + len(line), at, at)
            pos += len(line)
        return pos


class OrdinaryAppends:
    """Reads APPEND with one large literal, however that is cut: its line, and the empty one that ends it."""

    def __init__(self, shared: Shared, reader: UnitReader, ledger: Ledger, spans: Spans) -> None:
        self._shared, self._reader, self._ledger, self._spans = shared, reader, ledger, spans
        self._start = -1
        self._at = 0
        self._mailbox = ""

    def begin(self, chunk: bytes, pos: int) -> OpenExchange | None:
        """Read the line at `pos`. Returns the exchange, None if it is another kind of line."""
        match = _APPEND.match(chunk, pos)
        if match is None or int(match[5]) < BODY_MIN or self._shared.vault.touches(match[0]):
            return None
        line, tag, arguments, atom, quoted, size, plus = match.group(0, 1, 2, 3, 4, 5, 6)
        self._start, self._at, self._mailbox = self._reader.offset, self._ledger.newest_at, (atom or quoted).decode()
        book = self._shared.book
        exchange = book.begin(tag, "APPEND", self._at)
        exchange.add_arguments(arguments)
        if not plus:
            book.expect(exchange, Expects.LITERAL)
        book.changed(exchange)
        self._reader.announce(line, int(size), synchronising=not plus)
        return exchange

    def end(self, exchange: OpenExchange, chunk: bytes, pos: int) -> bool:
        """Read the end of the line that began so, behind its literal. Whether it is that."""
        if not self._reader.announced(self._start) or not chunk.startswith(b"\r\n", pos):
            return False
        start, at = self._start, self._ledger.time_of(self._reader.offset + 1)
        self._reader.end(2)
        end = self._reader.offset
        self._spans.add_to(exchange, start, end, self._at, at)
        exchange.client_bytes += end - start
        exchange.mailbox = self._mailbox
        exchange.sending = False
        self._shared.book.changed(exchange)
        return True


class OrdinaryResponses:
    """Reads what the server sends, as long as it is ordinary."""

    def __init__(
        self, shared: Shared, reader: UnitReader, ledger: Ledger, spans: Spans, completed: Callable[[], None]
    ) -> None:
        """`completed` is called when an exchange has ended."""
        self._shared, self._reader, self._ledger, self._spans = shared, reader, ledger, spans
        self._completed = completed
        self._start = -1
        self._at = 0
        self._careful = False

    def mind_letters(self) -> None:
        """Leave all that may hold a part of a letter to others."""
        self._careful = True

    def read(self, chunk: bytes, pos: int) -> int:
        """Read the chunk that was held last, between units, from `pos`. Returns where another kind of line begins."""
        if self._shared.state.phase is Phase.CONNECTED:
            return pos
        touches = self._shared.vault.touches
        while (end := chunk.find(b"\n", pos) + 1) > 0:
            first = chunk[pos]
            if first == _STAR and chunk[end - 3] == _BRACE:
                end = 0 if self._careful else self._message(chunk, pos)
                if not end:
                    break
            elif first == _STAR:
                match = _DATA.match(chunk, pos, end)
                if match is None or touches(match[0]):
                    break
                if self._careful and match[1].upper() == b"FETCH" and not _NEWS.match(chunk, pos, end):
                    break
                self._data(_DATA_HEADS[match[1].upper()], match[0], end - pos)
            elif first == _PLUS:
                match = _CONTINUATION.match(chunk, pos, end)
                if match is None or touches(match[0]) or not self._continuation(end - pos):
                    break
            else:
                match = _COMPLETION.match(chunk, pos, end)
                if match is None or touches(match[0]) or not self._completion(match):
                    break
            pos = end
        return pos

    def _data(self, head: ResponseHead, line: bytes, length: int) -> None:
        book = self._shared.book
        exchange, certainty, others = book.attribute(head, line) if book.open else NOBODY
        start, at = self._reader.skip(length), self._ledger.newest_at
        self._spans.add_to(exchange, start, start + length, at, at, certainty, others)
        if exchange:
            exchange.server_bytes += length
            exchange.count(head.kind)

    def _message(self, chunk: bytes, pos: int) -> int:
        """Read a FETCH whose last item is a body that the chunk holds whole. Returns its end, 0 if it is not one."""
        match = _MESSAGE.match(chunk, pos)
        size = int(match[1]) if match else 0
        if match is None or size < BODY_MIN or match.end() + size >= len(chunk):
            return 0
        end = _END_OF_MESSAGE.match(chunk, match.end() + size)
        if end is None or self._shared.vault.touches(match[0] + end[0]):
            return 0
        start = self._reader.offset + match.end() - pos
        self._ledger.release(start)
        self._ledger.release(start + size, LiteralPart(start, size))
        self._data(_FETCH, match[0], end.end() - pos)
        return end.end()

    def begin(self, chunk: bytes, pos: int) -> tuple[ResponseHead, bytes, Attribution] | None:
        """Read the first line, at `pos`, of a FETCH with a body that the chunk may not hold whole.

        Returns its head, itself and whose it is; None if it is another kind of line.
        """
        if self._careful or self._shared.state.phase is Phase.CONNECTED:
            return None
        match = _MESSAGE.match(chunk, pos)
        size = int(match[1]) if match else 0
        if match is None or size < BODY_MIN or self._shared.vault.touches(match[0]):
            return None
        book, line = self._shared.book, match[0]
        self._start, self._at = self._reader.offset, self._ledger.newest_at
        self._reader.announce(line, size)
        return _FETCH, line, book.attribute(_FETCH, line) if book.open else NOBODY

    def end(self, whose: Attribution, chunk: bytes, pos: int) -> int:
        """Read what is behind the body of a FETCH that began so. Returns its end, 0 if it is not just that."""
        if not self._reader.announced(self._start):
            return 0
        match = _END_OF_MESSAGE.match(chunk, pos)
        if match is None or self._shared.vault.touches(match[0]):
            return 0
        start = self._start
        self._reader.end(len(match[0]))
        end = self._reader.offset
        self._spans.add(whose, start, end, self._at, self._ledger.newest_at)
        if whose.exchange:
            whose.exchange.server_bytes += end - start
            whose.exchange.count(_FETCH.kind)
        return match.end()

    def _continuation(self, length: int) -> bool:
        """Whether it is what a literal or IDLE waits for."""
        book = self._shared.book
        exchange = book.first(Expects.LITERAL, Expects.SASL, Expects.IDLE)
        if exchange is None or exchange.expects is Expects.SASL:
            return False
        start, at = self._reader.skip(length), self._ledger.newest_at
        self._spans.add_to(exchange, start, start + length, at, at)
        exchange.server_bytes += length
        book.expect(exchange, Expects.NOTHING)
        return True

    def _completion(self, match: re.Match[bytes]) -> bool:
        """Whether it completes an exchange that has nothing special about it."""
        line, tag, word, code, text = match.group(0, 1, 2, 3, 4)
        head = _STATUS_HEADS[word.upper(), code and code.upper()]
        shared = self._shared
        exchange = shared.book.find(tag)
        if exchange is None or exchange.hidden or exchange.sent == "COMPRESS" or exchange.mechanism:
            return False
        if exchange.expects is not Expects.NOTHING:
            return False
        start, at = self._reader.skip(len(line)), self._ledger.newest_at
        self._spans.add_to(exchange, start, start + len(line), at, at)
        exchange.server_bytes += len(line)
        shared.state.complete(exchange.sent, head.kind, exchange.mailbox)
        shared.book.close(exchange, Outcome.COMPLETED, head, text.strip().decode("ascii"), at)
        self._completed()
        return True
