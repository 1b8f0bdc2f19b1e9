"""Looks for secrets in all files below some folders, in every form in which they could have been written down."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def disguises(secret: str) -> Iterator[tuple[str, re.Pattern[bytes]]]:
    """Name and pattern of each form."""
    raw = secret.encode()
    escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
    forms = {"as it is": raw, "quoted": escaped.encode(), "UTF-16": secret.encode("utf-16-le")}
    for offset in range(3):
        # The characters at both ends depend on the neighbours too: only those in the middle are the secret's alone.
        encoded = base64.b64encode(bytes(offset) + raw).rstrip(b"=")
        whole = (offset + len(raw)) // 3 * 4
        forms[f"base64 at offset {offset}"] = encoded[4 if offset else 0 : whole]
    for name, form in list(forms.items()):
        if name.startswith("base64"):
            forms[name.replace("base64", "URL-safe base64")] = form.translate(bytes.maketrans(b"+/", b"-_"))
    for name, form in forms.items():
        yield name, re.compile(re.escape(form))
    yield "hex", re.compile(raw.hex().encode(), re.IGNORECASE)
    spelled = "".join(f"(?:{re.escape(chr(byte))}|%{byte:02x})" if byte < 128 else f"%{byte:02x}" for byte in raw)
    yield "percent", re.compile(spelled.encode(), re.IGNORECASE)
    yield "percent", re.compile(re.escape(quote(secret, safe="").encode()), re.IGNORECASE)


def hunt(folders: Iterable[Path], secrets: Iterable[str]) -> list[tuple[Path, str]]:
    """Where a secret was found: file and form."""
    patterns = [(f"{secret[:4]}…: {name}", pattern) for secret in secrets for name, pattern in disguises(secret)]
    files = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    found = list[tuple[Path, str]]()
    for file in files:
        data = file.read_bytes()
        found += [(file, name) for name, pattern in patterns if pattern.search(data)]
    return found
