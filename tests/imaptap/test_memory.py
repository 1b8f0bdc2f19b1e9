"""Memory that is not needed goes back to the system."""

from __future__ import annotations

import asyncio
import ctypes
import gc
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

    async def wait() -> None:
        async with memory.kept_small(0.001):
            while resident() > held - 50 * 1024 * 1024:  # noqa: ASYNC110 - the kernel tells nobody
                await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(wait(), 20))


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())

    async def nothing() -> str:
        async with memory.kept_small(0):
            return "done"

    assert asyncio.run(nothing()) == "done"
