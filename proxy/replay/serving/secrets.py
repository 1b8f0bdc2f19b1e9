"""What a client says, without its secrets: as a recording has it, with which it is compared, and which may be told."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.imap.ledger import MASK
from proxy.imap.masking import masked
from proxy.imap.secrets import CommandSecrets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.commands import CommandHead
    from proxy.imap.units import Literal, Unit


def without_secrets(unit: Unit, head: CommandHead, *, authenticated: bool) -> Unit:
    """The command with all masked that would be in a recording (M 7.1-7.6): a mistyped LOGIN holds a password, too."""
    secrets = CommandSecrets(head, authenticated=authenticated)
    texts: list[bytes] = []
    literals = list(_literals(unit, secrets, texts))
    return unit._replace(texts=tuple(texts), literals=tuple(literals))


def _literals(unit: Unit, secrets: CommandSecrets, texts: list[bytes]) -> Iterator[Literal]:
    last = len(unit.texts) - 1
    for index, text in enumerate(unit.texts):
        texts.append(masked(text, secrets.line(text, first=index == 0, last=index == last)))
        if index < len(unit.literals):
            literal = unit.literals[index]
            hidden = secrets.literal_is_secret and literal.content is not None
            yield replace(literal, content=MASK * literal.size) if hidden else literal
