"""What a mapping learns of steps, in the order of the steps, however their answers come."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.mapping import Mapping
    from proxy.imap.view.dialogue import Dialogue, Literals


class Lessons:
    """One session's. A step is `begun`, and later `over`; the mapping hears of it when all before it are over."""

    def __init__(self, mapping: Mapping, literals: tuple[Literals | None, Literals | None]) -> None:
        """`literals` are those of the recorded session and of the one that replays it."""
        self._mapping, self._literals = mapping, literals
        self._steps: OrderedDict[int, tuple[Dialogue, Dialogue | None, bool]] = OrderedDict()

    def begun(self, recorded: Dialogue) -> None:
        """The step is the next one."""
        self._steps[recorded.exchange.number] = (recorded, None, False)

    def over(self, number: int, replayed: Dialogue | None) -> None:
        """The step with this recorded number was answered; None: it was not, or not sent."""
        known = self._steps.get(number)
        if known is None or known[2]:
            return
        self._steps[number] = (known[0], replayed, True)
        while self._steps:
            first = next(iter(self._steps))
            recorded, answer, done = self._steps[first]
            if not done:
                return
            del self._steps[first]
            self._mapping.learn(recorded, answer, self._literals)
