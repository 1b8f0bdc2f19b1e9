"""How words are compared, and texts cut."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.filter.words import (
    BYTES_MOST,
    REPEATS_MOST,
    WORDS_MOST,
    fold,
    folded,
    like,
    phrase_in,
    said_words,
    split,
    sql_pattern,
)

FEW = st.text("ab%_!\\*", max_size=5)


@given(st.lists(FEW, min_size=1, max_size=4), FEW)
def test_like_is_what_a_regular_expression_says(pattern: list[str], word: str) -> None:
    expression = ".*".join(map(re.escape, pattern))
    assert like(tuple(pattern), word) == bool(re.fullmatch(expression, word, re.DOTALL))


@given(st.lists(FEW, min_size=2, max_size=4), FEW)
def test_the_database_says_the_same(pattern: list[str], word: str) -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        row = database.execute("SELECT ? LIKE ? ESCAPE '!'", (word, sql_pattern(tuple(pattern)))).fetchone()
    assert bool(row[0]) == like(tuple(pattern), word)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)
    assert folded((text, text)) == (fold(text), fold(text))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Over-Quota!", ["over", "quota"]),
        ("a_b\\x00c", ["a", "b", "x00c"]),
        ("Müll 語 ﬁn", ["müll", "語", "fin"]),
        ("--- ''", []),
        ("UID 4711)\r\n", ["uid", "4711"]),
        ("x" * 61, ["x" * 60, "x"]),
    ],
)
def test_words_of_a_text(text: str, words: list[str]) -> None:
    assert split(text) == words


@given(st.text(max_size=80))
def test_cut_words_stay_what_they_are(text: str) -> None:
    """SQLite cuts them again, at the blanks: it must come to the same."""
    words = split(text)
    assert split(" ".join(words)) == words


def test_what_is_searched_is_bounded() -> None:
    assert said_words("a b " * 1000) == ["a", "b"] * REPEATS_MOST
    assert len(said_words(" ".join(map(str, range(WORDS_MOST + 1))))) == WORDS_MOST
    long = said_words(" ".join(f"{number:060}" for number in range(10_000)))
    assert sum(len(word) + 1 for word in long) <= BYTES_MOST
    assert len(long) > 6000


def test_phrases() -> None:
    said = " you are over quota now "
    assert phrase_in(["over", "quota"], said, goes_on=False)
    assert phrase_in(["over", "quo"], said, goes_on=True)
    assert not phrase_in(["over", "quo"], said, goes_on=False)
    assert not phrase_in(["ver", "quota"], said, goes_on=False)
    assert not phrase_in(["quota", "over"], said, goes_on=False)
