"""What can go wrong with the connection to a target, in words: each is a sentence and a hint (`LiveError`)."""

from __future__ import annotations

from proxy.live.errors import LiveError
from proxy.live.upstream import without_greeting


def no_greeting(url: str) -> LiveError:
    """The connection was closed before the server had said anything."""
    return LiveError(*without_greeting(url))


def no_imap(url: str) -> LiveError:
    """What it said first is no greeting."""
    return LiveError(f"{url} did not greet as an IMAP server.", "Check host and port.")


def turned_away(url: str, bye: str) -> LiveError:
    """It greeted with BYE."""
    return LiveError(f"{url} greeted with BYE: {bye}", "Ask it later, or ask whoever runs it.")


def silent(url: str, seconds: float, *, greeted: bool) -> LiveError:
    """It owes something and has said nothing for so long."""
    what = "has not answered" if greeted else "has not greeted"
    hint = "--timeout waits longer." if greeted else "If that port speaks TLS from the start, use imaps://."
    return LiveError(f"{url} {what} for {seconds:g} s.", hint)


def gone(url: str, bye: str, error: Exception | None) -> LiveError:
    """It closed the connection, after `bye` if it said so, or an error did."""
    said = f" after BYE: {bye}" if bye else ""
    # A fault of our own may quote what was said.
    words = str(error) if isinstance(error, OSError) else ""
    why = f": {words or type(error).__name__}" if error else ""
    return LiveError(f"{url} closed the connection{said}{why}.", "What was said until then is on record.")
