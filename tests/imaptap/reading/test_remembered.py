"""Units that are read once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.reading import remembered
from imaptap.reading.remembered import Remembered
from proxy.imap.grammar import Parsed, Response, cut, parse_command, parse_response
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


def test_it_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before it grows large."""
    monkeypatch.setattr(remembered, "UNITS_MOST", 2)
    counting = Counting()
    parse = Remembered(counting)
    for number in (1, 2, 1, 3, 1):
        parse(cut(f"* {number} EXISTS\r\n".encode(), Direction.SERVER))
    assert counting.asked == 4
