"""SEARCH, SORT and ESEARCH: what was found, whatever way it was told (M 10.4, 10.8)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.grammar.search_commands import Search, Sort
from proxy.imap.grammar.search_results import ESearch, Found, Partial, Update
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.transcript import readable
from storage.diff.equality import ids
from storage.diff.equality.causes import numbers_differ
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import listed
from storage.diff.values import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from proxy.imap.grammar.search_results import ReturnData
    from storage.diff.equality.findings import Findings

_PLAIN = (b"COUNT", b"MIN", b"MAX")


@dataclass(slots=True)
class _Result:
    """What one side has found in one mailbox. `numbers` is None where not all of them were told."""

    numbers: list[int] | None = None
    uid: bool = False
    forms: set[str] = field(default_factory=set[str])
    told: dict[bytes, ReturnData] = field(default_factory=dict["bytes", "ReturnData"])
    modseq: int | None = None

    def add(self, numbers: Iterable[int]) -> None:
        """More messages of the same result."""
        if self.numbers is None:
            self.numbers = []
        self.numbers.extend(numbers)

    def get(self, name: bytes) -> int | None:
        """COUNT, MIN or MAX, told or derived."""
        value = self.told.get(name)
        if isinstance(value, int):
            return value
        if self.numbers is None:
            return None
        if name == b"COUNT":
            return len(self.numbers)
        return (min if name == b"MIN" else max)(self.numbers, default=None)


def searches(found: Findings, left: Sequence[Found | ESearch], right: Sequence[Found | ESearch]) -> None:
    """All SEARCH, SORT and ESEARCH data of one command, by mailbox where several were searched (RFC 7377)."""
    lefts, rights = _results(found, left, mapped=True), _results(found, right, mapped=False)
    for name in dict.fromkeys((*lefts, *rights)):
        one, other = lefts.get(name) or _nothing(found), rights.get(name) or _nothing(found)
        _result(found, name, one, other)


def _results(found: Findings, told: Sequence[Found | ESearch], *, mapped: bool) -> dict[str, _Result]:
    results: dict[str, _Result] = {}
    uid = found.left.exchange.command.startswith("UID ")
    for each in told:
        name = ""
        if isinstance(each, ESearch) and each.mailbox is not None:
            name = ids.right_name(found, each.mailbox) if mapped else each.mailbox.name
        result = results.setdefault(name, _Result(uid=uid))
        if isinstance(each, Found):
            result.add(each.numbers)
            result.modseq = each.modseq or result.modseq
            result.forms.add(each.word.decode())
        else:
            _add(found, result, each)
    return results


def _add(found: Findings, result: _Result, told: ESearch) -> None:
    result.forms.add("ESEARCH")
    result.uid = result.uid or told.uid
    for name, value in told.data:
        if name == b"ALL" and isinstance(value, SequenceSet):
            expanded = ids.expanded(value)
            if expanded is None:
                result.told[name] = value
            else:
                result.add(expanded[0])
        elif name == b"MODSEQ" and isinstance(value, int):
            result.modseq = value
        else:
            result.told[name] = value
    if told.get(b"ALL") is None and (_all_asked(found) or told.get(b"COUNT") == 0):
        result.numbers = result.numbers or []


def _all_asked(found: Findings) -> bool:
    """Whether the command wants all messages; then an ESEARCH without ALL has found none (RFC 9051 section 7.3.4)."""
    command = found.left.command
    if command is None or not isinstance(command.body, Search | Sort) or command.body.returned is None:
        return True
    names = {option.name for option in command.body.returned}
    return not names or b"ALL" in names


def _nothing(found: Findings) -> _Result:
    """No data at all is an empty result (M 10.4)."""
    return _Result(numbers=[], uid=found.left.exchange.command.startswith("UID "))


def _result(found: Findings, name: str, left: _Result, right: _Result) -> None:
    sort = found.left.exchange.command.endswith("SORT")
    where = f"{'SORT' if sort else 'SEARCH'}{f' {name}' if name else ''}"
    mailbox = (name or found.mailbox) if left.uid or right.uid else None
    if left.numbers is not None and right.numbers is not None:
        same = (_ordered if sort else _set)(found, where, mailbox, left.numbers, right.numbers)
        if not same:
            return
    for key in dict.fromkeys((*left.told, *right.told)):
        _told(found, f"{where} {readable(key)}", mailbox, key, left, right)
    if left.modseq != right.modseq:
        _modseq(found, where, left.modseq, right.modseq)
    if left.forms != right.forms and left.forms and right.forms:
        found.let(Rule.SEARCH_FORM, where, " ".join(sorted(left.forms)), " ".join(sorted(right.forms)))


def _set(found: Findings, where: str, mailbox: str | None, left: list[int], right: list[int]) -> bool:
    if not ids.sets(found, where, mailbox, left, right):
        return False
    if mailbox is None and left != right:
        found.let(Rule.ORDER, where, listed(left), listed(right), Kind.ORDER)
    return True


def _ordered(found: Findings, where: str, mailbox: str | None, left: list[int], right: list[int]) -> bool:
    """SORT: the same messages, and in the same order."""
    matched = ids.match(found, mailbox, left, right)
    if matched.missing or matched.extra:
        return ids.sets(found, where, mailbox, left, right)
    if [matched.pairs[number] for number in left] != right:
        found.differ(Kind.ORDER, where, listed(left), listed(right))
        return False
    ids.tell_uids(found, where, matched.pairs)
    return True


def _modseq(found: Findings, where: str, left: int | None, right: int | None) -> None:
    if left is None or right is None:
        found.value(f"{where} MODSEQ", left, right)
    else:
        found.let(Rule.MODSEQ, f"{where} MODSEQ", left, right)


def _told(found: Findings, where: str, mailbox: str | None, key: bytes, left: _Result, right: _Result) -> None:
    if key in _PLAIN:
        _plain(found, where, mailbox, key, left, right)
        return
    one, other = left.told.get(key), right.told.get(key)
    if isinstance(one, Partial) and isinstance(other, Partial):
        lefts, rights = _members(one.messages), _members(other.messages)
        if lefts is not None and rights is not None:
            ids.sets(found, where, mailbox, lefts, rights)
        elif one != other:
            found.value(where, one, other)
    elif isinstance(one, Update) and isinstance(other, Update):
        _update(found, where, mailbox, one, other)
    elif one != other:
        found.value(where, one, other)


def _members(messages: SequenceSet | None) -> list[int] | None:
    if messages is None:
        return []
    expanded = ids.expanded(messages)
    return None if expanded is None else expanded[0]


def _update(found: Findings, where: str, mailbox: str | None, left: Update, right: Update) -> None:
    """ADDTO and REMOVEFROM as sets of messages."""
    one, other = (ids.expanded(*(change[1] for change in side.changes)) for side in (left, right))
    if one is None or other is None:
        if left != right:
            found.value(where, left, right)
        return
    ids.sets(found, where, mailbox, [each for part in one for each in part], [each for part in other for each in part])


def _plain(found: Findings, where: str, mailbox: str | None, key: bytes, left: _Result, right: _Result) -> None:
    """COUNT, MIN and MAX. MIN and MAX are messages."""
    one, other = left.get(key), right.get(key)
    if one is None or other is None or key == b"COUNT" or mailbox is None:
        if one != other:
            found.value(where, one, other, numbers_differ(found))
    elif not ids.same_uid(found, mailbox, one, other):
        found.value(where, one, other)
    elif one != other:
        found.let(Rule.UID, where, one, other)
