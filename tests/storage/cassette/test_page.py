"""docs/cassettes.md says what is so."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest

from proxy.imap.transcript import Exchange, Layer, SessionOpened
from storage.cassette import words
from storage.cassette.importing import heard
from storage.cassette.reader import read_cassette

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "cassettes.md").read_text()
EXAMPLES = [block for block in re.findall(r"^```\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE) if "imaptap" in block]


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 3


@pytest.mark.parametrize("example", EXAMPLES, ids=["short", "literals", "sessions"])
def test_an_example_is_read_and_all_its_commands_are_answered(example: str) -> None:
    said = [each for some in heard(read_cassette(io.BytesIO(example.encode())), 0) for each in some]
    ended = {(each.session, each.number): each.status for each in said if isinstance(each, Exchange)}
    assert ended
    assert all(ended.values())
    sessions = len(re.findall(r"^session\b", example, re.MULTILINE)) or 1
    assert sum(isinstance(each, SessionOpened) for each in said) == sessions


class Keys:
    """Takes the place of what reads fields, and notes which are asked for."""

    def __init__(self) -> None:
        self.must_be: list[str] = []
        self.may_be: list[str] = []

    def must(self, key: str, _: object) -> str:
        self.must_be.append(key)
        return "x"

    def may(self, key: str, _: object, default: object = None) -> object:
        self.may_be.append(key)
        return default


@pytest.mark.parametrize(
    ("word", "read"),
    [
        ("recording", words.header),
        ("session", lambda take: words.begun(take, 1)),
        ("layer", words.layer_of),
        ("event", lambda take: words.event(take, 1, 0)),
        ("unkept", lambda take: words.unkept(take, 0, lambda _: Layer.TLS)),
        ("proxy", lambda take: words.own(take, 0)),
        ("answered", lambda take: words.answered(take, 0)),
        ("end", lambda take: words.over(take, 0)),
        ("hole", words.hole),
        ("body", words.body),
        ("exchange", lambda take: words.exchange(take, 1)),
        ("span", lambda take: words.span(take, 1)),
    ],
)
def test_all_keys_are_named(word: str, read: object) -> None:
    """In the word's row: in bold those that have to be there."""
    keys = Keys()
    read(keys)
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{word}` |"))
    cell = row.split(" | ")[1]
    bold = re.findall(r"\*\*`([a-z0-9-]+)`\*\*", cell)
    assert sorted(bold) == sorted(keys.must_be)
    assert sorted(re.findall(r"`([a-z0-9-]+)`", cell)) == sorted([*keys.must_be, *keys.may_be])
