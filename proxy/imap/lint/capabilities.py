"""Capability lists, and the use of what they offer (RFC 9051 sections 6.1.1, 6.3.1 and 7.2.2)."""

from __future__ import annotations

from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Enable
from proxy.imap.lint.arguments import needs
from proxy.imap.lint.heard import Kind
from proxy.imap.lint.known import capability_words
from proxy.imap.lint.rules import ERROR, NOTE, Family
from proxy.imap.lint.words import COMMANDS
from proxy.imap.transcript import Direction, Layer, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.commands import Body
    from proxy.imap.lint.heard import FromClient, FromServer
    from proxy.imap.lint.known import Known
    from proxy.imap.lint.rules import Finding, Rule

WORDS_MOST = 100
"""Words of one ENABLE that are looked at."""

FAMILY = Family("capabilities")
C, S = Direction.CLIENT, Direction.SERVER

COMMAND = FAMILY.rule(
    "command-unannounced", C, ERROR, "9051 6.1.1", "The command needs a capability that the server does not announce."
)
FETCH_ITEM = FAMILY.rule(
    "fetch-unannounced", C, ERROR, "9051 6.1.1", "A FETCH item needs a capability that the server does not announce."
)
MODIFIER = FAMILY.rule(
    "modifier-unannounced", C, ERROR, "4466 2.4",
    "A modifier of FETCH or STORE needs a capability that the server does not announce.",
)  # fmt: skip
PARAMETER = FAMILY.rule(
    "parameter-unannounced", C, ERROR, "4466 2.1",
    "A parameter of SELECT, EXAMINE or CREATE needs a capability that the server does not announce.",
)  # fmt: skip
STATUS_ITEM = FAMILY.rule(
    "status-unannounced", C, ERROR, "9051 6.3.11", "A STATUS item needs a capability that the server does not announce."
)
LIST_OPTION = FAMILY.rule(
    "list-unannounced", C, ERROR, "5258 3", "An option of LIST needs a capability that the server does not announce."
)
RETURN_OPTION = FAMILY.rule(
    "search-return-unannounced", C, ERROR, "4731 3.1",
    "RETURN of a search, or an option in it, needs a capability that the server does not announce.",
)  # fmt: skip
SEARCH_KEY = FAMILY.rule(
    "search-key-unannounced",
    C,
    ERROR,
    "9051 6.4.4",
    "A search key needs a capability that the server does not announce.",
)
SAVED = FAMILY.rule(
    "saved-result-unannounced", C, ERROR, "5182 2", "$ is used, though the server does not announce SEARCHRES."
)
APPEND = FAMILY.rule(
    "append-unannounced", C, ERROR, "4466 2.7",
    "APPEND with several messages, CATENATE or UTF8 needs a capability that the server does not announce.",
)  # fmt: skip
ALGORITHM = FAMILY.rule(
    "thread-unannounced", C, ERROR, "5256 3", "THREAD asks for an algorithm that the server does not announce."
)
ENABLE_UNKNOWN = FAMILY.rule(
    "enable-unannounced", C, NOTE, "9051 6.3.1", "ENABLE names a capability that the server does not announce."
)
BLIND = FAMILY.rule(
    "capability-unasked", C, NOTE, "9051 6.1.1",
    "An extension is used before any capability list that is about it was seen; told once each.",
)  # fmt: skip
NO_REVISION = FAMILY.rule(
    "capability-without-imap4", S, ERROR, "9051 7.2.2", "A capability list has neither IMAP4rev1 nor IMAP4rev2."
)
TWICE = FAMILY.rule("capability-twice", S, NOTE, "9051 7.2.2", "A capability list has a word twice.")
STARTTLS_OFFERED = FAMILY.rule(
    "starttls-offered-late",
    S,
    NOTE,
    "9051 6.2.1",
    "STARTTLS is announced where there is TLS already: it cannot be used.",
)
QRESYNC_UNENABLED = FAMILY.rule(
    "qresync-not-enabled", C, ERROR, "7162 3.2.5", "QRESYNC or VANISHED is used without ENABLE QRESYNC before."
)
ENABLE_NOTHING = FAMILY.rule("enable-twice", C, NOTE, "9051 6.3.1", "ENABLE names what is enabled already.")

_BY_WHAT: dict[str, Rule] = {
    "FETCH item": FETCH_ITEM,
    "modifier": MODIFIER,
    "parameter": PARAMETER,
    "STATUS item": STATUS_ITEM,
    "LIST option": LIST_OPTION,
    "RETURN": RETURN_OPTION,
    "search key": SEARCH_KEY,
    "saved result": SAVED,
    "APPEND": APPEND,
    "algorithm": ALGORITHM,
}


def client(heard: FromClient, known: Known) -> Iterator[Finding]:
    """What a client uses without being offered it."""
    if heard.kind is not Kind.COMMAND or known.lost:
        return
    said, body = heard.said, heard.body
    wanted = [(COMMAND, heard.name, COMMANDS[heard.name])] if heard.name in COMMANDS else []
    wanted += [(_BY_WHAT[need.what], need.word, need.capabilities) for need in needs(body)]
    told = set[object]()
    for rule, word, capabilities in wanted:
        offered = known.offers(*capabilities)
        if offered is False and (rule, word) not in told:
            told.add((rule, word))
            yield said.found(rule, detail=f"{readable(word.encode())} needs {' or '.join(capabilities)}")
        elif offered is None and known.first_time("capability-unasked", word):
            yield said.found(BLIND, detail=f"{readable(word.encode())} needs {' or '.join(capabilities)}")
    if isinstance(body, Enable):
        yield from _enable(heard, body, known)
    elif _uses_qresync(body) and not known.qresync and not known.running(("ENABLE",)):
        yield said.found(QRESYNC_UNENABLED)


def _uses_qresync(body: Body | None) -> bool:
    return any(need.word in {"QRESYNC", "VANISHED"} for need in needs(body))


def _enable(heard: FromClient, body: Enable, known: Known) -> Iterator[Finding]:
    for word in islice(body.words, WORDS_MOST):
        name = word.decode("ascii", "backslashreplace").upper()
        if known.offers(name) is False:
            yield heard.said.found(ENABLE_UNKNOWN, detail=readable(word))
        elif name in known.state.enabled:
            yield heard.said.found(ENABLE_NOTHING, detail=readable(word))


def server(heard: FromServer, _: Known) -> Iterator[Finding]:
    """What is wrong with a capability list, as the server sent it."""
    words = capability_words(heard)
    if words is None:
        return
    said = heard.said
    names = [word.upper() for word in words]
    if not {b"IMAP4REV1", b"IMAP4REV2"} & set(names):
        yield said.found(NO_REVISION)
    double = next((name for name, count in Counter(names).items() if count > 1), None)
    if double is not None:
        yield said.found(TWICE, detail=readable(double))
    if b"STARTTLS" in names and said.layer & Layer.TLS:
        yield said.found(STARTTLS_OFFERED)
