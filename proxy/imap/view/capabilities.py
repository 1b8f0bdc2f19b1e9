"""What the server can, by who told it and whether that is to be trusted (M 6.8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.transcript import Layer, readable
from proxy.imap.view.values import Capabilities, Change

if TYPE_CHECKING:
    from proxy.imap.grammar.capability import Capability


class Known:
    """The last list of each source, the one in force last."""

    def __init__(self) -> None:
        self._lists: dict[str, tuple[Capabilities, bool]] = {}
        self._words: frozenset[str] | None = None

    def learn(self, told: Capability, source: str, at: int, layer: Layer) -> Change:
        """A list has come; how it differs from the last one that holds."""
        before = self._in_force()
        words = tuple(readable(word.upper()) for word in told.words)
        self._lists.pop(source, None)
        self._words = None
        self._lists[source] = (Capabilities(source, words, at, trusted=True), Layer.TLS in layer)
        old = () if before is None else before.words
        known, now = frozenset(old), frozenset(words)
        added = tuple(word for word in dict.fromkeys(words) if word not in known)
        return Change(added, tuple(word for word in dict.fromkeys(old) if word not in now), before is None)

    def secured(self) -> None:
        """TLS has begun: what was said in clear is not to be trusted (RFC 9051 section 6.2.1)."""
        self._words = None
        for source, (told, protected) in self._lists.items():
            if not protected:
                self._lists[source] = (told._replace(trusted=False), protected)

    def lists(self) -> tuple[Capabilities, ...]:
        """All of them."""
        return tuple(told for told, _ in self._lists.values())

    @property
    def words(self) -> frozenset[str]:
        """The words in force, in capitals."""
        if self._words is None:
            known = self._in_force()
            self._words = frozenset(known.words) if known else frozenset()
        return self._words

    def _in_force(self) -> Capabilities | None:
        newest = next(reversed(self._lists.values()), None)
        return newest[0] if newest and newest[0].trusted else None
