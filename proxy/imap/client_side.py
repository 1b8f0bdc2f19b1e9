"""The client's direction of a conversation: commands, SASL lines, DONE, literals (M sections 2-5, 7)."""

from __future__ import annotations

import enum

from proxy.imap.client_secrets import ClientSecrets
from proxy.imap.commands import first_argument, names_mailbox, of_selected, read_head
from proxy.imap.exchanges import Expects, OpenExchange
from proxy.imap.ledger import Ledger
from proxy.imap.letters.client import ClientLetters
from proxy.imap.letters.policy import Bodies
from proxy.imap.masking import masked
from proxy.imap.ordinary import OrdinaryAppends, OrdinaryCommands
from proxy.imap.shared import Shared
from proxy.imap.spans import Spans
from proxy.imap.transcript import Direction, EventKind, readable
from proxy.imap.units import LITERAL_KEPT, LITERAL_REFUSED, OVERLONG_HELD, TEXT_KEPT, Boundary, Unit, UnitReader

_MUST_BE_ANSWERED = frozenset({"AUTHENTICATE", "COMPRESS", "STARTTLS"})
_HELD_MAX = 64 * 1024
_MAILBOX_SHOWN = 1000
_WORD_SHOWN = 500
"""Of a tag or a command's name; legal ones of 200 characters have been seen (M 3.3)."""


class _Kind(enum.Enum):
    COMMAND = enum.auto()
    SASL = enum.auto()
    DONE = enum.auto()
    BLANK = enum.auto()


class ClientSide:
    """Reads what the client sends, as far as the server's answers say what it is.

    What follows AUTHENTICATE, COMPRESS or STARTTLS is left unread in the ledger until the server has answered: only
    then is it known whether the next line is a SASL answer or a command (M 4.7).
    """

    def __init__(self, shared: Shared) -> None:
        self.reader = UnitReader(Direction.CLIENT)
        self.ledger = Ledger(shared.session, Direction.CLIENT, shared.put)
        self.spans = Spans(shared.session, Direction.CLIENT, shared.put)
        self._shared = shared
        self._secrets = ClientSecrets(shared, self.reader, self.ledger)
        self._ordinary = OrdinaryCommands(shared, self.reader, self.ledger, self.spans)
        self._appends = OrdinaryAppends(shared, self.reader, self.ledger, self.spans)
        self._letters: ClientLetters | None = None
        """There where not everything is kept."""
        if shared.bodies is not Bodies.FULL:
            self._letters = ClientLetters(shared.bodies, shared, self.reader, self.ledger)
        self._kind = _Kind.COMMAND
        self._exchange: OpenExchange | None = None
        self._unit_at = 0
        self._shown = b""
        self._blocker: OpenExchange | None = None
        self._permits = 0
        self._begun = False
        self._cleared = 0

    def permit(self) -> None:
        """The server has asked for a SASL line."""
        self._permits += 1

    @property
    def behind(self) -> bool:
        """Whether what the client says next hangs on an answer, or has come already and is unread."""
        return self._blocker is not None or self.reader.offset < self.ledger.received

    def run(self, chunk: bytes | None = None) -> None:
        """Read on: `chunk` where it is just what follows, else all that the ledger holds unread."""
        reader = self.reader
        if self._blocker and self._waiting():
            if self.ledger.held > _HELD_MAX:
                self._give_up()
            return
        pos = 0
        if chunk is None or reader.offset + len(chunk) != self.ledger.received:
            chunk = self.ledger.unmasked(reader.offset, self.ledger.received)
        elif reader.between and not self._permits and not self._begun:
            pos = self._run_ordinary(chunk)
        while pos < len(chunk) and not (self._blocker and self._waiting()):
            if reader.between:
                reader.lines_only = self._permits > 0
                self._unit_at = self.ledger.time_of(reader.offset)
            elif self._exchange and self._appends.end(self._exchange, chunk, pos):
                pos += len(b"\r\n")
                self._cleared = reader.offset
                continue
            boundary, pos = reader.read(chunk, pos)
            self._at(boundary)
        self.ledger.release(self._cleared)

    def _run_ordinary(self, chunk: bytes) -> int:
        if self._letters and self._shared.doubtful:
            return 0
        pos = self._ordinary.read(chunk, 0)
        if pos:
            self._secrets.calm()
            self._cleared = self.reader.offset
        if pos < len(chunk) and not self._letters and (exchange := self._appends.begin(chunk, pos)):
            self._kind, self._exchange = _Kind.COMMAND, exchange
            self._secrets.begin_public()
            self.reader.lines_only = False
            self._unit_at, self._cleared = self.ledger.newest_at, self.reader.offset
            self._shown = chunk[pos : pos + self._cleared - self.reader.unit_start]
            pos += len(self._shown)
        return pos

    def _waiting(self) -> bool:
        blocker = self._blocker
        if blocker is None or not self.reader.between:
            return False
        if blocker.ended is None:
            return not self._permits
        unread = self.reader.offset < self.ledger.received
        if blocker.sent == "AUTHENTICATE" and (unread or blocker.status != "OK"):
            self._secrets.suspect()
        self._blocker, self._permits = None, 0
        return False

    def _give_up(self) -> None:
        """Too much came behind a command that nobody answered: hide it, and read no further."""
        self._lose("unanswered", "too much came behind a command that the server did not answer")
        self._blocker = None
        self.run(b"")

    def _lose(self, name: str, why: str) -> None:
        self.lose()
        text = f"the client's bytes are not read from here on: {why}"
        self._shared.event(self.ledger.newest_at, EventKind.RAW, name, text)

    def lose(self) -> None:
        """From here on the client is not understood. What it says stays hidden: a password may be in it."""
        self.reader.go_raw()
        self.ledger.mask_rest(self.reader.offset, "unread", self.ledger.newest_at)

    def _at(self, boundary: Boundary) -> None:
        if boundary is Boundary.LINE or boundary is Boundary.UNIT:
            self._line(last=boundary is Boundary.UNIT)
            if boundary is Boundary.UNIT:
                self._end_unit(self.reader.take_unit())
        elif boundary is Boundary.PARTIAL:
            if self.reader.partial > TEXT_KEPT and self.ledger.held > OVERLONG_HELD:
                self.release_partial()
        elif boundary is Boundary.RAW:
            self._cleared = self.reader.offset
        else:
            self._literal(boundary)

    def _line(self, *, last: bool) -> None:
        reader, line = self.reader, self.reader.line
        self._read_line(line, first=reader.first, last=last)
        exchange = self._exchange
        if self._kind is _Kind.COMMAND and exchange:
            literal = reader.literal
            if literal is not None and literal.synchronising:
                self._shared.book.expect(exchange, Expects.LITERAL)
            if reader.first and not last:
                self._shared.book.changed(exchange)
        self._cleared = reader.offset

    def _read_line(self, line: bytes, *, first: bool, last: bool) -> None:
        if first:
            self._begin_unit(line)
        spans = self._secrets.line(line, first=first, last=last)
        if self._letters:
            spans = spans + self._letters.line(line)
        shown = masked(line, spans)
        if first:
            self._shown = shown
        if self._kind is _Kind.COMMAND and self._exchange:
            self._describe(self._exchange, shown, first=first)

    def begin_early(self) -> None:
        """The server speaks while only the LF of a command is missing: some answer at the CR already (M 3.5)."""
        reader = self.reader
        if not reader.partial or reader.texts or reader.lines_only or self._begun or not reader.line.endswith(b"\r"):
            return
        self._begin_unit(reader.line)
        self._begun = True

    def _begin_unit(self, line: bytes) -> None:
        if self._begun:
            self._begun = False
            return
        book = self._shared.book
        stripped = line.strip()
        if self.reader.lines_only:
            self._kind, self._exchange = _Kind.SASL, self._blocker
        elif not stripped:
            self._kind, self._exchange = _Kind.BLANK, None
        elif stripped.upper() == b"DONE" and (idle := book.running("IDLE")):
            self._kind, self._exchange = _Kind.DONE, idle
        else:
            self._begin_command(line)
            return
        self._secrets.begin(None, sasl=self._kind is _Kind.SASL)
        if self._letters:
            self._letters.begin(None, None)

    def _begin_command(self, line: bytes) -> None:
        head = read_head(line)
        self._kind = _Kind.COMMAND
        self._secrets.begin(head)
        self._exchange = exchange = self._shared.book.begin(head.tag, head.name, self._unit_at, legal=head.legal)
        if self._letters:
            self._letters.begin(head, exchange)
        if of_selected(head.name):
            exchange.mailbox = self._shared.state.mailbox
        if head.name == "AUTHENTICATE":
            exchange.mechanism = readable(line[head.arguments :].strip().split(b" ", 1)[0][:_WORD_SHOWN]).upper()
        if not head.legal:
            exchange.mark("malformed")

    def _describe(self, exchange: OpenExchange, shown: bytes, *, first: bool) -> None:
        """Fill in what the record says of the command, from its masked text."""
        start = 0
        if first:
            head = read_head(shown)
            exchange.shown, exchange.command = readable(head.tag)[:_WORD_SHOWN], head.name[:_WORD_SHOWN]
            start = head.arguments
        exchange.add_arguments(shown[start:].rstrip(b"\r\n"))

    def _literal(self, boundary: Boundary) -> None:
        literal = self.reader.last_literal
        if literal is None:
            return
        if self._letters and not self._letters.keeps_literal() and not self._secrets.literal_is_secret:
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
        hidden = self._letters is not None and not self._letters.keeps_literal()
        if literal is not None and self._letters and hidden and not self._secrets.literal_is_secret:
            self._letters.close_literal(literal)  # behind its header, which may be kept

    def _end_unit(self, unit: Unit) -> None:
        exchange = self._exchange
        at = self.ledger.time_of(unit.end - 1)
        self.spans.add_to(exchange, unit.start, unit.end, self._unit_at, at)
        if self.reader.raw:
            self._lose("literal too large", "a literal is announced that no server could take")
        if exchange is None:
            return
        exchange.client_bytes += unit.end - unit.start
        for flaw in unit.flaws:
            exchange.mark(flaw)
        if self._kind is _Kind.SASL:
            self._permits -= 1
            self._secrets.learn_sasl(exchange, unit.texts[0])
        elif self._kind is _Kind.COMMAND:
            self._end_command(exchange, unit)
        self._shared.book.changed(exchange)

    def _end_command(self, exchange: OpenExchange, unit: Unit) -> None:
        book = self._shared.book
        exchange.sending = False
        if names_mailbox(exchange.sent) and not exchange.hidden:
            exchange.mailbox = self._named_mailbox(unit)
        self._secrets.end_command(exchange, whole=LITERAL_REFUSED not in unit.flaws)
        if exchange.sent == "IDLE":
            book.expect(exchange, Expects.IDLE)
        elif exchange.sent == "AUTHENTICATE":
            book.expect(exchange, Expects.SASL)
        elif exchange.expects is not Expects.LITERAL:
            book.expect(exchange, Expects.NOTHING)
        if exchange.sent in _MUST_BE_ANSWERED and exchange.ended is None:
            self._blocker, self._permits = exchange, 0

    def _named_mailbox(self, unit: Unit) -> str | None:
        """The mailbox argument, masked where it is a secret typed in the wrong place (M 7.5)."""
        content = unit.literals[0].content if unit.literals else None
        if content:
            content = masked(content, self._shared.vault.find(content, words=True))
        name = first_argument(self._shown, read_head(self._shown).arguments, content) or b""
        return readable(name[:_MAILBOX_SHOWN]) or None

    def refuse(self, exchange: OpenExchange) -> None:
        """The server has ended `exchange` while a synchronising literal of it was due: it will not come (M 4.3).

        After a `+` it comes all the same, whatever the server has said since.
        """
        literal = self.reader.literal
        if self._exchange is not exchange or exchange.expects is not Expects.LITERAL or literal is None:
            return
        if not literal.synchronising or not self.reader.untouched:
            return
        self._secrets.refuse()
        unit = self.reader.cut(LITERAL_REFUSED)
        if unit:
            self._end_unit(unit)

    def release_partial(self) -> None:
        """Release what is certainly public of a line that has not ended."""
        reader = self.reader
        if not self._letters:
            self._secrets.release_partial()
        elif reader.partial > TEXT_KEPT and not reader.raw:
            if reader.lines_only or not self._letters.hides_partial(read_head(reader.line)):
                self._secrets.release_partial()
                return
            self.ledger.release(reader.offset)

    def close(self) -> None:
        """No more bytes will come: what is unfinished is read as it stands, in doubt hidden (M 7.2)."""
        reader = self.reader
        if reader.offset < self.ledger.received:
            self._secrets.hide_unread(reader.offset)
        if reader.partial:
            self._read_line(reader.line, first=not reader.texts, last=True)
        else:
            self._close_literal()
        unit = reader.cut()
        if unit:
            self._end_unit(unit)
        self.ledger.release(self.ledger.received)
        self.spans.flush()
