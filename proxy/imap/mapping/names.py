"""Mailbox names of one server, and what the same mailboxes are called at another (M 8, 9.5).

What counts, the first that says something: names that a person has given; INBOX, in any case; names that belong
together because one and the same step named them, CREATE and RENAME among them; the only mailbox with the same
special-use role; else the parts of the name, put together by the other server's rules. What is known of a mailbox goes
for those below it too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.listing import MailboxList
from proxy.imap.mapping.hierarchy import Hierarchy, Realm, build
from proxy.imap.mapping.roles import Roles
from proxy.imap.mapping.values import NoCounterpartError, Place, Side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from proxy.imap.grammar.capability import Namespace


class Names:
    """The names of two servers. `given` are those that a person has mapped by hand; "" stands for all of them."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self.given = dict(given or {})
        self.hierarchies = (Hierarchy(), Hierarchy())
        self.roles = (Roles(), Roles())
        self._pairs: tuple[dict[str, str], dict[str, str]] = ({}, {})
        self._root: str | None = None
        """The mailbox of the target below which everything is, as it seems."""
        self._asked: dict[tuple[str, Place | None], str] = {}
        """Counterparts that were asked for since something was learnt last."""

    # --- what is learnt ---------------------------------------------------------------------------------------------

    def hear(self, side: Side, told: MailboxList | Namespace) -> None:
        """What one of the two servers says of its mailboxes."""
        self._asked.clear()
        if isinstance(told, MailboxList):
            self.hierarchies[side].hear_list(told)
            self.roles[side].hear(told)
        else:
            self.hierarchies[side].hear_namespace(told)

    def pair(self, recorded: str, replayed: str) -> None:
        """These two are one mailbox. An INBOX that lies below another mailbox tells that everything does."""
        if not recorded or not replayed or self._pairs[0].get(recorded) == replayed:
            return
        self._asked.clear()
        if recorded == "INBOX":
            above = replayed.removesuffix(f"{self._delimiter(Side.REPLAYED)}INBOX")
            self._root = above if above not in {"", replayed} else self._root
        if "INBOX" in (recorded, replayed):
            return
        self._part(recorded)
        self._part(self._pairs[1].get(replayed))
        self._pairs[0][recorded], self._pairs[1][replayed] = replayed, recorded

    def rename(self, recorded: tuple[str, str], replayed: tuple[str, str]) -> None:
        """RENAME, old name and new: what is below it moves with it, but for what is below INBOX (RFC 9051 6.3.6)."""
        if recorded[0] != "INBOX":
            for old, there in list(self._pairs[0].items()):
                moved = _moved(old, recorded, self._delimiter(Side.RECORDED))
                moved_there = _moved(there, replayed, self._delimiter(Side.REPLAYED))
                if moved is not None and moved_there is not None:
                    self._part(old)
                    self.pair(moved, moved_there)
            self._forget_roles(recorded[0], replayed[0])
        self.pair(recorded[1], replayed[1])

    def delete(self, recorded: str, replayed: str) -> None:
        """DELETE."""
        if self._pairs[0].get(recorded) == replayed:
            self._part(recorded)
        self._forget_roles(recorded, replayed)

    def bare(self, side: Side, name: str) -> str:
        """The name without a delimiter at its end, which CREATE may have (RFC 9051 section 6.3.4)."""
        delimiter = self._delimiter(side)
        return name.removesuffix(delimiter) if delimiter else name

    # --- what is asked ----------------------------------------------------------------------------------------------

    def counterpart(self, name: str, there: Place | None = None, given: Mapping[str, str] | None = None) -> str:
        """What the target calls a recorded mailbox. Raises NoCounterpartError.

        `there` is the target's personal namespace, where that is known otherwise than by its answers; `given` are more
        names by hand.
        """
        if given:
            return self._counterpart(name, self.place(there), {**self.given, **given})
        found = self._asked.get((name, there))
        if found is None:
            found = self._asked[name, there] = self._counterpart(name, self.place(there), self.given)
        return found

    def _counterpart(self, name: str, there: Place, by_hand: Mapping[str, str]) -> str:
        if by_hand and (found := self._by_hand(name, there, by_hand)) is not None:
            return found
        own = self.hierarchies[0].delimiter(name)
        delimiters = (there.delimiter if own is None else own, there.delimiter)
        if self._root and name:
            found = _by(name, delimiters, self._pairs[0].get)
            return found or below(self._root, self.hierarchies[0].locate(name, there.delimiter).parts, there.delimiter)
        if not name or name.upper() == "INBOX":
            return name.upper()
        if (found := _by(name, delimiters, lambda each: self._known(Side.RECORDED, each))) is not None:
            return found
        located = self.hierarchies[0].locate(name, there.delimiter)
        place = there if located.realm is Realm.PERSONAL else self.hierarchies[1].place(located.realm)
        built = build(located, place)
        other = self._pairs[1].get(built, name)
        if other != name:
            raise NoCounterpartError(f'"{name}" would be "{built}" at the target, which is what "{other}" is there')
        return built

    def recorded(self, name: str) -> str | None:
        """What a mailbox of the target is called in the recording, as far as that can be told."""
        ours, theirs = self.hierarchies[0].delimiter(), self.hierarchies[1].delimiter(name)
        delimiters = (theirs or ours, ours or theirs)
        try:
            by_hand = {there: each for each, there in self.given.items() if each}
            if (found := _by(name, delimiters, by_hand.get)) is not None:
                return found
            if root := self.given.get("") or self._root:
                return self._pairs[1].get(name) or self._above_root(name, root + (delimiters[0] or ""))
            if not name or name.upper() == "INBOX":
                return name.upper()
            if (found := _by(name, delimiters, lambda each: self._known(Side.REPLAYED, each))) is not None:
                return found
            located = self.hierarchies[1].locate(name, ours)
            place = (self.hierarchies[0].place(located.realm) or Place())._replace(delimiter=delimiters[1])
            built = build(located, place)
        except NoCounterpartError:
            return None
        return None if built in self._pairs[0] else built

    def place(self, there: Place | None = None) -> Place:
        """The target's personal namespace: the recording's delimiter where nobody knows its own."""
        place = self.hierarchies[1].place() or Place()
        if there is not None and there.delimiter is not None:
            place = there
        elif there is not None and there.prefix:
            place = place._replace(prefix=there.prefix)
        return place if place.delimiter is not None else place._replace(delimiter=self.hierarchies[0].delimiter())

    def _delimiter(self, side: Side) -> str:
        return self.hierarchies[side].delimiter() or self.hierarchies[1 - side].delimiter() or ""

    def _by_hand(self, name: str, there: Place, by_hand: Mapping[str, str]) -> str | None:
        own = self.hierarchies[0].delimiter(name)
        found = _by(name, (there.delimiter if own is None else own, there.delimiter), by_hand.get)
        if found is None and name and (root := by_hand.get("")):
            return below(root, self.hierarchies[0].locate(name, there.delimiter).parts, there.delimiter)
        return found

    def _above_root(self, name: str, root: str) -> str | None:
        """The recorded name of one below the mailbox that everything was put below."""
        if not name.startswith(root):
            return None
        ours, theirs = self.hierarchies[0].delimiter(), self.hierarchies[1].delimiter()
        rest = name[len(root) :]
        if rest.upper() == "INBOX":
            return "INBOX"
        prefix = (self.hierarchies[0].place() or Place()).prefix
        return prefix + (rest.replace(theirs, ours) if ours and theirs else rest)

    def _known(self, side: Side, name: str) -> str | None:
        """The other side's name of a mailbox that was paired, or that alone has its role."""
        if name in self._pairs[side]:
            return self._pairs[side][name]
        for role in self.roles[side].of(name):
            other = self.roles[1 - side].only(role)
            if other is not None and self.roles[side].only(role) == name and other not in self._pairs[1 - side]:
                return other
        return None

    def _forget_roles(self, recorded: str, replayed: str) -> None:
        self._asked.clear()
        self.roles[0].forget(recorded)
        self.roles[1].forget(replayed)

    def _part(self, recorded: str | None) -> None:
        if recorded is not None and (there := self._pairs[0].pop(recorded, None)) is not None:
            self._pairs[1].pop(there, None)


def below(above: str, parts: tuple[str, ...], delimiter: str | None) -> str:
    """The name of a mailbox below another. Raises NoCounterpartError where there can be none."""
    if not delimiter or any(delimiter in part for part in parts):
        raise NoCounterpartError(f'"{"/".join(parts)}" cannot be the name of a mailbox below "{above}" there')
    return delimiter.join((above, *parts))


def _by(name: str, delimiters: tuple[str | None, str | None], known: Callable[[str], str | None]) -> str | None:
    """By what is known of a name, or of the nearest mailbox above it; the delimiters of here and there."""
    if not name:
        return None
    if (found := known(name)) is not None:
        return found
    for above, rest in _above(name, delimiters[0]):
        if (found := known(above)) is not None:
            return below(found, tuple(rest.split(delimiters[0])), delimiters[1])
    return None


def _above(name: str, delimiter: str | None) -> Iterator[tuple[str, str]]:
    """Each mailbox above, the nearest first, and what is left of the name below it."""
    place = name.rfind(delimiter) if delimiter else -1
    while delimiter and place > 0:
        yield name[:place], name[place + len(delimiter) :]
        place = name.rfind(delimiter, 0, place)


def _moved(name: str, names: tuple[str, str], delimiter: str) -> str | None:
    old, new = names
    if name == old:
        return new
    return new + name[len(old) :] if delimiter and name.startswith(old + delimiter) else None
