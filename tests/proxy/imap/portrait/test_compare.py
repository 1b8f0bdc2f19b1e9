"""What differs between two portraits, and what does not count."""

from __future__ import annotations

from proxy.imap.portrait import Situation, capability_differences, differences
from tests.proxy.imap.portrait.talking import portrait
from tests.proxy.imap.portrait.test_portrait import LOGIN, OPENED

OLD = OPENED + "C: c FETCH 1:* (FLAGS)\nS: c OK\nC: z LOGOUT\nS: z OK"
NEW = OPENED + "C: c FETCH 1:* (FLAGS) (CHANGEDSINCE 5)\nS: c OK\nC: i IDLE\nC: DONE\nS: i OK\nC: z LOGOUT\nS: z OK"


def test_the_same() -> None:
    assert differences(portrait(OLD), portrait(OLD)) == ()
    assert list(capability_differences(portrait(OLD), portrait(OLD))) == []


def test_other_numbers_names_and_counts_are_no_difference() -> None:
    def reads(times: int, box: str) -> str:
        fetches = "".join(f"C: c{n} FETCH {n} BODY[]\nS: c{n} OK\n" for n in range(times))
        return f"{LOGIN}C: b SELECT {box}\nS: b OK\n{fetches}"

    assert differences(portrait(reads(2, "a")), portrait(reads(9, "b"))) == ()


def test_what_only_one_of_them_does() -> None:
    opening, waiting = differences(portrait(OLD), portrait(NEW))
    assert opening.situation is Situation.OPEN
    assert opening.facts == (
        ("fetches the flags of all messages (1:*)",),
        ("fetches only flags that have changed (CHANGEDSINCE)",),
    )
    assert [[block.forms for way in side for block in way.blocks] for side in opening.ways] == [
        [("SELECT mailbox",), ("FETCH 1:* (FLAGS)",)],
        [("SELECT mailbox",), ("FETCH 1:* (FLAGS) (CHANGEDSINCE n)",)],
    ]
    assert (waiting.situation, waiting.facts, waiting.unseen) == (Situation.IDLE, ((), ("waits in IDLE",)), "first")
    assert [each.unseen for each in differences(portrait(NEW), portrait(OLD))] == [None, "second"]


def test_capabilities() -> None:
    offered = "IDLE CONDSTORE QUOTA"
    old, new = portrait(OLD, offered=offered), portrait(NEW, offered=offered)
    assert list(capability_differences(old, new)) == [
        ("used", (), ("CONDSTORE", "IDLE")),
        ("ignored", ("CONDSTORE", "IDLE"), ()),
    ]
