"""What holds of all values and of all bytes: values come back from their bytes, and no bytes do harm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.grammar import Raw, cut, joined, parse_command, parse_response, parse_sasl, write
from proxy.imap.grammar.encoded_words import decoded
from proxy.imap.grammar.utf7 import decode, encode, mailbox_name
from proxy.imap.transcript import Direction
from proxy.imap.units import Boundary, UnitReader
from tests.proxy.imap.grammar.strategies import COMMAND, RESPONSE
from tests.proxy.imap.playing import Said, sent
from tests.proxy.imap.scripts import everything, load

PARSE = {Direction.CLIENT: parse_command, Direction.SERVER: parse_response}
ALPHABET = [
    *(b' |  |(|)|[|]|<|>|"|"a b"|\\|\\Seen|*|%|$|+|-1|0|7|1:*|NIL|OK|BYE|a|FETCH|BODY[|BODYSTRUCTURE|FLAGS|UID').split(
        b"|"
    ),
    *(b"ENVELOPE|SEARCH|OR|NOT|LIST|STATUS|THREAD|ESEARCH|INBOX|STORE|APPEND|NOTIFY|SET|MODSEQ|PARTIAL").split(b"|"),
    *(b'HEADER.FIELDS|TEXT|"TEXT"|VANISHED|\xff|\t|\r|{2}\r\nab|~{1+}\r\n\0').split(b"|"),
]
STARTS = [b"* ", b"* 1 FETCH (", b"+ ", b"a ", b"a OK [", b"a SEARCH ", b"* LIST ", b"* ESEARCH ", b"a UID FETCH 1 "]


def comes_back(value: Any, direction: Direction) -> None:
    """The value is read again from what is written of it, as a unit and, where no content is missing, as bytes."""
    unit = write(value)
    assert PARSE[direction](unit).value == value
    if all(literal.content is not None for literal in unit.literals):
        assert PARSE[direction](cut(joined(unit), direction)).value == value


@given(RESPONSE)
def test_responses_come_back(response: Any) -> None:
    comes_back(response, Direction.SERVER)


@given(COMMAND)
def test_commands_come_back(command: Any) -> None:
    comes_back(command, Direction.CLIENT)


@given(st.sampled_from(Direction), st.binary(max_size=200))
def test_bytes_do_no_harm(direction: Direction, data: bytes) -> None:
    harmless(direction, data)


@given(
    st.sampled_from(Direction),
    st.sampled_from(
        [b"* ", b"* 1 FETCH (", b"+ ", b"a ", b"a OK [", b"a SEARCH ", b"* LIST ", b"* ESEARCH ", b"a UID FETCH 1 "]
    ),
    st.lists(st.sampled_from(ALPHABET), max_size=20).map(b"".join),
)
def test_tokens_do_no_harm(direction: Direction, start: bytes, data: bytes) -> None:
    harmless(direction, start + data + b"\r\n")


def harmless(direction: Direction, data: bytes) -> None:
    """Whatever it is: it is read or kept, quirks lie within it, and what was read comes back."""
    unit = cut(data, direction)
    for parse in (*PARSE.values(), parse_sasl):
        parsed = parse(unit)
        assert all(0 <= noted.start <= noted.end <= unit.end for noted in parsed.quirks)
        if isinstance(parsed.value, Raw):
            assert 0 <= parsed.value.at <= unit.end
        else:
            again = parse(write(parsed.value))
            assert again.value == parsed.value


@given(st.text())
def test_mailbox_names_come_back(name: str) -> None:
    assert decode(encode(name)) == name
    assert mailbox_name(encode(name)) == name
    assert encode(name).isascii()


@given(st.binary(max_size=100))
def test_views_never_fail(raw: bytes) -> None:
    assert isinstance(mailbox_name(raw), str)
    assert isinstance(decoded(b"=?utf-8?q?" + raw + b"?= =?iso-2022-jp?b?" + raw + b"?="), str)


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_units_of_the_scripts_do_no_harm(path: Path) -> None:
    """Whatever they are for: lost sync, injected bytes, compressed ones, whole mails."""
    turns = [turn for turn in load(path).turns if isinstance(turn, Said)]
    for direction in Direction:
        data = sent(turns, direction)
        reader, pos = UnitReader(direction), 0
        while pos < len(data):
            boundary, pos = reader.read(data, pos)
            if boundary is Boundary.UNIT:
                unit = reader.take_unit()
                harmless(direction, data[unit.start : unit.end])
