"""Which passwords are found where they were said, and that what the recorder has masked is none."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaptap.scanning.spoken import spoken
from proxy.imap.transcript import Direction, Layer
from storage.cassette import read_cassette
from storage.cassette.values import Begun, Hole, Said, Statement, Told
from tests.proxy.imap.scripts import everything, load

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = base64.b64encode(b"\0bob\0secret").decode()
USER, PASSWORD = base64.b64encode(b"bob").decode(), base64.b64encode(b"secret").decode()
TOKEN = base64.b64encode(b"user=bob\x01auth=Bearer ya29.secretsecret\x01\x01").decode()

ROWS: dict[str, tuple[str, list[tuple[str, str]]]] = {
    "on one line": ("C: a LOGIN bob secret\nS: a OK", [("LOGIN", "secret")]),
    "in quotes": ('C: a LOGIN "bob" "sec ret"\nS: a OK', [("LOGIN", "sec ret")]),
    "a literal": ("C: a LOGIN bob {6}\nS: + go\nC| secret{{-}}\nC:\nS: a OK", [("LOGIN", "secret")]),
    "two literals": (
        "C: a LOGIN {3}\nS: +\nC| bob{{-}}\nC:  {6}\nS: +\nC| secret{{-}}\nC:\nS: a OK",
        [("LOGIN", "secret")],
    ),
    "a literal that waits for nobody": ("C: a LOGIN bob {6+}\nC| secret{{-}}\nC:\nS: a OK", [("LOGIN", "secret")]),
    "a literal of the user only": ("C: a LOGIN {3+}\nC| bob{{-}}\nC:  secret\nS: a OK", [("LOGIN", "secret")]),
    "a placeholder": ("C: a LOGIN {{user:bob}} {{password:secret}}\nS: a OK", [("LOGIN", "secret")]),
    "an initial response": (f"C: a AUTHENTICATE PLAIN {PLAIN}\nS: a OK", [("SASL answer", PLAIN)]),
    "an answer": (f"C: a AUTHENTICATE PLAIN\nS: +\nC: {PLAIN}\nS: a OK", [("SASL answer", PLAIN)]),
    "two answers": (
        f"C: a AUTHENTICATE LOGIN\nS: + VXNlcm5hbWU6\nC: {USER}\nS: + UGFzc3dvcmQ6\nC: {PASSWORD}\nS: a OK",
        [("SASL answer", USER), ("SASL answer", PASSWORD)],
    ),
    "a token": (f"C: a AUTHENTICATE XOAUTH2\nS: +\nC: {TOKEN}\nS: a OK", [("SASL answer", TOKEN)]),
    "said again": (
        "C: a LOGIN bob secret\nS: a NO not 'secret'",
        [("LOGIN", "secret"), ("password said again", "secret")],
    ),
    "a short one that is a word": ("C: a LOGIN bob OK\nS: a OK", [("LOGIN", "OK")]),
    "masked": (
        (
            "C: a LOGIN bob {6}\nS: +\nC| xxxxxx{{-}}\nC:\nS: a NO xxxxxx\nC: b LOGIN bob XXXX\nS: b NO\n"
            "C: c AUTHENTICATE PLAIN\nS: +\nC: xxxxxxxx\nS: c NO\nC: d AUTHENTICATE PLAIN xxxx\nS: d NO"
        ),
        [],
    ),
    "no answer": ("C: a AUTHENTICATE PLAIN\nS: +\nC: *\nS: a BAD\nC: b AUTHENTICATE EXTERNAL =\nS: b OK", []),
    "no login": ("C: a NOOP\nS: a OK\nC: b APPEND x {14+}\nC| a LOGIN b secr{{-}}\nC:\nS: b OK", []),
    "behind a hole": (
        (
            'hole side="server" length=20\nS: * OK\nhole side="client" length=30\n'
            "C: a LOGIN bob secret\nC: b LOGIN bob secret"
        ),
        [("LOGIN", "secret")] * 2,
    ),
    "an answer whose beginning is lost": (
        'C: a AUTHENTICATE PLAIN\nS: +\nhole side="client" length=30\nC: and this is no answer\nC: b NOOP\nS: a OK',
        [],
    ),
}


def sessions(said: str) -> list[Statement]:
    tells = "session tells=everything\n" if "hole" in said else ""
    text = f"imaptap cassette 1\n{tells}S: * OK hi\n{said}\n"
    return [statement for _, statement in read_cassette(io.BytesIO(text.encode()))]


def streams(statements: list[Statement]) -> dict[Direction, bytes]:
    made = dict.fromkeys(Direction, b"")
    for each in statements:
        if isinstance(each, Said):
            made[each.direction] += each.data
        elif isinstance(each, Hole):
            made[each.direction] += b"?" * each.length
    return made


@pytest.mark.parametrize("row", ROWS)
def test_what_is_found(row: str) -> None:
    said, expected = ROWS[row]
    statements = sessions(said)
    stream = streams(statements)
    assert [(each.what, stream[each.side][each.start : each.end].decode()) for each in spoken(statements)] == expected


def told(*said: tuple[Direction, bytes]) -> list[Statement]:
    begun = Begun(7, None, "", "", "", Told.BYTES)
    return [begun, *(Said(side, at * 1000, Layer.PLAIN, data) for at, (side, data) in enumerate(said, 1))]


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_of_each_conversation(path: Path) -> None:
    """What is found is masked when it is recorded, and what was recorded has none."""
    steps = load(path).steps
    assert not list(spoken(told(*((step.turn.direction, step.recorded) for step in steps))))
    clear, masked = dict.fromkeys(Direction, b""), dict.fromkeys(Direction, b"")
    for step in steps:
        clear[step.turn.direction] += step.clear
        masked[step.turn.direction] += step.recorded
    for each in spoken(told(*((step.turn.direction, step.clear) for step in steps))):
        assert each.session == 7
        assert set(masked[each.side][each.start : each.end]) == {ord("x")}
        assert clear[each.side][each.start : each.end].strip(b"x")


@given(st.lists(st.tuples(st.sampled_from(Direction), st.binary(min_size=1, max_size=200)), max_size=10))
def test_anything_may_have_been_said(said: list[tuple[Direction, bytes]]) -> None:
    clear = streams(told(*said))
    for each in spoken(told(*said)):
        assert each.start < each.end <= len(clear[each.side])


@given(st.integers(1, 5))
def test_however_it_is_cut(size: int) -> None:
    for said, expected in ROWS.values():
        statements = list[Statement]()
        for each in sessions(said):
            if isinstance(each, Said):
                parts = (each.data[at : at + size] for at in range(0, len(each.data), size))
                statements += (each._replace(data=part, varies=()) for part in parts)
            else:
                statements.append(each)
        assert [each.what for each in spoken(statements)] == [what for what, _ in expected]


def test_more_is_missing_than_there_can_be() -> None:
    said = told((Direction.SERVER, b"* OK\r\n"), (Direction.CLIENT, b"a LOGIN bob secret\r\n"))
    assert not list(spoken([said[0], Hole(Direction.CLIENT, 1 << 60), *said[1:]]))
