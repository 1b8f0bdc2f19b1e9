"""Mailbox names of one server, and what the same mailboxes are called at another (M 8, 9.5).

What counts, the first that says something: names that a person has given; INBOX, in any case; names that belong
together because one and the same step named them, CREATE and RENAME among them; the only mailbox with the same
special-use role; else the parts of the name, put together by the other server's rules.
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

_WILD = "%*"


class Names:
    """The names of two servers. `given` are those that a person has mapped by hand; "" stands for all of them."""

    def __init__(self, given: Mapping[str, str] | None = None) -> None:
        self.given = dict(given or {})
        self.hierarchies = (Hierarchy(), Hierarchy())
        self.roles = (Roles(), Roles())
        self._pairs: dict[str, str] = {}
        self._back: dict[str, str] = {}

    def hear(self, side: Side, told: MailboxList | Namespace) -> None:
        """What one of the two servers says of its mailboxes."""
        if isinstance(told, MailboxList):
            self.hierarchies[side].hear_list(told)
            self.roles[side].hear(told)
        else:
            self.hierarchies[side].hear_namespace(told)

    def pair(self, recorded: str, replayed: str) -> None:
        """These two are one mailbox."""
        if "" in (recorded, replayed) or "INBOX" in (recorded, replayed):
            return
        self._drop(recorded)
        if (other := self._back.get(replayed)) is not None:
            self._drop(other)
        self._pairs[recorded], self._back[replayed] = replayed, recorded

    def bare(self, side: Side, name: str) -> str:
        """The name without a delimiter at its end, which CREATE may have (RFC 9051 section 6.3.4)."""
        delimiter = self._delimiter(side)
        return name.removesuffix(delimiter) if delimiter else name

    def rename(self, recorded: tuple[str, str], replayed: tuple[str, str]) -> None:
        """RENAME, old name and new: what is below it moves with it, but for what is below INBOX (RFC 9051 6.3.6)."""
        delimiters = (self._delimiter(Side.RECORDED), self._delimiter(Side.REPLAYED))
        if recorded[0] != "INBOX":
            for old, there in list(self._pairs.items()):
                moved, moved_there = _moved(old, recorded, delimiters[0]), _moved(there, replayed, delimiters[1])
                if moved is not None and moved_there is not None:
                    self._drop(old)
                    self.pair(moved, moved_there)
            self.roles[Side.RECORDED].forget(recorded[0])
            self.roles[Side.REPLAYED].forget(replayed[0])
        self.pair(recorded[1], replayed[1])

    def delete(self, recorded: str, replayed: str) -> None:
        """DELETE."""
        if self._pairs.get(recorded) == replayed:
            self._drop(recorded)
        self.roles[Side.RECORDED].forget(recorded)
        self.roles[Side.REPLAYED].forget(replayed)

    def counterpart(self, name: str, there: Place | None = None, given: Mapping[str, str] | None = None) -> str:
        """What the target calls a recorded mailbox. Raises NoCounterpartError.

        `there` is the target's personal namespace, where that is known otherwise than by its answers; `given` are more
        names by hand.
        """
        there = self._there(there)
        by_hand = {**self.given, **(given or {})}
        if (found := self._by(name, there, by_hand.get)) is not None:
            return found
        if "" in by_hand and name:
            return self._joined(by_hand[""], self.hierarchies[0].locate(name, there.delimiter).parts, there)
        if name.upper() == "INBOX" or not name:
            return name.upper()
        if (found := self._by(name, there, self._known)) is not None:
            return found
        located = self.hierarchies[0].locate(name, there.delimiter)
        place = there if located.realm is Realm.PERSONAL else self.hierarchies[1].place(located.realm)
        built = build(located, place)
        other = self._back.get(built, name)
        if other != name:
            raise NoCounterpartError(f'"{name}" would be "{built}" at the target, which is what "{other}" is there')
        return built

    def recorded(self, name: str) -> str | None:
        """What a mailbox of the target is called in the recording, as far as it is known."""
        if name.upper() == "INBOX" and not self.given:
            return "INBOX"
        for ours, theirs in self.given.items():
            if theirs == name and ours:
                return ours
        if name in self._back:
            return self._back[name]
        for role in self.roles[1].of(name):
            mine = self.roles[0].only(role)
            if mine is not None and self.roles[1].only(role) == name:
                return mine
        return self._rebuilt(name)

    def pattern(
        self, pattern: str, there: Place | None = None, given: Mapping[str, str] | None = None, *, whole: bool = True
    ) -> str:
        """A pattern of LIST at the target (RFC 9051 section 6.3.9): names in it are mapped, wildcards stay.

        It is `whole` without a reference; behind one, only its delimiters change. What begins with a wildcard is
        about all names, and keeps its beginning. Raises NoCounterpartError.
        """
        there = self._there(there)
        ours = self.hierarchies[0].delimiter(pattern) or there.delimiter or ""
        theirs = there.delimiter or ""
        wild = min((place for place in map(pattern.find, _WILD) if place >= 0), default=len(pattern))
        cut = len(pattern) if wild == len(pattern) else pattern.rfind(ours, 0, wild) + 1 if ours else 0
        head, tail = pattern[:cut], pattern[cut:]
        if tail and ours and ours != theirs:
            tail = tail.replace(ours, theirs)
        root = {**self.given, **(given or {})}.get("")
        if not whole or (not head and not root):
            return (head.replace(ours, theirs) if ours and theirs else head) + tail
        if not head:
            return (root or "") + theirs + tail
        personal = self.hierarchies[0].place() or Place()
        if head == personal.prefix and not root:
            return there.prefix + tail
        if head.endswith(ours) and ours:
            return self.counterpart(head.removesuffix(ours), there, given) + theirs + tail
        return self.counterpart(head, there, given) + tail

    def _there(self, there: Place | None) -> Place:
        """The target's personal namespace: the delimiter of the recording where nobody knows its own."""
        told = self.hierarchies[1].place() or Place()
        place = there if there is not None and there.delimiter is not None else told
        if there is not None and place is told and there.prefix:
            place = place._replace(prefix=there.prefix)
        return place if place.delimiter is not None else place._replace(delimiter=self.hierarchies[0].delimiter())

    def _delimiter(self, side: Side) -> str:
        return self.hierarchies[side].delimiter() or self.hierarchies[1 - side].delimiter() or ""

    def _by(self, name: str, there: Place, known: Callable[[str], str | None]) -> str | None:
        """By what is known of the name, or of the nearest mailbox above it."""
        if (found := known(name)) is not None and name:
            return found
        delimiter = self.hierarchies[0].delimiter(name) or there.delimiter
        for above, below in _above(name, delimiter):
            if (found := known(above)) is not None:
                return self._joined(found, tuple(below.split(delimiter or "/")), there)
        return None

    def _known(self, name: str) -> str | None:
        if name in self._pairs:
            return self._pairs[name]
        for role in self.roles[0].of(name):
            theirs = self.roles[1].only(role)
            if theirs is not None and self.roles[0].only(role) == name:
                return theirs
        return None

    def _joined(self, above: str, parts: tuple[str, ...], there: Place) -> str:
        delimiter = there.delimiter or ""
        if any(delimiter in part for part in parts if delimiter) or not delimiter:
            raise NoCounterpartError(f'"{"/".join(parts)}" cannot be the name of a mailbox below "{above}" there')
        return delimiter.join((above, *parts)) if above else delimiter.join(parts)

    def _rebuilt(self, name: str) -> str | None:
        here = self.hierarchies[0].place() or Place()
        located = self.hierarchies[1].locate(name, here.delimiter)
        if here.delimiter is None:
            here = here._replace(delimiter=self.hierarchies[1].delimiter())
        try:
            built = build(
                located, here if located.realm is Realm.PERSONAL else self.hierarchies[0].place(located.realm)
            )
        except NoCounterpartError:
            return None
        return None if built in self._pairs else built

    def _drop(self, recorded: str) -> None:
        there = self._pairs.pop(recorded, None)
        if there is not None:
            self._back.pop(there, None)


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
