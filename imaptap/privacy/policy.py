"""What is private, and what becomes of it: levels, and policies as TOML files (docs/privacy.md)."""

from __future__ import annotations

import enum
import tomllib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FILE_MOST = 1024 * 1024


class Thing(enum.StrEnum):
    """Kinds of what may be private."""

    SECRET = "secret"
    """Keys, tokens and passwords that somebody wrote into a letter."""
    TEXT = "text"
    """Texts of letters, and words that were searched for in them."""
    ATTACHMENT = "attachment"
    ADDRESS = "address"
    """Mail addresses, names beside them, user names."""
    HOST = "host"
    """Names and addresses of machines."""
    SUBJECT = "subject"
    ID = "id"
    """Message-IDs, boundaries, object ids."""
    FILENAME = "filename"
    HEADER = "header"
    """All other header fields."""
    OTHER = "other"
    """Whatever is not known to be anything else."""
    SERVER = "server-text"
    """What servers say to people."""
    MAILBOX = "mailbox"
    KEYWORD = "keyword"
    """Flags that somebody made up."""
    DATE = "date"


class Action(enum.StrEnum):
    """What becomes of a thing."""

    KEEP = "keep"
    PSEUDONYM = "pseudonym"
    REMOVE = "remove"
    """Its letters and digits become "x"."""


class Level(enum.StrEnum):
    """How much is replaced. Each has all of the one before it."""

    SECRETS = "secrets"
    BODIES = "bodies"
    PEOPLE = "people"
    ALL = "all"


_ADDED = {
    Level.SECRETS: (Thing.SECRET,),
    Level.BODIES: (Thing.TEXT, Thing.ATTACHMENT),
    Level.PEOPLE: (
        Thing.ADDRESS, Thing.HOST, Thing.SUBJECT, Thing.ID, Thing.FILENAME, Thing.HEADER, Thing.OTHER, Thing.SERVER,
    ),
    Level.ALL: (Thing.MAILBOX, Thing.KEYWORD, Thing.DATE),
}  # fmt: skip


class PolicyError(Exception):
    """A policy that cannot be used: a sentence, and a `hint`."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Policy:
    """What becomes of each kind of thing, and words that stay whatever they are in."""

    actions: Mapping[Thing, Action]
    words: frozenset[str] = frozenset()
    """In small letters."""
    mailboxes: frozenset[str] = frozenset()
    """Words of mailbox names that stay, in small letters."""
    headers: frozenset[str] = frozenset()
    """Header fields that stay, in small letters."""

    def of(self, thing: Thing) -> Action:
        """What becomes of it."""
        return self.actions[thing]


def of_level(level: Level) -> Policy:
    """The policy of a level."""
    levels = list(Level)
    replaced = {thing for each in levels[: levels.index(level) + 1] for thing in _ADDED[each]}
    return Policy({thing: Action.PSEUDONYM if thing in replaced else Action.KEEP for thing in Thing})


def read_policy(path: Path, base: Policy) -> Policy:
    """`base`, with what the file says otherwise. Raises PolicyError, OSError."""
    with path.open("rb") as file:
        text = file.read(_FILE_MOST + 1)
    if len(text) > _FILE_MOST:
        raise PolicyError(f"The policy {path} is larger than a megabyte.", "Is it the right file?")
    try:
        told = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise PolicyError(f"The policy {path} is no TOML: {error}.", "docs/privacy.md has an example.") from error
    unknown = sorted(told.keys() - {"things", "keep"})
    if unknown:
        raise PolicyError(f"The policy {path} has an unknown table: {unknown[0]}.", "There are [things] and [keep].")
    keep = _table(told, "keep")
    unknown = sorted(keep.keys() - {"words", "mailboxes", "headers"})
    if unknown:
        hint = "There are words, mailboxes and headers."
        raise PolicyError(f"The policy {path} keeps something unknown: {unknown[0]}.", hint)
    lists = {name: _strings(keep.get(name, []), f"keep.{name}") for name in ("words", "mailboxes", "headers")}
    return replace(base, actions={**base.actions, **dict(_actions(_table(told, "things")))}, **lists)


def _table(told: dict[str, Any], name: str) -> dict[str, Any]:
    table: Any = told.get(name, {})
    if not isinstance(table, dict):
        raise PolicyError(f"{name} is no table.", f"Write [{name}] on a line of its own.")
    return cast("dict[str, Any]", table)


def _actions(table: dict[str, Any]) -> list[tuple[Thing, Action]]:
    found = list[tuple[Thing, Action]]()
    for name, action in table.items():
        if name not in set(Thing):
            raise PolicyError(f"There is no kind of thing called {name}.", f"There are: {', '.join(Thing)}.")
        if action not in list(Action):
            raise PolicyError(f"What becomes of {name} is not known: {action}.", f"Choose one of: {', '.join(Action)}.")
        found.append((Thing(name), Action(action)))
    return found


def _strings(value: Any, name: str) -> frozenset[str]:
    listed = cast("list[object]", value) if isinstance(value, list) else [None]
    strings = [each for each in listed if isinstance(each, str)]
    if len(strings) < len(listed):
        raise PolicyError(f"{name} is no list of strings.", f'{name.partition(".")[2]} = ["one", "two"]')
    return frozenset(each.lower() for each in strings)
