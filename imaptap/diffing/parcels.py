"""Dialogues on their way from a process that reads to the one that judges.

What the grammar makes is pickled by reducers of our own: pickle asks each frozen dataclass for its state, field by
field in Python, and puts it back so, which takes twice as long.
"""

from __future__ import annotations

import dataclasses
import io
import pickle
from operator import attrgetter
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from proxy.imap.view.dialogue import Dialogue

    Reduced = tuple[Callable[..., Any], tuple[Any, ...]]

UNITS_MOST = 400
"""Units of one parcel, but for a dialogue that has more alone: what waits in pipes takes memory twice."""


def parcels(dialogues: Iterable[Dialogue]) -> Iterator[bytes]:
    """All of them in their order, some to a parcel."""
    batch: list[Dialogue] = []
    size = 0
    for dialogue in dialogues:
        batch.append(dialogue)
        size += len(dialogue.asks) + len(dialogue.answers) + len(dialogue.news)
        if size >= UNITS_MOST:
            yield packed(batch)
            batch, size = [], 0
    if batch:
        yield packed(batch)


def packed(value: object) -> bytes:
    """To be unpacked by a process of the same program."""
    file = io.BytesIO()
    pickler = pickle.Pickler(file, pickle.HIGHEST_PROTOCOL)
    pickler.dispatch_table = _REDUCERS
    pickler.dump(value)
    return file.getvalue()


def unpacked(parcel: bytes) -> object:
    """What was packed."""
    return pickle.loads(parcel)  # noqa: S301 - nobody else can write there


class _Reducers(dict[type, "Callable[[Any], Reduced]"]):
    """By type, made when the first value of it comes; a KeyError for those that pickle knows better."""

    def __missing__(self, kind: type) -> Callable[[Any], Reduced]:
        reducer = _reducer(kind)
        if reducer is None:
            raise KeyError(kind)
        self[kind] = reducer
        return reducer


def _reducer(kind: type[Any]) -> Callable[[Any], Reduced] | None:
    if hasattr(kind, "_fields"):
        return lambda value: (_named, (kind, tuple(value)))
    if not dataclasses.is_dataclass(kind) or not all(field.init for field in dataclasses.fields(kind)):
        return None
    names = [field.name for field in dataclasses.fields(kind)]
    if len(names) < 2:  # attrgetter gives a tuple only of several
        return lambda value: (kind, tuple(getattr(value, name) for name in names))
    state = cast("Callable[[Any], tuple[Any, ...]]", attrgetter(*names))
    return lambda value: (kind, state(value))


_tuple: type[tuple[Any, ...]] = tuple
_named: Callable[..., Any] = _tuple.__new__
"""Without the detour through a named tuple's own, which is written in Python."""
_REDUCERS = _Reducers()
