"""What passes between the parent and a worker: values, pickled, each with its length in front.

The order may hold what no other pickle can: keys and certificates, sockets and other descriptors that the worker was
born with. So a CA key's password is asked for once, by the parent, and nothing secret is in a file, an argument or the
environment. Back come only words and records, which are masked.
"""

from __future__ import annotations

import io
import pickle
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from imaptap.news import Item
from imaptap.recording import Job
from imaptap.workers.shared import Shared
from proxy.live.ports import Port
from storage import Recording

_LENGTH_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Order:
    """To a worker, once: what to record, at which ports, and whether to tell of each exchange."""

    job: Job
    recording: Recording
    ports: tuple[Port, ...]
    shared: Shared
    news: bool


@dataclass(frozen=True, slots=True)
class Up:
    """From a worker: it serves clients."""


@dataclass(frozen=True, slots=True)
class Told:
    """From a worker: a sentence and a hint for the person."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Failed:
    """From a worker, at its end: why it cannot do its work, as `Told`."""

    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class Opened:
    """From a worker: the number of a session that is its own."""

    session: int


@dataclass(frozen=True, slots=True)
class Closed:
    """From a worker: that session has ended."""

    session: int


@dataclass(frozen=True, slots=True)
class Heard:
    """From a worker: what is worth a line, and how much more there was."""

    items: tuple[Item, ...]
    missed: int


@dataclass(frozen=True, slots=True)
class Unrecordable:
    """Either way, with --fail-closed: nothing more can be recorded for this reason, so all sessions have to end."""

    reason: str


Message = Order | Up | Told | Failed | Unrecordable | Opened | Closed | Heard


def frame(message: Message) -> bytes:
    """The message as it goes over the socket."""
    buffer = io.BytesIO()
    buffer.write(bytes(_LENGTH_BYTES))
    _Pickler(buffer, protocol=5).dump(message)
    length = buffer.tell() - _LENGTH_BYTES
    buffer.seek(0)
    buffer.write(length.to_bytes(_LENGTH_BYTES, "little"))
    return buffer.getvalue()


class Frames:
    """Messages out of what comes from the socket."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Message]:
        """The messages that are whole with `data`."""
        self._data += data
        while len(self._data) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._data[:_LENGTH_BYTES], "little")
            if len(self._data) < end:
                return
            whole = bytes(self._data[_LENGTH_BYTES:end])
            del self._data[:end]
            yield pickle.loads(whole)  # noqa: S301 - written by imaptap itself, over a socket that nobody else has


class _Pickler(pickle.Pickler):
    def reducer_override(self, obj: object) -> Any:
        if isinstance(obj, socket.socket):
            return _socket, (obj.fileno(),)
        if isinstance(obj, Shared):
            return Shared, (obj.descriptor,)
        if isinstance(obj, x509.Certificate):
            return _certificate, (obj.public_bytes(Encoding.DER),)
        if isinstance(obj, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
            return _key, (obj.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()),)
        return NotImplemented


# Functions that pickle can find again by their names: those of cryptography, being made in Rust, it cannot.


def _certificate(der: bytes) -> x509.Certificate:
    return x509.load_der_x509_certificate(der)


def _key(der: bytes) -> PrivateKeyTypes:
    return load_der_private_key(der, None)


def _socket(descriptor: int) -> socket.socket:
    return socket.socket(fileno=descriptor)
