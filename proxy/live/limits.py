"""How many clients at once, and how often from one address. Nobody is turned away unless that was asked for."""

from __future__ import annotations

import resource
import sys
from collections import OrderedDict
from ipaddress import IPv6Address
from typing import Final

from proxy.live.admission import plain_address

MAX_SESSIONS: Final = 10_000
"""Sessions at once where nothing else is said, and open files suffice."""

_HANDSHAKING = 2
"""Of ten sessions so many have another socket, for the time of a handshake."""
_FILES_OF_OURS = 100
_SCARCE_FILES = 32
_MINUTE = 60.0
_ADDRESSES_KEPT = 10_000
_NETWORK_BITS = 64


def raise_open_files() -> None:
    """Let this process open as many files as its hard limit allows: soft limits are for programs that use select(2)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # macOS says "unlimited" and takes no more than OPEN_MAX.
        most = 10_240 if sys.platform == "darwin" and hard == resource.RLIM_INFINITY else hard
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))


def most_sessions(wanted: int | None, sockets: int = 2) -> int:
    """How many sessions there may be at once: `wanted` (None: MAX_SESSIONS), if so many files may be open.

    Each has this many `sockets`.
    """
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MAX_SESSIONS if wanted is None else wanted
    if files == resource.RLIM_INFINITY:
        return wanted
    return min(wanted, 10 * max(files - _FILES_OF_OURS, _SCARCE_FILES) // (10 * sockets + _HANDSHAKING))


class Rate:
    """So many connections a minute from each address: as a store of that size, which a minute fills (token bucket).

    An IPv6 address is taken for its /64, which is what a customer gets (RFC 6177).
    """

    def __init__(self, a_minute: int | None) -> None:
        """None: any number."""
        self.a_minute = a_minute
        self._spent: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """How much of its store each address has used, and when that was; those heard of last come last."""

    def admits(self, host: str, now: float) -> bool:
        """Whether a client at `host` (as a socket names it) may connect at `now`, in seconds of any clock."""
        if self.a_minute is None:
            return True
        place = _place(host)
        spent, since = self._spent.pop(place, (0.0, now))
        spent = max(0.0, spent - (now - since) * self.a_minute / _MINUTE)
        admitted = spent + 1 <= self.a_minute
        self._spent[place] = (spent + 1 if admitted else spent, now)
        self._forget(now)
        return admitted

    def _forget(self, now: float) -> None:
        """Addresses cost a stranger nothing, and after a minute nobody has spent anything."""
        while self._spent:
            oldest = next(iter(self._spent))
            if len(self._spent) <= _ADDRESSES_KEPT and self._spent[oldest][1] > now - _MINUTE:
                return
            del self._spent[oldest]


def _place(host: str) -> str:
    address = plain_address(host)
    if isinstance(address, IPv6Address):
        return str(IPv6Address(int(address) >> _NETWORK_BITS << _NETWORK_BITS))
    return str(address)
