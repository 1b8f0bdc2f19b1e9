"""What a server has told in answer to a command, sorted by what is compared with what (M 10.11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from proxy.imap.commands import SELECTS
from proxy.imap.grammar import BareCode, Continuation, Raw, Tagged
from proxy.imap.grammar.capability import Capability
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Flags
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.search_results import ESearch, Found
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.transcript import Certainty
from storage.diff.equality.codes import FREE, name_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.view.dialogue import Answer, Dialogue

_REMOVING = frozenset(("EXPUNGE", "UID EXPUNGE", "MOVE", "UID MOVE", "REPLACE", "UID REPLACE"))
FLAGS_NEWS = frozenset((b"FLAGS", b"UID", b"MODSEQ"))
"""Items of FETCH that come unasked."""
_FETCHING = frozenset(("FETCH", "UID FETCH", "STORE", "UID STORE", "SELECT", "EXAMINE"))


_UNASKED = (Count, Vanished, Flags, Capability, ESearch)
_STATUSES = (Status, BareCode)
_SEARCHED = (Found, ESearch)
_WITHOUT_DATA = (Raw, BareCode)


class Told(NamedTuple):
    """Untagged data, and the UID of the message that it is about, where that is known."""

    data: Any
    uid: int | None = None


class Sorted:
    """One side's answers: `answers` by family, the `news` that nobody asked for, which families are `ambiguous`."""

    __slots__ = ("ambiguous", "answers", "continuations", "news")

    def __init__(self, dialogue: Dialogue) -> None:
        self.answers: dict[str, list[Told]] = {}
        self.news: list[Any] = []
        self.ambiguous: set[str] = set()
        self.continuations = 0
        command = dialogue.exchange.command
        for answer in dialogue.answers:
            self._add(command, answer)

    def _add(self, command: str, answer: Answer) -> None:
        value = answer.parsed.value
        if isinstance(value, Tagged):
            return
        if isinstance(value, Continuation):
            self.continuations += 1
            return
        data = value if isinstance(value, _WITHOUT_DATA) else value.data
        if is_news(command, data) or (answer.certainty is Certainty.UNSOLICITED and not _wrong(command, data)):
            self.news.append(data)
            return
        family = family_of(data)
        self.answers.setdefault(family, []).append(Told(data, answer.uid))
        if answer.certainty is Certainty.AMBIGUOUS:
            self.ambiguous.add(family)


def is_news(command: str, data: object) -> bool:
    """Whether the command cannot have asked for such data (M 3.9)."""
    kind = type(data)
    if kind is Count:
        return command not in (_REMOVING if data.word == b"EXPUNGE" else SELECTS)  # type: ignore[attr-defined]
    if kind is Vanished:
        return not data.earlier and command not in _REMOVING  # type: ignore[attr-defined]
    if kind is Flags:
        return command not in SELECTS
    return kind is Fetch and command not in _FETCHING


def _wrong(command: str, data: object) -> bool:
    """Whether it is an answer all the same: more than flags is no news, nor what SELECT tells of its mailbox."""
    if isinstance(data, Status):
        return data.code is not None and (command in SELECTS or name_of(data.code) in FREE)
    return isinstance(data, Fetch) and command in _FETCHING and any(item.name not in FLAGS_NEWS for item in data.items)


def may_be_news(data: object) -> bool:
    """Whether a server may say it unasked, wherever it likes (M 3.9)."""
    if isinstance(data, Status):
        return data.condition is Condition.OK
    if isinstance(data, Fetch):
        return all(item.name in FLAGS_NEWS for item in data.items)
    return isinstance(data, _UNASKED)


def family_of(data: object) -> str:
    """What is compared together: LIST and XLIST, SEARCH and ESEARCH, EXPUNGE and VANISHED; else by the data word."""
    if isinstance(data, _STATUSES):
        return "status"
    if isinstance(data, Count):
        return data.word.decode()
    if isinstance(data, Vanished):
        return "earlier" if data.earlier else "EXPUNGE"
    if isinstance(data, MailboxList):
        return "LSUB" if data.word == b"LSUB" else "LIST"
    if isinstance(data, _SEARCHED):
        return "search"
    return type(data).__name__


def data_of(told: Sequence[Told]) -> list[Any]:
    """The data alone."""
    return [each.data for each in told]
