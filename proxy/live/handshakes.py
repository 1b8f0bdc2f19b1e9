"""The TLS handshakes of a session on either leg, and the STARTTLS dialogues that lead to them (M 6.3-6.9)."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl

from certs.contexts import ServerContexts
from certs.hello import Hello
from certs.trust import explain_client
from proxy.imap.gate import ServerGate
from proxy.imap.transcript import Direction, Ending, EventKind
from proxy.imap.upgrade import Step, Upgrade
from proxy.live import plan
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.hello import peek_hello
from proxy.live.listener import UpstreamListener
from proxy.live.relay import Relay
from proxy.live.settings import Settings
from proxy.live.tap import Tap
from proxy.live.upstream import Upstream, describe_tls

_REFUSED = {
    Step.PREAUTH: "greeted with PREAUTH, after which STARTTLS is not possible",
    Step.REFUSED: "refused STARTTLS",
    Step.NO_IMAP: "did not greet as an IMAP server",
}


class Handshakes:
    """Knows one session's socket, what its client has asked for, and how both legs become TLS."""

    def __init__(
        self, settings: Settings, contexts: ServerContexts, sock: socket.socket, relay: Relay, tap: Tap
    ) -> None:
        self.hello: Hello | None = None
        """What the client's TLS began with."""
        self._settings = settings
        self._contexts = contexts
        self._sock = sock
        self._relay = relay
        self._tap = tap

    async def peek(self) -> Hello | None:
        """What the client begins with: TLS or not, which name."""
        self.hello = await peek_hello(self._sock, self._settings.handshake_seconds)
        return self.hello

    async def accept_tls(self, hello: Hello) -> None:
        """Implicit TLS with the client. Raises LiveError."""
        client = self._relay.client
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: client, self._sock, ssl=self._contexts.for_name(hello.server_name),
                ssl_handshake_timeout=self._settings.handshake_seconds,
                ssl_shutdown_timeout=self._settings.linger_seconds,
            )  # fmt: skip
        except (OSError, ssl.SSLError) as error:
            raise LiveError(*explain_client(error)) from error
        if client.transport:
            client.secured(client.transport)

    async def secure_upstream(self, upstream: Upstream, endpoint: Endpoint, listen: Security) -> bool:
        """Greeting, STARTTLS, handshake; then the greeting goes to the client (M 6.3). False when the server said BYE.

        Raises LiveError where the upstream cannot be encrypted.
        """
        relay, tap = self._relay, self._tap
        upgrade = Upgrade(b"IMAPTAP" + secrets.token_hex(4).upper().encode())
        relay.upstream_hears = listener = UpstreamListener()
        relay.upstream.free("opening")
        step = await self._negotiate(upgrade, listener, endpoint)
        relay.upstream.hold("opening")
        if step is Step.BYE:
            relay.upstream_hears = None
            tap.withheld(Direction.SERVER, listener.heard_bytes - len(upgrade.greeting))
            relay.client.write(upgrade.greeting)
            relay.client.close()
            relay.upstream.close()
            return False
        await self._start_upstream_tls(upstream, endpoint)
        tap.conversation.secured()
        for rewrite in upgrade.rewrites:
            tap.rewrote(Direction.SERVER, rewrite)
        relay.upstream_hears = None
        words = plan.words(self._settings, listen, endpoint.security)
        relay.gates.server = ServerGate(words, tap.conversation.received(Direction.SERVER))
        relay.client.write(upgrade.greeting)
        return True

    async def answer_starttls(self, upstream: Security) -> None:
        """The client's STARTTLS was answered by imaptap: only its own leg becomes TLS."""
        await self._start_client_tls()
        relay = self._relay
        relay.gates.client = plan.client_gate(Security.TLS, upstream)
        if relay.gates.server:
            # The server's stream goes on where it is, perhaps within a line.
            relay.gates.server.rewriter.words = plan.words(self._settings, Security.TLS, upstream)

    async def upgrade_both(self, upstream: Upstream, endpoint: Endpoint, ok_line: bytes) -> None:
        """The server has agreed to the relayed STARTTLS: first its handshake, then its OK and the client's."""
        relay, tap = self._relay, self._tap
        try:
            await self._start_upstream_tls(upstream, endpoint)
        except LiveError:
            tap.withheld(Direction.SERVER, len(ok_line))
            raise
        relay.client.write(ok_line)
        await self._start_client_tls()
        relay.gates.client = None
        words = plan.words(self._settings, Security.TLS, endpoint.security)
        relay.gates.server = ServerGate(words, tap.conversation.received(Direction.SERVER))

    def injected(self) -> LiveError:
        """Bytes in clear around STARTTLS (M 6.6, 6.7): recorded as an attack; the error ends the session."""
        text = "bytes in clear around STARTTLS, where only a TLS handshake may follow"
        self._tap.event(EventKind.SECURITY, "STARTTLS injection", text)
        return LiveError(
            "Bytes in clear came where only a TLS handshake may follow STARTTLS.",
            "A client that pipelines behind STARTTLS does this, and so does an attacker; see the session's transcript.",
        )

    def tell(self, direction: Direction) -> None:
        """Put the TLS facts of a leg on record."""
        leg = self._relay.client if direction is Direction.CLIENT else self._relay.upstream
        if leg.transport is None:
            return
        name = "client leg" if direction is Direction.CLIENT else "upstream leg"
        text = describe_tls(leg.transport)
        if direction is Direction.CLIENT and self.hello and self.hello.server_name:
            text += f" sni={self.hello.server_name}"
        self._tap.event(EventKind.TLS, name, text, direction)

    async def _negotiate(self, upgrade: Upgrade, listener: UpstreamListener, endpoint: Endpoint) -> Step:
        """From the greeting to the OK to STARTTLS, or to BYE."""
        try:
            async with asyncio.timeout(self._settings.handshake_seconds):
                while True:
                    moved = upgrade.receive(await self._read(listener, endpoint))
                    if moved.step is Step.SEND:
                        self._relay.upstream.write(upgrade.command)
                        self._tap.proxy_command(upgrade.command)
                    elif moved.step in {Step.SECURE, Step.BYE}:
                        return moved.step
                    elif moved.step is not Step.WAIT:
                        raise self._refused(moved.step, endpoint)
        except TimeoutError:
            raise LiveError(
                f"{endpoint.url} did not get as far as STARTTLS within {self._settings.handshake_seconds:g} s.",
                "If that port speaks TLS from the start, use imaps://.",
            ) from None

    async def _read(self, listener: UpstreamListener, endpoint: Endpoint) -> bytes:
        chunk = await listener.read()
        if chunk:
            return chunk
        end = self._relay.end_due
        if end and end.ending is Ending.FAILED:
            raise LiveError(end.reason, end.hint)
        raise LiveError(f"{endpoint.url} closed the connection before STARTTLS.", "Check host and port.")

    def _refused(self, step: Step, endpoint: Endpoint) -> LiveError:
        if step is not Step.INJECTED:
            return LiveError(
                f"{endpoint.url} {_REFUSED[step]}.", "Use imaps://, or imap+insecure:// if it must be in clear."
            )
        text = "the server sent bytes in clear behind its OK to STARTTLS"
        self._tap.event(EventKind.SECURITY, "STARTTLS injection", text, Direction.SERVER)
        return LiveError(
            f"{endpoint.url} sent bytes in clear behind its OK to STARTTLS: someone may be tampering with it.",
            "Use imaps:// where the server offers it.",
        )

    async def _start_upstream_tls(self, upstream: Upstream, endpoint: Endpoint) -> None:
        listener = self._relay.upstream_hears
        if self._relay.upstream.kept or (listener and listener.waiting):
            raise self._refused(Step.INJECTED, endpoint)
        await upstream.start_tls(endpoint, self._relay.upstream)
        self.tell(Direction.SERVER)

    async def _start_client_tls(self) -> None:
        client = self._relay.client
        hello = await self.peek()
        if client.kept or (hello is not None and not hello.tls):
            raise self.injected()
        if client.transport is None or not client.open:
            raise LiveError("The client closed the connection before TLS began.")
        context = self._contexts.for_name(hello.server_name if hello else None)
        secured: asyncio.Transport | None = None
        try:
            secured = await asyncio.get_running_loop().start_tls(
                client.transport, client, context, server_side=True,
                ssl_handshake_timeout=self._settings.handshake_seconds,
                ssl_shutdown_timeout=self._settings.linger_seconds,
            )  # fmt: skip
        except (OSError, ssl.SSLError) as error:
            raise LiveError(*explain_client(error)) from error
        finally:
            if secured is None:
                client.abandoned()
        if secured is None:
            raise LiveError("The client closed the connection during the TLS handshake.")
        client.secured(secured)
        self._tap.conversation.secured()
        self.tell(Direction.CLIENT)
