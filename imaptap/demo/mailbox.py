"""The mailbox of the demonstration: some folders, four drafts, and one of these with a picture."""

from __future__ import annotations

import random
import struct
import zlib
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP

FOLDERS = {
    "INBOX": r"\Marked \HasChildren",
    "INBOX/Applications": r"\HasNoChildren",
    "INBOX/Client Notifications": r"\HasNoChildren",
    "Calendar": r"\HasNoChildren",
    "Contacts": r"\HasNoChildren",
    "Conversation History": r"\HasNoChildren",
    "Drafts": r"\HasNoChildren \Drafts",
}
"""Names with their attributes."""

_PEOPLE = ("Anna Ahlberg <anna@example.org>", "Ben Okafor <ben@example.net>")
_SUBJECTS = ("Minutes of Monday", "Tickets", "Recipe for the soup", "The garden in June, with a picture")
_PICTURE_SIDE = 64


@dataclass
class Letter:
    """A message as a server keeps it."""

    message: EmailMessage
    internal_date: str
    flags: list[str] = field(default_factory=lambda: ["\\Draft"])

    @property
    def content(self) -> bytes:
        """All of it, as it goes over the wire."""
        return self.message.as_bytes(policy=SMTP)

    @property
    def header(self) -> bytes:
        """Its header with the empty line behind it."""
        head, end, _ = self.content.partition(b"\r\n\r\n")
        return head + end


def drafts() -> list[Letter]:
    """The four, the same every time."""
    return [_letter(number, subject) for number, subject in enumerate(_SUBJECTS, 1)]


def _letter(number: int, subject: str) -> Letter:
    message = EmailMessage()
    message["Subject"] = subject
    message["From"], message["To"] = _PEOPLE
    message["Date"] = f"{number:02} Jun 2026 17:50:30 +0200"
    message["Message-ID"] = f"<draft-{number}@example.org>"
    if number < len(_SUBJECTS):
        message.set_content(f"Dear Ben,\n\nmore about this tomorrow: {subject.lower()}.\n\nAnna\n")
    else:
        message.set_content(_page(), subtype="html", cte="quoted-printable")
        message.add_related(_picture(), "image", "png", cid="<garden@example.org>", filename="garden.png")
    return Letter(message, f"{number:02}-Jun-2026 17:50:31 +0200")


def _page() -> str:
    plants = ("beans", "dill", "fennel", "kale", "leek", "mint", "peas", "sage", "thyme", "yarrow")
    rows = "\n".join(
        f'<tr style="height: 1.5em"><td>bed {bed}</td><td>{plant}</td><td>sown in week {week}</td></tr>'
        for bed in range(1, 75)
        for week, plant in enumerate(plants[bed % 4 :: 2], bed % 9 + 10)
    )
    return f'<html><body><p>Dear Ben,</p><img src="cid:garden@example.org"><table>\n{rows}\n</table></body></html>\n'


def _picture() -> bytes:
    """A square of grey noise as PNG: like a photograph, it cannot be made smaller."""
    noise = random.Random(1988)  # noqa: S311 - the same noise every time is what is wanted
    rows = b"".join(b"\0" + noise.randbytes(_PICTURE_SIDE) for _ in range(_PICTURE_SIDE))
    header = struct.pack(">IIBBBBB", _PICTURE_SIDE, _PICTURE_SIDE, 8, 0, 0, 0, 0)
    parts = (_part(b"IHDR", header), _part(b"IDAT", zlib.compress(rows)), _part(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
