"""The whole of what is known of two servers: filled by dialogues that belong together, asked for single values."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from proxy.imap.mapping import learning
from proxy.imap.mapping.bijection import Bijection
from proxy.imap.mapping.mailboxes import Mailboxes
from proxy.imap.mapping.names import Names
from proxy.imap.mapping.selected import Selected
from proxy.imap.mapping.session import Session
from proxy.imap.mapping.told import told
from proxy.imap.mapping.values import NoCounterpartError, Side

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Mapping as Given

    from proxy.imap.view.dialogue import Dialogue, Literals


class Mapping:
    """What one server calls this and another one that. Sessions of the same user share one.

    Mailboxes are named as they are recorded, in Unicode, wherever a name is asked for. `given` are names that a person
    has mapped by hand, recorded name to the target's: what is below them follows; "" stands for all names.
    """

    def __init__(self, given: Given[str, str] | None = None) -> None:
        self.names = Names(given)
        self.mailboxes = Mailboxes()
        self.objects: defaultdict[str, Bijection[str]] = defaultdict(Bijection)
        """By kind: EMAILID, THREADID, MAILBOXID, X-GM-MSGID, X-GM-THRID, "quota root"."""
        self._sessions: dict[int, Session] = {}
        self._alone = (defaultdict[int, Selected](Selected), defaultdict[int, Selected](Selected))
        self._known = learning.Known(self.names, self.mailboxes, self.objects)

    # --- what is learnt ---------------------------------------------------------------------------------------------

    def learn(
        self,
        recorded: Dialogue,
        replayed: Dialogue | None,
        literals: tuple[Literals | None, Literals | None] = (None, None),
    ) -> None:
        """A recorded step and what came of it at the target; None where it was not sent, or not answered.

        In the order of the steps, every step of a session: what a skipped one did to the recorded mailbox counts too.
        """
        session = self.session(recorded)
        session.recorded.hear(recorded)
        ours = told(recorded, session.recorded)
        theirs = None
        if replayed is not None:
            session.replayed.hear(replayed)
            theirs = told(replayed, session.replayed)
        session.learn(recorded, replayed, ok=theirs is not None and ours.ok and theirs.ok)
        if replayed is not None and theirs is not None:
            sides = learning.Sides((recorded, replayed), (ours, theirs), literals)
            learning.learn(self._known, session, sides)
        else:
            name = session.recorded.mailbox.name if session.recorded.mailbox else None
            learning.hear(self._known, name, Side.RECORDED, ours, literals[0])
        self._gone(session)

    def foresee(self, recorded: Dialogue, literals: Literals | None = None) -> None:
        """A recorded dialogue ahead of its time: names, and who the messages are, are the same all along.

        Feed it all of a recording before the first step: what the client learnt late, by then may be too late here.
        """
        selected = self._alone[Side.RECORDED][recorded.exchange.session]
        selected.hear(recorded)
        box = selected.mailbox
        if box is not None and box.uidvalidity is not None:
            self.mailboxes.of(box.name, box.uidvalidity)
        self._hear(Side.RECORDED, box.name if box else None, box.uidvalidity if box else None, recorded, literals)

    def probe(self, replayed: Dialogue, literals: Literals | None = None) -> None:
        """What the target answered to a question of one's own, as LIST, NAMESPACE, or FETCH of ENVELOPE and UID."""
        selected = self._alone[Side.REPLAYED][replayed.exchange.session]
        selected.hear(replayed)
        name = self.names.recorded(selected.mailbox.name) if selected.mailbox else None
        self._hear(Side.REPLAYED, name, None, replayed, literals)

    def _hear(
        self, side: Side, name: str | None, uidvalidity: int | None, dialogue: Dialogue, literals: Literals | None
    ) -> None:
        selected = self._alone[side][dialogue.exchange.session]
        learning.hear(self._known, name, side, told(dialogue, selected), literals, uidvalidity)

    def tell_uids(
        self, mailbox: str, uidvalidity: tuple[int | None, int | None], pairs: Iterable[tuple[int, int]]
    ) -> None:
        """Recorded UIDs and the target's, by who has put these messages there; both UIDVALIDITYs, where known."""
        self.mailboxes.select(mailbox, *uidvalidity).told(pairs)

    def begin(self, recorded: Dialogue) -> Session:
        """The step is the next one: what the recorded server said before it is heard. Twice does no harm."""
        session = self.session(recorded)
        session.recorded.begin(recorded)
        return session

    def session(self, recorded: Dialogue) -> Session:
        """The session of a recorded dialogue, and the one that replays it."""
        return self._sessions.setdefault(recorded.exchange.session, Session())

    # --- what is asked ----------------------------------------------------------------------------------------------

    def name(self, recorded: str) -> str | None:
        """What the target calls a mailbox; None where it cannot have it. `names.counterpart` says why."""
        try:
            return self.names.counterpart(recorded)
        except NoCounterpartError:
            return None

    def uid(self, mailbox: str, uid: int) -> int | None:
        """The UID of a recorded message at the target."""
        found = self.mailboxes.find(mailbox)
        return found.uid(uid) if found else None

    def recorded_uid(self, mailbox: str, uid: int) -> int | None:
        """The recorded UID of a message of the target; the mailbox by its recorded name."""
        found = self.mailboxes.find(mailbox)
        return found.recorded_uid(uid) if found else None

    def uidvalidity(self, mailbox: str, uidvalidity: int) -> int | None:
        """The target's UIDVALIDITY of a mailbox that had this one."""
        found = self.mailboxes.find(mailbox, uidvalidity)
        return found.uidvalidity[Side.REPLAYED] if found else None

    def uidnext(self, mailbox: str, uidnext: int) -> int | None:
        """The target's UIDNEXT when that was the recorded one."""
        found = self.mailboxes.find(mailbox)
        return found.next(uidnext) if found else None

    def modseq(self, mailbox: str, modseq: int) -> int | None:
        """The target's modification sequence for a recorded one; between two known ones, the lower one's."""
        found = self.mailboxes.find(mailbox)
        return found.modseqs.replayed(modseq) if found else None

    def object_id(self, kind: str, recorded: str) -> str | None:
        """The target's id of what has this one; `kind` as in `objects`."""
        return self.objects[kind].replayed(recorded)

    def recorded_object_id(self, kind: str, replayed: str) -> str | None:
        """The recorded id of what has this one at the target."""
        return self.objects[kind].recorded(replayed)

    def tag(self, session: int, recorded: bytes) -> bytes | None:
        """The tag that was sent for a recorded one, the last in that recorded session."""
        found = self._sessions.get(session)
        return found.tags.get(recorded) if found else None

    def _gone(self, session: Session) -> None:
        mailbox = session.recorded.mailbox
        if mailbox is not None and session.recorded.gone:
            messages = self.mailboxes.of(mailbox.name)
            for uid in session.recorded.gone:
                messages.gone(Side.RECORDED, uid)
