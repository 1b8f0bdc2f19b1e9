"""Ranges of offsets, asked for by place."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from imaptap.reading.ranges import Ranges


@given(st.sets(st.integers(0, 60), max_size=12), st.integers(0, 60), st.integers(1, 20), st.booleans())
def test_what_holds_any_byte_is_found_and_nothing_else(
    bounds: set[int], start: int, size: int, backwards: bool
) -> None:
    ends = sorted(bounds)
    those = list(zip(ends[::2], ends[1::2], strict=False))
    ranges = Ranges()
    for each in reversed(those) if backwards else those:
        ranges.add(*each)
    ranges.sort()
    there = tuple(each for each in those if set(range(*each)) & set(range(start, start + size)))
    assert ranges.between(start, start + size) == there
    assert ranges.touch(start, start + size) is bool(there)
