"""A recorded session as a talk."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

from imaptap.reading.talks import talk
from proxy.imap.grammar import joined
from proxy.imap.portrait import NOTHING, Told
from storage import open_store
from tests.imaptap.telling import LETTER, STEP, WALL, C, S, Tale, recorded, torn_off

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.portrait import Talk
    from proxy.imap.transcript import Record


def read(folder: Path, records: list[Record], most: int = 1000) -> Talk:
    recording = recorded(folder / "x.db", records)
    with open_store(str(folder / "x.db"), create=False) as store:
        return talk(store, store.session(recording, 1), most)


def test_steps_and_what_was_told(tmp_path: Path) -> None:
    tale = Tale().say(
        """
S: * OK [CAPABILITY IMAP4rev1 idle] hi
C: a LOGIN bob secret
S: a OK [CAPABILITY IMAP4rev1 MOVE] in
C: b SELECT INBOX
S: * 3 EXISTS
S: b OK
C: c IDLE
S: + go on
S: * 4 EXISTS
S: * 2 EXPUNGE
S: * VANISHED 7:9,12
C: DONE
S: c NO
S: * 5 EXISTS
"""
    )
    found = read(tmp_path, tale.end())
    assert (found.opened, found.tls, found.by_client) == (WALL, "TLS from the first byte", True)
    assert found.closed == WALL + tale.at + STEP
    assert found.offered == {"IMAP4REV1", "IDLE", "MOVE"}
    assert [(step.name, step.status) for step in found.steps] == [("LOGIN", "OK"), ("SELECT", "OK"), ("IDLE", "NO")]
    assert [step.told for step in found.steps] == [NOTHING, Told(first=3, last=3), Told(first=4, last=5, grown=True)]
    idle = found.steps[2]
    assert (idle.started, idle.done, idle.ended) == (7 * STEP, 12 * STEP, 13 * STEP)
    assert joined(idle.unit) == b"c IDLE\r\n"


def test_an_endless_idle_takes_no_memory(tmp_path: Path) -> None:
    def peak(lines: int) -> int:
        tale = Tale().say("S: * OK hi\nC: a SELECT INBOX\nS: a OK\nC: b IDLE\nS: + go on")
        for first in range(0, lines, 100):
            more = (f"* {n + 2} EXISTS\r\n* 1 EXPUNGE\r\n" for n in range(first, first + 100))
            tale.send(S, "".join(more).encode())
        recording = recorded(tmp_path / f"{lines}.db", tale.say("C: DONE\nS: b OK").end())
        with open_store(tmp_path / f"{lines}.db", create=False) as store:
            session = store.session(recording, 1)
            tracemalloc.start()
            try:
                found = talk(store, session, 1000)
                taken = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
        assert found.steps[-1].told == Told(first=2, last=lines, grown=True)
        return taken

    assert peak(20_000) < peak(2000) + 1024 * 1024


def test_capabilities_without_end(tmp_path: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a IDLE\nS: + go on")
    for first in range(0, 3000, 300):
        tale.say(f"S: * CAPABILITY {' '.join(f'X{n}' for n in range(first, first + 300))}")
    assert read(tmp_path, tale.end()).offered == {f"X{n}" for n in range(1000)}


def test_no_more_commands_than_wanted(tmp_path: Path) -> None:
    """What is said behind them is said to nobody, and how the session ended is not known."""
    script = "S: * PREAUTH hi\nC: a NOOP\nS: * 1 EXISTS\nS: a OK\nC: b NOOP\nS: * 2 EXISTS\nS: b OK\nS: * 3 EXISTS"
    records = Tale().say(script).end()
    found = read(tmp_path, records, 1)
    assert [step.told for step in found.steps] == [Told(first=1, last=1)]
    assert (found.whole, found.closed) == (False, None)
    found = read(tmp_path, records, 2)
    assert [step.told for step in found.steps] == [Told(first=1, last=1), Told(first=2, last=3, grown=True)]
    assert found.whole
    assert found.closed is not None


def test_literals(tmp_path: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a SELECT {3+}").send(C, b"abc (CONDSTORE)\r\n")
    tale.say(f"S: a OK\nC: b APPEND {{5}}\nS: + go\nC: Draft {{{len(LETTER)}}}\nS: + go").send(C, LETTER, b"\r\n")
    tale.say("S: b OK\nC: c APPEND x ~{4+}").send(C, b"\0\1\2\3\r\n").say("S: c OK")
    select, append, binary = read(tmp_path, tale.end()).steps
    assert joined(select.unit) == b"a SELECT {3+}\r\nabc (CONDSTORE)\r\n"
    assert [(each.size, each.synchronising, each.content) for each in append.unit.literals] == [
        (5, True, b"Draft"),
        (len(LETTER), True, None),
    ]
    assert append.unit.end - append.unit.start == sum(map(len, append.unit.texts)) + 5 + len(LETTER)
    assert [(each.size, each.synchronising, each.binary) for each in binary.unit.literals] == [(4, False, True)]


def test_a_letter_cannot_speak_for_the_server(tmp_path: Path) -> None:
    """What stands in a literal is no untagged response."""
    tale = Tale().say("S: * OK hi\nC: a FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {10}").send(S, b"* 9 EXISTS)\r\n")
    tale.say("S: a OK\nC: b FETCH 1 BODY[]\nS: * 1 FETCH (BODY[] {15}").send(S, b"* CAPABILITY XX)\r\n")
    found = read(tmp_path, tale.say("S: b OK").end())
    assert [step.told for step in found.steps] == [NOTHING, NOTHING]
    assert found.offered == frozenset()


def test_words_that_imaptap_took_out_or_put_in(tmp_path: Path) -> None:
    greeting = "* OK [CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-1-PLUS IDLE] hi"
    tale = Tale().say(f"S: {greeting}")
    tale.rewrite(S, 17, b" IMAP4rev1 AUTH=SCRAM-SHA-1-PLUS IDLE", b" IMAP4rev1 IDLE STARTTLS")
    found = read(tmp_path, tale.say("C: a NOOP\nS: a OK").end())
    assert found.offered == {"IMAP4REV1", "IDLE", "STARTTLS"}
    assert found.withheld == {"AUTH=SCRAM-SHA-1-PLUS"}


def test_a_command_that_was_cut(tmp_path: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a NOOP\nS: a OK").send(C, b"b APPEND x {500+}\r\nhalf")
    first, last = read(tmp_path, tale.end()).steps
    assert (first.name, first.status, last.name, last.status) == ("NOOP", "OK", "APPEND", None)


def test_news_under_way(tmp_path: Path) -> None:
    """An IDLE that goes on: what is said in it stands in no span yet."""
    recording = torn_off(tmp_path / "x.db", Tale().say("S: * OK hi\nC: a IDLE\nS: + go\nS: * 4 EXISTS").so_far())
    with open_store(str(tmp_path / "x.db"), create=False) as store:
        (step,) = talk(store, store.session(recording, 1), 1000).steps
    assert (joined(step.unit), step.told, step.done) == (b"a IDLE\r\n", Told(first=4, last=4), None)


def test_a_literal_that_was_refused(tmp_path: Path) -> None:
    (step,) = read(tmp_path, Tale().say("S: * OK hi\nC: b APPEND x {500}\nS: b NO too long").end()).steps
    assert [(each.size, each.synchronising, each.content) for each in step.unit.literals] == [(500, True, None)]
    assert step.unit.texts == (b"b APPEND x {500}\r\n", b"")


def test_an_open_session(tmp_path: Path) -> None:
    found = read(tmp_path, Tale().say("S: * OK hi\nC: a NOOP").so_far())
    assert (found.steps[0].ended, joined(found.steps[0].unit)) == (None, b"a NOOP\r\n")
