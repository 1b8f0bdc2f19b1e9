"""Sequences of commands: those that repeat are folded, and sequences that differ in counts only are one way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.portrait.values import Block, Way

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.imap.portrait.acts import Act

PERIOD_MOST = 6
BLOCKS_MOST = 40
WAYS_MOST = 1000


class Ways:
    """Gathers the sequences of one situation."""

    def __init__(self) -> None:
        self._found: dict[tuple[tuple[str, ...], ...], Way] = {}
        self._others = 0

    def add(self, sequence: Sequence[Act]) -> None:
        """A sequence that was seen."""
        blocks = tuple(folded(sequence))
        key = tuple(block.forms for block in blocks)
        known = self._found.get(key)
        if known is not None:
            blocks = tuple(_both(*pair) for pair in zip(known.blocks, blocks, strict=True))
        elif len(self._found) >= WAYS_MOST:
            self._others += 1
            return
        self._found[key] = Way(blocks, 1 + (known.times if known else 0))

    def ranked(self) -> tuple[tuple[Way, ...], int]:
        """The ways, the most frequent one first, and how many sequences came when there was no room for more."""
        return tuple(sorted(self._found.values(), key=lambda way: -way.times)), self._others


def folded(sequence: Sequence[Act]) -> Iterator[Block]:
    """Blocks in their order; one that ends in `…` stands for all behind the fortieth."""
    forms = [act.form for act in sequence]
    pos = count = 0
    while pos < len(forms):
        if count == BLOCKS_MOST:
            yield Block(("…",))
            return
        period, times = _repeat(forms, pos)
        end = pos + period * times
        # The first command of a sequence may follow one of another kind, which is no pipelining within it.
        waiting = (act.in_flight for act in sequence[max(pos, 1) : end])
        yield Block(tuple(forms[pos : pos + period]), times, times, any(waiting))
        pos, count = end, count + 1


def _repeat(forms: Sequence[str], pos: int) -> tuple[int, int]:
    """The period and the number of the repetitions that cover most from `pos` on."""
    best = 1, 1
    for period in range(1, PERIOD_MOST + 1):
        end = pos + period
        while end < len(forms) and forms[end] == forms[end - period]:
            end += 1
        times = (end - pos) // period
        if times > 1 and times * period > best[0] * best[1]:
            best = period, times
    return best


def _both(one: Block, other: Block) -> Block:
    return Block(one.forms, min(one.least, other.least), max(one.most, other.most), one.pipelined or other.pipelined)


def runs(acts: Iterable[Act]) -> Iterator[list[Act]]:
    """Acts of one session, cut where the situation changes, and before each command that opens a mailbox."""
    run: list[Act] = []
    for act in acts:
        if run and (act.situation is not run[-1].situation or act.step.name in ("SELECT", "EXAMINE")):
            yield run
            run = []
        run.append(act)
    if run:
        yield run
