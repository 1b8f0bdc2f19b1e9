"""What of the client's bytes is secret: found line by line, masked in the ledger, taught to the vault (M 7.2-7.6)."""

from __future__ import annotations

from proxy.imap.commands import CommandHead, read_head
from proxy.imap.exchanges import OpenExchange
from proxy.imap.ledger import Ledger
from proxy.imap.secrets import CommandSecrets, sasl_passwords, sasl_secret, token_spans
from proxy.imap.shared import Shared
from proxy.imap.transcript import LiteralPart
from proxy.imap.units import LITERAL_KEPT, TEXT_KEPT, Literal, UnitReader
from proxy.imap.vault import Spans

TOKEN_KEPT = 512
"""Bytes of an endless line that are held back, for a token in it may be half said."""


_PUBLIC = CommandSecrets(CommandHead(b"", "APPEND", 0, legal=True), authenticated=True)
"""Of a command without secrets, to which nothing is special but the tokens that any line may hold."""


class ClientSecrets:
    """Follows the units that the reader finds, and what outlives each: doubts after a login that went wrong."""

    def __init__(self, shared: Shared, reader: UnitReader, ledger: Ledger) -> None:
        self._shared, self._reader, self._ledger = shared, reader, ledger
        self._command: CommandSecrets | None = None
        self._sasl = False
        self._suspect = False
        self._judged: tuple[int, bool, bool] | None = None
        self._judged_public = False

    @property
    def literal_is_secret(self) -> bool:
        """Whether the literal announced by the line last read is a secret."""
        return self._command is not None and self._command.literal_is_secret

    def begin(self, head: CommandHead | None, *, sasl: bool = False) -> None:
        """A unit begins: a command with this head, or a SASL line, or else one that holds no secret of its own."""
        self._sasl = sasl
        self._command = self._follow(head) if head else None
        if self._command and self._command.known:
            self._suspect = False

    def _follow(self, head: CommandHead) -> CommandSecrets:
        return CommandSecrets(head, authenticated=self._shared.state.authenticated, suspect=self._suspect)

    def begin_public(self) -> None:
        """A command begins that holds no secret, and is no part of a login."""
        self._sasl, self._command, self._suspect = False, _PUBLIC, False

    def suspect(self) -> None:
        """A login has gone wrong: until a known command comes, what follows may be the rest of it (M 4.3, 4.7)."""
        self._suspect = True

    def calm(self) -> None:
        """A command has come that is no part of a login."""
        self._suspect = False

    def refuse(self) -> None:
        """The literal announced last is refused, so that nothing of it is a password; it may come all the same."""
        if self._command and not self._command.public:
            self._suspect = True

    def line(self, line: bytes, *, first: bool, last: bool) -> Spans:
        """Mask the secrets of the line just read. Returns where they are in it."""
        own = self._own(line, first=first, last=last)
        echoes = [] if self._sasl else self._shared.vault.find(line, words=True)
        if self._reader.partial and not self._sasl:
            # No more bytes will come. (Of a line that is longer than `line` there is another end.)
            echoes += self._shared.vault.begun(line)
            self._half_said(self._reader.line_start)
        self._mask(self._reader.line_start, own, self._name)
        self._mask(self._reader.line_start, echoes, "echo")
        overlong = (
            self._overlong(line, first=first) if self._reader.line_start + len(line) < self._reader.offset else []
        )
        return own + echoes + overlong

    def _own(self, line: bytes, *, first: bool, last: bool) -> Spans:
        if self._sasl:
            return sasl_secret(line)
        return self._command.line(line, first=first, last=last) if self._command else []

    @property
    def _name(self) -> str:
        return "sasl" if self._sasl or self._command is None else self._command.kind

    def _mask(self, start: int, spans: Spans, name: str) -> None:
        for a, b in spans:
            self._ledger.mask(start + a, start + b, name, self._ledger.time_of(start + a))

    def _overlong(self, line: bytes, *, first: bool) -> Spans:
        """A line longer than what is kept: hidden whole if secret, else searched, just as when it comes in parts.

        Returns what of the line is hidden where it is shown: all but the command's name.
        """
        if self._sasl or self._command is None or not self._command.public or (first and not _delimited(line)):
            self._hide_overlong()
            return [(read_head(line).arguments if first and _delimited(line) else 0, len(line))]
        self._search_held()
        return []

    def _hide_overlong(self) -> None:
        start = self._reader.line_start + 1
        self._ledger.mask(start, self._reader.offset, "overlong", self._ledger.time_of(start))

    def _search_held(self) -> None:
        start = self._ledger.released
        self._search(start, self._ledger.unmasked(start, self._reader.offset))

    def _search(self, start: int, data: bytes) -> None:
        """Mask what is secret wherever it stands, in a line whose end has not come."""
        self._mask(start, token_spans(data), "token")
        self._mask(start, self._shared.vault.find(data, words=True, ended=False), "echo")

    def small_literal(self, literal: Literal) -> None:
        """A literal has come that is kept with its unit."""
        content = literal.content
        if content is None:  # the unit has too many of them
            content = self._ledger.unmasked(literal.start, self._reader.offset)
        if self._command and self._command.literal_is_secret:
            self._mask(literal.start, [(0, len(content))], self._name)
            self._command.literal(content)
        else:
            self._mask(literal.start, token_spans(content), "token")
            self._mask(literal.start, self._shared.vault.find(content, words=True), "echo")

    def large_literal(self, literal: Literal) -> LiteralPart | None:
        """A part of a large literal has come. Returns what it is to be recorded as: nothing special if secret.

        All of it is masked, also what has not come yet.
        """
        if not self.literal_is_secret:
            return LiteralPart(literal.start, literal.size)
        self._mask(literal.start, [(0, literal.size)], self._name)
        return None

    def end_command(self, exchange: OpenExchange, *, whole: bool) -> None:
        """The unit is over: what it told goes to the vault, unless its literal never came."""
        command = self._command
        if command is None:
            return
        if command.doubtful and command.known:
            self._suspect = True
        for password in command.learned if whole else ():
            if command.kind == "authenticate":
                self.learn_sasl(exchange, password)
            elif command.tells_passwords:
                self._shared.vault.learn(password)

    def learn_sasl(self, exchange: OpenExchange, line: bytes) -> None:
        """The client's next line of AUTHENTICATE, or its initial response."""
        for password in sasl_passwords(exchange.mechanism, line, exchange.sasl_steps):
            self._shared.vault.learn(password)
        exchange.sasl_steps += 1

    def release_partial(self) -> None:
        """Release what is certainly public of a line that has not ended; an overlong secret one is hidden."""
        reader = self._reader
        if not reader.partial or reader.raw:
            return
        if self._partial_is_public():
            self._release_public()
        elif reader.partial > TEXT_KEPT:
            self._hide_overlong()
            self._ledger.release(reader.offset)

    def _partial_is_public(self) -> bool:
        reader = self._reader
        if reader.lines_only:
            return False
        if reader.texts:
            return self._command is not None and self._command.public
        judged = (reader.unit_start, self._shared.state.authenticated, self._suspect)
        if judged != self._judged:
            # Once for each line: it may come one byte at a time.
            line = reader.line
            if not _delimited(line):
                return False
            self._judged, self._judged_public = judged, self._follow(read_head(line)).public
        return self._judged_public

    def _release_public(self) -> None:
        reader, line = self._reader, self._reader.line
        if reader.partial > TEXT_KEPT:
            self._search_held()
            self._ledger.release(reader.offset - max(self._shared.vault.longest, TOKEN_KEPT))
        elif b"://" not in line and b"aps-" not in line.lower():
            self._search(reader.line_start, line)
            self._ledger.release(reader.offset - self._shared.vault.longest)

    def hide_unread(self, start: int) -> None:
        """Bytes from `start` on will not be read: whatever they are, they stay hidden."""
        self._ledger.mask(start, self._ledger.received, "unread", self._ledger.time_of(start))

    def close_literal(self) -> None:
        """No more bytes will come, in the middle of a literal."""
        literal = self._reader.literal
        if literal is None:
            return
        if self.literal_is_secret:
            self._mask(0, [(literal.start, self._reader.offset)], self._name)
        elif literal.size <= LITERAL_KEPT:
            content = self._ledger.unmasked(literal.start, self._reader.offset)
            self._mask(literal.start, token_spans(content), "token")
            self._mask(literal.start, self._shared.vault.find(content, words=True), "echo")
            self._half_said(literal.start)

    def _half_said(self, start: int) -> None:
        """At the end of what has come since `start` a known secret may have begun."""
        start = max(start, self._ledger.released)
        self._mask(start, self._shared.vault.begun(self._ledger.unmasked(start, self._reader.offset)), "echo")


def _delimited(line: bytes) -> bool:
    """Whether the command's name has ended, so that it is certain which command this is."""
    head = read_head(line)
    return bool(head.name) and line[head.arguments - 1 : head.arguments] in {b" ", b"\t"}
