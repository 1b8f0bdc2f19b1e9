"""Postings: a phrase is found in exactly those exchanges in which it was said, whatever blocks they are in."""

from __future__ import annotations

import functools
import operator
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from storage.filter.postings import Wanted, bitmap, ends_behind, pack, phrase, ranks
from storage.filter.words import phrase_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

WORDS = st.sampled_from(["a", "ab", "abc", "abcd", "ac", "b", "1", "12", "123", "ü", "üb", "語", "語語語", "x" * 60])
SAID = st.lists(WORDS, max_size=12)
BLOCKS = st.lists(st.lists(SAID, min_size=1, max_size=5), min_size=1, max_size=4)

Blocks = list[list[list[str]]]


def found(blocks: Blocks, words: Sequence[str], *, goes_on: bool) -> list[list[int]]:
    """Of each block, which of its exchanges have that phrase."""
    wanted = [Wanted(word, goes_on and index == len(words)) for index, word in enumerate(words, 1)]
    chosen = list[list[int]]()
    for ends, places in map(pack, blocks):
        bits = [union(each.bits(key, places[key]) for key in places if each.stands_under(key)) for each in wanted]
        chosen.append(ranks(ends_behind(phrase(bits), ends), ends))
        for each, theirs in zip(wanted, bits, strict=True):
            if each.whole in places:
                assert each.bits(each.whole, places[each.whole]) == theirs
    return chosen


def union(sets: Iterable[int]) -> int:
    return functools.reduce(operator.or_, sets, 0)


@given(BLOCKS, st.lists(WORDS, min_size=1, max_size=3), st.booleans())
@example([[["a"] * 7, []], [["a"]]], ["a"], False)  # a whole byte of places, and an exchange that says nothing
@example([[["a", "b"], ["b"]], [["b"]]], ["b", "b"], False)  # not across exchanges, nor across blocks
@example([[["a"] * 200 + ["ab", "abc"]]], ["a", "ab"], True)  # one with a bitmap, others listed
@example([[["ab"] * 9 + ["abc"] * 9]], ["a"], True)  # two with bitmaps
def test_a_phrase_is_found_where_it_was_said(blocks: Blocks, words: list[str], goes_on: bool) -> None:
    right = [
        [rank for rank, said in enumerate(block) if phrase_in(words, f" {' '.join(said)} ", goes_on=goes_on)]
        for block in blocks
    ]
    assert found(blocks, words, goes_on=goes_on) == right


@given(BLOCKS)
def test_all_ends_are_there_once(blocks: Blocks) -> None:
    for said in blocks:
        ends = pack(said).ends
        assert int.from_bytes(ends, "little").bit_count() == len(said)
        assert ranks(int.from_bytes(ends, "little"), ends) == list(range(len(said)))
        assert len(ends) == -(-sum(len(words) + 1 for words in said) // 8)


def test_what_is_written() -> None:
    often = ["often"] * 8
    packed = pack([["over", "quota", *often], [*often, "overquota", "over"], ["o", *often * 100]])
    assert packed.places["ov*"] == b" over:0,20 overquota:19"
    assert packed.places["qu*"] == b" quota:1"
    assert packed.places["o*"] == b" o:22"
    assert packed.places["o**"] == bitmap([0, *range(2, 10), *range(11, 21), *range(22, 823)], len(packed.ends))
    assert packed.places["often"] == bitmap([*range(2, 10), *range(11, 19), *range(23, 823)], len(packed.ends))
    assert packed.ends == bitmap([10, 21, 823], 103)
    assert len(packed.places) == 5


@pytest.mark.parametrize(
    ("word", "goes_on", "keys"),
    [
        ("over", False, {"over", "ov*"}),
        ("over", True, {"over", "overt", "ov*"}),
        ("ov", True, {"over", "overt", "ov*", "ov", "ova"}),
        ("o", True, {"over", "overt", "ov*", "ov", "ova", "o*", "o", "ox*"}),
        ("o", False, {"o", "o*"}),
        ("語", True, {"語*", "語"}),
    ],
)
def test_where_words_are_looked_for(word: str, goes_on: bool, keys: set[str]) -> None:
    there = {"p**", "over", "overt", "ov*", "ov", "ova", "o*", "o", "ox*", "p*", "語*", "語", "un*"}
    assert set(filter(Wanted(word, goes_on).stands_under, there)) == keys
