"""Sets of UIDs and of message numbers of a recorded command, as the target has to be asked for them (M 8, 9.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.mapping.messages import Messages
from proxy.imap.mapping.sets import NUMBERS_MOST, compressed
from proxy.imap.mapping.values import NoCounterpartError
from proxy.imap.view.numbers import UID_MOST

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.grammar.sets import SequenceSet


LOOKED_AT_MOST = 10_000
"""Message numbers that are tried for the beginning of an open range."""


class About(NamedTuple):
    """The mailbox that a set is about: its name for people, how many messages it has on each side, as far as known.

    `careful`: the set is of a command that changes mail, so it must hit no message but the recorded ones.
    """

    mailbox: str
    exists: tuple[int | None, int | None] = (None, None)
    careful: bool = False


def uid_set(uids: SequenceSet, messages: Messages | None, about: About) -> SequenceSet:
    """A set of UIDs at the target; the same object where nothing changes. Raises NoCounterpartError.

    A range stands for the messages in it that the recorded server has told of, if it told of all there are; else for
    what lies between the counterparts of its ends. `17:*` begins with the first message from there on, as does a range
    up to the largest UID there can be.
    """
    messages = messages or Messages()
    found: list[int] = []
    open_ends: list[bytes] = []
    for first, last in uids.ranges:
        if first is None and last is None:
            open_ends.append(b"*")
        elif first is None or last is None:
            open_ends.append(b"%d:*" % _lower(messages, first or last or 0, about.mailbox))
        elif max(first, last) >= UID_MOST > min(first, last):
            open_ends.append(b"%d:%d" % (_lower(messages, min(first, last), about.mailbox), max(first, last)))
        elif first == last:
            found.append(_uid(messages, first, about.mailbox))
        else:
            found += _range(messages, (min(first, last), max(first, last)), about)
    return _unless_same(uids, compressed(found, *open_ends))


def number_set(numbers: SequenceSet, number: Callable[[int], int | None], about: About) -> SequenceSet:
    """A set of message numbers at the target; `number` maps one. Raises NoCounterpartError.

    A range of all messages stays one, where the command does not change them.
    """
    here, there = about.exists
    if here and there is not None and b":" in numbers.raw and numbers.normal(here) == ((1, here),):
        if not there:
            raise NoCounterpartError(f"{about.mailbox} has no messages at the target")
        if b"*" in numbers.raw or here == there:
            return numbers
        if not about.careful:
            return compressed(range(1, there + 1))
    found: list[int] = []
    open_ends: list[bytes] = []
    for first, last in numbers.ranges:
        if first is None and last is None:
            open_ends.append(b"*")
        elif first is None or last is None:
            open_ends.append(b"%d:*" % _lowest(number, first or last or 0, about))
        else:
            if abs(last - first) >= NUMBERS_MOST:
                raise NoCounterpartError(f"{first}:{last} are too many messages of {about.mailbox} to look at")
            each = range(min(first, last), max(first, last) + 1)
            found += (_number(number, one, about) for one in each)
    return _unless_same(numbers, compressed(found, *open_ends))


def _unless_same(recorded: SequenceSet, mapped: SequenceSet) -> SequenceSet:
    if b"*" not in recorded.raw and b"*" not in mapped.raw:
        return recorded if recorded.normal() == mapped.normal() else mapped
    same = sorted(recorded.raw.split(b",")) == sorted(mapped.raw.split(b","))
    return recorded if same else mapped


def _uid(messages: Messages, uid: int, mailbox: str) -> int:
    there = messages.uid(uid)
    if there is None:
        raise NoCounterpartError(f"UID {uid} of {mailbox} has no counterpart at the target")
    return there


def _lower(messages: Messages, uid: int, mailbox: str) -> int:
    there = messages.lower(uid)
    if there is None:
        raise NoCounterpartError(f"no message of {mailbox} from UID {uid} on has a counterpart at the target")
    return there


def _range(messages: Messages, ends: tuple[int, int], about: About) -> list[int] | range:
    first, last = ends
    known, exists = messages.between(first, last), about.exists[0]
    by_ends = not about.careful or last < messages.alike
    if by_ends and (exists is None or messages.count() < exists):
        lower = first if first <= 1 else messages.uid(first) or messages.next(first)
        upper = messages.upper(last)
        if lower is not None and upper is not None and lower <= upper < lower + NUMBERS_MOST:
            return range(lower, upper + 1)
    if not known:
        raise NoCounterpartError(f"no message of {about.mailbox} with UID {first}:{last} has a counterpart there")
    return [_uid(messages, uid, about.mailbox) for uid in known]


def _number(number: Callable[[int], int | None], recorded: int, about: About) -> int:
    here, there = about.exists
    if here is not None and there is not None and recorded > here:
        return recorded - here + there  # one that is not there, at either server
    found = number(recorded)
    if found is None:
        raise NoCounterpartError(f"message {recorded} of {about.mailbox} has no counterpart at the target")
    return found


def _lowest(number: Callable[[int], int | None], recorded: int, about: About) -> int:
    if recorded <= 1:
        return recorded
    here = about.exists[0]
    if here is None or recorded > here:
        return _number(number, recorded, about)
    there = (number(each) for each in range(recorded, min(here, recorded + LOOKED_AT_MOST) + 1))
    found = next((each for each in there if each is not None), None)
    if found is None:
        raise NoCounterpartError(f"no message of {about.mailbox} from {recorded} on has a counterpart at the target")
    return found
