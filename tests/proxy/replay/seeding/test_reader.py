"""The starting state of recorded runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.imap.transcript import Direction
from proxy.replay.seeding.beginning import Beginning, OldMailbox, OldMessage, Place
from proxy.replay.seeding.reader import beginning
from tests.proxy.imap.scripts import everything, load
from tests.proxy.replay.seeding.pretended import Pretended
from tests.proxy.replay.seeding.told import filled, of_script, told

if TYPE_CHECKING:
    from pathlib import Path

GREETED = "S: * PREAUTH ready\n"


def began(*scripts: str) -> Beginning:
    """The state at the beginning of these sessions, one after the other."""
    return beginning(each for number, script in enumerate(scripts, 1) for each in told(GREETED + script, number))


def selected(name: str, exists: int, *more: str) -> str:
    """A SELECT and its answer."""
    lines = [f"C: s SELECT {name}", f"S: * {exists} EXISTS", *(f"S: * OK [{code}] x" for code in more), "S: s OK done"]
    return "\n".join(lines) + "\n"


def box(state: Beginning, name: str = "INBOX") -> OldMailbox:
    """The mailbox of that name, which must be there."""
    found = state.get(name)
    assert found is not None
    return found


def messages(state: Beginning, name: str = "INBOX") -> list[tuple[int | None, int | None]]:
    """Number and UID of what is known."""
    return [(message.number, message.uid) for message in box(state, name).messages]


def only(state: Beginning, name: str = "INBOX") -> OldMessage:
    """The one message of which something is known."""
    (message,) = box(state, name).messages
    return message


def names(state: Beginning) -> list[str]:
    """All mailboxes of the beginning."""
    return [mailbox.name for mailbox in state.mailboxes]


# --- which mailboxes there were ---------------------------------------------------------------------------------------


def test_mailboxes_are_those_that_the_server_has_shown() -> None:
    state = began(
        'C: a LIST "" *\nS: * LIST () "/" Sent\nS: * LIST (\\Noselect) "/" Archive\nS: * LIST () "/" INBOX\n'
        'S: * LIST (\\NonExistent) "/" Ghost\nS: a OK\n'
        "C: b STATUS Old (MESSAGES UIDNEXT)\nS: * STATUS Old (MESSAGES 7 UIDNEXT 20)\nS: b OK\n"
        'C: c LSUB "" *\nS: * LSUB () "/" Sent\nS: * LSUB () "/" Gone\nS: c OK'
    )
    assert names(state) == ["INBOX", "Archive", "Old", "Sent"]
    assert [each.selectable for each in state.mailboxes] == [True, False, True, True]
    assert [each.subscribed for each in state.mailboxes] == [False, False, False, True]
    assert (box(state, "Old").exists, box(state, "Old").without_body, box(state, "Sent").exists) == (7, 7, None)


def test_what_the_run_has_made_was_not_there() -> None:
    state = began(
        'C: a LIST "" %\nS: * LIST () "/" Kept\nS: a OK\nC: b CREATE New/Deep\nS: b OK\n'
        'C: c LIST "" *\nS: * LIST () "/" Kept\nS: * LIST () "/" New\nS: * LIST () "/" New/Deep\nS: c OK\n'
        "C: d SUBSCRIBE New/Deep\nS: d OK\nC: e CREATE Kept\nS: e NO [ALREADYEXISTS] no\nC: f CREATE No\nS: f NO no"
    )
    assert names(state) == ["Kept"]


def test_a_name_that_create_finds_taken_was_there() -> None:
    assert names(began("C: a CREATE Was\nS: a NO [ALREADYEXISTS] it is there")) == ["Was"]


def test_what_was_removed_or_renamed_was_there_under_its_name() -> None:
    state = began(
        'C: a LIST "" *\nS: * LIST () "." One.Two\nS: a OK\nC: b RENAME One Three\nS: b OK\nC: c DELETE Four\nS: c OK\n'
        + selected("Three.Two", 1)
        + "C: d FETCH 1 UID\nS: * 1 FETCH (UID 8)\nS: d OK\nC: e CREATE One\nS: e OK\nC: f STATUS One (MESSAGES)\n"
        "S: * STATUS One (MESSAGES 0)\nS: f OK"
    )
    assert names(state) == ["Four", "One", "One.Two"]
    assert messages(state, "One.Two") == [(1, 8)]


def test_a_mailbox_with_another_uidvalidity_is_another_one() -> None:
    state = began(
        selected("Box", 2, "UIDVALIDITY 5"),
        selected("Box", 1, "UIDVALIDITY 6") + "C: a FETCH 1 (UID)\nS: * 1 FETCH (UID 1)\nS: a OK",
    )
    assert (box(state, "Box").exists, box(state, "Box").uidvalidity, messages(state, "Box")) == (2, 5, [])


# --- which messages they had ------------------------------------------------------------------------------------------


def test_messages_that_came_in_the_run_are_no_part_of_it() -> None:
    state = began(
        selected("INBOX", 2, "UIDNEXT 12")
        + "C: a APPEND INBOX «5|hello»\nS: + go\nS: * 3 EXISTS\nS: a OK [APPENDUID 1 12] done\n"
        "S: * 4 EXISTS\n"
        "C: b FETCH 1:* UID\nS: * 1 FETCH (UID 4)\nS: * 2 FETCH (UID 9)\nS: * 3 FETCH (UID 12)\n"
        "S: * 4 FETCH (UID 13)\nS: b OK"
    )
    assert (box(state).exists, messages(state)) == (2, [(1, 4), (2, 9)])


def test_a_mailbox_is_selected_after_the_run_has_appended_to_it() -> None:
    state = began(
        "C: a APPEND INBOX «5|hello»\nS: + go\nS: a OK done\n"
        + selected("INBOX", 3)
        + "C: b FETCH 1:* UID\nS: * 1 FETCH (UID 4)\nS: * 2 FETCH (UID 9)\nS: * 3 FETCH (UID 12)\nS: b OK"
    )
    assert (box(state).exists, messages(state)) == (2, [(1, 4), (2, 9)])


def test_what_was_expunged_was_there_and_numbers_move_down() -> None:
    state = began(
        selected("INBOX", 3)
        + "C: a UID FETCH 4 UID\nS: * 1 FETCH (UID 4)\nS: a OK\nC: b EXPUNGE\nS: * 1 EXPUNGE\nS: b OK\n"
        "C: c FETCH 2 UID\nS: * 2 FETCH (UID 9)\nS: c OK",
        selected("INBOX", 2) + "C: a FETCH 1 UID\nS: * 1 FETCH (UID 7)\nS: a OK",
    )
    assert (box(state).exists, messages(state)) == (3, [(1, 4), (2, 7), (3, 9)])


def test_close_and_vanished_remove_without_a_number() -> None:
    state = began(
        selected("INBOX", 4) + "C: a FETCH 1:2 UID\nS: * 1 FETCH (UID 4)\nS: * 2 FETCH (UID 5)\nS: a OK\n"
        "S: * VANISHED 4\n"
        "C: b STORE 1 +FLAGS.SILENT (\\Deleted)\nS: b OK\nC: c CLOSE\nS: c OK\n",
        selected("INBOX", 2) + "C: a FETCH 1:2 (UID)\nS: * 1 FETCH (UID 6)\nS: * 2 FETCH (UID 9)\nS: a OK",
    )
    assert (box(state).exists, messages(state)) == (4, [(1, 4), (2, 5), (3, 6), (4, 9)])


def test_two_sessions_hear_of_the_same_expunge() -> None:
    one, two = (
        told(
            GREETED + selected("INBOX", 3) + f"C: x NOOP\nS: * 2 EXPUNGE\nS: x OK\nC: y FETCH 2 UID\n"
            f"S: * 2 FETCH (UID 9 RFC822.SIZE {size})\nS: y OK",
            session,
        )
        for session, size in ((1, 70), (2, 71))
    )
    state = beginning([one[0], two[0], *one[1:], *two[1:]])
    assert (messages(state), only(state).size, box(state).exists) == ([(3, 9)], 71, 3)


def test_copies_and_moves_are_no_part_of_it_but_tell_what_their_originals_were() -> None:
    state = began(
        selected("INBOX", 2)
        + "C: a UID MOVE 4 Kept\nS: * OK [COPYUID 7 4 30] x\nS: * 1 EXPUNGE\nS: a OK\n"
        + selected("Kept", 3, "UIDNEXT 31")
        + "C: b UID FETCH 30 (BODY.PEEK[])\nS: * 3 FETCH (UID 30 BODY[] «12|moved »)\nS: b OK"
    )
    assert (box(state).exists, only(state).uid, only(state).body) == (2, 4, (filled(12, "moved "),))
    assert (box(state, "Kept").exists, messages(state, "Kept")) == (2, [])


def test_a_message_that_another_session_brings_while_one_idles() -> None:
    idle = told(
        GREETED + selected("INBOX", 1) + "C: a IDLE\nS: + idling\nS: * 2 EXISTS\nC: DONE\nS: a OK\n"
        "C: b FETCH 1:2 UID\nS: * 1 FETCH (UID 3)\nS: * 2 FETCH (UID 4)\nS: b OK",
        1,
    )
    other = told(GREETED + "C: a APPEND INBOX «5|hello»\nS: + go\nS: a OK [APPENDUID 1 4] done", 2)
    late = told(GREETED + selected("INBOX", 2) + "C: a FETCH 1 RFC822.SIZE\nS: * 1 FETCH (RFC822.SIZE 99)\nS: a OK", 3)
    for order in ([idle[0], *other, *idle[1:]], [*idle, *other]):
        state = beginning([*order, *late])
        assert (box(state).exists, messages(state), only(state).size) == (1, [(1, 3)], 99)


def test_numbers_that_nobody_can_know_are_not_guessed() -> None:
    state = began(
        selected("INBOX", 5),
        selected("INBOX", 3) + "C: a FETCH 1 (RFC822.SIZE)\nS: * 1 FETCH (RFC822.SIZE 99)\nS: a OK\n"
        "C: b FETCH 2 (UID RFC822.SIZE)\nS: * 2 FETCH (UID 8 RFC822.SIZE 98)\nS: b OK",
    )
    assert (box(state).exists, messages(state), only(state).size) == (5, [(None, 8)], 98)


def test_a_huge_mailbox_costs_nothing() -> None:
    state = began(selected("INBOX", 4_000_000_000) + "C: a FETCH 9 UID\nS: * 9 FETCH (UID 9)\nS: a OK")
    assert (box(state).exists, messages(state), box(state).without_body) == (4_000_000_000, [(None, 9)], 4_000_000_000)


# --- what the messages were -------------------------------------------------------------------------------------------

FLAGS = [
    ("as first told", "C: a FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS (\\Seen \\Recent))\nS: a OK\n", {b"\\Seen"}),
    ("added", "C: a STORE 1 +FLAGS (\\Seen x)\nS: * 1 FETCH (FLAGS (\\Seen y x))\nS: a OK\n", {b"y"}),
    ("taken", "C: a STORE 1 -FLAGS (x)\nS: * 1 FETCH (FLAGS (y))\nS: a OK\n", {b"x", b"y"}),
    ("refused", "C: a STORE 1 +FLAGS (x)\nS: a NO\nC: b FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS (x))\nS: b OK", {b"x"}),
    ("replaced", "C: a STORE 1 FLAGS (x)\nS: * 1 FETCH (FLAGS (x))\nS: a OK\n", None),
    (
        "silently",
        "C: a UID STORE 1:9 +FLAGS.SILENT (x)\nS: a OK\nC: b FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS (x y))\nS: b OK",
        {b"y"},
    ),
    ("by reading", "C: a FETCH 1 BODY[TEXT]\nS: * 1 FETCH (BODY[TEXT] «0|» FLAGS (\\Seen y))\nS: a OK\n", {b"y"}),
    ("by no reading", "C: a FETCH 1 BODY.PEEK[]\nS: * 1 FETCH (BODY[] NIL FLAGS (\\Seen))\nS: a OK\n", {b"\\Seen"}),
    (
        "then changed",
        "C: a FETCH 1 FLAGS\nS: * 1 FETCH (FLAGS (y))\nS: a OK\nC: b STORE 1 FLAGS x\nS: * 1 FETCH (FLAGS x)\nS: b OK",
        {b"y"},
    ),
]


SEARCHES = [
    ("found", "SEARCH SEEN", "SEARCH 1", [{b"\\Seen"}, set()]),
    ("not found", "UID SEARCH UNSEEN", "SEARCH 5", [set(), {b"\\Seen"}]),
    ("extended", "UID SEARCH RETURN (ALL COUNT) NOT KEYWORD x", 'ESEARCH (TAG "a") UID ALL 6 COUNT 1', [{b"x"}, set()]),
    ("extended, none", "SEARCH RETURN () FLAGGED", 'ESEARCH (TAG "a")', [set(), set()]),
    ("not all of them", "SEARCH RETURN (MIN) SEEN", 'ESEARCH (TAG "a") MIN 1', [None, None]),
    ("two conditions", "SEARCH UNSEEN NOT DELETED", "SEARCH 2", [None, set()]),
    ("two conditions, had", "SEARCH ALL SEEN FLAGGED", "SEARCH 2", [None, {b"\\Seen", b"\\Flagged"}]),
    ("another condition", "SEARCH SEEN SUBJECT x", "SEARCH 2", [None, None]),
    ("either", "SEARCH OR SEEN FLAGGED", "SEARCH 2", [None, None]),
    ("no flags", "SEARCH ALL", "SEARCH 1 2", [None, None]),
]


def test_flags_follow_from_searches() -> None:
    known = "C: k FETCH 1:2 UID\nS: * 1 FETCH (UID 5)\nS: * 2 FETCH (UID 6)\nS: k OK\n"
    for name, command, answer, expected in SEARCHES:
        state = began(selected("INBOX", 2) + known + f"C: a {command}\nS: * {answer}\nS: a OK")
        flags = [None if each.flags is None else set(each.flags) for each in box(state).messages]
        assert flags == expected, name
        assert [each.all_flags for each in box(state).messages] == [each is None for each in expected], name


def test_flags_follow_from_the_first_unseen_one_but_fetch_knows_better() -> None:
    known = "C: k FETCH 1:4 UID\nS: * 1 FETCH (UID 5)\nS: * 2 FETCH (UID 6)\nS: * 3 FETCH (UID 7)\nS: k OK\n"
    state = began(
        selected("INBOX", 4, "UNSEEN 3") + known + "C: a FETCH 2 FLAGS\nS: * 2 FETCH (FLAGS (\\Seen x))\nS: a OK\n"
        "C: b STORE 3 +FLAGS.SILENT (\\Seen)\nS: b OK\nC: c SEARCH SEEN\nS: * SEARCH 1 2 3\nS: c OK"
    )
    assert [each.flags for each in box(state).messages] == [(b"\\Seen",), (b"\\Seen", b"x"), (), ()]


def test_no_message_is_unseen_where_status_tells_so() -> None:
    status = "C: a STATUS INBOX (MESSAGES UNSEEN)\nS: * STATUS INBOX (MESSAGES 1 UNSEEN 0)\nS: a OK\n"
    known = selected("INBOX", 1) + "C: k FETCH 1 UID\nS: * 1 FETCH (UID 5)\nS: k OK\n"
    state = began(status + known)
    assert (box(state).all_seen, only(state).flags) == (True, (b"\\Seen",))
    state = began(known + "C: s STORE 1 +FLAGS.SILENT (\\Seen)\nS: s OK\n" + status)
    assert (box(state).all_seen, only(state).flags) == (False, None)
    state = began(known + "C: r FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] NIL)\nS: r OK\n" + status)
    assert box(state).all_seen is False, "reading may have done that"


def test_a_store_that_changes_nothing_tells_what_was_there() -> None:
    known = "C: k FETCH 1:3 UID\nS: * 1 FETCH (UID 5)\nS: * 2 FETCH (UID 6)\nS: * 3 FETCH (UID 7)\nS: k OK\n"
    tells = "C: s STORE 1 +FLAGS (x)\nS: * 1 FETCH (FLAGS (x))\nS: s OK\n"
    nothing = "C: t STORE 2 +FLAGS (x)\nS: t OK\nC: u STORE 3 -FLAGS (x)\nS: u OK\n"
    later = "C: v FETCH 2 FLAGS\nS: * 2 FETCH (FLAGS (x y))\nS: v OK\n"
    cases = [
        (tells + nothing, [(), (b"x",), ()]),
        (nothing + tells, [(), None, None]),
        (tells + nothing + later, [(), (b"x", b"y"), ()]),
        (nothing + later, [None, (b"y",), None]),
    ]
    for script, expected in cases:
        state = began(selected("INBOX", 3) + known + script)
        assert [each.flags for each in box(state).messages] == expected, script


def test_flags_are_those_of_the_beginning() -> None:
    for name, script, expected in FLAGS:
        known = "C: k FETCH 1 UID\nS: * 1 FETCH (UID 5)\nS: k OK\n"
        flags = only(began(selected("INBOX", 1) + known + script)).flags
        assert (None if flags is None else set(flags)) == expected, name


def test_dates_sizes_and_headers_are_kept_and_what_nobody_told_is_none() -> None:
    state = began(
        selected("INBOX", 2)
        + 'C: a FETCH 1 ALL\nS: * 1 FETCH (INTERNALDATE "01-Jan-2024 10:00:00 +0100" RFC822.SIZE 70 '
        "BODY[HEADER.FIELDS (SUBJECT)] «14|Subject: x¶»)\nS: a OK\nC: b FETCH 2 UID\nS: * 2 FETCH (UID 7)\nS: b OK"
    )
    first, second = box(state).messages
    assert first.date is not None
    assert (first.date.raw, first.size, first.body, first.flags) == (b"01-Jan-2024 10:00:00 +0100", 70, None, None)
    assert first.some == (filled(14, "Subject: x¶"),)
    assert second == OldMessage(2, 7)
    assert box(state).without_body == 2


def test_a_large_body_is_a_place_in_the_recording() -> None:
    script = selected("INBOX", 1) + "C: a FETCH 1 RFC822\nS: * 1 FETCH (RFC822 «5000|line¶»)\nS: a OK"
    heard = "".join(line[3:] + "\r\n" for line in (GREETED + script).splitlines() if line.startswith("S: "))
    offset = heard.index("«") + len("{5000}\r\n")
    assert only(began("C: n NOOP\nS: n OK", script)).body == (Place(2, Direction.SERVER, offset, 5000),)


# --- whatever is said -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_no_conversation_is_too_odd(path: Path) -> None:
    for mailbox in beginning(of_script(load(path))).mailboxes:
        assert mailbox.without_body <= mailbox.count
        assert all(message.number is None or message.number <= mailbox.count for message in mailbox.messages)


@pytest.mark.parametrize("seed", range(60))
def test_what_is_said_to_have_been_there_was_there(seed: int) -> None:
    """Nothing that came in the run, no wrong number, UID, body or flag: whatever two sessions do to two mailboxes."""
    server = Pretended(seed)
    for mailbox in beginning(server.dialogues()).mailboxes:
        first = server.first[mailbox.name]
        assert mailbox.exists in (None, len(first))
        for message in mailbox.messages:
            if message.uid is not None:
                place = [uid for uid, _, _ in first].index(message.uid)
                assert message.number in (None, place + 1)
            else:
                assert message.number is not None
                place = message.number - 1
            _, text, flags = first[place]
            assert message.body in (None, (text.encode(),))
            assert message.flags is None or {flag.decode() for flag in message.flags} == flags
