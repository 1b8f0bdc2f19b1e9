"""Looks for secrets in all files below some folders, in every form in which they could have been written down."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote_to_bytes

from blake3 import blake3

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def disguises(secret: str) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each form. Percent-encoding is undone in the file instead: it can be done in too many ways."""
    raw = secret.encode()
    yield "as it is", raw
    yield "quoted", secret.replace("\\", "\\\\").replace('"', '\\"').encode()
    yield "UTF-16", secret.encode("utf-16-le")
    yield "hex", raw.hex().encode()
    yield "hex", raw.hex().upper().encode()
    # An unsalted hash of a password is as good as the password (M 7.9).
    yield "SHA-256", hashlib.sha256(raw).digest()
    yield "SHA-256 in hex", hashlib.sha256(raw).hexdigest().encode()
    yield "BLAKE3", blake3(raw).digest()
    yield "BLAKE3 in hex", blake3(raw).hexdigest().encode()
    for offset in range(3):
        # The characters at both ends depend on the neighbours too: only those in the middle are the secret's alone.
        encoded = base64.b64encode(bytes(offset) + raw)[4 if offset else 0 : (offset + len(raw)) // 3 * 4]
        yield f"base64 at offset {offset}", encoded
        yield f"URL-safe base64 at offset {offset}", encoded.translate(bytes.maketrans(b"+/", b"-_"))


def hunt(folders: Iterable[Path], secrets: Iterable[str]) -> list[tuple[Path, str]]:
    """Where a secret was found: file and form."""
    forms = [(f"{secret[:6]!r}: {name}", form) for secret in secrets for name, form in disguises(secret)]
    found = list[tuple[Path, str]]()
    for file in (file for folder in folders for file in folder.rglob("*") if file.is_file()):
        data = file.read_bytes()
        plain = unquote_to_bytes(data) if b"%" in data else b""
        found += [(file, name) for name, form in forms if form in data or form in plain]
    return found
