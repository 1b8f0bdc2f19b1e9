"""Counters and turns between processes, also when one of them is killed with the turn in its hand."""

from __future__ import annotations

import contextlib
import functools
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from imaptap.workers import shared as shared_module
from imaptap.workers.shared import Shared
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

COUNTS = 400
TURN = 0
"""Its place in the queue."""

COUNT = """
import sys
from imaptap.workers.shared import Shared
shared = Shared(int(sys.argv[1]))
print(*(next(shared.session_numbers) for _ in range(int(sys.argv[2]))))
print(*(next(shared.sharing.event_numbers) for _ in range(int(sys.argv[2]))))
"""

HOLD = """
import sys
from imaptap.workers.shared import Shared
with Shared(int(sys.argv[1])).sharing.turn():
    print("mine", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def shared() -> Iterator[Shared]:
    made = Shared.make()
    yield made
    made.close()


@contextlib.contextmanager
def process(shared: Shared, program: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", program, str(shared.descriptor), *words]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, pass_fds=[shared.descriptor], text=True, **pipes) as running:
        try:
            yield running
        finally:
            running.kill()


def test_every_number_is_given_once(shared: Shared) -> None:
    """To three processes at the same time, which between them leave none out."""
    with contextlib.ExitStack() as stack:
        counting = [stack.enter_context(process(shared, COUNT, str(COUNTS))) for _ in range(3)]
        said = [[line.split() for line in each.communicate()[0].splitlines()] for each in counting]
    for counter in (0, 1):
        numbers = [[int(number) for number in each[counter]] for each in said]
        assert sorted(number for each in numbers for number in each) == list(range(1, 3 * COUNTS + 1))
        assert all(each == sorted(each) for each in numbers)
    assert next(shared.session_numbers) == 3 * COUNTS + 1


def test_the_turn_is_one_processs(shared: Shared, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others wait, but not for ever: it may hang."""
    with process(shared, HOLD) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "mine\n"
        assert not shared._take(TURN)
        monkeypatch.setattr(shared_module, "TURN_SECONDS", 0.05)
        with shared.sharing.turn():
            assert not shared._take(TURN), "it went on without the turn, and has not taken it from its holder"
        holder.communicate("")
    with shared.sharing.turn(), process(shared, HOLD) as other:
        assert other.stdout
        other.send_signal(signal.SIGTERM)
        assert other.stdout.read() == "", "it had to wait"
    assert shared._take(TURN), "everything was given back"


def test_nobody_is_overtaken(shared: Shared) -> None:
    """Those who wait get their turns in the order in which they came."""

    def taken(place: int) -> bool:
        if shared._take(place):
            shared._leave(place)
            return False
        return True

    with contextlib.ExitStack() as stack:
        waiting = list[subprocess.Popen[str]]()
        for place in range(4):
            waiting.append(stack.enter_context(process(shared, HOLD)))
            until(functools.partial(taken, place), f"somebody in place {place}")
        for each in waiting:
            assert each.stdout
            assert each.stdout.readline() == "mine\n"
            each.communicate("")


def test_who_is_killed_holds_nobody_up(shared: Shared) -> None:
    with process(shared, HOLD) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "mine\n"
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        assert shared._take(TURN)


def test_the_turn_is_one_threads(shared: Shared) -> None:
    """The parent has two that write, and to the system they are one process."""
    inside, most = 0, 0

    def write() -> None:
        nonlocal inside, most
        for _ in range(50):
            with shared.sharing.turn():
                inside += 1
                most = max(most, inside)
                threading.Event().wait(0.0001)
                inside -= 1

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (inside, most) == (0, 1)
