"""A pretended server with two sessions at random work, which knows what its mailboxes held at the beginning."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.proxy.replay.seeding.told import told

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.view.dialogue import Dialogue

FLAGS = ("\\Seen", "\\Flagged", "\\Deleted", "x")


@dataclass(eq=False)
class Letter:
    """A message."""

    uid: int
    text: str
    flags: set[str]


@dataclass
class Folder:
    """A mailbox."""

    letters: list[Letter]
    next: int

    def add(self, text: str, flags: set[str]) -> Letter:
        """A message more."""
        letter = Letter(self.next, text, set(flags))
        self.letters.append(letter)
        self.next += 1
        return letter


@dataclass
class Session:
    """What one client has been told: `view` are the messages by their numbers."""

    number: int
    lines: list[str] = field(default_factory=lambda: ["S: * PREAUTH ready"])
    ends: list[int] = field(default_factory=list[int])
    name: str | None = None
    view: list[Letter] = field(default_factory=list[Letter])


class Pretended:
    """`steps` of work, the same for the same seed."""

    def __init__(self, seed: int, steps: int = 40) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - no secret hangs on it
        self.uidplus = self.dice.random() < 0.6
        self.folders = {name: Folder([], 1) for name in ("INBOX", "Kept")}
        for name, folder in self.folders.items():
            for number in range(self.dice.randrange(7)):
                folder.next += self.dice.randrange(3)
                folder.add(f"{name}-{number}", {flag for flag in FLAGS[:2] if self.dice.random() < 0.4})
        self.first = {
            name: [(letter.uid, letter.text, frozenset(letter.flags)) for letter in folder.letters]
            for name, folder in self.folders.items()
        }
        self.sessions = (Session(1), Session(2))
        for at in range(steps):
            session = self.dice.choice(self.sessions)
            self._step(session)
            session.ends += [at] * (sum(line.startswith("C: a ") for line in session.lines) - len(session.ends))

    def dialogues(self) -> list[Dialogue]:
        """Of both sessions, in the order in which they ended."""
        found: list[tuple[int, Dialogue]] = []
        for session in self.sessions:
            said = told("\n".join(session.lines), session.number)
            found += zip(session.ends, said, strict=True)
        return [dialogue for _, dialogue in sorted(found, key=lambda each: each[0])]

    def _step(self, session: Session) -> None:
        if session.name is None or self.dice.random() < 0.1:
            self._select(session)
            return
        work: tuple[Callable[[Session], None], ...] = (
            self._look, self._look, self._read, self._store, self._append, self._copy, self._expunge, self._noop,
            self._close,
        )  # fmt: skip
        self.dice.choice(work)(session)

    def _say(self, session: Session, command: str, *answers: str, end: str = "OK done") -> None:
        session.lines += [f"C: a {command}", *(f"S: {answer}" for answer in answers), f"S: a {end}"]

    def _select(self, session: Session) -> None:
        session.name = self.dice.choice(list(self.folders))
        folder = self.folders[session.name]
        session.view = list(folder.letters)
        codes = ["* OK [UIDVALIDITY 9] x", f"* OK [UIDNEXT {folder.next}] x"][: self.dice.choice((1, 2))]
        self._say(session, f"SELECT {session.name}", f"* {len(session.view)} EXISTS", *codes)

    def _news(self, session: Session) -> list[str]:
        """What has happened meanwhile."""
        letters = self.folders[session.name or ""].letters
        news: list[str] = []
        for letter in [letter for letter in session.view if letter not in letters]:
            news.append(f"* {session.view.index(letter) + 1} EXPUNGE")
            session.view.remove(letter)
        if len(letters) > len(session.view):
            session.view = list(letters)
            news.append(f"* {len(letters)} EXISTS")
        return news

    def _chosen(self, session: Session) -> tuple[int, Letter] | None:
        letters = self.folders[session.name or ""].letters
        there = [(number, letter) for number, letter in enumerate(session.view, 1) if letter in letters]
        return self.dice.choice(there) if there else None

    def _look(self, session: Session) -> None:
        if chosen := self._chosen(session):
            number, letter = chosen
            uid = f"UID {letter.uid} " if self.dice.random() < 0.5 else ""
            flags = " ".join(sorted(letter.flags))
            self._say(session, f"FETCH {number} (FLAGS)", f"* {number} FETCH ({uid}FLAGS ({flags}))")

    def _read(self, session: Session) -> None:
        if chosen := self._chosen(session):
            number, letter = chosen
            literal = f"«{len(letter.text)}|{letter.text}»"
            self._say(
                session, f"UID FETCH {letter.uid} BODY.PEEK[]", f"* {number} FETCH (UID {letter.uid} BODY[] {literal})"
            )

    def _store(self, session: Session) -> None:
        if chosen := self._chosen(session):
            number, letter = chosen
            flag, how = self.dice.choice(FLAGS), self.dice.choice("+-")
            # What is no change tells nothing of what was there before, and no client says it.
            if (flag in letter.flags) == (how == "+"):
                return
            (letter.flags.add if how == "+" else letter.flags.discard)(flag)
            silent = self.dice.random() < 0.5
            answer = [] if silent else [f"* {number} FETCH (FLAGS ({' '.join(sorted(letter.flags))}))"]
            self._say(session, f"STORE {number} {how}FLAGS{'.SILENT' if silent else ''} ({flag})", *answer)

    def _append(self, session: Session) -> None:
        name = self.dice.choice(list(self.folders))
        letter = self.folders[name].add(f"new-{self.dice.random()}", set())
        code = f"OK [APPENDUID 9 {letter.uid}] done" if self.uidplus else "OK done"
        news = self._news(session) if self.dice.random() < 0.5 else []
        self._say(session, f"APPEND {name} «{len(letter.text)}|{letter.text}»", "+ go", *news, end=code)

    def _copy(self, session: Session) -> None:
        if chosen := self._chosen(session):
            number, letter = chosen
            name, move = self.dice.choice(list(self.folders)), self.uidplus and self.dice.random() < 0.5
            copy = self.folders[name].add(letter.text, letter.flags)
            code = f"[COPYUID 9 {letter.uid} {copy.uid}]"
            if move:
                self.folders[session.name or ""].letters.remove(letter)
                self._say(session, f"UID MOVE {letter.uid} {name}", f"* OK {code} x", *self._news(session))
            else:
                self._say(session, f"COPY {number} {name}", end=f"OK {code} x" if self.uidplus else "OK done")

    def _expunge(self, session: Session) -> None:
        folder = self.folders[session.name or ""]
        folder.letters[:] = [letter for letter in folder.letters if "\\Deleted" not in letter.flags]
        self._say(session, "EXPUNGE", *self._news(session))

    def _noop(self, session: Session) -> None:
        self._say(session, "NOOP", *self._news(session))

    def _close(self, session: Session) -> None:
        folder = self.folders[session.name or ""]
        folder.letters[:] = [letter for letter in folder.letters if "\\Deleted" not in letter.flags]
        self._say(session, "CLOSE")
        session.name, session.view = None, []
