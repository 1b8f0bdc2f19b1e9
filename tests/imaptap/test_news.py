"""What is worth a line, and how much of it is kept."""

from __future__ import annotations

from imaptap.news import AT_ONCE, Item, News
from proxy.imap.transcript import Event, EventKind
from tests.storage.scenes import WALL, Wire, begun, exchange, opened


def test_finished_exchanges_and_ends_of_sessions() -> None:
    """With the time at which their session was opened, as long as that is known."""
    news = News()
    closed = Wire(2).closed()
    for record in (
        exchange(1, 1), opened(2), begun(1, 2), Wire(2).say(b"x"), Event(2, 1, EventKind.TLS, "tls"), exchange(1, 2),
        closed, exchange(2, 2),
    ):  # fmt: skip
        news.hear(record)
    items = [Item(exchange(1, 1), 0), Item(opened(2), WALL), Item(exchange(1, 2), WALL), Item(closed, WALL)]
    assert news.take() == ([*items, Item(exchange(2, 2), 0)], 0)
    assert news.take() == ([], 0)
    assert not news._walls


def test_of_too_many_there_is_the_number() -> None:
    news = News()
    for number in range(AT_ONCE + 5):
        news.hear(exchange(number + 1))
    news.add([Item(exchange(1, 9), 0)] * 2, missed=10)
    items, missed = news.take()
    assert ([item.record for item in items], missed) == ([exchange(n + 1) for n in range(AT_ONCE)], 17)
    news.hear(exchange(1))
    assert news.take() == ([Item(exchange(1), 0)], 0)
