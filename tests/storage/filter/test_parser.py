"""Reading filters: what binds how, what is a value, and where errors point."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.filter import FilterError, Node, parse, written
from storage.filter.facts import FACTS, SHORTS
from storage.filter.parser import DEEPEST, MOST_LEAVES
from storage.filter.tree import And, Not, Number, Or, When, Word
from tests.storage.filter.trees import ANY

A, B, C = Word("cmd", ("a",)), Word("tag", ("b",)), Word("status", ("c",))


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("cmd:a", A),
        ("CMD = a", A),
        ("cmd:a tag:b", And((A, B))),
        ("cmd:a and tag:b status:c", And((A, B, C))),
        ("cmd:a or tag:b status:c", Or((A, And((B, C))))),
        ("cmd:a tag:b or status:c", Or((And((A, B)), C))),
        ("not cmd:a tag:b", And((Not(A), B))),
        ("NOT not cmd:a", Not(Not(A))),
        ("not(cmd:a or tag:b)status:c", And((Not(Or((A, B))), C))),
        ("(cmd:a and tag:b) and status:c", And((And((A, B)), C))),
        ("cmd!=a", Not(A)),
        ("\tcmd:a\r\n", A),
        ("cmd:and", Word("cmd", ("and",))),
        ("open", Word("outcome", ("open",))),
        ("odd or rewrite", Or((Word("mark", ("", "")), Word("event", ("rewrite",))))),
        ("mailbox:Work/*", Word("mailbox", ("Work/", ""))),
        ("mailbox:*a*b*", Word("mailbox", ("", "a", "b", ""))),
        (r'mailbox:"a \"b\" \\ \* (c)*"', Word("mailbox", ('a "b" \\ * (c)', ""))),
        ('mailbox:""', Word("mailbox", ("",))),
        (r"flag:\Seen", Word("flag", ("\\Seen",))),
        (r'flag:"\\Seen"', Word("flag", ("\\Seen",))),
        ("client:[::1]:993", Word("client", ("[::1]:993",))),
        ("tag:<=x", Word("tag", ("<=x",))),
        ('text:"over quota"', Word("text", ("over quota",))),
        ('"over quot*"', Word("text", ("over quot", ""))),
        ("text=quota", Word("text", ("quota",))),
        ("ms>500", Number("ms", ">", 500_000)),
        ("ms > 0.5", Number("ms", ">", 500)),
        ("ms<=1.5s", Number("ms", "<=", 1_500_000)),
        ("ms>2m", Number("ms", ">", 120_000_000)),
        ("bytes>=1MB", Number("bytes", ">=", 1_000_000)),
        ("bytes:1.5k", Number("bytes", "=", 1500)),
        ("client_bytes<2MiB", Number("client_bytes", "<", 2 * 1024 * 1024)),
        ("uid!=4711", Not(Number("uid", "=", 4711))),
        ("session:3", Number("session", "=", 3)),
        ("at>2026-11-01T10:00", When("at", ">", "2026-11-01T10:00")),
        ("at:2026-11-01", When("at", "=", "2026-11-01")),
        ("internaldate<2026-11-01", When("internaldate", "<", "2026-11-01")),
        ("quirk", Word("quirk", ("", ""))),
        ("quirk:tab", Word("quirk", ("tab",))),
        ("at>=-10m", When("at", ">=", "-10m")),
    ],
)
def test_what_is_read(expression: str, tree: Node) -> None:
    assert parse(expression) == tree


@pytest.mark.parametrize(
    ("expression", "column", "words"),
    [
        ("", 1, "it is empty"),
        ("   ", 1, "it is empty"),
        ("cmd", 1, "cmd has no value"),
        ("cmd:", 5, "cmd has no value"),
        ("cmd:)", 5, "a value is missing"),
        ("status:NO and", 14, "it ends where a fact should follow"),
        ("not", 4, "it ends where a fact should follow"),
        ("status:NO or or cmd:a", 14, "or is no fact"),
        ("and cmd:a", 1, "and is no fact"),
        ("status:NO (cmd:a", 11, "this ( is never closed"),
        ("status:NO) cmd:a", 10, "this ) closes nothing"),
        ("()", 2, ") is no fact"),
        ("cmd:a mailbx:INBOX", 7, "there is no fact 'mailbx'"),
        ("unsolicted", 1, "there is no fact 'unsolicted'"),
        ("cmd:a status>NO", 13, "status cannot be compared with >"),
        ('text>"a"', 5, "text cannot be compared with >"),
        ("ms>fast", 4, "ms needs another value than 'fast'"),
        ("ms>1MB", 4, "ms needs another value than '1MB'"),
        ("ms>0.0001", 4, "ms needs another value"),
        ("bytes>1.5", 7, "bytes needs another value"),
        ("bytes>-1", 7, "bytes needs another value"),
        ("bytes>9999999999GB", 7, "bytes needs another value"),
        ("uid:1*", 5, "uid needs another value than '1*'"),
        ("uid:1:5", 5, "uid needs another value than '1:5'"),
        ("at>yesterday", 4, "'yesterday' is no time"),
        ("at>2026-02-30", 4, "'2026-02-30' is no time"),
        ("internaldate:-1d", 13, "internaldate:-1d is a single microsecond"),
        ("at:-10m", 3, "at:-10m is a single microsecond"),
        ('text:"--"', 6, "the text has no word to look for"),
        ('text:"a --*"', 6, "the text has no word to look for"),
        ("text:a*b", 6, "the text has a * in the middle"),
        ("text:*", 6, "the text has no word to look for"),
        ('cmd:"a', 5, "the quotes do not end"),
        ('cmd:"a\\"', 5, "the quotes do not end"),
        ('cmd:a"b"', 6, "the value ends, and something follows it at once"),
        ('cmd:"a"b', 8, "the value ends, and something follows it at once"),
        ("cmd:a & tag:b", 7, "'&' begins nothing"),
        (":a", 1, ": is no fact"),
        (" ".join(["open"] * (MOST_LEAVES + 1)), MOST_LEAVES * 5 + 1, "more than 200 times"),
        ("(" * (DEEPEST + 1), DEEPEST + 1, "more than 50 levels"),
        ("not " * (DEEPEST + 1), DEEPEST * 4 + 1, "more than 50 levels"),
        ("x" * 5000, 4097, "longer than 4096"),
    ],
)
def test_where_errors_point(expression: str, column: int, words: str) -> None:
    with pytest.raises(FilterError) as refused:
        parse(expression)
    assert (refused.value.column, words in str(refused.value)) == (column, True), str(refused.value)
    assert f"at column {column}: " in str(refused.value)
    assert refused.value.hint


def test_the_nearest_names_are_given() -> None:
    for wrong, right in (("mailbx:a", "mailbox"), ("unsolicted", "unsolicited"), ("flags:a", "flag")):
        with pytest.raises(FilterError) as refused:
            parse(wrong)
        assert right in refused.value.hint


def test_where_nothing_is_near_all_are_given() -> None:
    with pytest.raises(FilterError) as refused:
        parse("zzzzzz:1")
    assert all(name in refused.value.hint for name in (*FACTS, *SHORTS))


@pytest.mark.parametrize("fact", FACTS.values(), ids=lambda fact: fact.name)
def test_every_example_can_be_read(fact: object) -> None:
    assert parse(FACTS[fact.name].example)  # type: ignore[attr-defined]


@given(ANY)
@example(Word("mailbox", ("\\", '"*"', "")))
def test_what_is_written_reads_the_same(tree: Node) -> None:
    assert parse(written(tree)) == tree


PIECES = [
    "cmd",
    "at",
    "ms",
    "text",
    ":",
    ">=",
    "!=",
    '"',
    "\\",
    "*",
    "(",
    ")",
    " ",
    "and",
    "or",
    "not",
    "1",
    "-1m",
    "x",
]


@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join) | st.text(max_size=30))
def test_anything_is_read_or_refused_within(expression: str) -> None:
    refused = _refusal(expression)
    assert refused is None or (1 <= refused.column <= len(expression) + 1 and refused.hint)


def _refusal(expression: str) -> FilterError | None:
    try:
        parse(expression)
    except FilterError as refused:
        return refused
    return None
