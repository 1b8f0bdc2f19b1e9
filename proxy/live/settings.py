"""What a recording is told: where to listen, where to connect, what to rewrite."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proxy.imap.capabilities import Scram
from proxy.imap.letters.policy import Bodies
from proxy.live.admission import Network
from proxy.live.endpoint import Endpoint


class Compress(enum.StrEnum):
    """What becomes of COMPRESS=DEFLATE (M 6.12). The traffic passes unchanged in all three."""

    DECODE = "decode"
    STRIP = "strip"
    OPAQUE = "opaque"


@dataclass(frozen=True, slots=True)
class UpstreamTrust:
    """How servers are verified, and what they are shown."""

    ca_file: Path | None = None
    name: str | None = None
    fingerprint: str | None = None
    client_cert: Path | None = None
    client_key: Path | None = None
    client_key_password: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """All that the live side needs. `routes` maps a server name (SNI) or a listening port to another upstream."""

    upstream: Endpoint
    listen: tuple[Endpoint, ...]
    routes: Mapping[str, Endpoint] = field(default_factory=dict[str, Endpoint])
    trust: UpstreamTrust = UpstreamTrust()
    compress: Compress = Compress.DECODE
    scram: Scram = Scram.AUTO
    bodies: Bodies = Bodies.FULL
    """What is kept of letters."""
    keylog: Path | None = None
    allow: tuple[Network, ...] = ()
    """The networks that clients may come from, besides this machine; none: from anywhere."""
    max_sessions: int | None = None
    """Most sessions at once, while further clients wait; None: `limits.MAX_SESSIONS`. Open files may allow fewer."""
    max_rate: int | None = None
    """Most connections a minute from one address, others are turned away; None: any number."""
    handshake_seconds: float = 30.0
    """How long a peer may take for a TLS handshake or for its greeting before STARTTLS."""
    linger_seconds: float = 30.0
    """How long what was already received may take to reach a slow peer after the other side has closed."""

    def upstream_for(self, port: int, name: str | None) -> Endpoint:
        """The server for a client on this listening port that asked for this name."""
        # A client may ask for anything: "1143" would otherwise lead it to what is meant for another listener.
        named = name.lower() if name and not name.isdecimal() else ""
        for key in (named, str(port)):
            if key in self.routes:
                return self.routes[key]
        return self.upstream
