"""What a server offers by its capability words, and what commands need of it (RFC 9051 section 6.1.1).

Which need what stands in `proxy.imap.lint.words`. What RFC 3501 has needs nothing, and IMAP4rev2 brings its own.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from proxy.imap.grammar.append import Append, Replace, Utf8
from proxy.imap.grammar.fetch_commands import Store, StoreAnnotation, StoreFlags
from proxy.imap.grammar.search_commands import Sort
from proxy.imap.lint.arguments import Need, needs
from proxy.imap.lint.words import COMMANDS, expanded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.commands import Body
    from proxy.imap.units import Unit

LITERAL_MINUS_MOST = 4096
"""The largest non-synchronising literal under LITERAL- (RFC 7888 section 5)."""


class Offers:
    """A server's capability words, in capitals, and those that they imply; without any, nothing is known of it."""

    def __init__(self, words: frozenset[str]) -> None:
        self._words = _expanded(words)

    def any(self, words: tuple[str, ...]) -> bool:
        """Whether it has one of them; a word that ends in "=" stands for all that begin so."""
        if not self._words:
            return True
        return any(
            word in self._words or (word.endswith("=") and any(each.startswith(word) for each in self._words))
            for word in words
        )

    def takes(self, size: int) -> bool:
        """Whether a literal of that size may be sent without waiting for `+` (RFC 7888)."""
        return "LITERAL+" in self._words or ("LITERAL-" in self._words and size <= LITERAL_MINUS_MOST)


@lru_cache(64)
def _expanded(words: frozenset[str]) -> frozenset[str]:
    return expanded(words)


def wants(command: str, body: Body, unit: Unit) -> Iterator[Need]:
    """All that this command needs, itself first where it does (`what` is "command" then). Its name in capitals."""
    if capabilities := COMMANDS.get(command):
        yield Need("command", command, capabilities)
    yield from needs(body)
    yield from _more(body, unit)


def named(capabilities: tuple[str, ...]) -> str:
    """Those words for people: "ESEARCH or ESORT"."""
    return " or ".join(dict.fromkeys(word.removesuffix("=") for word in capabilities))


def _more(body: Body, unit: Unit) -> Iterator[Need]:
    """What the linter does not look at."""
    if isinstance(body, Store) and isinstance(body.change, StoreAnnotation):
        yield Need("STORE", "ANNOTATION", ("ANNOTATE-EXPERIMENT-1",))  # RFC 5257 section 4.4
    elif isinstance(body, Store) and isinstance(body.change, StoreFlags) and body.change.name == b"X-GM-LABELS":
        yield Need("STORE", "X-GM-LABELS", ("X-GM-EXT-1",))
    elif isinstance(body, Sort):
        for criterion in body.criteria:
            if criterion.name in (b"DISPLAYFROM", b"DISPLAYTO"):
                yield Need("SORT", criterion.name.decode("ascii"), ("SORT=DISPLAY",))  # RFC 5957
    elif isinstance(body, Append | Replace) and any(literal.binary for literal in unit.literals):
        messages = body.messages if isinstance(body, Append) else (body.message,)
        if not any(isinstance(message.data, Utf8) for message in messages):
            yield Need("APPEND", "~{n}", ("BINARY",))  # RFC 3516 section 4.4
