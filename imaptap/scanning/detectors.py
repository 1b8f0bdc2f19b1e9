"""What looks like a secret or like somebody: keys, tokens, passwords, addresses, words of chance."""

from __future__ import annotations

import enum
import ipaddress
import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


class Kind(enum.StrEnum):
    """What can be looked for."""

    CANARY = "canary"
    KEY = "key"
    TOKEN = "token"
    PASSWORD = "password"
    ADDRESS = "address"
    IP = "ip"
    ENTROPY = "entropy"


FIRST_OF_TOP: Final = "x"
"""What top-level domains begin with that stand for others (`imaptap.privacy`): no country's does."""
REAL_TOPS: Final = frozenset("xbox xerox xfinity xihuan xin xn xxx xyz".split())
"""Those that there are nevertheless."""
_EDGE = rb"(?<![A-Za-z0-9_+/-])"
_LOGIN = (
    rb"(?i:(?<=[ \t])LOGIN)[ \t]+(?:\"[^\"\r\n]{0,200}\"|[^\s\"{}()<>]{1,200})[ \t]+"
    rb"(?P<login>\"[^\"\r\n]{1,200}\"|[^\s\"{}()\[\]<>]{1,200})(?=\r?\n)"
)
_SASL = rb"(?i:AUTHENTICATE)[ \t]+[A-Za-z0-9_-]{3,20}[ \t]+(?P<sasl>[A-Za-z0-9+/]{8,4096}={0,2})(?=\r?\n)"
_AT = rb"(?:[0-9]{9,11}\.[0-9]{6} (?:%b[:>] )?)?+"
"""What a line of Dovecot's rawlog begins with: the time, and whose it is where both sides share a file."""
_MINE = _AT % b"I" + rb"(?:[ \t]{0,12}C(?:lient)?[:|] ?)?+(?!\+|[ \t]{0,12}S(?:erver)?:|O[:>] )"
_GO_ON = _AT % b"O" + rb"(?:[ \t]{0,12}S(?:erver)?: ?)?\+[^\r\n]{0,500}\r?\n"
"""What a line of the client begins with, where anything does, and the line with which the server asks for more. `?+`:
nobody shall try whether one may be the other."""
_ANNOUNCED = rb"\{[0-9]{1,5}\+?\}\r?\n(?:" + _GO_ON + rb")?+" + _MINE
_LITERAL_USER = _ANNOUNCED + rb"[^\r\n{}]{1,200}(?:(?:\{\{-\}\}|\\)\r?\n" + _MINE + rb")?+[ \t]{1,8}"
_LITERAL = (
    rb"(?i:(?<=[ \t])LOGIN)[ \t]{1,8}(?:"
    + _LITERAL_USER
    + rb"(?P<behind>\"[^\"\r\n]{1,200}\"|[^\s\"{}()\[\]<>]{1,200})(?=\r?\n)"
    rb"|(?:(?:\"[^\"\r\n]{0,200}\"|[^\s\"{}()<>]{1,200})[ \t]{1,8}|"
    + _LITERAL_USER
    + rb")"
    + _ANNOUNCED
    + rb"(?P<literal>[^\r\n{}\\]{1,200})(?=\{\{-\}\}|\\?\r?\n))"
)
"""Cassettes and our text end a literal's line with a sign, where no line ends there."""
_ANSWER = (
    rb"(?i:AUTHENTICATE)[ \t]+\"?[A-Za-z0-9_-]{3,20}\"?[ \t]*\r?\n(?:" + _GO_ON + rb")?+" + _MINE + rb"(?P<answer>"
    rb"(?:[A-Za-z0-9+/]{4}){1,1024}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)(?=\r?\n)"
)
_SAID = (
    rb"(?i:\b(?:password|passwd|passphrase|passwort|secret_key|api_key))[\"']?[ \t]*[:=][ \t]*[\"']?"
    rb"(?P<said>[^\s\"'<>,;]{4,200})"
)
_URL = rb"(?<=[A-Za-z3])://[^/\s:@\"'<>\x00-\x1f]{1,200}:[^/\s@\"'<>\x00-\x1f]{1,200}@"
"""Without control characters: behind an address in a packet capture, the next "@" is anybody's."""
_FQDN = rb"(?P<host>[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,8})"
_ADDRESS = rb"(?:(?<![A-Za-z0-9._+-])[A-Za-z0-9._+-]{1,64}|(?<=[A-Za-z0-9.!#$%&'*+/=?^_`{|}~\"-]))@" + _FQDN
"""Behind anything (`user=bob@…`, `'bob@…'`); from the "@" on where what is in front of it is long, or quoted."""
_ENVELOPED = rb"NIL \"(?:[^\"\\\r\n]|\\.){1,64}\" \"" + _FQDN + rb"\"\)"
"""RFC 9051 section 7.5.2: name, route (nobody has one), user, host."""
_PATTERNS: Final = {
    "private key": (Kind.KEY, rb"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----"),
    "PGP private key": (Kind.KEY, rb"-----BEGIN PGP PRIVATE KEY BLOCK-----"),
    "JSON web token": (Kind.TOKEN, rb"eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{0,4096}"),
    "AWS access key": (Kind.TOKEN, _EDGE + rb"(?:AKIA|ASIA|AGPA|AIDA|AROA)[0-9A-Z]{16}(?![0-9A-Za-z])"),
    "GitHub token": (Kind.TOKEN, _EDGE + rb"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
    "GitLab token": (Kind.TOKEN, _EDGE + rb"glpat-[A-Za-z0-9_-]{20,64}"),
    "Slack token": (Kind.TOKEN, _EDGE + rb"xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
    "Google API key": (Kind.TOKEN, _EDGE + rb"AIza[0-9A-Za-z_-]{35}"),
    "Google access token": (Kind.TOKEN, _EDGE + rb"ya29\.[0-9A-Za-z_-]{20,2048}"),
    "Stripe key": (Kind.TOKEN, _EDGE + rb"[rs]k_(?:live|test)_[0-9A-Za-z]{16,128}"),
    "bearer token": (Kind.TOKEN, rb"(?i:auth=|\b)(?i:bearer)[ \x01]+[A-Za-z0-9._~+/-]{16,4096}"),
    "URLAUTH token": (Kind.TOKEN, rb"(?i:;urlauth=)[^:\s\"]{1,200}:[^:\s\"]{1,200}:[0-9a-fA-F]{16,200}"),
    "password in a URL": (Kind.PASSWORD, _URL),
    "LOGIN": (Kind.PASSWORD, _LOGIN),
    "SASL answer": (Kind.PASSWORD, _SASL),
    "LOGIN with a literal": (Kind.PASSWORD, _LITERAL),
    "SASL answer in a line of its own": (Kind.PASSWORD, _ANSWER),
    "password": (Kind.PASSWORD, _SAID),
    "address": (Kind.ADDRESS, _ADDRESS),
    "address in an envelope": (Kind.ADDRESS, _ENVELOPED),
    "IP address": (Kind.IP, rb"(?<![0-9A-Za-z.])(?P<ip>[0-9]{1,3}(?:\.[0-9]{1,3}){3})(?![0-9A-Za-z]|\.[0-9])"),
    "word of chance": (Kind.ENTROPY, _EDGE + rb"(?P<chance>[A-Za-z0-9+/_-]{20,200}={0,2})(?![A-Za-z0-9+/_=-])"),
}  # fmt: skip
_GATES: Final = {
    "private key": b"KEY-----",
    "PGP private key": b"BLOCK-----",
    "JSON web token": b"EYJ",
    "AWS access key": b"AKIA ASIA AGPA AIDA AROA",
    "GitHub token": b"GHP_ GHO_ GHU_ GHS_ GHR_ GITHUB_PAT_",
    "GitLab token": b"GLPAT-",
    "Slack token": b"XOX",
    "Google API key": b"AIZA",
    "Google access token": b"YA29.",
    "Stripe key": b"K_LIVE_ K_TEST_",
    "bearer token": b"BEARER",
    "URLAUTH token": b";URLAUTH=",
    "password in a URL": b"://",
    "LOGIN": b"LOGIN",
    "SASL answer": b"AUTHENTICATE",
    "LOGIN with a literal": b"LOGIN",
    "SASL answer in a line of its own": b"AUTHENTICATE",
    "password": b"PASSW PASSPHRASE SECRET_KEY API_KEY",
    "address": b"@",
    "address in an envelope": b'")',
}
"""In capitals, what each of them has in it: where none of it is, nobody has to look closely."""
LONGEST: Final = 16 * 1024
"""Bytes of the longest that is found."""
_MASK = re.compile(
    rb"[\"']?(?:x+(?:\}\})?|\\?\{[a-z]+ [0-9]+\}|<masked [a-z]+>|"
    rb"\$password|\$\{IMAP_PASSWORD:-\}\S*|os\.environ\.get\()[\"']?",
    re.IGNORECASE,
)
"""What stands in a secret's place: in recordings, in `{{password:xxxx}}` of a cassette, in `export --format text`, in
`show`, in scripts that ask for it."""
_RESERVED: Final = frozenset((b"example", b"invalid", b"test", b"localhost", b"local"))
_SCHEME = re.compile(
    rb"(?i:https?|ftps?|sftp|ssh|git|imaps?|smtps?|pop3?s?|ldaps?|postgres(?:ql)?|mysql|mariadb|mongodb(?:\+srv)?|rediss?"
    rb"|amqps?|socks5h?)\Z"
)
_SCHEME_MOST: Final = 16
_BITS_LEAST: Final = 4.2


class Detectors:
    """Those of some kinds."""

    def __init__(self, kinds: frozenset[Kind]) -> None:
        self._patterns = [
            (name, kind, re.compile(pattern), _gates(name))
            for name, (kind, pattern) in _PATTERNS.items()
            if kind in kinds
        ]

    def find(self, data: bytes) -> Iterator[tuple[int, int, Kind, str]]:
        """Start, end, kind and name of what is found."""
        capitals = data.upper()
        for name, kind, pattern, gates in self._patterns:
            if not gates or any(gate in capitals for gate in gates):
                for found in pattern.finditer(data):
                    if _means_it(found):
                        yield found.start(), found.end(), kind, name

    def masked(self, data: bytes, start: int) -> bool:
        """Whether a password that seems to begin there, in some reading of it, is a mask as it is written."""
        found = (pattern.match(data, start) for _, kind, pattern, _ in self._patterns if kind is Kind.PASSWORD)
        return any(each is not None and not _means_it(each) for each in found)

    def secrets(self, data: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of what is secret in it: where that is told apart, without the words in front of it."""
        capitals = data.upper()
        for _, _, pattern, gates in self._patterns:
            if not gates or any(gate in capitals for gate in gates):
                for found in pattern.finditer(data):
                    if _means_it(found):
                        yield found.span(found.lastgroup or 0)


def _gates(name: str) -> list[bytes]:
    return _GATES.get(name, b"").split()


def _means_it(found: re.Match[bytes]) -> bool:
    """Whether it is what it looks like: nothing masked, reserved or replaced."""
    parts = found.groupdict()
    if found[0].startswith(b"://") and not _SCHEME.search(
        found.string, max(0, found.start() - _SCHEME_MOST), found.start()
    ):
        return False
    if (host := parts.get("host")) is not None:
        return _somebody(host)
    if (ip := parts.get("ip")) is not None:
        return _public(ip)
    if (chance := parts.get("chance")) is not None:
        return _by_chance(chance)
    secret = next((part for part in parts.values() if part is not None), None)
    if secret is None:
        rest = re.split(rb"[ \x01:]", found[0])[-1].rstrip(b"@")
        return not _MASK.fullmatch(rest)
    return not _MASK.fullmatch(secret)


def _somebody(host: bytes) -> bool:
    labels = host.lower().split(b".")
    top = labels[-1].decode()
    if len(labels) < 2 or not top.isalpha() or len(top) < 2:
        return False
    replaced = top.startswith(FIRST_OF_TOP) and top not in REAL_TOPS
    return not (replaced or labels[-1] in _RESERVED or (labels[-2] == b"example" and top in {"com", "net", "org"}))


def _public(text: bytes) -> bool:
    try:
        return ipaddress.IPv4Address(text.decode()).is_global
    except ValueError:
        return False


def _by_chance(word: bytes) -> bool:
    """Whether its characters are spread as widely as only those of keys and hashes are."""
    if not (re.search(rb"[0-9]", word) and re.search(rb"[a-z]", word) and re.search(rb"[A-Z]", word)):
        return re.fullmatch(rb"[0-9a-f]{32,}|[0-9A-F]{32,}", word) is not None and len(set(word)) > 9
    counts = Counter(word)
    bits = -sum(count / len(word) * math.log2(count / len(word)) for count in counts.values())
    return bits >= min(_BITS_LEAST, math.log2(len(word)) - 0.4)
