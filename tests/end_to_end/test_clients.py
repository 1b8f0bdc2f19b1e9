"""A handful of real clients over every pair of TLS modes: their jobs end as direct, and the record is what went by."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING

import pytest

from tests.end_to_end.explained import unexplained
from tests.end_to_end.jobs import CLIENTS, Outcome, Place
from tests.servers.line import MODES, Line, line_up

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.certificates import Identity
    from tests.servers.dovecot import Dovecot
    from tests.servers.tee import Mode

PAIRS = [
    pytest.param(client, mode, upstream, id=f"{client}-{mode}-to-{upstream}")
    for upstream in MODES
    for client, (_, modes) in CLIENTS.items()
    for mode in modes
]


@pytest.fixture(scope="module")
def lines(dovecot: Dovecot, identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Mode, Line]]:
    """One recorder for each upstream TLS mode, each with three listeners: the nine pairs."""
    folder = tmp_path_factory.mktemp("clients")
    with (
        line_up(folder / "implicit", "implicit", dovecot, identity) as implicit,
        line_up(folder / "starttls", "starttls", dovecot, identity) as starttls,
        line_up(folder / "plain", "plain", dovecot, identity) as plain,
    ):
        yield {"implicit": implicit, "starttls": starttls, "plain": plain}


@pytest.fixture(scope="module")
def direct() -> dict[str, Outcome]:
    """What each client's job gave without imaptap, as far as it has been asked for."""
    return {}


@pytest.mark.parametrize(("client", "mode", "upstream"), PAIRS)
def test_client_through_imaptap(
    client: str,
    mode: Mode,
    upstream: Mode,
    lines: dict[Mode, Line],
    direct: dict[str, Outcome],
    dovecot: Dovecot,
    tmp_path: Path,
) -> None:
    """The job's outcome is that of the direct run; both stored streams are what the tee saw, secrets aside."""
    job, _ = CLIENTS[client]
    assert dovecot.identity
    if client not in direct:
        direct[client] = job(
            Place(
                "implicit",
                dovecot.tls_port,
                dovecot.ca,
                dovecot.identity.client_context(),
                _folder(tmp_path / "direct"),
            )
        )
    line = lines[upstream]
    recorder = line.recorder
    context = ssl.create_default_context(cafile=recorder.ca)
    through = job(Place(mode, recorder.port(mode), recorder.ca, context, _folder(tmp_path / "through")))
    assert through == direct[client]
    for number in line.check():
        shown = recorder.session(number)
        assert shown["ending"] in ("closed by client", "closed by server")
        assert shown["exchanges"], "a session of a client has commands in it"
        assert all(exchange["status"] for exchange in shown["exchanges"]), "every command was answered"
        found = recorder.json("lint", f"last/{number}", "--fail-on", "never")["findings"]
        assert unexplained(found, client, "Dovecot") == []


def _folder(path: Path) -> Path:
    path.mkdir()
    return path
