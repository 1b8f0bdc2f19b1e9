"""Our own transcripts, read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.importing.formats import named
from proxy.imap.transcript import Direction, Ending
from tests.imaptap.importing.scripts import found, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.importing.scripts import Told

TEXT = named("text")
HEAD = r"""# imaptap text 1

# session: typed/1
# opened: 2023-11-14T22:13:20.000000Z
# client: 127.0.0.1:50001
# listen: imaps://localhost:1993
# upstream: imaps://mail.example.org:993
"""
LOG = (
    HEAD
    + r"""S: * OK ready \x1b[2J ü \\
C: . login bob \{login 13}
S: . OK done
C: . append x {6}
S: +
C| a\x0a\
C| b \x20\
C:
S: . OK # session: x
# event: notice: odd: # session: y/3
# ended: closed by client, end of stream
"""
)
SCRIPT = [
    "S: * OK ready \x1b[2J \xc3\xbc \\|", "C: . login bob xxxxxxxxxxxxx|", "S: . OK done|",
    "C: . append x {6}|", "S: +|",
    "C: a\nb  |", "S: . OK # session: x|",
]  # fmt: skip


def _told(folder: Path, text: str) -> Told:
    path = folder / "x.txt"
    path.write_bytes(text.encode())
    return told(TEXT, path)


def test_a_session(tmp_path: Path) -> None:
    done = _told(tmp_path, LOG)
    assert found(tmp_path / "x.txt") == "text"
    assert done.script() == SCRIPT
    begun = done.begun[0]
    assert (begun.wall, begun.client, begun.upstream) == (
        1_700_000_000_000_000, "127.0.0.1:50001", "imaps://mail.example.org:993"
    )  # fmt: skip
    assert [(each.ending, each.reason) for each in done.over] == [(Ending.CLIENT, "end of stream")]


def test_times(tmp_path: Path) -> None:
    done = _told(tmp_path, HEAD + "    0.000250 S: * OK\n   12.000000 C: a NOOP\n   13.000000 # ended: cut, x\n")
    assert [each.at for each in done.said] == [1_700_000_000_000_250, 1_700_000_012_000_000]
    assert [(each.at, each.ending) for each in done.over] == [(1_700_000_013_000_000, Ending.CUT)]


def test_sessions(tmp_path: Path) -> None:
    done = _told(tmp_path, LOG + "\n# session: typed/2\nS: * OK\n")
    assert done.script() == [*SCRIPT, "--", "S: * OK|"]
    assert [each.client for each in done.begun] == ["127.0.0.1:50001", "unknown"]


def test_a_literal_that_is_not_shown_is_filled(tmp_path: Path) -> None:
    """Else the next line would be read as its content."""
    done = _told(tmp_path, HEAD + "S: * 1 FETCH (BODY[] {100000}\nS* 100000 bytes of a literal, not shown\nS: )\n")
    assert done.stream(Direction.SERVER) == b"* 1 FETCH (BODY[] {100000}\r\n" + b"x" * 100_000 + b")\r\n"
    assert done.remarks == ["not in the text: 100,000 bytes of a literal; x stand in their place"]


@pytest.mark.parametrize("absent", ["5 bytes never recorded", "999999999999 bytes of a literal, not shown"])
def test_behind_what_is_missing_nothing_is_heard(tmp_path: Path, absent: str) -> None:
    done = _told(tmp_path, HEAD + f"S: * OK\nC* {absent}\nC: secret\n# ended: closed by client, end\n")
    assert done.script() == ["S: * OK|"]
    assert [each.ending for each in done.over] == [Ending.CUT]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (r"C: \q", "backslash"),
        (r"C: \{x", "backslash"),
        ("X: y", "neither"),
        ("C* much", "how many"),
        ("\0", "neither"),
    ],
)
def test_broken(tmp_path: Path, line: str, what: str) -> None:
    done = _told(tmp_path, f"{LOG}\n# session: x/2\nS: * OK\n{line}\n")
    assert done.script() == [*SCRIPT, "--", "S: * OK|"]
    assert done.broken is not None
    assert what in done.broken
    assert "at line 22" in done.broken


def test_another_version(tmp_path: Path) -> None:
    done = _told(tmp_path, LOG.replace("text 1", "text 2"))
    assert found(tmp_path / "x.txt") == "text"
    assert (done.statements, done.broken) == (
        [],
        "x.txt at line 1: it is no `# imaptap text 1`, which this imaptap reads",
    )
