"""What two scripts that belong together tell of what is the same at both servers (M 8, 9)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.imap.mapping import Mapping
from proxy.imap.transcript import Direction
from tests.proxy.imap.mapping.sides import learnt, of_script, told
from tests.proxy.imap.scripts import everything, load

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.view.dialogue import Dialogue


def select(exists: int, uidvalidity: int, uidnext: int, more: str = "", mailbox: str = "INBOX") -> str:
    """A SELECT and its answer."""
    return f"""
        C: s SELECT {mailbox}
        S: * {exists} EXISTS
        S: * OK [UIDVALIDITY {uidvalidity}] x
        S: * OK [UIDNEXT {uidnext}] x
        {more}
        S: s OK [READ-WRITE] x
    """


def fetched(command: str, *answers: str) -> str:
    return "\n".join([f"C: f {command}", *(f"S: * {answer}" for answer in answers), "S: f OK x"])


def letter(number: int, uid: int, name: str) -> str:
    """FETCH data that tells a message's UID and its Message-ID."""
    return f'{number} FETCH (UID {uid} ENVELOPE (NIL NIL NIL NIL NIL NIL NIL NIL NIL "<{name}@x>"))'


def uids(mapping: Mapping, *recorded: int, mailbox: str = "INBOX") -> list[int | None]:
    return [mapping.uid(mailbox, uid) for uid in recorded]


def test_select_tells_uidvalidity_uidnext_modseq_and_mailboxid() -> None:
    more = "S: * OK [HIGHESTMODSEQ {}] x\nS: * OK [MAILBOXID ({})] x"
    made = learnt(select(4, 1, 17, more.format(715, "F1")), select(4, 9, 23, more.format(42, "x7")))
    assert made.uidvalidity("INBOX", 1) == 9
    assert made.uidvalidity("INBOX", 2) is None
    assert made.uidnext("INBOX", 17) == 23
    assert made.modseq("INBOX", 715) == 42
    assert (made.object_id("MAILBOXID", "F1"), made.recorded_object_id("MAILBOXID", "x7")) == ("x7", "F1")


def test_what_is_selected_counts_again_with_each_step() -> None:
    """Also with one that tells nothing: something else may have told otherwise in between."""
    append = "C: a APPEND INBOX {{1}}\nS: + go\nC: x\nS: a OK [APPENDUID {}] x"
    said = [f"{select(4, 1, 17)}\n{append.format('1 17')}", f"{select(4, 9, 23)}\n{append.format('8 23')}"]
    noop = "\nC: n NOOP\nS: n OK x"
    assert learnt(*said).uidvalidity("INBOX", 1) == 8
    assert learnt(*(f"{each}{noop}" for each in said)).uidvalidity("INBOX", 1) == 9


def test_a_select_that_one_server_refuses_tells_nothing() -> None:
    made = learnt(select(4, 1, 17), "C: s SELECT INBOX\nS: s NO x")
    assert made.uidvalidity("INBOX", 1) is None


def test_messages_are_recognised_by_their_envelopes_in_whatever_order() -> None:
    ours = fetched("UID FETCH 1:* (ENVELOPE)", letter(1, 3, "a"), letter(2, 4, "b"), letter(3, 7, "c"))
    theirs = fetched("UID FETCH 1:* (ENVELOPE)", letter(3, 9, "a"), letter(1, 1, "c"), letter(2, 5, "x"))
    made = learnt(select(3, 1, 8) + ours, select(3, 1, 10) + theirs)
    assert uids(made, 3, 7, 4) == [9, 1, None], "the one that is left has another Message-ID"
    assert made.recorded_uid("INBOX", 9) == 3


@pytest.mark.parametrize(
    "item",
    [
        "BODY[HEADER.FIELDS (MESSAGE-ID)] {{23}}\r\nMessage-Id: <{}@x.org>\r\n",
        "BODY[HEADER] {{23}}\r\nMESSAGE-ID: <{}@x.org>\r\n",
        "BODY[] {{26}}\r\nMessage-Id: <{}@x.org>\r\n\r\na",
        "RFC822.HEADER {{25}}\r\nMessage-Id:\r\n <{}@x.org>\r\n",
        "BODY[HEADER]<0> {{23}}\r\nMessage-Id: <{}@x.org>\r\n",
    ],
)
def test_a_message_id_is_found_in_headers_too(item: str) -> None:
    def answers(*messages: tuple[int, int, str]) -> str:
        texts = [f"S: * {n} FETCH (UID {uid} {item.format(name)})" for n, uid, name in messages]
        return "\n".join(["C: f UID FETCH 1:* (X)", *(each.replace("\r\n", "\nS: ") for each in texts), "S: f OK x"])

    # Lines of one literal are lines of the script: what stands between two "S: " is a line end.
    made = learnt(
        select(3, 1, 8) + answers((1, 3, "a"), (2, 4, "b")),
        select(5, 1, 10) + answers((1, 5, "b"), (2, 6, "z"), (4, 8, "a")),
    )
    assert uids(made, 3, 4) == [8, 5]


def test_messages_of_the_same_number_are_the_same_where_there_are_as_many() -> None:
    ours = select(3, 1, 30) + fetched("FETCH 1:3 (UID)", "1 FETCH (UID 10)", "2 FETCH (UID 20)", "3 FETCH (UID 29)")
    theirs = select(3, 2, 4) + fetched("FETCH 1:3 (UID)", "3 FETCH (UID 3)", "1 FETCH (UID 1)", "2 FETCH (UID 2)")
    assert uids(learnt(ours, theirs), 10, 20, 29) == [1, 2, 3]


def test_where_there_are_more_messages_nothing_is_guessed() -> None:
    ours = select(2, 1, 30) + fetched("FETCH 1:* (UID)", "1 FETCH (UID 10)", "2 FETCH (UID 20)")
    theirs = select(3, 2, 4) + fetched("FETCH 1:* (UID)", "1 FETCH (UID 1)", "2 FETCH (UID 2)", "3 FETCH (UID 3)")
    assert uids(learnt(ours, theirs), 10, 20) == [None, None]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (("UID SEARCH UNSEEN", "SEARCH 20 10"), ("UID SEARCH UNSEEN", "SEARCH 1 2")),
        (("UID SEARCH UNSEEN", "SEARCH 10 20"), ("UID SEARCH UNSEEN", 'ESEARCH (TAG "f") UID ALL 1:2')),
        (("UID SORT (DATE) UTF-8 ALL", "SORT 20 10"), ("UID SORT (DATE) UTF-8 ALL", "SORT 2 1")),
        (
            ("UID SEARCH RETURN (ALL) UNSEEN", 'ESEARCH (TAG "f") UID COUNT 2 ALL 10,20'),
            ("UID SEARCH RETURN (ALL) UNSEEN", 'ESEARCH (TAG "f") UID ALL 1:2'),
        ),
    ],
)
def test_results_of_a_search_are_paired_in_order(ours: tuple[str, ...], theirs: tuple[str, ...]) -> None:
    made = learnt(select(5, 1, 30) + fetched(*ours), select(5, 2, 6) + fetched(*theirs))
    assert uids(made, 10, 20) == [1, 2]


def test_results_of_another_length_are_not() -> None:
    ours, theirs = fetched("UID SEARCH UNSEEN", "SEARCH 10 20"), fetched("UID SEARCH UNSEEN", "SEARCH 1")
    assert uids(learnt(select(5, 1, 30) + ours, select(5, 2, 6) + theirs), 10, 20) == [None, None]


def test_appenduid_and_copyuid_give_pairs_in_the_other_mailbox() -> None:
    def said(append: str, copy: str, move: str) -> str:
        return f"""
            C: a APPEND Drafts {{1}}
            S: + go
            C: x
            S: a OK [APPENDUID {append}] x
            {select(3, 1, 30)}
            C: c UID COPY 1:2 Work
            S: c OK [COPYUID {copy}] x
            C: m UID MOVE 3 Work
            S: * OK [COPYUID {move}] x
            S: * 3 EXPUNGE
            S: m OK x
        """

    ours, theirs = said("5 17", "6 3:4 20:21", "6 9 22"), said("55 7", "66 30,31 1:2", "66 35 3")
    made = learnt(ours, theirs.replace("UID COPY 1:2", "UID COPY 30:31"))
    assert (made.uid("Drafts", 17), made.uidvalidity("Drafts", 5)) == (7, 55)
    assert uids(made, 20, 21, 22, mailbox="Work") == [1, 2, 3]
    assert made.uidvalidity("Work", 6) == 66
    assert uids(made, 3, 4, 9) == [30, 31, 35], "and in the one that they came from"


def test_copies_are_paired_by_what_they_are_copies_of() -> None:
    def said(first: str, second: str, copy: str) -> str:
        rows = fetched("FETCH 1:2 (ENVELOPE UID)", first, second)
        return f"{select(2, 1, 30)}{rows}\nC: c COPY 1:2 Work\nS: c OK [COPYUID {copy}] x"

    made = learnt(
        said(letter(1, 3, "a"), letter(2, 4, "b"), "6 3:4 20:21"),
        said(letter(1, 7, "b"), letter(2, 8, "a"), "66 7:8 1:2"),
    )
    assert uids(made, 3, 4) == [8, 7]
    assert uids(made, 20, 21, mailbox="Work") == [2, 1]


def test_a_multiappend_gives_as_many_pairs() -> None:
    said = "C: a APPEND x {1}\nS: +\nC: a {1}\nS: +\nC: b\nS: a OK [APPENDUID %s] x"
    assert uids(learnt(said % "1 5:6", said % "2 9,11"), 5, 6, mailbox="x") == [9, 11]


def test_a_target_that_does_not_tell_new_uids_gives_the_next_one() -> None:
    said = "C: a APPEND INBOX {1}\nS: + go\nC: x\nS: a OK "
    made = learnt(f"{select(4, 1, 17)}{said}[APPENDUID 1 17] x", f"{select(4, 2, 23)}{said}x")
    assert uids(made, 17) == [23]
    made = learnt(f"{select(4, 1, 17)}{said}[APPENDUID 1 18] x", f"{select(4, 2, 23)}{said}x")
    assert uids(made, 18) == [None], "somebody else got that one"


def test_items_of_paired_messages_pair_ids_and_modseqs() -> None:
    item = "1 FETCH (UID {} MODSEQ ({}) EMAILID (M{}) THREADID (T{}) X-GM-MSGID {} X-GM-THRID {})"
    ours = fetched("UID FETCH 3 (X)", item.format(3, 70, 1, 1, 100, 200))
    theirs = fetched("UID FETCH 5 (X)", item.format(5, 9, 8, 8, 300, 400))
    made = learnt(select(1, 1, 4) + ours, select(1, 1, 6) + theirs)
    assert (made.object_id("EMAILID", "M1"), made.object_id("THREADID", "T1")) == ("M8", "T8")
    assert (made.object_id("X-GM-MSGID", "100"), made.object_id("X-GM-THRID", "200")) == ("300", "400")
    assert made.modseq("INBOX", 70) == 9


def test_status_tells_of_mailboxes_that_nobody_has_selected() -> None:
    items = "UIDNEXT {} UIDVALIDITY {} HIGHESTMODSEQ {} MAILBOXID ({})"
    ours, theirs = items.format(5, 1, 10, "F1"), items.format(9, 2, 3, "G1")
    said = "C: a STATUS Work (UIDNEXT)\nS: * STATUS Work ({})\nS: a OK x"
    made = learnt(said.format(ours), said.format(theirs))
    assert made.uidnext("Work", 5) == 9
    assert (made.uidvalidity("Work", 1), made.modseq("Work", 10), made.object_id("MAILBOXID", "F1")) == (2, 3, "G1")


def test_quota_roots_are_paired() -> None:
    said = "C: a GETQUOTAROOT INBOX\nS: * QUOTAROOT INBOX {}\nS: a OK x"
    made = learnt(said.format('"User quota"'), said.format("user.bob"))
    assert made.object_id("quota root", "User quota") == "user.bob"


def test_names_are_learnt_from_commands_that_both_servers_carried_out() -> None:
    def said(delimiter: str, made: str, old: str, new: str) -> str:
        return f"""
            C: a LIST "" ""
            S: * LIST () "{delimiter}" ""
            S: a OK x
            C: b CREATE {made}
            S: b OK x
            C: c RENAME {old} {new}
            S: c OK x
        """

    made = learnt(said("/", "Work/", "Work", "Old"), said(".", "W.", "W", "O"))
    assert [made.name(each) for each in ("Old", "Old/a", "Work")] == ["O", "O.a", "Work"]
    assert made.names.recorded("O") == "Old"
    for command in ("STATUS {} (MESSAGES)", "EXAMINE {}", "APPEND {} {{0}}\nS: +\nC: "):
        ours, theirs = command.format("Work"), command.format("W")
        assert learnt(f"C: b {ours}\nS: b OK x", f"C: b {theirs}\nS: b OK x").name("Work") == "W"
    made = learnt("C: b CREATE Work\nS: b OK x", "C: b CREATE W\nS: b NO x")
    assert made.name("Work") == "Work"


def test_messages_go_with_a_mailbox_that_is_renamed() -> None:
    def said(uid: int) -> str:
        rows = fetched("UID FETCH 1 (FLAGS)", *_flags(uid))
        return f"{select(1, 1, 9, mailbox='a')}{rows}\nC: r RENAME a b\nS: r OK x"

    made = learnt(said(3), said(7))
    assert (made.uid("a", 3), made.uid("b", 3)) == (None, 7)


def test_what_was_skipped_counts_for_the_recorded_side() -> None:
    ours = select(3, 1, 30) + fetched("UID FETCH 1:* (FLAGS)", *_flags(10, 20, 29))
    theirs = select(3, 2, 4) + fetched("UID FETCH 1:* (FLAGS)", *_flags(1, 2, 3))
    recorded = told(f"{ours}\nC: x EXPUNGE\nS: * 1 EXPUNGE\nS: x OK x")
    made = Mapping()
    for one, other in zip(recorded, [*told(theirs), None], strict=True):
        made.learn(one, other)
    messages = made.mailboxes.of("INBOX")
    number = made.session(recorded[0]).number
    assert number(1, messages, (2, 3)) == 2, "number 1 was number 2, and is still"
    assert messages.between(1, 99) == [20, 29]


def numbers(recorded: str, replayed: list[str | None], exists: tuple[int, int]) -> list[int | None]:
    """The target's numbers for 1 to 4, after steps of both; a step that was not sent is None."""
    ours, theirs = told(recorded), told("\n".join(step for step in replayed if step))
    made = Mapping()
    answers = iter(theirs)
    for one, step in zip(ours, replayed, strict=True):
        made.learn(one, next(answers) if step else None)
    session = made.session(ours[0])
    return [session.number(number, made.mailboxes.find("INBOX"), exists) for number in range(1, 5)]


NOOP = "C: n NOOP\n{}\nS: n OK x"
GONE, NEW = NOOP.format("S: * 2 EXPUNGE"), NOOP.format("S: * 4 EXISTS")
QUIET = NOOP.format("")


@pytest.mark.parametrize(
    ("recorded", "replayed", "exists", "there"),
    [
        ([], [], (3, 3), [1, 2, 3, None]),
        # one has heard of a new message, the other not yet: the others are where they were
        ([NEW], [QUIET], (4, 3), [1, 2, 3, None]),
        ([QUIET], [NEW], (3, 4), [1, 2, 3, None]),
        ([NEW], [NEW], (4, 4), [1, 2, 3, 4]),
        # one is gone here and not there: what is above it has moved
        ([GONE], [QUIET], (2, 3), [1, None, None, None]),
        ([QUIET], [GONE], (3, 2), [1, None, None, None]),
        ([GONE, QUIET], [QUIET, GONE], (2, 2), [1, 2, None, None]),
        # a step that removed messages was skipped; that there are as many again is chance
        ([GONE, NOOP.format("S: * 3 EXISTS")], [None, QUIET], (3, 3), [1, None, None, None]),
        ([GONE, select(3, 1, 9)], [None, select(3, 2, 9)], (3, 3), [1, 2, 3, None]),
    ],
)
def test_numbers_stay_until_messages_go(
    recorded: list[str], replayed: list[str | None], exists: tuple[int, int], there: list[int | None]
) -> None:
    begun = select(3, 1, 9)
    assert numbers("\n".join([begun, *recorded]), [select(3, 2, 7), *replayed], exists) == there


def _flags(*uids: int) -> list[str]:
    return [f"{number} FETCH (UID {uid} FLAGS ())" for number, uid in enumerate(uids, 1)]


def test_sessions_of_a_user_share_what_is_known_and_not_what_is_selected() -> None:
    ours = select(2, 1, 4) + fetched("UID FETCH 1:* (FLAGS)", *_flags(2, 3))
    theirs = select(2, 2, 9) + fetched("UID FETCH 1:* (FLAGS)", *_flags(7, 8))
    made = learnt(ours, theirs)
    other = "C: {0} SELECT Other\nS: * 0 EXISTS\nS: {0} OK x"
    learnt(other.format("z"), other.format("y"), made, session=2)
    assert uids(made, 2, 3) == [7, 8]
    assert (made.tag(2, b"z"), made.tag(1, b"z")) == (b"y", None)
    mailbox = made.session(told(ours)[0]).recorded.mailbox
    assert mailbox is not None
    assert mailbox.name == "INBOX"


def test_what_comes_late_in_the_recording_is_known_ahead() -> None:
    listed = 'C: l LIST "" "*"\nS: * LIST (\\Sent) "{}" {}\nS: l OK x'
    late = fetched("UID FETCH 3,4 (ENVELOPE)", letter(1, 3, "a"), letter(2, 4, "b"))
    probe = fetched("UID FETCH 1:* (ENVELOPE)", letter(1, 8, "b"), letter(2, 9, "x"), letter(3, 10, "a"))
    made = Mapping()
    for dialogue in told(f"{select(2, 1, 5)}{late}\n{listed.format('/', 'Outbox')}"):
        made.foresee(dialogue)
    for dialogue in told(f"{select(3, 2, 11)}{probe}\n{listed.format('.', 'Gesendet')}"):
        made.probe(dialogue)
    learnt(select(2, 1, 5), select(3, 2, 11), made)
    assert uids(made, 3, 4) == [10, 8]
    assert made.name("Outbox") == "Gesendet"


class _Literals:
    """Bodies of a script, each known by its size and its hash."""

    def __init__(self, bodies: dict[int, str]) -> None:
        self._bodies = bodies

    def content(self, direction: Direction, start: int, size: int) -> Iterator[bytes] | None:
        raise NotImplementedError

    def digest(self, direction: Direction, start: int, size: int) -> str | None:
        return self._bodies.get(size) if direction is Direction.SERVER and start > 0 else None


@pytest.mark.parametrize(("theirs", "uid"), [("d1", 6), ("d2", None)])
def test_large_bodies_are_known_by_their_hash(theirs: str, uid: int | None) -> None:
    def said(exists: int, uid: int, size: int) -> list[Dialogue]:
        body = f"S: * 1 FETCH (UID {uid} BODY[] {{{size}}}\nS: {'x' * (size - 2)}\nS: )"
        return told(f"{select(exists, 1, 9)}\nC: f UID FETCH {uid} (BODY[])\n{body}\nS: f OK x")

    made = Mapping()
    for one, other in zip(said(5, 5, 5000), said(6, 6, 5001), strict=True):
        made.learn(one, other, (_Literals({5000: "d1"}), _Literals({5001: theirs})))
    assert made.uid("INBOX", 5) == uid


def test_who_put_messages_and_mailboxes_there_may_tell() -> None:
    made = Mapping()
    made.names.pair("Work", "scratch.Work")
    made.tell_uids("Work", (1, 7), [(3, 30), (4, 31)])
    assert (made.name("Work"), made.uid("Work", 4), made.uidvalidity("Work", 1)) == ("scratch.Work", 31, 7)


@pytest.mark.parametrize("apart", [1, 7, 20])
def test_steps_that_do_not_belong_together_do_no_harm(apart: int) -> None:
    scripts = [of_script(load(path)) for path in everything()]
    for ours, theirs in zip(scripts, scripts[apart:] + scripts[:apart], strict=True):
        made = Mapping()
        for one, other in zip(ours, theirs, strict=False):
            made.foresee(one)
            made.probe(other)
            made.learn(one, other)
            made.learn(other, None)
