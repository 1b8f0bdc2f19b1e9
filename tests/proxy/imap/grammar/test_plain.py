"""What is read by one pattern says what the grammar's long way makes of it, and nothing odd is read so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap import grammar
from proxy.imap.grammar import Parsed, Quirk, Raw, Response, Tagged, Untagged, cut, fetch, parse_response
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Flags, NumberItem
from proxy.imap.grammar.plain import plain_completion
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.transcript import Direction


def the_long_way(text: bytes) -> Parsed[Response]:
    """What the grammar makes of it without any short cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grammar, "plain_completion", lambda _: None)
        patch.setattr(fetch, "_plain_item", lambda _: None)
        return parse_response(cut(text, Direction.SERVER))


@pytest.mark.parametrize("condition", ["OK", "NO", "BAD"])
def test_a_plain_completion(condition: str) -> None:
    text = f"a1 {condition} it's done (0.1 s)]\r\n".encode()
    expected = Tagged(b"a1", Status(Condition[condition], None, b"it's done (0.1 s)]"))
    assert plain_completion(cut(text, Direction.SERVER)) == expected
    assert the_long_way(text) == Parsed(expected)


@pytest.mark.parametrize(
    "text",
    [
        b"a1 OK [READ-ONLY] done\r\n",
        b"a1 OK\r\n",
        b"a1 OK \r\n",
        b"a1 OK  done\r\n",
        b"a1 OK\tdone\r\n",
        b"a1  OK done\r\n",
        b"a1 ok done\r\n",
        b"a1 BYE done\r\n",
        b"a1 PREAUTH done\r\n",
        b"a1 OKAY done\r\n",
        b"a1 OK done\n",
        b"a1 OK done",
        b"a1 OK do\rne\r\n",
        b"* OK done\r\n",
        b"+ OK done\r\n",
        b"a/1 OK done\r\n",
        b"a1 OK {3}\r\nabc\r\n",
    ],
)
def test_the_rest_is_left_to_the_grammar(text: bytes) -> None:
    assert plain_completion(cut(text, Direction.SERVER)) is None


_WORDS = st.sampled_from([*b'a1 . * + OK NO BAD bye [ALERT] done {3} ] " \xe9'.split(), b" ", b"  ", b"\t"])


@given(st.lists(_WORDS, max_size=8).map(b"".join), st.sampled_from([b"\r\n", b"\n", b"\r\r\n"]))
def test_lines_of_all_kinds(line: bytes, end: bytes) -> None:
    assert parse_response(cut(line + end, Direction.SERVER)) == the_long_way(line + end)


@given(st.binary(max_size=30))
def test_any_text(text: bytes) -> None:
    line = b"a1 OK x" + text.replace(b"\n", b"") + b"\r\n"
    assert parse_response(cut(line, Direction.SERVER)) == the_long_way(line)


def test_plain_items() -> None:
    text = b"* 4 FETCH (UID 17 FLAGS (\\Seen $Junk x-y) RFC822.SIZE 0 FLAGS ())\r\n"
    items = (
        NumberItem(b"UID", 17),
        Flags((b"\\Seen", b"$Junk", b"x-y")),
        NumberItem(b"RFC822.SIZE", 0),
        Flags(()),
    )
    assert parse_response(cut(text, Direction.SERVER)) == Parsed(Untagged(Fetch(4, items)))


_ITEMS = st.sampled_from(
    [
        b"UID 17", b"UID 017", b"UID  17", b"UID -1", b"uid 17", b"UID 99999999999", b"UID", b"UIDX 1", b"UID 1x",
        b"RFC822.SIZE 0", b"RFC822xSIZE 0", b"RFC822.SIZE 123456789", b"RFC822.SIZE (1)",
        b"FLAGS ()", b"FLAGS (\\Seen)", b"FLAGS ( \\Seen)", b"FLAGS (\\Seen )", b"FLAGS (\\Seen  x)", b"FLAGS (\\* a)",
        b'FLAGS ("a")', b"FLAGS (a b))", b"FLAGS (a(b)", b"FLAGS (NIL x)", b"flags (a)", b"MODSEQ (4)",
    ]
)  # fmt: skip


@given(st.lists(_ITEMS, max_size=5), st.sampled_from([b" ", b" ", b"  ", b""]))
def test_items_of_all_kinds(items: list[bytes], space: bytes) -> None:
    line = b"* 4 FETCH (" + space.join(items) + b")\r\n"
    assert parse_response(cut(line, Direction.SERVER)) == the_long_way(line)


def test_values_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit of too many values is kept raw, by either way."""
    monkeypatch.setattr(grammar.tape, "VALUES_MOST", 20)
    for count in (5, 9, 15):
        text = b"* 4 FETCH (FLAGS (" + b" ".join([b"x"] * count) + b"))\r\n"
        short, long = parse_response(cut(text, Direction.SERVER)), the_long_way(text)
        assert isinstance(short.value, Raw) == isinstance(long.value, Raw) == (count > 9)


def test_a_quirk_is_still_one() -> None:
    assert parse_response(cut(b"* 4 FETCH (FLAGS (\\Seen ))\r\n", Direction.SERVER)).names == (Quirk.EXTRA_SPACE,)
