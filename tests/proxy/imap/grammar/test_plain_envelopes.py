"""Envelopes without anything odd are read by one pattern: they say the same as read field by field."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.grammar import Untagged, cut, joined, parse_response, write
from proxy.imap.grammar.envelope import Address, Envelope
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import EnvelopeItem, NumberItem
from proxy.imap.transcript import Direction

texts = st.none() | st.text(
    st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="N"), max_size=12
).map(str.encode)
plain = st.none() | st.text("ab .<@>()[]", max_size=8).map(str.encode)


def envelopes(strings: st.SearchStrategy[bytes | None]) -> st.SearchStrategy[Envelope]:
    """Of such strings; lists of up to six addresses, or NIL."""
    address = st.builds(Address, strings, strings, strings, strings)
    people = st.none() | st.lists(address, min_size=1, max_size=6).map(tuple)
    return st.builds(Envelope, strings, strings, people, people, people, people, people, people, strings, strings)


@given(st.one_of(envelopes(plain), envelopes(texts)))
def test_an_envelope_is_read_as_it_was_written(value: Envelope) -> None:
    """Whichever way it is read: a `nil` is not plain."""
    spelled = joined(write(value)).strip()
    for text in (spelled, spelled.replace(b" NIL", b" nil")):
        parsed = parse_response(cut(b"* 1 FETCH (ENVELOPE " + text + b" UID 7)\r\n", Direction.SERVER))
        assert isinstance(parsed.value, Untagged)
        assert isinstance(parsed.value.data, Fetch)
        assert not parsed.quirks
        assert parsed.value.data.items == (EnvelopeItem(value), NumberItem(b"UID", 7))
