"""What was asked again: commands whose answer could not have changed, and letters that had been fetched before.

Both look at one session at a time, and remember at least the last REMEMBERED things of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Outcome
from storage.statistics.values import Fetched

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.transcript import Exchange
    from storage.statistics.values import Fact

REMEMBERED: Final = 50_000
UIDS_NAMED: Final = 1000
"""A command that names more UIDs than this is not looked at message by message."""

_READING: Final = frozenset(
    "CAPABILITY NOOP CHECK ID NAMESPACE LIST LSUB XLIST STATUS SELECT EXAMINE FETCH SEARCH SORT THREAD ESEARCH"
    " GETQUOTA GETQUOTAROOT GETACL MYRIGHTS LISTRIGHTS GETMETADATA GETANNOTATION".split()
)
"""Commands that ask and change nothing (RFC 9051, section 6, and its extensions); FETCH with BODY[] sets \\Seen."""
_NEUTRAL: Final = frozenset({"IDLE"})
"""Commands that neither ask nor change anything; what is said meanwhile may be news."""
_NEWS: Final = frozenset({"EXISTS", "RECENT", "EXPUNGE", "VANISHED", "FETCH", "UIDFETCH", "FLAGS"})
_TELLS: Final = {
    "SELECT": _NEWS,
    "EXAMINE": _NEWS,
    "FETCH": frozenset({"FETCH", "UIDFETCH"}),
}
"""What is no news in the answer to these, since it was asked for."""

LITERAL: Final = re.compile(r"\{\d+([+-]?)\}")
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_SECTION: Final = re.compile(r"(?:BODY|BINARY)(?:\.PEEK)?\[[^\]]*\](?:<[\d.]+>)?|RFC822(?:\.HEADER|\.TEXT)?(?![.\w])")
_SEES: Final = re.compile(r"(?:BODY|BINARY)\[|RFC822(?:\.TEXT)?(?![.\w])")
_UIDS: Final = re.compile(r"[\d,:]+(?= )")
_CUT: Final = "…"  # what was too long for `exchange.arguments`


def unquoted(arguments: str) -> str:
    """Arguments with nothing in their quoted strings, where braces announce no literal."""
    return _QUOTED.sub('""', arguments)


class _Memory:
    """Remembers at least the last `most` different keys, and at most twice as many.

    Two generations: to drop the oldest key of a dictionary, one by one, takes longer the more have been dropped.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._young, self._old = set[int](), set[int]()

    def __contains__(self, key: int) -> bool:
        return key in self._young or key in self._old

    def add(self, key: int) -> None:
        self._young.add(key)
        if len(self._young) >= self._most:
            self._young, self._old = set[int](), self._young

    def clear(self) -> None:
        self._young.clear()
        self._old.clear()


class Repeated:
    """Says of each exchange of one session, in their order, whether it asked again what could not have changed."""

    def __init__(self, news: Iterable[int], most: int = REMEMBERED) -> None:
        """`news`: when the server said something while nothing was open, rising."""
        self._news = iter(news)
        self._next = next(self._news, None)
        self._known = _Memory(most)

    def add(self, fact: Fact) -> bool:
        """Whether the same has been asked before, and answered, and nothing has changed since or with this answer."""
        exchange = fact.exchange
        if self._heard(exchange.started) or _brings_news(exchange):
            self._known.clear()
        name = exchange.command.removeprefix("UID ")
        asks = name in _READING and exchange.outcome is Outcome.COMPLETED
        key = hash((exchange.command, exchange.arguments, exchange.mailbox))
        # Of a literal the arguments have the length alone, of long ones there is only a part: they may differ.
        known = asks and not exchange.arguments.endswith(_CUT) and not LITERAL.search(unquoted(exchange.arguments))
        again = known and key in self._known
        if _may_change(name, exchange.arguments):
            self._known.clear()
        if known:
            self._known.add(key)
        return again

    def _heard(self, moment: int) -> bool:
        heard = False
        while self._next is not None and self._next <= moment:
            heard = True
            self._next = next(self._news, None)
        return heard


def _brings_news(exchange: Exchange) -> bool:
    told = _TELLS.get(exchange.command.removeprefix("UID "), frozenset[str]())
    return any(kind in _NEWS and kind not in told for kind, _ in exchange.responses)


def _may_change(name: str, arguments: str) -> bool:
    """Whether what others ask may be answered in another way afterwards."""
    if name in {"SELECT", "EXAMINE"}:
        return True
    if name == "FETCH":
        return _SEES.search(arguments.upper()) is not None
    if name in {"SEARCH", "SORT", "THREAD"}:
        return "SAVE" in arguments.upper()  # what `$` stands for: RFC 5182, section 2
    return name not in _READING and name not in _NEUTRAL


class Refetched:
    """Says of each exchange of one session what of its letters had been fetched before."""

    def __init__(self, most: int = REMEMBERED) -> None:
        self._letters, self._sections = _Memory(most), _Memory(most)

    def add(self, fact: Fact) -> Fetched:
        """What came again with this one."""
        exchange = fact.exchange
        if not exchange.command.endswith("FETCH"):
            return Fetched()
        letters = wasted = 0
        for letter in fact.letters:
            if letter.key in self._letters:
                letters += 1
                wasted += letter.length
            self._letters.add(letter.key)
        again, all_of_them = self._asked(exchange)
        return Fetched(letters, again, max(wasted, exchange.server_bytes) if all_of_them else wasted)

    def _asked(self, exchange: Exchange) -> tuple[int, bool]:
        """How many sections of messages were asked for again; whether all that this one asked for were."""
        if exchange.status != "OK" or exchange.command != "UID FETCH" or exchange.arguments.endswith(_CUT):
            return 0, False
        sections = {each.replace(".PEEK", "") for each in _SECTION.findall(exchange.arguments.upper())}
        keys = [hash((exchange.mailbox, uid, each)) for uid in _named(exchange.arguments) for each in sections]
        again = sum(key in self._sections for key in keys)
        for key in keys:
            self._sections.add(key)
        return again, bool(keys) and again == len(keys)


def _named(arguments: str) -> Iterator[int]:
    """The UIDs that a UID FETCH names; none where there may be more than UIDS_NAMED, or `*`."""
    match = _UIDS.match(arguments)
    bounds = [part.split(":") for part in match[0].split(",")] if match else []
    if not all(len(part) <= 2 and all(each.isdecimal() and len(each) <= 10 for each in part) for part in bounds):
        return
    ranges = [range(min(ends), max(ends) + 1) for ends in ([int(each) for each in part] for part in bounds)]
    if sum(map(len, ranges)) <= UIDS_NAMED:
        yield from {uid for each in ranges for uid in each}
