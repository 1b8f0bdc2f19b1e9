"""`imaptap diff`: recordings told as scripts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from imaptap.diffing import group as comparing
from imaptap.diffing import run as running
from proxy.imap.transcript import Event, EventKind, Exchange, Origin, Piece
from storage import Writer, open_store
from storage.diff.equality import RULES
from tests.imaptap.telling import LETTER, C, S, Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record
    from tests.imaptap.cli.conftest import Program

OLD = r"""
S: * OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS QRESYNC] Old ready
C: a1 LOGIN bob secret
S: a1 OK [CAPABILITY IMAP4rev1 IDLE UIDPLUS QRESYNC SORT] Logged in
C: a2 SELECT INBOX
S: * FLAGS (\Seen \Deleted)
S: * 3 EXISTS
S: * OK [UIDVALIDITY 11] ok
S: a2 OK [READ-WRITE] done
C: a3 UID FETCH 1:* (FLAGS RFC822.SIZE)
S: * 1 FETCH (UID 5 FLAGS (\Seen) RFC822.SIZE 100)
S: * 2 FETCH (UID 6 FLAGS () RFC822.SIZE 200)
S: * 3 FETCH (UID 7 FLAGS () RFC822.SIZE 300)
S: a3 OK done
C: a4 NOOP
S: a4 OK done
C: a5 UID SEARCH UNSEEN
S: * SEARCH 6 7
S: a5 OK done
C: a6 LOGOUT
S: * BYE bye
S: a6 OK done
"""


def elsewhere(*changes: tuple[str, str]) -> str:
    """The same at another server: other UIDs, words and order; and what is to be changed besides."""
    script = OLD
    for one, other in (
        ("UID 5 ", "UID 25 "), ("UID 6 ", "UID 26 "), ("UID 7 ", "UID 27 "), ("SEARCH 6 7", "SEARCH 27 26"),
        ("UIDVALIDITY 11", "UIDVALIDITY 99"), ("OK done", "OK fine, thank you"), ("Old", "New"),
        ("* FLAGS (\\Seen \\Deleted)\nS: * 3 EXISTS", "* 3 EXISTS\nS: * FLAGS (\\Deleted \\Seen)"), *changes,
    ):  # fmt: skip
        assert one in script
        script = script.replace(one, other)
    return script


def told(program: Program, **scripts: str) -> None:
    """Recordings by name, of a session each."""
    for name, script in scripts.items():
        recorded(program.db, Tale().say(script).end(), name=name)


def document(program: Program, *words: str) -> Any:
    """What it finds, as JSON."""
    return json.loads(program("diff", *words, "--format", "json").stdout)


def found(program: Program, *words: str) -> list[tuple[str, str, str | None, str | None]]:
    """All differences."""
    return [
        (each["kind"], each["where"], each["left"], each["right"])
        for session in document(program, *words)["sessions"]
        for exchange in session["exchanges"]
        for each in exchange["differences"]
    ]


# --- what is compared -----------------------------------------------------------------------------------------------


def test_two_servers_that_say_the_same(program: Program) -> None:
    """In other words, with other UIDs."""
    told(program, old=OLD, new=elsewhere())
    lines = program.lines("diff", "old", "new")
    assert lines[-1] == "Equal: no differences in 6 exchanges."
    assert found(program, "old/1", "new/1") == found(program, "new", "old") == []


def test_what_differs_is_told_side_by_side(program: Program) -> None:
    """With the exchange, the class, the place, and both values."""
    told(program, old=OLD, new=elsewhere(("RFC822.SIZE 300", "RFC822.SIZE 301")))
    done = program("diff", "old", "new")
    assert (done.exit_code, done.stderr) == (1, "")
    assert [line for line in done.stdout.splitlines() if "│" in line or "RFC822.SIZE" in line][2:] == [
        f"{'old/1':<58} │ new/1",
        f"{'  ≠ 3 UID FETCH 1:* (FLAGS RFC822.SIZE)  OK':<58} │   ≠ 3 UID FETCH 1:* (FLAGS RFC822.SIZE)  OK",
        "    value FETCH 3 RFC822.SIZE",
        f"{'      300':<58} │       301",
    ]
    assert "  = 3 equal: NOOP, UID SEARCH, LOGOUT" in done.stdout
    assert done.stdout.endswith("\n1 difference in 6 exchanges.\n")


def test_commands_that_only_one_of_the_two_has(program: Program) -> None:
    """One is missing, one is extra, one is nearly the same."""
    noop = "C: a4 NOOP\nS: a4 OK fine, thank you\n"
    told(
        program, old=OLD, new=elsewhere((noop, ""), ("UNSEEN", "NOT SEEN"), ("C: a6", "C: x LIST a b\nS: x OK\nC: a6"))
    )
    assert found(program, "old", "new") == [
        ("missing", "exchange", "NOOP", None),
        ("value", "command", "UID SEARCH UNSEEN", "UID SEARCH NOT SEEN"),
        ("extra", "exchange", None, "LIST a b"),
    ]


def test_capabilities_come_first(program: Program) -> None:
    """Which words only one server has, and when."""
    told(program, old=OLD, new=elsewhere((" QRESYNC", ""), ("UIDPLUS SORT", "UIDPLUS SORT COMPRESS=DEFLATE")))
    words = document(program, "old", "new")["capabilities"]
    never, always = {"before_login": False, "after_login": False}, {"before_login": True, "after_login": True}
    later = never | {"after_login": True}
    assert {word["name"]: (word["left"], word["right"]) for word in words} == {
        "COMPRESS=DEFLATE": (never, later),
        "IDLE": (always, always),
        "IMAP4REV1": (always, always),
        "QRESYNC": (always, never),
        "SORT": (later, later),
        "UIDPLUS": (always, always),
    }
    lines = program("diff", "old", "new").stdout.splitlines()
    assert lines[3:8] == [
        "capabilities of both: IDLE IMAP4REV1 SORT UIDPLUS",
        f"{'COMPRESS=DEFLATE: -':<58} │ COMPRESS=DEFLATE: after login",
        f"{'QRESYNC: yes':<58} │ QRESYNC: -",
        "only A: 1, only B: 1",
        "",
    ]


def test_sessions_find_their_counterparts(program: Program) -> None:
    """By who logs in, whatever their order; one that is left over is told of."""
    eve = OLD.replace("bob", "eve")
    recorded(program.db, Tale(1).say(OLD).end(), Tale(2).say(eve).end(), Tale(3).say(eve).end(), name="old")
    recorded(program.db, Tale(1).say(eve).end(), Tale(2).say(OLD).end(), name="new")
    told_of = document(program, "old", "new")
    pairs = [(session["left"], session["right"]) for session in told_of["sessions"]]
    assert pairs == [("old/1", "new/2"), ("old/2", "new/1"), ("old/3", None)]
    assert told_of["kinds"] == {"missing": 1}
    assert program("diff", "old", "new").exit_code == 1


def test_what_imaptap_itself_has_said_is_left_out(program: Program) -> None:
    """A CAPABILITY of its own is no command of the client's."""
    tale = Tale().say("S: * OK hello\nC: a NOOP")
    records = tale.say("S: a OK done").end()
    recorded(program.db, [*records[:-1], *_by_the_proxy(records), records[-1]], name="asked")
    recorded(program.db, Tale().say("S: * OK hello\nC: a NOOP\nS: a OK done").end(), name="plain")
    assert found(program, "asked", "plain") == []


def _by_the_proxy(records: list[Record]) -> list[Record]:
    last = next(record for record in reversed(records) if isinstance(record, Exchange))
    return [last._replace(number=2, tag="imaptap1", command="CAPABILITY", origin=Origin.PROXY)]


def test_letters_that_were_not_kept_are_compared_by_their_hashes(program: Program) -> None:
    """Their hashes were, so those that are the same are known to be, and those that are not."""
    for name, letter in (("one", LETTER), ("same", LETTER), ("other", LETTER[:-5] + b"ABC\r\n")):
        tale = Tale().say("S: * PREAUTH hi\nC: a SELECT x\nS: * 1 EXISTS\nS: a OK done\nC: b FETCH 1 BODY[]")
        tale.send(S, f"* 1 FETCH (BODY[] {{{len(letter)}}}\r\n".encode(), letter, b")\r\nb OK done\r\n")
        recorded(program.db, tale.end(), name=name, max_literal=4096)
    assert found(program, "one", "same") == []
    assert [difference[:2] for difference in found(program, "one", "other")] == [("value", "FETCH 1 BODY[]")]


def test_masked_content_is_not_compared(program: Program) -> None:
    """That is said, and is no difference."""
    for name in ("one", "two"):
        tale = Tale().say("S: * PREAUTH hi\nC: a SELECT x\nS: * 1 EXISTS\nS: a OK done\nC: b FETCH 1 BODY[]")
        tale.send(S, f"* 1 FETCH (BODY[] {{{len(LETTER)}}}\r\n".encode(), LETTER, b")\r\nb OK done\r\n")
        recorded(program.db, [*tale.end()[:-1], _mask(tale), tale.records[-1]], name=name)
    shown = document(program, "one", "two")
    assert (shown["kinds"], shown["equal"]) == ({}, True)
    assert shown["reasons"] == {"content that was not kept could not be compared": 1}


LETTERS = 25


@pytest.fixture
def without_letters(program: Program, tmp_path: Path) -> Program:
    """Two recordings of the same letters, and one of others that are as long, all with no letter in them."""
    for name, word in (("one", "same"), ("two", "same"), ("other", "else")):
        short, long = (f"Subject: x\r\n\r\n{word * times}".encode() for times in (10, 2000))
        tale = Tale().say("S: * PREAUTH hi\nC: a SELECT x\nS: * 25 EXISTS\nS: a OK done\nC: b FETCH 1:25 BODY[]")
        for number in range(1, LETTERS + 1):
            tale.send(S, f"* {number} FETCH (BODY[] {{{len(short)}}}\r\n".encode(), short, b")\r\n")
        tale.say(f"S: b OK done\nC: c FETCH 1 BODY[TEXT]\nS: * 1 FETCH (BODY[TEXT] {{{len(long)}}}").send(S, long)
        recorded(program.db, tale.say("S: )\nS: c OK done\nC: d NOOP\nS: d OK").end(), name=name)
        program.lines("export", name, "--format", "cassette", "-o", str(tmp_path / f"{name}.cassette"))
        for policy in ("none", "headers", "hash"):
            program.lines(
                "import", str(tmp_path / f"{name}.cassette"), "--bodies", policy, "--name", f"{name}-{policy}"
            )
    return program


@pytest.mark.parametrize("policy", ["none", "headers"])
@pytest.mark.parametrize("right", ["two", "other"])
def test_letters_that_were_not_kept_are_told_of(without_letters: Program, policy: str, right: str) -> None:
    """They are as long on both sides, and masked alike; how many there are, beyond those told one by one, too."""
    shown = document(without_letters, f"one-{policy}", f"{right}-{policy}")
    assert (shown["kinds"], shown["equal"], shown["not_kept"]) == ({}, True, LETTERS + 1)
    assert shown["reasons"] == {"content that was not kept could not be compared": 2}
    said = "Equal: no differences in 4 exchanges. 26 contents that were not kept could not be compared."
    assert shown["verdict"] == said
    for form in ("text", "html", "markdown", "junit"):
        told = without_letters.lines("diff", f"one-{policy}", f"{right}-{policy}", "--format", form)
        assert "26 contents that were not kept could not be compared." in " ".join(told)
    suite = ET.fromstring("\n".join(told))  # noqa: S314
    outs = [case.findtext("system-out") for case in suite.iter("testcase")]
    assert outs.count("content that was not kept could not be compared") == 2
    assert not list(suite.iter("failure"))


def test_large_ones_are_compared_by_their_hashes(without_letters: Program) -> None:
    """Of short ones, which are masked, nobody compares them."""
    assert document(without_letters, "one-hash", "two-hash")["not_kept"] == LETTERS
    other = document(without_letters, "one-hash", "other-hash")
    assert (other["kinds"], other["not_kept"]) == ({"value": 1}, LETTERS)
    assert document(without_letters, "one", "two")["not_kept"] == 0


def _mask(tale: Tale) -> Event:
    """A secret in the letter."""
    start = (
        sum(len(record.data) for record in tale.records if isinstance(record, Piece) and record.direction is S) - 4000
    )
    return Event(1, tale.at, EventKind.SECRET, "token", "", S, start, 10)


def test_answers_that_are_too_long_are_said_not_to_be_compared(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not held in memory; what comes after them is compared as ever."""
    told(program, old=OLD, new=elsewhere(("SIZE 300", "SIZE 301"), ("SEARCH 27 26", "SEARCH 27")))
    monkeypatch.setattr(comparing, "TEXT_MOST", 120)
    shown = document(program, "old", "new")
    assert shown["states"] == {"equal": 4, "different": 1, "not compared": 1}
    assert shown["reasons"] == {"its answers are too long to be held in memory side by side": 1}
    assert [each[:2] for each in found(program, "old", "new")] == [("missing", "SEARCH")]


# --- replays --------------------------------------------------------------------------------------------------------


def test_a_replay_is_compared_by_its_steps(program: Program) -> None:
    """Whatever the commands are; what was not sent has its reason, and is no difference."""
    recorded(program.db, Tale().say(OLD).end(), name="old")
    tale = Tale().say("S: * OK hi\nC: p1 CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: p1 OK done")
    tale.happen(EventKind.STEP, "replay of", "1")
    sent = [
        ("2", "SELECT Inbox2", "* 3 EXISTS"),
        ("5", "UID SEARCH UNSEEN", "* SEARCH 6 7"),
        ("6", "LOGOUT", "* BYE x"),
    ]
    tale.happen(EventKind.STEP, "skipped", "1: the password is not known")
    tale.happen(EventKind.STEP, "sent", "3: UID 4 → 17", C, (10_000, 20))  # and nothing is recorded of it
    tale.happen(EventKind.STEP, "extra", "a login that was not recorded", C, (0, 15))
    tale.happen(EventKind.STEP, "not reached", "4: step 3 was answered otherwise")
    start = len(b"p1 CAPABILITY\r\n")
    for number, command, answer in sent:
        line = f"r{number} {command}"
        tale.happen(EventKind.STEP, "sent", f"{number}: name INBOX → Inbox2", C, (start, len(line) + 2))
        tale.say(f"C: {line}\nS: {answer}\nS: r{number} OK done")
        start += len(line) + 2
    _replayed(program.db, tale.end(), "again")
    shown = document(program, "old", "again")
    (session,) = shown["sessions"]
    assert [
        (each["left"] and each["left"]["exchange"], each["right"] and each["right"]["exchange"], each["reason"])
        for each in session["exchanges"]
    ] == [
        (1, None, "the password is not known"),
        (2, 2, ""),
        (3, None, "it was sent, and nothing is recorded of it"),
        (4, None, "step 3 was answered otherwise"),
        (5, 3, ""),
        (6, 4, ""),
    ]
    assert shown["states"] == {"different": 1, "equal": 2, "not compared": 3}
    assert shown["reasons"]["the password is not known"] == 1


def _replayed(db: Path, records: list[Record], name: str) -> None:
    with open_store(db, create=True) as store:
        writer = Writer(store, name, version="0.1.0", settings="a replay")
        writer.put(Event(None, 0, EventKind.STEP, "replay of", "1 old imaps://new.example.org"))
        writer.put(*records)
        writer.close()
        assert not writer.failed


# --- rules ----------------------------------------------------------------------------------------------------------


def test_noise_is_learned_shown_and_let_pass(program: Program) -> None:
    """What differs between two runs at the old server says nothing about the new one."""
    flagged = (r"UID 5 FLAGS (\Seen)", "UID 5 FLAGS ()")
    told(
        program, old=OLD, again=OLD.replace(*flagged),
        new=elsewhere((r"UID 25 FLAGS (\Seen)", "UID 25 FLAGS ()"), ("SIZE 300", "SIZE 301")),
    )  # fmt: skip
    assert len(found(program, "old", "new")) == 2
    assert found(program, "old", "new", "--noise", "again") == [("value", "FETCH 3 RFC822.SIZE", "300", "301")]
    shown = program("diff", "old", "new", "--noise", "again").stdout
    assert "noise: UID FETCH, FETCH * FLAGS (missing): moved by itself in 1 of 1, let pass in 1 of 1" in shown


def test_rules_are_saved_edited_and_used(program: Program, tmp_path: Path) -> None:
    """A file that people can read; what is switched off in it is off."""
    rules = tmp_path / "rules.toml"
    told(program, old=OLD, again=OLD.replace("SIZE 300", "SIZE 999"), new=elsewhere(("SIZE 300", "SIZE 301")))
    words = ("diff", "old", "new", "--rules", str(rules))
    program("diff", "old", "new", "--noise", "again", "--save-rules", str(rules))
    assert rules.stat().st_mode & 0o777 == 0o600
    assert 'where = "FETCH * RFC822.SIZE"' in rules.read_text()
    assert program(*words).exit_code == 0
    assert program(*words, "--no-noise").exit_code == 1
    rules.write_text(rules.read_text().replace("off = []", 'off = ["uidvalidity"]'))
    assert found(program, *words[1:]) == [("value", "* OK [UIDVALIDITY]", "11", "99")]


@pytest.mark.parametrize(
    ("words", "kinds"),
    [((), set[str]()), (("--text",), {"text"}), (("--no-rule", "UIDVALIDITY"), {"value"}), (("--timing",), {"timing"})],
)
def test_classes_and_rules_can_be_switched(program: Program, words: tuple[str, ...], kinds: set[str]) -> None:
    """Words for people and times are of no interest until they are asked for."""
    slow = Tale().say(elsewhere().split("C: a6")[0].strip() + "\nC: a6 LOGOUT")
    slow.at += 500_000
    recorded(program.db, Tale().say(OLD).end(), name="old")
    recorded(program.db, slow.say("S: * BYE bye\nS: a6 OK fine, thank you").end(), name="new")
    assert set(document(program, "old", "new", *words)["kinds"]) == kinds


def test_rules_are_explained(program: Program) -> None:
    """All there are; and after a comparison those that let something pass."""
    told(program, old=OLD, new=elsewhere())
    listed = program("diff", "--explain").stdout
    assert all(f"\n{rule.rule.value} " in listed for rule in RULES)
    explained = program("diff", "old", "new", "--explain").stdout
    assert "let pass 1 times by uidvalidity: UIDVALIDITY, where" in explained
    assert "    * OK [UIDVALIDITY]: 11 / 99" in explained


# --- forms ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["text", "json", "html", "markdown", "junit"])
def test_each_form_goes_to_a_file_or_to_stdout(program: Program, tmp_path: Path, form: str) -> None:
    """The same text; a new file is for its owner's eyes."""
    told(program, old=OLD, new=elsewhere(("SIZE 300", "SIZE 301")))
    file = tmp_path / "report"
    printed = program("diff", "old", "new", "--format", form)
    assert printed.exit_code == program("diff", "old", "new", "--format", form, "-o", str(file)).exit_code == 1
    assert file.read_text() == printed.stdout
    assert file.stat().st_mode & 0o777 == 0o600
    assert "RFC822.SIZE" in printed.stdout
    if form == "junit":
        assert ET.fromstring(printed.stdout).get("failures") == "1"  # noqa: S314  our own


def test_hostile_names_go_to_no_terminal(program: Program) -> None:
    """They are shown as escapes."""
    asked, name = "C: a4 LIST * *\n", 'S: * LIST () "/" "\x1b[31m\x9b<b>"\n'
    told(program, old=OLD.replace("C: a4 NOOP\n", asked), new=elsewhere(("C: a4 NOOP\n", asked + name)))
    shown = program("diff", "old", "new").stdout
    assert "\x1b" not in shown
    assert r"\x1b[31m" in shown


# --- processes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [("ann", "bob", "eve"), ("bob", "bob", "bob"), ("ann", "bob", "bob")])
def test_several_processes_find_the_same(
    program: Program, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    """In the same order, whether each compares users of its own or two read for one; some sessions are alone."""
    users = [OLD.replace("bob", name) for name in names]
    others = [elsewhere(("SIZE 300", f"SIZE 30{place}"), ("bob", name)) for place, name in enumerate(names)]
    for name, scripts in (("old", [*users, OLD.replace("bob", "zoe")]), ("new", others)):
        recorded(program.db, *(Tale(number).say(script).end() for number, script in enumerate(scripts, 1)), name=name)
    alone = program("diff", "old", "new", "--all", "--explain").stdout
    monkeypatch.setattr(running, "PARALLEL_FROM", 0)
    monkeypatch.setattr(running, "cores", lambda: 2)
    assert program("diff", "old", "new", "--all", "--explain").stdout == alone
    assert "3 differences in 18 exchanges." in alone


# --- mistakes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("old",), "Two recordings are needed"),
        ((), "Two recordings are needed"),
        (("old", "none"), "There is no recording with the name 'none'."),
        (("old/1/2", "old"), "'old/1/2' names a single exchange."),
        (("old", "old", "--no-rule", "gravity"), "There is no rule 'gravity'."),
        (("old", "old", "--rules", "/nowhere/rules"), "The rules file /nowhere/rules cannot be read"),
        (("old", "old", "-o", "/nowhere/report"), "The file /nowhere/report cannot be written"),
        (("old", "old", "--save-rules", "/nowhere/rules"), "The file /nowhere/rules cannot be written"),
    ],
)
def test_mistakes_are_told_in_a_sentence(program: Program, words: tuple[str, ...], says: str) -> None:
    """And what to do."""
    told(program, old=OLD)
    assert says in program.refused("diff", *words)


def test_nothing_to_compare(program: Program) -> None:
    """Two sessions in which nothing was said."""
    told(program, one="S: * OK hi", two="S: * OK hi")
    done = program("diff", "one", "two")
    assert done.exit_code == 2
    assert done.stdout.endswith("Nothing could be compared.\n")


def test_how_names_are_built_is_known_before_they_are_compared(program: Program, tmp_path: Path) -> None:
    """A replay asks for NAMESPACE itself, in whichever session of the user; that is no step, and no news."""
    old = 'S: * OK hi\nC: a LOGIN bob secret\nS: a OK x\nC: b LIST "" *\nS: * LIST () "/" A/B\nS: b OK x'
    recorded(program.db, Tale(1).say(old).end(), name="old")
    new = Tale(1).say("S: * OK hi\nC: a LOGIN bob secret\nS: a OK x")
    new.ask("R1 NAMESPACE").say('S: * NAMESPACE (("INBOX." ".")) NIL NIL\nS: R1 OK x')
    new.say('C: b LIST "" *\nS: * LIST () "." INBOX.A.B\nS: b OK x')
    recorded(program.db, new.end(), name="new")
    shown = json.loads(program("diff", "old", "new", "--format", "json").stdout)
    assert (shown["kinds"], shown["equal"], shown["states"]) == ({}, True, {"equal": 2})
