"""Pseudonyms: as long, of the same shape, the same for the same, others for others."""

from __future__ import annotations

import base64
import itertools
import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaptap.privacy.pseudonyms import Pseudonyms

KEY = b"k" * 32
NAMES = Pseudonyms(KEY)


def shape(text: str) -> str:
    """Letters as a or A, digits as 0."""
    text = re.sub(r"[a-z]", "a", text)
    return re.sub(r"[0-9]", "0", re.sub(r"[A-Z]", "A", text))


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40))
def test_words_keep_their_size_and_shape(word: str) -> None:
    made = NAMES.word(word)
    assert [len(each.encode()) for each in made] == [len(each.encode()) for each in word]
    assert shape("".join(each for each in made if each.isascii())) == shape(
        "".join(each for each in word if each.isascii())
    )
    assert Pseudonyms(KEY).word(word) == made


@pytest.mark.parametrize("pattern", ["a", "aa", "0", "00", "a0", "aA"])
def test_short_words_are_permuted(pattern: str) -> None:
    """No two of one shape get one pseudonym."""
    alphabets = [string.digits if each == "0" else string.ascii_lowercase for each in pattern]
    words = ["".join(each) for each in itertools.product(*alphabets)]
    words = [word for word in words if set(word) != {"x"}]
    assert len({NAMES.word(word) for word in words}) == len(words)


def test_capitals_do_not_matter() -> None:
    """Whoever compares names without regard to case finds the same equal as before."""
    assert NAMES.word("Smith").lower() == NAMES.word("smith") == NAMES.word("SMITH").lower()
    assert NAMES.word("Smith") != "Smith"


def test_another_key_another_name() -> None:
    assert Pseudonyms(b"l" * 32).word("smith") != NAMES.word("smith")


def test_what_is_kept_is_nobodys_pseudonym() -> None:
    kept = frozenset("".join(each) for each in itertools.product(string.ascii_lowercase, repeat=2) if each[0] < "n")
    names = Pseudonyms(KEY, kept)
    others = ["".join(each) for each in itertools.product(string.ascii_lowercase[13:], string.ascii_lowercase)]
    others.remove("xx")
    made = {names.word(word) for word in others}
    assert len(made) == len(others)
    assert not made & kept


@given(st.integers(1, 10**12))
def test_numbers_stay_numbers(number: int) -> None:
    made = NAMES.number(str(number))
    assert len(made) == len(str(number))
    assert not made.startswith("0")


def test_masks_stay() -> None:
    assert NAMES.word("xxxxxx") == "xxxxxx"


@given(st.binary(max_size=300))
def test_lines_keep_their_size_and_what_is_no_letter(data: bytes) -> None:
    made = NAMES.line(data)
    assert len(made) == len(data)
    if b"\x1b" not in data:
        for was, now in zip(data, made, strict=True):
            assert (was == now) if was < 0x80 and not chr(was).isalnum() else (was < 0x80) == (now < 0x80)


@given(st.binary(max_size=300))
def test_opaque_bytes_keep_line_ends_only(data: bytes) -> None:
    made = NAMES.opaque(data)
    assert [each if each in b"\r\n" else None for each in made] == [each if each in b"\r\n" else None for each in data]
    assert b"@" not in made


@given(st.binary(max_size=60))
def test_base64_stays_base64(data: bytes) -> None:
    line = base64.b64encode(data) + b"\r\n"
    made = NAMES.base64(line)
    assert len(base64.b64decode(made, validate=False)) == len(data)
    assert made.endswith(b"\r\n")


@given(st.text(max_size=60))
def test_base64_of_text_stays_that(text: str) -> None:
    made = NAMES.base64_text(base64.b64encode(text.encode()), NAMES.line)
    clear = base64.b64decode(made, validate=True)
    assert clear.decode("utf-8", "strict" if "\x1b" not in text else "replace") is not None
    assert len(clear) == len(text.encode())


def test_equal_words_in_different_lines_are_not_equal() -> None:
    first, second = NAMES.line(b"attack at dawn"), NAMES.line(b"attack at noon")
    assert first.split()[0] != second.split()[0]
