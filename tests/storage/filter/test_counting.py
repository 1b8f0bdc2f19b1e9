"""Counting recording by recording, and with texts put first: it comes to the same."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import Store, open_store
from storage.filter import Search, counting, parse, search, written
from storage.filter.counting import ALL, NOTHING, Stretch, apart, assume, halves, said_or, terms
from storage.filter.holds import Facts, holds
from storage.filter.index import State
from storage.filter.text import asks_words
from storage.filter.tree import And, Node, Word
from tests.servers.postgresql import PostgreSQL
from tests.storage.filter.tales import Tale
from tests.storage.filter.trees import nodes
from tests.storage.scenes import exchange, opened, record

SAID, OTHER, CMD, STATUS = (
    Word("text", ("said",)),
    Word("text", ("other",)),
    Word("cmd", ("x",)),
    Word("status", ("y",)),
)
EVERY = [
    Facts(tuple(itertools.compress((("cmd", "x"), ("status", "y")), chosen)), (), 0, said)
    for chosen in itertools.product((False, True), repeat=2)
    for said in ("  ", " said ", " other ", " said other ")
]


@given(nodes(st.sampled_from([SAID, SAID, OTHER, CMD, STATUS])))
def test_terms_come_to_the_same(node: Node) -> None:
    found = list(terms(node))
    for facts in EVERY:
        assert sum(sign * holds(part, facts, 0) for sign, part in found) == holds(node, facts, 0), written(node)


@given(nodes(st.sampled_from([SAID, CMD, STATUS])), st.booleans())
def test_what_is_known_is_not_asked(node: Node, known: bool) -> None:
    rest = assume(node, SAID, holds=known)
    assert "said" not in written(rest)
    assert rest in {ALL, NOTHING} or "ALL" not in repr(rest)
    for facts in EVERY:
        if holds(SAID, facts, 0) == known:
            assert holds(rest, facts, 0) == holds(node, facts, 0)


@pytest.mark.parametrize(
    ("expression", "parts"),
    [
        ("text:a", {(1, "text:a")}),
        ("text:a cmd:x", {(1, "text:a cmd:x")}),
        ("not text:a", {(1, ""), (-1, "text:a")}),
        ("text:a or cmd:x", {(1, "text:a or cmd:x")}),  # merged
        ("cmd:x not text:a", {(1, "cmd:x"), (-1, "text:a cmd:x")}),
        ("not (text:a or text:b)", {(1, ""), (-1, "text:a or text:b")}),
        ("not (text:a cmd:x)", {(1, "text:a not cmd:x"), (1, ""), (-1, "text:a")}),
        ("text:a not text:b", {(1, "text:a not text:b")}),
        ("not text:a or not text:b cmd:x", {(1, "not text:a or not text:b cmd:x")}),  # two of them: as it stands
    ],
)
def test_which_terms(expression: str, parts: set[tuple[int, str]]) -> None:
    found = list(terms(parse(expression)))
    assert {(sign, part) for sign, part in found} == {(sign, parse(each) if each else ALL) for sign, each in parts}
    assert len(found) == len(parts)


def test_recordings_that_lie_apart() -> None:
    one, two, three = State(1, 10, True), State(11, 30, False), State(30, 40, True)
    assert apart({7: two, 8: one}, 2) == [Stretch(8, 1, 10), Stretch(7, 11, 30)]
    assert apart({7: two, 8: three}, 2) == []
    assert apart({7: two, 8: State(0, 0, True), 9: State(0, 0, False)}, 1) == [Stretch(7, 11, 30)]
    assert apart({7: two, 8: one}, 1) == []


@pytest.mark.parametrize(
    ("expression", "most"),
    [
        ("status:NO", 64),
        ("status:NO client:x", 8),
        ("not session:3", 8),
        ('not text:"a*"', 64),
    ],
)
def test_for_how_many_recordings_it_pays(expression: str, most: int) -> None:
    assert counting.most(parse(expression)) == most


@given(nodes(st.sampled_from([SAID, SAID, OTHER, CMD, STATUS])))
def test_said_or_something_else_comes_to_the_same(node: Node) -> None:
    said, other = said_or(node)
    for facts in EVERY:
        found = [holds(part, facts, 0) for part in (said, other) if part is not None]
        assert found.count(True) == holds(node, facts, 0), written(node)


@given(st.lists(st.integers(1, 9), max_size=5))
def test_halves_have_the_same_keys(lengths: list[int]) -> None:
    ends = list(itertools.accumulate(lengths))
    stretches = [Stretch(n, end - length + 1, end) for n, (length, end) in enumerate(zip(lengths, ends, strict=True))]
    lower, upper = (
        [(each.recording_id, key) for each in half for key in range(each.first, each.last + 1)]
        for half in halves(stretches)
    )
    assert lower + upper == [(each.recording_id, key) for each in stretches for key in range(each.first, each.last + 1)]
    assert len(upper) - len(lower) in {0, 1}


@pytest.mark.parametrize(("most", "pays"), [(0, 0), (8, 0), (8, 1_000_000)])
def test_recordings_are_counted_alike(sqlite: Store, monkeypatch: pytest.MonkeyPatch, most: int, pays: int) -> None:
    """Whether they are counted one by one, or together, by one connection or two."""
    monkeypatch.setattr(counting, "MOST", most)
    monkeypatch.setattr(counting, "_PAYS", pays)
    for seed, name in ((1, "one"), (2, "two"), (3, "three")):
        record(sqlite, Tale(seed).records(30), name)
    record(sqlite, [opened(), exchange()], "without")
    asked = list[Stretch]()
    counted = counting.counted
    monkeypatch.setattr(search.counting, "counted", lambda *all_: (asked.extend(all_[4]), counted(*all_))[1])
    for expression in (
        "text:quota", "not text:quota", "text:quota or cmd:ID", 'not (text:"over quo*" cmd:ID)', "cmd:FETCH",
        "client:*5*", "text:quota or text:invoice or cmd:ID or mailbox:INBOX", "not text:quota or cmd:ID",
        "text:quota or text:invoice", "text:fetch not text:quota",
        "(text:quota or text:letter) uid>0", 'text:"o*"', 'not text:"qu*"', 'text:"q*" or text:invoice',
    ):  # fmt: skip
        found = Search(sqlite, parse(expression))
        matches = [match.recording_id for match in found.first(1000)]
        assert dict(found.counts()) == {key: matches.count(key) for key in set(matches)}, expression
        assert len(set(matches)) > 1, expression
    one = sqlite.recording("one")
    assert set(Search(sqlite, parse("not text:quota"), one).counts()) == {one.id}
    assert {each.recording_id for each in asked} == ({each.id for each in sqlite.recordings()} if most else set())


def test_a_connection_that_sees_another_moment_counts_nothing(sqlite: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "_PAYS", 0)
    record(sqlite, Tale(1).records(30), "one")
    search_for_all = Search(sqlite, parse("cmd:*"))
    seconds = list[object]()
    counted = counting.counted
    monkeypatch.setattr(search.counting, "counted", lambda *all_: (seconds.append(all_[5]), counted(*all_))[1])
    expected = search_for_all.counts()
    moments = itertools.count()
    monkeypatch.setattr(search.index, "seen", lambda _: next(moments))
    assert search_for_all.counts() == expected
    assert seconds[0] is not None
    assert seconds[1] is None


def test_what_asks_for_words_alone() -> None:
    assert asks_words(parse("text:a (text:b or text:c)"))
    assert not asks_words(parse("text:a not text:b"))
    assert not asks_words(And((SAID, CMD)))


@pytest.mark.parametrize("among", [False, True])
def test_words_are_counted_alike_in_postgresql(postgresql: PostgreSQL, *, among: bool) -> None:
    """Whether places tell of which recording they are, or rows do."""
    with open_store(postgresql.new_database(), create=True) as store:
        for seed, name in ((1, "one"), (2, "two"), (3, "three")):
            record(store, Tale(seed).records(30), name)
            Search(store, parse("text:x")).counts()
        if among:
            with store.writing() as connection:
                connection.exec_driver_sql("UPDATE filter_stretch SET high = high + 1000")
        for expression in (
            "text:quota", "not text:quota", "text:quota not text:invoice", "text:quota or cmd:ID or mailbox:INBOX",
            "text:quota or not text:invoice or uid>0", "text:quota cmd:*", 'text:"o*" or status:NO', "cmd:FETCH",
        ):  # fmt: skip
            found = Search(store, parse(expression))
            matches = [match.recording_id for match in found.first(1000)]
            assert dict(found.counts()) == {key: matches.count(key) for key in set(matches)}, expression
        two = store.recording("two")
        assert set(Search(store, parse("not text:quota or cmd:ID"), two).counts()) == {two.id}
