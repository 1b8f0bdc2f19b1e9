"""The linter: units of both directions in the order in which they were said go in, findings come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from proxy.imap.lint import (
    capabilities,
    framing,
    literals,
    logins,
    responses,
    selected,
    state,
    syntax,
    tags,
    usage,
)
from proxy.imap.lint.heard import Kind, hear_client, hear_server
from proxy.imap.lint.known import Known
from proxy.imap.lint.rules import Finding
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.lint.heard import FromClient, FromServer, Said
    from proxy.imap.lint.rules import Rule
    from proxy.imap.transcript import Ending

FAMILIES = (
    framing.FAMILY, tags.FAMILY, literals.FAMILY, syntax.FAMILY, state.FAMILY, selected.FAMILY, responses.FAMILY,
    capabilities.FAMILY, logins.FAMILY, usage.FAMILY,
)  # fmt: skip
RULES: dict[str, Rule] = {rule.id: rule for family in FAMILIES for rule in family.rules}
"""All rules by id."""


class _ClientRules(Protocol):
    def __call__(self, heard: FromClient, known: Known, /) -> Iterator[Finding]: ...


class _ServerRules(Protocol):
    def __call__(self, heard: FromServer, known: Known, /) -> Iterator[Finding]: ...


_CLIENT: tuple[_ClientRules, ...] = (
    framing.client, tags.client, literals.client, syntax.look, state.client, selected.client, capabilities.client,
    logins.client, usage.client,
)  # fmt: skip
_SERVER: tuple[_ServerRules, ...] = (
    framing.server, tags.server, literals.server, syntax.look, state.server, selected.server, responses.server,
    capabilities.server,
)  # fmt: skip


class Linter:
    """Judges one session. It keeps what `Known` keeps, which is bounded; it never raises on what peers say."""

    def __init__(self) -> None:
        self._known = Known()
        self._ends = dict.fromkeys(Direction, 0)
        self._at = 0

    def said(self, said: Said) -> Iterator[Finding]:
        """A unit has been said. Take all findings before the next one."""
        known = self._known
        self._at, self._ends[said.direction] = said.at, said.unit.end
        if said.direction is Direction.CLIENT:
            client = hear_client(said, self._kind(said))
            for rules in _CLIENT:
                yield from rules(client, known)
            known.take_client(client)
        else:
            server = hear_server(said)
            for judge in _SERVER:
                yield from judge(server, known)
            known.take_server(server)

    def lose(self) -> None:
        """Bytes came, or are missing, that are no units: what the session has become is not known from here on."""
        self._known.lose()

    def end(self, ending: Ending | None) -> Iterator[Finding]:
        """The session is over; None where it goes on, or nobody knows how it ended."""
        for rule, exchange in state.end(self._known, ending):
            side = rule.side or Direction.CLIENT
            yield Finding(rule, side, exchange, self._at, self._ends[side], b"")

    def _kind(self, said: Said) -> Kind:
        line = said.line.strip()
        if self._known.is_command(said.exchange):
            return Kind.COMMAND
        if not line and (said.exchange is None or said.exchange.command != "AUTHENTICATE"):
            return Kind.BLANK
        if said.exchange is not None and said.exchange.command == "AUTHENTICATE":
            return Kind.SASL
        return Kind.DONE if line.upper() == b"DONE" else Kind.COMMAND
