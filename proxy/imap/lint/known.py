"""What a linter knows of a session: its state, the commands in flight, what the server has said that it can."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Capability, Enable, Enabled
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import NumberItem
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.responses import Untagged
from proxy.imap.lint.flights import ARGUMENTS_MOST, BODIES_MOST, FLIGHTS_COUNTED, LITERALS_MOST, Flight, Flights
from proxy.imap.lint.heard import FromClient, FromServer, Kind, status_of
from proxy.imap.lint.words import expanded
from proxy.imap.state import Phase, SessionState
from proxy.imap.transcript import Origin, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.grammar.commands import Body
    from proxy.imap.lint.heard import Said
    from proxy.imap.transcript import Exchange

TAGS_KEPT = 10_000
"""Tags that are remembered for the rules about their use; a session may have any number."""
_ABOUT_KEPT = 100
_SELECT = frozenset({"SELECT", "EXAMINE"})
_LOGIN = frozenset({"LOGIN", "AUTHENTICATE"})


@dataclass(frozen=True, slots=True)
class Announced:
    """A capability list: words as the server sent them, and what the client could see of them."""

    seen: frozenset[str]
    offered: frozenset[str]
    """What a client may rely on, with all that it implies: imaptap hides words that the server means, and offers
    STARTTLS itself."""
    authenticated: bool


class Known:
    """Follows one session. Rules read it before it takes in the unit that they judge."""

    def __init__(self) -> None:
        self.state = SessionState()
        self.greeted = False
        self.bye = False
        self.logout_sent = False
        self.notified = False
        """Whether NOTIFY has succeeded: news may come at any time then."""
        self.read_only = False
        self.qresync = False
        """Whether QRESYNC has been enabled, by ENABLE alone (RFC 7162 section 3.2.3)."""
        self.announced: Announced | None = None
        self.flights = Flights()
        self.exists: int | None = None
        self.last_uid: tuple[int, int] | None = None
        """Number and UID of the message that was told of last, until numbers change."""
        self.tags: OrderedDict[bytes, None] = OrderedDict()
        self.lost = False
        """Whether bytes came that are no units: from then on nobody knows the session's state."""
        self.told: set[tuple[str, str]] = set()
        self._newest = 0

    # --- questions --------------------------------------------------------------------------------------------------

    @property
    def phase(self) -> Phase:
        """The phase of RFC 9051 section 3."""
        return self.state.phase

    @property
    def selecting(self) -> bool:
        """Whether a SELECT or EXAMINE is in flight: what counts is then about either mailbox."""
        return self.running(_SELECT) is not None

    @property
    def crowded(self) -> bool:
        """Whether more is in flight than is counted for."""
        return len(self.flights) > FLIGHTS_COUNTED

    @property
    def utf8(self) -> bool:
        """Whether strings may be UTF-8: it was enabled, or the server knows nothing but IMAP4rev2 (section 4.3.1)."""
        words = self.announced.offered if self.announced else frozenset[str]()
        only_rev2 = "IMAP4REV2" in words and "IMAP4REV1" not in words
        return only_rev2 or bool(self.state.enabled & {"UTF8=ACCEPT", "UTF8=ONLY", "IMAP4REV2"})

    def running(self, names: Iterable[str]) -> Flight | None:
        """The oldest command in flight of these names."""
        return self.flights.running(names)

    def flight(self, exchange: Exchange | None) -> Flight | None:
        """The command in flight that is this exchange."""
        return self.flights.get(exchange.number) if exchange else None

    def is_command(self, exchange: Exchange | None) -> bool:
        """Whether a client's unit in this exchange is its first one, the command itself."""
        return exchange is not None and exchange.number > self._newest

    def offers(self, *words: str) -> bool | None:
        """Whether the server has said that it can any of these; None where it has not been heard on that.

        A list from before the login proves nothing afterwards, but for what is in it (RFC 9051 section 6.2.2).
        """
        if self.announced is None:
            return None
        there = self.announced.offered
        if any(word in there or (word.endswith("=") and any(x.startswith(word) for x in there)) for word in words):
            return True
        return False if self.announced.authenticated or not self.state.authenticated else None

    def first_time(self, rule: str, about: str = "") -> bool:
        """Whether this is asked for the first time: what a peer does all the time is told once."""
        key = (rule, about[:_ABOUT_KEPT])
        if key in self.told or len(self.told) >= TAGS_KEPT:
            return False
        self.told.add(key)
        return True

    # --- what happens -----------------------------------------------------------------------------------------------

    def take_client(self, heard: FromClient) -> None:
        """A client's unit was said, and judged."""
        said = heard.said
        if heard.kind is Kind.DONE and (idle := self.flight(said.exchange)):
            idle.done = True
        exchange = said.exchange
        if heard.kind is not Kind.COMMAND or exchange is None:
            return
        self._newest = max(self._newest, exchange.number)
        self._remember(heard.head.tag)
        self.logout_sent |= heard.name == "LOGOUT"
        flight = Flight(
            exchange.number, heard.head.tag, heard.name, self._kept_body(heard), said.at, _awaited(said),
            self.phase is Phase.SELECTED,
        )  # fmt: skip
        if "answered by imaptap" in exchange.marks:
            self._complete(flight, exchange.status or "OK", exchange.mailbox)
            return
        self.flights.add(flight)

    def take_server(self, heard: FromServer) -> None:
        """A server's unit was said, and judged."""
        said, head = heard.said, heard.head
        self._learn(heard)
        if head.kind == "+":
            if flight := self.flight(said.exchange):
                flight.continued += 1
            return
        if head.tag is not None and head.status:
            self._tagged(heard)
            return
        for flight in self.flights.oldest():
            flight.count(head.kind, f"[{head.code}]" if head.code else "")
        self._untagged(heard)
        if not self.greeted:
            self.greeted = True
            self.state.greet(head.status or "")
        self.bye |= head.status == "BYE"

    def lose(self) -> None:
        """Some of what was said is not there to be read."""
        self.lost = self.greeted = True
        self.flights.clear()
        self.exists = self.last_uid = None

    # --- parts of it ------------------------------------------------------------------------------------------------

    def _kept_body(self, heard: FromClient) -> Body | None:
        unit = heard.said.unit
        small = unit.end - unit.start <= ARGUMENTS_MOST and len(self.flights) < BODIES_MOST
        return heard.body if small else None

    def _remember(self, tag: bytes) -> None:
        self.tags[tag] = None
        self.tags.move_to_end(tag)
        if len(self.tags) > TAGS_KEPT:
            self.tags.popitem(last=False)

    def _tagged(self, heard: FromServer) -> None:
        exchange = heard.said.exchange
        if exchange is None:
            return
        flight = self.flights.pop(exchange.number)
        status = heard.head.status or ""
        if flight is not None:
            if heard.head.code == "READ-ONLY":
                flight.seen["READ-ONLY"] += 1
            self._complete(flight, status, exchange.mailbox)
        elif exchange.origin is Origin.PROXY:
            self.state.complete(exchange.command, status, exchange.mailbox)
            if exchange.command == "STARTTLS" and status == "OK":
                self.announced = None

    def _complete(self, flight: Flight, status: str, mailbox: str | None) -> None:
        self.state.complete(flight.name, status, mailbox)
        ok = status == "OK"
        if self.phase is not Phase.SELECTED or flight.name in _SELECT:
            self.last_uid = None
        if flight.name in _SELECT:
            self.read_only = flight.name == "EXAMINE" or flight.seen["READ-ONLY"] > 0
            if not ok:
                self.exists = None
        elif ok and flight.name in {"CLOSE", "UNSELECT"}:
            self.exists = None
        elif ok and flight.name == "STARTTLS":
            self.announced = None
        elif ok and flight.name == "NOTIFY":
            self.notified = True
        elif ok and flight.name == "UNAUTHENTICATE":
            self.qresync = False

    def _learn(self, heard: FromServer) -> None:
        words = capability_words(heard)
        if words is None:
            return
        received = _set(words)
        rewritten = heard.said.rewritten
        seen = received if rewritten is None else _set(rewritten.split())
        # A list in the answer to a login, or before it, is about the time after it (RFC 9051 section 6.2.2).
        flight = self.flight(heard.said.exchange)
        login = flight is not None and flight.name in _LOGIN and heard.head.status in {None, "OK"}
        authenticated = login or self.state.authenticated or heard.head.status == "PREAUTH"
        self.announced = Announced(seen, expanded(received | seen), authenticated)

    def _untagged(self, heard: FromServer) -> None:
        if heard.head.status == "BAD" and heard.said.exchange and heard.said.exchange.outcome is Outcome.RULE:
            self.flights.pop(heard.said.exchange.number)
        value = heard.value
        data = value.data if isinstance(value, Untagged) else None
        if isinstance(data, Fetch):
            uid = data.get(b"UID")
            if isinstance(uid, NumberItem) and not data.uid and not self.selecting:
                self.last_uid = data.number, uid.number
        elif isinstance(data, Vanished) or (isinstance(data, Count) and data.word == b"EXPUNGE"):
            self.last_uid = None
        if isinstance(data, Count):
            self._count(data)
        elif isinstance(data, Vanished) and not data.earlier and self.exists is not None:
            gone = sum(last - first + 1 for first, last in data.uids.normal(0)) if b"*" not in data.uids.raw else 0
            self.exists = max(0, self.exists - gone)
        elif isinstance(data, Enabled):
            self.state.enabled |= _set(data.words)
            self.qresync |= "QRESYNC" in self.state.enabled

    def _count(self, data: Count) -> None:
        if data.word == b"EXISTS":
            self.exists = data.number
        elif data.word == b"EXPUNGE" and self.exists:
            self.exists -= 1


def _awaited(said: Said) -> list[tuple[int | None, int]]:
    pairs = zip(said.literals_at, said.unit.literals, strict=False)
    return list(islice(((at, literal.start) for at, literal in pairs if literal.synchronising), LITERALS_MOST))


def capability_words(heard: FromServer) -> tuple[bytes, ...] | None:
    """The capability list in a server's unit, as data or as a code."""
    value = heard.value
    if isinstance(value, Untagged) and isinstance(value.data, Capability):
        return value.data.words
    status = status_of(value)
    return status.code.words if status and isinstance(status.code, Capability) else None


def enabled_words(body: Body | None) -> frozenset[str]:
    """What an ENABLE asks for."""
    return _set(body.words) if isinstance(body, Enable) else frozenset()


def _set(words: Iterable[bytes]) -> frozenset[str]:
    return frozenset(word.decode("ascii", "backslashreplace").upper() for word in words)
