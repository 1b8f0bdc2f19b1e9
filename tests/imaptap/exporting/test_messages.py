"""`--format eml` and `--format mbox`: the messages that a recording has whole."""

from __future__ import annotations

import mailbox
import re
from typing import TYPE_CHECKING
from unittest import mock

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from imaptap.exporting import mbox, messages
from proxy.imap.transcript import SessionOpened
from tests.imaptap.exporting.exporter import Exporter
from tests.imaptap.telling import LETTER, C, S, Tale, typed_session

if TYPE_CHECKING:
    from pathlib import Path

SMALL = b"Subject: a\r\n\r\nhello\r\n"


def told(*lines: str | bytes) -> Tale:
    """Lines as `Tale.say` takes them; bytes are the server's."""
    tale = Tale().say(
        "S: * OK [CAPABILITY IMAP4rev1] hi\nC: l LOGIN bob x\nS: l OK\nC: s SELECT INBOX\nS: * 4 EXISTS\nS: s OK"
    )
    for line in lines:
        if isinstance(line, bytes):
            tale.send(S, line)
        else:
            tale.say(line)
    return tale


def fetched(number: int, items: bytes, content: bytes, rest: bytes = b"") -> bytes:
    return b"* %d FETCH (%s {%d}\r\n%s%s)\r\n" % (number, items, len(content), content, rest)


@pytest.mark.parametrize(
    ("tale", "files"),
    [
        (["C: a FETCH 1 BODY[]", fetched(1, b"BODY[]", SMALL), "S: a OK"], {"1-3-n1": SMALL}),
        (["C: a UID FETCH 7 BODY.PEEK[]", fetched(1, b"UID 7 BODY[]", LETTER), "S: a OK"], {"1-3-uid7": LETTER}),
        (["C: a FETCH 1 RFC822", fetched(1, b"RFC822", LETTER, b" UID 9"), "S: a OK"], {"1-3-uid9": LETTER}),
        (["C: a FETCH 1 UID", "S: * 1 FETCH (UID 5)", "S: a OK", "C: b FETCH 1 BODY[]", fetched(1, b"BODY[]", SMALL),
          "S: b OK"], {"1-4-uid5": SMALL}),
        (["C: a FETCH 1 BODY[]", 'S: * 1 FETCH (BODY[] "a: b")', "S: a OK"], {"1-3-n1": b"a: b"}),
        (["C: a FETCH 1 BODY[]", "S: * 1 FETCH (BODY[] NIL)", "S: a OK"], {}),
        (["C: a FETCH 1 (BODY[HEADER] BODY[TEXT] BODY[1])", fetched(1, b"BODY[HEADER]", SMALL),
          fetched(1, b"BODY[1]", SMALL), fetched(1, b"RFC822.HEADER", SMALL), "S: a OK"], {}),
        (["C: a FETCH 1:2 BODY[]", fetched(1, b"UID 3 BODY[]", SMALL), fetched(2, b"UID 4 BODY[]", LETTER), "S: a OK"],
         {"1-3-uid3": SMALL, "1-3-uid4": LETTER}),
    ],
)  # fmt: skip
def test_whole_messages(tmp_path: Path, tale: list[str | bytes], files: dict[str, bytes]) -> None:
    found, missing = Exporter(tmp_path, told(*tale).end())("eml")
    assert found == {f"{name}.eml": content for name, content in files.items()}
    assert missing == 0


def test_one_that_comes_again_in_an_exchange(tmp_path: Path) -> None:
    """It may be another one: a server is free to err."""
    tale = told("C: a FETCH 1 BODY[]", fetched(1, b"BODY[]", SMALL), fetched(1, b"BODY[]", LETTER), "S: a OK")
    found, _ = Exporter(tmp_path, tale.end())("eml")
    first, second = found
    assert re.fullmatch(r"1-3-n1-\d+\.eml", first)
    assert (found[first], second, found[second]) == (LETTER, "1-3-n1.eml", SMALL)


def test_what_is_appended(tmp_path: Path) -> None:
    tale = told(f"C: a APPEND x {{{len(SMALL)}}}", "S: + go").send(C, SMALL + b"\r\n").say("S: a OK")
    tale.say(f"C: b APPEND x (\\Seen) {{{len(LETTER)}+}}").send(C, LETTER + b" {%d+}\r\n" % len(SMALL), SMALL + b"\r\n")
    tale.say("S: b NO")
    found, _ = Exporter(tmp_path, tale.end())("eml")
    assert found == {"1-3-append1.eml": SMALL, "1-4-append1.eml": LETTER, "1-4-append2.eml": SMALL}


@pytest.mark.parametrize("cut", [1000, 4096, 5000])
@pytest.mark.parametrize("size", [b"RFC822.SIZE %d ", b""])
def test_parts_are_joined(tmp_path: Path, cut: int, size: bytes) -> None:
    """Where the message's size is known, or the server has sent less than was asked for."""
    tale = told()
    if size:
        tale.say(f"C: a FETCH 1 (UID RFC822.SIZE)\nS: * 1 FETCH (UID 6 RFC822.SIZE {len(LETTER)})\nS: a OK")
    parts = [LETTER[start : start + cut] for start in range(0, len(LETTER), cut)]
    for number, part in enumerate(parts):
        tale.say(f"C: p{number} UID FETCH 6 BODY.PEEK[]<{number * cut}.{cut}>")
        tale.send(S, fetched(1, b"UID 6 BODY[]<%d>" % (number * cut), part)).say(f"S: p{number} OK")
    found, missing = Exporter(tmp_path, tale.end())("eml")
    assert list(found.values()) == [LETTER]
    assert missing == 0


@pytest.mark.parametrize("between", ["", "C: z SELECT other\nS: z OK", "S: * 1 EXPUNGE"])
def test_parts_of_different_messages_are_not_joined(tmp_path: Path, between: str) -> None:
    """Another mailbox, another message of that number; and without anything between they are one."""
    tale = told("C: a FETCH 1 BODY[]<0.10>", fetched(1, b"BODY[]<0>", SMALL[:10]), "S: a OK")
    tale.say(between or "C: n NOOP\nS: n OK")
    tale.say("C: b FETCH 1 BODY[]<10.100>").send(S, fetched(1, b"BODY[]<10>", SMALL[10:])).say("S: b OK")
    found, _ = Exporter(tmp_path, tale.end())("eml")
    assert list(found.values()) == ([] if between else [SMALL])


def test_parts_that_do_not_come_are_not_kept_for_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "_PARTS_KEPT", 2)
    tale = told("C: a FETCH 1:4 BODY[]<0.4>")
    for number in range(1, 5):
        tale.send(S, fetched(number, b"BODY[]<0>", b"Subj"))
    tale.say("S: a OK\nC: b FETCH 1:4 BODY[]<4.100>")
    for number in range(1, 5):
        tale.send(S, fetched(number, b"BODY[]<4>", b"ect: %d" % number))
    found, _ = Exporter(tmp_path, tale.say("S: b OK").end())("eml")
    assert set(found.values()) <= {b"Subject: %d" % number for number in (3, 4)}


def test_only_of_exchanges_that_are_wanted(tmp_path: Path) -> None:
    tale = told("C: a FETCH 1 BODY[]", fetched(1, b"UID 3 BODY[]", SMALL), "S: a OK")
    tale.say("C: b UID FETCH 4 BODY[]").send(S, fetched(2, b"UID 4 BODY[]", SMALL)).say("S: b OK")
    exporter = Exporter(tmp_path, tale.end())
    assert list(exporter("eml", only='cmd:"UID FETCH"')[0]) == ["1-4-uid4.eml"]
    assert list(exporter("eml", session=1, exchange=3)[0]) == ["1-3-uid3.eml"]


def test_those_that_were_not_kept_are_counted(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, typed_session(), max_literal=5000)
    assert exporter("eml") == ({}, len(LETTER))
    assert exporter("mbox") == (b"", len(LETTER))


def test_an_mbox_reads_back(tmp_path: Path) -> None:
    """With Python's own reader, which leaves the quoting."""
    odd = b"Subject: odd\r\n\r\nFrom here\r\n>From there\r\nfrom\r\n>>From\r\nno end"
    tale = told("C: a FETCH 1:2 BODY[]", fetched(1, b'INTERNALDATE "17-Jul-1996 02:44:25 -0700" BODY[]', odd))
    tale.send(S, fetched(2, b"BODY[]", LETTER)).say("S: a OK")
    data, _ = Exporter(tmp_path, tale.end())("mbox")
    lines = data.split(b"\n")
    assert lines[0] == b"From imaptap Wed Jul 17 09:44:25 1996"
    assert [line for line in lines if line.startswith(b"From ")][1] == b"From imaptap Tue Nov 14 22:13:20 2023"
    (tmp_path / "mbox").write_bytes(data)
    box = mailbox.mbox(tmp_path / "mbox")
    first, second = (box.get_bytes(key) for key in list(box.iterkeys()))
    box.close()
    plain = odd.replace(b"\r\n", b"\n").replace(b"\nFrom ", b"\n>From ").replace(b"\n>From there", b"\n>>From there")
    assert first == plain + b"\n"
    assert second == LETTER.replace(b"\r\n", b"\n")


QUOTED = st.lists(st.sampled_from([b"From ", b">", b"\r", b"\n", b"x", b"F", b"rom", b"From", b" "]), max_size=8)


@pytest.mark.parametrize("most", [6, mbox._HELD_MOST])
@example([b"xxxxx", b"From", b" y"])
@example([b">>>>>", b">>From", b" y"])
@given(st.lists(QUOTED.map(b"".join), max_size=8))
def test_quoting_can_be_undone_however_it_comes(most: int, blocks: list[bytes]) -> None:
    """Lines of which only the beginning is held, too."""
    whole = b"".join(blocks)
    with mock.patch.object(mbox, "_HELD_MOST", most):
        done = b"".join(mbox.quoted(blocks))
    assert done == b"".join(mbox.quoted([whole]))
    assert not re.search(rb"^From ", done, re.MULTILINE)
    assert re.sub(rb"^>(>*From )", rb"\1", done, flags=re.MULTILINE) == whole.replace(b"\r\n", b"\n")


def test_a_time_beyond_all_calendars(tmp_path: Path) -> None:
    """A cassette may say so."""
    tale = told("C: a FETCH 1 BODY[]", fetched(1, b"BODY[]", SMALL), "S: a OK").end()
    first, *rest = tale
    assert isinstance(first, SessionOpened)
    exporter = Exporter(tmp_path, [first._replace(wall=10**18), *rest])
    assert exporter("mbox")[0].startswith(b"From imaptap Fri Dec 31 23:59:59 9999\n")
    assert b"9999-12-31T23:59:59.999999Z C: a FETCH" in exporter("mailkit", times=True)[0]
    assert {name.split(".")[0] for name in exporter("rawlog")[0]} == {"99991231-235959"}
    assert b"# opened: 9999-12-31T23:59:59.999999Z\n" in exporter("text")[0]
