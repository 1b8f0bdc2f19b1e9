"""What several processes say at the same time, said once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from imaptap.recording import Tell

_REMEMBERED: Final = 256


class Chorus:
    """Passes sentences on to the person, but not those that another process has said already.

    A process that says the same again means it: the disk is full once more. Then all others may join in, unheard.
    """

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._singers: OrderedDict[str, set[int]] = OrderedDict()

    def say(self, who: int, message: str, hint: str) -> None:
        """A sentence and a hint by the process `who`; from any thread."""
        with self._lock:
            singers = self._singers.pop(message, set())
            heard_already = bool(singers) and who not in singers
            self._singers[message] = singers | {who} if heard_already else {who}
            if len(self._singers) > _REMEMBERED:
                self._singers.popitem(last=False)
        if not heard_already:
            self._tell(message, hint)
