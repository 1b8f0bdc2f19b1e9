"""Sessions that were played, seen again unit by unit; and states in the words of the scripts' `%` lines.

% mailbox INBOX read-write       name and mode; "-" for none
% exists 4                       also recent, uidvalidity, uidnext, highestmodseq, mailboxid
% uids 1:3=101:103 5=107         the numbers that are known; "-" for none
% flags \\Seen \\Draft            also permanent
% capabilities greeting X Y      the last list of a source; "untrusted" in front of the source
% enabled QRESYNC
% user LOGIN bob                 mechanism, and user where the record has one
% saved 3 UIDs 1:5               exchange, set as it was told ("?": not told), or a number of messages
% contexts a=3                   searches kept up to date: tag and exchange
% notify 4                       exchange; also idle
% layers TLS and DEFLATE
% open 3 4                       in flight
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar import cut, parse_command, parse_response, parse_sasl
from proxy.imap.transcript import Direction, Exchange, Layer
from proxy.imap.view.session import SessionView
from proxy.imap.view.values import Heard, MailboxState, Said, State
from tests.proxy.imap.playing import cut_spans, play

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar import Parsed
    from proxy.imap.grammar.commands import Command, Done
    from proxy.imap.grammar.responses import Response
    from proxy.imap.grammar.sasl import SaslLine
    from tests.proxy.imap.playing import Heard as Played
    from tests.proxy.imap.playing import Turn
    from tests.proxy.imap.scripts import Script


class Units:
    """The units of one direction of a session that was played."""

    def __init__(self, played: Played, direction: Direction) -> None:
        self._direction, self._stream = direction, played.stream(direction)
        self._exchanges = {exchange.number: exchange for exchange in played.exchanges}
        self._begun: set[int] = set()
        self._units = sorted(cut_spans(self._stream, direction, played.spans(direction)))

    def until(self, offset: int, at: int, layer: Layer) -> Iterator[Said]:
        """Those that end there at the latest, each once."""
        while self._units and self._units[0][1] <= offset:
            start, end, span = self._units.pop(0)
            exchange = self._exchanges.get(span.exchange or 0)
            parsed = self._parsed(self._stream[start:end], start, exchange)
            yield Said(self._direction, at, layer, exchange, span.certainty, span.open, parsed)

    def _parsed(
        self, data: bytes, start: int, exchange: Exchange | None
    ) -> Parsed[Response] | Parsed[Command | Done] | Parsed[SaslLine]:
        unit = cut(data, self._direction, start)
        if self._direction is Direction.SERVER:
            return parse_response(unit)
        if exchange is not None and exchange.number in self._begun and exchange.command == "AUTHENTICATE":
            return parse_sasl(unit)
        self._begun.add(exchange.number if exchange else 0)
        return parse_command(unit)


def seen(script: Script) -> Iterator[tuple[int, list[Heard], State]]:
    """After each step: its line in the file, what its units turned out to be, and the state."""
    played = play(script.turns, ending=script.ending)
    units = {direction: Units(played, direction) for direction in Direction}
    view = SessionView()
    for at, step in enumerate(script.steps):
        side = units[step.turn.direction]
        heard = [view.feed(said) for said in side.until(step.offset + len(step.clear), at, step.turn.layer)]
        yield step.line, heard, view.state()


def after(turns: Iterable[Turn]) -> State:
    """The state when all has been said, each side's units at once: what it means does not matter here."""
    played = play(turns)
    view = SessionView()
    for direction in Direction:
        for said in Units(played, direction).until(2**63, 0, Layer.PLAIN):
            view.feed(said)
    return view.state()


def fact(state: State, word: str, like: str = "") -> str:
    """What a `%` line with this word says of the state; `like` is what it is expected to say."""
    box = state.mailbox
    if word == "capabilities":
        return _capabilities(state, like)
    if word == "mailbox":
        return "-" if box is None else f"{box.name}{_MODES[box.read_only]}"
    if word == "user":
        return " ".join(filter(None, (state.mechanism, state.user))) or "-"
    if word == "saved":
        return _saved(state)
    if word == "contexts":
        return " ".join(f"{tag}={number}" for tag, number in state.contexts) or "-"
    if word in {"enabled", "open"}:
        return " ".join(map(str, getattr(state, word))) or "-"
    if word in {"notify", "idle", "layers"}:
        return _shown(getattr(state, word))
    return "no mailbox" if box is None else _of_mailbox(box, word)


_MODES = {True: " read-only", False: " read-write", None: ""}


def _of_mailbox(box: MailboxState, word: str) -> str:
    if word == "uids":
        pairs = (f"{_range(x.number, x.length)}={_range(x.uid, x.length)}" for x in box.numbers.runs())
        return " ".join(pairs) or "-"
    if word in {"flags", "permanent"}:
        words = box.flags if word == "flags" else box.permanent_flags
        return "-" if words is None else " ".join(words)
    return _shown(getattr(box, word))


def _capabilities(state: State, like: str) -> str:
    lists = [
        f"{'' if each.trusted else 'untrusted '}{each.source} {' '.join(each.words)}" for each in state.capabilities
    ]
    return like if like in lists else "; ".join(lists)


def _saved(state: State) -> str:
    saved = state.saved
    if saved is None:
        return "-"
    which = saved.messages.raw.decode() if saved.messages else "?" if saved.size is None else f"{saved.size} of them"
    return f"{saved.exchange} {'UIDs ' if saved.uid else ''}{which}"


def _range(first: int, length: int) -> str:
    return str(first) if length == 1 else f"{first}:{first + length - 1}"


def _shown(value: object) -> str:
    return "-" if value is None else str(value)
