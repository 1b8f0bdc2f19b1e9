"""THREAD (RFC 5256): trees of messages, laid out flat so that no depth is too deep."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.cursor import Cursor
    from proxy.imap.grammar.writer import Writer

_TOKEN = re.compile(rb"([()])|([0-9]{1,20}(?![0-9]))")
_SEPARATOR = re.compile(rb"(?<=[0-9]) (?=[0-9(])")
_TRAILING = re.compile(rb"[ \t]++\Z")


class ThreadMember(NamedTuple):
    """A message of a thread: its number, None for a parent that is missing; `parent` is an index into the members."""

    number: int | None
    parent: int | None


@dataclass(frozen=True, slots=True)
class Thread:
    """thread-data: all members, parents before their children, siblings in their order (RFC 5256 section 4)."""

    members: tuple[ThreadMember, ...]

    def children(self, of: int | None) -> Iterator[int]:
        """Indices of the members under one, or with None of the threads' roots; looks at all members."""
        return (index for index, member in enumerate(self.members) if member.parent == of)

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.raw(b"THREAD")
        if not self.members:
            return
        w.sp()
        children: list[list[int]] = [[] for _ in self.members]
        roots: list[int] = []
        for index, member in enumerate(self.members):
            (roots if member.parent is None else children[member.parent]).append(index)
        todo: list[int | bytes] = []
        for root in reversed(roots):
            todo += (b")", root, b"(")
        while todo:
            step = todo.pop()
            if isinstance(step, bytes):
                w.raw(step)
            else:
                self._write_member(w, step, children[step], todo)

    def _write_member(self, w: Writer, index: int, children: list[int], todo: list[int | bytes]) -> None:
        """A member; its only child goes on in the same list, several get a list each."""
        number = self.members[index].number
        if number is not None:
            w.number(number)
        if len(children) == 1 and number is not None:
            todo += (children[0], b" ")
            return
        for place, child in reversed(list(enumerate(children))):
            todo += (b")", child, b" (" if place == 0 and number is not None else b"(")


def thread_data(c: Cursor) -> Thread:
    """thread-data: what is open stands on a stack, so nothing recurses."""
    building = _Building(c)
    if c.more():
        while not c.at_end():
            building.step()
    return building.thread()


class _Building:
    """Members so far; `stack` has the member to come back to when a list ends."""

    def __init__(self, c: Cursor) -> None:
        self._c = c
        self._members: list[ThreadMember] = []
        self._stack: list[int | None] = []
        self._parent: int | None = None
        self._fresh = False  # a list was opened, and nothing is in it yet

    def step(self) -> None:
        """Read the next number or parenthesis, and the spaces before it."""
        c = self._c
        if c.at(b" "):
            self._space()
            return
        start = c.pos
        match = c.take(_TOKEN, "a thread")
        c.spend()
        if match[1] == b"(":
            if self._fresh:  # "((": the parent of what follows is missing
                self._add(None)
            self._stack.append(self._parent)
            self._fresh = True
        elif not self._stack:
            c.stop("(", start)
        elif match[1] == b")":
            self._parent = self._stack.pop()
            self._fresh = False
        else:
            self._add(int(match[2]))
            self._fresh = False

    def thread(self) -> Thread:
        """All that was read."""
        if self._stack:
            self._c.stop(")")
        return Thread(tuple(self._members))

    def _add(self, number: int | None) -> None:
        self._members.append(ThreadMember(number, self._parent))
        self._parent = len(self._members) - 1

    def _space(self) -> None:
        c = self._c
        if not self._stack and _TRAILING.match(c.data, c.pos, c.end):
            c.finish()
        elif not c.match(_SEPARATOR):
            c.spaces()
