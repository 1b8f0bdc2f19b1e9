"""Which mailbox a replayed session is in: as recorded, not selected, or another than it was."""

from __future__ import annotations

import pytest

from proxy.replay.whereabouts import Beginnings, Whereabouts
from tests.proxy.imap.mapping.sides import told

OTHER = "{0} has {2} messages at the target and had {1} when it was recorded (--any-state goes on)"


def select(mailbox: str, exists: int, command: str = "SELECT") -> str:
    return f"C: a {command} {mailbox}\nS: * {exists} EXISTS\nS: a OK done\n"


def lost(script: str, *, there: int | None, status: str = "OK", where: Whereabouts | None = None) -> str:
    """Why the mailbox of the script's last step is lost; all steps were answered so."""
    where = where or Whereabouts(Beginnings())
    for dialogue in told(script):
        where.answered(dialogue, status, there)
    return where.lost


@pytest.mark.parametrize(
    ("script", "there", "why"),
    [
        (select("INBOX", 4), 4, ""),
        (select("INBOX", 4), 3, OTHER.format("INBOX", 4, 3)),
        (select("inbox", 4, "EXAMINE"), 5, OTHER.format("INBOX", 4, 5)),
        (select("Entw&APw-rfe", 0), 1, OTHER.format("Entwürfe", 0, 1)),
        (select("INBOX", 4), None, ""),
        ("C: a SELECT INBOX\nS: a OK done\n", 3, ""),
        ("C: a SELECT INBOX\nS: * 9 EXISTS\nS: * OK [CLOSED] x\nS: * 4 EXISTS\nS: a OK done\n", 4, ""),
        ("C: a SELECT INBOX\nS: * 4 EXISTS\nS: a NO not here\n", 3, ""),
        ("C: a NOOP\nS: * 4 EXISTS\nS: a OK done\n", 3, ""),
    ],
)
def test_a_mailbox_is_compared(script: str, there: int | None, why: str) -> None:
    assert lost(script, there=there) == why


def test_only_the_first_time() -> None:
    """What it became afterwards is what was done in it."""
    beginnings = Beginnings()
    assert lost(select("INBOX", 4) + select("INBOX", 9), there=4, where=Whereabouts(beginnings)) == ""
    assert lost(select("INBOX", 2), there=1, where=Whereabouts(beginnings)) == ""
    assert lost(select("Sent", 2), there=1, where=Whereabouts(beginnings)) == OTHER.format("Sent", 2, 1)


def test_what_was_another_one_stays_so_for_all_sessions_of_its_user() -> None:
    beginnings = Beginnings()
    first = lost(select("INBOX", 4), there=3, where=Whereabouts(beginnings))
    assert lost(select("INBOX", 3), there=3, where=Whereabouts(beginnings)) == first != ""
    assert lost(select("INBOX", 3), there=3) == ""


def test_nothing_is_compared_where_it_may_hold_anything() -> None:
    assert lost(select("INBOX", 4), there=3, where=Whereabouts(None)) == ""
    assert lost(select("INBOX", 4), there=None, status="NO", where=Whereabouts(None)) == "SELECT was answered NO"


def test_what_was_not_changed_there_cannot_be_compared() -> None:
    where = Whereabouts(Beginnings())
    for dialogue in told("C: a APPEND Sent {1+}\nC: x\nS: a OK done\n"):
        where.skipped(dialogue, "APPEND changes mail, and that was not allowed")
    assert lost(select("Sent", 1), there=0, where=where) == ""
    assert Whereabouts(Beginnings()).lost == ""


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (select("INBOX", 4), "SELECT was not sent: it was cut"),
        ("C: a SELECT INBOX\nS: a NO not here\n", ""),
        ("C: a STORE 1 FLAGS ()\nS: a NO not here\n", ""),
    ],
)
def test_a_select_that_was_not_sent(script: str, why: str) -> None:
    where = Whereabouts(Beginnings())
    for dialogue in told(script):
        where.skipped(dialogue, "it was cut")
    assert where.lost == why


def test_a_select_that_was_refused() -> None:
    where = Whereabouts(Beginnings())
    assert lost(select("INBOX", 4), there=None, status="NO", where=where) == "SELECT was answered NO"
    assert lost(select("INBOX", 4), there=4, where=where) == ""
