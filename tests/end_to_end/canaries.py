"""Two hundred private strings of ten kinds, and the thirteen ways in which letters have them."""

from __future__ import annotations

import base64
import codecs
import json
import random
import urllib.parse
from typing import TYPE_CHECKING, Final, NamedTuple

from proxy.imap.grammar.utf7 import encode

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT: Final = 200
_SYLLABLES: Final = "brä kno tzel wurm fisk quöl morg zei rup dak lunt pfi gral hüp schnor wexl jov ünd öst äkl".split()
_PLAIN: Final = str.maketrans("äöü", "aou")
_BASE36: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def canaries() -> dict[str, list[str]]:
    """Each kind with its strings, which nobody else has: always the same."""
    chance = random.Random(41)  # noqa: S311 - they shall be the same every time
    return {kind: [make(chance) for _ in range(COUNT // len(_KINDS))] for kind, make in _KINDS.items()}


def listed() -> list[str]:
    """All of them, by turns of each kind."""
    return [each for row in zip(*canaries().values(), strict=True) for each in row]


def _word(chance: random.Random, syllables: int = 3) -> str:
    return "".join(chance.choices(_SYLLABLES, k=syllables))


def _plain(chance: random.Random, syllables: int = 3) -> str:
    return _word(chance, syllables).translate(_PLAIN)


def _digits(chance: random.Random, count: int) -> str:
    return str(chance.randrange(10 ** (count - 1), 10**count))


_KINDS: Final[dict[str, Callable[[random.Random], str]]] = {
    "name": lambda chance: f"{_word(chance, 2).title()} {_word(chance).title()}",
    "address": lambda chance: f"{_plain(chance, 2)}.{_plain(chance)}@{_plain(chance)}.de",
    "host": lambda chance: f"mx{_digits(chance, 2)}.{_plain(chance, 4)}.net",
    "token": lambda chance: "ghp_" + "".join(chance.choices(_BASE36, k=36)),
    "password": lambda chance: f"{_word(chance, 2).title()}!{_digits(chance, 3)}_{_plain(chance, 2)}",
    "subject": lambda chance: f"{_word(chance).title()} und {_word(chance).title()} {_digits(chance, 3)}",
    "folder": lambda chance: f"{_plain(chance).title()}-{_digits(chance, 2)}",
    "nickname": lambda chance: f'{_word(chance, 2).title()} "{_word(chance, 1).title()}" {_word(chance).title()}',
    "number": lambda chance: f"+49 {_digits(chance, 3)} {_digits(chance, 8)}",
    "file": lambda chance: f"{_word(chance)}-{_digits(chance, 4)}-{_word(chance, 1)}.pdf",
}


class Form(NamedTuple):
    """A way in which strings stand in a letter: how `imaptap scan` calls it, and the MIME part that has them so."""

    name: str
    kind: str
    encoding: str
    put: Callable[[str], bytes]


def _wrapped(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _at_all_offsets(text: str) -> bytes:
    return b"".join(_wrapped(b"." * (30 + offset) + text.encode() + b"." * (30 - offset)) for offset in range(3))


def _quoted(text: str) -> bytes:
    return b"".join(b"=%02X" % each if each > 126 or each == 61 else bytes([each]) for each in text.encode())


def _string(text: str) -> bytes:
    return b'"%s"' % text.encode().replace(b"\\", b"\\\\").replace(b'"', b'\\"')


_UTF8, _BINARY = "text/plain; charset=utf-8", "application/octet-stream"
_FORMS: Final = (
    Form("as it is", _UTF8, "8bit", str.encode),
    Form("latin-1", "text/plain; charset=iso-8859-1", "8bit", lambda text: text.encode("latin-1")),
    Form("base64 of utf-16", _BINARY, "base64", lambda text: _wrapped(text.encode("utf-16-le"))),
    Form("base64", _BINARY, "base64", _at_all_offsets),
    Form("hex", "text/plain", "7bit", lambda text: text.encode().hex().encode()),
    Form("quoted-printable", "text/html; charset=utf-8", "quoted-printable", _quoted),
    Form("percent", "text/plain", "7bit", lambda text: b"/?q=" + urllib.parse.quote(text, safe="").encode()),
    Form("modified UTF-7", "text/plain", "7bit", encode),
    Form("quoted string", _UTF8, "8bit", _string),
    Form("JSON", "application/json", "7bit", lambda text: json.dumps({"is": text}).encode()),
    Form("HTML numbers", "text/html", "7bit", lambda text: "".join(f"&#{ord(each)};" for each in text).encode()),
    Form("reversed", _UTF8, "8bit", lambda text: text[::-1].encode()),
    Form("rot13", _UTF8, "8bit", lambda text: codecs.encode(text, "rot13").encode()),
)
FORMS: Final = tuple(form.name for form in _FORMS)


def parts() -> list[tuple[bytes, list[bytes]]]:
    """For each form the header of a MIME part, and for each string the lines that this has of it."""
    return [
        (
            f"Content-Type: {form.kind}\r\nContent-Transfer-Encoding: {form.encoding}\r\n\r\n".encode(),
            [form.put(each).removesuffix(b"\r\n") + b"\r\n" for each in listed()],
        )
        for form in _FORMS
    ]
