"""The ClientHello read from outside: which name a client asks for, before any TLS engine has seen a byte.

With this a listener can look at the first bytes (``MSG_PEEK``), choose the context of that name, and hand the
connection to an engine that has no server name callback. No I/O; linear; whatever comes in, nothing is raised.
"""

from dataclasses import dataclass

_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_ALPN = 16
# More than a key share of every post-quantum kind needs; who sends more gets no name, not our memory.
LIMIT = 1 << 16


@dataclass(frozen=True)
class Hello:
    """What a connection begins with: whether it is TLS at all, the server name and the ALPN names asked for."""

    tls: bool
    server_name: str | None = None
    alpn: tuple[str, ...] = ()


class _Short(Exception):  # noqa: N818 - not an error: the bytes end here
    pass


class _Reader:
    """Numbers and vectors of TLS presentation language (RFC 8446 3), read off the front."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        if self._at + size > len(self._data):
            raise _Short
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, size: int) -> int:
        """The next number of ``size`` bytes."""
        return int.from_bytes(self.take(size), "big")

    def vector(self, size: int) -> bytes:
        """The next vector, whose length stands in ``size`` bytes."""
        return self.take(self.number(size))

    def left(self) -> bool:
        """Whether anything is left."""
        return self._at < len(self._data)


def read_hello(data: bytes) -> Hello | None:
    """What the first bytes of a connection say.

    In: all bytes so far. Out: None while more are needed; ``tls=False`` for what is no ClientHello (plain IMAP, a
    port scan); a damaged hello has no name. Bytes of a name that are not ASCII come out as ``\\xNN``.
    """
    if data[:1] and data[0] != _HANDSHAKE:
        return Hello(tls=False)
    if len(data) > LIMIT:
        return Hello(tls=True)
    try:
        body = _client_hello(data)
    except _Short:
        return None
    if body is None:
        return Hello(tls=False)
    try:
        return _read_body(_Reader(body))
    except _Short:
        return Hello(tls=True)


def _client_hello(data: bytes) -> bytes | None:
    """The ClientHello's body, put together from as many records as it takes (RFC 8446 5.1); None if it is none."""
    records, message = _Reader(data), bytearray()
    while True:
        kind, major, _ = records.take(3)
        if kind != _HANDSHAKE or major != 3:
            return None
        record = records.vector(2)
        # An empty handshake record is forbidden, and would let a client keep this loop busy.
        if not record:
            return None
        message += record
        if message[0] != _CLIENT_HELLO:
            return None
        if len(message) >= 4 and len(message) - 4 >= int.from_bytes(message[1:4], "big"):
            return bytes(message[4 : 4 + int.from_bytes(message[1:4], "big")])


def _read_body(body: _Reader) -> Hello:
    body.take(2 + 32)
    for size in (1, 2, 1):  # session id, cipher suites, compression methods
        body.vector(size)
    name: str | None = None
    alpn: tuple[str, ...] = ()
    extensions = _Reader(body.vector(2) if body.left() else b"")
    while extensions.left():
        kind, content = extensions.number(2), _Reader(extensions.vector(2))
        if kind == _SERVER_NAME:
            name = _server_name(content)
        elif kind == _ALPN:
            alpn = _protocols(content)
    return Hello(tls=True, server_name=name, alpn=alpn)


def _server_name(content: _Reader) -> str | None:
    """RFC 6066 3: a list of names, of which only host_name (0) was ever defined."""
    names = _Reader(content.vector(2))
    while names.left():
        kind, name = names.number(1), names.vector(2)
        if kind == 0:
            return name.decode("ascii", "backslashreplace")
    return None


def _protocols(content: _Reader) -> tuple[str, ...]:
    names, found = _Reader(content.vector(2)), list[str]()
    while names.left():
        found.append(names.vector(1).decode("ascii", "backslashreplace"))
    return tuple(found)
