"""The listening sockets: watched while there is room for another session.

Who comes when there is none is neither accepted nor refused: he waits in the kernel's queue, which costs us nothing,
and is served when another one leaves. A client that is told to go away would only come back at once.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

_PAUSE: Final = 0.1


class Doors:
    """Opens and shuts all listening sockets together."""

    def __init__(self, most: int, crowded: Callable[[], None]) -> None:
        """`most` sessions at once; `crowded` is called when they are there, again only after half of them have left."""
        self._most = most
        self._crowded = crowded
        self._inside = 0
        self._told = False
        self._shut = True
        self._barred = False
        self._knocks: dict[socket.socket, Callable[[], None]] = {}
        self._resting: set[socket.socket] = set()

    def add(self, listener: socket.socket, knock: Callable[[], None]) -> None:
        """Call `knock` whenever somebody waits at `listener`, from `open` on."""
        self._knocks[listener] = knock

    def open(self) -> None:
        """Watch all listeners, unless they are barred."""
        if self._barred:
            return
        self._shut = False
        for listener in self._knocks:
            self._watch(listener)

    def shut(self) -> None:
        """Watch none of them."""
        self._shut = True
        for listener in self._knocks:
            asyncio.get_running_loop().remove_reader(listener)

    def bar(self) -> None:
        """Let nobody in, whatever room there is, until `unbar`."""
        self._barred = True
        self.shut()

    def unbar(self) -> None:
        """Let them in again, as far as there is room."""
        self._barred = False
        if self._inside < self._most:
            self.open()

    def close(self) -> None:
        """Shut them for good."""
        self.shut()
        self._knocks.clear()

    def rest(self, listener: socket.socket) -> None:
        """Leave this one alone for a moment: accepting has failed, and would fail again at once."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        self._resting.add(listener)
        loop.call_later(_PAUSE, self._rested, listener)

    def entered(self) -> None:
        """A session begins."""
        self._inside += 1
        if self._inside >= self._most:
            self.shut()
            if not self._told:
                self._told = True
                self._crowded()

    def left(self) -> None:
        """A session has ended."""
        self._inside -= 1
        if self._inside <= self._most // 2:
            self._told = False
        if self._shut and self._inside < self._most:
            self.open()

    def _rested(self, listener: socket.socket) -> None:
        self._resting.discard(listener)
        if not self._shut:
            self._watch(listener)

    def _watch(self, listener: socket.socket) -> None:
        if listener in self._knocks and listener not in self._resting:
            asyncio.get_running_loop().add_reader(listener, self._knocks[listener])
