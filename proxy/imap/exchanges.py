"""The exchanges of a session: which are open, which of them server data belongs to, how each ends (M section 3)."""

from __future__ import annotations

import enum
import itertools
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable

from proxy.imap.attribution import CERTAINTY_OF_THE_ONLY, EXPERIMENTAL, certainty_of_one, may_have_asked
from proxy.imap.commands import ASKED_BY
from proxy.imap.responses import ResponseHead, correlator, named_mailbox, only_news
from proxy.imap.spans import Attribution
from proxy.imap.transcript import Certainty, Exchange, Origin, Outcome, Record, readable

OPEN_MAX = 10_000
"""Open exchanges that are remembered; beyond that the oldest is given up (a client that nobody answers)."""
OPEN_NAMED = 50
"""Other open exchanges that an attribution names, oldest first."""
_TOLD_TOGETHER = 1000
_ARGUMENTS_KEPT = 2000
_KINDS_KEPT = 100
_KIND_LENGTH = 40
_SEARCHED = 1000
_ILLEGAL = ("illegal",)
_OF_A_MAILBOX = frozenset({"STATUS", "ACL", "MYRIGHTS", "LISTRIGHTS", "QUOTAROOT", "METADATA"})


class Expects(enum.Enum):
    """What the next `+` would mean to an exchange (M 4.1)."""

    NOTHING = enum.auto()
    LITERAL = enum.auto()
    SASL = enum.auto()
    IDLE = enum.auto()


class OpenExchange:
    """A command in flight. (No dataclass: to set only what differs from the beginning takes a third of the time.)"""

    arguments = ""
    mailbox: str | None = None
    """The mailbox that it names, else the selected one."""
    sending = True
    expects = Expects.NOTHING
    mechanism = ""
    sasl_steps = 0
    client_bytes = 0
    server_bytes = 0
    outcome = Outcome.OPEN
    status: str | None = None
    code: str | None = None
    text: str | None = None
    ended: int | None = None
    hidden = False
    """Whether nothing of the command is kept, nor of what answers it (`proxy.imap.letters`)."""

    def __init__(self, number: int, tag: bytes, command: str, started: int, origin: Origin, *, legal: bool) -> None:
        self.number = number
        self.tag = tag
        """As the client sent it; `shown` is what the record says (it may have been a password)."""
        self.shown = readable(tag)
        self.sent = command
        """The command as it was sent; `command` is what the record says."""
        self.command = command
        self.started = started
        self.origin = origin
        self.legal = legal
        self.responses: dict[str, int] = {}
        self.marks: list[str] = []
        self.keys = _keys(self)

    @property
    def experimental(self) -> bool:
        """Whether the command is nobody's but the vendor's."""
        return self.sent.startswith("X")

    def mark(self, word: str) -> None:
        """Add a mark once."""
        if word not in self.marks:
            self.marks.append(word)

    def count(self, kind: str) -> None:
        """Count untagged data; the words of a server that makes them up endlessly are counted as one."""
        kind = kind[:_KIND_LENGTH]
        if kind not in self.responses and len(self.responses) >= _KINDS_KEPT:
            kind = "…"
        self.responses[kind] = self.responses.get(kind, 0) + 1

    def add_arguments(self, masked: bytes) -> None:
        """Append argument text, up to a bound."""
        room = _ARGUMENTS_KEPT - len(self.arguments)
        if room >= 0:
            text = readable(masked[: 4 * room + 4])  # a character has four bytes at most
            self.arguments += text if len(text) <= room else text[:room] + "…"


class _Index:
    """Open exchanges by what they are asked for, oldest first. Every step costs the same however many are open."""

    def __init__(self) -> None:
        self._runs: dict[Hashable, OpenExchange | OrderedDict[int, OpenExchange]] = {}
        """The one exchange where there is only one, as nearly always."""

    def add(self, key: Hashable, exchange: OpenExchange) -> None:
        run = self._runs.setdefault(key, exchange)
        if isinstance(run, OrderedDict):
            run[exchange.number] = exchange
        elif run is not exchange:
            self._runs[key] = OrderedDict(((run.number, run), (exchange.number, exchange)))

    def remove(self, key: Hashable, exchange: OpenExchange) -> None:
        run = self._runs.get(key)
        if run is exchange:
            del self._runs[key]
        elif isinstance(run, OrderedDict):
            run.pop(exchange.number, None)
            if not run:
                del self._runs[key]

    def all(self, key: Hashable) -> Iterable[OpenExchange]:
        run = self._runs.get(key)
        if run is None:
            return ()
        return run.values() if isinstance(run, OrderedDict) else (run,)

    def oldest(self, key: Hashable) -> OpenExchange | None:
        run = self._runs.get(key)
        return next(iter(run.values())) if isinstance(run, OrderedDict) else run


class Book:
    """All exchanges of one session, oldest first."""

    def __init__(self, session: int, put: Callable[[Record], None]) -> None:
        self.session = session
        self.open: OrderedDict[int, OpenExchange] = OrderedDict()
        self._put = put
        self._count = 0
        self._index = _Index()
        self._changed: dict[int, OpenExchange] = {}

    def begin(
        self, tag: bytes, command: str, at: int, origin: Origin = Origin.CLIENT, *, legal: bool = True
    ) -> OpenExchange:
        """A command has started."""
        if len(self.open) >= OPEN_MAX:
            self._give_up_oldest(at)
        self._count += 1
        exchange = OpenExchange(self._count, tag, command, at, origin, legal=legal)
        if self.find(tag):
            exchange.mark("tag reused")
        self.open[exchange.number] = exchange
        for key in exchange.keys:
            self._index.add(key, exchange)
        return exchange

    def _give_up_oldest(self, at: int) -> None:
        oldest = next(iter(self.open.values()))
        oldest.mark("never answered")
        self.close(oldest, Outcome.INCOMPLETE, None, "", at)

    def expect(self, exchange: OpenExchange, what: Expects) -> None:
        """From here on the next `+` would mean this to the exchange."""
        if exchange.expects is what:
            return
        self._index.remove(exchange.expects, exchange)
        exchange.expects = what
        if exchange.number in self.open and what is not Expects.NOTHING:
            self._index.add(what, exchange)

    def find(self, tag: bytes) -> OpenExchange | None:
        """The oldest open exchange with this tag (M 3.2)."""
        return self._index.oldest(tag)

    def first(self, *wanted: Expects) -> OpenExchange | None:
        """The oldest open exchange that expects one of `wanted`."""
        found = [x for x in map(self._index.oldest, wanted) if x]
        return min(found, key=_number, default=None)

    def running(self, command: str) -> OpenExchange | None:
        """The oldest open exchange of this command."""
        return self._index.oldest(command)

    def oldest_illegal(self) -> OpenExchange | None:
        """The oldest open exchange with a tag that no server could answer to (M 3.3)."""
        return self._index.oldest(_ILLEGAL)

    def changed(self, exchange: OpenExchange) -> None:
        """There is more to tell of the exchange than the record says."""
        if len(self._changed) >= _TOLD_TOGETHER:
            self.tell()
        self._changed[exchange.number] = exchange

    def tell(self) -> None:
        """Put every exchange that has changed on record as it stands: open, or ended, or ended and renewed."""
        if self._changed:
            for exchange in self._changed.values():
                self._put(_snapshot(self.session, exchange))
            self._changed.clear()

    def close(self, exchange: OpenExchange, outcome: Outcome, head: ResponseHead | None, text: str, at: int) -> None:
        """An exchange has ended."""
        del self.open[exchange.number]
        for key in exchange.keys:
            self._index.remove(key, exchange)
        if exchange.expects is not Expects.NOTHING:
            self._index.remove(exchange.expects, exchange)
        exchange.outcome, exchange.text, exchange.ended = outcome, text or None, at
        if head:
            exchange.status, exchange.code = head.status, head.code
        self.changed(exchange)

    def attribute(self, head: ResponseHead, line: bytes) -> Attribution:
        """Whose an untagged unit is (M 3.6-3.10)."""
        news = head.kind.endswith("FETCH") and only_news(line)
        if len(self.open) == 1 and head.status is None and head.kind != "ESEARCH":
            (only,) = self.open.values()
            if certainty := CERTAINTY_OF_THE_ONLY.get((only.sent, head.kind, news)):
                return Attribution(only, certainty)
        if head.status == "BAD" and (illegal := self.oldest_illegal()):
            return self._belongs(illegal, Certainty.LIKELY)
        tag = correlator(line) if head.kind == "ESEARCH" else head.named_tag
        if tag is not None:
            named = self.find(tag)
            return self._belongs(named, Certainty.SURE) if named else self._nobodys()
        candidates = self._candidates(head, news=news)
        if not candidates:
            return self._nobodys()
        if len(candidates) > 1:
            named = self._of_mailbox(head, line)
            return self._belongs(named or candidates[0], Certainty.SURE if named else Certainty.AMBIGUOUS)
        return self._belongs(candidates[0], certainty_of_one(candidates[0].sent, head, news=news))

    def _candidates(self, head: ResponseHead, *, news: bool) -> list[OpenExchange]:
        """The oldest two exchanges that may have asked for this: it matters only whether there is a second."""
        asked = may_have_asked(head, news=news)
        if len(self.open) == 1:
            (only,) = self.open.values()
            return [only] if only.sent in asked or (only.experimental and EXPERIMENTAL in asked) else []
        found = [x for key in asked for x in itertools.islice(self._index.all(key), 2)]
        return sorted(found, key=_number)[:2]

    def _of_mailbox(self, head: ResponseHead, line: bytes) -> OpenExchange | None:
        """The one exchange that asked about the mailbox which the data names (M 3.7)."""
        if head.kind not in _OF_A_MAILBOX:
            return None
        mailbox = _folded(readable(named_mailbox(line) or b""))
        commands = ASKED_BY[head.kind]
        asked = itertools.chain.from_iterable(itertools.islice(self._index.all(x), _SEARCHED) for x in commands)
        matching = [x for x in asked if x.mailbox is not None and _folded(x.mailbox) == mailbox]
        return matching[0] if len(matching) == 1 else None

    def _nobodys(self) -> Attribution:
        """Shown in the exchange that was running, if any, but no answer to it."""
        return self._belongs(next(iter(self.open.values()), None), Certainty.UNSOLICITED)

    def _belongs(self, exchange: OpenExchange | None, certainty: Certainty) -> Attribution:
        if exchange is not None and len(self.open) == 1:
            return Attribution(exchange, certainty)
        others = (number for number in self.open if exchange is None or number != exchange.number)
        return Attribution(exchange, certainty, tuple(itertools.islice(others, OPEN_NAMED)))


def _number(exchange: OpenExchange) -> int:
    return exchange.number


def _keys(exchange: OpenExchange) -> tuple[Hashable, ...]:
    """What an exchange can be found by: its tag, its command, and what kind of command that is."""
    keys: tuple[Hashable, ...] = (exchange.tag, exchange.sent)
    if exchange.experimental:
        keys += (EXPERIMENTAL,)
    return keys if exchange.legal else (*keys, _ILLEGAL)


def _folded(mailbox: str) -> str:
    """INBOX is one mailbox in any case (RFC 9051 section 5.1)."""
    return "INBOX" if mailbox.upper() == "INBOX" else mailbox


def _snapshot(session: int, x: OpenExchange) -> Exchange:
    return Exchange(
        session, x.number, x.shown, x.command, x.arguments, x.mailbox, x.origin, x.outcome, x.status, x.code, x.text,
        x.started, x.ended, x.client_bytes, x.server_bytes, tuple(sorted(x.responses.items())) if x.responses else (),
        tuple(x.marks),
    )  # fmt: skip
