"""Cyrus' telemetry: marks in the midst of the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.importing import cyrus
from imaptap.importing.formats import named
from proxy.imap.transcript import Direction
from tests.imaptap.importing.scripts import found, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.importing.scripts import Told

CYRUS = named("cyrus")
HEAD = b"---------- bob Tue Nov 14 22:13:20 2023\n\n"
LOG = (
    HEAD + b">1700000000>1 OK in\r\n<1700000001<2 NOOP\r\n>1700000001>2 OK\r\n<1700000002<3 APPEND x {40}\r\n"
    b">1700000002>+ go\r\n<1700000003<---------- Forwarded message ---------\n<1700000003<\r\n>1700000003>3 OK\r\n"
)
SCRIPT = [
    "S: 1 OK in|",
    "C: 2 NOOP|",
    "S: 2 OK|",
    "C: 3 APPEND x {40}|",
    "S: + go|",
    "C: ---------- Forwarded message ---------\n|",
    "S: 3 OK|",
]


def _told(folder: Path, data: bytes) -> Told:
    path = folder / "imap-7"
    path.write_bytes(data)
    return told(CYRUS, path)


def test_a_session(tmp_path: Path) -> None:
    done = _told(tmp_path, LOG)
    assert found(tmp_path / "imap-7") == "cyrus"
    assert done.script() == SCRIPT
    assert [each.at for each in done.said][:2] == [1_700_000_000_000_000, 1_700_000_001_000_000]
    assert done.begun[0].logged_in


def test_one_process_serves_a_user_again(tmp_path: Path) -> None:
    assert _told(tmp_path, LOG * 2).script() == [*SCRIPT, "--", *SCRIPT]


@pytest.mark.parametrize(
    "text",
    [
        b"<1600000000<",  # another time
        b">1700000003>",  # the server says nothing while it reads
        b"<17000000031<",
        b"---------- ann Tue Nov 14 22:13:20 2023\n",
        b"<1700000003>",
    ],
)
def test_what_looks_like_a_mark_within_a_message(tmp_path: Path, text: bytes) -> None:
    data = LOG.replace(b"{40}", b"{%d}" % (40 + len(text))).replace(b"---------- Forw", text + b"---------- Forw")
    done = _told(tmp_path, data)
    assert done.script()[:5] == [line.replace("{40}", f"{{{40 + len(text)}}}") for line in SCRIPT[:5]]
    assert done.script()[6:] == SCRIPT[6:]
    assert text in done.stream(Direction.CLIENT)


def test_a_message_longer_than_a_block(tmp_path: Path) -> None:
    """It comes in many reads, each with its mark."""
    content = bytes(range(256)) * 800
    parts = [content[start : start + 4096] for start in range(0, len(content), 4096)]
    data = (
        HEAD + b"<1700000000<1 APPEND x {%d+}\r\n" % len(content) + b"".join(b"<1700000001<" + part for part in parts)
    )
    done = _told(tmp_path, data + b"<1700000001<\r\n>1700000002>1 OK\r\n")
    assert done.stream(Direction.CLIENT) == b"1 APPEND x {%d+}\r\n" % len(content) + content + b"\r\n"
    assert done.stream(Direction.SERVER) == b"1 OK\r\n"


@pytest.mark.parametrize("block", [1, 7, 64])
def test_wherever_blocks_end(tmp_path: Path, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cyrus, "_BLOCK", block)
    assert _told(tmp_path, LOG * 2).script() == [*SCRIPT, "--", *SCRIPT]


@pytest.mark.parametrize("cut", range(0, len(LOG), 5))
def test_cut_anywhere(tmp_path: Path, cut: int) -> None:
    done, whole = _told(tmp_path, LOG[:cut]), _told(tmp_path, LOG)
    for side in Direction:
        length = len(done.stream(side)) - 13  # the beginning of a mark cannot be told from text
        assert done.stream(side)[: max(0, length)] == whole.stream(side)[: max(0, length)]


def test_a_head_alone_is_no_session(tmp_path: Path) -> None:
    assert _told(tmp_path, HEAD).statements == []


def test_what_has_no_mark_is_broken(tmp_path: Path) -> None:
    done = _told(tmp_path, HEAD + b"hello\r\n")
    assert done.broken == "imap-7 at line 4: no time stands before what was said"
