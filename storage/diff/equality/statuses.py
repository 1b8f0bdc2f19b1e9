"""OK, NO, BAD, BYE and PREAUTH: the end of a command, and untagged ones (M 10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.commands import SELECTS
from proxy.imap.grammar.status import BareCode, Condition, Status
from proxy.imap.transcript import readable
from storage.diff.equality.causes import refusal
from storage.diff.equality.codes import FREE, codes, name_of, one_sided
from storage.diff.equality.rules import Rule
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from proxy.imap.grammar import Tagged
    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.view.dialogue import Dialogue
    from storage.diff.equality.findings import Findings


def completions(found: Findings) -> bool:
    """Whether the command ended with the same word on both sides."""
    left, right = found.left, found.right
    one, other = _ending(left), _ending(right)
    if one == other:
        return True
    found.differ(Kind.STATUS, "completion", _completion(left, one), _completion(right, other), refusal(found))
    return False


def _ending(dialogue: Dialogue) -> str:
    """The word that a command ended with, as read or else as recorded; what became of it where it did not."""
    completion = dialogue.completion
    if completion is None:
        return dialogue.exchange.status or dialogue.exchange.outcome.value
    status = completion.status
    return status.condition.name if isinstance(status, Status) else readable(status.word)


def _completion(dialogue: Dialogue, word: str) -> str:
    completion = dialogue.completion
    if completion is None or not isinstance(completion.status, Status):
        return word
    return _told(completion.status)


def _told(status: Status) -> str:
    code = "" if status.code is None else f" [{readable(name_of(status.code))}]"
    return f"{status.condition.name}{code} {readable(status.text)}".rstrip()


def texts(found: Findings, where: str, left: bytes, right: bytes) -> None:
    """Words for people."""
    if left != right:
        found.let(Rule.FREE_TEXT, where, readable(left), readable(right), Kind.TEXT)


class Codes:
    """All codes that one side has told with OK, and all other untagged statuses."""

    __slots__ = ("ok", "others", "tagged", "text", "texts", "word")

    def __init__(self, completion: Tagged | None, untagged: Sequence[Status | BareCode]) -> None:
        status = completion.status if completion else None
        self.word = status.condition.name if isinstance(status, Status) else ""
        self.text = status.text if isinstance(status, Status) else b""
        self.tagged: AnyCode | None = status.code if isinstance(status, Status) else None
        self.ok: list[AnyCode] = []
        self.others: list[Status] = []
        self.texts: list[bytes] = []
        for each in untagged:
            if isinstance(each, Status) and each.condition not in (Condition.OK, Condition.PREAUTH):
                self.others.append(each)
            elif each.code is not None:
                self.ok.append(each.code)
            else:
                self.texts.append(each.text)


def compare_codes(found: Findings, left: Codes, right: Codes) -> None:
    """The codes of the completion, and those told before it; some may stand in either place."""
    _move(found, left, right, ("in the completion", "before it"))
    _move(found, right, left, ("before it", "in the completion"))
    if left.word == right.word:
        codes(found, left.word, left.tagged, right.tagged)
        texts(found, left.word, left.text, right.text)
    _untagged(found, left.ok, right.ok)
    conditions(found, left.others, right.others)
    if left.texts != right.texts:
        found.let(Rule.FREE_TEXT, "* OK", _joined(left.texts), _joined(right.texts), Kind.TEXT)


def _move(found: Findings, one: Codes, other: Codes, places: tuple[str, str]) -> None:
    """A code in the one side's completion that the other side has told before it."""
    if one.tagged is None or name_of(one.tagged) not in FREE or other.tagged is not None:
        return
    name = name_of(one.tagged)
    there = [place for place, code in enumerate(other.ok) if name_of(code) == name]
    if there and all(name_of(code) != name for code in one.ok):
        other.tagged = other.ok.pop(there[0])
        found.let(Rule.CODE_PLACE, f"OK [{readable(name)}]", *places, Kind.CODE)


def _untagged(found: Findings, left: Sequence[AnyCode], right: Sequence[AnyCode]) -> None:
    lefts, rights = _by_name(left), _by_name(right)
    for name in dict.fromkeys((*lefts, *rights)):
        one, other = lefts.get(name, []), rights.get(name, [])
        for pair in zip(one, other, strict=False):
            codes(found, "* OK", *pair)
        if name == b"HIGHESTMODSEQ" and found.left.exchange.command not in SELECTS:
            if len(one) != len(other):  # news of its own there (M 3.9)
                found.let(Rule.UNSOLICITED, "* OK [HIGHESTMODSEQ]", len(one), len(other), Kind.CODE)
            continue
        for code in one[len(other) :]:
            one_sided(found, "* OK", code, None)
        for code in other[len(one) :]:
            one_sided(found, "* OK", None, code)


def _by_name(told: Sequence[AnyCode]) -> dict[bytes, list[AnyCode]]:
    """NOMODSEQ stands where HIGHESTMODSEQ would (RFC 7162 section 3.1.2)."""
    by_name: dict[bytes, list[AnyCode]] = {}
    for code in told:
        name = name_of(code)
        by_name.setdefault(b"HIGHESTMODSEQ" if name == b"NOMODSEQ" else name, []).append(code)
    return by_name


def conditions(found: Findings, left: Sequence[Status], right: Sequence[Status]) -> None:
    """Untagged NO, BAD and BYE: as often as on the other side, with the same codes."""
    for condition in (Condition.NO, Condition.BAD, Condition.BYE):
        word = f"* {condition.name}"
        one, other = ([each for each in side if each.condition is condition] for side in (left, right))
        for each, counterpart in zip(one, other, strict=False):
            codes(found, word, each.code, counterpart.code)
            texts(found, word, each.text, counterpart.text)
        for each in one[len(other) :]:
            found.differ(Kind.STATUS, word, _told(each), None)
        for each in other[len(one) :]:
            found.differ(Kind.STATUS, word, None, _told(each))


def _joined(told: Sequence[bytes]) -> str | None:
    return readable(b" / ".join(told)) or None
