"""What others notice of an attack: the latency of one client's NOOPs while each of them goes on, next to none.

python -m bench.hostile                           every attack of tests/servers/attacks.py, three seconds each
python -m bench.hostile --only 'deflate|flood'    some of them
python -m bench.hostile --connections 10000       so many connections at once: who is served, who waits
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import select
import socket
import ssl
import statistics
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.processes import raise_limits
from tests.servers.attacks import ATTACKS, Target, VillainServer
from tests.servers.bystander import Bystander
from tests.servers.recorder import Recorder

NAME = "bystander.test"
HOLDING = ("clients that send nothing", "clients with half a ClientHello", "many connections at once")
"""Attacks that lie in being there: once is enough."""
_SYN_SECONDS = 20
"""A kernel whose queue is full drops who comes, and he tries again after 1, 3, 7, 15 seconds."""


@dataclass(frozen=True)
class Scene:
    """A recorder in front of a villain, and a client of it with a server of its own."""

    recorder: Recorder
    target: Target
    bystander: Bystander

    def memory(self, field: str = "VmRSS") -> int:
        """MiB of the recorder."""
        status = Path(f"/proc/{self.recorder.process.pid}/status").read_text()
        return next(int(line.split()[1]) // 1024 for line in status.splitlines() if line.startswith(field))

    def cpu(self) -> float:
        """Seconds that the recorder has worked."""
        fields = Path(f"/proc/{self.recorder.process.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")

    def calm(self, most: float = 60) -> float:
        """Wait until the recorder has nothing to do but for the bystander. Returns how long that took."""
        began, calm = time.monotonic(), 0
        while calm < 3 and time.monotonic() - began < most:
            before = self.cpu()
            time.sleep(0.2)
            calm = calm + 1 if self.cpu() - before < 0.1 else 0
        return time.monotonic() - began - 0.6


@contextlib.contextmanager
def scene(scale: int) -> Generator[Scene]:
    """All of it, with a database that is thrown away."""
    listen = ("--listen", "imap+insecure://127.0.0.1:0", "--listen", "imaps://127.0.0.1:0")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="imaptap-hostile-")))
        villain, server = (stack.enter_context(VillainServer()) for _ in range(2))
        route = ("--route", f"{NAME}=imap+insecure://localhost:{server.port}")
        recorder = stack.enter_context(Recorder(folder, f"imap+insecure://localhost:{villain.port}", *listen, *route))
        context = ssl.create_default_context(cafile=recorder.ca)
        bystander = stack.enter_context(Bystander(recorder.port("implicit"), str(recorder.ca), NAME))
        yield Scene(recorder, Target(recorder.port("plain"), recorder.port("implicit"), context, scale), bystander)


def row(name: str, latencies: Sequence[float], *more: object) -> None:
    """One line of the table."""
    ordered = sorted(latencies)
    p99 = ordered[len(ordered) * 99 // 100]
    figures = [len(ordered), f"{statistics.median(ordered):.2f}", f"{p99:.2f}", f"{ordered[-1]:.1f}", *more]
    print("| " + " | ".join([name, *map(str, figures)]) + " |", flush=True)


def attack(scene: Scene, name: str, seconds: float) -> None:
    """One attack, again and again for so long; and how the bystander fares until the recorder is calm again."""
    scene.calm()
    scene.bystander.fared()
    cpu, began, times = scene.cpu(), time.monotonic(), 0
    while not times or time.monotonic() - began < seconds:
        if not times or name not in HOLDING:
            with contextlib.suppress(OSError):
                ATTACKS[name](scene.target)
            scene.target.release() if name not in HOLDING else None
            times += 1
        else:
            time.sleep(0.1)
    latencies = scene.bystander.fared()
    scene.target.release()
    worked = scene.cpu() - cpu
    after = scene.calm()
    row(name, latencies, times, f"{worked:.1f}", f"{after:.1f}", scene.memory())


def crowd(scene: Scene, wanted: int) -> None:
    """So many connections at once, then fewer: everybody is served in the end."""
    clients = list[socket.socket]()
    scene.bystander.fared()
    began = time.monotonic()
    for _ in range(wanted):
        client = socket.socket()
        client.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            client.connect(("127.0.0.1", scene.target.plain))
        clients.append(client)
    greeted = _greeted(clients)
    row(f"{wanted} connections at once", scene.bystander.fared(), 1, "-", "-", scene.memory())
    took = time.monotonic() - began - _SYN_SECONDS
    print(f"\n{len(greeted)} of {wanted} greeted within {took:.1f} s; {wanted - len(greeted)} wait.", flush=True)
    for client in list(greeted)[: wanted - len(greeted) + wanted // 10]:
        client.close()
    waiting = [client for client in clients if client not in greeted]
    print(f"{len(_greeted(waiting))} of those that waited are greeted when others have left.")
    for client in clients:
        client.close()
    print(f"Memory at most {scene.memory('VmHWM')} MiB.")


def _greeted(clients: Sequence[socket.socket]) -> set[socket.socket]:
    """Those that have heard the server's greeting, once so long goes by that no lost SYN is sent again."""
    found = set[socket.socket]()
    poll = select.epoll()
    by_number = {client.fileno(): client for client in clients}
    for number in by_number:
        poll.register(number, select.EPOLLIN)
    while ready := poll.poll(_SYN_SECONDS):
        for number, _ in ready:
            with contextlib.suppress(OSError):
                if by_number[number].recv(1000).startswith(b"* OK"):
                    found.add(by_number[number])
            poll.unregister(number)
    poll.close()
    return found


def main() -> int:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.hostile", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3, help="for each attack")
    parser.add_argument("--scale", type=int, default=1, help="how large an attack is")
    parser.add_argument("--only", default="", help="attacks in whose names this regular expression is found")
    parser.add_argument("--connections", type=int, default=0, help="so many at once, and no attacks")
    options = parser.parse_args()
    raise_limits()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, Python {platform.python_version()}\n")
    print("| | NOOPs | p50 ms | p99 ms | most ms | attacks | CPU s | calm after s | MiB |\n|---" + "|---" * 8 + "|")
    with scene(options.scale) as all_of_it:
        time.sleep(options.seconds)
        row("nothing", all_of_it.bystander.fared(), 0, "-", "-", all_of_it.memory())
        if options.connections:
            crowd(all_of_it, options.connections)
            return 0
        for name in ATTACKS:
            if re.search(options.only, name):
                attack(all_of_it, name, options.seconds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
