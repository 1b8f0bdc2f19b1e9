"""Strings and bodies: the same bytes, also where they lie elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Absent
from proxy.imap.ledger import MASK
from proxy.imap.transcript import Direction
from storage.diff.equality.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proxy.imap.grammar.values import NString
    from proxy.imap.view.dialogue import Literals
    from storage.diff.equality.findings import Findings

_SPACE = re.compile(rb"[ \t\r\n]+")
_MASKED = re.compile(rb"\A%b{1,3}\Z|%b{4,}" % (re.escape(MASK), re.escape(MASK)))
"""What is masked. Shorter ones are secrets only in what servers say to people (M 7.5), and letters of that length."""
SHOWN_AROUND = 24
"""Bytes that are shown before and behind the first one that differs."""


def contents(found: Findings, where: str, left: NString, right: NString) -> None:
    """Exactly the same bytes; NIL and "" are not the same (M 8)."""
    if isinstance(left, Absent) or isinstance(right, Absent):
        _absent(found, where, left, right)
    elif left != right and left is not None and right is not None and _but_for_masks(found, left, right):
        found.let(Rule.NOT_KEPT, where, _told(left), _told(right))
    elif left != right:
        differing_bytes(found, where, left, right)


def of_a_letter(found: Findings, where: str, left: NString, right: NString) -> None:
    """The same, of what may have been masked on both sides alike (`--bodies`): nobody knows whether it was the same."""
    if left == right and hidden(found, left):
        found.let(Rule.NOT_KEPT, where, _told(left), _told(right))
    else:
        contents(found, where, left, right)


def hidden(found: Findings, string: NString) -> bool:
    """Whether a string that both sides have is a mask, or has one in it."""
    return isinstance(string, bytes) and found.masked and _MASKED.search(string) is not None


def differing_bytes(found: Findings, where: str, left: bytes | None, right: bytes | None) -> None:
    """Tell where bytes differ; NIL is shown as such."""
    if left is None or right is None:
        found.value(where, "NIL" if left is None else left, "NIL" if right is None else right)
        return
    if max(len(left), len(right)) <= 2 * SHOWN_AROUND:
        found.value(where, left, right)
        return
    at = first_difference(iter((left,)), iter((right,))) or 0
    start, end = max(at - SHOWN_AROUND, 0), at + SHOWN_AROUND
    sizes = f", of {len(left)} and {len(right)}" if len(left) != len(right) else ""
    found.value(where, left[start:end], right[start:end], f"The first {at} bytes are the same{sizes}.")


def nil(strings: Mapping[bytes, NString], name: bytes) -> NString | str:
    """One of several strings: NIL in its letters, None where it is not there at all."""
    return None if name not in strings else "NIL" if strings[name] is None else strings[name]


def text(found: Findings, where: str, left: NString, right: NString) -> None:
    """A header field: the same bytes, however its lines were unfolded (M 10.6)."""
    if left == right and isinstance(left, bytes | None):
        return
    if isinstance(left, bytes) and isinstance(right, bytes) and _unfolded(left) == _unfolded(right):
        found.let(Rule.WHITE_SPACE, where, left, right)
    else:
        contents(found, where, left, right)


def caseless(found: Findings, where: str, left: NString, right: NString) -> None:
    """A word whose case is free."""
    if left == right and isinstance(left, bytes | None):
        return
    if isinstance(left, bytes) and isinstance(right, bytes) and left.upper() == right.upper():
        found.let(Rule.CASE, where, left, right)
    else:
        contents(found, where, left, right)


def _but_for_masks(found: Findings, left: bytes, right: bytes) -> bool:
    """Whether they differ only where one side has a secret masked: what stands there nobody knows."""
    masked = [any(answer.secret for answer in side.answers) for side in (found.left, found.right)]
    if not any(masked) or len(left) != len(right):
        return False
    sides = bytearray(left), bytearray(right)
    for side, has_masks in zip((left, right), masked, strict=True):
        for mask in _MASKED.finditer(side) if has_masks else ():
            start, end = mask.span()
            for each in sides:
                each[start:end] = MASK * (end - start)
    return sides[0] == sides[1]


def _unfolded(string: bytes) -> bytes:
    return _SPACE.sub(b" ", string).strip()


def _absent(found: Findings, where: str, left: NString, right: NString) -> None:
    """At least one of the two lies elsewhere: compared by size, hash, then byte by byte."""
    if left is None or right is None:
        found.value(where, _told(left), _told(right))
        return
    sizes = _size(left), _size(right)
    if sizes[0] != sizes[1]:
        found.value(where, _told(left), _told(right), f"{sizes[0]} and {sizes[1]} bytes.")
        return
    if not (isinstance(left, Absent) and isinstance(right, Absent) and _same(found, left, right)):
        _at_byte(found, where, left, right)


def _at_byte(found: Findings, where: str, left: bytes | Absent, right: bytes | Absent) -> None:
    parts = [_parts(side, each) for side, each in zip(found.context.literals, (left, right), strict=True)]
    if parts[0] is None or parts[1] is None:
        same = _same(found, left, right) if isinstance(left, Absent) and isinstance(right, Absent) else None
        if same is None:
            found.let(Rule.NOT_KEPT, where, _told(left), _told(right))
        else:
            found.value(where, _told(left), _told(right), "The sizes are the same, the contents are not.")
        return
    at = first_difference(parts[0], parts[1])
    if at is not None:
        found.value(where, _told(left), _told(right), f"The first {at} bytes are the same.")


def first_difference(left: Iterator[bytes], right: Iterator[bytes]) -> int | None:
    """How many bytes are the same before the first one that is not, or one side ends; None where there is none."""
    done = 0
    one = other = b""
    while True:
        one = one or next((part for part in left if part), b"")
        other = other or next((part for part in right if part), b"")
        size = min(len(one), len(other))
        if not size:
            return done if one or other else None
        if one[:size] != other[:size]:
            return done + next(at for at in range(size) if one[at] != other[at])
        one, other, done = one[size:], other[size:], done + size


def _size(string: bytes | Absent) -> int:
    return string.size if isinstance(string, Absent) else len(string)


def _told(string: NString) -> str:
    return "NIL" if string is None else f"{_size(string)} bytes"


def _same(found: Findings, left: Absent, right: Absent) -> bool | None:
    """Whether two literals of the same size are the same, by their hashes; None where one is not known."""
    sides = tuple(zip(found.context.literals, (left, right), strict=True))
    digests = [each.digest(Direction.SERVER, it.start, it.size) if each else None for each, it in sides]
    if digests[0] is None or digests[1] is None:
        return None
    if digests[0].partition(":")[0] != digests[1].partition(":")[0]:  # of one of them only the SHA-256 was kept
        digests = [each.sha256(Direction.SERVER, it.start, it.size) if each else None for each, it in sides]
    return None if None in digests else digests[0] == digests[1]


def _parts(literals: Literals | None, string: bytes | Absent) -> Iterator[bytes] | None:
    if isinstance(string, bytes):
        return iter((string,))
    return None if literals is None else literals.content(Direction.SERVER, string.start, string.size)
