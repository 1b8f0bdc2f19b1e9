"""What people read beside the bytes: sets, dates, mailbox names, header text, groups."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from proxy.imap.grammar.dates import Date, DateTime
from proxy.imap.grammar.encoded_words import decoded
from proxy.imap.grammar.envelope import Address, Group, groups, view
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.utf7 import decode, encode
from proxy.imap.grammar.values import Absent, Atom


@pytest.mark.parametrize(
    ("raw", "ranges", "normal"),
    [
        (b"5", [(5, 5)], ((5, 5),)),
        (b"3:1,2,9:7", [(3, 1), (2, 2), (9, 7)], ((1, 3), (7, 9))),
        (b"1,2,3,5", [(1, 1), (2, 2), (3, 3), (5, 5)], ((1, 3), (5, 5))),
        (b"8:*", [(8, None)], ((8, 20),)),
        (b"*:30", [(None, 30)], ((20, 30),)),
        (b"*", [(None, None)], ((20, 20),)),
        (b"$", [], ()),
    ],
)
def test_sets(raw: bytes, ranges: list[tuple[int | None, int | None]], normal: tuple[tuple[int, int], ...]) -> None:
    numbers = SequenceSet(raw)
    assert list(numbers.ranges) == ranges
    assert numbers.normal(20) == normal
    assert numbers.saved is (raw == b"$")


def test_numbers_of_a_set_keep_their_order() -> None:
    assert list(SequenceSet(b"7,3:5,2:1").numbers()) == [7, 3, 4, 5, 2, 1]
    with pytest.raises(ValueError, match="nobody has told"):
        list(SequenceSet(b"1:*").numbers())
    with pytest.raises(ValueError, match="nobody has told"):
        SequenceSet(b"1:*").normal()


@pytest.mark.parametrize(
    ("raw", "instant"),
    [
        (b" 1-Feb-2024 03:04:05 +0000", datetime(2024, 2, 1, 3, 4, 5, tzinfo=UTC)),
        (
            b"17-JUL-1996 02:44:25 -0730",
            datetime(1996, 7, 17, 2, 44, 25, tzinfo=timezone(-timedelta(hours=7, minutes=30))),
        ),
        (b"1-Feb-2024 3:04:05", datetime(2024, 2, 1, 3, 4, 5, tzinfo=UTC)),
        (b"31-Feb-2024 03:04:05 +0000", None),
        (b"01-Foo-2024 03:04:05 +0000", None),
        (b"01-Feb-2024 25:04:05 +0000", None),
        (b"01-Feb-2024 03:04:05 +9999", None),
        (b"today", None),
    ],
)
def test_date_times(raw: bytes, instant: datetime | None) -> None:
    assert DateTime(raw).instant == instant


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        (b"1-Feb-1994", date(1994, 2, 1)),
        (b"31-dec-1999", date(1999, 12, 31)),
        (b"31-Feb-1994", None),
        (b"x", None),
        (b"1-2-3", None),
    ],
)
def test_dates(raw: bytes, day: date | None) -> None:
    assert Date(raw).day == day


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"INBOX", "INBOX"),
        (b"a&-b", "a&b"),
        (b"Entw&APw-rfe", "Entwürfe"),
        (b"&ZeVnLIqe-/&U,BTFw-", "日本語/台北"),
        (b"&2D3eAA-", "😀"),
        ("Entwürfe".encode(), "Entwürfe"),
        (b"caf\xe9", "caf\\xe9"),
        (b"A & B", "A & B"),
        (b"&bad", "&bad"),
        (b"&2D0-", "&2D0-"),
        (b"a\x1bb", "a\\x1bb"),
    ],
)
def test_mailbox_names(raw: bytes, text: str) -> None:
    assert Mailbox.of(raw).name == (text if raw != b"a\x1bb" else "a\x1bb")


@pytest.mark.parametrize("raw", [b"&", b"&A-", b"&AGE", b"\xe4", b"&2D0-", b"&====-"])
def test_what_is_no_modified_utf7(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whatever is wrong with it
        decode(raw)


def test_names_are_encoded_as_rfc_3501_says() -> None:
    assert encode("~peter/mail/台北/日本語") == b"~peter/mail/&U,BTFw-/&ZeVnLIqe-"
    assert encode("a&b\n") == b"a&-b&AAo-"


def test_inbox_is_the_same_in_any_case() -> None:
    assert Mailbox.of(b"iNbOx") == Mailbox.of(b"INBOX") == Mailbox(b"INBOX")
    assert Mailbox.of(b"Inbox/x") != Mailbox.of(b"INBOX/x")
    assert (Mailbox(b"INBOX").inbox, Mailbox(b"INBOX2").inbox, Mailbox(Absent(9)).name) == (True, False, "{9}")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?Q?caf=C3=A9_x?=", "café x"),
        (b"=?UTF-8?b?w6Q=?= =?utf-8?B?w7Y=?= z", "äö z"),
        (b"=?utf-8?B?w6Q?=", "ä"),
        (b"a =?utf-8?q?b?= c", "a b c"),
        (b"=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"),  # a character cut in two, as some do
        (b"=?iso-8859-1?q?=E4?=\r\n\t=?iso-8859-15?q?=A4?=", "ä€"),
        (b"=?utf-8*de?q?x?=", "x"),
        (b"=?nowhere?q?x?=", "=?nowhere?q?x?="),
        (b"=?utf-8?b?!!!?= y", "=?utf-8?b?!!!?= y"),
        (b"=?hex?q?x?=", "=?hex?q?x?="),
        (b"=?punycode?q?=B3?=", "\\xb3"),
        (b"=?idna?q?x?=", "=?idna?q?x?="),
        (b"\xe4", "\\xe4"),
        ("ä".encode(), "ä"),
    ],
)
def test_encoded_words(raw: bytes, text: str) -> None:
    assert decoded(raw) == text


def test_addresses_as_people_read_them() -> None:
    assert Address(b"=?utf-8?q?J=C3=BCrgen?=", None, b"j", b"x.org").text == "Jürgen <j@x.org>"
    assert Address(None, None, b"j", b"x.org").text == "j@x.org"
    assert view(None) == ""
    assert view(Absent(7)) == "{7}"


def test_groups_are_put_together() -> None:
    ann, bob = Address(None, None, b"ann", b"x"), Address(None, None, b"bob", b"x")
    begin, end = Address(None, None, b"team", None), Address(None, None, None, None)
    assert list(groups((ann, begin, bob, end, ann))) == [ann, Group(b"team", (bob,)), ann]
    assert list(groups((begin, begin, bob))) == [Group(b"team", ()), Group(b"team", (bob,))]
    assert list(groups((end, ann))) == [ann]
    assert list(groups(None)) == []


def test_atoms_may_be_numbers() -> None:
    assert [Atom(raw).number for raw in (b"12", b"x", b"1:2", b"1" * 21)] == [12, None, None, None]
