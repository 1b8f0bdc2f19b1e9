"""The IMAP server of the demonstration: one account, a handful of commands, BAD for all others."""

from __future__ import annotations

import asyncio
import fnmatch
import re
from typing import TYPE_CHECKING, Self

from imaptap.demo import fetch
from imaptap.demo.mailbox import FOLDERS, drafts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imaptap.demo.mailbox import Letter

    Answer = Iterator[bytes]

_CAPABILITIES = b"IMAP4rev1 CHILDREN"
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


class RefusedError(Exception):
    """The command's tagged answer is `status` (NO or BAD) with a reason."""

    def __init__(self, status: str, reason: str) -> None:
        super().__init__(f"{status} {reason}")


class DemoServer:
    """`async with DemoServer() as server:` serves on `server.port`, in clear, to this machine only."""

    port = 0

    async def __aenter__(self) -> Self:
        self._clients: set[asyncio.StreamWriter] = set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for writer in self._clients:
            writer.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        session = Session()
        writer.write(b"* OK The imaptap demonstration is ready.\r\n")
        try:
            while not session.over and (line := await reader.readline()):
                writer.write(b"".join(session.answer(line.decode("utf-8", "replace").strip())))
                await writer.drain()
        except (OSError, ValueError):
            pass  # the client is gone, or sends a line that never ends
        finally:
            self._clients.discard(writer)
            writer.close()


class Session:
    """One client's conversation."""

    def __init__(self) -> None:
        self.over = False
        self._user: str | None = None
        self._letters: list[Letter] | None = None
        self._commands: dict[str, Callable[[list[str]], Answer]] = {
            "CAPABILITY": self._capability,
            "NOOP": self._noop,
            "LOGIN": self._login,
            "LIST": self._list,
            "SELECT": self._select,
            "FETCH": self._fetch,
            "LOGOUT": self._logout,
        }

    def answer(self, line: str) -> Answer:
        """Everything the server says to one line."""
        tag, _, rest = line.partition(" ")
        name, _, words = rest.partition(" ")
        command = self._commands.get(name.upper())
        if command is None:
            yield f"{tag or '*'} BAD The demonstration does not know {name.upper() or 'this'}.\r\n".encode()
            return
        try:
            yield from command(_words(words))
        except RefusedError as refused:
            yield f"{tag} {refused}\r\n".encode()
        else:
            yield f"{tag} OK {self._done(name.upper())}\r\n".encode()

    def _done(self, name: str) -> str:
        return f"{'[READ-WRITE] ' if name == 'SELECT' else ''}{name} completed."

    def _capability(self, _: list[str]) -> Answer:
        yield b"* CAPABILITY %b\r\n" % _CAPABILITIES

    def _noop(self, _: list[str]) -> Answer:
        yield from ()

    def _login(self, words: list[str]) -> Answer:
        user, _ = _need(words, 2)
        self._user = user
        yield from ()

    def _list(self, words: list[str]) -> Answer:
        self._need_login()
        reference, pattern = _need(words, 2)
        for name, attributes in FOLDERS.items():
            if fnmatch.fnmatchcase(name, reference + pattern.replace("%", "*")):
                yield f'* LIST ({attributes}) "/" {_mailbox(name)}\r\n'.encode()

    def _select(self, words: list[str]) -> Answer:
        self._need_login()
        (name,) = _need(words, 1)
        if name not in FOLDERS:
            raise RefusedError("NO", f"[NONEXISTENT] There is no mailbox {name}.")
        self._letters = drafts() if name == "Drafts" else []
        yield b"* %d EXISTS\r\n* 0 RECENT\r\n" % len(self._letters)
        yield b"* FLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)\r\n"
        yield b"* OK [PERMANENTFLAGS (\\Seen \\Answered \\Flagged \\Deleted \\Draft)] Permanent flags\r\n"
        yield b"* OK [UIDVALIDITY 3516] UIDVALIDITY value\r\n"
        yield b"* OK [UIDNEXT %d] The next unique identifier value\r\n" % (len(self._letters) + 1)

    def _fetch(self, words: list[str]) -> Answer:
        if self._letters is None:
            raise RefusedError("BAD", "No mailbox is selected.")
        if len(words) < 2:
            raise RefusedError("BAD", "FETCH needs messages and items.")
        wanted = fetch.items(" ".join(words[1:]))
        if wanted is None:
            raise RefusedError("BAD", "The demonstration does not know such an item.")
        for number in _numbers(words[0], len(self._letters)):
            yield fetch.response(number, self._letters[number - 1], wanted)

    def _logout(self, _: list[str]) -> Answer:
        self.over = True
        yield b"* BYE The imaptap demonstration signs off.\r\n"

    def _need_login(self) -> None:
        if self._user is None:
            raise RefusedError("NO", "Log in first; any name and password will do.")


def _need(words: list[str], count: int) -> list[str]:
    if len(words) != count:
        raise RefusedError("BAD", f"This command has {count} arguments.")
    return words


def _words(text: str) -> list[str]:
    return [re.sub(r"\\(.)", r"\1", match[1]) if match[2] is None else match[2] for match in _WORD.finditer(text)]


def _mailbox(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _numbers(words: str, last: int) -> Iterator[int]:
    """The message numbers of a sequence set that are there."""
    if not re.fullmatch(r"(?:\d{1,9}|\*)(?::(?:\d{1,9}|\*))?(?:,(?:\d{1,9}|\*)(?::(?:\d{1,9}|\*))?)*", words):
        raise RefusedError("BAD", "These are no message numbers.")
    for part in words.split(","):
        ends = [last if end == "*" else int(end) for end in part.split(":")]
        yield from range(max(1, min(ends)), min(last, max(ends)) + 1)
