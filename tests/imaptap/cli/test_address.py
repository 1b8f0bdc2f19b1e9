"""RECORDING[/SESSION[/EXCHANGE]]."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("1/1/2", (1, 1, 2)),
        ("typed/1/2", (1, 1, 2)),
        ("typed/1/last", (1, 1, 4)),
        ("typed/last/last", (1, 2, 1)),
        ("last/last/last", (2, 1, 1)),
    ],
)
def test_every_level_has_a_last(two: Program, address: str, place: tuple[int, int, int]) -> None:
    shown = two.json("show", address)
    assert (shown["recording"], shown["session"], shown["exchange"]) == place


def test_what_is_left_out_is_the_last_recording(two: Program) -> None:
    assert two.json("show")["name"] == "short"
    assert two.json("show", "typed/last")["session"] == 2


@pytest.mark.parametrize(
    ("address", "mentions"),
    [
        ("tiped", ("'tiped'", "typed")),
        ("9", ("'9'", "imaptap ls")),
        ("typed/3", ("no session 3", "2", "imaptap ls typed")),
        ("typed/0", ("no session 0",)),
        ("typed/one", ("'one'", "a session")),
        ("typed/1/5", ("typed/1 has no exchange 5", "4", "imaptap show typed/1")),
        ("typed/1/0", ("no exchange 0",)),
        ("typed/1/-1", ("'-1'",)),
        ("typed/1/" + "9" * 30, ("9" * 30,)),
        ("typed/1/\u0662", ("\u0662",)),
        ("typed/1/2/3", ("typed/1/2/3", "EXCHANGE")),
        ("typed//2", ("typed//2",)),
        ("", ("''",)),
        ("a\x1b[2J", ("\\x1b[2J",)),
    ],
)
def test_an_address_of_nothing_says_what_there_is(two: Program, address: str, mentions: tuple[str, ...]) -> None:
    said = two.refused("show", address)
    for mention in mentions:
        assert mention in said


def test_nothing_there_at_all(program: Program) -> None:
    recorded(program.db, name="quiet")
    assert "has no sessions" in program.refused("show", "quiet/last")
    assert "has no sessions" in program.refused("show", "quiet/1")
    recorded(program.db, Tale().say("S: * OK hi").end(), name="dumb")
    assert "has no exchanges" in program.refused("show", "dumb/1/last")
    assert "no exchange 1" in program.refused("show", "dumb/1/1")


def test_a_stream_is_of_a_session(two: Program) -> None:
    said = two.refused("export", "--side", "client", "typed")
    assert "is made of a session or an exchange, and 'typed' names a recording." in said
    assert "Write typed/last" in said
