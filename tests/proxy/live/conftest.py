"""What every live test has: an authority, a server's identity, and both kinds of transport."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from certs.authority import Authority
from proxy.live.settings import UpstreamTrust
from proxy.live.transport import TransportKind
from tests.proxy.live.rig import Rig, Scene
from tests.servers.certificates import Identity, make_identity
from tests.servers.scripted import ScriptedServer

if TYPE_CHECKING:
    from collections.abc import Iterator

MakeRig = Callable[..., Rig]
Play = Callable[..., Scene]


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Our own CA, in a home of its own."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMAPTAP_HOME", str(home))
        yield Authority.load_or_create(home)


@pytest.fixture(scope="package")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """Who the scripted servers say they are."""
    return make_identity(tmp_path_factory.mktemp("identity"))


@pytest.fixture(params=[kind for kind in TransportKind if kind is not TransportKind.AUTO], ids=str)
def kind(request: pytest.FixtureRequest) -> TransportKind:
    """Every implementation of asyncio's transports that may be chosen."""
    if request.param is TransportKind.AIOFASTNET:
        pytest.importorskip("aiofastnet")
    return TransportKind(request.param)


@pytest.fixture
def make_rig(kind: TransportKind, authority: Authority, identity: Identity) -> MakeRig:
    """Make a rig for an upstream URL; it trusts the scripted servers unless told otherwise."""

    def make(upstream: str, *listen: str, **settings: Any) -> Rig:
        settings.setdefault("trust", UpstreamTrust(ca_file=identity.ca))
        return Rig(kind, authority, upstream, *listen, **settings)

    return make


@pytest.fixture
def our_tag(monkeypatch: pytest.MonkeyPatch) -> str:
    """The tag of imaptap's own STARTTLS, fixed so that a script can name it."""
    monkeypatch.setattr("proxy.live.handshakes.secrets.token_hex", lambda _: "00")
    return "IMAPTAP00"


@pytest.fixture
def play(make_rig: MakeRig, identity: Identity, our_tag: str) -> Play:
    """Play both sides of a session: `play("imap", "imaps", server script, client script)` for listener and upstream.

    TAG in a server's script is the tag of imaptap's own STARTTLS. What the record says was sent on must have arrived
    (`compare`), unless a peer closes without reading.
    """

    def scene(listen: str, upstream: str, server: str, client: str, *, compare: bool = True, **settings: Any) -> Scene:
        script = server.replace("TAG", our_tag)
        context = identity.server_context()
        with ScriptedServer(script, context, implicit=upstream == "imaps") as peer:
            # Accepted sockets inherit it; Nagle's algorithm would cost most of the time here.
            peer._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            rig = make_rig(f"{upstream}://localhost:{peer.port}", **settings)
            with rig, closing(rig.dial(listen)) as player:
                player.play(client)
                player.close()
                told = rig.told()
        heard = bytes(peer.players[0].heard) if peer.players else b""
        if compare:
            told.assert_arrived(server=heard, client=bytes(player.heard))
        return Scene(rig, told, heard, bytes(player.heard))

    return scene
