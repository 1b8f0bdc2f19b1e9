"""Search keys without what was searched for. Keys within keys cost no recursion: clients chain ORs by the hundred."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.search_keys import And, DateKey, FlagKey, ModSeqKey, Not, NumberKey, Or, SetKey, StringKey
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.search_keys import AnyKey
    from proxy.imap.grammar.sets import SequenceSet

_KEYS_MOST = 20


def keys_form(keys: tuple[AnyKey, ...], set_form: Callable[[SequenceSet], str]) -> str:
    """The keys in their order, without their texts, dates and numbers; `…` for those behind the twentieth."""
    words: list[str] = []
    todo: list[AnyKey | str] = list(reversed(keys[: _KEYS_MOST + 1]))
    while todo and len(words) < _KEYS_MOST:
        key = todo.pop()
        if isinstance(key, str):
            words.append(key)
            continue
        words.append(_word(key, set_form))
        if isinstance(key, Not):
            todo.append(key.key)
        elif isinstance(key, (Or, And)):
            todo.append(")")
            todo += reversed(key.keys[: _KEYS_MOST + 1])
    if todo:
        words.append("…")
    return " ".join(words).replace("( ", "(").replace(" )", ")")


def _word(key: AnyKey, set_form: Callable[[SequenceSet], str]) -> str:
    match key:
        case And():
            return "("
        case Or():
            return "OR ("
        case SetKey():
            return f"{readable(key.name)} {set_form(key.messages)}".strip()
        case ModSeqKey():
            return "MODSEQ n"
        case StringKey():
            return _named(key.name, "text", len(key.strings))
        case DateKey():
            return _named(key.name, "date")
        case NumberKey():
            return _named(key.name, "n")
        case FlagKey():
            return _named(key.name, "keyword")
        case _:
            return readable(getattr(key, "name", b"ANNOTATION"))


def _named(name: bytes, what: str, times: int = 1) -> str:
    return " ".join((readable(name), *(what for _ in range(times))))
