"""Pseudonyms: for each word another one of the same length and shape, for each byte of a letter another one.

All follow from a key and from what is replaced, so equal words get equal pseudonyms wherever they stand, and different
words of one shape different ones (short ones: a permutation; long ones by the length of their hash). Who has the key
can compute a name from its pseudonym; who does not has to guess both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
import re
from typing import TYPE_CHECKING, Final

from blake3 import blake3

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

KEY_BYTES: Final = 32
_LOWER, _UPPER, _DIGITS = b"abcdefghijklmnopqrstuvwxyz", b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", b"0123456789"
_BASE64: Final = _UPPER + _LOWER + _DIGITS + b"+/"
_LATIN: Final = "".join(chr(code) for code in range(0xC0, 0x180) if code not in (0xD7, 0xF7))
_CJK, _CJK_SIZE = 0x4E00, 0x5000
_PICTURES, _PICTURES_SIZE = 0x1F300, 0x300
_BYTES, _BYTES_SIZE = 0xDCC0, 0x40  # what "surrogateescape" makes of bytes from 0xC0 on: letters in most charsets
_ROUNDS: Final = 8
_PERMUTED_MOST: Final = 24
"""Longer words are replaced letter by letter out of their hash."""
_REMEMBERED: Final = 100_000
_DAYS_LEAST, _DAYS_MOST = 400, 4000
_MASK = re.compile(r"[xX]+")


def _spread(alphabet: bytes) -> bytes:
    """What turns any byte into one of this alphabet."""
    return bytes(alphabet[value % len(alphabet)] for value in range(256))


def _only(alphabet: bytes) -> bytes:
    """What turns bytes of this alphabet into ones, all others into zeros."""
    return bytes(0xFF * (value in alphabet) for value in range(256))


_CLASSES: Final = tuple((_spread(alphabet), _only(alphabet)) for alphabet in (_LOWER, _UPPER, _DIGITS))
_TO_BASE64: Final = _spread(_BASE64)
_TO_OPAQUE: Final = bytes(value if value not in b"\r\n@" else value | 0x60 for value in range(256))
"""Without the "@", as below."""
_TO_KANJI: Final = bytes(0x30 + value % 31 for value in range(256))
_TO_UUENCODED: Final = _spread(bytes(each for each in range(0x21, 0x61) if each != 0x40))
"""Without the "@": a line of chance would have somebody's address in it now and then."""
_SHIFT = re.compile(rb"(\x1b[$()][ -/]*[@-~]?)")


class Pseudonyms:
    """Made of a key. Words in `kept` are nobody's pseudonym: what was kept can be told from what was replaced."""

    def __init__(self, key: bytes, kept: frozenset[str] = frozenset()) -> None:
        self._key = hashlib.blake2b(key, digest_size=KEY_BYTES, person=b"imaptap names").digest()
        self._kept = kept
        self._words: dict[str, str] = {}
        span = _DAYS_MOST - _DAYS_LEAST
        self.days = -(_DAYS_LEAST + self._number(b"days", b"") % span)
        """By how many days all dates are moved."""

    def word(self, word: str) -> str:
        """Its pseudonym: letters for letters of the same case, digits for digits, others of equal size in UTF-8.

        What is masked (nothing but "x") stays.
        """
        known = self._words.get(word)
        if known is None:
            if len(self._words) >= _REMEMBERED:
                self._words.clear()
            known = self._words[word] = self._made(word)
        return known

    def number(self, digits: str) -> str:
        """A number of as many digits that does not begin with 0, where this one does not."""
        if digits.startswith("0") or len(digits) > _PERMUTED_MOST:
            return self.word(digits)
        least = 10 ** (len(digits) - 1) if len(digits) > 1 else 1
        size = 10 ** len(digits) - least
        return str(least + self._permuted(int(digits) - least, 1, size, f"number {len(digits)}"))

    def octet(self, digits: str) -> str:
        """A number up to 255 of as many digits."""
        least = (0, 10, 100)[len(digits) - 1]
        size = (10, 90, 156)[len(digits) - 1]
        return str(least + self._permuted(int(digits) - least, 1, size, "octet"))

    def digest(self, data: bytes) -> bytes:
        """32 bytes in place of a hash."""
        return blake3(data, key=self._key).digest()

    def line(self, data: bytes) -> bytes:
        """Text whose letters and digits follow from all of it: equal words of different lines are equal no more."""
        if b"\x1b" in data:
            return self._shifted(data)
        if not data.isascii():
            return self._characters(data.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
        return _by_class(data, self._stream(data))

    def opaque(self, data: bytes) -> bytes:
        """Any other byte for each byte that is not of a line end."""
        stream = self._stream(data).translate(_TO_OPAQUE)
        masked = data.translate(_ONLY_LINE_ENDS)
        return _chosen(stream, masked, data)

    def base64(self, data: bytes) -> bytes:
        """Base64 of as many bytes; what is no base64, as line ends and padding, stays."""
        stream = self._stream(data).translate(_TO_BASE64)
        return _chosen(stream, data.translate(_NO_BASE64), data)

    def uuencoded(self, data: bytes) -> bytes:
        """A line of a uuencoded file: any digits behind the first byte."""
        made = _chosen(self._stream(data).translate(_TO_UUENCODED), data.translate(_NO_UUENCODED), data)
        return data[:1] + made[1:]

    def base64_text(self, data: bytes, change: Callable[[bytes], bytes]) -> bytes:
        """Base64 of what `change` makes of the text, as many bytes; other bytes where this is no base64 of text."""
        body = data.rstrip(b"\r\n \t")
        try:
            clear = base64.b64decode(body, validate=True)
            clear.decode()
        except (binascii.Error, ValueError):
            return self.base64(data)
        return base64.b64encode(change(clear)) + data[len(body) :]

    def _stream(self, data: bytes) -> bytes:
        return blake3(data, key=self._key).digest(length=len(data))

    def _shifted(self, data: bytes) -> bytes:
        """ISO-2022: between its escape sequences, printable bytes are halves of characters."""
        parts = _SHIFT.split(data)
        stream = self._stream(data).translate(_TO_KANJI)
        made, at = bytearray(), 0
        for index, part in enumerate(parts):
            here = stream[at : at + len(part)]
            made += part if index % 2 else _chosen(here, part.translate(_NO_PRINTABLE), part)
            at += len(part)
        return bytes(made)

    def _characters(self, text: str) -> str:
        stream = self._stream(text.encode("utf-8", "surrogateescape"))
        made = list[str]()
        for index, character in enumerate(text):
            size = _size(character.lower() if character.isascii() else character)
            if size == 1:
                made.append(character)
                continue
            chance = int.from_bytes(stream[index : index + 3], "big")
            made.append(_like(character, chance % size))
        return "".join(made)

    def _made(self, word: str) -> str:
        if _MASK.fullmatch(word):
            return word
        folded = _folded(word)
        walks = folded not in self._kept
        made = self._replaced(folded)
        # Cycle walking: what is left out of a permutation leaves a permutation of the rest.
        while walks and (made in self._kept or _MASK.fullmatch(made)):
            made = self._replaced(made)
        return "".join(_cased(was, now) for was, now in zip(word, made, strict=True))

    def _replaced(self, word: str) -> str:
        sizes = [_size(character) for character in word]
        if len(word) > _PERMUTED_MOST:
            stream = self._stream(word.encode("utf-8", "surrogateescape") + b"\0" * 2 * len(word))
            values = [int.from_bytes(stream[at : at + 3], "big") for at in range(len(word))]
            made = zip(word, values, sizes, strict=True)
            return "".join(_like(each, value % size) if size > 1 else each for each, value, size in made)
        half = len(word) // 2
        left, right = _packed(word[:half], sizes[:half]), _packed(word[half:], sizes[half:])
        shape = ",".join(map(str, sizes))
        first, second = math.prod(sizes[:half]), math.prod(sizes[half:])
        left, right = self._crossed(left, right, first, second, shape)
        return _unpacked(word[:half], left, sizes[:half]) + _unpacked(word[half:], right, sizes[half:])

    def _permuted(self, value: int, first: int, second: int, shape: str) -> int:
        return self._crossed(0, value, first, second, shape)[1]

    def _crossed(self, left: int, right: int, first: int, second: int, shape: str) -> tuple[int, int]:
        """A Feistel network whose halves are numbers below `first` and `second`."""
        for step in range(0, _ROUNDS, 2):
            left = (left + self._number(f"{shape} {step}".encode(), b"%d" % right)) % first
            right = (right + self._number(f"{shape} {step + 1}".encode(), b"%d" % left)) % second
        return left, right

    def _number(self, about: bytes, value: bytes) -> int:
        return int.from_bytes(hashlib.blake2b(about + b":" + value, key=self._key, digest_size=24).digest(), "big")


_ONLY_LINE_ENDS: Final = _only(b"\r\n")
_NO_BASE64: Final = bytes(0xFF * (value not in _BASE64 + b"-_") for value in range(256))
_NO_UUENCODED: Final = bytes(0xFF * (not 0x21 <= value <= 0x60) for value in range(256))
_NO_PRINTABLE: Final = bytes(0xFF * (not 0x21 <= value <= 0x7E) for value in range(256))


def _chosen(new: bytes, mask: bytes, old: bytes) -> bytes:
    """The old bytes where the mask is set, else the new ones."""
    size = len(old)
    keep = int.from_bytes(mask, "big")
    whole = (1 << 8 * size) - 1
    chosen = (int.from_bytes(old, "big") & keep) | (int.from_bytes(new, "big") & (whole ^ keep))
    return chosen.to_bytes(size, "big")


def _by_class(data: bytes, stream: bytes) -> bytes:
    made, touched = 0, 0
    for spread, only in _CLASSES:
        mask = int.from_bytes(data.translate(only), "big")
        made |= int.from_bytes(stream.translate(spread), "big") & mask
        touched |= mask
    whole = (1 << 8 * len(data)) - 1
    return (made | (int.from_bytes(data, "big") & (whole ^ touched))).to_bytes(len(data), "big")


def _folded(word: str) -> str:
    return word.lower() if word.isascii() else "".join(each.lower() if each.isascii() else each for each in word)


def _cased(was: str, now: str) -> str:
    return now.upper() if was.isascii() and was.isupper() else now


def _size(character: str) -> int:
    """How many characters may stand in this one's place; 1 where none but itself may."""
    code = ord(character)
    if code < 0x80:
        return 26 if character.islower() else 10 if character.isdigit() else 1
    if code < 0xC0 or 0x2000 <= code < 0x2070 or 0x3000 <= code < 0x3040 or code in (0xD7, 0xF7):
        return 1  # punctuation and spaces
    if 0xDC80 <= code < 0xDD00:
        return _BYTES_SIZE
    return len(_LATIN) if code < 0x800 else _CJK_SIZE if code < 0x10000 else _PICTURES_SIZE


def _like(character: str, value: int) -> str:
    """The character number `value` of those that may stand in the place of `character`, in its case."""
    code = ord(character)
    if code < 0x80:
        alphabet = _DIGITS if character.isdigit() else _UPPER if character.isupper() else _LOWER
        return chr(alphabet[value])
    if 0xDC80 <= code < 0xDD00:
        return chr(_BYTES + value)
    return _LATIN[value] if code < 0x800 else chr((_CJK if code < 0x10000 else _PICTURES) + value)


def _value(character: str, size: int) -> int:
    code = ord(character)
    if code < 0x80:
        return code - (0x30 if character.isdigit() else 0x61)
    if code < 0x800 and character in _LATIN:
        return _LATIN.index(character)
    start = _BYTES if 0xDC80 <= code < 0xDD00 else _CJK if code < 0x10000 else _PICTURES
    return (code - start) % size


def _packed(word: str, sizes: Sequence[int]) -> int:
    value = 0
    for character, size in zip(word, sizes, strict=True):
        value = value * size + (_value(character, size) if size > 1 else 0)
    return value


def _unpacked(word: str, value: int, sizes: Sequence[int]) -> str:
    made = list[str]()
    for character, size in zip(reversed(word), reversed(sizes), strict=True):
        value, place = divmod(value, size)
        made.append(_like(character, place) if size > 1 else character)
    return "".join(reversed(made))
