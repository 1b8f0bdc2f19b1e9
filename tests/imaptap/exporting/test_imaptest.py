"""`--format imaptest`: lines as docs/scripted_test.md of ImapTest has them."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from imaptap.exporting import imaptest
from tests.imaptap.exporting.exporter import WORDS, Exporter, said_by
from tests.imaptap.telling import LETTER, C, S, Tale, typed_session

if TYPE_CHECKING:
    from proxy.imap.transcript import Record


def lines(tmp_path: Path, tale: list[Record]) -> list[bytes]:
    """Of the one file, behind its header."""
    files, missing = Exporter(tmp_path, tale)("imaptest")
    assert missing == 0
    [text] = files.values()
    header, body = text.split(b"\n\n", 1)
    assert header == b"# session 1, made by imaptap\nstate: nonauth"
    return body.split(b"\n")


def test_a_session(tmp_path: Path) -> None:
    assert lines(tmp_path, typed_session()) == [
        *(b'ok login "$user" "$password"', b""),
        *(b"ok select Drafts", b"* 4 EXISTS", b""),
        *(b"ok fetch 4 rfc822", b"* 4 FETCH (RFC822 $ FLAGS (\\Seen))", b""),
        *(b"ok logout", b"", b""),
    ]


def test_what_is_expected_of_answers(tmp_path: Path) -> None:
    tale = Tale().say(
        "S: * OK\nC: a SELECT x\nS: * FLAGS (\\Seen $Junk)\nS: * 3 EXISTS\nS: * 1 RECENT\nS: * OK [UIDVALIDITY 7] v\n"
        "S: a OK [READ-ONLY] done\nC: b LIST \"\" *\nS: * LIST (\\HasNoChildren) \"/\" \"a b\"\nS: b OK\n"
        "C: c SEARCH ALL\nS: * SEARCH 1 2\nS: c OK\nC: d STATUS x (MESSAGES)\n"
        "S: * STATUS x (MESSAGES 3 UIDNEXT 9)\nS: d OK\n"
        "C: e FETCH 1 (UID FLAGS MODSEQ BODY[]<0> BODY[HEADER.FIELDS (A)])\n"
        "S: * 1 FETCH (UID 4 MODSEQ (9) FLAGS (\\Recent $x) BODY[]<0> \"a\" "
        "BODY[HEADER.FIELDS (A)] \"b\")\nS: e NO sorry"
    )  # fmt: skip
    assert lines(tmp_path, tale.end()) == [
        *(b"ok SELECT x", b"* FLAGS (\\Seen $$Junk)", b"* 3 EXISTS", b""),
        *(b'ok LIST "" *', b'* LIST (\\HasNoChildren) "/" "a b"', b""),
        *(b"ok SEARCH ALL", b"* SEARCH 1 2", b""),
        *(b"ok STATUS x (MESSAGES)", b"* STATUS x (MESSAGES 3)", b""),
        *(b"no FETCH 1 (UID FLAGS MODSEQ BODY[]<0> BODY[HEADER.FIELDS (A)])",
          b"* 1 FETCH (UID 4 FLAGS ($$x) BODY[]<0> $)", b""),
        b"",
    ]  # fmt: skip


def test_commands_in_flight_together(tmp_path: Path) -> None:
    tale = Tale().say(
        "S: * OK\nC: a NOOP\nC: b STATUS x (MESSAGES)\nS: a OK\nS: * STATUS x (MESSAGES 3)\nS: b NO [TRYCREATE] no"
    )
    assert lines(tmp_path, tale.say("C: c NOOP\nS: c OK").end()) == [
        *(
            b"tag1 NOOP",
            b"tag2 STATUS x (MESSAGES)",
            b"* STATUS x (MESSAGES 3)",
            b"tag1 ok",
            b"tag2 no [TRYCREATE]",
            b"",
        ),
        *(b"ok NOOP", b"", b""),
    ]


def test_literals(tmp_path: Path) -> None:
    tale = Tale().say(f"S: * OK\nC: a APPEND x {{{len(LETTER)}+}}").send(C, LETTER + b"\r\n").say("S: a OK")
    tale.send(C, b"b SEARCH FROM {4+}\r\n%a b TO {2+}\r\nab OLD\r\n").say("S: b OK")
    found = lines(tmp_path, tale.end())
    assert found[0] == b"ok APPEND x {{{"
    end = found.index(b"}}}")
    assert b"\r\n".join(found[1:end]) == LETTER
    assert found[end:] == [b"}}}", b"", b"ok SEARCH FROM {{{", b"%a b", b"}}} TO {{{", b"ab", b"}}} OLD", b"", b""]


@pytest.mark.parametrize(
    ("command", "answer"),
    [
        (b"a ok then\r\n", b""), (b"a tag1 NOOP\r\n", b""), (b"a !ifenv HOME\r\n", b""), (b"a #\r\n", b""),
        (b"a * OK\r\n", b""), (b"a LIST {{{\r\n", b""), (b"a LIST \0\r\n", b""), (b"a LIST \rstate: selected\n", b""),
        (b"a LIST {5+}\r\na\nb\r\n\r\n", b""), (b"a LIST {6+}\r\na\r\n}}}\r\n", b""), (b"a LIST ~{1+}\r\na\r\n", b""),
        (b"a APPEND y {2+}\r\n$a\r\n", b""), (b"a IDLE\r\n", b"+ idling\r\n"), (b"a UNAUTHENTICATE-\x1b\r\n", b""),
    ],
)  # fmt: skip
def test_what_would_be_another_line_is_left_out(tmp_path: Path, command: bytes, answer: bytes) -> None:
    tale = Tale().say("S: * OK\nC: l LOGIN bob x\nS: l OK").send(C, command).send(S, answer or b"* OK\r\n")
    found = lines(tmp_path, tale.say("S: a OK\nC: b NOOP\nS: b OK").end())
    assert re.fullmatch(rb"# exchange 2 is left out: ImapTest (cannot send it|has no IDLE)", found[2])
    assert found[3:] == [b"ok NOOP", b"", b""]


def test_so_many_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imaptest, "_ANSWERS_MOST", 2)
    tale = Tale().say("S: * OK\nC: a SELECT x\nS: * 1 EXISTS\nS: * 2 EXISTS\nS: * 3 EXISTS\nS: a OK")
    assert lines(tmp_path, tale.end()) == [b"ok SELECT x", b"* 1 EXISTS", b"* 2 EXISTS", b"", b""]


def groups(text: bytes) -> list[list[bytes]]:
    """What ImapTest makes of a file by its documentation: lines with their blocks, in groups that end with replies."""
    found: list[list[bytes]] = []
    open_, block = 0, False
    for line in text.split(b"\n\n", 1)[1].split(b"\n"):
        if block:
            block = not line.startswith(b"}}}") or line.endswith(b"{{{")
            continue
        if not line or line.startswith(b"#"):
            continue
        block = line.endswith(b"{{{")
        word, _, rest = line.partition(b" ")
        if word == b"*":
            found[-1].append(line)
            continue
        if word.startswith(b"tag"):
            replies = rest.split(b" ")[0] in {b"ok", b"no", b"bad", b'""'}
            found += [] if open_ else [[]]
            open_ += -1 if replies else 1
        else:
            assert word in {b"ok", b"no", b"bad", b'""'}
            assert open_ == 0
            found.append([])
        found[-1].append(line)
    assert not block
    assert open_ == 0
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([*WORDS, b"ok", b"!", b"* "]), st.binary(max_size=40)), max_size=6),
    st.binary(max_size=40),
)
def test_nothing_recorded_becomes_another_line(commands: list[tuple[bytes, bytes]], answer: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files, _ = Exporter(Path(folder), said_by(commands, b'* LIST () "/" ' + answer))("imaptest")
    [text] = files.values()
    assert len(groups(text)) <= len(commands) + 1
