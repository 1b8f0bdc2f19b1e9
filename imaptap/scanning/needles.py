"""Canaries: texts that must not be found, in each form in which somebody may have written them down (M 7.1)."""

from __future__ import annotations

import base64
import codecs
import html
import json
import re
import urllib.parse
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.imap.grammar import utf7

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LEAST: Final = 4
"""A shorter canary would be found everywhere."""
_OFFSETS: Final = 3
_RARE: Final = (
    "base64url",
    "base64 of",
    "base64 twice",
    "utf-16",
    "reversed",
    "rot13",
    "HTML numbers",
    "all quoted",
    "hex",
)
"""Forms that are looked for only as the canary itself is written."""
_WRAPPED: Final = frozenset(("as it is", "latin-1", "cp1252"))
_FORM_LEAST: Final = 5


class Needle(NamedTuple):
    """A form of a canary: which one, how it is written, and its bytes."""

    number: int
    form: str
    data: bytes


class Needles:
    """All forms of all canaries, to be looked for at once."""

    def __init__(self, canaries: Iterable[str]) -> None:
        self._exact, self._folded = dict[bytes, Needle](), dict[bytes, Needle]()
        for number, canary in enumerate(canaries, 1):
            for form, data, exact in _in_any_case(canary):
                if len(data) >= min(_FORM_LEAST, len(canary.encode())):
                    known = self._exact if exact else self._folded
                    known.setdefault(data if exact else data.lower(), Needle(number, form, data))
        self._in_case, self._any_case = _pattern(self._exact), _pattern(self._folded)
        self._several = _pattern(
            data for data, needle in self._folded.items() if needle.form in _WRAPPED and b" " in data
        )
        self.longest = max((len(data) for data in (*self._exact, *self._folded)), default=0)

    def find(self, data: bytes) -> Iterator[tuple[int, Needle]]:
        """Where any of them stands."""
        if self._in_case:
            for found in self._in_case.finditer(data):
                yield found.start(), self._exact[found[0]]
        if self._any_case:
            for found in self._any_case.finditer(data.lower()):
                yield found.start(), self._folded[found[0]]

    def find_several(self, data: bytes) -> Iterator[tuple[int, Needle]]:
        """Those of several words, where these stand side by side."""
        if self._several:
            for found in self._several.finditer(data.lower()):
                yield found.start(), self._folded[found[0]]

    @property
    def of_several(self) -> bool:
        """Whether there are any of several words."""
        return self._several is not None


def _in_any_case(canary: str) -> Iterator[tuple[str, bytes, bool]]:
    """All forms of each case in which names are written: most forms do not show which letters are the same."""
    yield from _forms(canary)
    for written in {canary.lower(), canary.upper(), canary.title()} - {canary}:
        yield from (each for each in _forms(written) if not each[0].startswith(_RARE))


def _forms(canary: str) -> Iterator[tuple[str, bytes, bool]]:
    """Name, bytes, and whether capitals matter."""
    plain = canary.encode()
    yield "as it is", plain, False
    for charset in ("latin-1", "cp1252"):
        if not canary.isascii() and (encoded := _encoded(canary, charset)):
            yield charset, encoded, False
    for charset in ("utf-16-le", "utf-16-be"):
        yield charset, canary.encode(charset), False
    for name, content in (("base64", plain), ("base64 of utf-16", canary.encode("utf-16-le"))):
        for offset in range(_OFFSETS):
            yield f"{name}, offset {offset}", _base64_at(content, offset), True
            yield f"{name}url, offset {offset}", _base64_at(content, offset).translate(_URL_SAFE), True
    yield "hex", plain.hex().encode(), False
    for separator in (" ", ":"):
        yield "hex", plain.hex(separator).encode(), False
    yield "quoted-printable", _quoted(plain), False
    for charset in ("utf-8", "latin-1", "cp1252") if " " in canary else ():
        if encoded := _encoded(canary, charset):
            yield "encoded word", encoded.replace(b" ", b"_"), False
            yield "encoded word", _quoted(encoded).replace(b" ", b"_"), False
    if "@" in canary:
        yield "in an envelope", plain.replace(b"@", b'" "'), False
    yield "all quoted-printable", b"".join(b"=%02X" % byte for byte in plain), False
    yield "percent", urllib.parse.quote(canary, safe="").encode(), False
    yield "percent", urllib.parse.quote_plus(canary).encode(), False
    yield "all percent", b"".join(b"%%%02X" % byte for byte in plain), False
    yield "modified UTF-7", utf7.encode(canary), True
    yield "quoted string", plain.replace(b"\\", b"\\\\").replace(b'"', b'\\"'), False
    yield "JSON", json.dumps(canary)[1:-1].encode(), False
    yield "HTML", html.escape(canary).encode(), False
    yield "HTML numbers", "".join(f"&#{ord(each)};" for each in canary).encode(), False
    yield "escaped", plain.decode("latin-1").encode("unicode_escape"), False
    yield "reversed", canary[::-1].encode(), False
    yield "rot13", codecs.encode(canary, "rot13").encode(), False
    yield "base64 twice", _base64_at(base64.b64encode(plain).rstrip(b"="), 0), True


_URL_SAFE: Final = bytes.maketrans(b"+/", b"-_")


def _encoded(text: str, charset: str) -> bytes:
    try:
        return text.encode(charset)
    except UnicodeEncodeError:
        return b""


def _base64_at(content: bytes, offset: int) -> bytes:
    """The base64 digits that are the same whatever stands around, behind `offset` bytes more than a multiple of 3."""
    digits = base64.b64encode(bytes(offset) + content)
    first = -(-offset * 8 // 6)
    last = (offset + len(content)) * 8 // 6
    return digits[first:last]


def _quoted(plain: bytes) -> bytes:
    return b"".join(bytes([byte]) if 0x20 <= byte < 0x7F and byte != 0x3D else b"=%02X" % byte for byte in plain)


def _pattern(forms: Iterable[bytes]) -> re.Pattern[bytes] | None:
    """One pattern for all: a tree of what they begin with, so that one look at a byte rules out most."""
    found = sorted(forms)
    return re.compile(_tree(found, 0), re.DOTALL) if found else None


def _tree(forms: list[bytes], depth: int) -> bytes:
    if len(forms) == 1:
        return re.escape(forms[0][depth:])
    pairs = enumerate(zip(forms[0], forms[-1], strict=False))
    shared = next((at for at, (one, other) in pairs if one != other), min(len(forms[0]), len(forms[-1])))
    if shared > depth:  # at once: a group in a group for each byte would be more than `re` takes
        return re.escape(forms[0][depth:shared]) + _tree(forms, shared)
    groups = dict[bytes, list[bytes]]()
    ends = False
    for form in forms:
        ends |= len(form) == depth
        if len(form) > depth:
            groups.setdefault(form[depth : depth + 1], []).append(form)
    parts = [re.escape(first) + _tree(group, depth + 1) for first, group in groups.items()]
    joined = b"(?:" + b"|".join(parts) + b")"
    return joined + b"?" if ends else joined
