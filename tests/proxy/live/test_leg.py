"""A leg alone, with a transport that only notes what it is told: holding, keeping, and the order of what happens."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from proxy.imap.transcript import Direction, Layer
from proxy.live.leg import Leg


class Transport(asyncio.Transport):
    """Notes every call."""

    def __init__(self, *, half_closes: bool = True) -> None:
        super().__init__()
        self.calls: list[str] = []
        self.reading, self.closing, self.half_closes = True, False, half_closes

    def get_extra_info(self, name: str, default: object = None) -> object:
        return True if name == "ssl_object" else default

    def pause_reading(self) -> None:
        assert not self.closing
        self.reading = False

    def resume_reading(self) -> None:
        assert not self.closing
        self.reading = True

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert "eof" not in self.calls, "asyncio raises here"
        self.calls.append(bytes(data).decode())

    def can_write_eof(self) -> bool:
        return self.half_closes

    def write_eof(self) -> None:
        self.calls.append("eof")

    def close(self) -> None:
        self.closing = True
        self.calls.append("close")

    def abort(self) -> None:
        self.closing = True
        self.calls.append("abort")


@dataclass
class Owner:
    """Notes what happens on the leg; `holds` is data on which it holds it."""

    heard: list[str] = field(default_factory=list)
    holds: bytes = b""
    keeps_open: bool = True
    chokes: bytes = b""
    """Data that it has a fault with."""

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes."""
        self.heard.append(data.decode())
        if data == self.chokes:
            raise ZeroDivisionError("x")
        if data == self.holds:
            leg.hold("act")

    def eof(self, _: Leg) -> bool:
        """No more."""
        self.heard.append("eof")
        return self.keeps_open

    def lost(self, _: Leg, error: Exception | None) -> None:
        """Closed."""
        self.heard.append(f"lost {error}")

    def gone(self) -> None:
        """Closed, with something kept."""
        self.heard.append("gone")

    def pressed(self, _: Leg, *, full: bool) -> None:
        """Flow control."""
        self.heard.append(f"pressed {full}")


@pytest.fixture
def owner() -> Owner:
    """Who is told."""
    return Owner()


@pytest.fixture
def transport() -> Transport:
    """What is told."""
    return Transport()


@pytest.fixture
def leg(owner: Owner, transport: Transport) -> Leg:
    """Connected."""
    leg = Leg(Direction.CLIENT, owner)
    leg.connection_made(transport)
    return leg


@pytest.fixture(autouse=True)
def no_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """`resume_reading` is the transport's own here."""
    monkeypatch.setattr("proxy.live.leg.resume_reading", lambda transport: transport.resume_reading())


def test_it_is_read_only_while_nobody_holds_it(leg: Leg, transport: Transport) -> None:
    """Several reasons at once: the last one counts, in any order, and each only once."""
    for last, first in (("peer", "recorder"), ("recorder", "peer")):
        for reason in ("peer", "recorder", "peer"):
            leg.hold(reason)
        assert not transport.reading
        leg.free(first)
        assert not transport.reading
        leg.free(last)
        assert transport.reading


@pytest.mark.parametrize("reason", ["peer", "recorder"])
def test_flow_control_passes_on_what_still_comes(leg: Leg, owner: Owner, reason: str) -> None:
    """A transport may deliver what it had read."""
    leg.hold(reason)
    leg.data_received(b"a")
    assert owner.heard == ["a"]
    assert not leg.kept_back


def test_a_share_that_waits_for_its_turn_waits_for_the_recorder_too(leg: Leg, owner: Owner) -> None:
    """A few bytes may make very many records."""
    leg.hold("turn")
    leg.keep(b"rest")
    leg.hold("recorder")
    leg.turn(0)
    assert owner.heard == []
    leg.free("peer")
    assert owner.heard == []
    leg.free("recorder")
    assert owner.heard == ["rest"]
    leg.hold("turn")
    leg.keep(b"more")
    leg.free("recorder")
    assert owner.heard == ["rest"], "its turn has not come"
    leg.turn(0)
    assert owner.heard == ["rest", "more"]


def test_the_session_keeps_back_what_still_comes(leg: Leg, owner: Owner) -> None:
    """And gets it in order when it is done, before anything new."""
    leg.hold("opening")
    leg.hold("peer")
    leg.data_received(b"a")
    leg.data_received(b"b")
    assert leg.kept
    assert leg.kept_back
    assert owner.heard == []
    leg.free("opening")
    leg.data_received(b"c")
    assert owner.heard == ["a", "b", "c"]


def test_an_act_in_between_keeps_back_the_rest(leg: Leg, owner: Owner) -> None:
    """What the gate gave back comes first."""
    owner.holds = b"b"
    leg.hold("act")
    for data in (b"a", b"b", b"c"):
        leg.data_received(data)
    leg.free("act")
    assert owner.heard == ["a", "b"]
    leg.keep(b"rest of b")
    leg.keep(b"")
    leg.free("act")
    assert owner.heard == ["a", "b", "rest of b", "c"]


@pytest.mark.parametrize("free", [lambda leg: leg.turn(0), lambda leg: leg.free("turn")])
@pytest.mark.parametrize(
    ("happens", "heard"),
    [
        ((), ["a", "b", "lost x"]),
        ((Leg.eof_received,), ["a", "b", "eof", "lost x"]),
        ((Leg.eof_received, lambda leg: leg.connection_lost(None)), ["gone", "a", "b", "eof", "lost None"]),
    ],
)
def test_a_fault_with_what_was_kept_ends_the_connection(
    leg: Leg, owner: Owner, happens: tuple[Callable[[Leg], object], ...], heard: list[str], free: Callable[[Leg], None]
) -> None:
    """It would be held for ever else. Whoever frees it goes on; the person is told by way of the event loop."""

    async def scene() -> list[type]:
        failures: list[type] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, told: failures.append(type(told["exception"])))
        owner.chokes = b"b"
        leg.hold("turn")
        for data in (b"a", b"b", b"c"):
            leg.data_received(data)
        for each in happens:
            each(leg)
        free(leg)
        return failures

    assert asyncio.run(scene()) == [ZeroDivisionError]
    assert owner.heard == heard
    assert leg.closed
    assert not leg.kept


def test_the_end_comes_after_what_is_kept(leg: Leg, owner: Owner, transport: Transport) -> None:
    """Data received before the close is delivered first (M 1.6)."""
    leg.hold("opening")
    leg.data_received(b"a")
    assert leg.eof_received() is True
    leg.connection_lost(None)
    assert owner.heard == ["gone"]
    leg.free("opening")
    assert owner.heard == ["gone", "a", "eof", "lost None"]


def test_what_is_kept_may_be_given_up(leg: Leg, owner: Owner) -> None:
    """The end is told all the same."""
    leg.hold("act")
    leg.data_received(b"a")
    leg.connection_lost(OSError("x"))
    assert leg.take_kept() == [b"a"]
    assert owner.heard == ["gone", "lost x"]


def test_an_end_of_stream_that_nobody_keeps_open_closes(leg: Leg, owner: Owner, transport: Transport) -> None:
    """Also when it is told late."""
    owner.keeps_open = False
    leg.hold("act")
    leg.data_received(b"a")
    assert leg.eof_received() is True
    assert transport.calls == []
    leg.free("act")
    assert transport.calls == ["close"]


def test_a_tls_transport_closes_by_itself(leg: Leg, owner: Owner, transport: Transport) -> None:
    """To say otherwise would be a warning in the log."""
    leg.secured(transport)
    assert leg.layer is Layer.TLS
    assert leg.eof_received() is False


def test_after_the_end_of_stream_reading_is_left_alone(leg: Leg, transport: Transport) -> None:
    """Resumed, a transport would read that end once more, and aiofastnet's would close."""
    leg.eof_received()
    transport.reading = False
    leg.hold("peer")
    leg.free("peer")
    assert not transport.reading


def test_nothing_is_written_after_the_end(leg: Leg, transport: Transport) -> None:
    """`write_eof` once, then silence; where TLS cannot, it says so."""
    leg.write(b"a")
    leg.write(b"")
    assert leg.write_eof()
    assert leg.write_eof()
    leg.write(b"b")
    assert transport.calls == ["a", "eof"]
    transport.half_closes = False
    assert not leg.write_eof()


def test_closed_is_told_once(leg: Leg, owner: Owner, transport: Transport) -> None:
    """A failed handshake is told by us, and perhaps by asyncio as well; nothing is asked of the transport then."""
    leg.abandoned()
    leg.connection_lost(OSError("x"))
    assert owner.heard == ["lost None"]
    assert transport.calls == ["abort"]
    leg.write(b"a")
    leg.close()
    leg.hold("peer")
    leg.free("peer")
    assert transport.calls == ["abort"]
    assert not leg.open


def test_a_leg_held_before_it_is_connected(owner: Owner, transport: Transport) -> None:
    """It is not read until it is freed, also after TLS has begun."""
    leg = Leg(Direction.SERVER, owner)
    leg.hold("opening")
    leg.connection_made(transport)
    assert not transport.reading
    secured = Transport()
    leg.secured(secured)
    assert not secured.reading
    leg.free("opening")
    assert secured.reading


def test_a_close_reads_the_peers_goodbye(leg: Leg, transport: Transport) -> None:
    """aiofastnet would never end a TLS connection that does not read."""
    leg.hold("peer")
    leg.close()
    assert transport.reading
    assert transport.calls == ["close"]


def test_pressure_does_not_outlive_the_beginning_of_tls(leg: Leg, owner: Owner) -> None:
    """Nobody would tell of its end: the other leg would be held for ever."""
    leg.pause_writing()
    leg.secured(Transport())
    assert owner.heard == ["pressed True", "pressed False"]


def test_pressure_is_passed_on(leg: Leg, owner: Owner) -> None:
    """To whoever holds the other leg."""
    leg.pause_writing()
    leg.resume_writing()
    assert owner.heard == ["pressed True", "pressed False"]
