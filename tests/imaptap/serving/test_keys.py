"""News by a key: who gets it, and what a terminal is like meanwhile and afterwards."""

from __future__ import annotations

import asyncio
import os
import termios
import tty

import pytest

from imaptap.serving.keys import Keys


def test_each_press_is_for_the_client_that_waits_longest() -> None:
    """Other keys are none; one that goes uses none, and what is pressed while nobody waits does nothing."""

    async def main() -> None:
        keys = Keys(0)
        keys.pressed(b"  \n")
        waiting = [asyncio.ensure_future(keys.next()) for _ in range(5)]
        await asyncio.sleep(0)
        keys.pressed(b"xq\x1b[A")
        waiting[0].cancel()
        await asyncio.sleep(0)
        keys.pressed(b" x\r")
        await asyncio.gather(*waiting[1:3])
        assert [task.done() for task in waiting] == [True, True, True, False, False]
        keys.pressed(b"\n" * 100)
        await asyncio.gather(*waiting[3:])

    asyncio.run(main())


def test_a_key_and_a_cancellation_at_once_lose_nothing() -> None:
    """A client that goes in the moment of a press does not fail."""

    async def main() -> None:
        keys = Keys(0)
        waiting = asyncio.ensure_future(keys.next())
        await asyncio.sleep(0)
        waiting.cancel()
        keys.pressed(b"  ")
        with pytest.raises(asyncio.CancelledError):
            await waiting

    asyncio.run(main())


def test_a_terminal_is_as_it_was_afterwards() -> None:
    """Keys are heard at once and not shown; Ctrl-C stays what it is. Its end ends nothing."""

    async def main() -> None:
        ours, theirs = os.openpty()
        before = termios.tcgetattr(theirs)
        keys = Keys(theirs)
        with keys.heard():
            pressed = asyncio.ensure_future(keys.next())
            await asyncio.sleep(0)
            os.write(ours, b" ")
            await asyncio.wait_for(pressed, 20)
        assert termios.tcgetattr(theirs) == before
        assert before[tty.LFLAG] & termios.ISIG
        os.close(ours)
        os.close(theirs)

    asyncio.run(main())
