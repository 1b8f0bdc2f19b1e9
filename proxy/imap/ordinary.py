"""The ordinary lines of a session, read by one pattern each: most of what passes, and most of the cost.

Everything here could as well be left to `client_side` and `server_side`, which read any line and come to the same
records; a line that is cut in two always goes there, so that whoever compares a stream whole with the same stream cut
into bytes compares the two ways. No line is ordinary that holds a quote, a small literal, a response code, or
anything that the vault or a token could hide in.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from proxy.imap.exchanges import Expects
from proxy.imap.ledger import Ledger
from proxy.imap.responses import ResponseHead
from proxy.imap.shared import Shared
from proxy.imap.spans import NOBODY, Spans
from proxy.imap.state import Phase
from proxy.imap.transcript import BODY_MIN, LiteralPart, Outcome
from proxy.imap.units import UnitReader

_COMMAND = re.compile(
    rb"([0-9A-Za-z.]{1,64}) ((?:UID )?(?:NOOP|FETCH|SEARCH|STORE|COPY|MOVE|CHECK|EXPUNGE|CLOSE|UNSELECT|SORT|THREAD))"
    rb"(?: ([!#-z|~][ !#-z|~]{0,4000}))?\r\n",
    re.IGNORECASE,
)
"""A command on the selected mailbox: tag, name, arguments."""
_COMPLETION = re.compile(rb"([0-9A-Za-z.]{1,64}) (OK|NO|BAD) ([ -Z\\-z|~]{1,4000})\r\n", re.IGNORECASE)
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
_END_OF_MESSAGE = re.compile(rb"[ !#-Z\\-z|~]{0,4000}\)\r\n")
_STATUS_HEADS = {word: ResponseHead(None, word, word) for word in ("OK", "NO", "BAD")}
_DATA_HEADS = {
    word.encode(): ResponseHead(None, word)
    for word in "FETCH EXISTS RECENT EXPUNGE SEARCH SORT THREAD FLAGS LIST LSUB STATUS VANISHED".split()
}


_FETCH = _DATA_HEADS[b"FETCH"]
_STAR = b"*"[0]


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


class OrdinaryResponses:
    """Reads what the server sends, as long as it is ordinary."""

    def __init__(
        self, shared: Shared, reader: UnitReader, ledger: Ledger, spans: Spans, completed: Callable[[], None]
    ) -> None:
        """`completed` is called when an exchange has ended."""
        self._shared, self._reader, self._ledger, self._spans = shared, reader, ledger, spans
        self._completed = completed

    def read(self, chunk: bytes, pos: int) -> int:
        """Read the chunk that was held last, between units, from `pos`. Returns where another kind of line begins."""
        if self._shared.state.phase is Phase.CONNECTED:
            return pos
        touches = self._shared.vault.touches
        while pos < len(chunk):
            if chunk[pos] != _STAR:
                match = _COMPLETION.match(chunk, pos)
                if match is None or touches(match[0]) or not self._completion(match):
                    break
                pos = match.end()
            elif match := _DATA.match(chunk, pos):
                if touches(match[0]):
                    break
                self._data(_DATA_HEADS[match[1].upper()], match[0], match.end() - pos)
                pos = match.end()
            elif end := self._message(chunk, pos):
                pos = end
            else:
                break
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
        vault = self._shared.vault
        if end is None or vault.touches(match[0]) or vault.touches(end[0]):
            return 0
        start = self._reader.offset + match.end() - pos
        self._ledger.release(start)
        self._ledger.release(start + size, LiteralPart(start, size))
        self._data(_FETCH, match[0], end.end() - pos)
        return end.end()

    def _completion(self, match: re.Match[bytes]) -> bool:
        """Whether it completes an exchange that has nothing special about it."""
        line, tag, word, text = match.group(0, 1, 2, 3)
        status = word.upper().decode("ascii")
        shared = self._shared
        exchange = shared.book.find(tag)
        if exchange is None or exchange.sent == "COMPRESS" or exchange.mechanism:
            return False
        if exchange.expects is not Expects.NOTHING:
            return False
        start, at = self._reader.skip(len(line)), self._ledger.newest_at
        self._spans.add_to(exchange, start, start + len(line), at, at)
        exchange.server_bytes += len(line)
        shared.state.complete(exchange.sent, status, exchange.mailbox)
        shared.book.close(exchange, Outcome.COMPLETED, _STATUS_HEADS[status], text.strip().decode("ascii"), at)
        self._completed()
        return True
