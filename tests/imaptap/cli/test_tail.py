"""`imaptap tail`: what has ended, what ends while one looks, and the end."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from imaptap.cli import tail
from storage import Writer, open_store
from tests.imaptap.telling import Tale

if TYPE_CHECKING:
    from tests.imaptap.cli.conftest import Program


def tags(output: str) -> list[str]:
    return [json.loads(line)["tag"] for line in output.splitlines()]


def test_of_a_recording_that_has_ended(two: Program) -> None:
    commands = [line.split()[3] for line in two.lines("tail", "typed")]
    assert commands == ["LOGIN", "SELECT", "FETCH", "LOGOUT", "NOOP"]
    assert [line.split()[3] for line in two.lines("tail", "typed", "-n", "2")] == ["LOGOUT", "NOOP"]
    assert two.lines("tail", "typed", "--lines", "0") == []
    (line,) = two.lines("tail")
    assert "b1       NOOP" in line
    assert "NO [ALERT] not now" in line


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ((), ["a1", "a2", "a3"]),
        (("--filter", "cmd:NOOP"), ["a1", "a3"]),
        (("--filter", "cmd:IDLE status:OK"), ["a2"]),
        (("--filter", "client:127.0.0.1 not cmd:IDLE"), ["a1", "a3"]),
    ],
)
def test_exchanges_that_end_while_one_looks(
    program: Program, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], shown: list[str]
) -> None:
    """The recorder goes on each time `tail` rests; it stops after three times."""
    tale = Tale().say("S: * OK hi\nC: a1 NOOP\nS: a1 OK\nC: a2 IDLE\nS: + ok")
    with open_store(program.db, create=True) as store:
        writer = Writer(store, "now")
        steps = iter([lambda: tale.say("C: DONE\nS: a2 OK\nC: a3 NOOP"), lambda: tale.say("S: a3 OK"), tale.end])

        def rest(_: float) -> None:
            told = len(tale.so_far())
            step = next(steps, None)
            if step:
                step()
            for record in tale.so_far()[told:] if step != tale.end else tale.records[told:]:
                writer.put(record)
            if step == tale.end:
                writer.close()

        for record in list(tale.so_far()):
            writer.put(record)
        monkeypatch.setattr(tail.time, "sleep", rest)
        done = program("tail", "now", "--json", *words)
    assert (done.exit_code, tags(done.stdout)) == (0, shown)


def test_ctrl_c_is_how_it_is_left(two: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(tail, "_follow", interrupted)
    assert two("tail", "typed").exit_code == 0


def test_json_is_a_line_an_exchange(two: Program) -> None:
    done = two("tail", "typed", "--json")
    assert tags(done.stdout) == [".", ".", ".", ".", "a1"]
    assert json.loads(done.stdout.splitlines()[0])["command"] == "LOGIN"


def test_of_nothing(program: Program, two: Program) -> None:
    assert "'nothing'" in two.refused("tail", "nothing")
