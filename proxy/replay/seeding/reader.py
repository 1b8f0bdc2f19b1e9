"""What was in a user's mailboxes before a recorded run began, read from its dialogues (M 8.2).

Feed it those of all sessions of one user in the order in which they ended. What the run itself brought (APPEND, COPY,
MOVE, mail that came meanwhile) is no part of it, what it removed is, and flags are as they were at the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Append, Replace
from proxy.imap.grammar.codes import AppendUid, CopyUid, NumberCode
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_commands import Store, StoreFlags
from proxy.imap.grammar.fetch_items import DateItem, Flags, NumberItem
from proxy.imap.grammar.generic import Bare
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus, OnMailbox, Rename
from proxy.imap.grammar.messages import Copy, Count, Vanished
from proxy.imap.grammar.search_results import ESearch, Found
from proxy.replay.seeding.beginning import Beginning
from proxy.replay.seeding.facts import (
    answered_ok,
    asks_flags,
    asks_subscribed,
    closes,
    codes_of,
    few,
    is_code,
    reads,
    untagged,
)
from proxy.replay.seeding.flags import search_told, unseen_told
from proxy.replay.seeding.history import Mailbox, Message
from proxy.replay.seeding.names import Mailboxes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.responses import Data
    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.view.dialogue import Answer, Dialogue

_SELECT = (b"SELECT", b"EXAMINE")
_SEEN = frozenset((b"\\Seen",))


def beginning(dialogues: Iterable[Dialogue]) -> Beginning:
    """The starting state of these dialogues: all sessions of one user, in the order in which they ended."""
    seeding = Seeding()
    for dialogue in dialogues:
        seeding.hear(dialogue)
    return seeding.beginning()


@dataclass(slots=True)
class _Selected:
    """A session's mailbox, and its messages by number; None where the numbers are not to be trusted."""

    mailbox: Mailbox
    numbers: list[Message] | None
    read_only: bool = False


@dataclass(slots=True)
class Seeding:
    """Hears dialogues, and tells the state that they began with."""

    _names: Mailboxes = field(default_factory=Mailboxes)
    _sessions: dict[int, _Selected] = field(default_factory=dict[int, _Selected])
    _tells: bool = False
    """Whether the server has answered a STORE with new flags."""

    def hear(self, dialogue: Dialogue) -> None:
        """The next dialogue."""
        session = dialogue.exchange.session
        for data in untagged(dialogue.news):
            self._data(session, data, None)
        body = self._body(dialogue)
        good = answered_ok(dialogue)
        if isinstance(body, OnMailbox) and body.word in _SELECT:
            self._select(session, body, dialogue, good=good)
            return
        selected = self._sessions.get(session)
        if selected and selected.numbers is not None and dialogue.before.exists not in (None, len(selected.numbers)):
            self._count(selected, dialogue.before.exists or 0)
        if selected and not selected.read_only and reads(body):
            selected.mailbox.changed = True
        sources = list(self._named(selected, body)) if selected else []
        if selected and good and isinstance(body, Store) and isinstance(body.change, StoreFlags):
            self._stored(selected, body.change, sources, dialogue)
        for data in untagged(dialogue.answers):
            self._data(session, data, body)
        if good:
            self._done(session, body, sources, list(codes_of(dialogue)))
        elif isinstance(body, OnMailbox) and any(is_code(code, b"ALREADYEXISTS") for code in codes_of(dialogue)):
            self._names.existing(body.mailbox.name)

    def _body(self, dialogue: Dialogue) -> Body | None:
        """What the command says; None where that is not known, or masked: of what mailbox it is nobody knows then."""
        body = dialogue.command.body if dialogue.command else None
        if not any(ask.secret for ask in dialogue.asks):
            return body
        if isinstance(body, OnMailbox) and body.word in _SELECT:
            self._sessions.pop(dialogue.exchange.session, None)
        return None

    def _stored(self, selected: _Selected, change: StoreFlags, named: list[Message], dialogue: Dialogue) -> None:
        """A server that tells of changes, and does not here, had nothing to change (RFC 9051 section 6.4.6)."""
        told = {
            self._message(selected, None if data.uid else data.number, heard.uid)
            for data, heard in untagged(dialogue.answers) if isinstance(data, Fetch)
        }  # fmt: skip
        flags = frozenset(flag for flag in change.flags if isinstance(flag, bytes))
        selected.mailbox.changed = True
        for message in named:
            if message in told or change.silent or not (change.how and self._tells):
                message.store(change.how, flags)
            else:
                for flag in flags:
                    message.knew(flag, has=change.how == b"+")
        self._tells = self._tells or (bool(told) and not change.silent)

    def beginning(self) -> Beginning:
        """What is known by now."""
        return Beginning(tuple(mailbox.old() for mailbox in self._names.old()))

    # --- selecting ----------------------------------------------------------------------------------------------------

    def _select(self, session: int, body: OnMailbox, dialogue: Dialogue, *, good: bool) -> None:
        self._sessions.pop(session, None)
        if not good:
            return
        codes = list(codes_of(dialogue))
        answers = list(untagged(dialogue.answers))
        closed = [place for place, (data, _) in enumerate(answers) if closes(data)]
        answers = answers[closed[-1] + 1 if closed else 0 :]  # what comes before is about the mailbox before (M 3.12)
        numbered = {code.name: code.number for code in codes if isinstance(code, NumberCode)}
        mailbox = self._names.valid(body.mailbox.name, numbered.get(b"UIDVALIDITY"))
        if uidnext := numbered.get(b"UIDNEXT"):
            mailbox.expect(uidnext)
        counts = [data.number for data, _ in answers if isinstance(data, Count) and data.word == b"EXISTS"]
        numbers = mailbox.select(counts[-1]) if counts else None
        if numbers is not None and not mailbox.changed and (unseen := numbered.get(b"UNSEEN")):
            unseen_told(numbers, unseen)
        read_only = body.word == b"EXAMINE" or any(is_code(code, b"READ-ONLY") for code in codes)
        self._sessions[session] = _Selected(mailbox, numbers, read_only)
        for answer in answers:
            if not isinstance(answer[0], Count):
                self._data(session, answer, body)

    def _count(self, selected: _Selected, exists: int) -> None:
        if selected.numbers is not None and not selected.mailbox.more(selected.numbers, exists):
            selected.numbers = None

    # --- answers ------------------------------------------------------------------------------------------------------

    def _data(self, session: int, answer: tuple[Data, Answer], body: Body | None) -> None:
        data, heard = answer
        selected = self._sessions.get(session)
        if isinstance(data, MailboxList | MailboxStatus) and heard.secret:
            return  # the name may be masked
        if isinstance(data, MailboxList):
            self._names.listed(data, subscribed=asks_subscribed(body))
        elif isinstance(data, MailboxStatus):
            self._status(data)
        elif selected is None:
            return
        elif isinstance(data, Count):
            self._counted(selected, data)
        elif isinstance(data, Found | ESearch):
            search_told(body, data, selected.mailbox, selected.numbers)
        elif isinstance(data, Vanished) and not data.earlier:
            self._vanished(selected, data.uids)
        elif isinstance(data, Fetch):
            self._fetch(session, selected, data, heard, body)

    def _status(self, data: MailboxStatus) -> None:
        items = {name: value for name, value in data.items if isinstance(value, int)}
        mailbox = self._names.valid(data.mailbox.name, items.get(b"UIDVALIDITY"))
        if (exists := items.get(b"MESSAGES")) is not None:
            mailbox.count(exists)
        if items.get(b"UNSEEN") == 0 and not mailbox.changed:
            mailbox.all_seen = True
        if (uidnext := items.get(b"UIDNEXT")) is not None:
            mailbox.expect(uidnext)

    def _counted(self, selected: _Selected, data: Count) -> None:
        if data.word == b"EXISTS":
            self._count(selected, data.number)
        elif data.word == b"EXPUNGE" and selected.numbers is not None:
            if 0 < data.number <= len(selected.numbers):
                selected.mailbox.remove(selected.numbers.pop(data.number - 1))
            else:
                selected.numbers = None

    def _vanished(self, selected: _Selected, uids: SequenceSet) -> None:
        """Which numbers that were can only be told where all UIDs are known."""
        gone = set(self._among(selected, uids, uid=True))
        for message in gone:
            selected.mailbox.remove(message)
        if selected.numbers is None:
            return
        size = sum(last - first + 1 for first, last in uids.normal(0))
        left = [message for message in selected.numbers if message not in gone]
        selected.numbers = left if len(selected.numbers) - len(left) == size else None

    def _fetch(self, session: int, selected: _Selected, data: Fetch, heard: Answer, body: Body | None) -> None:
        told = data.get(b"UID")
        uid = told.number if isinstance(told, NumberItem) else data.number if data.uid else heard.uid
        message = self._message(selected, None if data.uid else data.number, uid)
        if message is None:
            return
        message.told = True
        message.contents.hear(session, data, masked=heard.secret)
        date, flags = data.get(b"INTERNALDATE"), data.get(b"FLAGS")
        if isinstance(date, DateItem) and message.date is None:
            message.date = date.date
        if isinstance(flags, Flags):
            if not selected.read_only and reads(body) and not asks_flags(body):
                message.store(b"+", _SEEN)  # that is why the server tells
            message.has(frozenset(flags.flags))

    def _message(self, selected: _Selected, number: int | None, uid: int | None) -> Message | None:
        numbers = selected.numbers
        message = numbers[number - 1] if numbers and number and number <= len(numbers) else None
        if message is not None and uid is not None and message.uid not in (None, uid):
            message = selected.numbers = None  # something has gone of which nobody told
        if message is None:
            return None if uid is None else selected.mailbox.of_uid(uid)
        if uid is not None:
            known = selected.mailbox.tie(message, uid)
            if known is not message and numbers and number:
                numbers[number - 1] = message = known
        return message

    # --- commands that were carried out -------------------------------------------------------------------------------

    def _named(self, selected: _Selected, body: Body | None) -> Iterator[Message]:
        """The messages that a command names, as far as it is known which they are."""
        if isinstance(body, Store | Copy):
            yield from self._among(selected, body.messages, uid=body.uid)

    def _among(self, selected: _Selected, messages: SequenceSet, *, uid: bool) -> Iterator[Message]:
        """In the order of the set's numbers; `*` is the last message."""
        numbers, known = selected.numbers, selected.mailbox.by_uid
        last = (max(known, default=0)) if uid else len(numbers or ())
        for first, end in messages.normal(last):
            if not uid:
                yield from (numbers or ())[max(0, first - 1) : end]
            elif end - first < len(known):
                yield from (known[each] for each in range(first, end + 1) if each in known)
            else:
                yield from (known[each] for each in sorted(known) if first <= each <= end)

    def _done(self, session: int, body: Body | None, sources: list[Message], codes: list[AnyCode]) -> None:
        if isinstance(body, Append):
            self._appended(body.mailbox.name, len(body.messages), codes)
        elif isinstance(body, Replace):
            self._appended(body.mailbox.name, 1, codes)
        elif isinstance(body, Copy):
            self._copied(session, body, sources, codes)
        elif isinstance(body, Rename):
            self._names.rename(body.old.name, body.new.name)
        elif isinstance(body, OnMailbox):
            self._names.changed(body.word, body.mailbox.name)
        elif isinstance(body, Bare) and body.word in (b"CLOSE", b"UNSELECT", b"UNAUTHENTICATE", b"LOGOUT"):
            self._closed(session, expunges=body.word == b"CLOSE")

    def _appended(self, name: str, count: int, codes: list[AnyCode]) -> None:
        uids = [uid for code in codes if isinstance(code, AppendUid) for uid in few(code.uids)]
        mailbox = self._names.existing(name)
        for place in range(count):
            mailbox.arrive(uids[place] if len(uids) == count else None)

    def _copied(self, session: int, body: Copy, sources: list[Message], codes: list[AnyCode]) -> None:
        """A copy has the contents and the date of what it is a copy of (RFC 9051 section 6.4.7)."""
        mailbox, selected = self._names.existing(body.mailbox.name), self._sessions.get(session)
        pairs = [
            pair for code in codes if isinstance(code, CopyUid)
            for pair in zip(few(code.source), few(code.target), strict=False)
        ]  # fmt: skip
        if selected and not body.uid and len(sources) == len(pairs):
            for message, (source, _) in zip(sources, sorted(pairs), strict=True):
                selected.mailbox.tie(message, source)
        for source, target in pairs if selected else ():
            message = selected.mailbox.of_uid(source) if selected else Message()
            mailbox.arrive(target, message)
        if not pairs:
            for message in sources:
                mailbox.arrive(None, message)

    def _closed(self, session: int, *, expunges: bool) -> None:
        selected = self._sessions.pop(session, None)
        if selected is not None and expunges and not selected.read_only:
            for message in [message for message in selected.mailbox.now if message.deleted]:
                selected.mailbox.remove(message)
