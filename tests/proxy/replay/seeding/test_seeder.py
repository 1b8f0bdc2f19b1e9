"""What a seeder asks a target, told as scripts; and what it says it could not do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from proxy.imap.grammar import Command, write
from proxy.imap.grammar.dates import DateTime
from proxy.imap.mapping import Mapping
from proxy.imap.transcript import Direction
from proxy.replay.seeding.beginning import Beginning, OldMailbox, OldMessage, Place
from proxy.replay.seeding.report import Seeded, SeedError, Wish
from proxy.replay.seeding.seeder import Seeder
from tests.proxy.replay.seeding.told import told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.imap.grammar.commands import Body
    from proxy.imap.view.dialogue import Dialogue

PLACE = Place(3, Direction.SERVER, 70, 12)
LOST = Place(3, Direction.SERVER, 900, 12)
DATE = DateTime(b"01-Jan-2024 10:00:00 +0100")
LETTER = OldMessage(1, 11, (b"\\Seen",), DATE, 12, (PLACE,))
SHORT = OldMessage(2, 12, (), DATE, 5, (b"he", b"llo"))


class Target:
    """Answers as the script says, and only that: `C:` without tags, `S:` with "a" for the tag."""

    def __init__(self, script: str, capabilities: str = "UIDPLUS UNSELECT") -> None:
        self.capabilities = frozenset(capabilities.split())
        steps = ("\n" + script.strip()).split("\nC: ")[1:]
        self._steps = [tuple(step.split("\n", 1)) for step in steps]
        self._selected = ""

    async def ask(self, body: Body, content: Sequence[Iterator[bytes]] = ()) -> Dialogue:
        unit = write(Command(b"a", body))
        sources = iter(content)
        said = b""
        for text, literal in zip(unit.texts, (*unit.literals, None), strict=True):
            said += text
            if literal is not None:
                data = b"".join(next(sources)) if literal.content is None else literal.content
                assert len(data) == literal.size
                said += data
        assert self._steps, f"nothing more was to be asked, but {said!r}"
        expected, answer = self._steps.pop(0)
        assert said == b"a " + expected.encode().replace(b"\\r\\n", b"\r\n") + b"\r\n"
        line = "X" if "{" in expected else expected
        before = f"S: * PREAUTH ready\n{self._selected}"
        dialogue = told(f"{before}C: a {line}\n{answer}")[-1]
        self._selected = f"C: x {line}\nS: x OK\n" if line.startswith("EXAMINE") else ""
        return dialogue

    def finished(self) -> bool:
        return not self._steps


def contents(place: Place) -> Iterator[bytes] | None:
    """One place is still there."""
    return iter((b"Hello ", b"there!")) if place == PLACE else None


def seeded(
    script: str, *mailboxes: OldMailbox, wish: Wish | None = None, capabilities: str = "UIDPLUS UNSELECT",
    mapping: Mapping | None = None,
) -> Seeded:  # fmt: skip
    """Seed them at a target; all of the script must have been asked."""
    target = Target(NAMES + script, capabilities)
    seeder = Seeder(target, mapping or Mapping(), contents, wish or Wish())
    result = asyncio.run(seeder.seed(Beginning(mailboxes)))
    assert target.finished()
    return result


def inbox(*messages: OldMessage, exists: int | None = None) -> OldMailbox:
    """An INBOX that began with these."""
    return OldMailbox("INBOX", uidvalidity=7, exists=len(messages) if exists is None else exists, messages=messages)


NAMES = 'C: LIST "" "*"\nS: * LIST (\\Drafts) "/" Entw&APw-rfe\nS: a OK\n'
STATUS = "C: STATUS INBOX (MESSAGES UIDVALIDITY)\nS: * STATUS INBOX (MESSAGES {} UIDVALIDITY 70)\nS: a OK\n"


def test_messages_are_appended_with_flags_and_dates_and_the_mapping_learns_their_uids() -> None:
    mapping = Mapping()
    result = seeded(
        STATUS.format(0)
        + 'C: APPEND INBOX (\\Seen) "01-Jan-2024 10:00:00 +0100" {12}\\r\\nHello there!\nS: a OK [APPENDUID 70 3] x\n'
        'C: APPEND INBOX () "01-Jan-2024 10:00:00 +0100" {5}\\r\\nhello\nS: a OK [APPENDUID 70 4] x',
        inbox(LETTER, SHORT),
        mapping=mapping,
    )
    assert [mapping.uid("INBOX", uid) for uid in (11, 12, 13)] == [3, 4, None]
    assert mapping.uidvalidity("INBOX", 7) == 70
    assert result.mailboxes[0].sentences == ["INBOX: 2 messages appended"]
    assert result.whole


def test_where_uids_are_not_told_they_are_looked_for() -> None:
    mapping = Mapping()
    seeded(
        STATUS.format(0) + 'C: APPEND INBOX (\\Seen) "01-Jan-2024 10:00:00 +0100" {12}\\r\\nHello there!\nS: a OK\n'
        "C: EXAMINE INBOX\nS: * 1 EXISTS\nS: * OK [UIDVALIDITY 71] x\nS: a OK\n"
        "C: UID SEARCH ALL\nS: * SEARCH 44\nS: a OK\nC: CLOSE\nS: a OK",
        inbox(LETTER),
        capabilities="",
        mapping=mapping,
    )
    assert (mapping.uid("INBOX", 11), mapping.uidvalidity("INBOX", 7)) == (44, 71)


def test_mailboxes_are_made_and_subscribed() -> None:
    result = seeded(
        "C: STATUS Gr&APw-n (MESSAGES UIDVALIDITY)\nS: a NO no\nC: STATUS Old (MESSAGES UIDVALIDITY)\nS: a NO no\n"
        "C: CREATE Gr&APw-n\nS: a OK\nC: SUBSCRIBE Gr&APw-n\nS: a OK\nC: CREATE Old\nS: a NO not that",
        OldMailbox("Above", selectable=False),
        OldMailbox("Grün", subscribed=True, exists=0),
        OldMailbox("Old"),
    )
    assert [sentence for mailbox in result.mailboxes for sentence in mailbox.sentences] == [
        "Grün: began without messages",
        "could not: Old: the target would not create it: not that",
    ]
    assert not result.whole


def test_a_mailbox_is_made_with_its_role_where_the_target_gives_it_one() -> None:
    junk, trash = (
        OldMailbox(name, attributes=frozenset((role,))) for name, role in (("J", b"\\Junk"), ("T", b"\\Trash"))
    )
    seeded(
        "C: STATUS J (MESSAGES UIDVALIDITY)\nS: a NO no\nC: STATUS T (MESSAGES UIDVALIDITY)\nS: a NO no\n"
        "C: CREATE J (USE (\\Junk))\nS: a OK\n"
        "C: CREATE T (USE (\\Trash))\nS: a NO [USEATTR] there is one\nC: CREATE T\nS: a OK",
        junk,
        trash,
        capabilities="CREATE-SPECIAL-USE",
    )


def test_a_mailbox_is_the_one_with_its_role() -> None:
    mapping = Mapping()
    for dialogue in told('S: * PREAUTH x\nC: a LIST "" *\nS: * LIST (\\Drafts) "/" Drafts\nS: a OK'):
        mapping.foresee(dialogue)
    result = seeded(
        "C: STATUS Entw&APw-rfe (MESSAGES UIDVALIDITY)\nS: * STATUS Entw&APw-rfe (MESSAGES 0 UIDVALIDITY 1)\nS: a OK",
        OldMailbox("Drafts", "/"),
        mapping=mapping,
    )
    assert result.mailboxes[0].there == "Entwürfe"


def test_all_goes_below_a_scratch_name() -> None:
    result = seeded(
        "C: STATUS scratch/INBOX (MESSAGES UIDVALIDITY)\nS: a NO no\nC: CREATE scratch/INBOX\nS: a OK\n"
        'C: APPEND scratch/INBOX () "01-Jan-2024 10:00:00 +0100" {5}\\r\\nhello\nS: a OK [APPENDUID 5 1] x',
        OldMailbox("INBOX", delimiter="/", exists=1, messages=(SHORT,)),
        mapping=scratch(),
    )
    assert result.mailboxes[0].sentences == ["INBOX as scratch/INBOX: 1 message appended"]


def scratch() -> Mapping:
    """All recorded names stand below one of the target's, whose delimiter is known."""
    mapping = Mapping({"": "scratch"})
    for dialogue in told('S: * PREAUTH x\nC: a NAMESPACE\nS: * NAMESPACE (("" "/")) NIL NIL\nS: a OK'):
        mapping.probe(dialogue)
    return mapping


ALIKE = (
    STATUS.format(2) + "C: EXAMINE INBOX\nS: * 2 EXISTS\nS: a OK\n"
    "C: FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)\n"
    'S: * 1 FETCH (UID 1 FLAGS (\\seen \\Recent) INTERNALDATE "01-Jan-2024 09:00:00 +0000" RFC822.SIZE 12)\n'
    'S: * 2 FETCH (UID 5 FLAGS () INTERNALDATE "01-Jan-2024 09:00:00 +0000" RFC822.SIZE 5)\nS: a OK\n'
    "C: UNSELECT\nS: a OK"
)


def test_a_mailbox_that_has_them_already_is_left_as_it_is() -> None:
    mapping = Mapping()
    result = seeded(ALIKE, inbox(LETTER, SHORT), mapping=mapping)
    assert result.mailboxes[0].sentences == ["INBOX: has its 2 messages already"]
    assert [mapping.uid("INBOX", uid) for uid in (11, 12)] == [1, 5]


def test_a_flag_that_nobody_told_of_makes_no_other_message() -> None:
    script = ALIKE.replace("\\seen", "\\Seen \\Answered x")
    assert seeded(script, inbox(replace(LETTER, all_flags=False), SHORT)).mailboxes[0].alike
    with pytest.raises(SeedError):
        seeded(script.replace("\\Seen ", ""), inbox(replace(LETTER, all_flags=False), SHORT))


def test_a_mailbox_of_which_nothing_is_known_may_hold_anything() -> None:
    result = seeded(STATUS.format(7), OldMailbox("INBOX"))
    assert result.mailboxes[0].sentences == ["INBOX: nothing is known of its messages"]


@pytest.mark.parametrize(
    "script",
    [
        STATUS.format(3),
        ALIKE.replace("SIZE 5", "SIZE 6"),
        ALIKE.replace("\\seen", "\\Flagged"),
        ALIKE.replace("09:00:00", "09:00:01"),
    ],
    ids=["count", "size", "flags", "date"],
)
def test_other_messages_end_it_before_anything_is_changed(script: str) -> None:
    with pytest.raises(SeedError, match=r"other messages than the recording began with in INBOX \([23]\)\."):
        seeded(script, inbox(LETTER, SHORT))


def test_or_it_is_told_to_append_all_the_same() -> None:
    result = seeded(
        STATUS.format(3) + 'C: APPEND INBOX () "01-Jan-2024 10:00:00 +0100" {5}\\r\\nhello\nS: a OK [APPENDUID 70 9] x',
        inbox(SHORT),
        wish=Wish(onto=True),
    )
    assert result.mailboxes[0].appended == 1


def test_what_could_not_be_seeded_is_said() -> None:
    result = seeded(
        STATUS.format(0) + 'C: APPEND INBOX () "01-Jan-2024 10:00:00 +0100" {5}\\r\\nhello\nS: a NO [OVERQUOTA] full\n'
        "C: APPEND INBOX () {5}\\r\\nhello\nS: a OK [APPENDUID 70 9] x",
        inbox(
            OldMessage(1, 1, size=9),
            OldMessage(2, 2, body=(LOST,)),
            SHORT,
            OldMessage(4, 4, body=(b"hello",)),
            exists=200,
        ),
    )
    assert result.mailboxes[0].sentences == [
        "INBOX: 1 message appended",
        "could not: 1 of INBOX's 200 messages, whose bodies were never fetched whole",
        "could not: 1 of INBOX's 200 messages, whose bodies were not kept, or hold a masked secret",
        "could not: 1 of INBOX's 200 messages, which the target refused: full",
        "could not: 196 of INBOX's 200 messages, of which the recording tells nothing",
        "INBOX: 1 message without flags, since none were told",
        "INBOX: 1 message with the date of today, since none was told",
    ]
    assert not result.whole


def test_others_stand_in_where_that_is_wanted() -> None:
    header = b"Subject: x\r\n\r\n"
    result = seeded(
        STATUS.format(0) + "C: APPEND INBOX () {14}\\r\\nSubject: x\\r\\n\\r\\n\nS: a OK [APPENDUID 70 1] x\n"
        "C: APPEND INBOX () {2}\\r\\n\\r\\n\nS: a OK [APPENDUID 70 2] x\n"
        "C: APPEND INBOX () {12}\\r\\nHello there!\nS: a OK [APPENDUID 70 3] x",
        inbox(OldMessage(1, 4, size=14, header=(header,)), OldMessage(3, 6, body=(PLACE,)), exists=3),
        wish=Wish(stand_ins=True),
    )
    (told_of,) = result.mailboxes
    assert (told_of.appended, told_of.stand_ins, told_of.missing) == (3, 2, {})
    assert "INBOX: 2 messages with a text that stands in for one never fetched" in told_of.sentences
    assert not result.whole
