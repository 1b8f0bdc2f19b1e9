"""The head of a server unit: tagged, untagged or continuation, its kind, status and response code.

Only the first line of the unit is read, and only as far as pairing needs (M 2.5, 2.8, 2.14); grammar does the rest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from proxy.imap.commands import unescape
from proxy.imap.transcript import readable

_HEAD_MAX = 16384  # a line is looked at again while it grows: a head without an end must not cost more each time

STATUSES = frozenset({"OK", "NO", "BAD", "BYE", "PREAUTH"})

_LINE = re.compile(
    rb"([^ \r\n]+) +(?:([0-9]+)(?= ) +)?([^ \r\n(\"{]+)?(?: *\[([^ \]\r\n]+)([^\]\r\n]*)\]?)?",
)
_ONLY_NEWS = re.compile(
    rb"\* [0-9]+ (?:UID)?FETCH \((?:(?:FLAGS \([^)]*\)|UID [0-9]+|MODSEQ \([0-9]+\)) ?)+\)\s*\Z", re.IGNORECASE
)
_CORRELATOR = re.compile(rb'\* ESEARCH \(TAG (?:"((?:[^"\\]|\\.)*+)"|([^ )]+))', re.IGNORECASE)
_STATUS_NAME = re.compile(rb'\* +[A-Za-z]+ +(?:"((?:[^"\\]|\\.)*+)"|([^ \r\n]+))')
_PROGRESS = re.compile(rb' *\("([^"]+)"')


@dataclass(frozen=True, slots=True)
class ResponseHead:
    """`tag` is None for untagged data and "+" lines; `kind` is "+" or the data word in capitals ("FETCH", "OK").

    `status` repeats the kind where it is OK, NO, BAD, BYE or PREAUTH; then `code` is the response code's name.
    `text` is where the human text starts in the line.
    """

    tag: bytes | None
    kind: str
    status: str | None = None
    code: str | None = None
    code_arguments: bytes = b""
    text: int = 0

    @property
    def named_tag(self) -> bytes | None:
        """The tag that an untagged status names: `OK [INPROGRESS ("tag" …)]` (RFC 9585)."""
        match = _PROGRESS.match(self.code_arguments) if self.code == "INPROGRESS" else None
        return match[1] if match else None


def read_response(line: bytes) -> ResponseHead:
    """Read the head of a server line; what is no IMAP at all is of kind "?"."""
    if line[:1] == b"+":
        return ResponseHead(None, "+", text=1)
    match = _LINE.match(line, 0, _HEAD_MAX)
    if match is None or match[3] is None:
        return ResponseHead(None, "?")
    word = readable(match[3].upper())
    tag = None if match[1] == b"*" else match[1]
    if word not in STATUSES or match[2]:
        return ResponseHead(None, word if tag is None else "?")
    end_of_word = match.end(3)
    code = None
    end = end_of_word
    if match[4] is not None and line[end_of_word : match.start(4) - 1].strip() == b"":
        code = readable(match[4].upper())
        end = match.end()
    return ResponseHead(tag, word, word, code, match[5] or b"", end)


def only_news(line: bytes) -> bool:
    """Whether a FETCH carries only FLAGS, UID and MODSEQ: what a server also sends unasked (M 3.9)."""
    return _ONLY_NEWS.match(line) is not None


def correlator(line: bytes) -> bytes | None:
    """The tag that an ESEARCH names (RFC 4466 search-correlator)."""
    match = _CORRELATOR.match(line)
    return (match[1] if match[1] is not None else match[2]) if match else None


def named_mailbox(line: bytes) -> bytes | None:
    """The mailbox that a STATUS, ACL, QUOTAROOT or METADATA names, quotes taken off."""
    match = _STATUS_NAME.match(line)
    if match is None:
        return None
    return unescape(match[1]) if match[1] is not None else match[2]
