"""The line per exchange that `record` shows: printed by a thread, so that no terminal can stop the mail."""

from __future__ import annotations

import threading

from rich.console import Console
from rich.text import Text

from imaptap.cli.lines import exchange_line, session_line
from imaptap.news import INTERVAL, Item, News
from proxy.imap.transcript import Exchange, SessionClosed, SessionOpened

_PATIENCE = 1.0
_REMEMBERED = 4096


class Display:
    """Shows finished exchanges and session ends. When more come than a person can read, it counts instead."""

    def __init__(self, console: Console, news: News) -> None:
        self._console = console
        self._news = news
        self._shown: dict[tuple[int, int], None] = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="imaptap-display", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Show what is waiting, and end. A terminal that does not take it is not waited for."""
        self._stop.set()
        self._thread.join(_PATIENCE)

    def _run(self) -> None:
        while not self._stop.wait(INTERVAL):
            self._show()
        self._show()

    def _show(self) -> None:
        items, missed = self._news.take()
        newest = {_key(item.record): item for item in items}
        for item in items:
            # An exchange that was answered before it was sent whole comes once more: the last word is shown, once.
            known = newest.pop(_key(item.record), None)
            line = self._line(known) if known else None
            if line is not None:
                self._console.print(line, soft_wrap=True)
        if missed:
            self._console.print(Text(f"… and {missed} more", "dim"))

    def _line(self, item: Item) -> Text | None:
        record = item.record
        if not isinstance(record, Exchange):
            return session_line(record, item.wall)
        if (record.session, record.number) in self._shown:
            return None
        self._shown[record.session, record.number] = None
        if len(self._shown) > _REMEMBERED:
            del self._shown[next(iter(self._shown))]
        return exchange_line(record.session, record, item.wall)


def _key(record: Exchange | SessionOpened | SessionClosed) -> object:
    return (record.session, record.number) if isinstance(record, Exchange) else record
