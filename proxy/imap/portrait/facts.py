"""Sentences about a client's sessions as wholes: how it connects, what its commands are like, how it leaves."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from proxy.imap.grammar.capability import Id
from proxy.imap.grammar.sasl import Authenticate
from proxy.imap.portrait.forms import literal_kinds, text
from proxy.imap.portrait.values import Fact, Situation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.imap.portrait.acts import Act
    from proxy.imap.portrait.values import Talk

Told = tuple["Talk", "Sequence[Act]"]
"""A session and its acts."""
_NAMES_MOST = 10
_FIELDS_MOST = 30
"""RFC 2971 section 3.3 allows no more."""
_UID_ABLE = {"FETCH", "STORE", "COPY", "MOVE", "SEARCH", "SORT", "THREAD", "EXPUNGE", "REPLACE"}
_LITERALS = {
    "{n}": "waits for the server's go-ahead before a literal ({n})",
    "{n+}": "sends literals without waiting ({n+})",
    "~{n}": "waits for the server's go-ahead before a binary literal (~{n})",
    "~{n+}": "sends binary literals without waiting (~{n+})",
}


def general(told: Sequence[Told]) -> Iterator[Fact]:
    """Habits in all situations."""
    acts = [act for _, mine in told for act in mine]
    if not acts:
        return
    numbers = {act.step.name.startswith("UID ") for act in acts if act.step.name.removeprefix("UID ") in _UID_ABLE}
    if True in numbers:
        yield Fact("names messages by UID" if False not in numbers else "names messages by UID and by sequence number")
    elif numbers:
        yield Fact("names messages by sequence number")
    kinds = dict.fromkeys(kind for act in acts for kind in literal_kinds(act.step.unit))
    yield from (Fact(_LITERALS[kind]) for kind in kinds)
    if most := max(act.in_flight for act in acts):
        yield Fact("pipelines: sends commands before earlier ones are answered")
        yield Fact(f"up to {most + 1} commands under way at once", measured=True)
    else:
        yield Fact("waits for each answer before the next command")
    refused = Counter(act.step.name for act in acts if act.step.status in ("NO", "BAD"))
    if refused:
        most_often = sorted(refused.most_common(_NAMES_MOST))
        names = ", ".join(f"{text(name.encode())} x {times}" for name, times in most_often)
        yield Fact(f"refused by the server: {names}", measured=True)


def connecting(told: Sequence[Told]) -> Iterator[Fact]:
    """From the greeting to the first SELECT."""
    if not told:
        return
    yield from (Fact(f"connects with {way}") for way in dict.fromkeys(talk.tls for talk, _ in told))
    most = _at_once([talk for talk, _ in told])
    number = f"{len(told)} connection{'' if len(told) == 1 else 's'}"
    yield Fact("uses several connections at once" if most > 1 else "uses one connection at a time")
    yield Fact(f"{number}, at most {most} at once", measured=True)
    yield from _asks(told)
    yield from _logs_in(act for _, acts in told for act in acts)
    yield from _says_who(act for _, acts in told for act in acts)


def leaving(told: Sequence[Told]) -> Iterator[Fact]:
    """How sessions end."""
    ways = Counter(_end(talk, acts) for talk, acts in told if talk.closed is not None)
    for way, times in sorted(ways.items()):
        yield Fact(way)
        yield Fact(f"so in {times} of {ways.total()} sessions", measured=True) if len(ways) > 1 else Fact(way)
    closes = {act.step.name for _, acts in told for act in acts if act.situation is Situation.LEAVE} - {"LOGOUT"}
    yield from (Fact(f"leaves mailboxes with {name}") for name in sorted(closes))


def _at_once(talks: Sequence[Talk]) -> int:
    moments = [(talk.opened, 1) for talk in talks]
    moments += [(end, -1) for talk in talks if (end := _last_word(talk)) is not None]
    now = most = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most


def _last_word(talk: Talk) -> int | None:
    """When a session was of no more use: a client that goes without LOGOUT may be back before its end is noticed."""
    if not talk.steps or any(step.ended is None for step in talk.steps):
        return talk.closed
    return talk.opened + max(step.ended or step.started for step in talk.steps)


def _asks(told: Sequence[Told]) -> Iterator[Fact]:
    asked = [act for _, acts in told for act in acts if act.step.name == "CAPABILITY"]
    if not asked:
        yield Fact("never asks for CAPABILITY")
    elif len({act.logged_in for act in asked}) > 1:
        yield Fact("asks for CAPABILITY before and after the login")
    else:
        yield Fact(f"asks for CAPABILITY {'after' if asked[0].logged_in else 'before'} the login only")


def _logs_in(acts: Iterable[Act]) -> Iterator[Fact]:
    for act in acts:
        if isinstance(act.body, Authenticate):
            how = ", its first answer in the same line" if act.body.initial is not None else ""
            yield Fact(f"logs in with AUTHENTICATE {text(act.body.mechanism)}{how}")
        elif act.step.name == "LOGIN":
            yield Fact("logs in with LOGIN")


def _says_who(acts: Iterable[Act]) -> Iterator[Fact]:
    said = [(act.logged_in, act.body) for act in acts if isinstance(act.body, Id)]
    for logged_in, body in said:
        fields = (body.fields or ())[:_FIELDS_MOST]
        words = [f"{text(key)} {'NIL' if value is None else text(value)}" for key, value in fields]
        yield Fact(f"says who it is (ID) {'after' if logged_in else 'before'} the login: {', '.join(words) or 'NIL'}")
    if not said:
        yield Fact("does not say who it is (ID)")


def _end(talk: Talk, acts: Sequence[Act]) -> str:
    if not any(act.step.name == "LOGOUT" for act in acts):
        return "closes the connection without LOGOUT" if talk.by_client else "ended by the server, without LOGOUT"
    answered = any(act.step.name == "LOGOUT" and act.step.ended is not None for act in acts)
    return "says LOGOUT and waits for the answer" if answered else "says LOGOUT and does not wait for the answer"
