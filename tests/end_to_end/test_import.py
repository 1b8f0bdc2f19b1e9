"""Logs that the real programs write, imported: equal to what imaptap recorded of the same sessions at the same time."""

from __future__ import annotations

import imaplib
import os
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import zlib
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.jobs import Place, with_imapclient, with_imaplib
from tests.need import need
from tests.servers import warm
from tests.servers.account import account, give
from tests.servers.cyrus import Cyrus
from tests.servers.dovecot import Dovecot
from tests.servers.recorder import EVERY_LISTENER, Recorder, environment, program
from tests.servers.wait import free_port, until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def with_compress(place: Place) -> None:
    """COMPRESS=DEFLATE, by hand."""
    deflater, inflater = zlib.compressobj(wbits=-15), zlib.decompressobj(wbits=-15)
    with socket.create_connection(("localhost", place.port), 10) as connection:
        file = connection.makefile("rb")

        def read(end: bytes) -> None:
            while not file.readline().startswith(end):
                pass

        read(b"* OK")
        for tag, line in ((b"a", b"LOGIN bob secret"), (b"b", b"COMPRESS DEFLATE")):
            connection.sendall(tag + b" " + line + b"\r\n")
            read(tag + b" OK")
        said = b""
        for tag, line in ((b"c", b"SELECT INBOX"), (b"d", b"FETCH 1:* BODY.PEEK[]"), (b"e", b"LOGOUT")):
            data = deflater.compress(tag + b" " + line + b"\r\n") + deflater.flush(zlib.Z_SYNC_FLUSH)
            connection.sendall(data)
            while b"\r\n" + tag + b" OK" not in said:
                said += inflater.decompress(file.read1(65536))


JOBS = (with_imaplib, with_imapclient)
LISTEN = [word for url in EVERY_LISTENER for word in ("--listen", url)]


def _work(recorder: Recorder, folder: Path, modes: tuple[str, ...], keylog: Path | None = None) -> int:
    """Have the jobs done through the recorder in these modes; how many sessions that makes."""
    context = ssl.create_default_context(cafile=recorder.ca)
    if keylog is not None:
        context.keylog_filename = str(keylog)
    done = 0
    for mode in modes:
        for job in (*JOBS, with_compress) if mode == "plain" else JOBS:
            work = folder / f"work-{done}"
            work.mkdir()
            job(Place(mode, recorder.port(mode), recorder.ca, context, work))
            done += 1
    recorder.ended(done)
    return done


def _run(recorder: Recorder, *words: str, code: int = 0) -> str:
    done = warm.run([program(), *words, "--db", recorder.db], environment(recorder.folder / "home"))
    assert (done.returncode, done.stderr) == (code, "")
    return done.stdout


def _streams(recorder: Recorder, recording: str, version: str = "received") -> list[tuple[bytes, bytes]]:
    """What clients sent, and what servers sent (or, as "sent", what their clients received); secrets masked."""
    numbers = [each["session"] for each in recorder.json("ls", recording)["sessions"]]
    sides = (("client", "received"), ("server", version))
    return [
        tuple(recorder.run("export", f"{recording}/{number}", "--side", side, "--as", form) for side, form in sides)
        for number in numbers
    ]


def _exchanges(recorder: Recorder, recording: str) -> list[list[tuple[Any, ...]]]:
    keys = ("tag", "command", "arguments", "mailbox", "outcome", "status", "code", "text", "responses")
    sessions = recorder.json("show", recording, "--raw")["sessions"]
    return [[tuple(str(each[key]) for key in keys) for each in session["exchanges"]] for session in sessions]


def _after_login(exchanges: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    commands = [each[1] for each in exchanges]
    return exchanges[commands.index("LOGIN") + 1 :]


def _certain(exchanges: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Behind COMPRESS a rawlog does not tell what came before what, and so neither which mailbox was selected."""
    if "COMPRESS" not in [each[1] for each in exchanges]:
        return exchanges
    return [each[:3] + each[4:] for each in exchanges]


def _ends_with(whole: bytes, part: bytes) -> bool:
    return bool(part) and whole.endswith(part)


def test_dovecots_rawlog(tmp_path: Path) -> None:
    """Behind the login, byte for byte and exchange for exchange; also where the client compresses."""
    with (
        Dovecot(extra="rawlog_dir = %h/rawlog") as server,
        Recorder(
            tmp_path / "r", f"imap://localhost:{server.plain_port}", "--upstream-ca", str(server.ca), *LISTEN
        ) as recorder,
    ):
        folder = server.folder / "mail" / "bob" / "rawlog"
        folder.mkdir()
        give(folder, account())
        _work(recorder, tmp_path, ("implicit", "starttls", "plain"))
        files = sorted(str(path) for path in folder.iterdir())
        said = _run(recorder, "import", *files, "--name", "log")
        assert "Dovecot rawlog" in said
        live, log = _streams(recorder, recorder.recording), _streams(recorder, "log")
        assert len(live) == len(log) == len(files) / 2
        for mine, theirs in zip(sorted(live), sorted(log), strict=True):
            assert all(_ends_with(whole, part) for whole, part in zip(mine, theirs, strict=True))
        heard = map(_certain, _exchanges(recorder, "log"))
        assert sorted(heard) == sorted(
            _certain(_after_login(each)) for each in _exchanges(recorder, recorder.recording)
        )
        _run(recorder, "check")


def test_cyrus_telemetry(tmp_path: Path) -> None:
    with (
        Cyrus() as server,
        Recorder(
            tmp_path / "r", f"imap://localhost:{server.plain_port}", "--upstream-ca", str(server.ca), *LISTEN
        ) as recorder,
    ):
        folder = server.folder / "conf" / "log" / "bob"
        folder.mkdir()
        give(folder, account())
        _fill(recorder, tmp_path)
        files = [str(path) for path in folder.iterdir()]
        sessions = []
        for number, file in enumerate(files):
            _run(recorder, "import", file, "--name", f"log-{number}")
            sessions += list(
                zip(_streams(recorder, f"log-{number}"), _exchanges(recorder, f"log-{number}"), strict=True)
            )
        live = list(zip(_streams(recorder, recorder.recording), _exchanges(recorder, recorder.recording), strict=True))
        assert len(sessions) == len(live)
        for (mine, exchanges), (theirs, heard) in zip(sorted(live), sorted(sessions), strict=True):
            assert all(_ends_with(whole, part) for whole, part in zip(mine, theirs, strict=True))
            assert heard == _after_login(exchanges)
        _run(recorder, "check")


def _fill(recorder: Recorder, folder: Path) -> None:
    """Cyrus' mailboxes are empty: messages are put and fetched, some of which look like its own log."""

    letter = b"Subject: x\r\n\r\n---------- Forwarded message ---------\r\n<1600000000<\r\n>1600000000>\r\n"
    context = ssl.create_default_context(cafile=recorder.ca)
    for count in range(2):
        client = imaplib.IMAP4_SSL("localhost", recorder.port("implicit"), ssl_context=context)
        with client:
            client.login("bob", "secret")
            client.select("INBOX")
            client.append("INBOX", "", "", letter + b"y" * 20_000 * count)
            client.fetch("1:*", "(FLAGS BODY.PEEK[])")
    recorder.ended(2)


LAST = b"nothing that matters comes behind this"


@dataclass(frozen=True)
class Capture:
    """What tcpdump writes of three ports on loopback, and of nothing that other tests do there meanwhile."""

    path: Path
    listen: tuple[str, ...]
    """Words that make a recorder listen at these ports."""
    end: int
    """A port of UDP, where nobody listens, which is captured too."""

    def whole(self) -> Path:
        """The file once all that has been said until now is in it: packets come in order, and one more is the last."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(LAST, ("127.0.0.1", self.end))
        until(lambda: LAST in self.path.read_bytes(), "all packets to be in the file")
        return self.path


@pytest.fixture
def capturing(tmp_path: Path) -> Iterator[Capture]:
    """It has begun."""
    if os.geteuid():
        pytest.skip("only root may capture")
    need("tshark")
    path, log, end = tmp_path / "packets.pcap", tmp_path / "tcpdump.log", free_port()
    urls = [f"{urlsplit(url).scheme}://127.0.0.1:{free_port()}" for url in EVERY_LISTENER]
    ours = " or ".join([*(f"tcp port {urlsplit(url).port}" for url in urls), f"udp port {end}"])
    command = [need("tcpdump"), "-Z", "root", "-i", "lo", "-U", "-B", "16384", "-w", str(path), ours]
    with log.open("wb") as errors, subprocess.Popen(command, stderr=errors) as process:
        until(lambda: b"listening on" in log.read_bytes(), "tcpdump to listen", explain=log.read_text)
        try:
            yield Capture(path, tuple(word for url in urls for word in ("--listen", url)), end)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(20)
            sys.stdout.write(
                log.read_text()
            )  # how many packets the kernel has dropped: where a test fails, it is shown


def test_packets(tmp_path: Path, capturing: Capture, dovecot: Dovecot) -> None:
    """Plain, and TLS and STARTTLS with the keys of the clients: what went between them and imaptap."""
    keylog = tmp_path / "keys"
    upstream = f"imaps://localhost:{dovecot.tls_port}"
    with Recorder(tmp_path / "r", upstream, "--upstream-ca", str(dovecot.ca), *capturing.listen) as recorder:
        _work(recorder, tmp_path, ("implicit", "starttls", "plain"), keylog)
        part = tmp_path / "part.pcapng"
        subprocess.run([need("tshark"), "-r", str(capturing.whole()), "-Y", "tcp", "-w", str(part)], check=True)
        _run(recorder, "import", str(part), "--name", "keys", "--keylog", str(keylog))
        # imaptap offers STARTTLS where the server does not, and answers it.
        live = _streams(recorder, recorder.recording, "sent")
        assert _streams(recorder, "keys") == live
        assert _exchanges(recorder, "keys") == _exchanges(recorder, recorder.recording)
        _run(recorder, "check")
        _run(recorder, "import", str(part), "--name", "plain")
        assert "could not be decrypted" in _run(recorder, "show", "plain")
        clear = len(JOBS) + 1
        assert live[-clear:] == _streams(recorder, "plain")[-clear:]


def test_a_capture_that_is_cut_off(tmp_path: Path, capturing: Capture, dovecot: Dovecot) -> None:
    """What came before is imported, and the exit code is 1."""
    upstream = f"imaps://localhost:{dovecot.tls_port}"
    with Recorder(tmp_path / "r", upstream, "--upstream-ca", str(dovecot.ca), *capturing.listen) as recorder:
        _work(recorder, tmp_path, ("plain",))
        cut = tmp_path / "cut.pcap"
        cut.write_bytes(capturing.whole().read_bytes()[:-7])
        done = warm.run([program(), "import", str(cut), "--db", recorder.db], environment(tmp_path / "home"))
        assert done.returncode == 1
        assert "cut short" in done.stderr
        assert "What stands before that was imported." in done.stderr
        _run(recorder, "check")


def _exchanges_in(db: Path) -> int:
    if not db.exists():
        return 0
    with closing(sqlite3.connect(f"file:{db}?mode=ro", uri=True)) as connection, suppress(sqlite3.OperationalError):
        return int(connection.execute("SELECT count(*) FROM exchange").fetchone()[0])
    return 0


def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C in the midst of it leaves nothing."""
    log = tmp_path / "x.in"
    with log.open("wb") as file:
        file.writelines(b"1700000000.%06d a%d NOOP\r\n" % (count, count) for count in range(400_000))
    db = tmp_path / "x.db"
    process = subprocess.Popen(
        [program(), "import", str(log), "--db", str(db)], env=environment(tmp_path), stderr=subprocess.PIPE
    )
    until(lambda: _exchanges_in(db) > 1000, "it to be under way")
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert (process.returncode, b"Traceback" in errors) == (130, False)
    listed = warm.run([program(), "ls", "--db", str(db)], environment(tmp_path))
    assert listed.stdout.startswith("There are no recordings yet.")
