"""What the clients of the tests do against the RFCs, as docs/lint.md explains it."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

ANY = "any client"
_ROW = re.compile(
    r"^\| ([a-z0-9-]+|any client|Dovecot|Cyrus) \| `([a-z0-9-]+)` \| (note|warning|error) \| [^|]+ \|$", re.MULTILINE
)


@cache
def explained() -> frozenset[tuple[str, str, str]]:
    """Client (or server), rule and severity of each row of the table."""
    page = (ROOT / "docs" / "lint.md").read_text()
    return frozenset((match[1], match[2], match[3]) for match in _ROW.finditer(page))


def unexplained(findings: Iterable[dict[str, Any]], client: str, server: str) -> list[str]:
    """Warnings and errors that the table has no row for, in short."""
    rows = explained()
    return [
        f"{names[0]}: {finding['severity']} {finding['rule']}: {finding['bytes']} ({finding['detail']})"
        for finding in findings
        for names in ({"client": (client, ANY), "server": (server,)}[finding["side"]],)
        if finding["severity"] != "note"
        and not any((name, finding["rule"], finding["severity"]) in rows for name in names)
    ]
