"""Trees of filters for hypothesis."""

from __future__ import annotations

from hypothesis import strategies as st

from storage.filter.facts import FACTS, Kind
from storage.filter.tree import And, Node, Not, Number, Or, When, Word

COMPARISONS = ("=", ">", ">=", "<", "<=")
WORDS = [fact.name for fact in FACTS.values() if fact.kind is Kind.WORD]
NUMBERS = [fact.name for fact in FACTS.values() if fact.kind in {Kind.NUMBER, Kind.SIZE, Kind.DURATION}]
TIMES = [fact.name for fact in FACTS.values() if fact.kind is Kind.TIME]
MOMENTS = ("2026-11-01", "2026-11-01T10Z", "2026-11-01t10:05", "2026-11-01T10:05:06.5z", "2023-11-14T22:13:20Z")


def nodes(leaves: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    """Trees of such leaves."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            inner.map(Not),
            st.lists(inner, min_size=2, max_size=4).map(lambda parts: And(tuple(parts))),
            st.lists(inner, min_size=2, max_size=4).map(lambda parts: Or(tuple(parts))),
        ),
        max_leaves=12,
    )


def patterns(text: st.SearchStrategy[str]) -> st.SearchStrategy[tuple[str, ...]]:
    """What stands between wildcards."""
    return st.lists(text, min_size=1, max_size=4).map(tuple)


def phrases(words: st.SearchStrategy[str]) -> st.SearchStrategy[Word]:
    """Texts to search for; the last word may go on."""
    said = st.lists(words, min_size=1, max_size=3).map(" ".join)
    return st.tuples(said, st.booleans()).map(lambda pair: Word("text", (pair[0], "") if pair[1] else (pair[0],)))


def whens() -> st.SearchStrategy[When]:
    """Times, and how long ago."""
    absolute = st.builds(When, st.sampled_from(TIMES), st.sampled_from(COMPARISONS), st.sampled_from(MOMENTS))
    ago = st.sampled_from(("-10m", "-3w", "-0s"))
    relative = st.builds(When, st.sampled_from(TIMES), st.sampled_from(COMPARISONS[1:]), ago)
    return absolute | relative


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ANY = nodes(
    st.one_of(
        st.builds(Word, st.sampled_from(WORDS), patterns(ANY_TEXT)),
        phrases(st.from_regex(r"[a-zA-Z0-9äß語]{1,8}", fullmatch=True)),
        st.builds(Number, st.sampled_from(NUMBERS), st.sampled_from(COMPARISONS), st.integers(0, 2**62)),
        whens(),
    )
)
"""Every tree that a filter may become."""
