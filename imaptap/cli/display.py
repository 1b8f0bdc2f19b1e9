"""The line per exchange that `record` shows: printed by a thread, so that no terminal can stop the mail."""

from __future__ import annotations

import threading
from collections import deque

from rich.console import Console
from rich.text import Text

from imaptap.cli.lines import exchange_line, session_line
from proxy.imap.transcript import Exchange, Outcome, Record, SessionClosed, SessionOpened

_INTERVAL = 0.1
_LINES_AT_ONCE = 60
_PATIENCE = 1.0
_REMEMBERED = 4096


class Display:
    """Shows finished exchanges and session ends. When more come than a person can read, it counts instead."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._waiting: deque[Record] = deque()
        self._walls: dict[int, int] = {}
        self._shown: dict[tuple[int, int], None] = {}
        self._skipped = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imaptap-display", daemon=True)
        self._thread.start()

    def hear(self, record: Record) -> None:
        """Take note of a record; cheap, called for every one."""
        if isinstance(record, Exchange):
            if record.outcome is Outcome.OPEN:
                return
        elif not isinstance(record, SessionOpened | SessionClosed):
            return
        if len(self._waiting) < _LINES_AT_ONCE or isinstance(record, SessionOpened):
            self._waiting.append(record)
        else:
            self._skipped += 1

    def close(self) -> None:
        """Show what is waiting, and end. A terminal that does not take it is not waited for."""
        self._stop.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self._show()
        self._show()

    def _show(self) -> None:
        records = [self._waiting.popleft() for _ in range(len(self._waiting))]
        newest = {(r.session, r.number): r for r in records if isinstance(r, Exchange)}
        for record in records:
            # An exchange that was answered before it was sent whole comes once more: the last word is shown, once.
            known = newest.pop((record.session, record.number), None) if isinstance(record, Exchange) else record
            line = self._line(known) if known else None
            if line is not None:
                self._console.print(line, soft_wrap=True)
        skipped, self._skipped = self._skipped, 0
        if skipped:
            self._console.print(Text(f"… and {skipped} more", "dim"))

    def _line(self, record: Record) -> Text | None:
        if isinstance(record, SessionOpened):
            self._walls[record.session] = record.wall
            return session_line(record)
        if isinstance(record, Exchange):
            if (record.session, record.number) in self._shown:
                return None
            self._shown[record.session, record.number] = None
            if len(self._shown) > _REMEMBERED:
                del self._shown[next(iter(self._shown))]
            return exchange_line(record.session, record, self._walls.get(record.session, 0))
        if isinstance(record, SessionClosed):
            return session_line(record, self._walls.pop(record.session, 0))
        return None
