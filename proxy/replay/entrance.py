"""The way into the target: STARTTLS, the login, and what has to be asked before commands can be rewritten."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Namespace
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.transcript import readable
from proxy.live.errors import LiveError
from proxy.replay.flight import line_of
from proxy.replay.login import LoginError, choose, log_in, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar import Untagged
    from proxy.replay.connection import Connection
    from proxy.replay.flight import Flight
    from proxy.replay.stage import Account


class Entrance:
    """One session's."""

    def __init__(self, connection: Connection, account: Account, tag: Callable[[], bytes]) -> None:
        self._connection, self._account, self._tag = connection, account, tag
        self._logged_in = False

    @property
    def inside(self) -> bool:
        """Whether somebody is logged in."""
        return self._logged_in or self._connection.preauth

    async def secure(self) -> None:
        """STARTTLS of our own, where the recorded client did not say it. Raises LiveError."""
        flight = await self._connection.own(self._tag(), b"STARTTLS")
        await self._shake_hands(flight)

    async def start_tls(self, begun: Callable[[Flight], None]) -> None:
        """The recorded STARTTLS. Raises LiveError: nothing may go on in clear."""
        tag = self._tag()
        await self._shake_hands(await self._connection.send(tag, line_of(tag, "STARTTLS"), (), begun=begun))

    async def log_in(self, begun: Callable[[Flight, str], None] | None) -> None:
        """Log in, and ask what has to be known then. Raises LoginError.

        `begun` hears of the flight and of the mechanism; None: the recording has no such step, so it is one of ours.
        """
        connection, account = self._connection, self._account
        url = connection.endpoint.url
        if account.credentials is None:
            raise LoginError(f"Nobody has said who is to log in at {url}.", "Use --user, or --users for several.")
        capabilities = await self.capabilities()
        mechanism = choose(capabilities, account.credentials, url)
        connection.told = None

        def on_its_way(flight: Flight) -> None:
            if begun:
                begun(flight, mechanism)

        tag = self._tag()
        flight = await log_in(
            connection, account.credentials, mechanism, tag, initial="SASL-IR" in capabilities, begun=on_its_way
        )
        if flight.status != "OK":
            raise refused(connection, account.credentials, mechanism, flight)
        if begun is None:
            connection.step("extra", "a login that was not recorded", (flight.start, flight.length))
        self._logged_in = True
        await self.look_around()

    async def look_around(self) -> None:
        """What has to be known inside: capabilities and, once for each user, the personal namespace.

        None of his sessions goes on without it.
        """
        account, connection = self._account, self._connection
        has_namespace = "NAMESPACE" in await self.capabilities()
        async with account.asking:
            if account.asked:
                return
            account.asked = True
            connection.news = self._hear
            flight = await connection.own(self._tag(), b"NAMESPACE" if has_namespace else b'LIST "" ""')
            await flight.over
            connection.news = None

    async def capabilities(self) -> frozenset[str]:
        """The words in force; asked for where nobody has told them."""
        connection = self._connection
        if connection.told is None:
            flight = await connection.own(self._tag(), b"CAPABILITY")
            await flight.over
        return connection.told or frozenset()

    async def _shake_hands(self, flight: Flight) -> None:
        await flight.over
        url = self._connection.endpoint.url
        if flight.completion is None:
            raise self._connection.trouble or LiveError(f"{url} closed the connection before STARTTLS.")
        if flight.status != "OK":
            raise LiveError(f"{url} refused STARTTLS.", "Use imaps://, or imap+insecure:// if it must be in clear.")
        await self._connection.start_tls()

    def _hear(self, value: Untagged) -> None:
        data, account = value.data, self._account
        if isinstance(data, Namespace) and data.personal:
            first = data.personal[0]
            account.prefix = readable(first.prefix) if isinstance(first.prefix, bytes) else ""
            account.delimiter = None if first.delimiter is None else readable(first.delimiter)
        elif isinstance(data, MailboxList) and account.delimiter is None:
            account.delimiter = None if data.delimiter is None else readable(data.delimiter)
