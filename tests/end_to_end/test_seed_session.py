"""The first user story, typed by hand: tag `.` on every command, against Dovecot, four ways."""

from __future__ import annotations

import socket
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.need import need
from tests.servers.line import Line, line_up
from tests.servers.typist import SESSION, ProgramTerminal, TcpTerminal, type_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.certificates import Identity
    from tests.servers.dovecot import Dovecot
    from tests.servers.tee import Mode

EXPECTED = (
    ("LOGIN", "OK", None),
    ("CAPABILITY", "OK", None),
    ("LIST", "OK", None),
    ("LIST", "OK", None),
    ("SELECT", "OK", "Drafts"),
    ("FETCH", "OK", None),
    ("FETCH", "OK", None),
    ("FETCH", "OK", None),
    ("FETCH", "OK", None),
    ("LOGOUT", "OK", None),
)


@pytest.fixture(scope="module")
def lines(dovecot: Dovecot, identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[Mode, Line]]:
    """Recorders in front of Dovecot's plain and implicit port."""
    folder = tmp_path_factory.mktemp("seed")
    with (
        line_up(folder / "plain", "plain", dovecot, identity) as plain,
        line_up(folder / "starttls", "starttls", dovecot, identity) as starttls,
        line_up(folder / "implicit", "implicit", dovecot, identity) as implicit,
    ):
        yield {"plain": plain, "starttls": starttls, "implicit": implicit}


def check(line: Line, answers: list[bytes], *, skip: int = 0) -> None:
    """One session whose exchanges, after the first `skip`, are the typed ones; streams as the server saw them."""
    [number] = line.check()
    shown = line.recorder.session(number)
    exchanges: list[dict[str, Any]] = [one for one in shown["exchanges"] if one["origin"] == "client"][skip:]
    assert [exchange["tag"] for exchange in exchanges] == ["."] * len(SESSION)
    told = [(exchange["command"], exchange["status"], exchange["mailbox"]) for exchange in exchanges]
    selected = "Drafts"
    for (command, status, mailbox), (got_command, got_status, got_mailbox) in zip(EXPECTED, told, strict=True):
        assert (got_command, got_status) == (command, status)
        assert got_mailbox in ((mailbox,) if mailbox else (None, "", "*", "INBOX*", selected))
    for typed, answer, exchange in zip(SESSION, answers, exchanges, strict=True):
        assert exchange["client_bytes"] == len(typed) + 2
        assert exchange["server_bytes"] > 0
        assert exchange["ms"] >= 0
        assert exchange["started"]
        assert b"." in answer
    assert "secret" not in str(shown["exchanges"])
    by_command = {exchange["command"]: exchange for exchange in exchanges}
    assert by_command["SELECT"]["code"] == "READ-WRITE"
    assert exchanges[7]["server_bytes"] > 34_000, "the big message belongs to the FETCH that asked for it"
    assert "FETCH" in str(exchanges[7]["responses"])
    assert "LIST" in str(exchanges[2]["responses"])
    assert shown["ending"] in ("closed by client", "closed by server")


def test_over_plain_tcp_one_byte_at_a_time(lines: dict[Mode, Line]) -> None:
    """Each byte of each command is a segment of its own."""
    line = lines["plain"]
    with closing(TcpTerminal(line.recorder.port("plain"), pause=0.001)) as terminal:
        answers = type_session(terminal)
        assert terminal.read() == b"", "the server closes after LOGOUT, so imaptap does"
    assert answers[7].count(b"image001.jpg") == 1
    check(line, answers)


def test_through_telnet(lines: dict[Mode, Line]) -> None:
    """telnet turns a line feed into CRLF, and may send its options first: not on other ports than 23."""
    line = lines["plain"]
    command = [need("telnet"), "-E", "127.0.0.1", str(line.recorder.port("plain"))]
    with closing(ProgramTerminal(command, b"\n")) as terminal:
        answers = type_session(terminal)
    check(line, answers)


@pytest.mark.parametrize("upstream", ["plain", "starttls", "implicit"])
@pytest.mark.parametrize("mode", ["starttls", "implicit"])
def test_through_openssl(lines: dict[Mode, Line], mode: Mode, upstream: Mode) -> None:
    """s_client itself asks for CAPABILITY and STARTTLS, also with the tag `.`, before it hands over."""
    line = lines[upstream]
    recorder = line.recorder
    command = [need("openssl"), "s_client", "-connect", f"localhost:{recorder.port(mode)}", "-quiet", "-ign_eof"]
    command += ["-CAfile", str(recorder.ca), "-verify_return_error", "-verify_hostname", "localhost"]
    command += ["-starttls", "imap"] if mode == "starttls" else []
    with closing(ProgramTerminal(command, b"\r\n")) as terminal:
        answers = type_session(terminal)
    check(line, answers, skip=2 if mode == "starttls" else 0)


def test_a_client_that_leaves_without_logout(lines: dict[Mode, Line]) -> None:
    """Half a command, then gone: the session ends once, as closed by the client, and the command is incomplete."""
    line = lines["implicit"]
    with closing(TcpTerminal(line.recorder.port("plain"), pause=0)) as terminal:
        type_session(terminal, SESSION[:2])
        terminal.send(b". select Dra")
        terminal.socket.shutdown(socket.SHUT_WR)
        while terminal.read():
            continue
    [number] = line.check()
    shown = line.recorder.session(number)
    assert shown["ending"] == "closed by client"
    assert shown["exchanges"][-1]["status"] is None
    assert shown["exchanges"][-1]["client_bytes"] == len(b". select Dra")
