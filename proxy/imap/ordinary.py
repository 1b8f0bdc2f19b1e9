"""The ordinary lines of a session, read by one pattern each: most of what passes, and most of the cost.

Everything here could as well be left to `client_side` and `server_side`, which read any line and come to the same
records; a line that is cut in two always goes there, so that whoever compares a stream whole with the same stream cut
into bytes compares the two ways. No line is ordinary that holds a quote, a literal, a response code, or anything
that the vault or a token could hide in.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from proxy.imap.exchanges import Expects
from proxy.imap.ledger import Ledger
from proxy.imap.responses import ResponseHead
from proxy.imap.shared import Shared
from proxy.imap.spans import NOBODY, Attribution, Spans
from proxy.imap.state import Phase
from proxy.imap.transcript import Certainty, Outcome
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
_STATUS_HEADS = {word.encode(): ResponseHead(None, word, word) for word in ("OK", "NO", "BAD")}
_DATA_HEADS = {
    word.encode(): ResponseHead(None, word)
    for word in "FETCH EXISTS RECENT EXPUNGE SEARCH SORT THREAD FLAGS LIST LSUB STATUS VANISHED".split()
}


class OrdinaryCommands:
    """Reads what the client sends, as long as it is ordinary."""

    def __init__(self, shared: Shared, reader: UnitReader, ledger: Ledger, spans: Spans) -> None:
        self._shared, self._reader, self._ledger, self._spans = shared, reader, ledger, spans

    def read(self, chunk: bytes, pos: int) -> int:
        """Read the chunk that was held last, between units, from `pos`. Returns where another kind of line begins."""
        book, vault, at = self._shared.book, self._shared.vault, self._ledger.newest_at
        while match := _COMMAND.match(chunk, pos):
            if _may_hide_something(match[0]) or vault.touches(match[0]):
                break
            tag, name, arguments = match.groups()
            exchange = book.begin(tag, name.decode("ascii").upper(), at)
            exchange.mailbox = self._shared.state.mailbox
            exchange.sending = False
            if arguments:
                exchange.add_arguments(arguments)
            exchange.client_bytes = match.end() - pos
            book.changed(exchange)
            start = self._reader.offset
            self._reader.skip(match.end() - pos)
            self._spans.add(Attribution(exchange, Certainty.SURE), start, self._reader.offset, at, at)
            pos = match.end()
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
        vault = self._shared.vault
        while pos < len(chunk):
            data = chunk[pos] == 42  # "*"
            match = (_DATA if data else _COMPLETION).match(chunk, pos)
            if match is None or _may_hide_something(match[0]) or vault.touches(match[0]):
                break
            if data:
                self._data(_DATA_HEADS[match[1].upper()], match[0])
            elif not self._completion(match[1], _STATUS_HEADS[match[2].upper()], match[3], match[0]):
                break
            pos = match.end()
        return pos

    def _data(self, head: ResponseHead, line: bytes) -> None:
        book = self._shared.book
        whose = book.attribute(head, line) if book.open else NOBODY
        self._take(line, whose)
        if whose.exchange:
            whose.exchange.count(head.kind)

    def _completion(self, tag: bytes, head: ResponseHead, text: bytes, line: bytes) -> bool:
        """Whether it completes an exchange that has nothing special about it."""
        shared = self._shared
        exchange = shared.book.find(tag)
        if exchange is None or exchange.sent == "COMPRESS" or exchange.mechanism:
            return False
        if exchange.expects is not Expects.NOTHING or head.status is None:
            return False
        self._take(line, Attribution(exchange, Certainty.SURE))
        shared.state.complete(exchange.sent, head.status, exchange.mailbox)
        said = text.strip().decode("ascii")
        shared.book.close(exchange, Outcome.COMPLETED, head, said, self._ledger.newest_at)
        self._completed()
        return True

    def _take(self, line: bytes, whose: Attribution) -> None:
        start, at = self._reader.offset, self._ledger.newest_at
        self._reader.skip(len(line))
        self._spans.add(whose, start, self._reader.offset, at, at)
        if whose.exchange:
            whose.exchange.server_bytes += len(line)


def _may_hide_something(line: bytes) -> bool:
    """Whether it may hold one of the tokens that `secrets` looks for in every line."""
    return b"://" in line or b"aps-" in line or b"APS-" in line
