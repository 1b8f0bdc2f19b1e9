"""What must hold of any input, one function each: `HARNESSES` names them for `make fuzz`.

To add one, write a function that takes the input's bytes and raises AssertionError where something is wrong, and put it
into the table. What it imports from proxy.imap leads the fuzzer; it begins with the seeds of all.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from proxy.imap.capabilities import Scram, Words
from proxy.imap.conversation import Conversation
from proxy.imap.gate import LINE_MAX, Act, ClientGate, ServerGate, StartTls
from proxy.imap.grammar import Parsed, Raw, joined, parse_command, parse_response, parse_sasl, write
from proxy.imap.grammar import cut as unit_of
from proxy.imap.transcript import Direction
from proxy.imap.units import LITERAL_KEPT, PARTS_KEPT, TEXT_KEPT, Boundary, Unit, UnitReader
from storage.cassette import CassetteError
from storage.cassette.importing import heard
from storage.cassette.reader import read_cassette
from tests.fuzz.form import Input, read
from tests.proxy.imap import invariants
from tests.proxy.imap.playing import Cut, Heard, bytewise, play, whole
from tests.proxy.imap.test_gate import Run, run

BYTEWISE_MAX = 2000
"""Longer streams are compared at the input's own cuts only: byte by byte is slow."""
CHUNKS_MAX = 1000
"""Of more chunks the ledger joins some, if it has to hold them: their times are no longer told one by one."""


def check_units(data: bytes) -> None:
    """Units follow each other without a gap and are the same however the stream is cut."""
    said = read(data)
    for direction in Direction:
        stream = said.stream(direction)
        lines_only = bool(said.options & 1)
        units, rest = _units(direction, [stream], lines_only=lines_only)
        assert _units(direction, said.chunks(direction), lines_only=lines_only) == (units, rest)
        if len(stream) <= BYTEWISE_MAX:
            assert _units(direction, bytewise(stream), lines_only=lines_only) == (units, rest)
        end = 0
        for unit in units:
            assert unit.start == end < unit.end <= len(stream)
            end = unit.end
            _sound(unit)


def _units(direction: Direction, chunks: Iterable[bytes], *, lines_only: bool) -> tuple[list[Unit], tuple[object, ...]]:
    """The units of a stream, and what is left behind them at its end."""
    reader = UnitReader(direction)
    reader.lines_only = lines_only
    units: list[Unit] = []
    fed = 0
    for chunk in chunks:
        pos = 0
        while pos < len(chunk):
            boundary, end = reader.read(chunk, pos)
            assert pos < end <= len(chunk) or (pos == end and boundary is Boundary.LITERAL_END)
            pos = end
            assert reader.offset == fed + pos
            if boundary is Boundary.UNIT:
                units.append(reader.take_unit())
                assert reader.between or reader.raw
        fed += len(chunk)
    left = (reader.unit_start, reader.offset, reader.raw, reader.partial, reader.texts, reader.lines)
    return units, (*left, reader.cut())


def _sound(unit: Unit) -> None:
    assert len(unit.texts) <= PARTS_KEPT + 1
    assert sum(map(len, unit.texts)) <= 3 * TEXT_KEPT
    for literal in unit.literals:
        assert unit.start < literal.start <= literal.start + literal.size <= unit.end
        assert literal.content is None or len(literal.content) == literal.size <= LITERAL_KEPT


def check_conversation(data: bytes) -> None:
    """The record is sound, and the same at the input's cuts, byte by byte, and not cut at all."""
    said = read(data)
    decode = not said.options & 1
    heard = play(said.turns, whole, decode=decode)
    _check_record(heard, said)
    if max(len(said.chunks(direction)) for direction in Direction) <= CHUNKS_MAX:
        assert play(said.turns, _cuts(said), decode=decode).facts == heard.facts
    if max(len(said.stream(direction)) for direction in Direction) <= CHUNKS_MAX:
        assert play(said.turns, bytewise, decode=decode).facts == heard.facts
    if any(x is not None and x.ticks for x in said.speeches):
        _check_record(_ticked(said, decode=decode), said)


def _check_record(heard: Heard, said: Input) -> None:
    """What was compressed stands in the record as it was before, and only the record says from where on."""
    opaque = not any(x.name == "start" for x in heard.events)
    invariants.check(heard, {side: said.stream(side) if opaque else heard.stream(side) for side in Direction})


def _cuts(said: Input) -> Cut:
    chunks = iter([x.chunks for x in said.speeches if x is not None])
    return lambda _: next(chunks)


def _ticked(said: Input, *, decode: bool) -> Heard:
    """As the input has it, with its ticks."""
    speeches = [x for x in said.speeches if x is not None]
    ticks = iter([number in x.ticks for x in speeches for number in range(1, len(x.chunks) + 1)])

    def between(conversation: Conversation) -> None:
        if next(ticks):
            conversation.tick()

    return play(said.turns, _cuts(said), between=between, decode=decode)


def check_gates(data: bytes) -> None:
    """What a gate passes on is what came, but for its rewrites, and does not depend on the cuts."""
    said = read(data)
    _check_server_gate(said)
    _check_client_gate(said)


def _check_server_gate(said: Input) -> None:
    options, stream = said.options, said.stream(Direction.SERVER)
    words = Words(*(bool(options & bit) for bit in (1, 2, 4, 8, 16)), scram=tuple(Scram)[options // 32 % 3])

    def gate() -> ServerGate:
        made = ServerGate(words, tls_required=bool(options & 128))
        made.starttls_tag, made.compress_tag = b"a", b"b"
        return made

    passed = run(gate(), stream)
    _leads_there(passed, stream)
    for cut in _both(said, Direction.SERVER):
        got = run(gate(), stream, cut)
        assert (got.forward, got.rewrites, got.line + got.rest) == (passed.forward, passed.rewrites, _kept(passed))
        assert got.act is passed.act or {got.act, passed.act} == {Act.UPGRADE, Act.INJECTED}
    made = gate()
    for chunk in said.chunks(Direction.SERVER):
        if made.receive(chunk).act is not Act.NONE:
            break
        assert made.held <= LINE_MAX


def _leads_there(passed: Run, stream: bytes) -> None:
    out, done = b"", 0
    for rewrite in passed.rewrites:
        assert stream[rewrite.offset : rewrite.offset + len(rewrite.received)] == rewrite.received
        out += stream[done : rewrite.offset] + rewrite.sent
        done = rewrite.offset + len(rewrite.received)
    kept = len(_kept(passed))
    assert out + stream[done : len(stream) - kept] == passed.forward
    assert stream.endswith(_kept(passed))


def _kept(passed: Run) -> bytes:
    return passed.line + passed.rest


def _both(said: Input, direction: Direction) -> list[Cut]:
    stream = said.stream(direction)
    return [lambda _: said.chunks(direction), *([bytewise] if len(stream) <= BYTEWISE_MAX else [])]


def _check_client_gate(said: Input) -> None:
    options, stream = said.options, said.stream(Direction.CLIENT)

    def gate() -> ClientGate:
        starttls = tuple(StartTls)[options % 3]
        made = ClientGate(starttls, tls_required=starttls is StartTls.RELAYED)
        made.authenticated, made.upstream_clear = bool(options & 4), bool(options & 8)
        return made

    passed = run(gate(), stream)
    assert passed.forward + _kept(passed) == stream
    for cut in _both(said, Direction.CLIENT):
        got = run(gate(), stream, cut)
        assert got.forward == passed.forward
        assert got.act is passed.act or passed.act is Act.INJECTED
        assert got.forward + _kept(got) == stream
    made = gate()
    for chunk in itertools.takewhile(lambda chunk: made.receive(chunk).act is Act.NONE, said.chunks(Direction.CLIENT)):
        assert chunk
        assert made.held <= LINE_MAX


def check_grammar(data: bytes) -> None:
    """Units are read or kept, their quirks lie within them, and values come back from what is written of them.

    Each as it was found on the wire, where long literals are missing, and with all of its bytes; time is bounded by the
    fuzzer's patience.
    """
    said = read(data)
    for direction in Direction:
        parsers: tuple[Callable[[Unit], Parsed[Any]], ...] = (parse_response,)
        if direction is Direction.CLIENT:
            parsers = (parse_command, parse_sasl)
        for unit, parse in itertools.product(_finished(said.stream(direction), direction), parsers):
            _comes_back(unit, parse, direction)


def _finished(stream: bytes, direction: Direction) -> Iterator[Unit]:
    """The units of a stream, and what is left behind them."""
    end = 0
    for unit in _units(direction, [stream], lines_only=False)[0]:
        end = unit.end
        yield unit
        yield unit_of(stream[unit.start : end], direction, unit.start)
    if end < len(stream):
        yield unit_of(stream[end:], direction, end)


def _comes_back(unit: Unit, parse: Callable[[Unit], Parsed[Any]], direction: Direction) -> None:
    parsed = parse(unit)
    size = unit.end - unit.start
    assert all(0 <= noted.start <= noted.end <= size for noted in parsed.quirks)
    if isinstance(parsed.value, Raw):
        assert 0 <= parsed.value.at <= size
        return
    written = write(parsed.value)
    assert parse(written).value == parsed.value
    # SASL lines are framed in another way: they announce no literals (M 4.6).
    if parse is not parse_sasl and all(literal.content is not None for literal in written.literals):
        assert parse(unit_of(joined(written), direction)).value == parsed.value


def check_cassettes(data: bytes) -> None:
    """What stands in a cassette is refused at a place that is there, or is heard. Marks of the input end its lines."""
    lines = [b"imaptap cassette 1", *data.replace(b"\xff", b"\n").split(b"\n")]
    refused: CassetteError | None = None
    try:
        for _ in heard(read_cassette(io.BytesIO(b"\n".join(lines))), 0):
            pass
    except CassetteError as error:
        refused = error
    if refused is not None:
        assert 1 <= refused.line <= len(lines)
        assert 1 <= refused.column <= len(lines[refused.line - 1]) + 1


HARNESSES: dict[str, Callable[[bytes], None]] = {
    "units": check_units,
    "conversation": check_conversation,
    "gates": check_gates,
    "grammar": check_grammar,
    "cassettes": check_cassettes,
}
