"""What can go wrong before or during a session, in two sentences: what happened, and what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class LiveError(Exception):
    """`str()` says what happened; `hint` what to do about it."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def loop_fault(context: Mapping[str, Any]) -> tuple[str, str] | None:
    """What to say of a fault that an event loop reports, and what to do; None for what is none.

    The loop itself would print it, traffic and all.
    """
    error = context.get("exception")
    # aiofastnet complains of every peer that hangs up during a handshake, with the class for an exception.
    if error is ConnectionResetError or isinstance(error, OSError):
        return None
    what = f"{context.get('message', 'something')} ({type(error).__name__})"
    return f"The event loop reports a fault: {what}.", "Please report this."
