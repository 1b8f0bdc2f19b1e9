"""What has been found so far while two dialogues are compared; and which ids stand for which within them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.commands import SELECTS
from proxy.imap.grammar.mailboxes import OnMailbox
from storage.diff.equality.rules import Rule
from storage.diff.equality.shown import shown
from storage.diff.values import Comparison, Difference, Kind, Pass

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.view.dialogue import Dialogue
    from storage.diff.equality.context import Context

PASSES_MOST = 20
"""Passes of one rule in two dialogues that are told one by one."""
NOTHING = Comparison()


def kind_of(left: object, right: object) -> Kind:
    """The class of a difference of two values: None is one that is not there."""
    return Kind.MISSING if right is None else Kind.EXTRA if left is None else Kind.VALUE


class Findings:
    """Two dialogues and the context, for whoever compares; differences and passes, from whoever has found one.

    `through` is the rule by which everything is let pass that is found while it is set: news, for one.
    """

    __slots__ = (
        "_counts",
        "_mailbox",
        "_masked",
        "_paired",
        "context",
        "differences",
        "left",
        "mapping",
        "passes",
        "right",
        "through",
    )

    def __init__(self, left: Dialogue, right: Dialogue, context: Context) -> None:
        self.left = left
        self.right = right
        self.context = context
        self.mapping = context.mapping
        self.differences: list[Difference] = []
        self.passes: list[Pass] = []
        self.through: Rule | None = None
        self._mailbox: str | None = None
        self._masked: bool | None = None
        self._counts: dict[Rule, int] = {}
        self._paired: tuple[dict[object, object], dict[object, object]] | None = None

    @property
    def mailbox(self) -> str:
        """The left name of the mailbox that the command is about: the one it selects, or the selected one."""
        if self._mailbox is None:
            body = self.left.command.body if self.left.exchange.command in SELECTS and self.left.command else None
            name = body.mailbox.name if isinstance(body, OnMailbox) else self.left.before.mailbox
            self._mailbox = name or ""
        return self._mailbox

    @property
    def masked(self) -> bool:
        """Whether there are masks in what both sides were answered."""
        if self._masked is None:
            self._masked = all(any(answer.secret for answer in side.answers) for side in (self.left, self.right))
        return self._masked

    @property
    def sessions(self) -> tuple[int, int]:
        """The numbers of both sessions."""
        return self.left.exchange.session, self.right.exchange.session

    def differ(self, kind: Kind, where: str, left: object = None, right: object = None, cause: str = "") -> None:
        """Not the same."""
        if self.through is not None and self.through not in self.context.off:
            self.let(self.through, where, left, right)
        else:
            self.differences.append(Difference(kind, where, shown(left), shown(right), cause))

    def value(self, where: str, left: object, right: object, cause: str = "") -> None:
        """Not the same: another value, or with a None one that is missing or extra."""
        self.differ(kind_of(left, right), where, left, right, cause)

    def let(self, rule: Rule, where: str, left: object = None, right: object = None, kind: Kind | None = None) -> None:
        """Not the same, and let pass by a rule; a difference of that kind where the rule is switched off."""
        if rule in self.context.off:
            kind = kind or kind_of(left, right)
            self.differences.append(Difference(kind, where, shown(left), shown(right)))
            return
        count = self._counts[rule] = self._counts.get(rule, 0) + 1
        if count <= PASSES_MOST:
            self.passes.append(Pass(rule.value, where, shown(left), shown(right)))

    def pair(self, space: object, left: object, right: object) -> bool:
        """Whether the two may stand for each other: neither stands for another one in that space yet."""
        if self._paired is None:
            self._paired = {}, {}
        there, back = self._paired
        if there.get((space, left), right) != right or back.get((space, right), left) != left:
            return False
        there[space, left], back[space, right] = right, left
        return True

    def tentatively(self, attempt: Callable[[Findings], bool]) -> bool:
        """Whether an attempt succeeds; ids that it has paired stay paired only then."""
        before = None if self._paired is None else (self._paired[0].copy(), self._paired[1].copy())
        if attempt(self):
            return True
        self._paired = before
        return False

    def comparison(self) -> Comparison:
        """All that was found."""
        if not self.differences and not self.passes:
            return NOTHING
        for rule, count in self._counts.items():
            if count > PASSES_MOST:
                more = count - PASSES_MOST
                self.passes.append(Pass(rule.value, f"{more} more", times=more))
        return Comparison(tuple(self.differences), tuple(self.passes))
