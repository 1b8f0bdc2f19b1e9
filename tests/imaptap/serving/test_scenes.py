"""Recordings as scenes: what belongs to which step, and what is nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.serving.scenes import scenes
from storage import open_store
from tests.imaptap.telling import Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.replay.serving.values import Line

SCRIPT = """
S: * OK hello
C: a LOGIN bob secret
S: a NO wrong
C: b AUTHENTICATE CRAM-MD5
S: + PDEuMUB4Pg==
C: *
S: b BAD broken off
C: c LOGIN bob secret
S: c OK in
C: d SELECT Sent
S: * 3 EXISTS
S: d OK [READ-WRITE] selected
S: * 4 EXISTS
C: e APPEND Drafts {3}
S: + go on
C: abc
S: * 1 FETCH (FLAGS ())
S: e OK appended
C: f IDLE
S: + idling
S: * 5 EXISTS
C: DONE
S: f OK done
C: g CLOSE
S: g OK closed
C: h LOGOUT
S: * BYE
S: h OK bye
"""


def made(folder: Path, script: str) -> list[tuple[str, str | None, str | None, list[str], list[str]]]:
    """Of each step its command, the mailbox before and after it, its lines with their kinds, and the news before it."""
    recorded(folder / "scenes.db", Tale().say(script).end())
    with open_store(str(folder / "scenes.db"), create=False) as store:
        (scene,) = scenes(store, store.sessions(store.recording("last")))

        def told(line: Line) -> str:
            return f"{line.kind.name} {b''.join(scene.read(line.start, line.end)).decode().strip()}"

        assert [told(line) for line in scene.greeting] == ["UNTAGGED * OK hello"]
        assert (scene.user, scene.rest, scene.hangs_up) == ("bob", (), False)
        return [
            (step.asked.name, step.mailbox, step.after, [*map(told, step.lines)], [*map(told, step.news)])
            for step in scene.steps
        ]


NOTIFIED = """S: * OK hello
C: a LOGIN bob secret
S: a OK in
C: b NOTIFY SET (PERSONAL (MessageNew MessageExpunge))
S: b OK done
C: c NOOP
S: * STATUS Sent (MESSAGES 3 UIDNEXT 4)
S: c OK nothing
S: * STATUS Sent (MESSAGES 4 UIDNEXT 5)
C: d LOGOUT
S: * BYE
S: d OK bye
"""


def test_what_a_notify_has_set_comes_when_it_came(tmp_path: Path) -> None:
    """Not with the answer to the NOTIFY, which was long over."""
    assert made(tmp_path, NOTIFIED)[1:] == [
        ("NOTIFY", None, None, ["COMPLETION b OK done"], []),
        ("NOOP", None, None, ["NEWS * STATUS Sent (MESSAGES 3 UIDNEXT 4)", "COMPLETION c OK nothing"], []),
        (
            "LOGOUT",
            None,
            None,
            ["UNTAGGED * BYE", "COMPLETION d OK bye"],
            ["NEWS * STATUS Sent (MESSAGES 4 UIDNEXT 5)"],
        ),
    ]


def test_each_step_has_what_was_said_to_it(tmp_path: Path) -> None:
    """A login that was broken off is none, the + for a literal is left out, news comes where it came."""
    assert made(tmp_path, SCRIPT) == [
        ("LOGIN", None, None, ["COMPLETION a NO wrong"], []),
        ("LOGIN", None, None, ["COMPLETION c OK in"], []),
        ("SELECT", None, "Sent", ["UNTAGGED * 3 EXISTS", "COMPLETION d OK [READ-WRITE] selected"], []),
        ("APPEND", "Sent", "Sent", ["NEWS * 1 FETCH (FLAGS ())", "COMPLETION e OK appended"], ["NEWS * 4 EXISTS"]),
        ("IDLE", "Sent", "Sent", ["CONTINUATION + idling", "UNTAGGED * 5 EXISTS", "COMPLETION f OK done"], []),
        ("CLOSE", "Sent", None, ["COMPLETION g OK closed"], []),
        ("LOGOUT", None, None, ["UNTAGGED * BYE", "COMPLETION h OK bye"], []),
    ]
