"""What becomes of a piece of text, by what kind of thing it is: words, dates, hosts, names of mailboxes."""

from __future__ import annotations

import base64
import binascii
import ipaddress
import re
from typing import TYPE_CHECKING, Final

from imaptap.privacy import dates
from imaptap.privacy.policy import Action, Thing
from imaptap.privacy.pseudonyms import Pseudonyms
from imaptap.privacy.vocabulary import KEPT, MAILBOXES, is_charset
from imaptap.scanning.detectors import FIRST_OF_TOP, REAL_TOPS, Detectors, Kind
from proxy.imap.grammar import utf7

if TYPE_CHECKING:
    from collections.abc import Callable

    from imaptap.privacy.policy import Policy

_NOTHING: Final = frozenset[str]()
_PUNCTUATION = "\u0080-\u00bf\u00d7\u00f7\u2000-\u206f\u3000-\u303f"
_WORDS = rf"(?:[A-Za-z0-9]|[^\x00-\x7f{_PUNCTUATION}])+"
_ENCODED = r"=\?(?P<charset>[^?\s]{1,64})\?(?P<how>[bBqQ])\?(?P<content>[^?\s]*)\?="
_PERCENT = r"(?P<percent>(?:%[0-9A-Fa-f]{2})+)"
_IPV4 = r"(?<![\w.])(?P<ipv4>\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3})(?![\w.]*\w)"
_IPV6 = r"(?<![\w:])(?P<ipv6>[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,7})(?![\w:])"
_HOST = rf"(?:(?<=@)|(?<=%40))(?P<host>{_WORDS}(?:[.\-]+{_WORDS})*)"
_ALL = re.compile(
    rf"{_ENCODED}|(?P<date>{dates.PATTERN})|{_IPV4}|{_IPV6}|{_HOST}|{_PERCENT}|(?P<word>{_WORDS})",
    re.IGNORECASE | re.ASCII,  # digits of other scripts have more bytes, and no month begins with a long s
)
_ANY_WORD = re.compile(_WORDS)
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_CODES = re.compile(rb"(?:=[0-9A-Fa-f]{2})")
_REMOVED: Final = re.compile(rb"[A-Za-z0-9\x80-\xff]")
_UUENCODED = re.compile(rb"(?<!^)[!-`]")
_TOP = re.compile(rb"(@(?:[A-Za-z0-9-]+\.)+)([A-Za-z]{2})(?=[A-Za-z]*(?![A-Za-z0-9-]|\.[A-Za-z0-9]))")
_GOES_ON = re.compile(rb"@(?=[A-Za-z0-9.-]*(?:=\r?\n)?\Z)")
"""In front of a host of which the next line may have the rest, and with it another top-level domain."""
_DOTTED = re.compile(rb"(?<![0-9A-Za-z.])([0-9]{1,3})((?:\.[0-9]{1,3}){3})(?![0-9A-Za-z]|\.[0-9])")
_NOBODYS_TOP: Final = b"xq"
_NO_TOKENS: Final = b"q"
"""None begins with it."""
_SECRET_LEAST: Final = 12
"""Bytes of the shortest secret that can be told by its looks."""
_LANGUAGE = re.compile(r"(?:[A-Za-z]{2,3}(?:-[A-Za-z]{2,4})?)?")
_LOOPBACK = ("127.", "0.0.0.0")  # noqa: S104 - nobody listens there
FIRST_OCTETS: Final = {1: "0", 2: "10", 3: "127"}
"""What addresses of machines begin with when they were replaced: none of them is anybody's."""
_FIRST: Final = {size: octet.encode() for size, octet in FIRST_OCTETS.items()}
_SECRETS: Final = Detectors(frozenset((Kind.TOKEN, Kind.PASSWORD)))


class Rules:
    """One policy with one set of pseudonyms. All methods take bytes and give as many back."""

    def __init__(self, policy: Policy, key: bytes) -> None:
        self.policy = policy
        self.pseudonyms = Pseudonyms(key, KEPT | policy.words | policy.mailboxes)

    def days(self) -> int:
        """By how many days all dates are moved."""
        return self.pseudonyms.days if self.policy.of(Thing.DATE) is not Action.KEEP else 0

    def replaces(self, thing: Thing) -> bool:
        """Whether anything becomes of it."""
        return self.policy.of(thing) is not Action.KEEP

    def words(self, data: bytes, thing: Thing, kept: frozenset[str] = _NOTHING) -> bytes:
        """Text of which each word gets its pseudonym, but for those in `kept`."""
        action = self.policy.of(thing)
        if action is Action.KEEP:
            return self._dated(self._kept(data))
        if action is Action.REMOVE:
            return _REMOVED.sub(b"x", data)
        text = data.decode("utf-8", "surrogateescape")
        kept |= self.policy.words
        return _ALL.sub(lambda found: self._found(found, thing, kept), text).encode("utf-8", "surrogateescape")

    def address(self, data: bytes) -> bytes:
        """The name of a user, with or without a host."""
        return self.words(data, Thing.ADDRESS)

    def host(self, data: bytes) -> bytes:
        """The name of a host alone."""
        action = self.policy.of(Thing.HOST)
        if action is not Action.PSEUDONYM:
            return data if action is Action.KEEP else _REMOVED.sub(b"x", data)
        text = data.decode("utf-8", "surrogateescape")
        return self._host(text).encode("utf-8", "surrogateescape")

    def mailbox(self, data: bytes) -> bytes:
        """The name of a mailbox: modified UTF-7 or UTF-8."""
        action = self.policy.of(Thing.MAILBOX)
        kept = MAILBOXES | self.policy.mailboxes
        if action is Action.PSEUDONYM and b"&" in data and data.isascii():
            try:
                text = utf7.decode(data)
                made = utf7.encode(self.words(text.encode(), Thing.MAILBOX, kept).decode())
            except ValueError:
                pass
            else:
                if len(made) == len(data):
                    return made
        if action is Action.KEEP and b"@" in data:
            return self.address(data)
        return self.words(data, Thing.MAILBOX, kept)

    def line(self, data: bytes, thing: Thing = Thing.TEXT) -> bytes:
        """A line of text, quoted-printable or not, that nobody has to recognise again."""
        action = self.policy.of(thing)
        if action is Action.KEEP:
            return self._kept(data)
        if action is Action.REMOVE:
            return data if not _REMOVED.search(data) else self._coded(data, lambda clear: _REMOVED.sub(b"x", clear))
        return self._coded(data, self._nobody)

    def base64(self, data: bytes, thing: Thing, *, text: bool) -> bytes:
        """A line of base64; `text` where it means text."""
        action = self.policy.of(thing)
        if action is Action.KEEP:
            return data
        if action is Action.REMOVE:
            return re.sub(rb"[A-Za-z0-9+/_-]", b"x", data)
        return self.pseudonyms.base64_text(data, self._nobody) if text else self.pseudonyms.base64(data)

    def uuencoded(self, data: bytes) -> bytes:
        """A line of a file in the text of a letter; its first byte, which tells its length, stays."""
        action = self.policy.of(Thing.ATTACHMENT)
        if action is Action.KEEP:
            return data
        return _UUENCODED.sub(b"X", data) if action is Action.REMOVE else self.pseudonyms.uuencoded(data)

    def opaque(self, data: bytes, thing: Thing = Thing.ATTACHMENT) -> bytes:
        """Bytes of any kind."""
        action = self.policy.of(thing)
        if action is Action.KEEP:
            return data
        return re.sub(rb"[^\r\n]", b"x", data) if action is Action.REMOVE else self.pseudonyms.opaque(data)

    # --- parts of it ------------------------------------------------------------------------------------------------

    def _nobody(self, data: bytes) -> bytes:
        """A line whose addresses and tokens, by chance, would be somebody's: none of them is."""
        made = _no_secret(self.pseudonyms.line(data)).replace(b"%40", b"%41")  # else, decoded, an "@" by chance
        if b"@" in made:
            made = _GOES_ON.sub(b"+", _TOP.sub(lambda found: found[1] + _like(_NOBODYS_TOP, found[2]), made))
        return _DOTTED.sub(lambda found: _FIRST[len(found[1])] + found[2], made) if made.count(b".") > 2 else made

    def _kept(self, data: bytes) -> bytes:
        """Text that stays, but for the secrets that somebody wrote into it."""
        action = self.policy.of(Thing.SECRET)
        if action is Action.KEEP or len(data) < _SECRET_LEAST:
            return data
        made = bytearray(data)
        for start, end in _SECRETS.secrets(data):
            secret = data[start:end]
            made[start:end] = self.pseudonyms.line(secret) if action is Action.PSEUDONYM else _REMOVED.sub(b"x", secret)
        return bytes(made)

    def _dated(self, data: bytes) -> bytes:
        """Only with its dates moved."""
        days = self.days()
        if not days:
            return data
        text = data.decode("utf-8", "surrogateescape")
        return _DATE.sub(lambda found: dates.moved(found, days) or found[0], text).encode("utf-8", "surrogateescape")

    def _found(self, found: re.Match[str], thing: Thing, kept: frozenset[str]) -> str:
        kind = found.lastgroup
        if found["word"] is not None:
            return found[0] if found[0].lower() in kept else self.pseudonyms.word(found[0])
        if found["how"] is not None:
            return self._encoded(found, thing, kept)
        if found["date"] is not None:
            days = self.days()
            made = dates.moved(found, days) if days else found[0]
            return self._each(found[0], kept) if made is None else made
        if found["ipv4"] is not None:
            return self._ipv4(found[0])
        if found["ipv6"] is not None:
            return self._ipv6(found[0], kept)
        if found["host"] is not None:
            return self._host(found[0]) if self.policy.of(Thing.HOST) is not Action.KEEP else found[0]
        if found["percent"] is not None:
            clear = bytes.fromhex(found[0].replace("%", ""))
            made_bytes = self.words(clear, thing, kept)
            return "".join(f"%{each:02X}" for each in made_bytes)
        raise AssertionError(kind)

    def _each(self, text: str, kept: frozenset[str] = _NOTHING) -> str:
        """Word by word, whatever it may look like."""
        return _ANY_WORD.sub(lambda word: word[0] if word[0].lower() in kept else self.pseudonyms.word(word[0]), text)

    def _ipv4(self, text: str) -> str:
        octets = text.split(".")
        if any(int(octet) > 255 or (len(octet) > 1 and octet[0] == "0") for octet in octets):
            return self._each(text)
        if text.startswith(_LOOPBACK):
            return text
        rest = (self.pseudonyms.octet(octet) for octet in octets[1:])
        return ".".join((FIRST_OCTETS[len(octets[0])], *rest))

    def _ipv6(self, text: str, kept: frozenset[str]) -> str:
        try:
            address = ipaddress.IPv6Address(text)
        except ValueError:
            return self._each(text, kept)
        if address.is_loopback or address.is_unspecified:
            return text
        digest = iter(self.pseudonyms.digest(address.packed).hex() * 2)
        return "".join(each if each == ":" else next(digest) for each in text)

    def _host(self, text: str) -> str:
        """Its labels, and a top-level domain that there is not."""
        if text.lower() in {"localhost", "invalid", "example"}:
            return text
        head, dot, top = text.rpartition(".")
        if not dot or not top.isalpha() or len(top) < 2:
            return self._each(text)
        made = top.lower() + "q"  # not the word that stands elsewhere
        shown = next(iter(REAL_TOPS))
        while shown in REAL_TOPS:
            made = self.pseudonyms.word(made)
            shown = FIRST_OF_TOP + made[1 : len(top)]
        if len(shown.encode("utf-8", "surrogateescape")) != len(top.encode("utf-8", "surrogateescape")):
            return self._each(text)
        return f"{self._each(head)}{dot}{shown.upper() if top.isupper() else shown}"

    def _encoded(self, found: re.Match[str], thing: Thing, kept: frozenset[str]) -> str:
        """An encoded word (RFC 2047), in its own encoding."""
        content = found["content"].encode("utf-8", "surrogateescape")
        if found["how"] in "qQ":
            made = self._coded(content, lambda clear: self.words(clear, thing, kept))
        else:
            try:
                clear = base64.b64decode(content, validate=True)
            except (binascii.Error, ValueError):
                made = self.pseudonyms.base64(content)
            else:
                words = self.words(clear, thing, kept) if b"\x1b" not in clear else self.pseudonyms.line(clear)
                made = base64.b64encode(words)
        shown = made.decode("utf-8", "surrogateescape")
        return f"=?{self._charset(found['charset'], kept)}?{found['how']}?{shown}?="

    def _charset(self, text: str, kept: frozenset[str]) -> str:
        """The name of a charset, and a language (RFC 2231 section 5): those that there are stay."""
        charset, star, language = text.partition("*")
        charset = charset if is_charset(charset) else self._each(charset, kept)
        language = language if _LANGUAGE.fullmatch(language) else self._each(language, kept)
        return f"{charset}{star}{language}"

    def _coded(self, data: bytes, change: Callable[[bytes], bytes]) -> bytes:
        """Quoted-printable (or "Q"), changed where it is decoded; each code stays a code."""
        if b"=" not in data or not _CODES.search(data):
            return change(data)
        clear, places = bytearray(), list[int]()
        position = 0
        for code in _HEX.finditer(data):
            clear += data[position : code.start()]
            places.append(len(clear))
            clear.append(int(code[1], 16))
            position = code.end()
        clear += data[position:]
        made = change(bytes(clear))
        parts, position = list[bytes](), 0
        for place in places:
            parts += [made[position:place], b"=%02X" % made[place]]
            position = place + 1
        return b"".join([*parts, made[position:]])


def _no_secret(made: bytes) -> bytes:
    """Without what looks like a token: three letters and chance make one of GitHub's, as of its neighbours."""
    if len(made) < _SECRET_LEAST:
        return made
    changed = bytearray(made)
    for start, *_ in _SECRETS.find(made):
        if made[start : start + 1].isalpha():
            changed[start] = _like(_NO_TOKENS, made[start : start + 1])[0]
    return bytes(changed)


def _like(new: bytes, old: bytes) -> bytes:
    return bytes(now & 0xDF if was < 0x60 else now for now, was in zip(new, old, strict=True))


_DATE = re.compile(dates.PATTERN, re.IGNORECASE | re.ASCII)
