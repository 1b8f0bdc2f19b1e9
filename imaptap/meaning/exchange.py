"""One exchange, gathered unit by unit into what it means."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.meaning import others
from imaptap.meaning.mailboxes import Mailboxes, selected
from imaptap.meaning.messages import Messages
from imaptap.meaning.oddities import Oddities
from imaptap.meaning.results import Results
from imaptap.meaning.values import Meaning
from imaptap.meaning.words import Gatherer, compressed, counted, joined, many, safe
from proxy.imap.grammar import Command, Tagged, Untagged
from proxy.imap.grammar.capability import Capability
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Flags
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.search_results import ESearch, Found
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.transcript import Certainty

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.responses import Data
    from proxy.imap.transcript import Exchange
    from proxy.imap.view.session import SessionView
    from proxy.imap.view.values import Heard, Said

_SELECT = ("SELECT", "EXAMINE")
_OF_NEWS = frozenset("IDLE NOOP CHECK EXPUNGE MOVE REPLACE".split()) | {"UID EXPUNGE", "UID MOVE", "UID REPLACE"}
_OTHERS_MOST = 100
_OTHERS_SHOWN = 3


class Gathered:
    """What was said in one exchange so far. With `deep`, the details too."""

    def __init__(self, exchange: Exchange, *, deep: bool) -> None:
        self._exchange = exchange
        self._asked = ""
        self._messages, self._news = Messages(deep=deep), Messages(deep=False)
        self._mailboxes = Mailboxes(deep=deep)
        self._found = Results(uid=exchange.command.startswith("UID "))
        self._counts = _Counts(of_select=exchange.command in _SELECT)
        self._others: list[str] = []
        self._missed = self._doubtful = 0
        self._end = ""
        self._oddities = Oddities()

    def add(self, said: Said, heard: Heard, view: SessionView) -> None:
        """One unit, and the view of the session right after it."""
        self._oddities.add(said)
        value = said.parsed.understood
        if isinstance(value, Command):
            self._asked = others.asked(value.body)
        elif isinstance(value, Untagged):
            self._doubtful += heard.certainty is Certainty.AMBIGUOUS
            self._untagged(value.data, heard)
        elif isinstance(value, Tagged) and isinstance(value.status, Status):
            self._tagged(value.status, heard, view)

    def meaning(self) -> Meaning:
        """What all that means."""
        # Strings of peers were made safe where they were cut; once more for all, so that nothing is forgotten.
        summary = safe(joined(self._sentences(), "; "))
        return Meaning(summary, tuple(map(safe, self._details())), tuple(map(safe, self._oddities.said())))

    def _sentences(self) -> Iterator[str]:
        yield self._asked
        yield self._messages.summary()
        yield self._counts.since()
        yield self._mailboxes.summary() if self._mailboxes else ""
        yield self._found.summary()
        yield from self._others[:_OTHERS_SHOWN]
        if more := len(self._others) + self._missed - _OTHERS_SHOWN:
            yield f"and {more:,} more" if more > 0 else ""
        yield self._end
        if news := joined((self._counts.summary(), self._news.summary())):
            yield news if self._exchange.command in _OF_NEWS else f"news: {news}"
        if self._doubtful:
            yield f"{counted(self._doubtful, 'answer')} may be another command's"

    def _details(self) -> Iterator[str]:
        yield from self._messages.lines
        yield from self._mailboxes.lines()
        if len(self._others) > _OTHERS_SHOWN:
            yield from self._others
        if self._missed:
            yield f"… and {self._missed:,} more"

    def _untagged(self, data: Data, heard: Heard) -> None:
        unasked = heard.certainty is Certainty.UNSOLICITED
        if isinstance(data, Fetch):
            (self._news if unasked or not self._asks_for_messages() else self._messages).add(data, heard.uid)
        elif isinstance(data, MailboxList):
            self._mailboxes.listed(data)
        elif isinstance(data, MailboxStatus):
            self._mailboxes.status(data)
        elif isinstance(data, Found | ESearch):
            self._found.add(data)
        elif isinstance(data, Count | Vanished):
            self._counts.add(data, heard)
        else:
            self._other(self._words(data, heard))

    def _asks_for_messages(self) -> bool:
        return self._exchange.command.removeprefix("UID ") in {"FETCH", "STORE", "SELECT", "EXAMINE"}

    def _words(self, data: Data, heard: Heard) -> str:
        if isinstance(data, Status):
            bye = "BYE" if data.condition is Condition.BYE and self._exchange.command != "LOGOUT" else ""
            change = others.capabilities(heard.change) if heard.change else ""
            return joined((bye, change or ("" if self._exchange.command in _SELECT else others.code(data.code))), " ")
        if isinstance(data, Capability):
            return others.capabilities(heard.change) if heard.change else ""
        return "" if isinstance(data, Flags) else others.told(data)

    def _other(self, words: str) -> None:
        if words and len(self._others) < _OTHERS_MOST:
            self._others.append(words)
        elif words:
            self._missed += 1

    def _tagged(self, status: Status, heard: Heard, view: SessionView) -> None:
        box = view.mailbox
        if self._exchange.command in _SELECT and status.condition is Condition.OK and box is not None:
            self._end = selected(box)
        elif heard.change is not None:
            self._end = others.capabilities(heard.change)
        else:
            self._end = others.code(status.code)


class _Counts:
    """Messages that came and went."""

    def __init__(self, *, of_select: bool) -> None:
        self._of_select = of_select
        self._exists: int | None = None
        self._gone = 0
        self._gone_uids = Gatherer()
        self._earlier: list[str] = []

    def add(self, data: Count | Vanished, heard: Heard) -> None:
        if isinstance(data, Vanished):
            if data.earlier:
                self._earlier.append(compressed(data.uids))
                return
            self._gone += many(data.uids) or 0
            self._gone_uids.add_set(data.uids)
        elif data.word == b"EXISTS":
            self._exists = data.number
        elif data.word == b"EXPUNGE":
            self._gone += 1
            if heard.uid is not None:
                self._gone_uids.add(heard.uid)

    def summary(self) -> str:
        known = len(self._gone_uids)
        word = "UID" if known == 1 else "UIDs"
        uids = f" ({word} {self._gone_uids}{'' if known == self._gone else ' and others'})" if known else ""
        now = "" if self._exists is None or self._of_select else f"now {counted(self._exists, 'message')}"
        return joined((f"{counted(self._gone, 'message')} gone{uids}" if self._gone else "", now))

    def since(self) -> str:
        """What VANISHED (EARLIER) has answered."""
        return f"gone since then: UIDs {' '.join(self._earlier[:3])}" if self._earlier else ""
