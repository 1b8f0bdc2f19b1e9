"""What goes wrong with a store, said to a person: one sentence with names and numbers, and one hint."""

from __future__ import annotations


class StorageError(Exception):
    """The store cannot do what was asked. `str()` is the sentence, `hint` what to try."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class NotOursError(StorageError):
    """What lies there is of another program."""


class GapError(StorageError):
    """Bytes `start` up to `end` of a stream were never recorded; `end` is None when nobody knows where they end.

    Reading can go on behind the hole: ask for the stream again with `start=error.end`.
    """

    def __init__(self, start: int, end: int | None) -> None:
        what = f"bytes {start} to {end}" if end is not None else f"all bytes from {start} on"
        super().__init__(
            f"The recording has a hole: {what} of this stream were never written.",
            "The session's gap events say when and why; the bytes on both sides of the hole are intact.",
        )
        self.start = start
        self.end = end


class LeftOutError(GapError):
    """Bytes `start` up to `end` of a stream were not kept, as `--max-literal` or `--bodies` asked.

    Reading can go on behind them.
    """

    def __init__(self, start: int, end: int) -> None:
        message = f"Bytes {start} to {end} of this stream are of a literal that was not kept (--max-literal, --bodies)."
        hint = "`imaptap show` tells its length, and its SHA-256 if there is one; those on both sides are intact."
        StorageError.__init__(self, message, hint)
        self.start = start
        self.end = end
