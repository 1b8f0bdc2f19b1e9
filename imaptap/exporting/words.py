"""An exchange in words that fit into one line, safe to print."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.transcript import Origin, readable

if TYPE_CHECKING:
    from proxy.imap.transcript import Exchange


def plain(text: str) -> str:
    """The text on one line that no terminal obeys: control characters and what is no Unicode as \\xNN."""
    return readable(text.encode("utf-8", "surrogatepass"))


def said(exchange: Exchange) -> str:
    """The command with its arguments."""
    return plain(f"{exchange.command} {exchange.arguments}".strip())


def result(exchange: Exchange) -> str:
    """The status with its code; with the server's words too where it did not say OK; or what there was instead."""
    if exchange.status is None:
        return str(exchange.outcome)
    words = [exchange.status, f"[{exchange.code}]" if exchange.code else ""]
    if exchange.status != "OK":
        words.append(exchange.text or "")
    return plain(" ".join(word for word in words if word))


def took(exchange: Exchange) -> str:
    """How long it took, from the command's first byte to its result."""
    if exchange.ended is None:
        return "-"
    milliseconds = (exchange.ended - exchange.started) / 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def marks(exchange: Exchange) -> str:
    """What was odd about it."""
    own = ("sent by imaptap",) if exchange.origin is Origin.PROXY else ()
    return plain(", ".join((*own, *exchange.marks)))
