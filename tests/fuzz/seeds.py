"""What the fuzzer begins with: every script, and the corpus where it lies beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from tests.fuzz.form import write
from tests.need import shared
from tests.proxy.imap import corpus
from tests.proxy.imap.playing import Said
from tests.proxy.imap.scripts import everything, load

SEED_MAX = 8192
"""Longer ones teach the fuzzer nothing that shorter ones do not, and are slow."""


def scripts() -> Iterator[bytes]:
    """All scripts, with options and cuts that differ."""
    for number, path in enumerate(everything()):
        turns = load(path).turns
        yield write(turns, number % 256)
        # The same in small pieces, so that there are marks to be moved.
        yield write([x for turn in turns for x in _pieces(turn)], (37 * number) % 256)


def _pieces(turn: object) -> Iterator[Said]:
    if isinstance(turn, Said):
        for pos in range(0, len(turn.data), 11):
            yield Said(turn.direction, turn.data[pos : pos + 11], turn.layer)


def wild() -> Iterator[bytes]:
    """The corpus: nothing where it is not there."""
    if shared() is None:
        return
    for record in corpus.records().values():
        yield write(corpus.on_the_wire(corpus.clear(record)))


def sow(folder: Path) -> int:
    """Write all seeds of a bearable size into a folder. Returns how many there are."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for seed in (*scripts(), *wild()):
        if len(seed) <= SEED_MAX:
            (folder / sha256(seed).hexdigest()[:20]).write_bytes(seed)
            count += 1
    return count
