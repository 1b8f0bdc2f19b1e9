"""What dialogues say, picked out for whoever reads many of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.codes import Code, NumberCode
from proxy.imap.grammar.fetch_commands import Attribute, FetchCommand, SectionAttribute
from proxy.imap.grammar.listing import List
from proxy.imap.grammar.responses import Untagged
from proxy.imap.grammar.status import Condition, Status
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.codes import AnyCode
    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.responses import Data
    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.view.dialogue import Answer, Dialogue

NUMBERS_MOST = 1_000_000
"""Numbers of one set that are looked at."""


def untagged(answers: tuple[Answer, ...]) -> Iterator[tuple[Data, Answer]]:
    """The untagged data among them, each with its answer."""
    for answer in answers:
        value = answer.parsed.understood
        if isinstance(value, Untagged):
            yield value.data, answer


def codes_of(dialogue: Dialogue) -> Iterator[AnyCode]:
    """All response codes, tagged or not."""
    status = dialogue.completion.status if dialogue.completion else None
    for data in (*(data for data, _ in untagged(dialogue.answers)), status):
        if isinstance(data, Status) and data.code is not None:
            yield data.code


def closes(data: Data) -> bool:
    """Whether it is `* OK [CLOSED]`: what follows is about the mailbox that is being selected (M 3.12)."""
    return isinstance(data, Status) and is_code(data.code, b"CLOSED")


def is_code(code: AnyCode | None, name: bytes) -> bool:
    """Whether it is the code of that name, in capitals, which has no arguments."""
    return isinstance(code, Code) and code.name == name


def asks_subscribed(body: Body | None) -> bool:
    """Whether it is a LIST of what is subscribed (RFC 5258)."""
    return isinstance(body, List) and any(option.name == b"SUBSCRIBED" for option in body.select or ())


def reads(body: Body | None) -> bool:
    """Whether this FETCH sets \\Seen (RFC 9051 section 6.4.5)."""
    if not isinstance(body, FetchCommand):
        return False
    return any(
        each.name in (b"BODY", b"BINARY")
        if isinstance(each, SectionAttribute)
        else each.name in (b"RFC822", b"RFC822.TEXT")
        for each in body.attributes
        if isinstance(each, SectionAttribute | Attribute)
    )


def asks_flags(body: Body | None) -> bool:
    """Whether this FETCH asks for flags."""
    return isinstance(body, FetchCommand) and any(
        isinstance(each, Attribute) and each.name in (b"FLAGS", b"ALL", b"FULL", b"FAST") for each in body.attributes
    )


def few(messages: SequenceSet) -> Iterator[int]:
    """The numbers of a set, in its order, up to NUMBERS_MOST."""
    left = NUMBERS_MOST
    for first, last in messages.ranges:
        if first is None or last is None or left <= 0:
            return
        step = 1 if first <= last else -1
        span = range(first, last + step, step)[:left]
        left -= len(span)
        yield from span


def answered_ok(dialogue: Dialogue) -> bool:
    """Whether the command was answered OK."""
    status = dialogue.completion.status if dialogue.completion else None
    return isinstance(status, Status) and status.condition is Condition.OK


def words_of(dialogue: Dialogue) -> str:
    """What the server said to people at the end."""
    status = dialogue.completion.status if dialogue.completion else None
    return readable(status.text) if isinstance(status, Status) else "no answer"


def data_of(dialogue: Dialogue) -> Iterator[Data]:
    """All untagged data of the answer."""
    return (data for data, _ in untagged(dialogue.answers))


def uidvalidity_of(selected: Dialogue) -> int | None:
    """The UIDVALIDITY that a SELECT tells."""
    numbers = (code for code in codes_of(selected) if isinstance(code, NumberCode) and code.name == b"UIDVALIDITY")
    return next((code.number for code in numbers), None)
