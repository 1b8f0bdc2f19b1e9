"""What two dialogues that belong together tell of what is the same at both servers (M 8, 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.append import Append, Replace
from proxy.imap.grammar.fetch_items import NumberItem, ObjectId
from proxy.imap.grammar.mailboxes import OnMailbox, Rename, StatusCommand
from proxy.imap.grammar.messages import Copy
from proxy.imap.grammar.values import Atom
from proxy.imap.mapping.identity import identity
from proxy.imap.mapping.sets import spread
from proxy.imap.mapping.values import NoCounterpartError, Side, Strength
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.mailboxes import MailboxStatus
    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.grammar.values import Ext
    from proxy.imap.mapping.bijection import Bijection
    from proxy.imap.mapping.mailboxes import Mailboxes
    from proxy.imap.mapping.messages import Messages
    from proxy.imap.mapping.names import Names
    from proxy.imap.mapping.session import Session
    from proxy.imap.mapping.told import Row, Told
    from proxy.imap.view.dialogue import Dialogue, Literals
    from proxy.imap.view.mailbox import Mailbox

_SELECT = (b"SELECT", b"EXAMINE")
_MADE = (b"CREATE", *_SELECT)
_NAMING = (Append, StatusCommand)
_PUTTING = (Append, Replace)
_TELLING = (NumberItem, ObjectId)
_NUMBERS = (b"X-GM-MSGID", b"X-GM-THRID")


class Known(NamedTuple):
    """What learning adds to."""

    names: Names
    mailboxes: Mailboxes
    objects: Mapping[str, Bijection[str]]


class Sides(NamedTuple):
    """Both dialogues of a step, what each tells, and where the contents of their literals are."""

    dialogues: tuple[Dialogue, Dialogue]
    told: tuple[Told, Told]
    literals: tuple[Literals | None, Literals | None] = (None, None)


def learn(known: Known, session: Session, sides: Sides) -> None:
    """Both sides of a session have heard the step: take from it what belongs together."""
    recorded, replayed = (dialogue.command for dialogue in sides.dialogues)
    ours, theirs = sides.told
    for side in Side:
        for each in sides.told[side].names:
            known.names.hear(side, each)
    if recorded and replayed and ours.ok and theirs.ok:
        _commands(known, recorded.body, replayed.body)
    if ours.bare and theirs.bare:
        _selected(known, session, sides)  # something may have told since that it is another one
        return
    _statuses(known, ours, theirs)
    for root, other in zip(ours.roots, theirs.roots, strict=False):
        if len(root.roots) == len(other.roots):
            for mine, yours in zip(root.roots, other.roots, strict=True):
                if isinstance(mine, bytes) and isinstance(yours, bytes):
                    known.objects["quota root"].learn(readable(mine), readable(yours))
    messages = _selected(known, session, sides)
    if messages is not None:
        _rows(known, session, sides, messages)
        _found(messages, ours, theirs)
    if recorded and replayed and ours.ok and theirs.ok:
        _given(known, messages, sides, recorded.body, replayed.body)


def hear(
    known: Known, name: str | None, side: Side, told: Told, literals: Literals | None, uidvalidity: int | None = None
) -> None:
    """What one side tells alone: of names, and of what the messages of a recorded mailbox are."""
    for each in told.names:
        known.names.hear(side, each)
    if name is None:
        return
    messages = known.mailboxes.of(name, uidvalidity) if side is Side.RECORDED else known.mailboxes.nearest(name)
    for row in told.rows:
        paired = messages.paired(side, row.uid)
        messages.identify(side, row.uid, identity(row.fetched, None if paired else literals))
    messages.recognise()


def _commands(known: Known, recorded: Body, replayed: Body) -> None:
    """Names that a command has made, or proved to be there."""
    if isinstance(recorded, Rename) and isinstance(replayed, Rename):
        names = [(body.old.name, body.new.name) for body in (recorded, replayed)]
        known.mailboxes.rename(*names[0], known.names.hierarchies[0].delimiter(names[0][0]))
        known.names.rename(names[0], names[1])
    elif isinstance(recorded, OnMailbox) and isinstance(replayed, OnMailbox):
        name, there = recorded.mailbox.name, replayed.mailbox.name
        if recorded.word == b"DELETE":
            known.names.delete(name, there)
            known.mailboxes.delete(name)
        elif recorded.word in _MADE:
            known.names.pair(known.names.bare(Side.RECORDED, name), known.names.bare(Side.REPLAYED, there))
    elif isinstance(recorded, _NAMING) and isinstance(replayed, _NAMING):
        known.names.pair(recorded.mailbox.name, replayed.mailbox.name)


def _same(known: Known, here: str, there: str) -> bool:
    try:
        return known.names.counterpart(here) == there
    except NoCounterpartError:
        return False


def _statuses(known: Known, ours: Told, theirs: Told) -> None:
    if not ours.statuses or not theirs.statuses:
        return
    by_name = {status.mailbox.name: status for status in theirs.statuses}
    for status in ours.statuses:
        try:
            other = by_name.get(known.names.counterpart(status.mailbox.name))
        except NoCounterpartError:
            continue
        if other is not None:
            _status(known, status, other)


def _status(known: Known, status: MailboxStatus, other: MailboxStatus) -> None:
    ours, theirs = dict(status.items), dict(other.items)
    name = status.mailbox.name
    numbers = [{word: each for word, each in items.items() if isinstance(each, int)} for items in (ours, theirs)]
    messages = known.mailboxes.select(name, *(each.get(b"UIDVALIDITY") for each in numbers))
    _counters(messages, *numbers)
    ids = [_object_of(items.get(b"MAILBOXID")) for items in (ours, theirs)]
    if ids[0] and ids[1]:
        known.objects["MAILBOXID"].learn(ids[0], ids[1])


def _object_of(value: int | Ext | None) -> str | None:
    while isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    return readable(value.raw) if isinstance(value, Atom) else None


def _counters(messages: Messages, ours: Mapping[bytes, int], theirs: Mapping[bytes, int]) -> None:
    """UIDNEXT and HIGHESTMODSEQ of the same moment."""
    if b"UIDNEXT" in ours and b"UIDNEXT" in theirs:
        messages.learn_next(ours[b"UIDNEXT"], theirs[b"UIDNEXT"])
    if b"HIGHESTMODSEQ" in ours and b"HIGHESTMODSEQ" in theirs:
        messages.modseqs.learn(ours[b"HIGHESTMODSEQ"], theirs[b"HIGHESTMODSEQ"])


def _selected(known: Known, session: Session, sides: Sides) -> Messages | None:
    """The messages of the mailbox that both have selected; None where it is not the same one."""
    here, there = session.recorded.mailbox, session.replayed.mailbox
    if here is None or there is None or not _same(known, here.name, there.name):
        return None
    messages = known.mailboxes.select(here.name, here.uidvalidity, there.uidvalidity)
    ours, theirs = sides.told
    _counters(messages, ours.numbers, theirs.numbers)
    if ours.modseq is not None and theirs.modseq is not None:
        messages.modseqs.learn(ours.modseq, theirs.modseq)
    if ours.mailbox_id and theirs.mailbox_id:
        known.objects["MAILBOXID"].learn(readable(ours.mailbox_id), readable(theirs.mailbox_id))
    if b"UIDNEXT" in ours.numbers and b"UIDVALIDITY" in ours.numbers:
        _alike(messages, here, there)
    return messages


def _alike(messages: Messages, here: Mailbox, there: Mailbox) -> None:
    if here.exists is not None and (here.exists, here.uidnext) == (there.exists, there.uidnext):
        messages.may_be_alike(here.uidnext or 0)


def _rows(known: Known, session: Session, sides: Sides, messages: Messages) -> None:
    """FETCH data: who the messages are, and what else of them is the same."""
    ours, theirs = (told.rows for told in sides.told)
    if not ours and not theirs:
        return
    for side, rows in zip(Side, (ours, theirs), strict=True):
        messages.know(side, (row.uid for row in rows))
        for row in rows:
            literals = None if messages.paired(side, row.uid) else sides.literals[side]
            messages.identify(side, row.uid, identity(row.fetched, literals))
    here, there = session.recorded.mailbox, session.replayed.mailbox
    if here and there and here.exists and here.exists == there.exists:
        by_number = {row.number: row.uid for row in theirs if row.number}
        for row in ours:
            if (uid := by_number.get(row.number)) is not None:
                messages.pair(row.uid, uid, Strength.PLACE)
    messages.recognise()
    messages.in_order([row.uid for row in ours], [row.uid for row in theirs])
    by_uid: dict[int, list[Row]] = {}
    for row in theirs:
        by_uid.setdefault(row.uid, []).append(row)
    for row in ours:
        paired = messages.uid(row.uid)
        for other in by_uid.get(paired, ()) if paired is not None else ():
            _items(known, messages, row, other)


def _items(known: Known, messages: Messages, row: Row, other: Row) -> None:
    for item in row.fetched.items:
        if not isinstance(item, _TELLING):
            continue
        same = other.fetched.get(item.name)
        if isinstance(item, ObjectId) and isinstance(same, ObjectId):
            if item.objectid is not None and same.objectid is not None:
                known.objects[readable(item.name)].learn(readable(item.objectid), readable(same.objectid))
        elif isinstance(item, NumberItem) and isinstance(same, NumberItem):
            if item.name == b"MODSEQ":
                messages.modseqs.learn(item.number, same.number)
            elif item.name in _NUMBERS:
                known.objects[readable(item.name)].learn(str(item.number), str(same.number))


def _found(messages: Messages, ours: Told, theirs: Told) -> None:
    """Results of a search that are as long as each other have the same messages (M 8: else order)."""
    for side, told in zip(Side, (ours, theirs), strict=True):
        messages.know(side, told.found)
    messages.in_order(ours.found, theirs.found)


def _given(known: Known, messages: Messages | None, sides: Sides, recorded: Body, replayed: Body) -> None:
    """UIDs that APPEND, COPY and MOVE gave (RFC 4315)."""
    ours, theirs = sides.told
    if isinstance(recorded, Append) and ours.appended and not theirs.appended:
        _appended_next(known.mailboxes.of(recorded.mailbox.name, ours.appended.uidvalidity), ours.appended.uids)
    elif isinstance(recorded, _PUTTING) and ours.appended and theirs.appended:
        into = known.mailboxes.select(recorded.mailbox.name, ours.appended.uidvalidity, theirs.appended.uidvalidity)
        uids = spread(ours.appended.uids), spread(theirs.appended.uids)
        if uids[0] and uids[1] and len(uids[0]) == len(uids[1]):
            into.told(zip(uids[0], uids[1], strict=True))
    elif isinstance(recorded, Copy) and isinstance(replayed, Copy) and ours.copied and theirs.copied and messages:
        into = known.mailboxes.select(recorded.mailbox.name, ours.copied.uidvalidity, theirs.copied.uidvalidity)
        sets = [
            spread(each) or []
            for told in (ours, theirs)
            if told.copied
            for each in (told.copied.source, told.copied.target)
        ]
        messages.in_order(sets[0], sets[2])
        copies = dict(zip(sets[2], sets[3], strict=False))
        pairs = [(new, copies.get(messages.uid(old) or 0)) for old, new in zip(sets[0], sets[1], strict=False)]
        into.told((new, there) for new, there in pairs if there is not None)


def _appended_next(messages: Messages, uids: SequenceSet) -> None:
    """A target without UIDPLUS: a message that got the recorded UIDNEXT got the one there, as far as anybody knows."""
    appended = spread(uids) or []
    there = messages.next(appended[0]) if len(appended) == 1 else None
    if there is not None:
        messages.pair(appended[0], there, Strength.ORDER)
        messages.know(Side.RECORDED, appended)
