"""The exchanges of a session: which are open, which of them server data belongs to, how each ends (M section 3)."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from proxy.imap.commands import ASKED_BY, CODE_ASKED_BY, NEWS
from proxy.imap.responses import ResponseHead, correlator, named_mailbox, only_news
from proxy.imap.transcript import Certainty, Direction, Exchange, Origin, Outcome, Record, Span, readable

_ARGUMENTS_KEPT = 2000
_ALWAYS_NEWS = frozenset({"EXISTS", "RECENT", "EXPUNGE", "VANISHED", "FLAGS"})


class Expects(enum.Enum):
    """What the next `+` would mean to an exchange (M 4.1)."""

    NOTHING = enum.auto()
    LITERAL = enum.auto()
    SASL = enum.auto()
    IDLE = enum.auto()


@dataclass(slots=True)
class OpenExchange:
    """A command in flight."""

    number: int
    tag: bytes
    """As the client sent it; `shown` is what the record says (it may have been a password)."""
    command: str
    started: int
    origin: Origin = Origin.CLIENT
    shown: str = ""
    arguments: str = ""
    mailbox: str | None = None
    """The mailbox that it names, else the selected one."""
    selects: bool = False
    legal: bool = True
    sending: bool = True
    expects: Expects = Expects.NOTHING
    mechanism: str = ""
    sasl_steps: int = 0
    client_bytes: int = 0
    server_bytes: int = 0
    responses: dict[str, int] = field(default_factory=dict[str, int])
    marks: list[str] = field(default_factory=list[str])
    final: Exchange | None = None

    def mark(self, word: str) -> None:
        """Add a mark once."""
        if word not in self.marks:
            self.marks.append(word)

    def add_arguments(self, text: str) -> None:
        """Append masked argument text, up to a bound."""
        room = _ARGUMENTS_KEPT - len(self.arguments)
        self.arguments += text if len(text) <= room else text[: max(0, room)] + ("…" if room > 0 else "")


@dataclass(frozen=True, slots=True)
class Attribution:
    """Whose a server unit is: the exchange (None: nobody's), how sure that is, and what else was open."""

    exchange: OpenExchange | None
    certainty: Certainty
    open: tuple[int, ...] = ()


class Spans:
    """Joins consecutive units of one direction with the same attribution into spans."""

    def __init__(self, session: int, direction: Direction, put: Callable[[Record], None]) -> None:
        self._session, self._direction, self._put = session, direction, put
        self._run: Span | None = None

    def add(self, whose: Attribution, start: int, end: int, first_at: int, last_at: int) -> None:
        """A unit start..end belongs to `whose`."""
        number = whose.exchange.number if whose.exchange else None
        run = self._run
        if run and (run.exchange, run.certainty, run.open, run.end) == (number, whose.certainty, whose.open, start):
            first_at, start, units = run.first_at, run.start, run.units + 1
        else:
            self.flush()
            units = 1
        self._run = Span(
            self._session, number, self._direction, start, end, first_at, last_at, units, whose.certainty, whose.open
        )

    def flush(self) -> None:
        """Put the span that is being collected on record."""
        if self._run:
            self._put(self._run)
            self._run = None


class Book:
    """All exchanges of one session, oldest first."""

    def __init__(self, session: int, put: Callable[[Record], None]) -> None:
        self.session = session
        self.open: list[OpenExchange] = []
        self._put = put
        self._count = 0

    def begin(self, tag: bytes, command: str, at: int, origin: Origin = Origin.CLIENT) -> OpenExchange:
        """A command has started."""
        self._count += 1
        exchange = OpenExchange(self._count, tag, command, at, origin, readable(tag))
        if any(other.tag == tag for other in self.open):
            exchange.mark("tag reused")
        self.open.append(exchange)
        return exchange

    def find(self, tag: bytes) -> OpenExchange | None:
        """The oldest open exchange with this tag (M 3.2)."""
        return next((x for x in self.open if x.tag == tag), None)

    def first(self, *wanted: Expects) -> OpenExchange | None:
        """The oldest open exchange that expects one of `wanted`."""
        return next((x for x in self.open if x.expects in wanted), None)

    def running(self, command: str) -> OpenExchange | None:
        """The oldest open exchange of this command."""
        return next((x for x in self.open if x.command == command), None)

    def oldest_illegal(self) -> OpenExchange | None:
        """The oldest open exchange if no server could answer to its tag (M 3.3)."""
        return next((x for x in self.open if not x.legal), None)

    def tell(self, exchange: OpenExchange) -> None:
        """Put the exchange on record as it stands: open, or with its final facts renewed."""
        self._put(_snapshot(self.session, exchange))

    def close(self, exchange: OpenExchange, outcome: Outcome, head: ResponseHead | None, text: str, at: int) -> None:
        """An exchange has ended."""
        self.open.remove(exchange)
        status = head.status if head else None
        code = head.code if head else None
        exchange.final = _snapshot(self.session, exchange, outcome, status, code, text or None, at)
        self._put(exchange.final)

    def attribute(self, head: ResponseHead, line: bytes) -> Attribution:
        """Whose an untagged unit is (M 3.6-3.10)."""
        candidates = [x for x in self.open if _may_have_asked(x, head)]
        named = self._named(candidates, head, line)
        if named is not None:
            return self._belongs(named, Certainty.SURE)
        if not candidates:
            return self._belongs(self.open[0] if self.open else None, Certainty.UNSOLICITED)
        if len(candidates) > 1:
            return self._belongs(candidates[0], Certainty.AMBIGUOUS)
        return self._belongs(candidates[0], _certainty_of_one(candidates[0], head, line))

    def _named(self, candidates: list[OpenExchange], head: ResponseHead, line: bytes) -> OpenExchange | None:
        """The exchange that the data itself names: an ESEARCH by tag, STATUS and the like by mailbox (M 3.7)."""
        if head.kind == "ESEARCH" and (tag := correlator(line)) is not None:
            return self.find(tag)
        if len(candidates) > 1 and head.kind in {"STATUS", "ACL", "MYRIGHTS", "QUOTAROOT", "METADATA"}:
            mailbox = readable(named_mailbox(line) or b"")
            matching = [x for x in candidates if x.mailbox == mailbox]
            return matching[0] if len(matching) == 1 else None
        return None

    def _belongs(self, exchange: OpenExchange | None, certainty: Certainty) -> Attribution:
        return Attribution(exchange, certainty, _others(self.open, exchange))


def _others(open_exchanges: Iterable[OpenExchange], exchange: OpenExchange | None) -> tuple[int, ...]:
    return tuple(x.number for x in open_exchanges if x is not exchange)


def _may_have_asked(exchange: OpenExchange, head: ResponseHead) -> bool:
    command = exchange.command
    if head.status is not None and head.status != "BYE":
        asked = CODE_ASKED_BY.get(head.code or "")
        return command in asked if asked else False
    asked = ASKED_BY.get(head.kind)
    # An unknown data word can only be the answer to a command that is as unknown to us (M 3.16).
    return command in asked if asked else command.startswith("X") or head.kind == command


def _certainty_of_one(exchange: OpenExchange, head: ResponseHead, line: bytes) -> Certainty:
    if exchange.command in NEWS:
        return Certainty.SURE if exchange.command == "IDLE" else Certainty.LIKELY
    if head.kind == "FETCH" and only_news(line):
        # May as well be news of another session's STORE.
        return Certainty.LIKELY
    if head.kind in _ALWAYS_NEWS and exchange.command not in {"SELECT", "EXAMINE"}:
        return Certainty.LIKELY
    return Certainty.SURE


def _snapshot(
    session: int,
    x: OpenExchange,
    outcome: Outcome = Outcome.OPEN,
    status: str | None = None,
    code: str | None = None,
    text: str | None = None,
    ended: int | None = None,
) -> Exchange:
    if x.final is not None:
        outcome, status, code, text, ended = (
            x.final.outcome,
            x.final.status,
            x.final.code,
            x.final.text,
            x.final.ended,
        )
    return Exchange(
        session, x.number, x.shown, x.command, x.arguments, x.mailbox, x.origin, outcome, status, code, text,
        x.started, ended, x.client_bytes, x.server_bytes, tuple(sorted(x.responses.items())), tuple(x.marks),
    )  # fmt: skip
