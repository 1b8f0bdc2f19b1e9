"""A reader of `ndjson`, of what docs/export.md says and no more: the statements of a cassette."""

from __future__ import annotations

import base64
import datetime as dt
import json
from typing import TYPE_CHECKING, Any

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
from storage.cassette.values import Begun, Body, Header, Hole, Over, Said, Told, Unkept

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from storage.cassette.values import Statement


def statements(lines: Iterable[str]) -> Iterator[Statement]:
    """What these lines say."""
    for line in lines:
        document = json.loads(line)
        found = _statement(document.pop("type"), document)
        if found is not None:
            yield found


def _statement(kind: str, d: dict[str, Any]) -> Statement | None:
    side = Direction[d["side"].upper()] if d.get("side") else None
    match kind:
        case "header":
            assert (d["format"], d["version"]) == ("imaptap ndjson", 1)
            return Header(_wall(d["started"]), _wall(d["ended"]), d["imaptap"], d["settings"])
        case "session":
            place = d["client"], d["listen"], d["upstream"]
            return Begun(d["session"], _wall(d["opened"]), *place, Told.EVERYTHING)
        case "bytes":
            data = d["text"].encode() if "text" in d else base64.b64decode(d["base64"])
            return Said(side, d["at"], _layer(d), data)
        case "body":
            return Body(side, LiteralPart(d["start"], d["length"]))
        case "unkept":
            literal = LiteralPart(d["literal_start"], d["literal_length"])
            chunks = tuple(map(tuple, d["chunks"]))
            return Unkept(side, d["at"], _layer(d), d["length"], chunks, literal, bytes.fromhex(d["sha256"]))
        case "hole":
            return Hole(side, d["length"])
        case "event":
            place = side, d["offset"], d["length"]
            rewrite = (base64.b64decode(d[key]) if key in d else None for key in ("received_base64", "sent_base64"))
            return Event(d["session"], d["at"], EventKind(d["kind"]), d["name"], d["text"], *place, *rewrite)
        case "exchange":
            number, origin, outcome = d.pop("exchange"), Origin(d.pop("origin")), Outcome(d.pop("outcome"))
            lists = {"responses": tuple(d.pop("responses").items()), "marks": tuple(d.pop("marks"))}
            return Exchange(number=number, origin=origin, outcome=outcome, **lists, **d)
        case "span":
            times = d["first_at"], d["last_at"], d["units"], Certainty(d["certainty"]), tuple(d["open"])
            return Span(d["session"], d["exchange"], side, d["start"], d["end"], *times)
        case "end":
            return Over(d["at"], Ending(d["ending"]), d["reason"], d["client_bytes"], d["server_bytes"])
        case _:
            return None


def _wall(moment: str | None) -> int | None:
    if moment is None:
        return None
    since = dt.datetime.fromisoformat(moment) - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    return since // dt.timedelta(microseconds=1)


def _layer(d: dict[str, Any]) -> Layer:
    return Layer(sum(Layer[name.upper()] for name in d["layers"]))
