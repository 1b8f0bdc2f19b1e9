"""The commands of a session as they were typed: for scripts that repeat them."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaptap.exporting.literals import Literals
from imaptap.reading.dialogues import dialogues
from proxy.imap.grammar.commands import Command
from proxy.imap.grammar.sasl import Login
from proxy.imap.grammar.values import Absent
from proxy.imap.transcript import Direction, Origin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.exporting.selection import Selection
    from proxy.imap.transcript import Exchange
    from proxy.imap.units import Literal
    from proxy.imap.view.dialogue import Answer, Ask
    from storage import Session

LOGINS = frozenset(("LOGIN", "AUTHENTICATE"))
LAYERS = frozenset(("STARTTLS", "COMPRESS"))
STATUSES = frozenset(("OK", "NO", "BAD"))
_URL = re.compile(r"(imaps|imap|imap\+insecure)://(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+))(?::(\d{1,5}))?/?")
_TLS = {"imaps": "implicit", "imap": "starttls", "imap+insecure": "none"}


@dataclass(frozen=True, slots=True)
class Server:
    """Where the recorded server was, and how it was talked to: "implicit", "starttls" or "none"."""

    host: str
    port: int
    tls: str


@dataclass(frozen=True, slots=True)
class Typed:
    """A command with the units that it was typed in; none where they were lost. `answers` ends with the last one.

    `why_not` says why no script can repeat it: words of ours and no others, or none.
    """

    exchange: Exchange
    asks: tuple[Ask, ...]
    answers: tuple[Answer, ...]
    literals: Literals
    why_not: str = ""

    @property
    def was(self) -> str:
        """OK, NO, BAD, or nothing where it was not answered so."""
        status = self.exchange.status
        return status if status in STATUSES else ""

    @property
    def logs_in(self) -> bool:
        """Whether it is a login that succeeded."""
        return self.exchange.command in LOGINS and self.was == "OK"

    @property
    def lost(self) -> int:
        """How many of its bytes the recording has not."""
        if not self.asks:
            return self.exchange.client_bytes
        literals = (literal for ask in self.asks for literal in ask.unit.literals)
        return sum(literal.size for literal in literals if self.content(literal) is None)

    def content(self, literal: Literal) -> Iterable[bytes] | None:
        """What a literal says, in blocks; None where not all of it was kept."""
        if literal.content is not None:
            return (literal.content,)
        return self.literals.content(Direction.CLIENT, Absent(literal.size, start=literal.start))

    def user(self) -> str:
        """Who logs in with LOGIN, where it says so in plain words; else nothing."""
        value = self.asks[0].parsed.understood if self.asks else None
        body = value.body if isinstance(value, Command) else None
        user = body.user if isinstance(body, Login) and isinstance(body.user, bytes) else b""
        plain = user.isascii() and user.decode("ascii").isprintable() and user.strip(b"x")
        return user.decode("ascii") if plain else ""


def typed(selection: Selection, session: Session, answers_most: int = 0) -> Iterator[Typed]:
    """The commands that are wanted of those that the client typed. Tells the progress."""
    literals = Literals(selection.store, session)
    said = dialogues(selection.store, session, answers_most=answers_most)
    dialogue = next(said, None)
    for exchange in (stored.exchange for stored in selection.exchanges(session)):
        selection.progress(exchange.client_bytes + exchange.server_bytes)
        if exchange.origin is not Origin.CLIENT:
            continue
        while dialogue is not None and dialogue.exchange.number < exchange.number:
            dialogue = next(said, None)
        here = dialogue is not None and dialogue.exchange.number == exchange.number
        asks, answers = (dialogue.asks, dialogue.answers) if dialogue is not None and here else ((), ())
        yield Typed(exchange, asks, answers, literals, _why_not(Typed(exchange, asks, answers, literals)))


def server(session: Session) -> Server | None:
    """The server of a session; None where it is not told by host and port."""
    match = _URL.fullmatch(session.upstream)
    if match is None:
        return None
    port = int(match[4] or (993 if match[1] == "imaps" else 143))
    return Server(match[2] or match[3], port, _TLS[match[1]]) if 0 < port < 2**16 else None


def _why_not(command: Typed) -> str:
    exchange = command.exchange
    if command.lost:
        return "not all of its bytes were kept"
    if exchange.command in LAYERS:
        return "TLS and compression are not repeated"
    if exchange.command in LOGINS:
        return "" if command.was == "OK" else "it is a login that failed"
    if any(ask.secret for ask in command.asks):
        return "it holds a secret or a letter, which the recording has not"
    return "" if all(map(_is_whole, command.asks)) else "it was not typed to its end"


def _is_whole(ask: Ask) -> bool:
    """Whether all of the unit came, and all of its text is here."""
    unit = ask.unit
    sizes = itertools.chain(map(len, unit.texts), (literal.size for literal in unit.literals))
    return sum(sizes) == unit.end - unit.start and not {"cut", "literal refused"} & set(unit.flaws)
