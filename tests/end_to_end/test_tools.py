"""The tools of these tests can fail: a comparison that calls all things equal, or a blind hunt, is no proof."""

from __future__ import annotations

import base64
import hashlib
import zlib
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from blake3 import blake3

from tests.servers.hunt import hunt
from tests.servers.scripted import OffScriptError, ScriptedServer, dial
from tests.servers.streams import Rewrite, Stored, difference, unmatched
from tests.servers.tee import Tee, Wire

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers.certificates import Identity

SCRIPT = r"""
S: * OK hello
C: a1 STARTTLS
S: a1 OK go
TLS
C: a2 LOGIN bob ...
S= * 1 FETCH (BODY[] {4}\r\n\x00\xff\r\n)\r\na2 OK done\r\n
"""


def test_a_script_plays_on_both_sides_of_a_tee(identity: Identity) -> None:
    """STARTTLS half way, binary from the server, a wildcard for what the client says; the tee has it all in clear."""
    with (
        ScriptedServer(SCRIPT + "EOF", identity.server_context()) as server,
        Tee("starttls", server.port, identity.ca, identity) as tee,
    ):
        with closing(dial(tee.port, identity.client_context())) as client:
            client.play(SCRIPT.replace("...", "secret"))
        [wire] = tee.finished(1)
    assert wire.client == b"a1 STARTTLS\r\na2 LOGIN bob secret\r\n" == bytes(server.players[0].heard)
    assert wire.server == client.heard
    assert wire.server.endswith(b"{4}\r\n\x00\xff\r\n)\r\na2 OK done\r\n")


def test_going_off_script_is_an_error(identity: Identity) -> None:
    """A wrong word is noticed on the side that waited for another."""

    def play() -> None:
        with (
            ScriptedServer("S: * OK\nC: a3 NOOP", identity.server_context(), implicit=True) as server,
            closing(dial(server.port, identity.client_context(), implicit=True)) as client,
        ):
            client.play("S: * OK\nC: a3 LOGOUT")
            assert client.rest() == b""

    with pytest.raises(OffScriptError, match="a3 NOOP"):
        play()


def test_streams_are_equal_only_where_nothing_differs() -> None:
    """Masks hide what they cover and nothing else; rewrites count on the way out; COMPRESS is decoded."""
    wire = Wire(bytearray(b"a LOGIN bob hidden\r\n"), bytearray(b"* OK\r\na OK\r\n"))
    streams = {"client": b"a LOGIN bob xxxxxx\r\n", "server": b"* OK\r\na OK\r\n"}
    kept = Stored(streams, [("client", 12, 6)], ())
    assert difference(kept, wire) is None
    assert "hidden" in str(difference(Stored(streams, (), ()), wire))
    wire.client[0] = ord("b")
    assert "client at 0" in str(difference(kept, wire))
    wire.client[0] = ord("a")
    wire.server += b"* BYE\r\n"
    assert "server at 12" in str(difference(kept, wire))
    assert len(unmatched([kept], [wire, Wire()])) == 3

    rewritten = Stored({"client": b"a X\r\n", "server": b""}, (), [Rewrite("client", 2, b"X", b"LONGER")])
    assert difference(rewritten, Wire(bytearray(b"a LONGER\r\n"))) is None
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = deflater.compress(b"c NOOP\r\n") + deflater.flush(zlib.Z_SYNC_FLUSH)
    squeezed = Wire(bytearray(b"z COMPRESS DEFLATE\r\n" + deflated), bytearray(b"z OK go\r\n"))
    inflated = Stored({"client": b"z COMPRESS DEFLATE\r\nc NOOP\r\n", "server": b"z OK go\r\n"}, (), ())
    assert difference(inflated, squeezed) is None


@pytest.mark.parametrize("before", [b"", b"!", b"!!"])
def test_the_hunt_finds_a_marker_in_every_disguise(tmp_path: Path, before: bytes) -> None:
    """Planted in a file of its own in each encoding; a file without it stays unnamed."""
    marker = 'Zq"7\\marker secret'
    escaped = marker.replace("\\", "\\\\").replace('"', '\\"').encode()
    raw = marker.encode()
    plants = {
        "raw": raw,
        "base64": base64.b64encode(before + raw + b"?"),
        "url": base64.urlsafe_b64encode(before + raw),
        "quoted": escaped,
        "utf16": marker.encode("utf-16-le"),
        "percent": "".join(chr(byte) if chr(byte).isalnum() else f"%{byte:02X}" for byte in raw).encode(),
        "hex": raw.hex().upper().encode(),
        "hash": hashlib.sha256(raw).digest(),
        "hash in hex": hashlib.sha256(raw).hexdigest().encode(),
        "body's hash": blake3(raw).digest(),
        "body's hash in hex": blake3(raw).hexdigest().encode(),
    }
    for name, data in plants.items():
        (tmp_path / name).write_bytes(before + data + b"...")
    (tmp_path / "clean").write_bytes(b"marker secret" * 10)
    assert {path.name for path, _ in hunt([tmp_path], [marker])} == set(plants)
