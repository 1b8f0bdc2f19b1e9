"""What rows of bytes have in common: read them, look at the value, write it again."""

from __future__ import annotations

from typing import Any

from proxy.imap.grammar import Parsed, cut, joined, parse_command, parse_response, write
from proxy.imap.transcript import Direction


def server(line: bytes) -> Parsed[Any]:
    """A server's line, its CRLF added."""
    return parse_response(cut(line + b"\r\n", Direction.SERVER))


def client(line: bytes) -> Parsed[Any]:
    """A client's line, its CRLF added."""
    return parse_command(cut(line + b"\r\n", Direction.CLIENT))


def written(value: Any) -> bytes:
    """The value's canonical spelling, without its CRLF."""
    return joined(write(value)).removesuffix(b"\r\n")
