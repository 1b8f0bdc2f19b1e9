"""A session read unit by unit: its state after each, and whose each unit is (M 3.6-3.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Capability, Enabled
from proxy.imap.grammar.codes import Code, NumberCode
from proxy.imap.grammar.commands import Command
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import OnMailbox
from proxy.imap.grammar.notify import Notify
from proxy.imap.grammar.responses import Tagged, Untagged
from proxy.imap.grammar.sasl import Authenticate, Login
from proxy.imap.grammar.status import Condition, Continuation, Status
from proxy.imap.state import Phase
from proxy.imap.transcript import Direction, Layer, readable
from proxy.imap.view.capabilities import Known
from proxy.imap.view.dialogue import Before
from proxy.imap.view.mailbox import Mailbox
from proxy.imap.view.searches import Searches, shown_tag
from proxy.imap.view.values import Change, Heard, State
from proxy.imap.view.whose import Around, Asked, whose

if TYPE_CHECKING:
    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.grammar.responses import Data
    from proxy.imap.transcript import Exchange
    from proxy.imap.view.values import MailboxState, Said

OPEN_MOST = 10_000
"""Commands in flight that are remembered; beyond that the oldest is forgotten (a client that nobody answers)."""
LISTED_MOST = 100_000
"""Mailboxes of one LIST that are remembered while a NOTIFY is in force."""
_SELECT = ("SELECT", "EXAMINE")
_GREETED = {Condition.PREAUTH: Phase.AUTHENTICATED, Condition.BYE: Phase.LOGOUT}


class SessionView:
    """Feed it every unit of a session in the order in which they came."""

    def __init__(self) -> None:
        self._at = 0
        self._layers: dict[Direction, Layer] = {}
        """Of what was last said in each: the two legs need not be wrapped alike."""
        self._phase = Phase.CONNECTED
        self._mechanism: str | None = None
        self._user: str | None = None
        self._mailbox: Mailbox | None = None
        self._coming: tuple[int, Mailbox] | None = None
        self._capabilities = Known()
        self._enabled: dict[str, None] = {}
        self._searches = Searches()
        self._notify: int | None = None
        self._idle: int | None = None
        self._asked: dict[int, Asked] = {}

    def feed(self, said: Said) -> Heard:
        """One unit; what it turned out to be."""
        self._at = said.at
        self._wrapped(said.direction, said.layer)
        if said.direction is Direction.CLIENT:
            return self._client(said)
        value = said.parsed.value
        if isinstance(value, Untagged):
            return self._untagged(said, value.data)
        if isinstance(value, Tagged):
            return self._tagged(said, value)
        if isinstance(value, Continuation) and said.exchange and said.exchange.command == "IDLE":
            self._idle = said.exchange.number
        return _recorded(said)

    def state(self) -> State:
        """As it is now."""
        tags = tuple((shown_tag(tag), number) for tag, number in self._searches.contexts.items())
        return State(
            self._at, self._phase, self._mechanism, self._user, self._wrapping(),
            self._mailbox.state() if self._mailbox else None, self._capabilities.lists(), tuple(self._enabled),
            self._searches.saved, tags, self._notify, self._idle, tuple(self._asked),
        )  # fmt: skip

    def before(self) -> Before:
        """What is known of it right before a command."""
        box, open_now = self._mailbox, tuple(self._asked)
        name, only = (box.name, box.read_only) if box else (None, None)
        exists, validity = (box.exists, box.uidvalidity) if box else (None, None)
        words, enabled = self._capabilities.words, frozenset(self._enabled)
        return Before(self._phase, name, only, exists, validity, words, enabled, open_now)

    @property
    def mailbox(self) -> MailboxState | None:
        """The selected mailbox, without its numbers."""
        return self._mailbox.state(numbers=False) if self._mailbox else None

    def _wrapped(self, direction: Direction, layer: Layer) -> None:
        before = self._layers.get(direction)
        if layer is before:
            return
        if before is not None and Layer.TLS in layer and Layer.TLS not in before:
            self._capabilities.secured()
        self._layers[direction] = layer

    def _wrapping(self) -> str:
        """The layers in words; of each side, where they differ."""
        words = {side: _words(layer) for side, layer in sorted(self._layers.items())}
        if len(set(words.values())) > 1:
            return ", ".join(f"{side.name.lower()} {said}" for side, said in words.items())
        return next(iter(words.values()), "clear")

    def _client(self, said: Said) -> Heard:
        value, exchange = said.parsed.value, said.exchange
        if isinstance(value, Command) and exchange is not None and exchange.number not in self._asked:
            numbers = self._mailbox.numbers if self._mailbox else None
            size = (numbers.count, numbers.changes) if numbers else (0, 0)
            self._asked[exchange.number] = Asked(exchange.command, value.body, *size)
            if len(self._asked) > OPEN_MOST:
                del self._asked[next(iter(self._asked))]
        return _recorded(said)

    # --- untagged ---------------------------------------------------------------------------------------------------

    def _untagged(self, said: Said, data: Data) -> Heard:
        change = None
        if isinstance(data, Status):
            change = self._status(said, data)
        elif isinstance(data, Capability):
            command = said.exchange.command if said.exchange else "CAPABILITY"
            change = self._learn(said, data, "CAPABILITY" if command == "CAPABILITY" else f"CAPABILITY in {command}")
        elif isinstance(data, Enabled):
            self._enabled.update(dict.fromkeys(readable(word.upper()) for word in data.words))
        if self._phase is Phase.CONNECTED:
            self._greeted(data)
        if isinstance(data, MailboxList) and self._notify is not None and said.exchange is not None:
            self._listed(said.exchange.number, data.mailbox.name)
        box = self._box_of(said.exchange)
        uid, gone = box.hear(data) if box else (None, 0)
        heard = whose(said, data, uid, Around(self._asked, self._searches.contexts, self._notify))
        if heard.exchange is not None and box:
            asked = self._asked.get(heard.exchange)
            self._searches.hear(data, heard.exchange, heard.certainty, asked, box.numbers)
        return heard._replace(gone=gone, change=change) if gone or change else heard

    def _listed(self, number: int, name: str) -> None:
        asked = self._asked.get(number)
        if asked is not None and len(asked.listed) < LISTED_MOST:
            asked.listed.add(name)

    def _greeted(self, data: Data) -> None:
        condition = data.condition if isinstance(data, Status) else None
        self._phase = _GREETED.get(condition, Phase.NOT_AUTHENTICATED) if condition else Phase.NOT_AUTHENTICATED

    def _status(self, said: Said, data: Status) -> Change | None:
        if data.condition is Condition.BYE:
            self._leave()
            self._phase = Phase.LOGOUT
        code = data.code
        if isinstance(code, Capability):
            return self._learn(said, code, "greeting" if self._phase is Phase.CONNECTED else f"{data.condition.name}")
        if isinstance(code, Code) and code.name == b"CLOSED":
            self._leave()
            self._coming = None
            if said.exchange is not None and said.exchange.command in _SELECT:
                self._come(said.exchange)
        elif isinstance(code, Code) and code.name == b"NOTIFICATIONOVERFLOW":
            self._notify = None
        elif code is not None:
            self._searches.hear_code(code)
            if box := self._box_of(said.exchange):
                box.hear_code(code)
        return None

    def _box_of(self, exchange: Exchange | None) -> Mailbox | None:
        """The mailbox that untagged data is about: before the completion of a SELECT the new one (M 3.12).

        Where the server says CLOSED, what comes before that is still about the old one.
        """
        if exchange is None or exchange.command not in _SELECT:
            return self._mailbox
        if self._coming is not None and self._coming[0] == exchange.number:
            return self._coming[1]
        if self._mailbox is not None and not self._enabled.keys().isdisjoint(("QRESYNC", "IMAP4REV2")):
            return self._mailbox
        return self._come(exchange)

    def _come(self, exchange: Exchange) -> Mailbox:
        asked = self._asked.get(exchange.number)
        body = asked.body if asked else None
        name = body.mailbox.name if isinstance(body, OnMailbox) else exchange.mailbox or ""
        box = Mailbox(name, True if exchange.command == "EXAMINE" else None)
        self._coming = (exchange.number, box)
        return box

    def _leave(self) -> None:
        self._mailbox = None
        self._searches.clear()
        if self._phase is Phase.SELECTED:
            self._phase = Phase.AUTHENTICATED

    def _learn(self, said: Said, told: Capability, source: str) -> Change:
        return self._capabilities.learn(told, source, said.at, said.layer)

    # --- tagged -----------------------------------------------------------------------------------------------------

    def _tagged(self, said: Said, value: Tagged) -> Heard:
        exchange = said.exchange
        if exchange is None or not isinstance(value.status, Status):
            return _recorded(said)
        asked = self._asked.pop(exchange.number, None)
        status, code = value.status.condition.name, value.status.code
        change = None
        if isinstance(code, Capability):
            change = self._learn(said, code, f"{status} to {exchange.command}")
        elif code is not None:
            self._searches.hear_code(code)
            if self._mailbox and isinstance(code, NumberCode) and code.name == b"HIGHESTMODSEQ":
                self._mailbox.hear_code(code)
        self._searches.complete(value.tag, exchange.number, status, asked)
        self._complete(exchange, status, code, asked)
        heard = _recorded(said)
        return heard._replace(change=change) if change else heard

    def _complete(self, exchange: Exchange, status: str, code: AnyCode | None, asked: Asked | None) -> None:
        command = exchange.command
        if command in _SELECT:
            self._selected(exchange, status, code)
        elif command == "IDLE":
            self._idle = None
        elif command == "LOGOUT" and status in {"OK", "BYE"}:
            self._leave()
            self._phase = Phase.LOGOUT
        if status != "OK":
            return
        if command in {"CLOSE", "UNSELECT"}:
            self._leave()
        elif command in {"LOGIN", "AUTHENTICATE"}:
            self._authenticated(asked)
        elif command == "STARTTLS":
            self._capabilities.secured()
        elif command == "UNAUTHENTICATE":
            self._unauthenticated()
        elif command == "NOTIFY" and asked and isinstance(asked.body, Notify):
            self._notify = None if asked.body.groups is None else exchange.number

    def _selected(self, exchange: Exchange, status: str, code: AnyCode | None) -> None:
        """RFC 9051 section 6.3.2: NO leaves no mailbox selected, BAD changes nothing."""
        coming, self._coming = self._coming, None
        box = coming[1] if coming and coming[0] == exchange.number else None
        if status == "NO":
            self._leave()
        if status != "OK":
            return
        self._leave()
        self._mailbox = box or self._come(exchange)
        self._coming = None
        self._phase = Phase.SELECTED
        if code is not None:
            self._mailbox.hear_code(code)

    def _authenticated(self, asked: Asked | None) -> None:
        self._phase = Phase.AUTHENTICATED
        body = asked.body if asked else None
        if isinstance(body, Login):
            self._mechanism = "LOGIN"
            self._user = readable(body.user) if isinstance(body.user, bytes) else None
        elif isinstance(body, Authenticate):
            self._mechanism, self._user = readable(body.mechanism), None

    def _unauthenticated(self) -> None:
        """RFC 8437 section 3."""
        self._leave()
        self._phase, self._mechanism, self._user, self._notify = Phase.NOT_AUTHENTICATED, None, None, None
        self._enabled.clear()


def _recorded(said: Said) -> Heard:
    return Heard(said.exchange.number if said.exchange else None, said.certainty)


def _words(layer: Layer) -> str:
    return " and ".join(str(each.name) for each in Layer if each and each in layer) or "clear"
