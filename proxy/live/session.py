"""One session, from the accepted socket to its one end: TLS, dialling, STARTTLS, relay, and a readable reason."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
from dataclasses import dataclass

from certs.contexts import ServerContexts
from certs.hello import Hello
from certs.trust import explain_client
from proxy.imap.gate import Act, ClientGate, ServerGate, StartTls
from proxy.imap.transcript import Direction, Ending, EventKind
from proxy.imap.upgrade import Step, Upgrade
from proxy.live import plan
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.hello import peek_hello
from proxy.live.notices import Notices
from proxy.live.relay import Due, Relay, UpstreamListener
from proxy.live.settings import Settings
from proxy.live.tap import Tap
from proxy.live.upstream import Upstream, describe_tls


@dataclass(frozen=True, slots=True)
class Place:
    """What sessions of one listener have in common."""

    settings: Settings
    listen: Endpoint
    contexts: ServerContexts
    upstream: Upstream
    notices: Notices


class Session:
    """Runs one client connection."""

    def __init__(self, place: Place, sock: socket.socket, peer: str, tap: Tap) -> None:
        self._place = place
        self._sock = sock
        self._peer = peer
        self._tap = tap
        self._relay = Relay(tap, place.notices)
        self._hello: Hello | None = None
        self._endpoint = place.settings.upstream
        self._opened = False

    def cut(self, reason: str) -> None:
        """End the session from our side."""
        self._relay.end(Ending.CUT, reason)

    async def run(self) -> None:
        """Carry the session to its end. Whatever happens is recorded; nothing is raised but cancellation."""
        ending, reason = Ending.CUT, "imaptap was stopped"
        try:
            ending, reason = await self._open_and_relay()
        except LiveError as error:
            ending, reason = Ending.FAILED, str(error)
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - one session's fault must not end the others
            ending, reason = Ending.FAILED, f"a fault of imaptap's own: {type(error).__name__}"
            self._place.notices.say(f"Session {self._tap.session} ended by {reason}.", "Please report this.")
        finally:
            await self._close_legs()
            self._open_record()
            self._tap.closed(ending, reason)

    async def _open_and_relay(self) -> tuple[Ending, str]:
        client = self._relay.client
        client.hold("opening")
        if self._place.listen.security is Security.TLS:
            await self._accept_tls()
        else:
            await asyncio.get_running_loop().connect_accepted_socket(lambda: client, self._sock)
        self._open_record()
        if client.transport and self._place.listen.security is Security.TLS:
            self._tell_tls(Direction.CLIENT)
        await self._connect_upstream()
        self._relay.free("opening")
        while True:
            due = await self._relay.next_due()
            if due.ending is Ending.FAILED:
                raise LiveError(due.reason)
            if due.ending is not None:
                return due.ending, due.reason
            await self._act(due)

    def _open_record(self) -> None:
        if not self._opened:
            self._opened = True
            self._tap.opened(self._peer, self._place.listen.url, self._endpoint.url)

    def _route(self, name: str | None) -> None:
        self._endpoint = self._place.settings.upstream_for(self._place.listen.port, name)

    async def _accept_tls(self) -> None:
        """Implicit TLS. What is not TLS gets an answer that it can read (M 6.15)."""
        seconds = self._place.settings.handshake_seconds
        self._hello = hello = await peek_hello(self._sock, seconds)
        self._route(hello.server_name if hello else None)
        if hello is None or not hello.tls:
            raise await self._not_tls(hello)
        client = self._relay.client
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: client, self._sock, ssl=self._place.contexts.for_name(hello.server_name),
                ssl_handshake_timeout=seconds,
            )  # fmt: skip
        except (OSError, ssl.SSLError, TimeoutError) as error:
            raise LiveError(*explain_client(error)) from error
        if client.transport:
            client.secured(client.transport)

    async def _not_tls(self, hello: Hello | None) -> LiveError:
        client = self._relay.client
        message = f"A client at the TLS port {self._place.listen.port} began without TLS."
        if hello is None:
            message = f"A client at the TLS port {self._place.listen.port} did not begin a TLS handshake."
        await asyncio.get_running_loop().connect_accepted_socket(lambda: client, self._sock)
        return LiveError(message, "Set the client to SSL/TLS, or listen on imap:// (STARTTLS) or imap+insecure:// too.")

    async def _connect_upstream(self) -> None:
        """Dial, and where the upstream wants STARTTLS and the client does not do it itself, begin TLS first."""
        place, relay, endpoint = self._place, self._relay, self._endpoint
        relay.upstream.hold("opening")
        await place.upstream.dial(endpoint, relay.upstream, alpn=bool(self._hello and "imap" in self._hello.alpn))
        if endpoint.security is Security.TLS:
            self._tell_tls(Direction.SERVER)
        upgrades = endpoint.security is Security.STARTTLS and place.listen.security is not Security.STARTTLS
        relay.client_gate = plan.client_gate(place.listen.security, endpoint.security)
        relay.server_gate = ServerGate(plan.words(place.settings, place.listen.security, endpoint.security))
        if upgrades:
            await self._upgrade_upstream()

    async def _upgrade_upstream(self) -> None:
        """Greeting, STARTTLS, handshake; then the greeting goes to the client (M 6.3)."""
        relay, tap = self._relay, self._tap
        upgrade = Upgrade(b"IMAPTAP" + secrets.token_hex(4).upper().encode())
        relay.upstream_hears = listener = UpstreamListener()
        relay.upstream.free("opening")
        step = Step.WAIT
        while step is not Step.SECURE:
            chunk = await self._read_upstream(listener)
            moved = upgrade.receive(chunk)
            step = moved.step
            if step is Step.SEND:
                relay.upstream.write(upgrade.command)
                tap.proxy_command(upgrade.command)
            elif step not in {Step.WAIT, Step.SECURE}:
                self._refuse_upgrade(step, moved.line)
        relay.upstream.hold("opening")
        await self._start_upstream_tls()
        tap.conversation.secured()
        self._tell_tls(Direction.SERVER)
        for rewrite in upgrade.rewrites:
            tap.rewrote(Direction.SERVER, rewrite)
        relay.upstream_hears = None
        relay.server_gate = ServerGate(
            plan.words(self._place.settings, self._place.listen.security, self._endpoint.security),
            tap.conversation.received(Direction.SERVER),
        )
        relay.client.write(upgrade.greeting)

    async def _read_upstream(self, listener: UpstreamListener) -> bytes:
        seconds = self._place.settings.handshake_seconds
        try:
            chunk = await listener.read(seconds)
        except TimeoutError:
            raise LiveError(
                f"{self._endpoint.url} said nothing for {seconds:.0f} s before STARTTLS.",
                "If that port speaks TLS from the start, use imaps://.",
            ) from None
        if not chunk:
            raise LiveError(f"{self._endpoint.url} closed the connection before STARTTLS.", "Check host and port.")
        return chunk

    def _refuse_upgrade(self, step: Step, line: bytes) -> None:
        url = self._endpoint.url
        if step is Step.BYE:
            self._relay.client.write(line)
            raise LiveError(f"{url} greeted with BYE.", "See what it says in the session's transcript.")
        if step is Step.INJECTED:
            self._tap.event(
                EventKind.SECURITY, "STARTTLS injection", "the server sent bytes in clear behind its OK to STARTTLS"
            )
            raise LiveError(
                f"{url} sent bytes in clear behind its OK to STARTTLS: someone may be tampering with the connection.",
                "Use imaps:// where the server offers it.",
            )
        why = {
            Step.PREAUTH: "greeted with PREAUTH, after which STARTTLS is not possible",
            Step.REFUSED: "refused STARTTLS",
            Step.NO_IMAP: "did not greet as an IMAP server",
        }[step]
        raise LiveError(f"{url} {why}.", "Use imaps://, or imap+insecure:// if it must be in clear.")

    async def _act(self, due: Due) -> None:
        passed = due.passed
        if passed is None:
            return
        if passed.act is Act.ANSWER:
            await self._answer_starttls(passed.tag, passed.line)
        elif passed.act is Act.DENY:
            self._answer(passed.tag, "BAD", "STARTTLS is not available here", passed.line)
        elif passed.act is Act.UPGRADE:
            await self._upgrade_both(passed.line)
        elif passed.act is Act.INJECTED:
            self._injected()
        elif passed.act is Act.IN_CLEAR:
            raise LiveError(
                f"The client wants to log in before STARTTLS, and {self._endpoint.url} must not hear that in clear.",
                "Set the client to STARTTLS; or use --listen imap+insecure:// and leave the encryption to imaptap.",
            )
        self._relay.free("act")

    def _injected(self) -> None:
        text = "bytes in clear around STARTTLS, where only a TLS handshake may follow"
        self._tap.event(EventKind.SECURITY, "STARTTLS injection", text)
        raise LiveError(
            "Bytes in clear came where only a TLS handshake may follow STARTTLS.",
            "A client that pipelines behind STARTTLS does this, and so does an attacker; see the session's transcript.",
        )

    def _answer(self, tag: bytes, status: str, text: str, line: bytes) -> None:
        """Answer a command of the client's ourselves: the server never sees it."""
        answer = tag + f" {status} {text}\r\n".encode()
        self._relay.client.write(answer)
        self._tap.took(Direction.CLIENT, line, "starttls")
        self._tap.inserted(Direction.SERVER, answer, "starttls")
        self._tap.answered(tag, status, text)

    async def _answer_starttls(self, tag: bytes, line: bytes) -> None:
        self._answer(tag, "OK", "Begin TLS negotiation now", line)
        await self._start_client_tls()

    async def _upgrade_both(self, ok_line: bytes) -> None:
        """The server has agreed to the relayed STARTTLS: first its handshake, then its OK and the client's."""
        relay = self._relay
        await self._start_upstream_tls()
        self._tell_tls(Direction.SERVER)
        relay.client.write(ok_line)
        await self._start_client_tls()

    async def _start_upstream_tls(self) -> None:
        listener = self._relay.upstream_hears
        if self._relay.upstream.kept or (listener and listener.waiting):
            self._injected()
        await self._place.upstream.start_tls(self._endpoint, self._relay.upstream)

    async def _start_client_tls(self) -> None:
        relay, seconds = self._relay, self._place.settings.handshake_seconds
        transport = relay.client.transport
        if transport is None or transport.is_closing():
            raise LiveError("The client closed the connection before TLS began.")
        hello = await peek_hello(self._sock, seconds)
        if relay.client.kept or (hello is not None and not hello.tls):
            self._injected()
        context = self._place.contexts.for_name(hello.server_name if hello else None)
        try:
            secured = await asyncio.get_running_loop().start_tls(
                transport, relay.client, context, server_side=True, ssl_handshake_timeout=seconds
            )
        except (OSError, ssl.SSLError, TimeoutError) as error:
            raise LiveError(*explain_client(error)) from error
        if secured is None:
            raise LiveError("The client closed the connection during the TLS handshake.")
        relay.client.secured(secured)
        self._tap.conversation.secured()
        self._tell_tls(Direction.CLIENT)
        self._gates_after_tls()

    def _gates_after_tls(self) -> None:
        relay, upstream = self._relay, self._endpoint.security
        plain = upstream is Security.PLAIN
        relay.client_gate = ClientGate(StartTls.DENIED, tls_required=False) if plain else None
        relay.server_gate = ServerGate(
            plan.words(self._place.settings, Security.TLS, upstream),
            self._tap.conversation.received(Direction.SERVER),
        )

    def _tell_tls(self, direction: Direction) -> None:
        leg = self._relay.client if direction is Direction.CLIENT else self._relay.upstream
        if leg.transport is None:
            return
        name = "client leg" if direction is Direction.CLIENT else "upstream leg"
        text = describe_tls(leg.transport)
        if direction is Direction.CLIENT and self._hello and self._hello.server_name:
            text += f" sni={self._hello.server_name}"
        self._tap.event(EventKind.TLS, name, text, direction)

    def _fail(self, error: LiveError) -> None:
        """Say why to the person, and to the client where it can still read (M 6.13)."""
        self._open_record()
        self._tap.event(EventKind.FAULT, "session", f"{error} {error.hint}".strip())
        self._place.notices.say(f"Session {self._tap.session}: {error}", error.hint)
        transport = self._relay.client.transport
        if transport is not None and not transport.is_closing():
            bye = f"* BYE imaptap: {error} {error.hint}".strip().encode("ascii", "replace") + b"\r\n"
            transport.write(bye)
            self._tap.inserted(Direction.SERVER, bye, "bye")

    async def _close_legs(self) -> None:
        """Let what is written go out, for a while; then close for good."""
        relay = self._relay
        relay.client.close()
        relay.upstream.close()
        try:
            async with asyncio.timeout(self._place.settings.linger_seconds):
                await relay.over()
        except (TimeoutError, asyncio.CancelledError):
            relay.client.abort()
            relay.upstream.abort()
        self._sock.close()
