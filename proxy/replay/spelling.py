"""A recorded command as bytes again: in the client's own spelling, or written anew where something in it changed."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from proxy.imap.grammar import write
from proxy.imap.units import LITERAL_REFUSED, Literal, Unit

if TYPE_CHECKING:
    from proxy.imap.grammar import Command
    from proxy.imap.offers import Offers

_REFUSED = "the recorded server refused its literal, so what would follow is not known"
_ANNOUNCEMENT = re.compile(rb"\{([0-9]+)\+?\}(\r?\n)\Z")


def never_whole(unit: Unit) -> str | None:
    """Why the recording has not all of the command; None where it has."""
    if LITERAL_REFUSED in unit.flaws:
        return _REFUSED
    if "cut" in unit.flaws or not unit.texts or not unit.texts[-1].endswith(b"\n"):
        return "the recording ends within it"
    size = sum(map(len, unit.texts)) + sum(literal.size for literal in unit.literals)
    if size == unit.end - unit.start:
        return None
    refused = len(unit.texts) > len(unit.literals) and _ANNOUNCEMENT.search(unit.texts[-1])
    return _REFUSED if refused else "the recording has not all of its text"


def respelled(unit: Unit, old: bytes, tag: bytes, offers: Offers) -> tuple[Unit, tuple[str, ...]]:
    """The recorded unit with another tag, and its literals as the target takes them; and what changed of these."""
    texts = [tag + unit.texts[0][len(old) :], *unit.texts[1:]]
    return _announced(texts, unit.literals, tuple(literal.synchronising for literal in unit.literals), offers)


def rewritten(command: Command, unit: Unit, offers: Offers) -> tuple[Unit, tuple[str, ...]] | None:
    """The command in its canonical spelling, contents that lie elsewhere where they lie in the recorded `unit`.

    None where its large literals are not those of the recording.
    """
    written = write(command)
    elsewhere = [literal for literal in unit.literals if literal.content is None]
    literals: list[Literal] = []
    for literal in written.literals:
        if literal.content is None:
            if not elsewhere or elsewhere[0].size != literal.size:
                return None
            literal = replace(literal, start=elsewhere.pop(0).start)  # noqa: PLW2901
        literals.append(literal)
    if elsewhere:
        return None
    waits = any(literal.synchronising for literal in unit.literals) or not unit.literals
    return _announced(list(written.texts), tuple(literals), (waits,) * len(literals), offers)


def _announced(
    texts: list[bytes], literals: tuple[Literal, ...], waits: tuple[bool, ...], offers: Offers
) -> tuple[Unit, tuple[str, ...]]:
    changes: list[str] = []
    made: list[Literal] = []
    for at, (literal, wait) in enumerate(zip(literals, waits, strict=True)):
        synchronising = wait or not offers.takes(literal.size)
        if synchronising and not wait:
            changes.append(f"{{{literal.size}+}} → {{{literal.size}}}")
        mark = b"" if synchronising else b"+"
        texts[at] = _ANNOUNCEMENT.sub(rb"{\g<1>" + mark + rb"}\g<2>", texts[at])
        made.append(replace(literal, synchronising=synchronising))
    end = sum(map(len, texts)) + sum(literal.size for literal in made)
    return Unit(0, end, tuple(texts), tuple(made), ()), tuple(changes)
