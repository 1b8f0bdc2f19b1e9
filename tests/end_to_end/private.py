"""Two hundred private strings, and mail that has each of them in several encodings: what must not leak."""

from __future__ import annotations

import base64
import html
import random
import urllib.parse
from typing import TYPE_CHECKING

from proxy.imap.grammar.utf7 import encode
from tests.servers.mail import Message

if TYPE_CHECKING:
    from collections.abc import Callable

COUNT = 200
USER = "ottilie.quastenflosser"
LETTERS = 20
_SYLLABLES = "bra kno tzel wurm fisk qual morg zei rup dak lunt pfi gral hup schnor wexl jov ünd öst äkl".split()


def strings() -> list[str]:
    """Names, places and numbers that nobody else has: always the same."""
    chance = random.Random(7)  # noqa: S311 - they shall be the same every time
    found = dict[str, None]()
    while len(found) < COUNT:
        first, last = ("".join(chance.choices(_SYLLABLES, k=3)).title() for _ in range(2))
        number = chance.randrange(100, 1000)
        found[f"{first} {last} {number}" if chance.random() < 0.5 else f"{first}{number}"] = None
    return list(found)


def _quoted(text: str) -> bytes:
    return b"".join(b"=%02X" % each if each > 126 or each == 61 else bytes([each]) for each in text.encode())


def _wrapped(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _at(offset: int) -> Callable[[str], bytes]:
    """In base64, behind so many bytes more."""
    return lambda text: _wrapped(b"." * (30 + offset) + text.encode() + b"." * 30)


def _percent(text: str) -> bytes:
    return b"https://host.example/?q=" + urllib.parse.quote(text).encode() + b"\r\n"


def _html(text: str) -> bytes:
    numbers = "".join(f"&#{ord(each)};" for each in text)
    return numbers.encode() + b" " + html.escape(text).encode("ascii", "xmlcharrefreplace") + b"\r\n"


_TEXT, _BINARY = "text/plain; charset=utf-8", "application/octet-stream"

PARTS: dict[str, tuple[str, str, Callable[[str], bytes]]] = {
    "as it is": (_TEXT, "8bit", lambda text: text.encode() + b"\r\n"),
    "latin-1": ("text/plain; charset=iso-8859-1", "8bit", lambda text: text.encode("latin-1") + b"\r\n"),
    "quoted-printable": (
        "text/html; charset=utf-8",
        "quoted-printable",
        lambda text: b"<p>" + _quoted(text) + b"</p>=\r\n\r\n",
    ),
    "all quoted-printable": (
        _TEXT,
        "quoted-printable",
        lambda text: b"".join(b"=%02X" % each for each in text.encode()) + b"\r\n",
    ),
    "base64, offset 0": (_BINARY, "base64", _at(0)),
    "base64, offset 1": (_BINARY, "base64", _at(1)),
    "base64, offset 2": (_TEXT, "base64", _at(2)),
    "utf-16": (_BINARY, "base64", lambda text: _wrapped(text.encode("utf-16-le"))),
    "utf-16, binary": (_BINARY, "8bit", lambda text: text.encode("utf-16-be").replace(b"\n", b" ") + b"\r\n"),
    "hex": ("text/plain", "7bit", lambda text: text.encode().hex().encode() + b"\r\n"),
    "percent": ("text/plain", "7bit", _percent),
    "HTML": ("text/html", "7bit", _html),
    "reversed": (_TEXT, "8bit", lambda text: text[::-1].encode() + b"\r\n"),
}
"""What a letter is made of: a content type, an encoding, and what puts a string into it."""


def letter(number: int) -> bytes:
    """A letter with ten of the strings: in its header by turns, and each in each of PARTS."""
    mine = strings()[number * 10 : number * 10 + 10]
    word = [base64.b64encode(each.encode()).decode() for each in mine]
    plain = [urllib.parse.quote(each, safe="") for each in mine]
    user = plain[2].replace("%", "").replace("20", ".")
    second = _quoted(mine[1]).decode().replace(" ", "_")
    head = (
        f"From: =?utf-8?B?{word[0]}?= <{user}@{user}.example.org>\r\n"
        f"To: =?utf-8?Q?{second}?= <{USER}@mail.example.org>,\r\n {user}@example.org\r\n"
        f"Subject: {mine[3]}, =?utf-8?B?{word[4]}?=\r\nDate: Tue, 5 Mar 2024 10:00:{number:02d} +0100\r\n"
        f"Message-ID: <{user}.{number}@{user}.example.org>\r\nX-{user}: {mine[5]}\r\nComments: {mine[6]}\r\n"
        f"Received: from {user}.example.org (10.{number}.3.4) by mail.example.org; Tue, 5 Mar 2024 10:00:00 +0100\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="={user}"\r\n\r\n{mine[7]}\r\n'
    ).encode()
    parts = b"".join(
        b"--=%s\r\nContent-Type: %s; name*=utf-8''%s\r\nContent-Transfer-Encoding: %s\r\n\r\n%s"
        % (user.encode(), kind.encode(), plain[8].encode(), how.encode(), b"".join(map(put, mine)))
        for kind, how, put in PARTS.values()
    )
    return head + parts + b"--=%s--\r\n%s\r\n" % (user.encode(), mine[9].encode())


def folders() -> dict[str, list[Message]]:
    """The mail of an account: folders are called after the first ten strings."""
    named = [encode(each.replace("/", "-")).decode() for each in strings()[:10]]
    letters = [Message(letter(number), "S" if number % 2 else "") for number in range(LETTERS)]
    return {"INBOX": letters, **{name: letters[at : at + 1] for at, name in enumerate(named)}}
