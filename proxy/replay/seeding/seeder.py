"""Builds the starting state of a recording at a target: mailboxes by CREATE, messages by APPEND (M 8.2).

First all mailboxes are looked at. One that has other messages than the recording began with ends it, before anything
has been changed. Which UID each message got there, the mapping is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Append, AppendMessage, Whole
from proxy.imap.grammar.codes import AppendUid
from proxy.imap.grammar.dates import STRICT_DATE_TIME
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_commands import Attribute, FetchCommand
from proxy.imap.grammar.fetch_items import DateItem, Flags, NumberItem
from proxy.imap.grammar.generic import Bare
from proxy.imap.grammar.listing import List, Option
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.mailboxes import MailboxStatus, OnMailbox, Param, StatusCommand
from proxy.imap.grammar.search_commands import Search
from proxy.imap.grammar.search_keys import Key
from proxy.imap.grammar.search_results import Found
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.utf7 import encode
from proxy.imap.grammar.values import Absent, Atom
from proxy.imap.mapping import NoCounterpartError
from proxy.imap.mapping import Place as Namespace
from proxy.replay.seeding.beginning import OldMessage, Place, length
from proxy.replay.seeding.facts import answered_ok, codes_of, data_of, few, uidvalidity_of, words_of
from proxy.replay.seeding.report import Seeded, SeededMailbox, SeedError, Wish
from proxy.replay.seeding.standins import stand_in

if TYPE_CHECKING:
    from proxy.imap.mapping import Mapping
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.seeding.asker import Asker
    from proxy.replay.seeding.beginning import Beginning, OldMailbox, Part

Contents = Callable[[Place], "Iterator[bytes] | None"]
"""The bytes of a place in the recording, in parts; None where it does not hold them (any more)."""

_ROLES = frozenset(rb"\ALL \ARCHIVE \DRAFTS \FLAGGED \IMPORTANT \JUNK \SENT \TRASH".split())
BLANKS_MOST = 10_000
"""Messages of a mailbox of which nothing is known and that get a stand-in all the same, so that numbers agree."""


@dataclass(slots=True)
class _There:
    """A mailbox at the target, as it was found: how many messages, None where there is no such mailbox."""

    old: OldMailbox
    name: str
    told: SeededMailbox
    messages: int | None = None
    uidvalidity: int | None = None
    appended: list[tuple[OldMessage, int | None]] = field(default_factory=list[tuple[OldMessage, "int | None"]])
    """With their new UIDs, as far as the target told."""


class Seeder:
    """One user's. `namespace` is his own at the target; `progress` hears how many messages are done, of how many."""

    def __init__(
        self, asker: Asker, mapping: Mapping, contents: Contents, wish: Wish, namespace: Namespace | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:  # fmt: skip
        self._asker, self._mapping, self._contents, self._wish = asker, mapping, contents, wish
        self._namespace = namespace
        self._progress = progress
        self._done = self._all = 0

    async def seed(self, beginning: Beginning) -> Seeded:
        """Build all of it. Raises SeedError where the target has other messages, LiveError where it is lost."""
        seeded = Seeded()
        found: list[_There] = []
        await self._ask_names()
        for old in beginning.mailboxes:
            if old.selectable:
                told = SeededMailbox(old.name, old.count, known=old.known)
                seeded.mailboxes.append(told)
                if there := await self._look(old, told):
                    found.append(there)
        self._refuse(found)
        self._all = sum(sum(1 for _ in self._messages(there.old)) for there in found if not there.told.alike)
        for there in found:
            await self._build(there)
        return seeded

    # --- looking ------------------------------------------------------------------------------------------------------

    async def _ask_names(self) -> None:
        """Which mailboxes there are, and with which roles: by these the mapping may go (RFC 6154)."""
        roles = self._asker.capabilities >= {"SPECIAL-USE", "LIST-EXTENDED"}
        returned = (Option(b"SPECIAL-USE"),) if roles else None
        self._mapping.probe(await self._asker.ask(List(b"LIST", Mailbox(b""), (b"*",), returned=returned)))

    async def _look(self, old: OldMailbox, told: SeededMailbox) -> _There | None:
        try:
            name = self._mapping.names.counterpart(old.name, self._namespace)
        except NoCounterpartError as error:
            told.trouble = error.reason
            return None
        told.there = name
        there = _There(old, name, told)
        answer = await self._asker.ask(StatusCommand(_mailbox(name), (b"MESSAGES", b"UIDVALIDITY")))
        if not answered_ok(answer):
            return there
        for data in data_of(answer):
            if isinstance(data, MailboxStatus):
                items = {word: value for word, value in data.items if isinstance(value, int)}
                there.messages, there.uidvalidity = items.get(b"MESSAGES", 0), items.get(b"UIDVALIDITY")
        there.messages = there.messages or 0
        if there.messages and there.messages == old.count:
            told.alike = await self._alike(there)
        return there

    async def _alike(self, there: _There) -> bool:
        """Whether it has the messages that the recording began with, as far as these are known."""
        await self._asker.ask(OnMailbox(b"EXAMINE", _mailbox(there.name)))
        items = tuple(Attribute(name) for name in (b"UID", b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"))
        answer = await self._asker.ask(FetchCommand(uid=False, messages=SequenceSet(b"1:*"), attributes=items))
        found = {data.number: data for data in data_of(answer) if isinstance(data, Fetch)}
        await self._leave()
        pairs: list[tuple[int, int]] = []
        for place, old in enumerate(there.old.messages, 1):
            fetch = found.get(old.number or place)
            if fetch is None or not _same(old, fetch):
                return False
            uid = fetch.get(b"UID")
            if old.uid is not None and isinstance(uid, NumberItem):
                pairs.append((old.uid, uid.number))
        self._pair(there, pairs)
        return True

    def _refuse(self, found: list[_There]) -> None:
        if self._wish.onto:
            return
        other = [there for there in found if there.messages and there.old.known and not there.told.alike]
        if other:
            names = ", ".join(f"{there.name} ({there.messages:,})" for there in other[:5])
            more = f" and {len(other) - 5} more" if len(other) > 5 else ""
            raise SeedError(
                f"The target has other messages than the recording began with in {names}{more}.",
                "Take another account or a scratch name, empty these mailboxes, or append to them with --seed-onto.",
            )

    # --- building -----------------------------------------------------------------------------------------------------

    async def _build(self, there: _There) -> None:
        old, told = there.old, there.told
        if there.messages is None:
            answer = await self._create(there)
            if not answered_ok(answer):
                told.trouble = f"the target would not create it: {words_of(answer)}"
                self._step(sum(1 for _ in self._messages(old)))
                return
        if old.subscribed:
            await self._asker.ask(OnMailbox(b"SUBSCRIBE", _mailbox(there.name)))
        if told.alike:
            return
        for message in self._messages(old):
            await self._append(there, message)
            self._step(1)
        left = told.exists - told.appended - told.missing.total()
        if left:
            told.missing["of which the recording tells nothing"] += left
        if there.appended:
            await self._learn(there)

    async def _create(self, there: _There) -> Dialogue:
        """With the role that it had, where the target gives roles and has nothing against this one (RFC 6154)."""
        roles = sorted(flag for flag in there.old.attributes if flag.upper() in _ROLES)
        if roles and "CREATE-SPECIAL-USE" in self._asker.capabilities:
            use = Param(b"USE", tuple(Atom(role) for role in roles))
            answer = await self._asker.ask(OnMailbox(b"CREATE", _mailbox(there.name), (use,)))
            if answered_ok(answer):
                return answer
        return await self._asker.ask(OnMailbox(b"CREATE", _mailbox(there.name)))

    def _messages(self, old: OldMailbox) -> Iterator[OldMessage]:
        """In the order that they had; with stand-ins, also those of which nothing is known."""
        numbered = all(message.number is not None for message in old.messages)
        if not (self._wish.stand_ins and numbered and old.count <= BLANKS_MOST):
            yield from old.messages
            return
        known = {message.number: message for message in old.messages}
        for number in range(1, old.count + 1):
            yield known.get(number) or OldMessage(number, None, (b"\\Seen",) if old.all_seen else None)

    async def _append(self, there: _There, message: OldMessage) -> None:
        told = there.told
        parts, stands_in = self._body(message), False
        if parts is None and self._wish.stand_ins:
            parts, stands_in = (stand_in(message, self._header(message)),), True
        if parts is None:
            told.missing[_why_missing(message)] += 1
            return
        date = message.date if message.date and STRICT_DATE_TIME.fullmatch(message.date.raw) else None
        append = AppendMessage(Whole(Absent(length(parts))), message.flags or (), date)
        answer = await self._asker.ask(Append(_mailbox(there.name), (append,)), (self._bytes(parts),))
        if not answered_ok(answer):
            told.missing[f"which the target refused: {words_of(answer)}"] += 1
            return
        told.appended += 1
        told.stand_ins += stands_in
        told.doubt("without flags, since none were told", message.flags is None)
        told.doubt("with the date of today, since none was told", date is None)
        code = next((code for code in codes_of(answer) if isinstance(code, AppendUid)), None)
        there.uidvalidity = code.uidvalidity if code else there.uidvalidity
        there.appended.append((message, next(few(code.uids), None) if code else None))

    def _body(self, message: OldMessage) -> tuple[Part, ...] | None:
        """Where the whole message lies, if the recording still holds all of that."""
        held = message.body is not None and all(
            not isinstance(part, Place) or self._contents(part) is not None for part in message.body
        )
        return message.body if held else None

    def _header(self, message: OldMessage) -> bytes | None:
        for parts in (message.header, message.some):
            if parts and all(not isinstance(part, Place) or self._contents(part) is not None for part in parts):
                return b"".join(self._bytes(parts))
        return None

    def _bytes(self, parts: tuple[Part, ...]) -> Iterator[bytes]:
        for part in parts:
            if isinstance(part, Place):
                yield from self._contents(part) or ()
            else:
                yield part

    async def _learn(self, there: _There) -> None:
        """Which UIDs they have got: as the target told, or the last ones that are there, in their order."""
        uids = there.appended
        if any(uid is None for _, uid in uids):
            selected = await self._asker.ask(OnMailbox(b"EXAMINE", _mailbox(there.name)))
            there.uidvalidity = uidvalidity_of(selected) or there.uidvalidity
            answer = await self._asker.ask(Search(uid=True, keys=(Key(b"ALL"),)))
            await self._leave()
            found = sorted(uid for data in data_of(answer) if isinstance(data, Found) for uid in data.numbers)
            uids = list(zip((message for message, _ in uids), found[-len(uids) :], strict=False))
        self._pair(there, [(message.uid, uid) for message, uid in uids if message.uid is not None and uid is not None])

    def _pair(self, there: _There, pairs: list[tuple[int, int]]) -> None:
        old = there.old
        self._mapping.mailboxes.select(old.name, old.uidvalidity, there.uidvalidity).told(pairs)

    async def _leave(self) -> None:
        """Nothing is selected any more. It was only examined, so CLOSE removes nothing."""
        await self._asker.ask(Bare(b"UNSELECT" if "UNSELECT" in self._asker.capabilities else b"CLOSE"))

    def _step(self, count: int) -> None:
        self._done += count
        if self._progress and count:
            self._progress(self._done, self._all)


def _mailbox(name: str) -> Mailbox:
    return Mailbox.of(encode(name))


def _why_missing(message: OldMessage) -> str:
    if message.body is not None:
        return "whose bodies were not kept, or hold a masked secret"
    return "of which a secret is masked" if message.masked else "whose bodies were never fetched whole"


def _same(old: OldMessage, fetch: Fetch) -> bool:
    """Whether this may be that message: of its size, date and flags, as far as they are known."""
    size, date, flags = fetch.get(b"RFC822.SIZE"), fetch.get(b"INTERNALDATE"), fetch.get(b"FLAGS")
    if old.size is not None and isinstance(size, NumberItem) and size.number != old.size:
        return False
    if old.date is not None and isinstance(date, DateItem) and date.date and date.date.instant != old.date.instant:
        return False
    if old.flags is None or not isinstance(flags, Flags):
        return True
    ours, theirs = _flags(old.flags), _flags(flags.flags)
    return ours == theirs if old.all_flags else ours <= theirs


def _flags(flags: tuple[bytes, ...]) -> set[bytes]:
    return {flag.upper() for flag in flags} - {b"\\RECENT"}
