"""The mailbox that the tests' own server starts with: small, the same every time, made here.

Drafts holds the kind of message the first user story fetches: HTML with an inline picture, about 35 KB.
"""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True)
class Message:
    """One message as the server gives it out: CRLF line ends. `flags` are Maildir's letters."""

    data: bytes
    flags: str = ""


def mailbox() -> dict[str, list[Message]]:
    """Folder name to its messages, in order of their UIDs."""
    return {
        "INBOX": [*(_plain(number) for number in range(1, 9)), _eight_bit(), _awkward(), _attachment(120_000)],
        "Drafts": [_plain(101, "S"), _plain(102), _no_subject(), _picture()],
        "Archive/2024 notes": [_plain(number) for number in range(201, 206)],
        "Empty": [],
    }


def write_maildir(root: Path, folders: dict[str, list[Message]]) -> None:
    """Lay `folders` down as a Maildir++ tree below `root`. UIDs follow the file names."""
    for folder, messages in folders.items():
        place = root if folder == "INBOX" else root / ("." + folder.replace("/", "."))
        for part in ("cur", "new", "tmp"):
            (place / part).mkdir(parents=True, exist_ok=True)
        for number, message in enumerate(messages, 1):
            name = f"{1_700_000_000 + number}.M{number}.tests:2,{message.flags}"
            (place / "cur" / name).write_bytes(message.data.replace(b"\r\n", b"\n"))


def write_old_mail(_: str, root: Path) -> None:
    """The same mailbox for a server, with letters that came long ago, each on a day of its own."""
    write_maildir(root, mailbox())
    for day, path in enumerate(sorted(path for path in root.rglob("*") if path.is_file())):
        os.utime(path, (1_600_000_000 + day * 86_400,) * 2)


def noise(size: int, seed: str) -> bytes:
    """Bytes that do not compress and are the same in every run."""
    blocks = (hashlib.sha256(f"{seed} {number}".encode()).digest() for number in range(size // 32 + 1))
    return b"".join(blocks)[:size]


def _message(subject: str | bytes | None, key: str, content_type: str, body: bytes, more: str = "") -> bytes:
    head = b"From: Ada Example <ada@example.org>\r\nTo: bob@example.net\r\nDate: Tue, 05 Mar 2024 10:00:00 +0100\r\n"
    if subject is not None:
        head += b"Subject: " + (subject if isinstance(subject, bytes) else subject.encode()) + b"\r\n"
    head += f"Message-ID: <{key}@example.org>\r\nMIME-Version: 1.0\r\nContent-Type: {content_type}\r\n{more}".encode()
    return head + b"\r\n" + body


def _plain(number: int, flags: str = "") -> Message:
    lines = "".join(f"Line {line} of letter {number}: nothing to see here.\r\n" for line in range(1, number % 7 + 3))
    return Message(
        _message(f"Letter {number}", f"plain-{number}", "text/plain; charset=us-ascii", lines.encode()), flags
    )


def _eight_bit() -> Message:
    body = "Grüße aus Köln, and a line that looks like an answer:\r\na1 OK done\r\n* BYE {12}\r\n".encode()
    head = "Content-Transfer-Encoding: 8bit\r\n"
    return Message(_message("Grüße".encode(), "eight-bit", "text/plain; charset=utf-8", body, head))


def _awkward() -> Message:
    subject = r'Braces {12} and "quotes" and a backslash \ in one subject'
    return Message(_message(subject, "awkward", "text/plain", b"Short.\r\n"))


def _no_subject() -> Message:
    return Message(_message(None, "no-subject", "text/plain", b""))


def _base64(data: bytes) -> bytes:
    return base64.encodebytes(data).replace(b"\n", b"\r\n")


def _attachment(size: int) -> Message:
    body = (
        b"--cut\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n--cut\r\nContent-Type: application/octet-stream\r\n"
        b'Content-Disposition: attachment; filename="data.bin"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + _base64(noise(size, "attachment"))
        + b"--cut--\r\n"
    )
    return Message(_message("A file", "attachment", 'multipart/mixed; boundary="cut"', body))


def _picture() -> Message:
    paragraph = '<p class=3D"MsoNormal">A draft that nobody has finished yet, number {}.</p>=\r\n'
    html = "<html><body>=\r\n" + "".join(map(paragraph.format, range(360))) + '<img src=3D"cid:p1"></body></html>\r\n'
    body = (
        b"--rel\r\nContent-Type: text/html; charset=us-ascii\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
        + html.encode()
        + b'--rel\r\nContent-Type: image/jpeg; name="image001.jpg"\r\nContent-ID: <p1>\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n" + _base64(noise(4200, "picture")) + b"--rel--\r\n"
    )
    return Message(_message("", "picture", 'multipart/related; boundary="rel"; type="text/html"', body), "D")
