"""Units that mean harm, small enough for a test: no recursion, no time beyond the linear, values that come back.

Time is not asserted; a reader that goes back for each token would not end within the limit of the run at these sizes.
"""

from __future__ import annotations

import sys
from dataclasses import fields, is_dataclass

import pytest

from proxy.imap.grammar import Command, Quirk, Raw, Untagged, cut, parse_command, parse_response, tape, write
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import NumberItem, UnreadItem
from proxy.imap.grammar.quirks import NOTES_MOST
from proxy.imap.grammar.search_commands import Search
from proxy.imap.grammar.search_keys import Or
from proxy.imap.grammar.search_results import Found
from proxy.imap.grammar.thread import Thread
from proxy.imap.grammar.values import DEPTH_MOST, VALUES_MOST
from proxy.imap.transcript import Direction
from tests.proxy.imap.grammar.hostile import SHAPES, Shape
from tests.proxy.imap.grammar.rows import client, server

SIZE = 10_000


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.head!r} {shape.repeated!r}")
def test_shapes(shape: Shape) -> None:
    parse = parse_response if shape.direction is Direction.SERVER else parse_command
    parsed = parse(cut(shape.unit(SIZE), shape.direction))
    assert len(parsed.quirks) <= NOTES_MOST
    if not isinstance(parsed.value, Raw):
        assert parse(write(parsed.value)).value == parsed.value
        assert repr(parsed.value)
        assert hash(parsed.value) is not None


def test_parentheses_without_end() -> None:
    deep = b"(" * 1_000_000 + b")" * 1_000_000
    parsed = server(b"* 1 FETCH (UID 5 BODYSTRUCTURE " + deep + b" FLAGS ())")
    assert isinstance(parsed.value, Untagged)
    assert isinstance(parsed.value.data, Fetch)
    number, structure, _ = parsed.value.data.items
    assert number == NumberItem(b"UID", 5)
    assert isinstance(structure, UnreadItem)
    assert structure.value.texts == (deep,)
    assert Quirk.UNREAD_ITEM in parsed.names


def test_a_deep_thread() -> None:
    depth = 10_000
    line = b"* THREAD (1" + b" (2)(3" * depth + b")" * depth + b")"
    value = server(line).value
    assert isinstance(value, Untagged)
    assert isinstance(value.data, Thread)
    assert len(value.data.members) == 2 * depth + 1
    assert parse_response(write(value)).value == value


@pytest.mark.parametrize(
    "line",
    [
        b"OR FROM x " * 2_000 + b"ALL",
        b"OR " * 2_000 + b"ALL" + b" FROM x" * 2_000,
        b"OR FROM x (" * 2_000 + b"ALL" + b")" * 2_000,
    ],
)
def test_a_chain_of_or(line: bytes) -> None:
    value = client(b"a SEARCH " + line).value
    assert isinstance(value, Command)
    assert isinstance(value.body, Search)
    (key,) = value.body.keys
    assert isinstance(key, Or)
    assert len(key.keys) == 2_001


def test_a_search_that_finds_many() -> None:
    value = server(b"* SEARCH" + b" 1234567" * 200_000).value
    assert isinstance(value, Untagged)
    assert isinstance(value.data, Found)
    assert len(value.data.numbers) == 200_000


def test_more_values_than_may_be() -> None:
    value = server(b"* SEARCH" + b" 1" * (VALUES_MOST + 1)).value
    assert isinstance(value, Raw)
    assert value.expected == f"at most {VALUES_MOST} values"


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"{shape.head!r} {shape.repeated!r}")
def test_no_shape_becomes_more_values_than_may_be(shape: Shape, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 200
    monkeypatch.setattr(tape, "VALUES_MOST", most)
    parse = parse_response if shape.direction is Direction.SERVER else parse_command
    value = parse(cut(shape.unit(SIZE), shape.direction)).value
    assert isinstance(value, Raw) or objects(value) < 4 * most


def objects(value: object) -> int:
    """All that a value consists of."""
    if isinstance(value, tuple):
        return 1 + sum(map(objects, value))
    if is_dataclass(value):
        return 1 + sum(objects(getattr(value, field.name)) for field in fields(value))
    return 1


def test_lists_may_be_as_deep_as_it_says() -> None:
    for depth, quirks in ((DEPTH_MOST, ()), (DEPTH_MOST + 1, (Quirk.UNREAD_ITEM,))):
        nested = b"(" * depth + b"x" + b")" * depth
        parsed = server(b"* 1 FETCH (X-ODD " + nested + b")")
        assert parsed.names == quirks
        part = b'("A" "B" NIL NIL NIL "7BIT" 1)'
        body = b"(" * (depth - 1) + part + b' "M")' * (depth - 1)
        assert server(b"* 1 FETCH (BODY " + body + b")").names == quirks


def test_the_deepest_values_compare_and_print_where_little_stack_is_left() -> None:
    part = b'("A" "B" NIL NIL NIL "7BIT" 1)'
    body = b"(" * (DEPTH_MOST - 1) + part + b' "M")' * (DEPTH_MOST - 1)
    message = b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 1 (NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL) '
    messages = message * (DEPTH_MOST - 1) + part + b" 1)" * (DEPTH_MOST - 1)
    keys = b"NOT (ALL " * 20 + b"ALL" + b")" * 20

    def read() -> None:
        for value, again in (
            (server(b"* 1 FETCH (BODY " + body + b")").value, server(b"* 1 FETCH (BODY " + body + b")").value),
            (server(b"* 1 FETCH (BODY " + messages + b")").value, server(b"* 1 FETCH (BODY " + messages + b")").value),
            (client(b"a SEARCH " + keys).value, client(b"a SEARCH " + keys).value),
        ):
            assert not isinstance(value, Raw)
            assert not isinstance(value, Untagged) or not isinstance(value.data.items[0], UnreadItem)  # type: ignore[union-attr]
            assert value == again
            assert hash(value) == hash(again)
            assert repr(value) == repr(again)
            assert write(value) == write(again)

    def under(frames: int) -> None:
        under(frames - 1) if frames else read()

    under(sys.getrecursionlimit() // 5)
