"""`--format pcapng`: each session as a TCP connection to port 143, for Wireshark and tshark.

The connections are made up, and carry what was inside TLS and DEFLATE. Wireshark takes what comes behind the OK to
STARTTLS for TLS, so there the connection ends and another one begins, a port further on; so too behind COMPRESS.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, BinaryIO

from imaptap import __version__
from imaptap.exporting import pcap_blocks
from imaptap.exporting.chunks import Missing, chunks
from imaptap.exporting.pcap_comments import Comments
from imaptap.exporting.tcp import Connection, End
from imaptap.exporting.typed import LAYERS
from proxy.imap.transcript import Direction, Ending, Origin, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ipaddress import IPv4Address, IPv6Address

    from imaptap.exporting.chunks import Chunk
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from storage import Session

    Address = IPv4Address | IPv6Address

_IMAP = 143
_ADDRESS = re.compile(r"\[?(.*?)\]?(?::(\d{1,5}))?")
_URL = re.compile(r"[a-z+]+://(?:\[([0-9A-Fa-f:.]+)\]|([^:/\[\]]+))(?::\d+)?/?")
_HOST = re.compile(r"[A-Za-z0-9._-]{1,255}")
_HOSTS_MOST = 250
_COMMENTS_MOST = 50
"""Of a packet; the next ones have the rest."""
_DOUBTS, _LOOKED_AT = 2, 5
"""How many packets Wireshark looks at, and at how many bytes of each, before it believes that there is no TLS."""
_MADE_UP = {4: int(ipaddress.ip_address("192.0.2.0")), 6: int(ipaddress.ip_address("2001:db8::"))}
"""Networks for documentation (RFC 5737, RFC 3849), for servers of which only the name is known."""
_ABOUT = (
    "Made by imaptap: TCP connections that carry what it recorded, decrypted and decompressed. "
    "Times and bytes are as recorded; addresses of servers, ports, segments and acknowledgements are made up. "
    "Secrets are masked with as many x."
)


def write(selection: Selection, target: BinaryIO, settings: Settings) -> int:
    """Write all sessions, one behind the other. Returns how many bytes are missing: they are lost segments."""
    target.write(pcap_blocks.section(f"imaptap {__version__}", _ABOUT))
    hosts = _Hosts(target)
    missing = 0
    for session in selection.sessions():
        written = _Written(selection, session, target, hosts)
        written.write(chunks(selection, session, as_sent=settings.as_sent))
        missing += written.missing
    return missing


class _Hosts:
    """Addresses of servers: their own, or made up and given their names."""

    def __init__(self, target: BinaryIO) -> None:
        self._target = target
        self._known: dict[tuple[str, int], Address] = {}
        self._connections = 0

    def connection(self, client: End, server: End) -> Connection:
        """Another one: clients use their ports again."""
        self._connections += 1
        return Connection(client, server, self._connections - 1)

    def of(self, session: Session) -> tuple[End, End]:
        client = _client(session)
        return client, End(self._server(session.upstream, client.address.version), _IMAP)

    def _server(self, url: str, version: int) -> Address:
        match = _URL.fullmatch(url)
        host = (match[1] or match[2]) if match else ""
        own = _parsed(host)
        if own is not None and own.version == version:
            return own
        number = min(len(self._known) + 1, _HOSTS_MOST)
        found = self._known.get((host, version))
        if found is None:
            found = self._known[host, version] = _address(_MADE_UP[version] + number, version)
            if _HOST.fullmatch(host):
                self._target.write(pcap_blocks.name(found, host))
        return found


class _Written:
    """Writes one session; `missing` is how many of its bytes were not there."""

    def __init__(self, selection: Selection, session: Session, target: BinaryIO, hosts: _Hosts) -> None:
        self._session, self._target = session, target
        self._client, self._server = hosts.of(session)
        self._hosts, self._connection = hosts, hosts.connection(self._client, self._server)
        self._changes = _changes(selection, session)
        self._change_at = next(self._changes, None)
        self._doubts = _DOUBTS
        self.missing = 0
        self._events = Comments(selection, session)
        about = f"session {session.number}: {session.client} at {session.listen}, for {session.upstream}"
        some = "" if selection.everything else "; some of its exchanges"
        self._comments = [readable((about + some).encode())]

    def write(self, said: Iterable[Chunk | Missing]) -> None:
        """All of it: the beginning of the connection, what was said, and its end."""
        at, server_said = 0, False
        self._put(at, self._connection.open())
        for each in said:
            if self._change_at is not None and at >= self._change_at and server_said:
                self._change(at)
            at = each.at
            self._comments += self._events.until(at)
            if isinstance(each, Missing):
                self._lose(each)
            else:
                self._say(each)
            server_said = each.direction is Direction.SERVER
        self._end(max(at, self._session.at_end or 0))

    def _say(self, chunk: Chunk) -> None:
        end = chunk.start + len(chunk.data)
        comments: list[tuple[int, str]] = self._events.told_by(chunk.direction, chunk.start, end)
        place, size = chunk.start, self._connection.mss
        for part in self._undoubted(chunk.data):
            for start, packet in self._connection.say(chunk.direction, part):
                if comments:
                    self._comments += [text for offset, text in comments if offset < place + start + size]
                    comments = [each for each in comments if each[0] >= place + start + size]
                self._put(chunk.at, (packet,))
            place += len(part)

    def _undoubted(self, data: bytes) -> tuple[bytes, ...]:
        """Wireshark takes a connection for TLS if one of its first packets does not begin with printable characters:
        `a OK` and no text is enough. It passes over packets that are too short for that.
        """
        begins = data[:_LOOKED_AT]
        doubtful = (
            self._doubts > 0 and len(begins) == _LOOKED_AT and not (begins.isascii() and begins.decode().isprintable())
        )
        self._doubts = 0 if doubtful else self._doubts - 1
        return (data[:1], data[1:2], data[2:]) if doubtful else (data,)

    def _lose(self, missing: Missing) -> None:
        self.missing += missing.length
        self._connection.lose(missing.direction, missing.length)
        what = f"{missing.length} bytes of the {missing.direction.name.lower()}'s stream, from offset {missing.start}"
        known = "never recorded" if missing.left_out is None else "not kept (--max-literal, --bodies)"
        known += f", SHA-256 {missing.left_out}" if missing.left_out else ""
        self._comments.append(f"{what}, were {known}")

    def _change(self, at: int) -> None:
        """What comes now was wrapped in another layer: Wireshark must not look for it."""
        self._change_at = next(self._changes, None)
        self._comments.append("STARTTLS or COMPRESS: what was inside goes on in a connection of its own")
        self._put(at, self._connection.close(Direction.CLIENT))
        self._client = self._client._replace(port=self._client.port % 0xFFFF + 1)
        self._connection, self._doubts = self._hosts.connection(self._client, self._server), _DOUBTS
        self._comments.append(f"session {self._session.number} goes on")
        self._put(at, self._connection.open())

    def _end(self, at: int) -> None:
        session, connection = self._session, self._connection
        self._comments += self._events.until(None)
        if len(self._comments) > _COMMENTS_MOST:
            self._comments[_COMMENTS_MOST - 2 :] = ["more happened than there are packets for: imaptap show tells it"]
        if session.ending is None or session.ending is Ending.CUT:
            return
        self._comments.append(f"{session.ending}: {readable((session.reason or '').encode())}")
        first = Direction.SERVER if session.ending is Ending.SERVER else Direction.CLIENT
        self._put(at, connection.reset() if session.ending is Ending.FAILED else connection.close(first))

    def _put(self, at: int, packets: Iterable[bytes]) -> None:
        for packet in packets:
            now, self._comments = self._comments[:_COMMENTS_MOST], self._comments[_COMMENTS_MOST:]
            self._target.write(pcap_blocks.packet(self._session.wall + at, packet, now))


def _changes(selection: Selection, session: Session) -> Iterator[int]:
    """When the client was told that another layer begins."""
    for stored in selection.exchanges(session):
        exchange = stored.exchange
        if exchange.command in LAYERS and exchange.status == "OK" and exchange.origin is Origin.CLIENT:
            yield exchange.started if exchange.ended is None else exchange.ended


def _client(session: Session) -> End:
    match = _ADDRESS.fullmatch(session.client)
    address = _parsed(match[1]) if match else None
    port = int(match[2] or 0) if match else 0
    known = address or ipaddress.ip_address("198.51.100.1")
    return End(known, port if 0 < port < 2**16 else 49152 + session.number % 16384)


def _parsed(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def _address(number: int, version: int) -> Address:
    return ipaddress.IPv4Address(number) if version == 4 else ipaddress.IPv6Address(number)
