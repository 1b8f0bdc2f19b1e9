"""Whether a session that is logged in clear was protected on the wire."""

from __future__ import annotations

import re

from proxy.imap.transcript import Direction, Layer

_ASKED = re.compile(rb"([^ \r\n]+) STARTTLS\r?\n", re.IGNORECASE)


class Tls:
    """Follows what is said: `layer` is what it comes in."""

    def __init__(self, layer: Layer) -> None:
        self.layer = layer
        self._tag: bytes | None = None

    def said(self, side: Direction, line: bytes) -> None:
        """A line has been said; behind an OK to STARTTLS everything is protected (RFC 9051 section 6.2.1)."""
        if self.layer & Layer.TLS:
            return
        if side is Direction.CLIENT:
            found = _ASKED.fullmatch(line)
            self._tag = found[1] if found else self._tag
        elif self._tag is not None and line.upper().startswith(self._tag.upper() + b" OK"):
            self.layer = Layer.TLS
