"""Units that are read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.grammar import Parsed, Response, cut, parse_command, parse_response, remembered
from proxy.imap.grammar.remembered import Remembered
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from proxy.imap.units import Unit


class Counting:
    """A parser that tells how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self, unit: Unit) -> Parsed[Response]:
        self.asked += 1
        return parse_response(unit)


@pytest.mark.parametrize(
    ("text", "times"),
    [
        (b"* 4 EXISTS\r\n", 1),
        (b"a1 OK NOOP completed.\r\n", 1),
        (b"*  4 EXISTS\r\n", 2),  # a quirk tells its offset
        (b"* nonsense (\r\n", 2),  # it is kept raw, as it came
        (b'* LIST () "/" {3}\r\nabc\r\n', 2),
        (b"* OK " + b"x" * remembered.TEXT_MOST + b"\r\n", 2),
    ],
)
def test_the_same_again(text: bytes, times: int) -> None:
    """Read once or twice, it says the same."""
    counting = Counting()
    parse = Remembered(counting)
    unit = cut(text, Direction.SERVER)
    assert parse(unit) == parse(unit) == parse_response(unit)
    assert counting.asked == times


@pytest.mark.parametrize(
    ("texts", "times"),
    [
        (("a1 OK NOOP completed.", ". OK NOOP completed.", "A OK NOOP completed."), 1),
        (("a1 OK done", "a1 NO done"), 2),
        (("a1 NO [TRYCREATE] no", "7 NO [TRYCREATE] no"), 1),
        (("* OK done", "a OK done", "* OK done"), 2),
        (("+ OK done", "a OK done"), 2),
        (("a OK done", " OK done", ".  OK done"), 3),
        (("a/b OK done", "a/c OK done"), 2),  # a tag, but a rare one
    ],
)
def test_completions_come_again_with_other_tags(texts: tuple[str, ...], times: int) -> None:
    counting = Counting()
    parse = Remembered(counting)
    for text in texts:
        unit = cut(f"{text}\r\n".encode(), Direction.SERVER)
        assert parse(unit) == parse_response(unit)
    assert counting.asked == times


def test_commands_come_again_with_other_tags() -> None:
    said = (
        "a1 UID FETCH 4 (FLAGS)",
        "a2 UID FETCH 4 (FLAGS)",
        "DONE",
        "DONE",
        "a3 DONE",
        ". NOOP",
        "a4 NOOP",
        "a4  NOOP",
    )
    parse = Remembered(parse_command)
    for text in said:
        unit = cut(f"{text}\r\n".encode(), Direction.CLIENT)
        assert parse(unit) == parse_command(unit), text


@pytest.mark.parametrize(
    ("texts", "times"),
    [
        (("* 4 FETCH (UID 7 FLAGS ())", "* 5 FETCH (UID 1007 FLAGS ())"), 1),
        (("* 4 FETCH (FLAGS (x) UID 7 MODSEQ (3))", "* 5 FETCH (FLAGS (x) UID 8 MODSEQ (3))"), 1),
        (("* 4 FETCH (FLAGS (x) UID 7)", "* 5 FETCH (FLAGS (y) UID 7)"), 2),
        (("* 4 FETCH (FLAGS (x))", "* 5 FETCH (FLAGS (x))"), 1),
        (("* 4 FETCH (UID 7)", "* 4 FETCH ()", "* 4 FETCH (UID)"), 3),
        (("* 4 FETCH (UID 7 UID 8)", "* 4 FETCH (UID 9 UID 8)"), 1),
        (("* 4 FETCH (FLAGS (UID 7) UID 8)", "* 4 FETCH (FLAGS (UID 9) UID 8)"), 2),
        (("* 4 FETCH (UID 07 FLAGS ())", "* 4 FETCH (UID 07 FLAGS ())"), 1),
        (("* 4 FETCH (UID 99999999999)", "* 4 FETCH (UID 99999999999)"), 1),
        (('* 4 FETCH (BODY[TEXT] "UID 7 FLAGS" UID 8)', '* 5 FETCH (BODY[TEXT] "UID 7 FLAGS" UID 8)'), 1),
        (("* 4 FETCH (UID 7 FLAGS", "* 4 FETCH (UID 8 FLAGS"), 2),
        (("a FETCH 4 x", "b FETCH 5 x"), 2),  # no completion that anybody knows
    ],
)
def test_messages_come_again_with_other_numbers(texts: tuple[str, ...], times: int) -> None:
    counting = Counting()
    parse = Remembered(counting)
    for text in texts:
        unit = cut(f"{text}\r\n".encode(), Direction.SERVER)
        assert parse(unit) == parse_response(unit), text
    assert counting.asked == times


@pytest.mark.parametrize(
    "texts",
    [
        ("a UID FETCH 4:6 (UID FLAGS)", "b UID FETCH 7,9:* (UID FLAGS)", "c FETCH 7,9:* (UID FLAGS)"),
        (
            "a FETCH 4 FAST",
            "b FETCH 5 FAST",
            "b FETCH 5 ENVELOPE (CHANGEDSINCE 4)",
            "c FETCH 6 ENVELOPE (CHANGEDSINCE 4)",
        ),
        ("a UID STORE 4 +FLAGS (x)", "b UID STORE 5:7 +FLAGS (x)", "b STORE 5:7 +FLAGS (x)", "b STORE $ +FLAGS (x)"),
        ("a STORE 4 (UNCHANGEDSINCE 3) FLAGS x", "b STORE 5 (UNCHANGEDSINCE 3) FLAGS x"),
        ("a FETCH 4,5", "b FETCH 6", "a FETCH 4 (", "b FETCH 5 (", "a FETCH 0 FLAGS", "a FETCH 4:, FLAGS"),
    ],
)
def test_commands_come_again_about_other_messages(texts: tuple[str, ...]) -> None:
    parse = Remembered(parse_command)
    for text in (*texts, *texts):
        unit = cut(f"{text}\r\n".encode(), Direction.CLIENT)
        assert parse(unit) == parse_command(unit), text


_PARTS = st.sampled_from('* 4 17 0 FETCH (UID UID (FLAGS FLAGS (x) () ) 9) ( "UID 7" a1 STORE 4:6,9 OK'.split())


@given(st.lists(st.lists(_PARTS, min_size=3, max_size=9).map(" ".join), min_size=2, max_size=4))
def test_whatever_came_before(texts: list[str]) -> None:
    """It is read as if nothing had."""
    answers, commands = Remembered(parse_response), Remembered(parse_command)
    for text in (*texts, *texts):
        line = f"{text}\r\n".encode()
        unit = cut(line, Direction.SERVER)
        assert answers(unit) == parse_response(unit)
        unit = cut(line, Direction.CLIENT)
        assert commands(unit) == parse_command(unit)


def test_it_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it grows large."""
    monkeypatch.setattr(remembered, "UNITS_MOST", 2)
    counting = Counting()
    parse = Remembered(counting)
    for number in (1, 2, 3, 4, 5, 1):
        parse(cut(f"* {number} EXISTS\r\n".encode(), Direction.SERVER))
    assert counting.asked == 6


def test_what_comes_again_and_again_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """However much else comes between."""
    monkeypatch.setattr(remembered, "UNITS_MOST", 2)
    counting = Counting()
    parse = Remembered(counting)
    for number in range(2, 10):
        for each in (1, number):
            parse(cut(f"* {each} EXISTS\r\n".encode(), Direction.SERVER))
    assert counting.asked == 9
