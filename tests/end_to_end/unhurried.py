"""The testbed's jobs, without what they take for granted of a machine that has nothing else to do.

A few of them wait for a time where they could wait for a thing: that a client looks, that a letter is there, that a
delivery is written to its end. Beside other tests that fails now and then, direct as well as through imaptap.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Change(NamedTuple):
    """A place in a file of the testbed, and what stands there instead."""

    file: str
    was: str
    now: str


CHANGES = (
    # A delivery has its name once it is whole: fetchmail is killed as soon as one is there, and that is compared.
    Change(
        "clients/fetchmail.sh",
        'exec cat > "$1/$$.$(date +%s%N)"\n',
        'name=$$.$(date +%s%N)\ncat > ".$name" && mv ".$name" "$1/$name"\n',
    ),
    Change("clients/fetchmail.sh", "timeout 30 fetchmail", "timeout 80 fetchmail"),
    Change("clients/fetchmail.sh", "for _ in $(seq 100); do [ -n", "for _ in $(seq 600); do [ -n"),
    # The letter is put there when mutt and neomutt have opened the folder, and they look for it when it is there, but
    # not within the second in which they have looked already, or they would not look again.
    Change(
        "clients/lib/mutt.sh",
        '( sleep 2; side put "$FOLDER" sent.eml )',
        '( for _ in $(seq 600); do [ -e wanted ] && break; sleep 0.1; done\nside put "$FOLDER" sent.eml; : > there )',
    ),
    Change(
        "clients/lib/mutt.sh",
        "<shell-escape>sleep 4<enter>",
        "<shell-escape>: > wanted; until [ -e there ]; do sleep 0.1; done; sleep 2<enter>",
    ),
)


def copied(testbed: Path, folder: Path, *more: Change) -> Path:
    """A copy of the testbed in the new folder `folder` with these changes. Raises ValueError where one has no place."""
    shutil.copytree(testbed, folder, ignore=shutil.ignore_patterns("__pycache__"), copy_function=shutil.copy)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    for change in (*CHANGES, *more):
        file = folder / change.file
        text = file.read_text()
        if change.was not in text:
            raise ValueError(f"{change.file} has no {change.was!r}: the testbed is another one")
        file.write_text(text.replace(change.was, change.now))
    return folder
