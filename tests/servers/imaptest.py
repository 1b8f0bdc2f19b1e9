"""A reader of ImapTest's scripted tests, and who runs them: what their documentation says, and nothing of the writer.

https://github.com/dovecot/imaptest, docs/scripted_test.md. Only what an export may have is read; all else is an error.
As in ImapTest itself, the length of a literal is counted before variables in it are replaced.
"""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass, field
from typing import IO

from tests.servers.wait import PATIENCE

_STATUS = re.compile(rb'(ok|no|bad|"")(?: |\Z)', re.IGNORECASE)
_TAG = re.compile(rb"tag([0-9]+) ", re.IGNORECASE)
_VARIABLE = re.compile(rb"\$(?:\$|\{([^}]*)\}|([A-Za-z0-9_]*))")
_ATOM = re.compile(rb'[^ ()"\r\n]+')
_LITERAL = re.compile(rb"~?\{([0-9]+)\+?\}\r\n")
_PAIRS = {b"FETCH", b"UIDFETCH", b"STATUS"}
_RECENT = rb"\RECENT"

Arg = bytes | None | list["Arg"]
"""A word or a string, NIL, or a list."""


@dataclass
class Command:
    """One command and the status that it shall end with, with the words behind it."""

    line: bytes
    status: list[Arg] = field(default_factory=list["Arg"])


@dataclass
class Group:
    """Commands that are sent together, and what shall be said to them, in any order."""

    commands: dict[bytes, Command] = field(default_factory=dict[bytes, Command])
    untagged: list[bytes] = field(default_factory=list[bytes])

    @property
    def open(self) -> bool:
        return any(not command.status for command in self.commands.values())


def read(text: bytes) -> tuple[dict[str, str], list[Group]]:
    """The header and the groups. Raises AssertionError where it is no test."""
    assert text.endswith(b"\n")
    head, _, body = text.partition(b"\n\n")
    lines = [line for line in head.decode().split("\n") if not line.startswith("#")]
    header = dict(line.split(": ", 1) for line in lines)
    groups: list[Group] = []
    for line in _lines(body):
        if line.startswith(b"* "):
            groups[-1].untagged.append(line[2:])
            continue
        tag, rest = b"0", line
        if found := _TAG.match(line):
            tag, rest = found[1], line[found.end() :]
        status = _STATUS.match(rest)
        if groups and groups[-1].open and found and status and tag in groups[-1].commands:
            groups[-1].commands[tag].status = _args(rest + b"\r\n")
            continue
        if not groups or not groups[-1].open:
            groups.append(Group())
        assert tag not in groups[-1].commands, line
        done: list[Arg] = [] if status is None else [status[1]]
        groups[-1].commands[tag] = Command(rest[status.end() :] if status else rest, done)
    assert not any(group.open for group in groups)
    return header, groups


def _lines(body: bytes) -> list[bytes]:
    """Without comments; a line with blocks between braces has them as literals."""
    lines: list[bytes] = []
    begun = b""
    block: list[bytes] | None = None
    for line in body.split(b"\n"):
        if block is not None:
            if not line.startswith(b"}}}"):
                block.append(line)
                continue
            content = b"\r\n".join(block)
            begun += b"{%d+}\r\n%s" % (len(content), content)
            block, line = None, line[3:]  # noqa: PLW2901  the rest of it
        elif not line or line.startswith(b"#"):
            continue
        begun += line
        if begun.endswith(b"{{{"):
            begun, block = begun[:-3], []
        else:
            lines.append(begun)
            begun = b""
    assert block is None
    return lines


def run(text: bytes, port: int, **variables: str) -> tuple[int, list[str]]:
    """Run a test at a server on this machine: how many answers were as expected, and what was not."""
    header, groups = read(text)
    assert header == {"state": "nonauth"}, "any other state empties mailboxes"
    known = {name.encode(): value.encode() for name, value in variables.items()}
    failures: list[str] = []
    matched = 0
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        stream = connection.makefile("rwb")
        assert stream.readline().startswith(b"* OK")
        for number, group in enumerate(groups, 1):
            stream.write(b"".join(_sent(number, tag, each, known) for tag, each in group.commands.items()))
            stream.flush()
            try:
                untagged, ended = _answers(stream, number, set(group.commands))
            except EOFError:
                return matched, [*failures, f"group {number}: the server has hung up"]
            for expected in group.untagged:
                pattern = _args(expected + b"\r\n")
                found = any(_all_match(pattern, answer) for answer in untagged)
                matched += found
                failures += [] if found else [f"group {number}: missing {expected!r}"]
            for tag, command in group.commands.items():
                was = ended[tag][: len(command.status)]
                found = command.status == [b'""'] or _matches(command.status, was)
                matched += found
                failures += [] if found else [f"group {number}: {command.line!r} ended with {ended[tag]!r}"]
    return matched, failures


def _sent(number: int, tag: bytes, command: Command, known: dict[bytes, bytes]) -> bytes:
    def value(found: re.Match[bytes]) -> bytes:
        return b"$" if found[0] == b"$$" else known[found[1] or found[2]]

    return b"%d.%s %s\r\n" % (number, tag, _VARIABLE.sub(value, command.line))


def _answers(stream: IO[bytes], number: int, tags: set[bytes]) -> tuple[list[list[Arg]], dict[bytes, list[Arg]]]:
    untagged: list[list[Arg]] = []
    ended: dict[bytes, list[Arg]] = {}
    while set(ended) != tags:
        line = stream.readline()
        if not line:
            raise EOFError
        while found := re.search(rb"~?\{([0-9]+)\}\r\n\Z", line):
            line += stream.read(int(found[1])) + stream.readline()
        word, _, rest = line.partition(b" ")
        if word == b"*":
            untagged.append(_args(rest))
        elif word != b"+":
            assert word.startswith(b"%d." % number), line
            ended[word.partition(b".")[2]] = _args(rest)
    return untagged, ended


def _args(line: bytes) -> list[Arg]:
    """A line with its literals, as words, strings and lists."""
    stack: list[list[Arg]] = [[]]
    position = 0
    while position < len(line) and line[position : position + 2] != b"\r\n":
        start = line[position : position + 1]
        if start == b"(":
            stack.append([])
        elif start == b")" and len(stack) > 1:
            done = stack.pop()
            stack[-1].append(done)
        elif start == b'"':
            end = re.compile(rb'(?:[^"\\]|\\.)*"', re.DOTALL).match(line, position + 1)
            if end is None:
                break  # text for people
            stack[-1].append(re.sub(rb"\\(.)", rb"\1", end[0][:-1]))
            position = end.end() - 1
        elif found := _LITERAL.match(line, position):
            stack[-1].append(line[found.end() : found.end() + int(found[1])])
            position = found.end() + int(found[1]) - 1
        elif found := _ATOM.match(line, position):
            stack[-1].append(None if found[0].upper() == b"NIL" else found[0])
            position = found.end() - 1
        position += 1
    return stack[0]


def _all_match(pattern: list[Arg], answer: list[Arg]) -> bool:
    """An untagged answer: order and extras count only where they do by default."""
    words = [each.upper() for each in pattern[:2] if isinstance(each, bytes)]
    pairs = next((word for word in words if word in _PAIRS), None)
    if pairs is not None and isinstance(pattern[-1], list):
        there = answer[-1] if len(answer) == len(pattern) else None
        return isinstance(there, list) and _matches(pattern[:-1], answer[:-1]) and _each(pattern[-1], there)
    if words[:1] in ([b"LIST"], [b"LSUB"]) and len(answer) > 1:
        flags, there = pattern[1], answer[1]
        return (
            isinstance(flags, list) and isinstance(there, list) and all(any(_one(x, y) for y in there) for x in flags)
            and _matches(pattern[2:], answer[2:])
        )  # fmt: skip
    return _matches(pattern, answer)


def _each(pattern: list[Arg], there: list[Arg]) -> bool:
    """Pairs of name and value, in any order, among others."""
    pairs = list(zip(there[::2], there[1::2], strict=False))
    return all(
        any(_one(name, x) and (_flags(value, y) if name == b"FLAGS" else _one(value, y)) for x, y in pairs)
        for name, value in zip(pattern[::2], pattern[1::2], strict=True)
    )


def _flags(pattern: Arg, there: Arg) -> bool:
    if not isinstance(pattern, list) or not isinstance(there, list):
        return _one(pattern, there)
    left = [each for each in there if not (isinstance(each, bytes) and each.upper() == _RECENT)]
    return len(left) == len(pattern) and all(any(_one(x, y) for y in left) for x in pattern)


def _matches(pattern: list[Arg], there: list[Arg]) -> bool:
    return len(pattern) == len(there) and all(_one(x, y) for x, y in zip(pattern, there, strict=True))


def _one(pattern: Arg, there: Arg) -> bool:
    """`$` is anything, lists too; `$$` is a dollar; case does not matter."""
    if pattern == b"$":
        return there is not None
    if isinstance(pattern, bytes):
        parts = (re.escape(part) for part in _VARIABLE.sub(_anything, pattern).split(b"\0"))
        return isinstance(there, bytes) and bool(re.fullmatch(b".*".join(parts), there, re.IGNORECASE | re.DOTALL))
    if isinstance(pattern, list):
        return isinstance(there, list) and _matches(pattern, there)
    return there is None


def _anything(found: re.Match[bytes]) -> bytes:
    return b"$" if found[0] == b"$$" else b"\0"
