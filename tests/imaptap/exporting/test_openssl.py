"""`--format openssl`: the script, run with a program in openssl's place that keeps what it is told."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaptap.exporting.openssl import _ASK, _HEAD, _START, escaped, quoted
from storage import open_store
from tests.imaptap.exporting.exported import peak
from tests.imaptap.exporting.exporter import WORDS, Exporter, opened, said_by
from tests.imaptap.telling import LETTER, C, Tale, recorded, typed_session

EVIL = "$(touch evil)`touch evil`';touch evil;'\"\\$HOME!!\x1b]0;x\x07"


def run(script: bytes, *words: str, **environment: str) -> tuple[bytes, list[str]]:
    """What is typed, and the words that openssl is called with; each of its calls on a line."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bin").mkdir()
        for program, text in (
            (
                "openssl",
                f'#!/bin/sh\nprintf "%s " "$@" >> {folder}/words; echo >> {folder}/words; cat >> {folder}/typed\n',
            ),
            ("sleep", "#!/bin/sh\n"),
        ):
            (folder / "bin" / program).write_text(text)
            (folder / "bin" / program).chmod(0o755)
        (folder / "script").write_bytes(script)
        environment = {"IMAP_USER": "", "IMAP_PASSWORD": 'pass "w\\ord', **environment}
        environment["PATH"] = f"{folder}/bin:{os.environ['PATH']}"
        done = subprocess.run(
            ["bash", "script", *words], cwd=folder, capture_output=True, check=False, timeout=60,
            stdin=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
        assert {each.name for each in folder.iterdir()} == {"bin", "script", "words", "typed"}
        return (folder / "typed").read_bytes(), (folder / "words").read_text().splitlines()


def test_it_types_what_was_typed(tmp_path: Path) -> None:
    script, missing = Exporter(tmp_path, typed_session())("openssl")
    assert missing == 0
    typed, words = run(script)
    assert typed == b'. LOGIN "bob" "pass \\"w\\\\ord"\r\n. select Drafts\r\n. fetch 4 rfc822\r\n. logout\r\n'
    name = "-servername mail.example.org -verify_hostname mail.example.org"
    assert words == [f"s_client -quiet -verify_return_error {name} -connect mail.example.org:993 "]
    lines = script.decode("ascii").splitlines()
    assert "    say '. fetch 4 rfc822'  # exchange 3, was OK" in lines
    assert "    pause 200" in lines


@pytest.mark.parametrize(
    ("words", "environment", "called"),
    [
        (("other.example",), {}, "-servername other.example -verify_hostname other.example -connect other.example:993"),
        (("10.0.0.1", "1993"), {}, "-verify_ip 10.0.0.1 -connect 10.0.0.1:1993"),
        (("::1", "1993", "-CAfile", "a file"), {}, "-verify_ip ::1 -connect [::1]:1993 -CAfile a file"),
        (("o.example", "143"), {"IMAP_TLS": "starttls"},
         "-servername o.example -verify_hostname o.example -starttls imap -connect o.example:143"),
    ],
)  # fmt: skip
def test_where_to(tmp_path: Path, words: tuple[str, ...], environment: dict[str, str], called: str) -> None:
    script, _ = Exporter(tmp_path, typed_session())("openssl")
    typed, calls = run(script, *words, IMAP_USER="ann", **environment)
    assert typed.startswith(b'. LOGIN "ann" ')
    assert calls == [f"s_client -quiet -verify_return_error {called} "]


def test_literals_and_odd_bytes(tmp_path: Path) -> None:
    tale = Tale().say(f"S: * OK\nC: a APPEND x {{{len(LETTER)}}}").say("S: + go").send(C, LETTER + b"\r\n")
    tale.say("S: a OK").send(C, b"b SELECT \xff'\x07%s\\n\t\n").say("S: b NO").send(
        C, b"c LIST {3+}\r\n\0\r\n * {0}\r\n"
    )
    tale.say("S: + go").send(C, b"\r\n").say("S: c OK\nC: d IDLE\nS: + idling\nC: DONE\nS: d OK")
    script, _ = Exporter(tmp_path, tale.end())("openssl")
    typed, _ = run(script)
    assert typed == (
        b"a APPEND x {%d}\r\n%s\r\nb SELECT \xff'\x07%%s\\n\t\nc LIST {3+}\r\n\0\r\n * {0}\r\n\r\n"
        b"d IDLE\r\nDONE\r\nimaptap LOGOUT\r\n"
    ) % (len(LETTER), LETTER)


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("C: a STARTTLS\nS: a OK", "TLS and compression are not repeated"),
        ("C: a LOGIN bob secret\nS: a NO", "it is a login that failed"),
        ("C: a APPEND x {5}\nS: a NO too long\nC: b NOOP\nS: b OK", "it was not typed to its end"),
        (
            "C: a LOGIN bob secret\nS: a OK\nC: b NOTE secret\nS: b OK",
            "it holds a secret or a letter, which the recording has not",
        ),
    ],
)
def test_what_is_left_out(tmp_path: Path, said: str, why: str) -> None:
    script, missing = Exporter(tmp_path, Tale().say(f"S: * OK\n{said}").end())("openssl")
    assert missing == 0
    assert re.search(rb"    # exchange \d is left out: %s\n" % why.encode(), script)


def test_missing_bytes(tmp_path: Path) -> None:
    tale = (
        Tale().say(f"S: * OK\nC: a APPEND x {{{len(LETTER)}}}").say("S: + go").send(C, LETTER + b"\r\n").say("S: a OK")
    )
    exporter = Exporter(tmp_path, tale.end(), max_literal=5000)
    for form in ("openssl", "python", "imaptest"):
        written, missing = exporter(form)
        assert missing == len(LETTER)
        said = written if isinstance(written, bytes) else b"".join(written.values())
        assert b"not all of its bytes were kept" in said


def test_sasl_is_a_login(tmp_path: Path) -> None:
    """With the same tag. Only who runs it knows for whom."""
    tale = Tale().say(
        "S: * OK\nC: a AUTHENTICATE PLAIN\nS: +\nC: AGJvYgBzZWNyZXQ=\nS: a OK\nC: b LOGOUT\nS: * BYE\nS: b OK"
    )
    script, _ = Exporter(tmp_path, tale.end())("openssl")
    typed, _ = run(script, IMAP_USER="ann")
    assert typed == b'a LOGIN "ann" "pass \\"w\\\\ord"\r\nb LOGOUT\r\n'


def test_sessions_one_after_the_other(tmp_path: Path) -> None:
    tales = [Tale(number).say(f"S: * OK\nC: a{number} LOGOUT\nS: * BYE\nS: a{number} OK").end() for number in (1, 2)]
    exporter = Exporter(tmp_path, *tales)
    typed, words = run(exporter("openssl")[0])
    assert (typed, len(words)) == (b"a1 LOGOUT\r\na2 LOGOUT\r\n", 2)
    assert b"read -rsp" not in exporter("openssl")[0], "nobody logs in"
    assert run(exporter("openssl", session=2)[0])[0] == b"a2 LOGOUT\r\n"


@pytest.mark.parametrize("where", [EVIL, "imaps://$(touch evil):993", "imaps://'; touch evil; ':993"])
def test_an_evil_server_and_an_evil_client(tmp_path: Path, where: str) -> None:
    """The host of an imported recording may be anything."""
    tale = Tale().say("S: * OK").send(C, f"a {EVIL}\r\n{EVIL} NOOP\r\n".encode()).say(f"S: a OK {EVIL}\nS: {EVIL} OK")
    word = EVIL.split(maxsplit=1)[0]
    tale.say(f"C: {word} LOGIN {word} secret\nS: {word} OK")
    script, _ = Exporter(tmp_path, opened(tale.end(), EVIL, where))("openssl")
    run(script)
    assert script.decode("ascii").replace("\n", "").isprintable()


LINE = re.compile(
    r"""session_1\(\)\ \{|\}|\ {4}pause\ \d+
    |\ {4}(?:say|bytes|login)\ (?:'[^']*'|\\')+(?:\ \ \#\ exchange\ \d+,\ was\ (?:OK|NO|BAD|not\ answered))?
    |\ {4}say\ 'imaptap\ LOGOUT'\ \ \#.*|\ {4}\#\ exchange\ \d+\ is\ left\ out:\ [a-zA-Z, ]*
    |host='localhost'\ port=993\ tls=implicit\ user='[a-z]*'""",
    re.VERBOSE,
)
"""All that a recording may bring into a script: words in single quotes, and numbers."""


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(WORDS), st.binary(max_size=60)), max_size=6), st.text(max_size=30))
def test_nothing_recorded_becomes_code(lines: list[tuple[bytes, bytes]], host: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        script, _ = Exporter(Path(folder), opened(said_by(lines), "", f"{host}://"))("openssl")
    head, body = script.decode("ascii").split("session_1() {", 1)
    assert head == _HEAD
    body, rest = body.split("\n[ $# -gt 0 ]", 1)
    for each in ("session_1() {" + body).split("\n"):
        assert LINE.fullmatch(each), each
    assert f"[ $# -gt 0 ]{rest}".replace(_ASK, "") == _START + 'session_1 | connect "$@"\n'


@pytest.mark.parametrize("form", ["openssl", "python", "imaptest"])
def test_a_long_letter_takes_little_memory(form: str, tmp_path: Path) -> None:
    letter = b"Line of a letter that is appended.\r\n" * 180_000
    tale = Tale().say(f"S: * OK\nC: a APPEND x {{{len(letter)}}}\nS: + go")
    for start in range(0, len(letter), 200_000):
        tale.send(C, letter[start : start + 200_000])
    recorded(tmp_path / "big.db", tale.send(C, b"\r\n").say("S: a OK").end())
    with open_store(tmp_path / "big.db", create=False) as store:
        assert peak(store, form, tmp_path) < len(letter) / 2


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=300), st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=100))
def test_no_byte_is_read_by_the_shell(data: bytes, text: str) -> None:
    program = f"printf %b {escaped(data)}\nprintf %s {quoted(text.encode())}\n"
    done = subprocess.run(["bash", "-c", program], capture_output=True, check=True, env={"LC_ALL": "C"}, timeout=20)
    assert done.stdout == data + text.encode()
