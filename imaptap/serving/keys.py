"""News by a key: each press of space or Enter lets one more piece come. For people who look at their client."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import termios
import tty
from collections import deque
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator

_KEYS = frozenset(b" \r\n")


class Keys:
    """Hears the keys of a terminal. One that is pressed while nobody waits does nothing."""

    def __init__(self, terminal: int) -> None:
        self._terminal = terminal
        self._waiting: deque[asyncio.Future[None]] = deque()

    async def next(self) -> None:
        """Wait for a key. Who waits longest gets it; cancelled, one uses none."""
        pressed = asyncio.get_running_loop().create_future()
        self._waiting.append(pressed)
        try:
            await pressed
        finally:
            if pressed in self._waiting:
                self._waiting.remove(pressed)

    def pressed(self, keys: bytes) -> None:
        """These keys have been pressed, one after another."""
        for _ in range(sum(key in _KEYS for key in keys)):
            if first := next((each for each in self._waiting if not each.done()), None):
                first.set_result(None)

    @contextlib.contextmanager
    def heard(self) -> Generator[None, None, None]:
        """Hear keys at once, and not only when a line is whole; within the running event loop."""
        loop = asyncio.get_running_loop()
        before = termios.tcgetattr(self._terminal)
        self._hear_each()
        # Who comes back from the background finds the terminal as the shell has left it.
        loop.add_signal_handler(signal.SIGCONT, self._hear_each)
        loop.add_reader(self._terminal, self._read)
        try:
            yield
        finally:
            loop.remove_reader(self._terminal)
            loop.remove_signal_handler(signal.SIGCONT)
            with contextlib.suppress(termios.error):
                _set(self._terminal, before)

    def _hear_each(self) -> None:
        with contextlib.suppress(termios.error):  # it is gone
            mode = termios.tcgetattr(self._terminal)
            mode[tty.LFLAG] &= ~(termios.ECHO | termios.ICANON)
            _set(self._terminal, mode)

    def _read(self) -> None:
        try:
            keys = os.read(self._terminal, 1024)
        except OSError:
            keys = b""
        if keys:
            self.pressed(keys)
        else:
            asyncio.get_running_loop().remove_reader(self._terminal)


def of_stdin() -> Keys | None:
    """The keys of the terminal that this process is run from; None where there is none."""
    try:
        terminal = sys.stdin.fileno()
    except (OSError, ValueError, AttributeError):
        return None
    return Keys(terminal) if os.isatty(terminal) else None


def _set(terminal: int, mode: list[Any]) -> None:
    """A background process that sets the terminal that controls it would be stopped for that."""
    try:
        behind = os.tcgetpgrp(terminal) != os.getpgrp()
    except OSError:  # it is not the one that controls it
        behind = False
    if not behind:
        termios.tcsetattr(terminal, termios.TCSADRAIN, mode)
