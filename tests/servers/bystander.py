"""A client that does its work while others do harm: `python -m tests.servers.bystander PORT CA NAME`.

It logs in through TLS, asking for NAME, and sends a NOOP every few milliseconds. A line on standard input makes it
print how it fared since the last one (a JSON list of latencies in ms); the end of the input ends it.
"""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from typing import Self

from tests.servers.wait import PATIENCE

_PAUSE = 0.003


class Bystander:
    """`with Bystander(port, ca) as bystander:` runs it in a process of its own."""

    def __init__(self, port: int, ca: str, name: str = "localhost") -> None:
        self._words = [str(port), ca, name]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.servers.bystander", *self._words]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        assert self._process.stdout.readline() == "logged in\n"
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._process.communicate(timeout=PATIENCE)
        if kind is None:
            assert self._process.returncode == 0

    def fared(self) -> list[float]:
        """Milliseconds that each of its commands took since the last look."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        assert answer, "the bystander could not go on"
        return [float(each) for each in json.loads(answer)]


class Worker:
    """Its session."""

    def __init__(self, port: int, ca: str, name: str) -> None:
        sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock = ssl.create_default_context(cafile=ca).wrap_socket(sock, server_hostname=name)
        self.file = self.sock.makefile("rb")
        assert self.file.readline().startswith(b"* OK")
        self.ask(b"l", b"LOGIN bob secret")
        self.latencies: list[float] = []
        self.asked = threading.Event()
        self.ended = False

    def ask(self, tag: bytes, command: bytes) -> None:
        """Its tagged answer must be the next line."""
        self.sock.sendall(tag + b" " + command + b"\r\n")
        answer = self.file.readline()
        assert answer.startswith(tag + b" OK"), answer

    def work(self) -> None:
        """Until standard input ends; then log out."""
        number = 0
        while not self.ended:
            number += 1
            began = time.perf_counter()
            self.ask(b"n%d" % number, b"NOOP")
            self.latencies.append(round(1000 * (time.perf_counter() - began), 3))
            if self.asked.is_set():
                self.asked.clear()
                latencies, self.latencies = self.latencies, []
                print(json.dumps(latencies), flush=True)  # noqa: T201
            time.sleep(_PAUSE)
        self.ask(b"z", b"LOGOUT")
        self.sock.close()

    def listen(self) -> None:
        """To whoever asks."""
        for _ in sys.stdin:
            self.asked.set()
        self.ended = True


if __name__ == "__main__":
    worker = Worker(int(sys.argv[1]), sys.argv[2], sys.argv[3])
    print("logged in", flush=True)  # noqa: T201
    threading.Thread(target=worker.listen, daemon=True).start()
    worker.work()
