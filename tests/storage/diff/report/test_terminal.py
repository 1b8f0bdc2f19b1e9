"""Side by side on the terminal."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from storage.diff.report.terminal import WIDTH_LEAST, lines
from tests.storage.diff.report.results import Told, hostile, told

PAGE = r"""
A old                                  │ B new/2
imaps://old.example.org                │ imaps://new.example.org

capabilities of both: IDLE SORT
QRESYNC: yes                           │ QRESYNC: -
SORT: yes                              │ SORT: after login
only A: 1, only B: 0

old/1                                  │ new/2
  = 2 equal: LOGIN, UID FETCH
  ≠ 3 UID FETCH 4 (FLAGS)  OK          │   ≠ 4 UID FETCH 17 (FLAGS)  NO [CANNOT
                                       │ ]
    status completion
      OK                               │       NO [CANNOT]
      because The target has no such message.
    missing FETCH 4 FLAGS
      (\Seen)                          │
  - 4 SEARCH UNSEEN  OK                │
    missing exchange
      SEARCH UNSEEN                    │
    nearest in B: 9 SEARCH ALL
                                       │   + 5 NOOP  OK
    extra exchange
                                       │       NOOP
  ? 6 UID MOVE 4 Trash  OK             │
    the target has no MOVE
  = 1 equal: LOGOUT

old/2                                  │ no such session

noise: NOOP: moved by itself in 1 of 20, let pass in 2 of 20
noise: FETCH: moved by itself in 1 of 20, let pass in 19 of 20: far more often,
look at it with --no-noise
exchanges: equal 3, different 1, extra 1, missing 1, moved 1, not compared 1
sessions: missing 1, paired 1
differences: missing 3, extra 1, status 1
not compared: the target has no MOVE 1
5 differences in 6 exchanges.
"""


def page(result: Told, width: int, *, everything: bool = False) -> list[str]:
    """The lines without their colours."""
    return [line.plain for line in lines(result, width, everything=everything)]


def test_a_page() -> None:
    """Equal exchanges are folded, long lines too."""
    assert "\n".join(line.rstrip() for line in page(told(), 80)) == PAGE.strip("\n")


def test_everything() -> None:
    """Equal exchanges one by one."""
    shown = page(told(), 100, everything=True)
    assert not any("equal:" in line for line in shown)
    assert f"{'  = 7 LOGOUT  OK':<48} │   = 8 LOGOUT  OK" in shown


@pytest.mark.parametrize("width", [1, WIDTH_LEAST, 41, 80, 133, 500])
def test_no_line_is_wider(width: int) -> None:
    """Whatever stands in it, double characters too."""
    wide = told()
    wide.left = wide.left._replace(server="配信" * 50)
    for result in (wide, hostile()):
        assert all(cell_len(line) <= max(width, WIDTH_LEAST) for line in page(result, width))


def test_a_terminal_obeys_nothing_in_it() -> None:
    """Control characters, directions and what is no text are shown as escapes."""
    for line in page(hostile(), 5000, everything=True):
        assert line.isprintable()
    assert any(r"\x1b[31m\u202e\xed\xb3\xbf\x0d\x0a# head" in line for line in page(hostile(), 5000))
