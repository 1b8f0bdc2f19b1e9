"""The harnesses of `make fuzz` without the fuzzer: every seed, what once was found, and that they notice faults."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proxy.imap import gate, units
from proxy.imap.grammar.tape import Tape
from proxy.imap.grammar.writer import Writer
from proxy.imap.ledger import Ledger
from proxy.imap.transcript import Direction
from tests.fuzz.form import read, write
from tests.fuzz.harnesses import HARNESSES
from tests.fuzz.seeds import SEED_MAX, scripts, sow, wild
from tests.need import ROOT
from tests.proxy.imap.playing import Secured, client, server
from tests.proxy.imap.scripts import everything, load

EACH = pytest.mark.parametrize("name", HARNESSES)

FOUND = {
    "a security layer in the segment of its OK": b"\0\xffS* OK hi\n\xffCa AUTHENTICATE NTLM\n\xffSa OK\n\0x",
    "one behind a line more": b"\0\xffS* OK hi\n\xffCa AUTHENTICATE NTLM\n\xffSa OK\n* X\n\0x\xffC\0y",
    "streams that are not deflated on both sides of COMPRESS": b"\0a COMPRESS DEFLATE\nATE\r\n\xffSa OK\n\xff",
    "one while the client is within a line": b"\0\xffCa AUTHENTICATE NTLM\nb N\xffSa OK\n\xffCX\n\0\xffS\0",
    "a unit that ends with its literal": b"\0a APPEND x {2}\r\nhi",
    "one that ends where a literal would be announced": b"\0\xffSb LOGIN b OK {5}",
    "one with a quote left open in front of that": b'\0d XAPPLEPUSHSERVICE x" y "z" {3+}\r\n',
    "a literal in the section of an item that is not read": b'\0\xffS* 1 FETCH (BODY[A "x" {2}\r\nhi] NIL)\r\n',
    "a date with an 8-bit byte": b'\0a APPEND x "1-Jul-2\xca12" {2}\r\nhi\r\n',
    "a quote for a tag": b'\0\xffS" X Y ["\xa3"\r\n',
    "a flag with a NUL": b'\0a STORE 1 FLAGS ("\0")\r\n',
}
"""Inputs with which the fuzzer has broken something; they have been mended since."""


@EACH
def test_seeds_break_nothing_and_what_was_found_is_mended(name: str) -> None:
    for seed in (*scripts(), *wild(), *FOUND.values()):
        HARNESSES[name](seed[:SEED_MAX])


def test_an_input_says_what_was_written() -> None:
    """Marks, cuts, ticks, and the byte that marks are made of."""
    said = read(b"\x05a\xff|b\xfft\xffCc\xff\xff\xffS\xff|d\xffxe\xffT\xffS\xffSf")
    assert said.options == 5
    first, second, tls, third = said.speeches
    assert first
    assert second
    assert third
    assert (first.direction, first.chunks, first.ticks) == (Direction.CLIENT, (b"a", b"b", b"c\xff"), {2})
    assert (second.direction, second.chunks) == (Direction.SERVER, (b"d\xffxe",))
    assert tls is None
    assert third.chunks == (b"f",)
    assert not said.deflated


def test_what_is_deflated_has_the_same_bytes_however_it_is_cut() -> None:
    said = read(b"\0\xffZa NOOP\xff|\r\n\xff|x\xffSy")
    assert said.deflated
    assert [len(speech.chunks) for speech in said.speeches if speech] == [3, 1]
    assert said.stream(Direction.CLIENT) == b"".join(said.chunks(Direction.CLIENT)) != b"a NOOP\r\nx"


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_scripts_are_told_as_they_are(path: Path) -> None:
    turns = load(path).turns
    said = read(write(turns))
    for direction in Direction:
        assert said.stream(direction) == b"".join(
            x.data for x in turns if not isinstance(x, Secured) and x.direction is direction
        )


def test_the_harness_for_units_notices_a_lost_literal(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that is found only where its line has not been cut."""
    announce = units.UnitReader._keep

    def forgetful(self: units.UnitReader, chunk: bytes, pos: int, end: int) -> None:
        announce(self, chunk, pos, end)
        if pos == 0 and end < 3:
            self._line[:] = self._line.replace(b"{", b"(")

    monkeypatch.setattr(units.UnitReader, "_keep", forgetful)
    with pytest.raises(AssertionError):
        HARNESSES["units"](write([client(b"a APPEND x {3"), client(b"}\r\n"), client(b"\r\n\r"), client(b"\r\n")]))


def test_the_harness_for_conversations_notices_a_lost_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    hold = Ledger.hold
    monkeypatch.setattr(Ledger, "hold", lambda self, data, *rest: hold(self, data.replace(b"!", b"?"), *rest))
    HARNESSES["conversation"](write([server(b"* OK hi\r\n")]))
    with pytest.raises(AssertionError):
        HARNESSES["conversation"](write([server(b"* OK hi!\r\n")]))


def test_the_harness_for_gates_notices_what_hangs_on_a_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that does not wait for the end of a list."""
    monkeypatch.setattr(gate, "may_hold_list", lambda _: False)
    said = [server(b"* OK hi\r\n* CAPABILITY START"), server(b"TLS\r\n")]
    with pytest.raises(AssertionError):
        HARNESSES["gates"](write(said, 1))


def test_the_harness_for_the_grammar_notices_what_does_not_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    said = write([server(b"* LIST () NIL x\r\n")])
    HARNESSES["grammar"](said)
    monkeypatch.setattr(Writer, "astring", lambda self, _: self.raw(b"y"))
    with pytest.raises(AssertionError):
        HARNESSES["grammar"](said)


def test_the_harness_for_the_grammar_notices_a_quirk_outside_of_its_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    said = write([server(b"* 3  EXISTS\r\n")])
    HARNESSES["grammar"](said)
    monkeypatch.setattr(Tape, "offset", lambda _, pos: pos + 10)
    with pytest.raises(AssertionError):
        HARNESSES["grammar"](said)


def test_seeds_are_sown_once(tmp_path: Path) -> None:
    assert sow(tmp_path) == sow(tmp_path) >= len(list(tmp_path.iterdir())) > 100
    assert all(file.stat().st_size <= SEED_MAX for file in tmp_path.iterdir())


def test_a_finding_can_be_tried_again(tmp_path: Path) -> None:
    """What `make fuzz` prints for one, without atheris."""
    file = tmp_path / "found"
    file.write_bytes(write([server(b"* OK hi\r\n")]))
    done = subprocess.run([sys.executable, "-m", "tests.fuzz", "conversation", str(file)], cwd=ROOT, check=False)
    assert done.returncode == 0
