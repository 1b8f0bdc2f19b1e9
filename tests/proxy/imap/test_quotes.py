"""Quotes, counted in whole lines and in parts (M 2.6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.quotes import QuoteCount, open_quote


@given(st.text('a"\\', max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_quotes_are_counted_alike_wherever_the_line_is_cut(text: str, one: int, two: int) -> None:
    data = text.encode()
    parts = QuoteCount()
    for part in (data[: min(one, two)], data[min(one, two) : max(one, two)], data[max(one, two) :]):
        parts.add(part)
    assert parts.odd is open_quote(data)


@pytest.mark.parametrize(
    ("line", "is_open"),
    [(b"", False), (b'"', True), (b'""', False), (b'"\\"', True), (b'"\\\\"', False), (b'"\\\\\\"', True)],
)
def test_open_quote(line: bytes, is_open: bool) -> None:
    """RFC 9051 section 9: quoted-specials are the only ones that a backslash escapes."""
    assert open_quote(line) is is_open
