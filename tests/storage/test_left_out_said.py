"""`--max-literal` on what the language makes of conversations: both directions, and never a secret."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from proxy.imap.conversation import Conversation
from proxy.imap.transcript import BODY_MIN, Direction, Ending, Layer
from storage import Check, Store
from tests.storage.scenes import C, S, opened, together
from tests.storage.test_left_out import LONG, record, sha, told

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from storage import Session


def converse(store: Store, *said: tuple[Direction, bytes], chunk: int = 16384) -> Session:
    conversation = Conversation(1)
    for at, (direction, data) in enumerate(said):
        for first in range(0, len(data), chunk):
            conversation.receive(direction, data[first : first + chunk], at, Layer.TLS)
    conversation.close(len(said), Ending.CLIENT, "")
    return record(store, [opened(), *conversation.take()], cap=BODY_MIN)


PASSWORD = b"Zq7#" * 5000
SECRETS: dict[str, Callable[[bytes], list[tuple[Direction, bytes]]]] = {
    "LOGIN": lambda secret: [(C, b"a LOGIN bob {%d+}\r\n%b\r\n" % (len(secret), secret))],
    "LOGIN with both": lambda secret: [(C, b"a LOGIN {3+}\r\nbob {%d+}\r\n%b\r\n" % (len(secret), secret))],
    "AUTHENTICATE": lambda secret: [(C, b"a AUTHENTICATE PLAIN {%d+}\r\n%b\r\n" % (len(secret), secret))],
    "a mistyped LOGIN": lambda secret: [(C, b"a LOGN bob {%d+}\r\n%b\r\n" % (len(secret), secret))],
    "a LOGIN that was refused": lambda secret: [
        (C, b"a LOGIN bob {%d}\r\n" % len(secret)),
        (S, b"a NO not here\r\n"),
        (C, secret + b"\r\n"),
    ],
    "ID": lambda secret: [(C, b'a ID ("token" {%d+}\r\n%b)\r\n' % (len(secret), secret))],
    "ID of the server": lambda secret: [(S, b'* ID ("token" {%d}\r\n%b)\r\n' % (len(secret), secret))],
    "METADATA": lambda secret: [(S, b'* METADATA "" (/private/vendor/x {%d}\r\n%b)\r\n' % (len(secret), secret))],
}


@pytest.mark.parametrize("form", SECRETS)
@pytest.mark.parametrize("whole", [True, False], ids=["whole", "cut"])
def test_no_hash_of_a_secret(sqlite: Store, tmp_path: Path, form: str, whole: bool) -> None:
    """A literal that is a secret is masked as ever, however long it is: no row and no event has its hash (M 7.9)."""
    said = SECRETS[form](PASSWORD)
    if not whole:
        said = [*said[:-1], (said[-1][0], said[-1][1][: -len(PASSWORD) // 2])]
    session = converse(sqlite, (S, b"* OK hi\r\n"), *said, chunk=999)
    assert {known for side in (C, S) for _, _, known in told(sqlite, session, side)} == {None}
    masked = b"x" * (len(PASSWORD) // 2)
    assert any(masked in together(sqlite.stream(session, side)) for side in (C, S))
    sqlite.close()
    content = (tmp_path / "recordings.db").read_bytes()
    assert b"Zq7" not in content
    assert not any(hashlib.sha256(PASSWORD[:end]).digest() in content for end in (None, len(PASSWORD) // 2))


@pytest.mark.parametrize("chunk", [100_000, 999, 1])
def test_both_directions_of_a_conversation(sqlite: Store, chunk: int) -> None:
    mail, other = LONG[:6000], LONG[6000:12_500]
    session = converse(
        sqlite,
        (S, b"* PREAUTH hi\r\n"),
        (C, b"a APPEND Drafts {%d+}\r\n%b\r\n" % (len(mail), mail)),
        (S, b"a OK done\r\n"),
        (C, b"b FETCH 1 BODY[]\r\n"),
        (S, b"* 1 FETCH (BODY[] {%d}\r\n%b)\r\nb OK done\r\n" % (len(other), other)),
        chunk=chunk,
    )
    for side, data in ((C, mail), (S, other)):
        assert [each[1:] for each in told(sqlite, session, side) if each[2]] == [(len(data), sha(data))]
    assert list(Check(sqlite).findings()) == []
    assert [stored.exchange.responses for stored in sqlite.exchanges(session)] == [(), (("FETCH", 1),)]
