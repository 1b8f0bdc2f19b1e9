"""The client's direction of a conversation: commands, SASL lines, DONE, literals (M sections 2-5, 7)."""

from __future__ import annotations

import enum

from proxy.imap.commands import first_argument, names_mailbox, of_selected, read_head
from proxy.imap.exchanges import Attribution, Expects, OpenExchange, Spans
from proxy.imap.ledger import Ledger
from proxy.imap.masking import masked
from proxy.imap.secrets import CommandSecrets, sasl_passwords, sasl_secret, token_spans
from proxy.imap.shared import Shared
from proxy.imap.transcript import Certainty, Direction, LiteralPart, readable
from proxy.imap.units import LITERAL_KEPT, TEXT_KEPT, Boundary, Unit, UnitReader

_MUST_BE_ANSWERED = frozenset({"AUTHENTICATE", "COMPRESS", "STARTTLS"})
_HELD_MAX = 1024 * 1024


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
        self._kind = _Kind.COMMAND
        self._exchange: OpenExchange | None = None
        self._secrets: CommandSecrets | None = None
        self._blocker: OpenExchange | None = None
        self._permits = 0
        self._suspect = False
        self._cleared = 0

    def permit(self) -> None:
        """The server has asked for a SASL line."""
        self._permits += 1

    def run(self, chunk: bytes | None = None) -> None:
        """Read on: `chunk` where it is just what follows, else all that the ledger holds unread."""
        reader = self.reader
        if self._waiting():
            if self.ledger.held > _HELD_MAX:
                self._give_up()
            return
        if chunk is None or reader.offset + len(chunk) != self.ledger.received:
            chunk = self.ledger.unmasked(reader.offset, self.ledger.received)
        pos = 0
        while pos < len(chunk) and not self._waiting():
            if reader.between:
                reader.lines_only = self._permits > 0
            boundary, pos = reader.read(chunk, pos)
            self._at(boundary)
        self.ledger.release(self._cleared)

    def _waiting(self) -> bool:
        blocker = self._blocker
        if blocker is None or not self.reader.between:
            return False
        if blocker.final is not None:
            self._blocker, self._permits = None, 0
            return False
        return not self._permits

    def _give_up(self) -> None:
        """Too much came behind a command that nobody answered: hide it, and read no further."""
        self.ledger.mask(self.reader.offset, self.ledger.received, "unread", self.ledger.time_of(self.reader.offset))
        self.reader.go_raw()
        self._blocker = None

    def _at(self, boundary: Boundary) -> None:
        if boundary is Boundary.LINE or boundary is Boundary.UNIT:
            self._line(last=boundary is Boundary.UNIT)
            if boundary is Boundary.UNIT:
                self._end_unit(self.reader.take_unit())
        elif boundary is Boundary.PARTIAL:
            if self.reader.partial > TEXT_KEPT:
                self.release_partial()
        elif boundary is Boundary.RAW:
            self._cleared = self.reader.offset
        else:
            self._literal(boundary)

    def _line(self, *, last: bool) -> None:
        reader, line = self.reader, self.reader.line
        first = len(reader.texts) == 1
        if first:
            self._begin_unit(line)
        spans = self._line_secrets(line, first=first, last=last)
        self._mask(reader.line_start, spans)
        self._mask_overlong(line)
        if self._kind is _Kind.COMMAND and self._exchange:
            self._describe(self._exchange, masked(line, spans), first=first)
            literal = reader.literal
            if literal is not None and literal.synchronising:
                self._exchange.expects = Expects.LITERAL
            if not last:
                self._shared.book.tell(self._exchange)
        self._cleared = reader.offset

    def _begin_unit(self, line: bytes) -> None:
        book = self._shared.book
        self._secrets = None
        stripped = line.strip()
        if self.reader.lines_only:
            self._kind, self._exchange = _Kind.SASL, self._blocker
        elif not stripped:
            self._kind, self._exchange = _Kind.BLANK, None
        elif stripped.upper() == b"DONE" and (idle := book.running("IDLE")):
            self._kind, self._exchange = _Kind.DONE, idle
        else:
            self._kind = _Kind.COMMAND
            head = read_head(line)
            self._secrets = CommandSecrets(head, authenticated=self._shared.state.authenticated, suspect=self._suspect)
            self._suspect = False
            at = self.ledger.time_of(self.reader.unit_start)
            self._exchange = book.begin(head.tag, head.name, at)
            self._exchange.legal = head.legal

    def _line_secrets(self, line: bytes, *, first: bool, last: bool) -> list[tuple[int, int]]:
        if self._kind is _Kind.SASL:
            return sasl_secret(line)
        own = self._secrets.line(line, first=first, last=last) if self._secrets else []
        return [*own, *self._shared.vault.find(line, words=True)]

    def _mask(self, start: int, spans: list[tuple[int, int]], name: str = "") -> None:
        at = self.ledger.time_of(start)
        for a, b in spans:
            self.ledger.mask(start + a, start + b, name or self._secret_name(), at)

    def _secret_name(self) -> str:
        if self._kind is _Kind.SASL:
            return "sasl"
        return self._secrets.name.lower() if self._secrets and not self._secrets.public else "echo"

    def _mask_overlong(self, line: bytes) -> None:
        """The part of a line that is longer than what is kept: hidden with a secret command, else searched."""
        end_of_kept = self.reader.line_start + len(line)
        if end_of_kept >= self.reader.offset:
            return
        if self._kind is _Kind.SASL or (self._secrets and not self._secrets.public):
            self._mask(0, [(end_of_kept, self.reader.offset)])
        else:
            self._search_held()

    def _search_held(self) -> None:
        start = self.ledger.released
        held = self.ledger.unmasked(start, self.reader.offset)
        self._mask(start, [*self._shared.vault.find(held, words=True), *token_spans(held)], "echo")

    def _describe(self, exchange: OpenExchange, line: bytes, *, first: bool) -> None:
        """Fill in what the record says of the command, from its masked text."""
        if not first:
            exchange.add_arguments(readable(line.rstrip(b"\r\n")))
            return
        head = read_head(line)
        exchange.shown, exchange.command = readable(head.tag), head.name
        exchange.add_arguments(readable(line[head.arguments :].rstrip(b"\r\n")))
        if not head.legal:
            exchange.mark("malformed")
        if head.name == "AUTHENTICATE":
            exchange.mechanism = exchange.arguments.split(" ", 1)[0].upper()
        if of_selected(head.name):
            exchange.mailbox = self._shared.state.mailbox

    def _literal(self, boundary: Boundary) -> None:
        reader = self.reader
        literal = reader.literals[-1]
        secret = self._secrets is not None and self._secrets.literal_is_secret
        if literal.size <= LITERAL_KEPT:
            if boundary is Boundary.LITERAL_END:
                self._small_literal(literal.start, literal.content or b"", secret=secret)
                self._cleared = reader.offset
            return
        self.ledger.release(self._cleared)
        if secret:
            self._mask(0, [(max(self.ledger.released, literal.start), reader.offset)])
        self.ledger.release(reader.offset, None if secret else LiteralPart(literal.start, literal.size))
        self._cleared = reader.offset

    def _small_literal(self, start: int, content: bytes, *, secret: bool) -> None:
        if secret and self._secrets:
            self._mask(start, [(0, len(content))])
            self._secrets.literal(content)
        else:
            self._mask(start, [*self._shared.vault.find(content, words=True), *token_spans(content)], "echo")

    def _end_unit(self, unit: Unit) -> None:
        exchange = self._exchange
        at = self.ledger.time_of(unit.end - 1)
        self.spans.add(Attribution(exchange, Certainty.SURE), unit.start, unit.end, at, at)
        if exchange is None:
            return
        exchange.client_bytes += unit.end - unit.start
        for flaw in unit.flaws:
            exchange.mark(flaw)
        if self._kind is _Kind.SASL:
            self._end_sasl(exchange, unit)
        elif self._kind is _Kind.COMMAND:
            self._end_command(exchange, unit)
        if exchange.final is None or self._kind is _Kind.COMMAND:
            self._shared.book.tell(exchange)

    def _end_sasl(self, exchange: OpenExchange, unit: Unit) -> None:
        self._permits -= 1
        for password in sasl_passwords(exchange.mechanism, unit.texts[0], exchange.sasl_steps):
            self._shared.vault.learn(password)
        exchange.sasl_steps += 1

    def _end_command(self, exchange: OpenExchange, unit: Unit) -> None:
        exchange.sending = False
        head = read_head(unit.texts[0])
        if names_mailbox(head.name):
            literal = unit.literals[0].content if unit.literals else None
            exchange.mailbox = readable(first_argument(unit.texts[0], head.arguments, literal) or b"") or None
        self._learn(exchange)
        if head.name == "IDLE":
            exchange.expects = Expects.IDLE
        elif head.name == "AUTHENTICATE":
            exchange.expects = Expects.SASL
        elif exchange.expects is not Expects.LITERAL:
            exchange.expects = Expects.NOTHING
        if head.name in _MUST_BE_ANSWERED and exchange.final is None:
            self._blocker, self._permits = exchange, 0

    def _learn(self, exchange: OpenExchange) -> None:
        if self._secrets is None:
            return
        for password in self._secrets.learned:
            passwords = [password]
            if exchange.command == "AUTHENTICATE":
                passwords = sasl_passwords(exchange.mechanism, password, exchange.sasl_steps)
                exchange.sasl_steps += 1
            elif not self._secrets.tells_passwords:
                continue
            for one in passwords:
                self._shared.vault.learn(one)

    def refuse(self, exchange: OpenExchange) -> None:
        """The server has ended `exchange` while a synchronising literal of it was due: it will not come (M 4.3)."""
        literal = self.reader.literal
        if self._exchange is not exchange or literal is None or not literal.synchronising or not self.reader.untouched:
            return
        self._suspect = self._secrets is not None and self._secrets.literal_is_secret
        if self._secrets:
            self._secrets.learned.clear()
        unit = self.reader.cut("literal refused")
        if unit:
            self._end_unit(unit)

    def release_partial(self) -> None:
        """Release what is certainly public of a line that has not ended; an overlong secret one is hidden."""
        reader = self.reader
        if not reader.partial or reader.raw:
            return
        secrets = self._secrets if reader.texts else self._secrets_of_partial()
        if secrets is not None and secrets.public and not reader.lines_only:
            self._search_held()
            line = reader.line
            keep = max(self._shared.vault.longest, 512 if b"://" in line or b"aps-" in line else 0)
            self.ledger.release(min(reader.offset - keep, reader.offset))
        elif reader.partial > TEXT_KEPT:
            self._mask(0, [(max(self.ledger.released, reader.line_start + 1), reader.offset)], "overlong")
            self.ledger.release(reader.offset)

    def _secrets_of_partial(self) -> CommandSecrets | None:
        line = self.reader.line
        head = read_head(line)
        if not head.name or line[head.arguments - 1 : head.arguments] != b" ":
            return None
        return CommandSecrets(head, authenticated=self._shared.state.authenticated, suspect=self._suspect)

    def close(self) -> None:
        """No more bytes will come: what is unfinished is read as it stands, in doubt hidden (M 7.2)."""
        reader = self.reader
        if reader.offset < self.ledger.received:
            self.ledger.mask(reader.offset, self.ledger.received, "unread", self.ledger.time_of(reader.offset))
        if reader.partial:
            self._close_partial()
        elif (literal := reader.literal) is not None and self._secrets and self._secrets.literal_is_secret:
            self._mask(0, [(literal.start, reader.offset)])
        unit = reader.cut()
        if unit:
            self._end_unit(unit)
        self.ledger.release(self.ledger.received)
        self.spans.flush()

    def _close_partial(self) -> None:
        reader, line = self.reader, self.reader.line
        first = not reader.texts
        if first:
            self._begin_unit(line)
        spans = self._line_secrets(line, first=first, last=True)
        self._mask(reader.line_start, spans)
        self._mask_overlong(line)
        if self._kind is _Kind.COMMAND and self._exchange:
            self._describe(self._exchange, masked(line, spans), first=first)
