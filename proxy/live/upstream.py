"""Dialling the server: TCP, TLS, verification."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
from typing import Protocol, cast

from certs.errors import CertificateError
from certs.trust import explain, require_fingerprint, upstream_context
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.leg import Leg
from proxy.live.settings import Settings

_CONNECT_SECONDS = 60.0


class TlsObject(Protocol):
    """What is asked of a transport's ssl object."""

    def version(self) -> str | None: ...
    def cipher(self) -> tuple[str, str, int] | None: ...
    def selected_alpn_protocol(self) -> str | None: ...
    def getpeercert(self, binary_form: bool = False, /) -> bytes | None: ...


class Upstream:
    """Dials servers. The TLS contexts are made once: reading the system's certificates takes 33 ms."""

    sockets = 1
    """How many of this process each dialled session takes."""

    def __init__(self, settings: Settings) -> None:
        """Raises CertificateError when a CA file, fingerprint or client certificate is not usable."""
        self._settings = settings
        trust = settings.trust
        self._contexts = {
            alpn: upstream_context(
                trust.ca_file,
                trust.fingerprint,
                trust.client_cert,
                trust.client_key,
                settings.keylog,
                alpn,
                trust.client_key_password,
            )
            for alpn in (False, True)
        }

    async def dial(self, endpoint: Endpoint, leg: Leg, *, alpn: bool) -> None:
        """Connect `leg` to the server, with TLS for `imaps://`. Raises LiveError saying what failed."""
        loop = asyncio.get_running_loop()
        context = self._contexts[alpn] if endpoint.security is Security.TLS else None
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                await loop.create_connection(
                    lambda: leg, endpoint.host, endpoint.port, ssl=context,
                    server_hostname=self._name(endpoint) if context else None,
                    ssl_handshake_timeout=self._settings.handshake_seconds if context else None,
                    ssl_shutdown_timeout=self._settings.linger_seconds if context else None,
                )  # fmt: skip
        except (OSError, ssl.SSLError, UnicodeError) as error:
            if isinstance(error, ConnectionResetError) and context is None:
                raise LiveError(*without_greeting(f"{endpoint.host}:{endpoint.port}")) from error
            raise _explained(error, endpoint) from error
        if context:
            self._secured(leg, endpoint)

    async def start_tls(self, endpoint: Endpoint, leg: Leg) -> None:
        """Begin TLS on a leg in clear, after STARTTLS. Raises LiveError saying what failed."""
        transport = leg.transport
        if transport is None or transport.is_closing():
            raise LiveError(f"{endpoint.host}:{endpoint.port} closed the connection before TLS began.")
        secured: asyncio.Transport | None = None
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, leg, self._contexts[False], server_hostname=self._name(endpoint),
                ssl_handshake_timeout=self._settings.handshake_seconds,
                ssl_shutdown_timeout=self._settings.linger_seconds,
            )  # fmt: skip
        except (OSError, ssl.SSLError) as error:
            raise _explained(error, endpoint) from error
        finally:
            if secured is None:
                leg.abandoned()
        if secured is None:
            raise LiveError(f"{endpoint.host}:{endpoint.port} closed the connection during the TLS handshake.")
        leg.transport = secured
        self._secured(leg, endpoint)

    def _name(self, endpoint: Endpoint) -> str:
        return self._settings.trust.name or endpoint.host

    def _secured(self, leg: Leg, endpoint: Endpoint) -> None:
        fingerprint = self._settings.trust.fingerprint
        transport = leg.transport
        if transport is None:
            return
        leg.secured(transport)
        if fingerprint is None:
            return
        tls = tls_object(transport)
        try:
            require_fingerprint(tls.getpeercert(True) if tls else None, fingerprint, endpoint.host)
        except CertificateError as error:
            raise LiveError(str(error), error.hint) from error


def tls_object(transport: asyncio.BaseTransport) -> TlsObject | None:
    """The transport's view of its TLS connection."""
    return cast("TlsObject | None", transport.get_extra_info("ssl_object"))


def describe_tls(transport: asyncio.BaseTransport) -> str:
    """TLS version, cipher and ALPN of a connection, as one line of text."""
    tls = tls_object(transport)
    if tls is None:
        return "no TLS"
    cipher = tls.cipher()
    alpn = tls.selected_alpn_protocol()
    words = [tls.version() or "TLS", cipher[0] if cipher else "no cipher"]
    return " ".join([*words, f"alpn={alpn}"] if alpn else words)


def without_greeting(server: str) -> tuple[str, str]:
    """What to say of a server that has gone before it said anything: most likely it waits for TLS (M 6.15)."""
    return (
        f"{server} closed the connection without a greeting.",
        "If that port speaks TLS from the start, use imaps://.",
    )


def _explained(error: BaseException, endpoint: Endpoint) -> LiveError:
    if isinstance(error, socket.gaierror | UnicodeError):
        return LiveError(f"The name {endpoint.host} was not found.", explain(socket.gaierror(), endpoint.host)[1])
    return LiveError(*explain(_plainer(error), f"{endpoint.host}:{endpoint.port}"))


def _plainer(error: BaseException) -> BaseException:
    """What asyncio says in a roundabout way: addresses that failed one by one, a handshake that took too long."""
    if isinstance(error, ConnectionAbortedError) and "taking longer" in str(error):
        return TimeoutError()
    if type(error) is OSError and error.errno is None and (found := re.search(r"\[Errno (\d+)\]", str(error))):
        number = int(found[1])
        return OSError(number, os.strerror(number))
    return error
