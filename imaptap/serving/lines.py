"""Recorded lines as they are served: read from the recording, with the tags and the capabilities of now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.capabilities import CapabilityRewriter, Words, may_hold_list
from proxy.replay.serving.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.replay.serving.values import Play

_LIST_MOST = 4096
_TOGETHER_MOST = 64 * 1024


def follows(run: Sequence[Play], play: Play) -> bool:
    """Whether this line can be read along with those of the run: to ask the store for each of a thousand takes long."""
    if run[0].scene is not play.scene or run[-1].line.end != play.line.start:
        return False
    lines = (run[-1].line, play.line)
    short = all(line.end - line.start <= _LIST_MOST for line in lines)
    return short and play.line.end - run[0].line.start <= _TOGETHER_MOST


class Lines:
    """Makes bytes of lines."""

    def __init__(self, mechanisms: frozenset[str]) -> None:
        """`mechanisms` are those with which clients can log in."""
        self._lists = CapabilityRewriter(Words(hide_starttls=True, hide_logindisabled=True, mechanisms=mechanisms))

    def of(self, play: Play) -> Iterator[bytes]:
        """One line, in parts. Raises StorageError where the recording has lost it."""
        line = play.line
        if line.end - line.start <= _LIST_MOST or line.varying:
            yield self.together([play])
            return
        parts = iter(play.scene.read(line.start, line.end))
        yield _retagged(next(parts, b""), play)
        yield from parts

    def together(self, run: Sequence[Play]) -> bytes:
        """Lines that follow each other. Raises StorageError where the recording has lost one of them."""
        start = run[0].line.start
        data = b"".join(run[0].scene.read(start, run[-1].line.end))
        lines = (_made(data[play.line.start - start : play.line.end - start], play) for play in run)
        return b"".join(map(self.with_lists, lines))

    def with_lists(self, data: bytes) -> bytes:
        """A line with those capabilities only that can be served."""
        if may_hold_list(data) and (rewrite := self._lists.rewrite(data, 0)):
            data = data[: rewrite.offset] + rewrite.sent + data[rewrite.offset + len(rewrite.received) :]
        return data


def _made(data: bytes, play: Play) -> bytes:
    return _retagged(_varied(data, play), play)


def _varied(data: bytes, play: Play) -> bytes:
    """With what the client has said where it varies. Literals keep their size: what does not fit is not taken."""
    said, literal = dict(play.said), b"}\r\n" in data[:-2]
    for place in sorted(play.line.varying, reverse=True):
        new = said.get(place.name.replace("-", "_"))
        start, end = place.start - play.line.start, place.end - play.line.start
        if new is not None and (not literal or len(new) == end - start):
            data = data[:start] + new + data[end:]
    return data


def _retagged(data: bytes, play: Play) -> bytes:
    """A completion with the tag of the command that it completes now."""
    if play.line.kind is not Kind.COMPLETION:
        return data
    return play.tag + data[data.find(b" ") :]
