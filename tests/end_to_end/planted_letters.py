"""Goes into a copy of the testbed as `private.py`: puts the strings of `private.json` beside it into its letters.

The testbed's own Python runs it, so it takes nothing but the standard library. `tests.end_to_end.planted_testbed` makes
that copy.
"""

from __future__ import annotations

import hashlib
import json
import quopri
import re
from pathlib import Path

_TOLD = json.loads(Path(__file__).with_name("private.json").read_text()) if __name__ == "private" else {}
PEOPLE: list[tuple[str, str]] = [(name, address) for name, address in _TOLD.get("people", ())]
STRINGS: list[str] = _TOLD.get("strings", [])
PARTS: list[tuple[bytes, list[bytes]]] = [
    (head.encode("latin-1"), [line.encode("latin-1") for line in lines]) for head, lines in _TOLD.get("parts", ())
]
EACH = 10
"""Strings of a letter of the corpus: twenty letters in a row have all. Those that jobs put there have all at once."""
_BOUNDARY = re.compile(rb'^Content-Type: multipart/[^;]*; boundary="([^"]*)"', re.MULTILINE)
_FIELDS = ("Comments", "Keywords", "X-Home", "X-Phone", "X-Remember", "Organization")


def subject(message_id: str) -> str:
    """What a letter's subject has behind its words."""
    return STRINGS[_chance(message_id.encode()) % len(STRINGS)]


def put_there(data: bytes, key: str) -> bytes:
    """A letter that a job puts into the account, with all strings; `key` begins with the client's name.

    node-imap reads what it appends as UTF-8, and so makes three bytes of each of Latin-1, beyond what it has announced.
    """
    return letter(data, parts=[part for part in PARTS if b"8859" not in part[0] or not key.startswith("node-imap")])


def letter(data: bytes, number: int | None = None, parts: list[tuple[bytes, list[bytes]]] = PARTS) -> bytes:
    """The letter with ten strings, by its number, or with all of them: in its header, and in its text or in parts."""
    first = 0 if number is None else number * EACH % len(STRINGS)
    mine = slice(first, None if number is None else first + EACH)
    head, _, body = data.partition(b"\r\n\r\n")
    head = b"\r\n".join([head, *_fields(STRINGS[first:])])
    if not body:
        return head + b"\r\n\r\n"
    found = _BOUNDARY.search(head)
    if found is None:
        return b"\r\n\r\n".join([head, body + b"".join(line for _, lines in parts for line in lines[mine])])
    edge = b"--" + found[1]
    inner, last, rest = body.rpartition(edge + b"--")
    added = b"".join(edge + b"\r\n" + start + b"".join(lines[mine]) + b"\r\n" for start, lines in parts)
    return b"".join([head, b"\r\n\r\n", inner, added, last, rest])


def _fields(strings: list[str]) -> list[bytes]:
    """Header fields in ASCII: clients fold and decode anything else as they please."""
    return [
        f"{name}: {text}".encode() if text.isascii() else b"%s: =?utf-8?q?%s?=" % (name.encode(), _encoded_word(text))
        for name, text in zip(_FIELDS, strings, strict=False)
    ]


def _encoded_word(text: str) -> bytes:
    return quopri.encodestring(text.encode(), header=True).replace(b'"', b"=22").replace(b"=\n", b"")


def _chance(data: bytes) -> int:
    return int.from_bytes(hashlib.sha256(data).digest()[:4], "big")
