"""Which commands are the same, by their meaning and by rules; and which recorded ones come near another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.grammar import Command, cut, parse_command
from proxy.imap.grammar.commands import COMMANDS
from proxy.imap.transcript import Direction
from proxy.replay.asked import Asked, Place, asked
from proxy.replay.match import RuleError, nearest, parse_rules, varied
from proxy.replay.part_names import is_known, part_names

if TYPE_CHECKING:
    from collections.abc import Iterator


def of(text: bytes) -> Asked:
    """What a command asks for."""
    unit = cut(text + b"\r\n", Direction.CLIENT)
    value = parse_command(unit).understood
    return asked(unit, value if isinstance(value, Command) else None)


def same_key(rule: str, recorded: bytes, said: bytes) -> bool:
    """Whether these are found to be the same."""
    rules = parse_rules([rule])
    return rules.key(of(recorded), recorded=True) == rules.key(of(said), recorded=False)


SAME = [
    (b"a1 NOOP", b"B77 noop"),
    (b'a SELECT "INBOX"', b"b select inbox"),
    (b"a SELECT Sent", b'b SELECT "Sent"'),
    (b'a SELECT "Sent"', b"b SELECT {4}\r\nSent"),
    (b'a SELECT "Sent"', b"b SELECT {4+}\r\nSent"),
    (b"a FETCH 1:3 (FLAGS UID)", b"b FETCH 3,2,1 (uid flags)"),
    (b"a FETCH 1,2,3:5 FLAGS", b"b FETCH 1:5 (FLAGS)"),
    (b"a UID FETCH 7:* (FLAGS)", b"b UID FETCH *:7 (FLAGS)"),
    (b"a FETCH 1 FAST", b"b FETCH 1 (RFC822.SIZE INTERNALDATE FLAGS)"),
    (b"a FETCH 1 FULL", b"b FETCH 1 (ENVELOPE FLAGS INTERNALDATE RFC822.SIZE BODY)"),
    (b"a STORE 1 +FLAGS (\\Seen \\Deleted)", b"b store 1 +flags (\\deleted \\SEEN)"),
    (b'a STATUS "INBOX" (MESSAGES UNSEEN)', b"b STATUS INBOX (UNSEEN MESSAGES)"),
    (b"a SEARCH UNSEEN SINCE 1-Feb-2020", b'b SEARCH SINCE "1-Feb-2020" UNSEEN'),
    (b"a SEARCH SINCE 01-Feb-2020", b"b SEARCH SINCE 1-Feb-2020"),
    (b"a SEARCH (UNSEEN FLAGGED) DELETED", b"b SEARCH DELETED UNSEEN FLAGGED"),
    (b'a ID ("name" "one")', b'b ID ("name" "two" "version" "3")'),
    (b"a APPEND Sent (\\Seen) {3}\r\nabc", b'b APPEND "Sent" (\\Seen) "26-Nov-2026 10:00:00 +0000" {4+}\r\nabcd'),
    (b"a XFOO bar", b"b XFOO bar"),
]


@pytest.mark.parametrize(("recorded", "said"), SAME)
def test_spelling_is_free(recorded: bytes, said: bytes) -> None:
    """And it makes no difference which of the two was recorded."""
    assert parse_rules(()).differences(of(recorded), of(said)) == ()
    assert parse_rules(()).differences(of(said), of(recorded)) == ()
    assert same_key("*=same", recorded, said) is (recorded[2:4] not in {b"ID", b"AP"})
    assert same_key("ID=any", recorded, said)


OTHER = [
    (b"a NOOP", b"b CHECK", "command: recorded NOOP, asked CHECK"),
    (b"a FETCH 1 FLAGS", b"b UID FETCH 1 FLAGS", "command: recorded FETCH, asked UID FETCH"),
    (b"a SELECT Sent", b"b SELECT sent", "mailbox: recorded Sent, asked sent"),
    (b"a FETCH 1:3 FLAGS", b"b FETCH 1:4 FLAGS", "messages: recorded 1:3, asked 1:4"),
    (b"a FETCH 1 FLAGS", b"b FETCH 1 (FLAGS UID)", "attributes: recorded FLAGS, asked FLAGS UID"),
    (b"a FETCH 1 BODY[]", b"b FETCH 1 BODY.PEEK[]", "attributes: recorded BODY[], asked BODY.PEEK[]"),
    (b"a SEARCH SINCE 1-Feb-2020", b"b SEARCH ON 1-Feb-2020", "keys: recorded SINCE 1-Feb-2020, asked ON 1-Feb-2020"),
    (b"a SEARCH OR SEEN NEW", b"b SEARCH SEEN NEW", "keys: recorded OR SEEN NEW, asked SEEN NEW"),
    (b"a STORE 1 FLAGS (Old)", b"b STORE 1 +FLAGS (Old)", "change: recorded FLAGS (Old), asked +FLAGS (Old)"),
    (b"a APPEND Sent (\\Seen) {3}\r\nabc", b"b APPEND Sent {3}\r\nabc", r"flags: recorded \Seen, asked none"),
    (b"a XFOO bar", b"b XFOO baz", "arguments: recorded bar, asked baz"),
]  # fmt: skip


@pytest.mark.parametrize(("recorded", "said", "difference"), OTHER)
def test_meaning_is_not(recorded: bytes, said: bytes, difference: str) -> None:
    """The difference is told with both sides."""
    assert [str(each) for each in parse_rules(()).differences(of(recorded), of(said))] == [difference]
    assert not same_key("ID=any", recorded, said)


def test_what_neither_says_is_no_difference() -> None:
    """Also where one of the two could not be read as the command that it is."""
    found = parse_rules(()).differences(of(b"a FETCH 1 FLAGS"), of(b"b FETCH 1 FLAGS\r"))
    assert [each.part for each in found] == ["messages", "attributes", "arguments"]
    assert all(each.recorded != each.asked for each in found)


RULED = [
    ("FETCH.attributes=any", b"a UID FETCH 1 FLAGS", b"b UID FETCH 1 (UID ENVELOPE)", True),
    ("FETCH.attributes=any", b"a UID FETCH 1 FLAGS", b"b UID FETCH 2 FLAGS", False),
    ("SEARCH=any", b"a SEARCH SEEN", b"b SEARCH UNSEEN", True),
    ("*=any", b"a SELECT Sent", b"b SELECT Drafts", True),
    ("ID=same", b'a ID ("name" "one")', b'b ID ("name" "two")', False),
    ("UID FETCH=exact", b"a UID FETCH 1 (FLAGS UID)", b"b UID FETCH 1 (UID FLAGS)", False),
    ("UID FETCH=exact", b"a UID FETCH 1 (FLAGS UID)", b"b UID FETCH 1 (FLAGS UID)", True),
    ("APPEND.content=same", b"a APPEND x {3}\r\nabc", b"b APPEND x {3}\r\nabd", False),
    ("dates=any", b"a SEARCH SINCE 1-Feb-2020 SEEN", b"b SEARCH SEEN SINCE 3-Mar-2021", True),
    ("dates=any", b"a SEARCH SINCE 1-Feb-2020", b"b SEARCH BEFORE 1-Feb-2020", False),
    ("prefix=new/=old/", b"a SELECT old/x", b"b SELECT new/x", True),
    ("prefix=new/=old/", b"a RENAME old/x old/y", b"b RENAME new/x new/y", True),
    ("prefix=new/=old/", b"a SELECT old/x", b"b SELECT other/x", False),
]


@pytest.mark.parametrize(("rule", "recorded", "said", "same"), RULED)
def test_rules_loosen_and_tighten(rule: str, recorded: bytes, said: bytes, same: bool) -> None:
    """Each of them does what it says, and no more."""
    assert (parse_rules([rule]).differences(of(recorded), of(said)) == ()) is same
    assert same_key(rule, recorded, said) is same


def test_the_last_rule_wins() -> None:
    """So that a general one can have exceptions."""
    rules = parse_rules(["*=any", "SELECT=same"])
    assert rules.differences(of(b"a SEARCH SEEN"), of(b"a SEARCH NEW")) == ()
    assert rules.differences(of(b"a SELECT x"), of(b"a SELECT y"))


@pytest.mark.parametrize("text", ["", "FETCH", "FETCH=maybe", "FETCH.=any", "prefix=new", "dates=some", "=any"])
def test_what_is_no_rule_is_refused(text: str) -> None:
    """By name."""
    with pytest.raises(RuleError, match="no rule"):
        parse_rules([text])


PARTS = [
    (b"SELECT x (CONDSTORE)", "mailbox params"),
    (b'LIST (SUBSCRIBED) "" (a b) RETURN (CHILDREN)', "reference patterns select returned"),
    (b"DELETEACL x bob", "mailbox identifier"),
    (b"UID COPY 1 x", "messages mailbox"),
    (b"ENABLE QRESYNC", "words"),
    (b'ID ("name" "x")', "fields"),
    (b"RENAME x y (z)", "old new params"),
    (b"STATUS x (MESSAGES)", "mailbox items"),
    (b"UID SEARCH RETURN (MIN) CHARSET UTF-8 SEEN", "keys charset returned"),
    (b"SORT RETURN (MIN) (DATE) UTF-8 SEEN", "criteria charset keys returned"),
    (b"THREAD REFERENCES UTF-8 SEEN", "algorithm charset keys"),
    (b"FETCH 1 FLAGS (CHANGEDSINCE 1)", "messages attributes modifiers"),
    (b"UID STORE 1 (UNCHANGEDSINCE 1) FLAGS ()", "messages change modifiers"),
    (b"UID EXPUNGE 1", "uids"),
    (b"SETACL x bob +l", "mailbox identifier rights"),
    (b"GETQUOTA x", "root"),
    (b"SETQUOTA x (STORAGE 1)", "root limits"),
    (b"GETMETADATA (DEPTH 1) x /y", "mailbox entries options"),
    (b'SETMETADATA x (/y "z")', "mailbox entries"),
    (b"APPEND x (\\Seen) {3+}\r\nabc", "mailbox flags date content"),
    (b"UID REPLACE 1 x {3+}\r\nabc", "number mailbox flags date content"),
    (b"RESETKEY x", "mailbox mechanisms"),
    (b"NOTIFY NONE", "groups status"),
    (b"COMPRESS DEFLATE", ""),
    (b"NOOP", ""),
    (b"XFOO bar", "arguments"),
]


@pytest.mark.parametrize(("said", "parts"), PARTS)
def test_rules_know_the_parts_of_every_command(said: bytes, parts: str) -> None:
    """Also of those that it leaves out; and of all there may be arguments that nobody can read."""
    found = of(b"a " + said)
    assert {part.name for part in found.parts} <= set(parts.split())
    assert set(part_names(found.name)) == {*parts.split(), "arguments"}
    assert set(part_names(found.name)) <= set(part_names("*"))


@pytest.mark.parametrize(
    ("rule", "whose"),
    [
        ("FETCH.attribute=any", "'attribute' is a part that FETCH does not have; there is messages, attributes, modif"),
        ("UID SEARCH.flags=same", "that UID SEARCH does not have; there is keys, charset, returned, arguments"),
        ("*.mailboks=any", "'mailboks' is a part that no command has; there is algorithm, arguments, "),
        ("NOOP.mailbox=any", "NOOP does not have; there is arguments"),
    ],
)
def test_a_rule_about_a_part_that_is_not_there_is_refused(rule: str, whose: str) -> None:
    """With those that there are: it would have no effect, and nobody would know."""
    with pytest.raises(RuleError) as refused:
        parse_rules([rule])
    assert whose in str(refused.value)


def test_which_commands_are_known() -> None:
    assert all(is_known(name.decode()) for name in COMMANDS)
    assert is_known("EXPUNGE")
    assert is_known("*")
    assert not is_known("FECTH")


def test_the_nearest_are_of_the_same_name_first_those_with_fewer_differences_first() -> None:
    """Three at most, and each spelling once."""
    recorded = [
        b"a FETCH 1 FLAGS",
        b"b FETCH 1 FLAGS",
        b"c FETCH 2 UID",
        b"d FETCH 9 BODY[]",
        b"e FETCH 8 BODY",
        b"f NOOP",
    ]
    found = nearest(parse_rules(()), of(b"x FETCH 2 FLAGS"), ((1, n, of(text)) for n, text in enumerate(recorded, 1)))
    assert [near.number for near in found] == [1, 3, 5]
    assert [len(near.differences) for near in found] == [1, 1, 2]


def test_of_long_texts_what_is_about_their_difference_is_told() -> None:
    """A client must be able to read the line, and a person."""
    one, other = (b"a FETCH %b FLAGS" % b",".join(b"%d" % (2 * n) for n in (*range(1, 2000), last)) for last in (4, 5))
    recorded, said = of(one.replace(b"2000,", b"")), of(other)
    (difference,) = parse_rules(()).differences(recorded, said)
    assert "1996,1998,2002,2004" in difference.recorded
    assert "1996,1998,2000,2002" in difference.asked
    assert max(len(difference.recorded), len(difference.asked)) <= 202


def test_of_very_many_commands_the_first_ones_are_looked_at() -> None:
    """A recording may have millions, and every client that is refused something would wait for all of them."""

    def places() -> Iterator[tuple[int, int, Asked]]:
        for number in range(1, 2001):
            yield 1, number, of(b"a FETCH %d FLAGS" % number)
        raise AssertionError("more of them are looked at")

    (first, *_) = nearest(parse_rules(()), of(b"x FETCH 700 UID"), places())
    assert (first.number, len(first.differences)) == (700, 1)


def test_where_no_command_has_its_name_others_are_near() -> None:
    """Whatever they are: there is nothing else to say."""
    assert [near.recorded.name for near in nearest(parse_rules(()), of(b"x CHECK"), [(1, 1, of(b"a NOOP"))])] == [
        "NOOP"
    ]


@given(st.lists(st.integers(1, 60), min_size=1), st.randoms())
def test_a_set_in_any_order_is_the_same_set(numbers: list[int], random: object) -> None:
    """However it is put together."""
    shuffled = list(numbers)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (b"a FETCH %b FLAGS" % b",".join(b"%d" % n for n in each) for each in (numbers, shuffled))
    assert parse_rules(()).differences(of(one), of(other)) == ()


@given(st.binary(max_size=80))
def test_whatever_it_is_a_command_is_itself(line: bytes) -> None:
    """Nothing raises, and what was recorded matches when it is said again."""
    text = b"a " + line.replace(b"\r", b"").replace(b"\n", b"")
    assert parse_rules(()).differences(of(text), of(text)) == ()


VARYING = [
    (b"a SELECT box-17", [b"17"], b"b SELECT box-4711", {"one": b"4711"}),
    (b"a SELECT box-17", [b"17"], b"b select BOX-4711", {"one": b"4711"}),
    (b"a SELECT box-17", [b"17"], b"b SELECT bag-17", None),
    (b"a SELECT box-17", [b"17"], b"b EXAMINE box-17", None),
    (b"a SELECT box-17", [b"17"], b"b SELECT box-", None),
    (b"a RENAME box-17 bag-17x", [b"17", b"17"], b"b RENAME box-3 bag-3x", {"one": b"3"}),
    (b"a RENAME box-17 bag-17x", [b"17", b"17"], b"b RENAME box-3 bag-4x", None),
    (b"a SELECT {6}\r\nbox-17", [b"17"], b"b SELECT {8+}\r\nbox-4711", {"one": b"4711"}),
]


@pytest.mark.parametrize(("recorded", "places", "said", "found"), VARYING)
def test_where_a_command_varies_anything_may_stand(
    recorded: bytes, places: list[bytes], said: bytes, found: dict[str, bytes] | None
) -> None:
    """Of one name the same thing everywhere; beside the places it is compared as text."""
    text, varying, position = recorded + b"\r\n", list[Place](), 0
    for place in places:
        position = text.index(place, position)
        varying.append(Place(position, position + len(place), "one"))
        position += len(place)
    unit = cut(text, Direction.CLIENT)
    value = parse_command(unit).understood
    one = asked(unit, value if isinstance(value, Command) else None, varying)
    assert (parse_rules(()).differences(one, of(said)) == ()) is (found is not None)
    assert varied(one, of(said)) == (found or {})


def test_what_a_client_says_is_not_tried_in_every_possible_way() -> None:
    """A long command that nearly is one with places in it would keep everybody waiting for days."""
    text = b"a XFOO 1 2 3 4 end\r\n"
    places = [Place(text.index(b"%d" % n), text.index(b"%d" % n) + 1, f"n{n}") for n in range(1, 5)]
    recorded = asked(cut(text, Direction.CLIENT), None, places)
    assert varied(recorded, of(b"b XFOO x y z x y z end")) == {"n1": b"x", "n2": b"y", "n3": b"z", "n4": b"x y z"}
    assert parse_rules(()).differences(recorded, of(b"b XFOO " + b"x " * 20_000))
