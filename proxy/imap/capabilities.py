"""The closed list of rewrites: which capability words a client may not see, or must (M 6.1, 6.2, 6.10-6.12).

A list is rewritten wherever it stands: `* CAPABILITY`, or a `[CAPABILITY …]` code in any status response. Words keep
their order and spacing; all other words stay. Each rewrite says what was received and what was sent. STARTTLS is not
offered where it is not possible any more: after a login, hence in a tagged OK with a list, and in PREAUTH.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from proxy.imap.transcript import readable

_LIST = re.compile(
    rb"\* +CAPABILITY(?=[ \r\n])([^\r\n]*)"
    rb"|(?!\+)([^ \r\n]+) +(OK|NO|BAD|PREAUTH|BYE) +\[CAPABILITY(?=[ \]])([^\]\r\n]*)\]",
    re.IGNORECASE,
)
_PLAIN, _TAG, _STATUS, _CODE = 1, 2, 3, 4
_WORD = re.compile(rb" +([^ ]+)")
_SPACES = re.compile(rb" {2,}")
_HEAD_MAX = 512  # a line is looked at again while it grows; whose head is longer is judged by its end
_HEADS = (b"* CAPABILITY", *(b"%s [CAPABILITY" % status for status in (b"OK", b"NO", b"BAD", b"PREAUTH", b"BYE")))


class Scram(enum.StrEnum):
    """What becomes of SCRAM words: channel-bound SCRAM cannot pass a middleman (M 6.10)."""

    AUTO = "auto"  # where a -PLUS mechanism is offered, hide all SCRAM
    PASS = "pass"
    HIDE = "hide"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """At `offset` of the stream as received, `received` was replaced by `sent`; either may be empty."""

    offset: int
    received: bytes
    sent: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Words:
    """What is done to capability lists on the way to the client."""

    hide_starttls: bool = False
    offer_starttls: bool = False
    hide_logindisabled: bool = False
    hide_compress: bool = False
    hide_external: bool = False
    scram: Scram = Scram.AUTO
    mechanisms: frozenset[str] | None = None
    """The SASL mechanisms that are left, by their names in capitals; None: all of them."""

    @property
    def lasting(self) -> bool:
        """Whether lists must still be rewritten after a login."""
        return self.hide_compress or self.scram is Scram.HIDE


class CapabilityRewriter:
    """Applies `words` to one session's lines; remembers that a -PLUS mechanism was offered."""

    def __init__(self, words: Words) -> None:
        self.words = words
        self.plus_seen = False
        self.authenticated = False

    def rewrite(self, line: bytes, offset: int) -> Rewrite | None:
        """The rewrite of the capability list in a server line that starts at `offset`; None if nothing changes."""
        match = _LIST.match(line)
        if match is None:
            return None
        group = _PLAIN if match[_CODE] is None else _CODE
        received = match[group]
        upper = [word.upper() for word in received.split()]
        self.plus_seen |= any(word.startswith(b"AUTH=") and word.endswith(b"-PLUS") for word in upper)
        sent = _WORD.sub(lambda m: b"" if self._hidden(m[1].upper()) else m[0], received)
        if self._offers(match) and b"STARTTLS" not in upper:
            sent = sent.rstrip(b" ") + b" STARTTLS"
        if sent == received:
            return None
        return Rewrite(offset + match.start(group), received, sent, "capability")

    def _offers(self, match: re.Match[bytes]) -> bool:
        if not self.words.offer_starttls or self.authenticated:
            return False
        status = (match[_STATUS] or b"").upper()
        return status not in {b"PREAUTH", b"BYE"} and (status != b"OK" or match[_TAG] == b"*")

    def _hidden(self, word: bytes) -> bool:
        words = self.words
        if words.mechanisms is not None and word.startswith(b"AUTH="):
            return readable(word.removeprefix(b"AUTH=")) not in words.mechanisms
        if word.startswith(b"AUTH=SCRAM-") or (word.startswith(b"AUTH=") and word.endswith(b"-PLUS")):
            return words.scram is Scram.HIDE or (words.scram is Scram.AUTO and self.plus_seen)
        return (
            (word == b"STARTTLS" and words.hide_starttls)
            or (word == b"LOGINDISABLED" and words.hide_logindisabled)
            or (word == b"COMPRESS=DEFLATE" and words.hide_compress)
            or (word == b"AUTH=EXTERNAL" and words.hide_external)
        )


def without_list(line: bytes, offset: int) -> Rewrite | None:
    """Take the `[CAPABILITY …]` code out of a greeting that was given before TLS (M 6.3)."""
    match = _LIST.match(line)
    if match is None or match[_CODE] is None:
        return None
    start = line.index(b"[")
    end = match.end()
    if line[end : end + 1] == b" ":
        end += 1
    return Rewrite(offset + start, line[start:end], b"", "capability")


def may_hold_list(start: bytes) -> bool:
    """Whether a line that begins like this may turn out to hold a capability list."""
    if start[:1] == b"+":
        return False
    head = squeezed(start[:_HEAD_MAX])
    _, _, rest = head.partition(b" ")
    return not rest or begins(head, _HEADS[0]) or any(begins(rest, status) for status in _HEADS[1:])


def squeezed(start: bytes) -> bytes:
    """In capitals, with one space for many: servers double them (M 2.8)."""
    return _SPACES.sub(b" ", start).upper()


def begins(text: bytes, wanted: bytes) -> bool:
    """Whether `text` is a beginning of `wanted`, or begins with it."""
    return text[: len(wanted)] == wanted[: len(text)]
