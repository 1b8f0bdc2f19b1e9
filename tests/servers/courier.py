"""Courier's imapd on loopback, each connection logged in from the start: greets with PREAUTH, has "." and INBOX. only.

imapd speaks on a pair of sockets, with a thread of ours between it and the caller.
"""

from __future__ import annotations

import contextlib
import select
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.servers.account import account, as_account, give
from tests.servers.certificates import Identity, make_identity
from tests.servers.mail import write_maildir
from tests.servers.unpacked import brought, libraries

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.mail import Message

CAPABILITY = "IMAP4rev1 UIDPLUS CHILDREN NAMESPACE THREAD=ORDEREDSUBJECT THREAD=REFERENCES SORT QUOTA IDLE"
_PROGRAM = "usr/bin/imapd"


@dataclass
class Courier:
    """`with Courier() as server:` has plain_port and tls_port, and the account of bob: empty, or `folders`."""

    folders: dict[str, list[Message]] | None = None
    identity: Identity | None = None

    def __enter__(self) -> Self:
        self.folder = Path(tempfile.mkdtemp(prefix="imaptap-courier-"))
        self.folder.chmod(0o755)
        self._threads: list[threading.Thread] = []
        self._open: set[socket.socket] = set()
        self._listeners: list[socket.socket] = []
        try:
            self._prepare()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise
        self.plain_port = self._listen(None)
        self.tls_port = self._listen(self._context)
        return self

    def __exit__(self, *_: object) -> None:
        for listener in self._listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _prepare(self) -> None:
        root = brought("courier", _PROGRAM, self.folder)
        self._home = self.folder / "home"
        write_maildir(self._home / "Maildir", {"INBOX": [], **(self.folders or {})})
        self._who = account()
        give(self._home, self._who)
        identity = self.identity = self.identity or make_identity(self.folder / "tls")
        self.ca, self._context = identity.ca, identity.server_context()
        self._argv = [str(root / _PROGRAM), "Maildir"]
        self._env = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(self._home),
            "AUTHENTICATED": "bob",
            "AUTHADDR": "bob",
            "AUTHOPTIONS": "",
            "TCPREMOTEIP": "127.0.0.1",
            "LD_LIBRARY_PATH": libraries(root),
            "IMAP_CAPABILITY": CAPABILITY,
            "IMAP_KEYWORDS": "1",
            "IMAP_ACL": "1",
            "IMAP_USELOCKS": "0",
            "IMAP_ENHANCEDIDLE": "0",
            "IMAP_MAILBOX_SANITY_CHECK": "0",
            "MAILDIRPATH": "Maildir",
        }

    def _listen(self, context: ssl.SSLContext | None) -> int:
        listener = socket.create_server(("127.0.0.1", 0))
        self._listeners.append(listener)
        self._start(self._accept, listener, context)
        return int(listener.getsockname()[1])

    def _start(self, target: Callable[..., None], *words: object) -> None:
        thread = threading.Thread(target=target, args=words, name="courier")
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._start(self._serve, connection, context)

    def _serve(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        if context is not None:
            try:
                connection = context.wrap_socket(connection, server_side=True)
            except OSError:
                connection.close()
                return
        ours, theirs = socket.socketpair()
        self._open |= {connection, ours}
        process = subprocess.Popen(
            self._argv,
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.DEVNULL,
            env=self._env,
            cwd=self._home,
            **as_account(self._who),
        )
        theirs.close()
        with contextlib.suppress(OSError):
            _greet(ours, connection)
            _pump(ours, connection)
        ours.shutdown(socket.SHUT_RDWR)
        process.wait()
        self._open -= {connection, ours}
        connection.close()
        ours.close()


def _greet(ours: socket.socket, connection: socket.socket) -> None:
    """Without a FAM daemon it begins with an untagged OK [ALERT], which a client would take for the greeting."""
    first = b""
    while b"* PREAUTH" not in first or not first.endswith(b"\n"):
        piece = ours.recv(4096)
        if not piece:
            break
        first += piece
    connection.sendall(first[max(first.find(b"* PREAUTH"), 0) :])


def _pump(ours: socket.socket, connection: socket.socket) -> None:
    """What comes from one goes to the other, until one of them has ended."""
    while True:
        held = isinstance(connection, ssl.SSLSocket) and connection.pending()
        ready = [connection] if held else select.select([ours, connection], [], [])[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            (connection if source is ours else ours).sendall(data)
