"""What passes between processes: whole, whatever it was cut into; and keys, in the order only."""

from __future__ import annotations

import pickle
import socket
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from certs.authority import Authority
from certs.contexts import OwnLeaf, ServerContexts
from imaptap.news import Item
from imaptap.recording import Job
from imaptap.workers.messages import (
    Closed,
    Failed,
    Frames,
    Heard,
    Message,
    Opened,
    Order,
    Told,
    Unrecordable,
    Up,
    frame,
)
from imaptap.workers.shared import Shared
from proxy.imap.transcript import SessionOpened
from proxy.live.admission import parse_network
from proxy.live.endpoint import parse_listen, parse_upstream
from proxy.live.ports import Port
from proxy.live.settings import Settings, UpstreamTrust
from proxy.live.transport import TransportKind
from storage import Recording
from tests.storage.scenes import exchange

if TYPE_CHECKING:
    from pathlib import Path

MESSAGES: tuple[Message, ...] = (
    Up(),
    Told("The disk is full.", "Free some space."),
    Opened(7),
    Heard((Item(exchange(3, 7), 1_700_000_000_000_000), Item(SessionOpened(8, 5, "c", "l", "u"), 5)), 12),
    Closed(7),
    Failed("It cannot.", ""),
    Unrecordable("The database is gone."),
)
RECORDING = Recording(3, "name", 1, None, 2, "host", 99, "0.1", "settings")


@pytest.mark.parametrize("size", [1, 7, 1000000])
def test_messages_come_as_they_went(size: int) -> None:
    stream = b"".join(map(frame, MESSAGES))
    frames = Frames()
    parts = (stream[first : first + size] for first in range(0, len(stream), size))
    assert tuple(message for part in parts for message in frames.feed(part)) == MESSAGES


def test_few_bytes_are_spent_on_a_session_without_news() -> None:
    assert len(frame(Opened(123456)) + frame(Closed(123456))) < 200


def given(job: Job, *ports: Port) -> Order:
    """The order as a worker gets it. It has descriptors of its own, here as there."""
    shared = Shared.make()
    [order] = Frames().feed(frame(Order(job, RECORDING, ports, shared, news=True)))
    shared.close()
    assert isinstance(order, Order)
    assert order.shared.descriptor == shared.descriptor
    return order


def test_a_job_travels_whole(tmp_path: Path) -> None:
    settings = Settings(
        parse_upstream("imaps://mail.example.org"),
        (parse_listen("imap://localhost:0"),),
        routes={"other.example": parse_upstream("imap://other.example")},
        trust=UpstreamTrust(tmp_path / "ca.pem", fingerprint="ab" * 32),
        keylog=tmp_path / "keys",
        allow=(parse_network("192.0.2.0/24"),),
    )
    leaves = {"mail.example.org": OwnLeaf(tmp_path / "a", tmp_path / "b", b"password")}
    job = Job(settings, Authority.load_or_create(tmp_path), "db", "name", leaves, TransportKind.ASYNCIO, 3)
    got = given(job).job
    assert (got.settings, got.own_leaves) == (settings, leaves)
    assert (got.db, got.name, got.transport, got.workers) == ("db", "name", TransportKind.ASYNCIO, 3)


def test_the_authority_goes_with_its_key_and_is_good_for_leaves(tmp_path: Path) -> None:
    authority = Authority.load_or_create(tmp_path)
    settings = Settings(parse_upstream("imaps://mail.example.org"), ())
    got = given(Job(settings, authority, "db")).job.authority
    (tmp_path / "ca.key").unlink()
    assert got.certificate == authority.certificate
    leaf = got.issue("mail.example.org")
    key = authority.key.public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(leaf.certificate.signature, leaf.certificate.tbs_certificate_bytes, ec.ECDSA(hashes.SHA256()))
    assert ServerContexts(got, "mail.example.org").context


def test_keys_go_nowhere_else(tmp_path: Path) -> None:
    """No pickle that anybody makes by accident, of a job say, holds one."""
    authority = Authority.load_or_create(tmp_path)
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(authority)
    assert "BEGIN" not in repr(authority)


def test_listening_sockets_are_handed_down(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        endpoint = parse_listen("imap+insecure://127.0.0.1:0").at_port(listener.getsockname()[1])
        job = Job(Settings(endpoint, (endpoint,)), Authority.load_or_create(tmp_path), "db")
        [port] = given(job, Port(endpoint, (listener,))).ports
        [sock] = port.sockets
        assert port.endpoint == endpoint
        assert sock.getsockname() == listener.getsockname()
        sock.detach()
