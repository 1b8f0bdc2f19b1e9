"""How a server's mailbox names are built: namespaces, prefixes, delimiters (RFC 9051 sections 5.1 and 6.3.10)."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.mapping.values import NoCounterpartError, Place
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from proxy.imap.grammar.capability import Namespace, NamespaceDescr
    from proxy.imap.grammar.listing import MailboxList

_BELOW_INBOX = re.compile(r"(?i)INBOX([./\\^])")


class Realm(enum.StrEnum):
    """Whose mailboxes a namespace has (RFC 2342)."""

    PERSONAL = "personal"
    OTHERS = "other users'"
    SHARED = "shared"


class Located(NamedTuple):
    """A name apart: its namespace, and the parts of what follows the namespace's prefix."""

    realm: Realm
    parts: tuple[str, ...]


class Hierarchy:
    """What one server has told of its namespaces. Without NAMESPACE, the delimiter of its LIST answers counts."""

    def __init__(self) -> None:
        self._places: dict[Realm, Place] = {}
        self._listed: str | None = None

    def hear_namespace(self, told: Namespace) -> None:
        """NAMESPACE: the first namespace of each class counts."""
        for realm, descrs in zip(Realm, (told.personal, told.others, told.shared), strict=True):
            self._places.pop(realm, None)
            if descrs:
                self._places[realm] = _place(descrs[0])

    def hear_list(self, told: MailboxList) -> None:
        """LIST and its kin; a NIL delimiter of INBOX alone says nothing of the others."""
        if told.delimiter is not None:
            self._listed = readable(told.delimiter)
        elif self._listed is None and not told.mailbox.inbox:
            self._listed = ""

    def place(self, realm: Realm = Realm.PERSONAL) -> Place | None:
        """A namespace; None for one of others that the server has not."""
        if realm is not Realm.PERSONAL:
            return self._places.get(realm)
        place = self._places.get(realm, Place())
        return place if place.delimiter is not None else place._replace(delimiter=self._listed)

    def delimiter(self, name: str = "") -> str | None:
        """What stands between the parts of personal names; told by the name itself where nobody else has told it."""
        told = (self.place() or Place()).delimiter
        match = _BELOW_INBOX.match(name) if told is None else None
        return match[1] if match else told

    def locate(self, name: str, otherwise: str | None = None) -> Located:
        """The name apart; where nobody has told how, by "/", which hardly stands in names else, or by `otherwise`."""
        for realm in (Realm.OTHERS, Realm.SHARED):
            place = self._places.get(realm)
            if place is not None and place.prefix and name.startswith(place.prefix):
                return Located(realm, _parts(name[len(place.prefix) :], place.delimiter))
        personal = self.place() or Place()
        rest = name.removeprefix(personal.prefix)
        delimiter = self.delimiter(name)
        if delimiter is None:
            delimiter = "/" if otherwise and "/" in rest else otherwise
        return Located(Realm.PERSONAL, _parts(rest, delimiter))


def build(located: Located, place: Place | None) -> str:
    """The name of these parts in that namespace. Raises NoCounterpartError where it cannot have such a name."""
    if place is None:
        raise NoCounterpartError(f"the target has no namespace of {located.realm} mailboxes")
    parts, delimiter = located.parts, place.delimiter or ""
    if not delimiter and len(parts) > 1:
        raise NoCounterpartError("the target has no hierarchy of mailboxes")
    for part in parts:
        if delimiter and delimiter in part:
            raise NoCounterpartError(f'"{part}" holds the target\'s hierarchy delimiter "{delimiter}"')
    below_inbox = next(iter(parts), "").upper() == "INBOX" and place.prefix.upper().startswith("INBOX")
    return ("" if below_inbox else place.prefix) + delimiter.join(parts)


def _parts(name: str, delimiter: str | None) -> tuple[str, ...]:
    return tuple(name.split(delimiter)) if delimiter else (name,)


def _place(told: NamespaceDescr) -> Place:
    delimiter = "" if told.delimiter is None else readable(told.delimiter)
    return Place(Mailbox(told.prefix).name, delimiter)
