"""UIDs of one mailbox at two servers: what is believed, what is not, and what ranges become (M 8)."""

from __future__ import annotations

import random

import pytest

from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.mapping.identity import Identity
from proxy.imap.mapping.mailboxes import Mailboxes
from proxy.imap.mapping.messages import Messages
from proxy.imap.mapping.ranges import About, number_set, uid_set
from proxy.imap.mapping.sets import compressed, spread
from proxy.imap.mapping.values import NoCounterpartError, Side, Strength

ORDER, PLACE, IDENTITY, TOLD = Strength


def paired(*pairs: tuple[int, int], strength: Strength = TOLD) -> Messages:
    made = Messages()
    for recorded, replayed in pairs:
        assert made.pair(recorded, replayed, strength)
    made.know(Side.RECORDED, (recorded for recorded, _ in pairs))
    made.know(Side.REPLAYED, (replayed for _, replayed in pairs))
    return made


def identify(made: Messages, side: Side, **messages: str) -> None:
    """`_4="<a>"`: the message with UID 4 has this Message-ID; `_4="<a> 100"`, and this size."""
    for name, told in messages.items():
        message_id, _, size = told.partition(" ")
        made.identify(side, int(name[1:]), Identity(message_id.encode(), int(size) if size else None))


def pairs(made: Messages, *uids: int) -> list[int | None]:
    return [made.uid(uid) for uid in uids]


# --- what is believed -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "second", "believed"),
    [
        (ORDER, PLACE, True),
        (PLACE, IDENTITY, True),
        (IDENTITY, TOLD, True),
        (ORDER, ORDER, False),
        (IDENTITY, PLACE, False),
        (TOLD, IDENTITY, False),
    ],
)
def test_what_is_stronger_is_believed(first: Strength, second: Strength, believed: bool) -> None:
    made = paired((4, 104), strength=first)
    assert made.pair(4, 105, second) is believed
    assert made.uid(4) == (105 if believed else 104)
    assert made.recorded_uid(104) == (None if believed else 4)
    made = paired((4, 104), strength=first)
    assert made.pair(5, 104, second) is believed, "the same from the other side"
    assert pairs(made, 4, 5) == ([None, 104] if believed else [104, None])


def test_a_pair_grows_stronger() -> None:
    made = paired((4, 104), strength=ORDER)
    assert made.pair(4, 104, TOLD)
    assert not made.pair(4, 105, IDENTITY)


def test_messages_are_recognised_by_what_they_are() -> None:
    made = Messages()
    identify(made, Side.RECORDED, _1="<a>", _2="<b>", _3="<c>")
    identify(made, Side.REPLAYED, _11="<c>", _12="<a>", _13="<x>")
    made.recognise()
    assert pairs(made, 1, 2, 3) == [12, None, 11]


def test_a_pair_that_cannot_be_is_parted() -> None:
    made = paired((1, 11), (2, 12), strength=PLACE)
    identify(made, Side.RECORDED, _1="<a>", _2="<b>")
    identify(made, Side.REPLAYED, _11="<b>", _12="<z>")
    made.recognise()
    assert pairs(made, 1, 2) == [None, 11]
    assert not made.pair(1, 12, ORDER), "they have other Message-IDs"


def test_copies_of_one_message_are_told_apart_by_size_and_order() -> None:
    made = Messages()
    identify(made, Side.RECORDED, _1="<a> 100", _2="<a> 90", _3="<a> 100")
    identify(made, Side.REPLAYED, _11="<a> 90", _12="<a> 100")
    made.recognise()
    assert pairs(made, 1, 2, 3) == [None] * 3, "there is one too few"
    identify(made, Side.REPLAYED, _13="<a> 100")
    made.recognise()
    assert pairs(made, 1, 2, 3) == [12, 11, 13]


def test_a_hash_counts_where_there_is_no_message_id() -> None:
    made = Messages()
    made.identify(Side.RECORDED, 1, Identity(digest="d1"))
    made.identify(Side.REPLAYED, 11, Identity(digest="d2"))
    made.identify(Side.REPLAYED, 12, Identity(digest="d1"))
    made.recognise()
    assert made.uid(1) == 12
    assert not made.pair(1, 11, PLACE)
    assert made.pair(1, 11, TOLD), "but a server's word goes before it"


def test_results_of_equal_length_are_paired_in_order() -> None:
    made = Messages()
    made.in_order([5, 3, 9], [19, 13, 15])
    assert pairs(made, 3, 5, 9) == [13, 15, 19]
    made.in_order([3, 5, 7], [13, 15])
    assert made.uid(7) is None, "one is missing: nobody knows which"
    made.in_order([3, 7], [13, 17])
    assert made.uid(7) == 17, "what is known is taken out first"


def test_results_that_lie_elsewhere_are_not_paired() -> None:
    made = paired((10, 110), (20, 120))
    made.in_order([15], [130])
    assert made.uid(15) is None, "130 is behind 120, and 15 before 20"
    made.in_order([15], [115])
    assert made.uid(15) == 115
    made = paired((10, 120), (20, 110))
    made.in_order([15], [130])
    assert made.uid(15) == 130, "where the mailboxes are in another order, order tells nothing"


def test_mailboxes_that_begin_alike_have_the_same_uids() -> None:
    made = Messages()
    made.may_be_alike(17)
    assert pairs(made, 4, 16, 17) == [4, 16, None]
    assert made.recorded_uid(4) == 4
    assert made.pair(5, 5, ORDER)
    assert made.uid(6) == 6
    assert made.pair(7, 8, ORDER)
    assert pairs(made, 5, 6, 7) == [5, None, 8]
    made.may_be_alike(17)
    assert made.uid(6) is None, "a pair that differs is known"


def test_uidvalidity_that_changes_makes_other_messages() -> None:
    boxes = Mailboxes()
    boxes.select("INBOX", 1, 11).told([(4, 104)])
    assert boxes.select("INBOX", 2, 12).uid(4) is None
    assert boxes.of("INBOX").uidvalidity == [2, 12]
    again = boxes.find("INBOX", 1)
    assert again is not None
    assert again.uid(4) == 104
    assert boxes.select("INBOX", 1, 99).uid(4) is None, "the target's UIDs are others now"
    boxes.of("other").told([(1, 2)])
    assert boxes.select("other", 5, 6).uid(1) == 2, "nobody had said which UIDVALIDITY it was"


def test_messages_move_with_their_mailbox() -> None:
    boxes = Mailboxes()
    for name in ("a", "a/b", "ab"):
        boxes.select(name, 1, 11).told([(4, 104)])
    boxes.rename("a", "c", "/")
    assert [boxes.of(name, 1).uid(4) for name in ("a", "c", "c/b", "a/b", "ab")] == [None, 104, 104, None, 104]
    boxes.delete("c")
    assert boxes.of("c").uid(4) is None


# --- sets -----------------------------------------------------------------------------------------------------------

KNOWN = ((3, 103), (4, 104), (5, 106), (9, 105))


@pytest.mark.parametrize(
    ("uids", "there"),
    [
        ("3", "103"),
        ("9", "105"),
        ("3,4", "103:104"),
        ("4,3", "103:104"),
        ("3:5", "103:104,106"),
        ("5:3", "103:104,106"),
        ("1:9", "103:106"),
        ("3:5,9,4", "103:106"),
        ("*", "*"),
        ("1:*", "1:*"),
        ("*:1", "1:*"),
        ("3,*", "103,*"),
        ("4:*", "104:*"),
        # the first message from there on, wherever it lies
        ("5:*", "106:*"),
        ("6:*", "105:*"),
        # behind all that is known, behind all that is known there
        ("10:*", "107:*"),
        ("17:*", "23:*"),
        # the largest UID there can be is as good as `*`
        ("4:4294967295", "104:4294967295"),
        ("1:4294967295", "1:4294967295"),
        ("17:4294967295,3", "103,23:4294967295"),
    ],
)
def test_sets_of_uids(uids: str, there: str) -> None:
    made = paired(*KNOWN)
    made.learn_next(17, 23)
    assert uid_set(SequenceSet(uids.encode()), made, About("INBOX", (4, 4))).raw == there.encode()


def test_a_set_that_stays_the_same_keeps_its_spelling() -> None:
    uids = SequenceSet(b"3,1:2")
    assert uid_set(uids, paired((1, 1), (2, 2), (3, 3)), About("INBOX", (3, 3))) is uids


@pytest.mark.parametrize(
    ("uids", "reason"),
    [
        ("7", "UID 7 of INBOX has no counterpart at the target"),
        ("3,8", "UID 8 of INBOX has no counterpart at the target"),
        ("2:4", "UID 2 of INBOX has no counterpart at the target"),
        ("6:8", "no message of INBOX with UID 6:8 has a counterpart there"),
    ],
)
def test_why_a_set_of_uids_is_not_sent(uids: str, reason: str) -> None:
    made = paired(*KNOWN)
    made.know(Side.RECORDED, (2,))
    with pytest.raises(NoCounterpartError) as raised:
        uid_set(SequenceSet(uids.encode()), made, About("INBOX", (5, 4)))
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("uids", "there"), [("5:*", None), ("2:*", None), ("1:*", "1:*"), ("*", "*"), ("1", None), ("1:3", None)]
)
def test_sets_of_a_mailbox_of_which_nothing_is_known(uids: str, there: str | None) -> None:
    asked = SequenceSet(uids.encode())
    if there is None:
        with pytest.raises(NoCounterpartError):
            uid_set(asked, None, About("INBOX"))
    else:
        assert uid_set(asked, None, About("INBOX")) is asked


def test_a_message_that_is_gone_is_in_no_range() -> None:
    made = paired((3, 103), (4, 104), (5, 105))
    made.gone(Side.RECORDED, 4)
    assert uid_set(SequenceSet(b"3:5"), made, About("INBOX", (2, 3))).raw == b"103,105"
    assert uid_set(SequenceSet(b"4"), made, About("INBOX", (2, 3))).raw == b"104", "but it may still be asked for"


def test_a_range_with_unknown_messages_goes_by_its_ends() -> None:
    made = paired((10, 110), (20, 120))
    made.learn_next(31, 131)
    about = About("INBOX", (30, 30))
    assert uid_set(SequenceSet(b"10:20"), made, about).raw == b"110:120"
    assert uid_set(SequenceSet(b"1:30"), made, about).raw == b"1:130", "up to UIDNEXT"
    assert uid_set(SequenceSet(b"10:25"), made, about).raw == b"110,120", "one end is unknown, and two are not"
    careful = About("INBOX", (30, 30), careful=True)
    assert uid_set(SequenceSet(b"10:20"), made, careful).raw == b"110,120", "nothing else may be changed"


@pytest.mark.parametrize(
    ("numbers", "exists", "there"),
    [
        ("1", (4, 4), "2"),
        ("1:2", (4, 4), "2:3"),
        ("2,1", (4, 4), "2:3"),
        ("4", (4, 5), "5"),
        ("*", (4, 5), "*"),
        ("1:*", (4, 5), "1:*"),
        ("1:4", (4, 5), "1:5"),
        ("1:4", (4, 4), "1:4"),
        ("3:*", (4, 4), "5:*"),
        ("2:*", (4, 4), "3:*"),
        ("5", (4, 6), "7"),
        ("5:*", (4, 6), "7:*"),
        ("3", (4, 4), None),
        ("1:3", (4, 4), None),
        ("1:4", (4, 0), None),
    ],
)
def test_sets_of_numbers(numbers: str, exists: tuple[int, int], there: str | None) -> None:
    asked, known = SequenceSet(numbers.encode()), {1: 2, 2: 3, 4: 5}
    if there is None:
        with pytest.raises(NoCounterpartError):
            number_set(asked, known.get, About("INBOX", exists))
    else:
        assert number_set(asked, known.get, About("INBOX", exists)).raw == there.encode()


def test_all_messages_are_not_changed_where_there_are_more() -> None:
    about = About("INBOX", (2, 3), careful=True)
    assert number_set(SequenceSet(b"1:2"), {1: 1, 2: 3}.get, about).raw == b"1,3"
    one = About("INBOX", (1, 5))
    assert number_set(SequenceSet(b"1"), {1: 4}.get, one).raw == b"4", "one message is not all of them"


def test_sets_are_put_together_as_they_are_taken_apart() -> None:
    dice = random.Random(1)  # noqa: S311 - no secret hangs on it
    for _ in range(300):
        numbers = dice.sample(range(1, 40), dice.randint(1, 20))
        assert spread(compressed(numbers)) == sorted(numbers)
        assert compressed(numbers).normal() == SequenceSet(b",".join(b"%d" % each for each in numbers)).normal()


@pytest.mark.parametrize("raw", [b"$", b"1:*", b"*", b"1:4294967295"])
def test_what_cannot_be_counted_is_not_spread(raw: bytes) -> None:
    assert spread(SequenceSet(raw)) is None
