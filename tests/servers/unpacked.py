"""Servers from Debian packages that are unpacked, not installed: they could not be installed beside Dovecot.

`tools/system-packages` unpacks them, into the folder that the wider testbed uses as well.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.need import absent


def unpacked(name: str, program: str) -> Path:
    """The root of the unpacked server `name`, which has `program` in it; a test that needs it ends here without it."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    root = Path(os.environ.get("TB_HOME") or Path(cache) / "imap-testbed") / name
    if not (root / program).exists():
        absent(f"{name} (unpacked)")
    return root


def brought(name: str, program: str, folder: Path) -> Path:
    """The same, copied into `folder`, where an unprivileged user can get at it; as nobody but root needs that."""
    root = unpacked(name, program)
    if os.geteuid() != 0:
        return root
    shutil.copytree(root, folder / "root", symlinks=True, ignore=shutil.ignore_patterns("doc", "man", "locale"))
    return folder / "root"


def libraries(root: Path) -> str:
    """LD_LIBRARY_PATH for its programs."""
    folders = {path.parent for path in root.rglob("*.so*") if path.parent.name != "sasl2"}
    return os.pathsep.join(map(str, sorted(folders)))
