"""Who is let in: nobody while the doors are barred, whoever leaves meanwhile."""

from __future__ import annotations

import asyncio
import socket

from proxy.live.doors import Doors


def test_barred_doors_stay_shut_when_somebody_leaves() -> None:
    async def scene() -> None:
        knocks = asyncio.Semaphore(0)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            doors = Doors(1, lambda: None)
            doors.add(listener, knocks.release)
            doors.open()
            doors.entered()
            doors.bar()
            doors.left()
            with socket.create_connection(listener.getsockname()):
                for _ in range(5):
                    await asyncio.sleep(0)
                assert knocks.locked()
                doors.unbar()
                await knocks.acquire()
            doors.close()

    asyncio.run(asyncio.wait_for(scene(), 20))


def test_doors_that_are_unbarred_while_all_places_are_taken_stay_shut() -> None:
    async def scene() -> None:
        knocks = asyncio.Semaphore(0)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            doors = Doors(1, lambda: None)
            doors.add(listener, knocks.release)
            doors.bar()
            doors.open()
            doors.entered()
            doors.unbar()
            with socket.create_connection(listener.getsockname()):
                for _ in range(5):
                    await asyncio.sleep(0)
                assert knocks.locked()
                doors.left()
                await knocks.acquire()
            doors.close()

    asyncio.run(asyncio.wait_for(scene(), 20))
