"""What is wanted of the seeding of a target, and what came of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from proxy.live.errors import LiveError


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person wants. `stand_ins`: letters of the right size where bodies are missing. `onto`: append to
    mailboxes that have other messages already.
    """

    stand_ins: bool = False
    onto: bool = False


class SeedError(LiveError):
    """The target's mailboxes are not as a seeding needs them; nothing has been changed."""


@dataclass(slots=True)
class SeededMailbox:
    """One mailbox. `name` is the recorded one, `there` the target's; `exists` how many messages it began with.

    `alike`: the target had it already, with the same messages. `missing` counts messages by why they are not there;
    `doubts` those that are there, but not in all as they were. `trouble` says why there is no such mailbox;
    not `known`: the recording tells nothing of its messages, so that those that are there are nobody's business.
    """

    name: str
    exists: int
    there: str | None = None
    appended: int = 0
    stand_ins: int = 0
    alike: bool = False
    missing: Counter[str] = field(default_factory=Counter[str])
    doubts: Counter[str] = field(default_factory=Counter[str])
    trouble: str = ""
    known: bool = True

    def doubt(self, what: str, applies: bool) -> None:
        """A message is there, but not in all as it was, if that `applies`."""
        if applies:
            self.doubts[what] += 1

    @property
    def whole(self) -> bool:
        """Whether all of it is there, as far as anybody knows."""
        return not (self.missing or self.trouble or self.stand_ins)

    @property
    def sentences(self) -> list[str]:
        """For people: what is there, and what could not be, each without a full stop."""
        place = self.name if self.there in (None, self.name) else f"{self.name} as {self.there}"
        if self.trouble:
            return [f"could not: {place}: {self.trouble}"]
        if self.alike:
            return [f"{place}: has its {_messages(self.exists)} already"]
        if not self.exists:
            return [f"{place}: began without messages" if self.known else f"{place}: nothing is known of its messages"]
        said = [f"{place}: {_messages(self.appended)} appended"]
        if self.stand_ins:
            said.append(f"{place}: {_messages(self.stand_ins)} with a text that stands in for one never fetched")
        said += [
            f"could not: {count} of {self.name}'s {_messages(self.exists)}, {why}"
            for why, count in self.missing.items()
        ]
        return said + [f"{place}: {_messages(count)} {what}" for what, count in self.doubts.items()]


@dataclass(slots=True)
class Seeded:
    """All mailboxes of one user."""

    mailboxes: list[SeededMailbox] = field(default_factory=list[SeededMailbox])

    @property
    def whole(self) -> bool:
        """Whether the target began as the recording did."""
        return all(mailbox.whole for mailbox in self.mailboxes)


def _messages(count: int) -> str:
    return f"{count:,} message{'' if count == 1 else 's'}"
