"""The statements of a cassette that begin with a word: what fields they have, and what holds where one is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

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
from storage.cassette import fields
from storage.cassette.fields import Reader
from storage.cassette.values import Answered, Begun, Body, Header, Hole, Over, Own, Told, Unkept

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from enum import StrEnum

SIDES: Final = {"client": Direction.CLIENT, "server": Direction.SERVER}
LAYERS: Final = {
    "plain": Layer.PLAIN,
    "tls": Layer.TLS,
    "deflate": Layer.DEFLATE,
    "tls+deflate": Layer.TLS | Layer.DEFLATE,
}
_LAYER_NAMES = {layer: name for name, layer in LAYERS.items()}


def _named(kinds: Iterable[StrEnum]) -> dict[str, Any]:
    return {str(kind.value): kind for kind in kinds}


_TOLD, _KINDS, _ENDINGS = fields.one_of(_named(Told)), fields.one_of(_named(EventKind)), fields.one_of(_named(Ending))
_ORIGINS, _OUTCOMES = fields.one_of(_named(Origin)), fields.one_of(_named(Outcome))
_CERTAINTIES, _SIDES = fields.one_of(_named(Certainty)), fields.one_of(SIDES)
layer_named = fields.one_of(LAYERS)

BY_HAND: Final = Begun(0, None, "client", "imaps://localhost:993", "imaps://server.invalid:993", Told.BYTES)
"""What is true of a session of which nothing is said."""
REASON: Final = "end of stream"


def side(direction: Direction) -> str:
    """Its name."""
    return direction.name.lower()


def layer_name(layer: Layer) -> str:
    """Its name."""
    return _LAYER_NAMES[layer]


def layer_of(take: Reader) -> tuple[tuple[Direction, ...], Layer]:
    """Of `layer`: whose bytes, and how they were wrapped."""
    one: Direction | None = take.may("side", _SIDES)
    return (tuple(Direction) if one is None else (one,)), take.must("is", layer_named)


def header(take: Reader) -> Header:
    """`recording`."""
    times = take.may("started", fields.wall), take.may("ended", fields.wall)
    return Header(*times, take.may("version", fields.text, ""), take.may("settings", fields.text, ""))


def begun(take: Reader, number: int) -> Begun:
    """`session`; `number` is the next one."""
    return Begun(
        take.may("number", fields.count, number),
        take.may("opened", fields.wall),
        take.may("client", fields.text, BY_HAND.client),
        take.may("listen", fields.text, BY_HAND.listen),
        take.may("upstream", fields.text, BY_HAND.upstream),
        take.may("tells", _TOLD, Told.BYTES),
    )


def event(take: Reader, session: int | None, now: int) -> Event:
    """`event`."""
    return Event(
        session,
        take.may("at", fields.moment, now),
        take.must("kind", _KINDS),
        take.must("name", fields.text),
        take.may("text", fields.text, ""),
        take.may("side", _SIDES),
        take.may("offset", fields.count),
        take.may("length", fields.count),
        take.may("received", fields.octets),
        take.may("sent", fields.octets),
    )


def exchange(take: Reader, session: int) -> Exchange:
    """`exchange`."""
    return Exchange(
        session,
        take.must("number", fields.count),
        take.must("tag", fields.text),
        take.must("command", fields.text),
        take.may("arguments", fields.text, ""),
        take.may("mailbox", fields.text),
        take.may("origin", _ORIGINS, Origin.CLIENT),
        take.may("outcome", _OUTCOMES, Outcome.COMPLETED),
        take.may("status", fields.text),
        take.may("code", fields.text),
        take.may("text", fields.text),
        take.must("started", fields.moment),
        take.may("ended", fields.moment),
        take.must("client-bytes", fields.count),
        take.must("server-bytes", fields.count),
        take.may("responses", fields.counts, ()),
        take.may("marks", fields.texts, ()),
    )


def span(take: Reader, session: int) -> Span:
    """`span`."""
    return Span(
        session,
        take.may("exchange", fields.count),
        take.must("side", _SIDES),
        take.must("start", fields.count),
        take.must("end", fields.count),
        take.must("first", fields.moment),
        take.must("last", fields.moment),
        take.must("units", fields.count),
        take.may("certainty", _CERTAINTIES, Certainty.SURE),
        take.may("open", fields.numbers, ()),
    )


def hole(take: Reader) -> Hole:
    """`hole`."""
    return Hole(take.must("side", _SIDES), take.must("length", fields.count))


def _literal(take: Reader) -> LiteralPart:
    return LiteralPart(take.must("start", fields.count), take.must("size", fields.count))


def body(take: Reader) -> Body:
    """`body`."""
    return Body(take.must("side", _SIDES), _literal(take))


def unkept(take: Reader, now: int, layer: Callable[[Direction], Layer]) -> Unkept:
    """`unkept`."""
    direction, length = take.must("side", _SIDES), take.must("length", fields.count)
    chunks = tuple(take.may("chunks", fields.pairs, ((length, now),)))
    return Unkept(
        direction, now, layer(direction), length, chunks, _literal(take), take.may("sha256", fields.digest, b"")
    )


def own(take: Reader, now: int) -> Own:
    """`proxy`: a command of imaptap's own."""
    return Own(take.may("at", fields.moment, now), take.must("command", fields.text))


def answered(take: Reader, now: int) -> Answered:
    """`answered`."""
    words = (take.must(key, fields.text) for key in ("tag", "status", "text"))
    return Answered(take.may("at", fields.moment, now), *words)


def over(take: Reader, now: int) -> Over:
    """`end`."""
    return Over(
        take.may("at", fields.moment, now),
        take.may("how", _ENDINGS, Ending.CLIENT),
        take.may("reason", fields.text, REASON),
        take.may("client-bytes", fields.count),
        take.may("server-bytes", fields.count),
    )
