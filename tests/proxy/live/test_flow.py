"""The flow-control stress test: what a transport must pass before `--transport` may offer it (DESIGN section 6).

Both directions at once, random pauses of either side, writes of 1 B to 64 MiB, every pair of listener and server,
STARTTLS in between, a recorder that is behind; compared are both ends and what is in the file. `--soak` plays many
more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from proxy.imap.transcript import Direction
from storage import Store, Writer, open_store
from tests.proxy.live.conftest import MakeRig
from tests.proxy.live.ends import Ends, Wiring
from tests.proxy.live.flow import MIB, Opening, Plan, StoringSink, open_session
from tests.servers.certificates import Identity

Converse = Callable[..., None]
SCHEMES = ("imap+insecure", "imap", "imaps")
LARGE = 64 * MIB


@pytest.fixture
def seeds(seed: int, soak: bool) -> range:
    """Of the conversations that each test plays."""
    return range(seed, seed + (4 if soak else 1))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """One file for all."""
    with open_store(str(tmp_path_factory.mktemp("flow") / "record.db"), create=True) as store:
        yield store


@pytest.fixture
def converse(make_rig: MakeRig, identity: Identity, store: Store) -> Converse:
    """Play one session from its seed, with `total` bytes or a few more in either direction."""

    def play(listen: str, upstream: str, seed: int, total: int, *, at_once: bool) -> None:
        print(f"seed {seed}")  # noqa: T201 - told when the test fails
        up, down = (Plan.of(seed, total, down=down, at_once=at_once) for down in (False, True))

        async def scenario(ends: Ends) -> Opening:
            opening = await open_session(ends, listen, upstream, identity)
            await asyncio.gather(
                up.give(ends.client), up.take(ends.server), down.give(ends.server), down.take(ends.client)
            )
            return opening

        # So few bytes may wait for the disk that the recorder is behind most of the time.
        writer = Writer(store, queue_bytes=total // 4)
        with Wiring(make_rig, identity, listen, upstream, sink=StoringSink(writer)) as wire:
            opening = wire.play(scenario, greet=False)
            wire.rig.told()
        writer.close()
        assert not writer.failed
        [session] = store.sessions(writer.recording)
        for direction, expected in (
            (Direction.CLIENT, opening.client + up.said),
            (Direction.SERVER, opening.server + down.said),
        ):
            stored = b"".join(store.stream(session, direction))
            assert (len(stored), stored == expected) == (len(expected), True), direction
        store.remove(store.recording(str(writer.recording.id)))

    return play


@pytest.mark.parametrize("upstream", SCHEMES)
@pytest.mark.parametrize("listen", SCHEMES)
def test_every_byte_arrives_in_its_place(
    converse: Converse, listen: str, upstream: str, seeds: range, soak: bool
) -> None:
    """All pairs, writes of 1 B to 8 MiB."""
    for seed in seeds:
        converse(listen, upstream, seed, 16 * MIB if soak else 2 * MIB, at_once=False)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_every_byte_of_a_large_write_arrives(converse: Converse, scheme: str, seeds: range, soak: bool) -> None:
    """64 MiB in one write, in either direction; less of it in the short form where there is no TLS, or STARTTLS."""
    for seed in seeds:
        converse(scheme, scheme, seed, LARGE if soak or scheme == "imaps" else LARGE // 8, at_once=True)
