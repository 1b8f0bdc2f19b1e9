"""Connections found among packets: order, holes, ends, what is sealed. What tshark itself does is in end_to_end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imaptap.importing import pcap, tshark
from imaptap.importing.formats import named
from imaptap.importing.tshark import FIN, RST, SYN, Frame
from proxy.imap.transcript import Ending, Layer
from tests.imaptap.importing.scripts import told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.imaptap.importing.scripts import Told

C, S = ("192.0.2.1", 50_000), ("2001:db8::7", 1143)
AT = 1_700_000_000_000_000
TLS = {"tls": True}


class Wire:
    """Segments of one connection, one a millisecond."""

    def __init__(self, stream: int = 0, server: tuple[str, int] = S) -> None:
        self.stream, self.server = stream, server
        self.frames: list[Frame] = []
        self._next = {"C": 100, "S": (1 << 32) - 3}

    def send(self, side: str, payload: bytes = b"", flags: int = 0, **more: object) -> Wire:
        source, target = (C, self.server) if side == "C" else (self.server, C)
        at = AT + 1000 * len(self.frames)
        frame = Frame(at, self.stream, source, target, self._next[side], flags, payload, 0, False, b"", False)
        self.frames.append(frame._replace(**more))
        self._next[side] = (self._next[side] + len(payload) + bool(flags & SYN)) % (1 << 32)
        return self

    def opened(self) -> Wire:
        return self.send("C", flags=SYN).send("S", flags=SYN)


def _told(monkeypatch: pytest.MonkeyPatch, *frames: Frame) -> Told:
    def captured(*_: object) -> Iterator[Frame]:
        yield from frames

    monkeypatch.setattr(pcap, "frames", captured)
    return told(named("pcap"), Path("x.pcap"))


def _session() -> Wire:
    return Wire().opened().send("S", b"* OK hi\r\n").send("C", b"a NOOP\r\n").send("S", b"a OK\r\n")


SCRIPT = ["S: * OK hi|", "C: a NOOP|", "S: a OK|"]


def test_a_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _told(monkeypatch, *_session().send("S", flags=FIN).send("C", flags=FIN).frames)
    assert done.script() == SCRIPT
    begun = done.begun[0]
    assert (begun.wall, begun.client, begun.upstream) == (AT + 2000, "192.0.2.1:50000", "imap://[2001:db8::7]:1143")
    assert (begun.deflated, begun.caveats) == (True, ())
    assert {each.layer for each in done.said} == {Layer.PLAIN}
    assert [(each.ending, each.reason, each.at) for each in done.over] == [(Ending.SERVER, "end of stream", AT + 6000)]


@pytest.mark.parametrize(
    ("side", "flags", "ending"), [("C", RST, Ending.CLIENT), ("S", RST, Ending.SERVER), ("C", FIN, Ending.CUT)]
)
def test_how_it_ends(monkeypatch: pytest.MonkeyPatch, side: str, flags: int, ending: Ending) -> None:
    """One side that says no more is no end."""
    done = _told(monkeypatch, *_session().send(side, flags=flags).frames)
    assert [each.ending for each in done.over] == [ending]


def test_out_of_order_and_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = _session().send("S", b"* 1 EX").send("S", b"ISTS\r\n").frames
    frames[-2:] = [frames[-1], frames[-2], frames[-1], frames[2]]
    assert _told(monkeypatch, *frames).script()[-1] == "S: a OK|* 1 EXISTS|"


def test_behind_a_hole_nothing_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = (
        _session()
        .send("C", b"b AUTHENTICATE PLAIN\r\n")
        .send("C", b"secret\r\n")
        .send("C", flags=FIN)
        .send("S", flags=FIN)
    )
    del wire.frames[5]
    done = _told(monkeypatch, *wire.frames)
    assert done.script() == SCRIPT
    assert [(each.ending, each.reason) for each in done.over] == [
        (Ending.CUT, "bytes of the client are missing in the capture")
    ]


def test_packets_that_were_captured_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    done = _told(monkeypatch, *_session().send("S", b"* 1 EX", missing=6).send("S", b"* 2 EXISTS\r\n").frames)
    assert done.script()[-1] == "S: a OK|* 1 EX"
    assert "bytes of the server are missing" in done.over[0].reason


@pytest.mark.parametrize(("port", "sessions"), [(143, 1), (993, 1), (1143, 0)])
def test_without_its_beginning(monkeypatch: pytest.MonkeyPatch, port: int, sessions: int) -> None:
    """The port has to tell, then."""
    wire = Wire(server=("192.0.2.9", port)).send("C", b"b NOOP\r\n").send("S", b"b OK\r\n")
    done = _told(monkeypatch, *wire.frames)
    assert len(done.begun) == sessions
    if sessions:
        assert done.script() == ["C: b NOOP|", "S: b OK|"]
        assert done.begun[0].caveats == ("its beginning is not in the capture",)


def test_what_is_no_imap(monkeypatch: pytest.MonkeyPatch) -> None:
    web = Wire(1).opened().send("C", b"GET / HTTP/1.1\r\n").send("S", b"* OK no\r\n")
    smtp = Wire(2).opened().send("S", b"220 hi\r\n")
    assert _told(monkeypatch, *web.frames, *smtp.frames, *_session().frames).script() == SCRIPT


def test_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the start, or behind STARTTLS: then what is decrypted counts, and in no order but tshark's."""
    implicit = Wire(0).opened().send("C", b"\x16...", **TLS).send("S", b"\x17...", decrypted=b"* OK hi\r\n", **TLS)
    starttls = (
        Wire(1).opened().send("S", b"* OK hi\r\n").send("C", b"a STARTTLS\r\n").send("S", b"a OK\r\n")
        .send("C", b"\x16...", **TLS).send("C", b"\x17...", decrypted=b"b NOOP\r\n", **TLS).send("C", b"\x17..."[:1])
    )  # fmt: skip
    done = _told(monkeypatch, *implicit.frames, *starttls.frames)
    assert done.script() == ["S: * OK hi|", "--", "S: * OK hi|", "C: a STARTTLS|", "S: a OK|", "C: b NOOP|"]
    assert [each.layer for each in done.said] == [Layer.TLS, Layer.PLAIN, Layer.PLAIN, Layer.PLAIN, Layer.TLS]
    assert [each.upstream[:6] for each in done.begun] == ["imaps:", "imap:/"]


def test_what_cannot_be_decrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed = Wire(3).opened().send("C", b"\x16...", **TLS).send("S", b"\x17...", sealed=True, **TLS)
    torn = (
        Wire(4).opened().send("S", b"\x17", decrypted=b"* OK hi\r\n", **TLS).send("S", b"\x17", sealed=True, **TLS)
        .send("C", b"\x17", decrypted=b"secret\r\n", **TLS)
    )  # fmt: skip
    done = _told(monkeypatch, *sealed.frames, *torn.frames)
    assert done.script() == ["S: * OK hi|"]
    assert [each.reason for each in done.over] == ["TLS could not be decrypted from here on"]
    assert len(done.remarks) == 1
    assert done.remarks[0].startswith("not decrypted: 1 TLS connection could not be decrypted")
    alone = _told(monkeypatch, *sealed.frames)
    assert alone.broken is not None
    assert "1 TLS connection could not be decrypted" in alone.broken


def test_what_tshark_says_of_a_segment() -> None:
    """Of packets in packets the innermost; several records of TLS together."""
    words = [
        "1700000000.000250999", "7", "10.0.0.1,192.0.2.1", "", "50000", "10.0.0.2,192.0.2.9", "", "993", "4294967295",
        "0x0018", "5", "010203", "23,23", "23,23", "aa,bb", "6162,63", "x",
    ]  # fmt: skip
    assert tshark._frame(words) == Frame(
        AT + 250,
        7,
        ("192.0.2.1", 50_000),
        ("192.0.2.9", 993),
        4_294_967_295,
        0x18,
        b"\1\2\3",
        2,
        True,
        b"abc",
        False,
        "x",
    )
    with pytest.raises(ValueError, match="invalid literal"):
        tshark._frame([*words[:1], "", *words[2:]])
