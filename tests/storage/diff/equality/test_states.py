"""What is not in one answer alone: greetings, mailboxes that are left, times, dates of now, commands in flight."""

from __future__ import annotations

import pytest

from storage.diff.equality import Context, compare
from storage.diff.values import Comparison, Difference, Kind
from tests.storage.diff.equality.rows import Row, compared
from tests.storage.diff.telling import Pairs, told

GREETING = "S: * PREAUTH hello\n"
OPENED = GREETING + "C: s SELECT INBOX\nS: * 4 EXISTS\nS: s OK done\n"


def all_of(left: str, right: str, context: Context | None = None) -> list[Comparison]:
    """Two sessions, pair by pair."""
    context = context or Context()
    pairs = zip(told(left).dialogues, told(right).dialogues, strict=True)
    return [compare(one, other, context) for one, other in pairs]


def differences(left: str, right: str, context: Context | None = None) -> list[str]:
    """What differs in two sessions, as "kind where: left, right"."""
    found = [each for comparison in all_of(left, right, context) for each in comparison.differences]
    return [f"{each.kind} {each.where}: {each.left}, {each.right}" for each in found]


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("* OK hi", "* OK hello", []),
        ("* OK hi", "* PREAUTH hi", ["status greeting: OK hi, PREAUTH hi"]),
        ("* OK [CAPABILITY A B] hi", "* OK [CAPABILITY B A] hi", []),
        ("* OK [CAPABILITY A B] hi", "* OK hi", []),
        ("* OK [CAPABILITY A B] hi", "* OK [CAPABILITY A] hi", ["capability greeting [CAPABILITY]: B, None"]),
        ("* OK [REFERRAL imap://a] hi", "* OK hi", ["code greeting [REFERRAL]: REFERRAL imap://a, None"]),
    ],
)
def test_greetings(left: str, right: str, expected: list[str]) -> None:
    script = "S: {}\nC: a NOOP\nS: a OK done"
    assert differences(script.format(left), script.format(right)) == expected


LEFT = "C: z CLOSE\nS: z OK done\n"
KNOWN = "C: k FETCH 2 UID\nS: * 2 FETCH (UID 2)\nS: k OK x\n"
ASKED = "C: l FETCH 2 FLAGS\nS: * 2 FETCH (FLAGS (\\Seen))\nS: l OK x\n"
CASES = {
    "news on both sides, sooner or later": (
        "C: a NOOP\nS: * 5 EXISTS\nS: a OK x\nC: b NOOP\nS: b OK x\n",
        "C: a NOOP\nS: a OK x\nC: b NOOP\nS: * 5 EXISTS\nS: b OK x\n",
        [],
    ),
    "news that only one side has": (
        "C: a NOOP\nS: * 5 EXISTS\nS: a OK x\n",
        "C: a NOOP\nS: a OK x\n",
        ["value INBOX EXISTS when it is left: 5, 4"],
    ),
    "messages that went as news": (
        "C: a NOOP\nS: * 2 EXPUNGE\nS: a OK x\n",
        "C: a NOOP\nS: a OK x\n",
        ["value INBOX EXISTS when it is left: 3, 4"],
    ),
    "an answer that is missing is told once": (
        "C: a EXPUNGE\nS: * 2 EXPUNGE\nS: a OK x\n",
        "C: a EXPUNGE\nS: a OK x\n",
        ["missing EXPUNGE: 2, None"],
    ),
    "flags told unasked, sooner or later": (
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS (\\Seen))\nS: a OK x\nC: b NOOP\nS: b OK x\n",
        KNOWN + "C: a NOOP\nS: a OK x\nC: b NOOP\nS: * 2 FETCH (FLAGS (\\seen))\nS: b OK x\n",
        [],
    ),
    "flags told unasked, between commands": (
        KNOWN + "S: * 2 FETCH (FLAGS (\\Seen \\Recent))\nC: b NOOP\nS: b OK x\n",
        KNOWN + "C: b NOOP\nS: * 2 FETCH (FLAGS (\\Seen))\nS: b OK x\n",
        [],
    ),
    "flags told to one side only": (
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS (\\Seen))\nS: a OK x\nC: b NOOP\nS: b OK x\n",
        KNOWN + "C: a NOOP\nS: a OK x\nC: b NOOP\nS: b OK x\n",
        ["missing INBOX UID 2 FLAGS when it is left: (\\SEEN), None"],
    ),
    "other flags": (
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS (\\Seen))\nS: a OK x\n",
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS ())\nS: a OK x\n",
        ["value INBOX UID 2 FLAGS when it is left: (\\SEEN), ()"],
    ),
    "flags that are asked for later": (
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS (\\Seen))\nS: a OK x\n" + ASKED,
        KNOWN + "C: a NOOP\nS: a OK x\n" + ASKED,
        [],
    ),
    "flags that change again": (
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS (x))\nS: * 2 FETCH (FLAGS (y))\nS: a OK x\n",
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS (y))\nS: a OK x\n",
        [],
    ),
    "flags of a message that went": (
        KNOWN + "C: a NOOP\nS: * 2 FETCH (FLAGS (\\Deleted))\nS: a OK x\nC: b NOOP\nS: * 2 EXPUNGE\nS: b OK x\n",
        KNOWN + "C: a NOOP\nS: a OK x\nC: b NOOP\nS: * VANISHED 2\nS: b OK x\n",
        [],
    ),
    "EXPUNGE and VANISHED": (
        "C: a EXPUNGE\nS: * 2 EXPUNGE\nS: a OK x\n",
        "C: a EXPUNGE\nS: * VANISHED 20\nS: a OK x\n",
        [],
    ),
}


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("leave", [LEFT, LEFT.replace("CLOSE", "SELECT b"), LEFT.replace("CLOSE", "LOGOUT")])
def test_mailboxes_are_compared_when_they_are_left(case: str, leave: str) -> None:
    left, right, expected = CASES[case]
    assert differences(OPENED + left + leave, OPENED + right + leave) == expected


def test_another_number_of_messages_is_told_once() -> None:
    other = OPENED.replace("4 EXISTS", "5 EXISTS")
    assert differences(OPENED + LEFT, other + LEFT) == ["value EXISTS: 4, 5"]


def test_a_mailbox_that_is_selected_again_starts_anew() -> None:
    again = "C: t SELECT INBOX\nS: * 5 EXISTS\nS: t OK done\n"
    other = OPENED.replace("4 EXISTS", "5 EXISTS")
    assert differences(OPENED + again + LEFT, other + again + LEFT) == ["value EXISTS: 4, 5"]


def test_what_was_said_between_two_commands_is_let_pass_as_news() -> None:
    left = OPENED + "S: * 5 EXISTS\nC: a NOOP\nS: a OK x\n"
    right = OPENED + "C: a NOOP\nS: * 5 EXISTS\nS: a OK x\n"
    found = all_of(left, right)
    assert [each.differences for each in found] == [(), ()]
    assert {each.rule for each in found[1].passes} == {"unsolicited"}


def test_times_are_compared_when_their_rule_is_switched_off() -> None:
    (left,) = told(GREETING + "C: a NOOP\nS: a OK x").dialogues
    late = left._replace(exchange=left.exchange._replace(ended=left.exchange.started + 500_000))
    assert compare(left, late) == Comparison()
    off = Context(off=frozenset({"timing"}))
    assert compare(left, late, off).differences == (Difference(Kind.TIMING, "time", "1.0 ms", "500.0 ms"),)
    assert compare(late, late, off) == Comparison()
    soon = left._replace(exchange=left.exchange._replace(ended=left.exchange.started + 90_000))
    assert compare(left, soon, off) == Comparison()


@pytest.mark.parametrize(
    ("left", "right", "passes"),
    [
        ("10:00:01", "11:00:02", True),
        ("10:00:01", "12:30:00", False),
        ("09:00:02", "10:00:02", True),
        ("08:59:57", "11:00:02", False),
        ("10:00:01", "10:00:01", True),
    ],
)
def test_dates_that_servers_have_chosen_now(left: str, right: str, passes: bool) -> None:
    script = 'C: a FETCH 1 INTERNALDATE\nS: * 1 FETCH (INTERNALDATE "14-Nov-2023 {} +0000")\nS: a OK done'
    dialogues = [told(OPENED + script.format(time)).dialogues[-1] for time in (left, right)]
    pair = [each._replace(exchange=each.exchange._replace(started=5_000_000, ended=6_000_000)) for each in dialogues]
    ten = 1_699_956_000_000_000
    known = compare(pair[0], pair[1], Context(began=(ten, ten + 3_600_000_000)))
    assert bool(known.differences) is not passes
    assert [each.rule for each in known.passes] == (["internal date"] if passes and left != right else [])
    earlier = Context(began=(ten, ten + 3_600_000_000), since=(ten - 60_000_000, ten + 3_540_000_000))
    assert bool(compare(pair[0], pair[1], earlier).differences) is (right == "12:30:00")
    unknown = compare(pair[0], pair[1])
    assert bool(unknown.differences) is (left != right)


def test_what_may_belong_to_another_command_in_flight_is_let_pass() -> None:
    flight = "C: a FETCH 1:4 FLAGS\nC: b FETCH 1:4 FLAGS\n{}S: a OK x\nS: b OK x\n"
    left = OPENED + flight.format("S: * 1 FETCH (FLAGS ())\nS: * 2 FETCH (FLAGS ())\n")
    right = OPENED + flight.format("S: * 1 FETCH (FLAGS ())\n")
    found = all_of(left, right)
    assert [each.differences for each in found] == [(), (), ()]
    assert [each.rule for each in found[1].passes] == ["ambiguous"]
    assert differences(left, right, Context(off=frozenset({"ambiguous"}))) == ["missing FETCH 2: FLAGS, None"]


def test_as_many_answers_to_commands_in_flight_are_compared() -> None:
    flight = "C: a FETCH 1:4 FLAGS\nC: b FETCH 1:4 FLAGS\nS: * 1 FETCH (FLAGS ({}))\nS: a OK x\nS: b OK x\n"
    found = differences(OPENED + flight.format("x"), OPENED + flight.format("y"))
    assert found == ["value FETCH 1 FLAGS: x, y"]


def test_continuations() -> None:
    left = GREETING + "C: a APPEND a {3}\nS: + go\nC: abc\nS: a OK x\n"
    right = GREETING + "C: a APPEND a {3+}\nC: abc\nS: a OK x\n"
    (found,) = all_of(left, right)
    assert (found.differences, [each.rule for each in found.passes]) == ((), ["continuation"])


def test_a_literal_that_was_refused_is_the_cause() -> None:
    left = GREETING + "C: a APPEND a {3}\nS: + go\nC: abc\nS: a OK x\n"
    right = GREETING + "C: a APPEND a {3}\nS: a NO too big\n"
    (difference,) = (each for found in all_of(left, right) for each in found.differences)
    assert (difference.kind, difference.cause) == (Kind.STATUS, "The right server refused the literal.")


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("S: a OK x", "S: * BYE out", ["status completion: OK x, ended by BYE"]),
        ("S: a OK x", "", ["status completion: OK x, incomplete"]),
        ("", "", []),
        ("S: a OK x", "S: a FOO x", ["status completion: OK x, FOO"]),
    ],
)
def test_a_command_without_an_end(left: str, right: str, expected: list[str]) -> None:
    script = GREETING + "C: a CHECK\n{}"
    assert differences(script.format(left), script.format(right)) == expected


def test_no_mailbox_on_one_side_is_the_cause() -> None:
    right = OPENED.replace("S: * 4 EXISTS\nS: s OK done", "S: s NO no")
    found = all_of(OPENED + "C: a CHECK\nS: a OK x\n", right + "C: a CHECK\nS: a BAD x\n")
    assert found[1].differences[0].cause == "No mailbox is selected on the right side."


def test_a_difference_of_capabilities_is_told_once() -> None:
    script = "S: * OK [CAPABILITY A{0}] hi\nC: a CAPABILITY\nS: * CAPABILITY A{0}\nS: a OK x\n"
    script += (
        "C: b LOGIN bob secret\nS: b OK [CAPABILITY A{0}{1}] in\nC: c CAPABILITY\nS: * CAPABILITY A{0}{1}\nS: c OK x\n"
    )
    left, right, context = script.format(" B", " D"), script.format("", " C"), Context()
    expected = ["capability greeting [CAPABILITY]: B, None", "capability OK [CAPABILITY]: B D, C"]
    assert differences(left, right, context) == expected
    assert differences(left, right, context) == [], "nor in another session"
    assert len(differences(left, right, Context(off=frozenset({"told before"})))) == 4


def test_a_mailbox_is_that_of_the_command_while_it_is_selected() -> None:
    script = OPENED + "C: t SELECT b (QRESYNC (7 1))\nS: * 1 EXISTS\nS: * OK [UIDVALIDITY {1}] x\n"
    script += "S: * 1 FETCH (UID {0} FLAGS (\\Seen) MODSEQ (5))\nS: t OK x\n"
    pairs = Pairs({"INBOX": {1: 2}, "b": {1: 5}})
    assert differences(script.format(1, 7), script.format(5, 8), Context(pairs)) == []
    assert differences(script.format(1, 7), script.format(1, 8), Context(pairs)) == ["value FETCH 1 UID: 1, 1"]


def test_a_number_that_no_message_has_is_the_cause_of_a_refusal() -> None:
    right = OPENED.replace("4 EXISTS", "3 EXISTS")
    causes = {
        "C: a COPY 4 b": "The mailbox has 4 messages on the left side, 3 on the right.",
        "C: a DELETE b": "",
    }
    for command, cause in causes.items():
        found = all_of(f"{OPENED}{command}\nS: a OK x\n", f"{right}{command}\nS: a NO x\n")
        assert found[1].differences[0].cause == cause


@pytest.mark.parametrize(
    ("command", "lacking"),
    [
        ("UID SEARCH RETURN (SAVE) ALL", "SEARCHRES"),
        ("FETCH $ FLAGS", "SEARCHRES"),
        ("SEARCH RETURN (PARTIAL 1:2) ALL", "CONTEXT=SEARCH"),
        ("SEARCH RETURN () ALL", "ESEARCH CONTEXT=SEARCH"),
        ('LIST "" * RETURN (STATUS (MESSAGES))', "LIST-STATUS"),
        ('LIST (SUBSCRIBED) "" *', "LIST-EXTENDED"),
        ("FETCH 1 (FLAGS) (CHANGEDSINCE 1)", "CONDSTORE QRESYNC"),
        ("FETCH 1 BINARY.PEEK[1]", "BINARY"),
        ("FETCH 1 (FLAGS PREVIEW)", "PREVIEW"),
        ("SELECT b (QRESYNC (1 2))", "QRESYNC"),
        ("CREATE b (USE (\\Sent))", "CREATE-SPECIAL-USE"),
        ("STATUS b (MAILBOXID)", "OBJECTID"),
        ("MOVE 1 b", "MOVE"),
    ],
)
def test_a_capability_that_a_command_needs_is_the_cause(command: str, lacking: str) -> None:
    (difference,) = compared(Row(command, "x OK done", "x BAD what", lacking=lacking)).differences
    assert difference.kind is Kind.STATUS
    assert difference.cause.startswith("The right server does not offer ")
    assert compared(Row(command, "x OK done", "x BAD what")).differences[0].cause == ""


def test_tags_in_codes_are_let_pass() -> None:
    script = GREETING + 'C: {0} SEARCH RETURN (UPDATE) ALL\nS: {0} OK [NOUPDATE "{0}"] x\n'
    (found,) = all_of(script.format("a"), script.format("b"))
    assert (found.differences, [each.rule for each in found.passes]) == ((), ["tag in a code"])


def test_passes_of_one_rule_are_counted_beyond_a_limit() -> None:
    lists = "".join(f'S: * LIST () "{{0}}" box{number}\n' for number in range(50))
    script = GREETING + 'C: a LIST "" *\n' + lists + "S: a OK x\n"
    (found,) = all_of(script.format("/"), script.format("."))
    assert found.differences == ()
    assert len(found.passes) == 21
    assert (found.passes[-1].rule, found.passes[-1].where) == ("mailbox delimiter", "30 more")
