"""`imaptap serve --step key` on a terminal of its own: a key lets a piece of news come, and Ctrl-C ends it."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import termios
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests.servers.recorder import environment, program
from tests.servers.served import NEWS
from tests.servers.wait import until

if TYPE_CHECKING:
    from pathlib import Path


def test_news_comes_by_a_key(tmp_path: Path) -> None:
    """Space or Enter, and no other; the terminal is left as it was found."""
    file, ready = tmp_path / "news.cassette", tmp_path / "ready.json"
    file.write_text(NEWS)
    ours, theirs = os.openpty()
    before = termios.tcgetattr(theirs)
    words = ("serve", str(file), "--step", "key", "--listen", "imap+insecure://127.0.0.1:0", "--ready-file", str(ready))
    # The first terminal that the leader of a session opens is the one that controls it, whose Ctrl-C ends it.
    process = subprocess.Popen(
        ["sh", "-c", 'exec "$0" "$@" <"$TERMINAL" >"$TERMINAL" 2>&1', program(), *words],
        stdin=subprocess.DEVNULL,
        env=environment(tmp_path / "home") | {"TERMINAL": os.ttyname(theirs)},
        start_new_session=True,
    )
    shown = bytearray()

    def read() -> None:
        with contextlib.suppress(OSError):
            while data := os.read(ours, 65536):
                shown.extend(data)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        said = until(lambda: json.loads(ready.read_text()) if ready.exists() else None, "serve to be ready", seconds=60)
        until(lambda: b"press of space or Enter" in shown, "what it says")
        port = urlsplit(said["listen"][0]["url"]).port
        with socket.create_connection(("localhost", port), timeout=20) as sock:
            sock.sendall(b"q SELECT INBOX\r\nr IDLE\r\n")
            heard = sock.makefile("rb")
            assert [heard.readline() for _ in range(3)][-1] == b"+ idling\r\n"
            for key, number in ((b" ", b"1"), (b"\r", b"2")):
                os.write(ours, b"x")
                sock.settimeout(0.2)
                try:
                    assert sock.recv(1) == b"nothing"
                except TimeoutError:
                    sock.settimeout(20)
                os.write(ours, key)
                assert sock.makefile("rb").readline() == b"* %b EXISTS\r\n" % number
            sock.sendall(b"DONE\r\n")
            assert sock.makefile("rb").readline() == b"r OK done\r\n"
        os.write(ours, b"\x03")
        assert process.wait(20) == 0
        assert termios.tcgetattr(theirs) == before
        assert b"x" not in shown.partition(b"more piece of news come.")[2]
    finally:
        process.kill()
        process.wait()
        os.close(theirs)
        reader.join(20)
        os.close(ours)
