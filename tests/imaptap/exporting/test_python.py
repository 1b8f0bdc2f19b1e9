"""`--format python`: what is written; tests/end_to_end runs it."""

from __future__ import annotations

import ast
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from imaptap.exporting.python import _PROGRAM
from tests.imaptap.exporting.exporter import WORDS, Exporter, opened, said_by
from tests.imaptap.exporting.test_openssl import EVIL
from tests.imaptap.telling import LETTER, C, Record, Tale, typed_session

OURS = {"connect", "login", "ask", "idle", "left_out"}


def calls(script: bytes) -> list[tuple[object, ...]]:
    """The calls that the recording has made of itself: name and values. All else must be the program's own."""
    assert script.startswith(_PROGRAM.encode())
    tree = ast.parse(script[len(_PROGRAM.encode()) :])
    found = []
    for statement in tree.body:
        value = statement.value
        assert isinstance(value, ast.Call)
        if isinstance(value.func, ast.Attribute):
            assert ast.unparse(value) in ("imap.shutdown()", "sys.exit(1 if differing else 0)")
            continue
        assert value.func.id in OURS
        if isinstance(statement, ast.Assign):
            assert ast.unparse(statement.targets[0]) == "imap"
        words = [each for each in value.args if not (isinstance(each, ast.Name) and each.id == "imap")]
        given = {each.arg: ast.literal_eval(each.value) for each in value.keywords}
        found.append((value.func.id, *map(ast.literal_eval, words), *([given] if given else [])))
    return found


def exported(tmp_path: Path, tale: list[Record]) -> list[tuple[object, ...]]:
    script, missing = Exporter(tmp_path, tale)("python")
    assert missing == 0
    return calls(script)


def test_a_session(tmp_path: Path) -> None:
    assert exported(tmp_path, typed_session()) == [
        ("connect", "mail.example.org", 993, "implicit"),
        ("login", "bob", "OK"),
        ("ask", "SELECT", b"Drafts", {"was": "OK"}),
        ("ask", "FETCH", b"4 rfc822", {"was": "OK"}),
        ("ask", "LOGOUT", b"", {"was": "OK"}),
    ]


def test_literals(tmp_path: Path) -> None:
    """One at the end goes as it is, others as quoted strings."""
    tale = Tale().say(f'S: * OK\nC: a append "a b" (\\Seen) {{{len(LETTER)}}}').say("S: + go")
    tale.send(C, LETTER + b"\r\n").say("S: a OK").send(C, b'b uid search from {5+}\r\na"b\\c subject {2+}\r\nxy\r\n')
    tale.say("S: b OK").send(C, b"c LIST {0+}\r\n {1+}\r\n%\r\n").say("S: c OK")
    tale.send(C, b"d COPY 1 {2+}\r\n\xc3\xa9\r\n").say("S: d NO").send(C, b"e SEARCH X {2+}\r\n\xc3\xa9 Y z\r\n").say(
        "S: e BAD"
    )
    tale.send(C, b"f APPEND x {1+}\r\na {1+}\r\nb\r\n").say("S: f OK").send(C, b"g LIST {1+}\r\na *\r\n").say("S: g OK")
    assert exported(tmp_path, tale.end())[1:] == [
        ("ask", "APPEND", b'"a b" (\\Seen)', {"literal": LETTER, "was": "OK"}),
        ("ask", "UID SEARCH", b'from "a\\"b\\\\c" subject', {"literal": b"xy", "was": "OK"}),
        ("ask", "LIST", b'""', {"literal": b"%", "was": "OK"}),
        ("ask", "COPY", b"1", {"literal": b"\xc3\xa9", "was": "NO"}),
        ("left_out", 5, "imaplib sends literals at the end only"),
        ("left_out", 6, "imaplib sends literals at the end only"),
        ("ask", "LIST", b'"a" *', {"was": "OK"}),
    ]


def test_idle_and_what_is_left_out(tmp_path: Path) -> None:
    tale = Tale().say("S: * OK\nC: a IDLE\nS: + idling\nC: DONE\nS: a OK\nC: b STARTTLS\nS: b OK")
    assert exported(tmp_path, tale.end())[1:] == [
        ("idle", 0.003, "OK"),
        ("left_out", 2, "TLS and compression are not repeated"),
    ]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.binary(max_size=60)), max_size=6), st.text(max_size=30))
def test_nothing_recorded_becomes_code(lines: list[tuple[bytes, bytes]], host: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        calls(Exporter(Path(folder), opened(said_by(lines), "", f"imaps://{host}:993"))("python")[0])


def test_an_evil_server_and_an_evil_client(tmp_path: Path) -> None:
    evil = "'\"\"\"\\\n# coding: utf-7\n+AA-__import__('os').system('touch evil')"
    tale = Tale().say("S: * OK").send(C, f"a {evil}\r\n{EVIL} NOOP\r\n".encode()).say(f"S: a OK {EVIL}")
    script, _ = Exporter(tmp_path, opened(tale.end(), EVIL, evil))("python")
    calls(script)
    assert script.isascii()
    assert script.decode().replace("\n", "").isprintable()
