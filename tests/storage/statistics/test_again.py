"""What is asked again, and what is fetched again."""

from __future__ import annotations

from itertools import starmap

import pytest

from proxy.imap.transcript import Outcome
from storage.statistics.again import UIDS_NAMED, Refetched, Repeated
from storage.statistics.values import Fact, Fetched, Letter
from tests.storage.statistics.facts import fact, said


def repeated(*facts: Fact) -> list[bool]:
    watch = Repeated(())
    return [watch.add(each) for each in facts]


STATUS = said("STATUS", "INBOX (MESSAGES)")
CHANGES = [
    said("UID STORE", "1 +FLAGS (\\Seen)"),
    said("APPEND", "INBOX {5}"),
    said("EXPUNGE"),
    said("XYZZY"),
    said("STORE", "1 +FLAGS (X)", outcome=Outcome.INCOMPLETE, status=None),
    said("NOOP", responses=(("EXISTS", 1),)),
    said("NOOP", responses=(("FETCH", 2),)),
    said("FETCH", "1 (FLAGS)", responses=(("EXPUNGE", 1), ("FETCH", 1))),
    said("IDLE", responses=(("VANISHED", 1),)),
    said("FETCH", "1 BODY[]", responses=(("FETCH", 1),)),
    said("UID FETCH", "1 (UID RFC822)"),
    said("UID SEARCH", "RETURN (SAVE) UNSEEN"),
    said("COMPARATOR", "i;octet"),
    said("SELECT", "INBOX", responses=(("EXISTS", 1), ("FLAGS", 1))),
]
KEEPS = [
    said("NOOP"),
    said("NOOP", responses=(("OK", 1),)),
    said("CAPABILITY", responses=(("CAPABILITY", 1),)),
    said("FETCH", "1 (BODY.PEEK[] RFC822.SIZE RFC822.HEADER)", responses=(("FETCH", 1),)),
    said("UID SEARCH", "ALL", responses=(("SEARCH", 1),)),
    said("IDLE", responses=(("OK", 3),)),
    said("STATUS", "Sent (MESSAGES)"),
]


@pytest.mark.parametrize("between", KEEPS, ids=lambda each: f"{each.exchange.command} {each.exchange.arguments}")
def test_again_though_nothing_changed(between: Fact) -> None:
    assert repeated(STATUS, between, STATUS) == [False, False, True]


@pytest.mark.parametrize("between", CHANGES, ids=lambda each: f"{each.exchange.command} {each.exchange.arguments}")
def test_not_when_something_may_have_changed(between: Fact) -> None:
    assert repeated(STATUS, between, STATUS) == [False, False, False]


def test_only_the_same_is_the_same() -> None:
    first = said("UID FETCH", "1 (FLAGS)", mailbox="INBOX")
    assert repeated(first, said("UID FETCH", "2 (FLAGS)"), said("FETCH", "1 (FLAGS)")) == [False] * 3
    assert repeated(first, said("UID FETCH", "1 (FLAGS)", mailbox="Sent")) == [False, False]
    assert repeated(first, first, first) == [False, True, True]


def test_what_brings_news_was_not_in_vain() -> None:
    assert repeated(said("NOOP"), said("NOOP", responses=(("EXISTS", 1),)), said("NOOP")) == [False, False, True]


def test_the_mailbox_selected_again() -> None:
    select = said("SELECT", "INBOX", responses=(("EXISTS", 1),))
    assert repeated(select, said("FETCH", "1 (FLAGS)"), select) == [False, False, True]
    assert repeated(select, said("SELECT", "Sent"), select) == [False, False, False]


def test_a_letter_taken_twice_is_asked_for_again() -> None:
    """It sets \\Seen only once; the server would have told of other changes."""
    fetch = said("FETCH", "1 BODY[]", responses=(("FETCH", 1),))
    assert repeated(fetch, fetch) == [False, True]


def test_what_was_not_answered_does_not_count() -> None:
    lost = said("NOOP", outcome=Outcome.INCOMPLETE, status=None)
    assert repeated(lost, said("NOOP"), lost) == [False, False, False]


def test_arguments_that_are_not_known_whole_are_never_the_same() -> None:
    for arguments in ("SUBJECT {5}", "SUBJECT {5+}", "TEXT ~{3}", "SUBJECT very long…"):
        assert repeated(said("SEARCH", arguments), said("SEARCH", arguments)) == [False, False]
    quoted = said("SEARCH", 'SUBJECT "{5}"')
    assert repeated(quoted, quoted) == [False, True]


def test_news_outside_of_exchanges() -> None:
    watch = Repeated([5, 35])
    noops = [fact(at, at, at + 5, "NOOP") for at in (10, 20, 30, 40, 50)]
    assert [watch.add(each) for each in noops] == [False, True, True, False, True]


def test_the_oldest_are_forgotten() -> None:
    """At least the last so many are remembered, never more than twice as many."""
    for most in (1, 2, 5):
        for ago in range(1, 15):
            watch = Repeated((), most=most)
            names = [str(number) for number in range(20)]
            asked = [watch.add(said("STATUS", name)) for name in [*names, names[-ago]]]
            assert not any(asked[:-1])
            if ago <= most or ago > 2 * most:
                assert asked[-1] == (ago <= most)


# --- fetched again -------------------------------------------------------------------------------------------------


def refetched(*facts: Fact) -> list[Fetched]:
    watch = Refetched()
    return [watch.add(each) for each in facts]


NOTHING = Fetched()


def test_a_letter_of_the_same_bytes() -> None:
    first = said("FETCH", "1 BODY[]", letters=(Letter(1, 5000), Letter(2, 6000)), server_bytes=11_100)
    other = said("FETCH", "7 RFC822", letters=(Letter(2, 6000), Letter(3, 7000)), server_bytes=13_100)
    assert refetched(first, other) == [NOTHING, Fetched(1, 0, 6000)]


def test_twice_in_one_answer() -> None:
    assert refetched(said("FETCH", "1:2 BODY[]", letters=(Letter(1, 5000),) * 2)) == [Fetched(1, 0, 5000)]


def test_literals_that_were_not_fetched() -> None:
    metadata = said("GETMETADATA", letters=(Letter(1, 5000),))
    assert refetched(metadata, metadata) == [NOTHING, NOTHING]


def sections(*arguments: str, mailbox: str = "INBOX") -> list[Fetched]:
    return refetched(*(said("UID FETCH", each, server_bytes=300, mailbox=mailbox) for each in arguments))


ROWS = [
    ("5 BODY.PEEK[1]", "5 (FLAGS BODY[1])", Fetched(0, 1, 300)),
    ("5 body[header]", "5 BODY.PEEK[HEADER]", Fetched(0, 1, 300)),
    ("5:7 BODY[]", "7,6 BODY[]", Fetched(0, 2, 300)),
    ("7:5 BODY[]", "6 BODY[]", Fetched(0, 1, 300)),
    ("5 (BODY[1] BODY[2])", "5 (BODY[2] BODY[1])", Fetched(0, 2, 300)),
    # only some of it was there: how many bytes that is, is not known
    ("5 BODY[]", "5,6 BODY[]", Fetched(0, 1, 0)),
    ("5 BODY[1]", "5 (BODY[1] BODY[2])", Fetched(0, 1, 0)),
    ("5 BODY[]<0.100>", "5 BODY[]<0.100>", Fetched(0, 1, 300)),
    ("5 BINARY.PEEK[1]", "5 BINARY[1]", Fetched(0, 1, 300)),
    ("5 RFC822", "5 RFC822", Fetched(0, 1, 300)),
    # different sections, messages, or none at all
    ("5 BODY[]<0.100>", "5 BODY[]<100.100>", NOTHING),
    ("5 BODY[1]", "5 BODY[2]", NOTHING),
    ("5 BODY[]", "6 BODY[]", NOTHING),
    ("5 (FLAGS RFC822.SIZE BODYSTRUCTURE BODY)", "5 (FLAGS RFC822.SIZE BODYSTRUCTURE BODY)", NOTHING),
    # not known which messages these are
    ("5:* BODY[]", "5:* BODY[]", NOTHING),
    ("$ BODY[]", "$ BODY[]", NOTHING),
    (f"1:{UIDS_NAMED + 1} BODY[]", f"1:{UIDS_NAMED + 1} BODY[]", NOTHING),
    ("1:2:3 BODY[]", "1:2:3 BODY[]", NOTHING),
    (", BODY[]", ", BODY[]", NOTHING),
]


@pytest.mark.parametrize(("first", "second", "expected"), ROWS)
def test_sections(first: str, second: str, expected: Fetched) -> None:
    assert sections(first, second) == [NOTHING, expected]


def test_sections_of_other_mailboxes_and_of_refused_commands() -> None:
    fetches = list(
        starmap(
            lambda mailbox, status: said("UID FETCH", "5 BODY[]", mailbox=mailbox, status=status, server_bytes=9),
            [("A", "NO"), ("A", "OK"), ("B", "OK"), ("A", "OK")],
        )
    )
    assert refetched(*fetches) == [NOTHING, NOTHING, NOTHING, Fetched(0, 1, 9)]
