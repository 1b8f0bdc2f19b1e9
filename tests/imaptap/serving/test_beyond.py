"""How often a server is asked that refuses, and what of it is on record."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from imaptap.serving.beyond import Beyond
from imaptap.serving.far import Answer
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.replay.serving.logins import Door
from proxy.replay.serving.standing import Standing
from proxy.replay.serving.values import Ask

if TYPE_CHECKING:
    from imaptap.serving.far import Far
    from proxy.live.tap import Tap


class Refusing:
    """A server that lets nobody in, and counts."""

    endpoint = Endpoint(Security.TLS, "far", 993)
    asked = 0

    async def enter(self, _: Standing, ask: Ask) -> Answer:
        self.asked += 1
        if ask.unit is None and self.asked > 3:
            return Answer(b"q NO not you\r\n", None)
        raise LiveError(f"it is away, says\r\n* {self.asked}.")


class Ear:
    """A tap."""

    session = 7

    def __init__(self) -> None:
        self.events: list[str] = []

    def event(self, _kind: object, name: str, text: str, _side: object) -> None:
        self.events.append(f"{name}: {text}")


def test_a_server_that_refuses_is_asked_once_where_nothing_has_changed() -> None:
    """It might lock somebody out, or take a minute each time. What it says cannot pass for an answer."""

    async def main() -> None:
        far, ear, standing, went = Refusing(), Ear(), Standing(), list[tuple[int, str]]()
        beyond = Beyond(cast("Far", far), standing, cast("Tap", ear), lambda *what: went.append(what))

        async def refusal() -> str:
            ask = Ask(b"q", "XASK", None, logged_in=False)
            assert await beyond.ask(ask) == b""
            assert beyond.known.is_set()
            beyond.known.clear()
            return ask.refusal

        assert [await refusal() for _ in range(3)] == ["it is away, says\\x0d\\x0a* 1"] * 3
        standing.logs_in(Door().login(b"bob", b"secret"), "LOGIN")
        assert [await refusal() for _ in range(2)] == ["it is away, says\\x0d\\x0a* 2"] * 2
        standing.selections += 1
        assert (await refusal(), far.asked) == ("it is away, says\\x0d\\x0a* 3", 3)
        assert (went, ear.events, beyond.pipe) == ([], [], None)

    asyncio.run(main())


def test_a_login_that_a_server_refuses_is_on_record_as_its_answer() -> None:
    """And the session goes on here."""

    async def main() -> None:
        far, ear, went = Refusing(), Ear(), list[tuple[int, str]]()
        far.asked = 3
        beyond = Beyond(cast("Far", far), Standing(), cast("Tap", ear), lambda *what: went.append(what))
        ask = Ask(b"q", "LOGIN bob", None, logged_in=True)
        assert await beyond.ask(ask) == b"q NO not you\r\n"
        assert (ask.taken, ask.refusal, went) == (False, "", [(7, "LOGIN bob")])
        assert ear.events == ["asked upstream: imaps://far:993 answers what the recording does not know"]

    asyncio.run(main())
