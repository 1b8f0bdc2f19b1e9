"""Questions to a target, one after another, of imaptap's own: no step of a recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.imap.grammar.commands import Body
    from proxy.imap.view.dialogue import Dialogue


class Asker(Protocol):
    """Somebody who is logged in at the target."""

    @property
    def capabilities(self) -> frozenset[str]:
        """The words in force, in capitals."""
        ...

    async def ask(self, body: Body, content: Sequence[Iterator[bytes]] = ()) -> Dialogue:
        """Send a command, with the contents of its literals that lie elsewhere, and hear what is answered to it.

        Raises LiveError where no whole answer came.
        """
        ...
