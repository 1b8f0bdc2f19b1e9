"""Where to listen and where to connect, as URLs: `imaps://`, `imap://` (STARTTLS), `imap+insecure://` (M 6)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from proxy.live.errors import LiveError


class Security(enum.StrEnum):
    """How a leg is protected; the value is the URL scheme."""

    TLS = "imaps"
    STARTTLS = "imap"
    PLAIN = "imap+insecure"


_UPSTREAM_PORTS = {Security.TLS: 993, Security.STARTTLS: 143, Security.PLAIN: 143}
_LISTEN_PORTS = {Security.TLS: 1993, Security.STARTTLS: 1143, Security.PLAIN: 1143}
_SCHEMES = "Use imaps://host (TLS), imap://host (STARTTLS) or imap+insecure://host (no TLS at all)."


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a leg: how it is protected, host name or address, port."""

    security: Security
    host: str
    port: int

    @property
    def url(self) -> str:
        """The endpoint as a URL, port included."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.security}://{host}:{self.port}"

    def at_port(self, port: int) -> Endpoint:
        """The same with another port."""
        return replace(self, port=port)


def parse_upstream(text: str) -> Endpoint:
    """Read the URL of a server. Raises LiveError naming what is wrong with it."""
    return _parse(text, _UPSTREAM_PORTS)


def parse_listen(text: str) -> Endpoint:
    """Read a URL to listen on; port 0 picks a free one. Raises LiveError naming what is wrong with it."""
    return _parse(text, _LISTEN_PORTS)


def _parse(text: str, ports: dict[Security, int]) -> Endpoint:
    if "://" not in text:
        host = text.rpartition("@")[2]  # what stands before it may be a password
        raise LiveError(f"{host!r} is no URL: it has no scheme.", f"Write imaps://{host}, say. {_SCHEMES}")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise LiveError(f"{text!r} is no usable URL: {error}.", _SCHEMES) from None
    _refuse_extras(text, parts)
    try:
        security = Security(parts.scheme.lower())
    except ValueError:
        scheme = parts.scheme or "none"
        raise LiveError(f"{text!r} is no IMAP URL: its scheme is {scheme}.", _SCHEMES) from None
    return Endpoint(security, parts.hostname or "", ports[security] if port is None else port)


def _refuse_extras(text: str, parts: SplitResult) -> None:
    if parts.username is not None or parts.password is not None:
        raise LiveError(
            f"The URL for {parts.hostname} names a user.", "Leave it out: the mail client logs in, imaptap does not."
        )
    if parts.scheme and not parts.hostname:
        raise LiveError(f"{text!r} names no host.", _SCHEMES)
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise LiveError(f"{text!r} says more than scheme, host and port.", _SCHEMES)
