"""Nothing wrong is sent: at a server with other UIDs and counters, all larger by 1000, so are those of commands."""

from __future__ import annotations

from dataclasses import fields, is_dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from proxy.imap.grammar import parse_command
from proxy.imap.grammar.codes import AppendUid, CopyUid, NumberCode
from proxy.imap.grammar.commands import Command
from proxy.imap.grammar.fetch_commands import FetchCommand, Modifier, Store
from proxy.imap.grammar.fetch_items import NumberItem
from proxy.imap.grammar.mailboxes import MailboxStatus, QResync
from proxy.imap.grammar.messages import Copy, UidExpunge, Vanished
from proxy.imap.grammar.results import Parsed
from proxy.imap.grammar.search_keys import ModSeqKey, SetKey
from proxy.imap.grammar.search_results import ESearch, Found
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.values import Atom
from proxy.imap.mapping import Mapping
from proxy.imap.mapping.sets import compressed, spread
from proxy.replay.plan import decide, of_the_connection
from proxy.replay.values import Send, Target
from tests.proxy.imap.mapping.sides import of_script, told
from tests.proxy.imap.scripts import everything, load
from tests.proxy.replay.deciding import WRITE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from proxy.imap.view.dialogue import Answer, Dialogue

SHIFT = 1000
_COUNTERS = (b"UIDNEXT", b"UIDVALIDITY", b"HIGHESTMODSEQ")


def shifted(dialogue: Dialogue) -> Dialogue:
    """What the other server would have answered."""
    by_uid = dialogue.exchange.command.startswith("UID ")

    def other(answer: Answer) -> Answer:
        uid = None if answer.uid is None else answer.uid + SHIFT
        return answer._replace(parsed=Parsed(_moved(answer.parsed.value, by_uid=by_uid)), uid=uid)

    answers, news = tuple(map(other, dialogue.answers)), tuple(map(other, dialogue.news))
    before = dialogue.before
    uidvalidity = None if before.uidvalidity is None else before.uidvalidity + SHIFT
    return dialogue._replace(answers=answers, news=news, before=before._replace(uidvalidity=uidvalidity))


def _moved(value: Any, *, by_uid: bool) -> Any:
    if isinstance(value, NumberItem):
        return replace(value, number=value.number + SHIFT) if value.name in (b"UID", b"MODSEQ") else value
    if isinstance(value, NumberCode):
        return replace(value, number=value.number + SHIFT) if value.name in _COUNTERS else value
    if isinstance(value, Found):
        modseq = None if value.modseq is None else value.modseq + SHIFT
        return Found(value.word, tuple(n + SHIFT for n in value.numbers) if by_uid else value.numbers, modseq)
    if isinstance(value, MailboxStatus):
        return replace(value, items=tuple((name, _counted(name, each)) for name, each in value.items))
    if isinstance(value, AppendUid):
        return AppendUid(value.uidvalidity + SHIFT, _set(value.uids))
    if isinstance(value, CopyUid):
        return CopyUid(value.uidvalidity + SHIFT, _set(value.source), _set(value.target))
    if isinstance(value, Vanished):
        return replace(value, uids=_set(value.uids))
    if isinstance(value, ESearch):
        data = tuple((name, _found(name, each, uid=value.uid)) for name, each in value.data)
        return replace(value, data=data)
    if type(value) is tuple:
        return tuple(_moved(each, by_uid=by_uid) for each in value)
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _moved(getattr(value, f.name), by_uid=by_uid) for f in fields(value)})
    return value


def _counted(name: bytes, value: Any) -> Any:
    return value + SHIFT if name in _COUNTERS and isinstance(value, int) else value


def _set(uids: SequenceSet) -> SequenceSet:
    numbers = spread(uids)
    return uids if numbers is None else compressed(each + SHIFT for each in numbers)


def _found(name: bytes, value: Any, *, uid: bool) -> Any:
    if isinstance(value, SequenceSet):
        return _set(value) if uid else value
    if isinstance(value, int):
        return value + SHIFT if name == b"MODSEQ" or (uid and name in (b"MIN", b"MAX")) else value
    return value


def uids(value: Any) -> Iterator[SequenceSet]:
    """The sets of UIDs of a command, in their order."""
    if isinstance(value, FetchCommand | Store | Copy) and value.uid:
        yield value.messages
    elif isinstance(value, UidExpunge):
        yield value.uids
    elif isinstance(value, SetKey) and value.name:
        yield value.messages
    elif isinstance(value, tuple):
        for each in value:
            yield from uids(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from uids(getattr(value, each.name))


def counters(value: Any) -> Iterator[int]:
    """The UIDVALIDITYs and modification sequences of a command, in their order."""
    if isinstance(value, Modifier) and isinstance(value.value, Atom):
        yield value.value.number or 0
    elif isinstance(value, ModSeqKey):
        yield value.modseq
    elif isinstance(value, QResync):
        yield from (value.uidvalidity, value.modseq)
    elif isinstance(value, tuple):
        for each in value:
            yield from counters(each)
    elif is_dataclass(value):
        for each in fields(value):
            yield from counters(getattr(value, each.name))


def check(steps: list[Dialogue]) -> int:
    """Play the steps at the shifted server; how many sets and counters were sent."""
    mapping, seen = Mapping(), 0
    for dialogue in steps:
        before = dialogue.before
        mailbox = mapping.begin(dialogue).recorded.mailbox
        target = Target(frozenset(), before.enabled, mailbox=mailbox.name if mailbox else None, exists=before.exists)
        command = dialogue.command
        if dialogue.asks and command and mailbox and not of_the_connection(dialogue):
            decided = decide(dialogue, mapping, target, WRITE, b"T")
            if isinstance(decided, Send):
                sent = parse_command(decided.unit).understood
                assert isinstance(sent, Command)
                for ours, theirs in zip(uids(command.body), uids(sent.body), strict=True):
                    seen += _agree(ours, theirs)
                pairs = list(zip(counters(command.body), counters(sent.body), strict=False))
                assert all(theirs == ours + SHIFT or ours == theirs <= 1 for ours, theirs in pairs)
                seen += len(pairs)
        mapping.learn(dialogue, shifted(dialogue))
    return seen


def _agree(ours: SequenceSet, theirs: SequenceSet) -> bool:
    recorded, sent = spread(ours), spread(theirs)
    if recorded is None or sent is None:
        assert (recorded, ours.saved) == (sent, theirs.saved)
        starts = [[first or last or 0 for first, last in each.ranges] for each in (ours, theirs)]
        assert all(there in (here, 0) or there >= here + SHIFT for here, there in zip(*starts, strict=True) if here > 1)
    else:
        assert sent
        assert {each - SHIFT for each in sent} <= set(recorded)
    return True


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_scripts(path: Path) -> None:
    check(of_script(load(path)))


SESSION = """
    C: 1 SELECT INBOX (CONDSTORE)
    S: * 3 EXISTS
    S: * OK [UIDVALIDITY 7] x
    S: * OK [UIDNEXT 21] x
    S: * OK [HIGHESTMODSEQ 40] x
    S: 1 OK [READ-WRITE] x
    C: 2 UID SEARCH 1:*
    S: * SEARCH 4 9 20
    S: 2 OK x
    C: 3 UID FETCH 4,20 (UID FLAGS MODSEQ)
    S: * 1 FETCH (UID 4 FLAGS () MODSEQ (11))
    S: * 3 FETCH (UID 20 FLAGS () MODSEQ (40))
    S: 3 OK x
    C: 4 UID STORE 9:20 (UNCHANGEDSINCE 40) +FLAGS (\\Seen)
    S: * 2 FETCH (UID 9 MODSEQ (41) FLAGS (\\Seen))
    S: * 3 FETCH (UID 20 MODSEQ (41) FLAGS (\\Seen))
    S: 4 OK x
    C: 5 NOOP
    S: * 1 EXPUNGE
    S: * 4 EXISTS
    S: 5 OK x
    C: 6 UID FETCH 21:* (UID)
    S: * 3 FETCH (UID 21)
    S: * 4 FETCH (UID 25)
    S: 6 OK x
    C: 7 UID COPY 21,25 Work
    S: 7 OK [COPYUID 70 21,25 1:2] x
    C: 8 SEARCH UID 9:25 MODSEQ 41
    S: * SEARCH 1 2 (MODSEQ 41)
    S: 8 OK x
    C: 9 UID FETCH 1:* (FLAGS) (CHANGEDSINCE 41)
    S: 9 OK x
    C: 10 SELECT Work
    S: * 2 EXISTS
    S: * OK [UIDVALIDITY 70] x
    S: * OK [UIDNEXT 3] x
    S: 10 OK [READ-WRITE] x
    C: 11 UID FETCH 2 (BODY[])
    S: * 2 FETCH (UID 2 BODY[] "x")
    S: 11 OK x
    C: 12 UID EXPUNGE 1:2
    S: * 1 EXPUNGE
    S: * 1 EXPUNGE
    S: 12 OK x
"""


def test_a_session_of_many_values() -> None:
    assert check(told(SESSION)) == 11, "eight sets of UIDs, three counters"
