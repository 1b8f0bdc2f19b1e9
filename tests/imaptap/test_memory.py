"""Memory that is not needed goes back to the system."""

from __future__ import annotations

import ctypes
import gc
import threading
import time
import weakref
from pathlib import Path

import pytest

from imaptap import memory

_BLOCK = 4096


def resident() -> int:
    """Bytes of this process's own memory that are in use."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:"))


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "malloc_trim"), reason="another C library than glibc")
def test_holes_are_given_back() -> None:
    """Many small blocks, of which the last one stays: without help the heap could not shrink below it."""
    blocks = [bytes(_BLOCK) for _ in range(25_000)]
    blocks[:] = [bytes(_BLOCK)]
    gc.collect()
    held = resident()

    with memory.kept_small(0.001):
        for _ in range(2000):
            if resident() <= held - 50 * 1024 * 1024:
                return
            time.sleep(0.01)
    pytest.fail("nothing was given back")


class Circle:
    """Refers to itself, as a session does that is over."""

    def __init__(self) -> None:
        self.itself = self


def test_garbage_is_looked_for_though_nothing_is_made_anew() -> None:
    gc.disable()
    try:
        left = weakref.ref(Circle())
        assert left() is not None
        with memory.kept_small(0.001):
            for _ in range(2000):
                if left() is None:
                    return
                time.sleep(0.01)
        pytest.fail("it is still there")
    finally:
        gc.enable()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def another(_: object) -> object:
        asked.set()
        return object()

    monkeypatch.setattr(ctypes, "CDLL", another)
    with memory.kept_small(0):
        assert asked.wait(20)


def test_what_is_over_at_once_looks_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[bool] = []
    monkeypatch.setattr(memory, "_trim", lambda: looked.append(True))
    with memory.kept_small(60):
        pass
    assert not looked
    assert not any(thread.name == "imaptap-memory" for thread in threading.enumerate())
