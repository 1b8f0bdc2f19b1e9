"""What the writers of one recording have in common when there are several of them, each in a process of its own."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager


@dataclass(frozen=True, slots=True)
class Sharing:
    """`event_numbers` gives each number to one writer only; whoever writes a batch does so within a `turn()`.

    Writers take turns although both databases would let them queue up by themselves. SQLite's queue is none: it looks
    at the lock now and then, and who finds it taken too often gives up. And in turns, rows become visible in the order
    of their keys, in PostgreSQL too: `storage.follow` relies on that.
    """

    event_numbers: Iterator[int]
    turn: Callable[[], AbstractContextManager[object]]


def alone() -> Sharing:
    """For the only writer of a recording."""
    return Sharing(itertools.count(1), contextlib.nullcontext)
