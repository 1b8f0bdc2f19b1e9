"""What the proxies are put through: W1 to W6, and M1 to M3 for memory and disk."""

from __future__ import annotations

import enum
from dataclasses import dataclass

GIB = 1 << 30


class Kind(enum.Enum):
    """How a workload is run and what is looked at."""

    LOAD = enum.auto()  # on the running proxy, every round
    IDLE = enum.auto()  # memory of connections that do nothing, on a freshly started proxy
    SESSIONS = enum.auto()  # cost of a few busy ones among many sessions, on a freshly started proxy
    PEAK = enum.auto()  # most memory ever taken, on a freshly started proxy
    GROWTH = enum.auto()  # bytes in the files once the proxy has ended


@dataclass(frozen=True)
class Workload:
    """`arguments` are the load generator's; `among` the proxies that it is for (none: all)."""

    name: str
    kind: Kind
    arguments: tuple[str, ...]
    among: tuple[str, ...] = ()

    @property
    def once(self) -> bool:
        """Whether one round is enough: memory and disk hardly vary."""
        return self.kind is not Kind.LOAD

    @property
    def synthetic(self) -> bool:
        """Whether it needs the upstream that can be slow and has a message of 1 GiB."""
        return self.kind is Kind.PEAK

    def wanted(self, beginnings: tuple[str, ...]) -> bool:
        """Whether it is selected by the beginning of its name."""
        return not beginnings or self.name.startswith(beginnings)


def workloads(scale: float, idles: list[int], sessions: list[int], slow: float) -> list[Workload]:
    """All of them, in order. `slow` is the rate of the slow reader of M1, in MB/s."""

    def count(number: int) -> str:
        return str(max(1, int(number * scale)))

    def load(name: str, *arguments: str) -> Workload:
        return Workload(name, Kind.LOAD, arguments)

    measures = ("imaptap", "haproxy", "mitmdump")
    huge = ("--box", "huge", "--rate", str(slow)), ("--box", "slow", "--size", str(GIB), "--count", "1")
    return [
        load("W1", "ping", "--conns", "1", "--count", count(4000), "--mix", "noop"),
        load("W2", "ping", "--conns", "50", "--count", count(20000), "--mix", "mixed"),
        load("W3big", "fetch", "--conns", "4", "--box", "big", "--repeat", count(2)),
        load("W3small", "fetch", "--conns", "4", "--box", "small", "--repeat", count(2)),
        load("W4big", *_append("sink", 1 << 20, count(50))),
        load("W4small", *_append("sink", 30_000, count(800))),
        load("W6", "setup", "--conns", "4", "--count", count(400)),
        *(Workload(f"W5-{number}", Kind.IDLE, ("idle", "--conns", str(number))) for number in idles),
        Workload("M1fetch", Kind.PEAK, ("fetch", *huge[0]), measures),
        Workload("M1append", Kind.PEAK, ("append", *huge[1]), measures),
        Workload("M2small", Kind.GROWTH, (*_append("sink", 30_000, count(500)), "--random")),
        Workload("M2big", Kind.GROWTH, (*_append("sink", 1 << 20, count(50)), "--random")),
        Workload("M2commands", Kind.GROWTH, ("ping", "--conns", "4", "--count", count(20000), "--mix", "mixed")),
        *(Workload(f"M3-{number}", Kind.SESSIONS, _busy(number, count(20000)), measures) for number in sessions),
    ]


def _append(box: str, size: int, number: str) -> tuple[str, ...]:
    return "append", "--conns", "4", "--box", box, "--size", str(size), "--count", number


def _busy(sessions: int, number: str) -> tuple[str, ...]:
    return "ping", "--conns", str(sessions), "--busy", "10", "--count", number, "--mix", "mixed", "--wait"
