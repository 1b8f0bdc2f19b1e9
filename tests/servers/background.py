"""Something that goes on in a thread of its own while a block lasts."""

from __future__ import annotations

import threading
from typing import Self


class Background:
    """`with` it: until the block ends, `again` is called, with `pause` seconds between two calls."""

    def __init__(self, name: str, pause: float) -> None:
        self._pause = pause
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def again(self) -> None:
        """Once more; nobody hears what it raises."""
        raise NotImplementedError

    def _run(self) -> None:
        while not self._ended.wait(self._pause):
            self.again()
