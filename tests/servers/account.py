"""Whom the tests' own servers run as: root gives up its rights, anyone else stays who they are."""

from __future__ import annotations

import os
import pwd
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def account() -> pwd.struct_passwd:
    """Whom a server runs as."""
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    for name in ("dovenull", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("neither dovenull nor nobody is an account here")


def as_account(who: pwd.struct_passwd) -> dict[str, Any]:
    """Words for subprocess.Popen: root becomes `who`."""
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}


def give(folder: Path, who: pwd.struct_passwd) -> None:
    """All of a folder belongs to `who`, where that can be done."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, who.pw_uid, who.pw_gid, follow_symlinks=False)
