"""Where Cyrus keeps its mail: in memory, if there is such a place, for nobody needs it after the tests.

It has each letter and each list written to the disk before it answers, and on a disk with other work that takes most of
its time. Dovecot and PostgreSQL are told not to wait for theirs; what imaptap itself writes stays on the disk.
"""

from __future__ import annotations

import os
from pathlib import Path

PLACE = Path("/dev/shm")  # noqa: S108 - what is made in it has a name that cannot be foreseen
ROOM = 1 << 29
"""Bytes that must be free: some of them at once, with the mail of the wider testbed and programs of their own."""


def memory() -> str | None:
    """A folder for the folders of such servers; None is the usual one for what is temporary, as `tempfile` takes it.

    A server may be copied into its folder, so programs must be allowed there; containers often forbid that.
    """
    if not PLACE.is_dir() or not os.access(PLACE, os.R_OK | os.W_OK | os.X_OK):
        return None
    place = os.statvfs(PLACE)
    forbidden = place.f_flag & (os.ST_NOEXEC | os.ST_RDONLY)
    return None if forbidden or place.f_bavail * place.f_frsize < ROOM else str(PLACE)
