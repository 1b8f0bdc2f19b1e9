"""`imaptap export --format ndjson`, read back: it tells everything, as a cassette may, and is taken at its word."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO, Final, TypeVar, cast

from proxy.imap.transcript import (
    Certainty,
    Direction,
    Ending,
    Event,
    EventKind,
    Exchange,
    Layer,
    LiteralPart,
    Origin,
    Outcome,
    Span,
)
from storage.cassette.values import Begun, Body, Header, Hole, Noted, Over, Placed, Said, Told, Unkept
from storage.errors import StorageError

if TYPE_CHECKING:
    from storage.cassette.values import Statement

FORMAT: Final = "imaptap ndjson"
_LINE_MOST: Final = 64 << 20
_CHUNK_MOST: Final = 64 << 20
_LARGEST: Final = 2**62
_LAYERS: Final = {"tls": Layer.TLS, "deflate": Layer.DEFLATE}
_PLACED: Final = frozenset(("hole", "unkept"))
_SIDES: Final = {direction.name.lower(): direction for direction in Direction}
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)

T = TypeVar("T")


class _WrongError(Exception):
    """Something is not as it has to be; a clause that says what."""


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one, of whatever version."""
    line = head.partition(b"\n")[0]
    return line.startswith(b"{") and b'"format"' in line and f'"{FORMAT}"'.encode() in line


def statements(file: BinaryIO) -> Iterator[Placed]:
    """What it says, with the lines. Raises StorageError where it is wrong."""
    reading = _Reading()
    number = 0
    while line := file.readline(_LINE_MOST):
        number += 1
        try:
            for statement in reading.line(line, first=number == 1):
                yield Placed(number, statement)
        except (_WrongError, ValueError, TypeError, OverflowError, RecursionError) as error:
            what = str(error) if isinstance(error, _WrongError) else "it is no JSON of the kind that is expected"
            raise StorageError(
                f"The ndjson cannot be read at line {number:,}: {what}.", "docs/export.md has it."
            ) from None
    if not number or reading.within:
        raise StorageError(f"The ndjson ends behind line {number:,}, and is not whole.", "docs/export.md has it.")


class _Fields:
    """The keys of one object."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    def text(self, key: str) -> str:
        """Raises _WrongError, as all of these do."""
        return self._of(key, str)

    def maybe(self, key: str) -> str | None:
        return None if self._document.get(key) is None else self.text(key)

    def number(self, key: str) -> int:
        value = self._of(key, int)
        if isinstance(value, bool) or not 0 <= value < _LARGEST:
            raise _WrongError(f"{key} is no number that can be")
        return value

    def maybe_number(self, key: str) -> int | None:
        return None if self._document.get(key) is None else self.number(key)

    def list(self, key: str) -> Sequence[Any]:
        return cast("Sequence[Any]", self._of(key, list))

    def mapping(self, key: str) -> dict[str, Any]:
        return cast("dict[str, Any]", self._of(key, dict))

    def flag(self, key: str) -> bool:
        return self._document.get(key) is True

    def one_of(self, key: str, make: Callable[[str], T]) -> T:
        try:
            return make(self.text(key))
        except (KeyError, ValueError):
            raise _WrongError(f"{key} is none of the words that it may be") from None

    def side(self) -> Direction:
        return self.one_of("side", _SIDES.__getitem__)

    def layer(self) -> Layer:
        try:
            return Layer(sum(_LAYERS[each] for each in self.list("layers")))
        except (KeyError, TypeError):
            raise _WrongError("layers has none of the words that it may have") from None

    def moment(self, key: str) -> int | None:
        text = self.maybe(key)
        return None if text is None else round((dt.datetime.fromisoformat(text) - _EPOCH) / _MICROSECOND)

    def base64(self, key: str) -> bytes | None:
        text = self.maybe(key)
        return None if text is None else base64.b64decode(text, validate=True)

    def data(self) -> bytes:
        found = self.base64("base64")
        return self.text("text").encode() if found is None else found

    def _of(self, key: str, kind: type[T]) -> T:
        value = self._document.get(key)
        if not isinstance(value, kind):
            raise _WrongError(f"{key} is missing, or not of its kind")
        return value


class _Reading:
    """What is known at a line from those before it."""

    def __init__(self) -> None:
        self._session = 0
        self.within = False
        """Whether a session has begun whose end has not been told."""
        self._parts: dict[Direction, bytearray] = {}
        """Of chunks that go on."""
        self._places = dict.fromkeys(Direction, 0)
        """Where each stream is."""

    def line(self, line: bytes, *, first: bool) -> Iterator[Statement]:
        document = json.loads(line.decode())
        if b"\\ud" in line.lower():  # a half of a pair may stand alone in JSON, and in no database
            json.dumps(document, ensure_ascii=False).encode()
        if not isinstance(document, dict):
            raise _WrongError("it is no object")
        take = _Fields(cast("dict[str, Any]", document))
        kind = take.text("type")
        if first:
            if (kind, take.text("format"), take.number("version")) != ("header", FORMAT, 1):
                raise _WrongError("it is no header of version 1, which this imaptap reads")
            yield Header(take.moment("started"), take.moment("ended"), take.text("imaptap"), take.text("settings"))
        elif kind == "session":
            yield self._begin(take)
        elif kind == "event":
            yield self._event(take)
        elif kind == "note":
            yield _noted(take)
        elif (read := _KINDS.get(kind)) is not None:
            self._within(take)
            if kind in _PLACED:
                self._follow(take, take.number("length"))
            self.within &= kind != "end"
            yield read(take)
        elif kind == "bytes":
            self._within(take)
            yield from self._bytes(take)

    def _begin(self, take: _Fields) -> Begun:
        number = take.number("session")
        if number <= self._session:
            raise _WrongError(f"session {number} comes behind session {self._session}")
        if self.within:
            raise _WrongError(f"session {self._session} has not ended")
        self._session, self.within = number, True
        self._parts.clear()
        self._places = dict.fromkeys(Direction, 0)
        client, listen, upstream = (take.text(key) for key in ("client", "listen", "upstream"))
        return Begun(number, take.moment("opened"), client, listen, upstream, Told.EVERYTHING)

    def _within(self, take: _Fields) -> None:
        if not self._session or take.number("session") != self._session:
            raise _WrongError("it is about a session that is not the one that was begun last")

    def _bytes(self, take: _Fields) -> Iterator[Said]:
        side, data = take.side(), take.data()
        self._follow(take, len(data))
        parts = self._parts.setdefault(side, bytearray())
        parts += data
        if len(parts) > _CHUNK_MOST:
            raise _WrongError("the chunk is longer than any")
        if not take.flag("more"):
            del self._parts[side]
            yield Said(side, take.number("at"), take.layer(), bytes(parts))

    def _follow(self, take: _Fields, length: int) -> None:
        """Where a line was lost, or taken away, all that lies behind it would move."""
        side = take.side()
        if take.number("offset") != self._places[side]:
            raise _WrongError(f"byte {self._places[side]:,} of the {side.name.lower()} is missing before it")
        self._places[side] += length

    def _event(self, take: _Fields) -> Event:
        session = take.maybe_number("session")
        if session is not None:
            self._within(take)
        elif self._session:
            raise _WrongError("it is about the recording, and stands behind a session")
        side = None if take.maybe("side") is None else take.side()
        place = (side, take.maybe_number("offset"), take.maybe_number("length"))
        rewrite = (take.base64("received_base64"), take.base64("sent_base64"))
        kind = take.one_of("kind", EventKind)
        return Event(session, take.number("at"), kind, take.text("name"), take.text("text"), *place, *rewrite)


def _literal(take: _Fields, start: str, length: str) -> LiteralPart:
    return LiteralPart(take.number(start), take.number(length))


def _unkept(take: _Fields) -> Unkept:
    chunks = tuple((int(length), int(at)) for length, at in take.list("chunks"))
    length = take.number("length")
    if not chunks or sum(size for size, _ in chunks) != length or any(size < 0 or at < 0 for size, at in chunks):
        raise _WrongError("the chunks are not as long as all together")
    literal = _literal(take, "literal_start", "literal_length")
    digest = bytes.fromhex(take.text("sha256"))
    return Unkept(take.side(), take.number("at"), take.layer(), length, chunks, literal, digest)


def _exchange(take: _Fields) -> Exchange:
    responses = tuple((key, int(count)) for key, count in take.mapping("responses").items())
    return Exchange(
        take.number("session"), take.number("exchange"), take.text("tag"), take.text("command"),
        take.text("arguments"), take.maybe("mailbox"), take.one_of("origin", Origin), take.one_of("outcome", Outcome),
        take.maybe("status"), take.maybe("code"), take.maybe("text"), take.number("started"),
        take.maybe_number("ended"),
        take.number("client_bytes"), take.number("server_bytes"), responses, tuple(map(str, take.list("marks"))),
    )  # fmt: skip


def _span(take: _Fields) -> Span:
    return Span(
        take.number("session"), take.maybe_number("exchange"), take.side(), take.number("start"), take.number("end"),
        take.number("first_at"), take.number("last_at"), take.number("units"), take.one_of("certainty", Certainty),
        tuple(map(int, take.list("open"))),
    )  # fmt: skip


def _noted(take: _Fields) -> Noted:
    written = take.moment("written")
    if written is None:
        raise _WrongError("it is not said when it was written")
    return Noted(take.maybe_number("session"), take.maybe_number("exchange"), written, take.text("text"))


def _over(take: _Fields) -> Over:
    counts = (take.maybe_number("client_bytes"), take.maybe_number("server_bytes"))
    return Over(take.number("at"), take.one_of("ending", Ending), take.text("reason"), *counts)


_KINDS: Final[dict[str, Callable[[_Fields], Any]]] = {
    "body": lambda take: Body(take.side(), _literal(take, "start", "length")),
    "unkept": _unkept,
    "hole": lambda take: Hole(take.side(), take.number("length")),
    "exchange": _exchange,
    "span": _span,
    "end": _over,
}
