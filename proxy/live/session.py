"""One session, from the accepted socket to its one end: dialling, acts of the gates, relay, and a readable reason."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import dataclass

from certs.contexts import ServerContexts
from proxy.imap.gate import Act, Passed, ServerGate, StartTls
from proxy.imap.transcript import Direction, Ending, EventKind
from proxy.live import plan
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.handshakes import Handshakes
from proxy.live.notices import Notices
from proxy.live.relay import Due, Relay
from proxy.live.settings import Settings
from proxy.live.tap import Tap
from proxy.live.upstream import Upstream

_STOPPED = "imaptap was stopped"
_STANDSTILL = "standstill"
_CUT_SECONDS = 2.0
"""How long peers may take for what is already written when imaptap is stopped."""
_CLIENT_QUIET_SECONDS = 10.0
"""After the client's end of stream, how long a server that says nothing is waited for: the client may have closed."""
_SERVER_QUIET_SECONDS = 2.0
"""After the server's end of stream, how long a client that says nothing is left its half of the connection."""


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
        self._tls = Handshakes(place.settings, place.contexts, sock, self._relay, tap)
        self._endpoint = place.settings.upstream_for(place.listen.port, None)
        self._opened = False
        self._task: asyncio.Task[None] | None = None
        self._silence: asyncio.TimerHandle | None = None
        self._cut_for = _STOPPED
        self._farewell = ""

    def cut(self, reason: str = _STOPPED, farewell: str = "") -> None:
        """End the session from our side, whatever it is waiting for.

        `reason` is for the record; `farewell`, if there is one, for the client, where it can be told between two units.
        """
        self._cut_for, self._farewell = reason, farewell
        if self._task:
            self._task.cancel()

    def stand_still(self) -> None:
        """Pass nothing on, in either direction, until `go_on`. What has come already waits too."""
        self._relay.hold(_STANDSTILL)

    def go_on(self) -> None:
        """Pass on again."""
        self._relay.free(_STANDSTILL)

    async def run(self) -> None:
        """Carry the session to its end. Whatever happens is recorded; nothing is raised but cancellation."""
        self._task = asyncio.current_task()
        ending, reason = Ending.CUT, ""
        try:
            ending, reason = await self._open_and_relay()
        except LiveError as error:
            ending, reason = Ending.FAILED, str(error)
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - one session's fault must not end the others
            fault = _own_fault(error)
            ending, reason = Ending.FAILED, str(fault)
            self._fail(fault)
        finally:
            if self._silence:
                self._silence.cancel()
            if ending is Ending.CUT:
                reason = self._cut_for
                self._bid_farewell()
            await self._close_legs(ending)
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
        if self._place.listen.security is Security.TLS:
            self._tls.tell(Direction.CLIENT)
        if not await self._connect_upstream():
            return Ending.SERVER, "greeted with BYE"
        self._relay.free("opening")
        seconds = self._place.settings.handshake_seconds
        self._silence = asyncio.get_running_loop().call_later(seconds, self._mention_silence)
        while True:
            due = await self._relay.next_due()
            if due.ending is Ending.FAILED:
                raise LiveError(due.reason, due.hint)
            if due.ending is not None:
                return due.ending, due.reason
            await self._act(due)

    def _open_record(self) -> None:
        if not self._opened:
            self._opened = True
            self._tap.opened(self._peer, self._place.listen.url, self._endpoint.url)

    async def _accept_tls(self) -> None:
        """Implicit TLS. What is not TLS gets an answer that it can read (M 6.15)."""
        hello = await self._tls.peek()
        port = self._place.listen.port
        self._endpoint = self._place.settings.upstream_for(port, hello.server_name if hello else None)
        if hello is not None and hello.tls:
            await self._tls.accept_tls(hello)
            return
        client = self._relay.client
        await asyncio.get_running_loop().connect_accepted_socket(lambda: client, self._sock)
        how = "began without TLS" if hello else "did not begin a TLS handshake"
        raise LiveError(
            f"A client at the TLS port {port} {how}.",
            "Set the client to SSL/TLS, or listen on imap:// (STARTTLS) or imap+insecure:// too.",
        )

    async def _connect_upstream(self) -> bool:
        """Dial, and where the upstream wants STARTTLS and the client does not do it itself, begin TLS first.

        Returns False when the server has said BYE instead.
        """
        place, relay, endpoint = self._place, self._relay, self._endpoint
        listen, hello = place.listen.security, self._tls.hello
        relay.server_name = f"{endpoint.host}:{endpoint.port}"
        relay.upstream.hold("opening")
        await place.upstream.dial(endpoint, relay.upstream, alpn=bool(hello and "imap" in hello.alpn))
        if endpoint.security is Security.TLS:
            self._tls.tell(Direction.SERVER)
        relay.gates.client = gate = plan.client_gate(listen, endpoint.security)
        if endpoint.security is Security.STARTTLS and listen is not Security.STARTTLS:
            return await self._tls.secure_upstream(place.upstream, endpoint, listen)
        words = plan.words(place.settings, listen, endpoint.security)
        relay.gates.server = ServerGate(words, tls_required=gate is not None and gate.starttls is StartTls.RELAYED)
        return True

    async def _act(self, due: Due) -> None:
        passed, endpoint = due.passed, self._endpoint
        if passed is None:
            return
        if passed.act is Act.ANSWER:
            self._answer(passed, "OK", "Begin TLS negotiation now")
            await self._tls.answer_starttls(endpoint.security)
            self._need_same_route()
        elif passed.act is Act.DENY:
            self._answer(passed, "BAD", "STARTTLS is not available here")
        elif passed.act is Act.UPGRADE:
            await self._tls.upgrade_both(self._place.upstream, endpoint, passed.line)
            self._need_same_route()
        else:
            self._tap.withheld(due.direction, len(passed.line) + len(passed.rest))
            raise self._refusal(passed.act)
        self._relay.free("act")

    def _need_same_route(self) -> None:
        """After STARTTLS the server has long been dialled: a name that leads elsewhere must not log in here."""
        name = self._tls.hello.server_name if self._tls.hello else None
        wanted = self._place.settings.upstream_for(self._place.listen.port, name)
        if wanted != self._endpoint:
            raise LiveError(
                f"The client asked for {name} after STARTTLS, whose route leads to {wanted.url}, not here.",
                "Routes by name need an imaps:// listener; on an imap:// listener, route by its port.",
            )

    def _refusal(self, act: Act) -> LiveError:
        url = self._endpoint.url
        if act is Act.IN_CLEAR:
            return LiveError(
                f"The client wants to log in before STARTTLS, and {url} must not hear that in clear.",
                "Set the client to STARTTLS; or use --listen imap+insecure:// and leave the encryption to imaptap.",
            )
        if act is Act.PREAUTH:
            return LiveError(
                f"{url} greeted with PREAUTH, after which STARTTLS is not possible.",
                "Use imaps://, or imap+insecure:// if it must be in clear.",
            )
        return self._tls.injected()

    def _answer(self, passed: Passed, status: str, text: str) -> None:
        """Answer a command of the client's ourselves: the server never sees it."""
        relay, tap = self._relay, self._tap
        answer = passed.tag + f" {status} {text}\r\n".encode()
        relay.client.write(answer)
        tap.took(Direction.CLIENT, passed.line, "starttls")
        tap.inserted(Direction.SERVER, answer, "starttls", relay.gates.server.held if relay.gates.server else 0)
        tap.answered(passed.tag, status, text)

    def _fail(self, error: LiveError) -> None:
        """Say why to the person, and to the client where it can still read (M 6.13)."""
        self._open_record()
        self._relay.give_up()
        self._tap.event(EventKind.FAULT, "session", f"{error} {error.hint}".strip())
        self._place.notices.say(f"Session {self._tap.session}: {error}", error.hint)
        if self._relay.client.open:
            self._relay.client.write(self._bye(f"{error} {error.hint}".strip()))

    def _bid_farewell(self) -> None:
        """Tell the client that it is over, if there is something to say and it can be told."""
        client = self._relay.client
        # While a leg is being opened or secured, what is written to it may land in the middle of a handshake.
        if self._farewell and self._opened and client.open and not client.kept_back and self._tap.client_may_be_told:
            self._relay.give_up()
            client.part(self._bye(self._farewell))

    def _bye(self, why: str) -> bytes:
        bye = f"* BYE imaptap: {why}".encode("ascii", "replace") + b"\r\n"
        self._tap.inserted(Direction.SERVER, bye, "bye")
        return bye

    def _mention_silence(self) -> None:
        """A server that waits for a ClientHello looks like this, and one that is just slow: nothing is cut (M 2.15)."""
        if self._relay.silent and self._relay.upstream.open:
            text = f"{self._endpoint.url} has not greeted yet."
            hint = "If that port speaks TLS from the start, use imaps://."
            self._tap.event(EventKind.NOTICE, "no greeting", f"{text} {hint}", Direction.SERVER)
            self._place.notices.say(f"Session {self._tap.session}: {text}", hint)

    async def _close_legs(self, ending: Ending) -> None:
        """Let what is written go out, for a while; then close for good."""
        relay, seconds = self._relay, self._place.settings.linger_seconds
        try:
            if ending is Ending.CLIENT:
                await self._quiet(min(seconds, _CLIENT_QUIET_SECONDS))
            elif ending is Ending.SERVER:
                await self._quiet(min(seconds, _SERVER_QUIET_SECONDS))
            relay.give_up()
            if not relay.client.parting:
                relay.client.close()
            relay.upstream.close()
            if not await relay.over(min(seconds, _CUT_SECONDS) if ending is Ending.CUT else seconds):
                relay.client.abort()
                relay.upstream.abort()
            if ending is not Ending.CUT:
                await relay.understood()
        except asyncio.CancelledError:
            relay.client.abort()
            relay.upstream.abort()
        self._sock.close()

    async def _quiet(self, seconds: float) -> None:
        """One side has said all; the other one may still be talking. Until both are done, or nothing moves so long."""
        pulse = None
        while pulse != self._relay.pulse:
            pulse = self._relay.pulse
            if await self._relay.over(seconds):
                return


def _own_fault(error: Exception) -> LiveError:
    """Says where it happened, without quoting the error: that may quote the traffic."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    where = f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}" if trace else "nowhere"
    return LiveError(f"imaptap has a fault of its own: {type(error).__name__} in {where}.", "Please report this.")
