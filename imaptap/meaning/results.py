"""Results of searches in words."""

from __future__ import annotations

from imaptap.meaning.words import Gatherer, compressed, counted, joined
from proxy.imap.grammar.search_results import ESearch, Found, Partial, Update
from proxy.imap.grammar.sets import SequenceSet

_WORDS_MOST = 8
_SORTED_SHOWN = 8


class Results:
    """Gathers the SEARCH, SORT and ESEARCH data of one exchange; `uid` where they are UIDs."""

    def __init__(self, *, uid: bool) -> None:
        self._uid = uid
        self._any = False
        self._numbers = Gatherer()
        self._first: list[int] = []
        self._words: list[str] = []
        self._count: int | None = None

    def add(self, data: Found | ESearch) -> None:
        """One of them."""
        self._any = True
        if isinstance(data, Found):
            self._found(data)
            return
        for name, value in data.data:
            if isinstance(value, SequenceSet):
                self._numbers.add_set(value)
            elif name == b"COUNT" and isinstance(value, int):
                self._count = value
            else:
                self._word(f"{name.decode('latin-1')} {_return_data(value)}")

    def summary(self) -> str:
        """In one line: how many, which, and what else was asked for."""
        if not self._any:
            return ""
        words = joined(self._words)
        size = self._numbers.count if len(self._numbers) else self._count
        if not size:
            return words if words and size is None else joined(("no messages", words))
        return joined((f"{counted(size, 'message')}{self._which()}", words))

    def _which(self) -> str:
        uids = "UIDs " if self._uid else ""
        if self._first:  # SORT: their order is what was asked for
            more = " …" if len(self._numbers) > len(self._first) else ""
            return f" in this order: {uids}{' '.join(map(str, self._first))}{more}"
        return f": {uids}{self._numbers}" if len(self._numbers) else ""

    def _found(self, data: Found) -> None:
        for number in data.numbers:
            self._numbers.add(number)
        if data.word == b"SORT":
            self._first += data.numbers[: max(0, _SORTED_SHOWN - len(self._first))]
        if data.modseq is not None:
            self._word(f"MODSEQ {data.modseq}")

    def _word(self, word: str) -> None:
        if len(self._words) < _WORDS_MOST:
            self._words.append(word)


def _return_data(value: object) -> str:
    if isinstance(value, int):
        return f"{value}"
    if isinstance(value, Partial):
        window = f"{value.window.first}:{value.window.last}"
        return f"{window}: {'none' if value.messages is None else compressed(value.messages)}"
    if isinstance(value, Update):
        return " ".join(f"{compressed(messages)} at {position}" for position, messages in value.changes[:5])
    return "…"
