"""A cassette, read: lines in, statements with their places out. docs/cassettes.md describes the format."""

from __future__ import annotations

import base64
import binascii
import itertools
import re
from typing import TYPE_CHECKING, BinaryIO, Final

from proxy.imap.transcript import Direction, Layer
from storage.cassette import words
from storage.cassette.errors import CassetteError, WrongError
from storage.cassette.escapes import Line, read_later, read_line
from storage.cassette.fields import Reader, read_fields
from storage.cassette.literals import Literals
from storage.cassette.values import FIRST_LINE, TURN, Begun, Header, Hole, Placed, Placeholder, Said, Unkept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.cassette.values import Statement

_LINE_MAX: Final = 1 << 20
_WORD = re.compile(r"[a-z]+")
_SIDES = {"C": Direction.CLIENT, "S": Direction.SERVER}
_FIRST = re.compile(rb"imaptap cassette ([0-9]{1,9})(?=\r?\n|\Z)")


def is_cassette(file: BinaryIO) -> bool:
    """Whether it begins as one, of whatever version."""
    return _FIRST.match(file.readline(len(FIRST_LINE) + 10)) is not None


def read_cassette(file: BinaryIO) -> Iterator[Placed]:
    """Its statements; a session is begun before anything is said in it, and not always ended. Raises CassetteError."""
    reading = _Reading()
    for number, text in _lines(file):
        try:
            statements = reading.line(text) if number > 1 else _first(text)
        except WrongError as error:
            raise error.at(number) from error
        for statement in statements:
            yield Placed(number, statement)


def _lines(file: BinaryIO) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(_LINE_MAX):
        number += 1
        if len(line) == _LINE_MAX:
            raise CassetteError(number, _LINE_MAX, "the line is too long", "Break it: end its parts with {{-}}.")
        try:
            yield number, line.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode()) + 1
            raise CassetteError(number, column, "it is not UTF-8", "Write other bytes as {{=hex}}.") from error
    if not number:
        raise CassetteError(1, 1, "it is empty", f"Its first line is {FIRST_LINE!r}.")


def _first(text: str) -> tuple[Statement, ...]:
    if text == FIRST_LINE:
        return ()
    found = _FIRST.match(text.encode())
    if found:
        raise WrongError(18, f"its version is {int(found[1])}, and this imaptap reads 1", "Use a newer imaptap.")
    raise WrongError(1, f"the first line is not {FIRST_LINE!r}", "It has to be, to the letter.")


class _Reading:
    """What is known at a line from those before it."""

    def __init__(self) -> None:
        self._session = 0
        self._open = False
        self._header = False
        self._begin()

    def _begin(self) -> None:
        self._clock = 0
        self._timed = False
        self._last: Direction | None = None
        self._layers = dict.fromkeys(Direction, Layer.TLS)
        self._literals = Literals()

    def line(self, text: str) -> tuple[Statement, ...]:
        if text[:1] in _SIDES and text[1:2] in set(":|#"):
            return self._said(text)
        if text[:1] in {"+", "-"}:
            return self._later(text)
        if not text.strip() or text.startswith("#"):
            return ()
        word = _WORD.match(text)
        if not word:
            raise WrongError(1, "a line begins with C:, S:, C|, S|, C#, S#, +, #, or a word")
        take = Reader(read_fields(text[word.end() :], word.end() + 1), 1)
        statements = self._word(word[0], take)
        take.done()
        return statements

    # --- what was said ----------------------------------------------------------------------------------------------

    def _said(self, text: str) -> tuple[Statement, ...]:
        opened = self._need_session()
        direction, form = _SIDES[text[0]], text[1]
        content = text[3:] if text[2:3] == " " else text[2:]
        column = len(text) - len(content) + 1
        line = Line(_from_base64(content, column)) if form == "#" else read_line(content, column)
        self._follow(direction, form, line.data)
        if direction is not self._last and not self._timed:
            self._clock += TURN
        self._last, self._timed = direction, False
        return (*opened, *self._parts(direction, line))

    def _follow(self, direction: Direction, form: str, data: bytes) -> None:
        """Count what is a literal's. Raises WrongError where it is not as long as it was announced."""
        announced = self._literals.of(direction)
        if form == ":":
            if 0 < announced.taken < announced.size:
                what = f"the literal before this line has {announced.taken} bytes, but {announced.size} were announced"
                raise WrongError(1, what, f"Announce {{{announced.taken}}}, or correct its lines.")
            self._literals.line(direction, data)
            return
        if form == "#" and not self._literals.follow(direction):
            self._literals.line(direction, data, text=False)
            return
        if announced.owed <= 0:
            what = "a line of a literal stands here, but none is announced, or it has ended"
            raise WrongError(2, what, "Write the number of its bytes at the end of the line before it, as {12}.")
        self._literals.content(direction, len(data))
        if announced.owed < 0:
            what = f"with this line, the literal has {announced.taken} bytes, but {announced.size} were announced"
            raise WrongError(2, what, "Correct the number, or end its last line with {{-}} if no CRLF follows it.")

    def _parts(self, direction: Direction, line: Line) -> Iterator[Said]:
        """A part for each chunk."""
        layer = self._layers[direction]
        starts = [0, *(mark.start for mark in line.marks), len(line.data)]
        for index, (start, end) in enumerate(itertools.pairwise(starts)):
            if index:
                self._advance(line.marks[index - 1].later)
            inside = tuple(
                Placeholder(each.name, each.start - start, each.length)
                for each in line.varies
                if start <= each.start < end
            )
            yield Said(direction, self._clock, layer, line.data[start:end], inside)

    def _later(self, text: str) -> tuple[Statement, ...]:
        later = read_later(text.rstrip(" "))
        if later is None:
            raise WrongError(1, "this is no time", "Write seconds with six decimals, as +0.001500.")
        opened = self._need_session()
        self._advance(later)
        self._timed = True
        return opened

    def _advance(self, later: int) -> None:
        self._clock += later
        if not 0 <= self._clock < 2**62:
            raise WrongError(1, "the session's clock would leave its range", "Times begin at 0.")

    # --- statements that begin with a word --------------------------------------------------------------------------

    def _word(self, word: str, take: Reader) -> tuple[Statement, ...]:
        if word == "recording":
            return (self._recording(take),)
        if word == "session":
            return (self._new_session(words.begun(take, self._session + 1)),)
        if word == "event" and not self._open and not self._session:
            self._header = True
            return (words.event(take, None, 0),)
        opened = self._need_session()
        if word == "layer":
            sides, layer = words.layer_of(take)
            self._layers.update(dict.fromkeys(sides, layer))
            return opened
        return (*opened, self._within(word, take))

    def _within(self, word: str, take: Reader) -> Statement:
        """A statement about a session."""
        now = self._clock
        match word:
            case "event":
                return words.event(take, self._session, now)
            case "exchange":
                return words.exchange(take, self._session)
            case "span":
                return words.span(take, self._session)
            case "body":
                return words.body(take)
            case "hole":
                return self._lost(words.hole(take))
            case "unkept":
                return self._unkept(words.unkept(take, now, self._layers.__getitem__))
            case "proxy":
                return words.own(take, now)
            case "answered":
                return words.answered(take, now)
            case "end":
                self._open = False
                return words.over(take, now)
            case _:
                raise WrongError(1, f"{word!r} begins no statement")

    def _recording(self, take: Reader) -> Header:
        if self._session or self._header:
            raise WrongError(1, "the recording is described too late, or twice", "Describe it before all else.")
        self._header = True
        return words.header(take)

    def _new_session(self, begun: Begun) -> Begun:
        if begun.number <= self._session:
            what = f"session {begun.number} comes behind session {self._session}"
            raise WrongError(1, what, "Number them 1, 2, 3, or leave the numbers out.")
        self._session, self._open = begun.number, True
        self._begin()
        return begun

    def _need_session(self) -> tuple[Statement, ...]:
        """Begin the first session, if nobody has; raises WrongError behind the end of one."""
        if self._open:
            return ()
        if self._session:
            raise WrongError(1, f"session {self._session} has ended before", "Begin another with a line: session")
        return (self._new_session(words.BY_HAND._replace(number=1)),)

    def _lost(self, hole: Hole) -> Hole:
        self._literals.lost(hole.direction)
        return hole

    def _unkept(self, unkept: Unkept) -> Unkept:
        if not unkept.length or sum(length for length, _ in unkept.chunks) != unkept.length:
            raise WrongError(1, "the chunks are not as long as all together", "Their lengths add up to length=.")
        self._literals.content(unkept.direction, unkept.length)
        self._clock, self._last, self._timed = unkept.chunks[-1][1], unkept.direction, False
        return unkept


def _from_base64(text: str, column: int) -> bytes:
    try:
        return base64.b64decode(text.rstrip(" "), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WrongError(column, "this is no base64", "Lines with # hold bytes in base64.") from error
