"""What of the client's units is of a letter, or was not understood."""

from __future__ import annotations

from proxy.imap.commands import KNOWN, CommandHead
from proxy.imap.exchanges import OpenExchange
from proxy.imap.ledger import Ledger
from proxy.imap.letters.append import AppendCommand
from proxy.imap.letters.keeper import Keeper
from proxy.imap.letters.policy import Bodies
from proxy.imap.shared import Shared
from proxy.imap.units import UnitReader
from proxy.imap.vault import Spans

_APPENDS = frozenset({"APPEND", "REPLACE", "UID REPLACE"})


class ClientLetters(Keeper):
    """Follows the units that the reader finds.

    A command that nobody knows is hidden whole: it may be a line of a letter, of which the server did not want the
    beginning (M 4.3). So is what follows, until the server says OK to a command.
    """

    def __init__(self, policy: Bodies, shared: Shared, reader: UnitReader, ledger: Ledger) -> None:
        super().__init__(policy, shared, reader, ledger)
        self._append: AppendCommand | None = None
        self._exchange: OpenExchange | None = None
        self._hidden = False

    def begin(self, head: CommandHead | None, exchange: OpenExchange | None) -> None:
        """A unit begins: a command with this head, or with None one of another kind, which is kept."""
        self._append, self._hidden = None, False
        if head is None:
            return
        known = head.legal and head.name.removeprefix("UID ") in KNOWN
        self._shared.doubtful |= not known
        self._hidden = self._shared.doubtful
        self._exchange = exchange
        if exchange is not None:
            exchange.hidden = self._hidden
        if not self._hidden and head.name in _APPENDS:
            self._append = AppendCommand(head.arguments, numbered="REPLACE" in head.name)

    def line(self, line: bytes) -> Spans:
        """Mask what has to be in the line just read. Returns where that is in it."""
        return self._hide_in(line, self._append, 0 if self._hidden else None)

    def _lose(self) -> None:
        super()._lose()
        if self._append:
            self._append.lose()
        if self._exchange is not None:  # its mailbox is not known, nor what an answer would quote
            self._exchange.hidden = True

    def hides_partial(self, head: CommandHead) -> bool:
        """Mask what has come of a line that is too long to be held; False where it is one that is kept."""
        if not self._reader.texts:
            self.begin(head, None)
        return self._hide_begun() if self._append or self._hidden else False
