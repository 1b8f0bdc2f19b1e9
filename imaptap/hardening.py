"""What the process forbids itself, so that what it holds in memory (passwords, keys, letters) stays there."""

from __future__ import annotations

import resource
import sys

_PR_SET_DUMPABLE = 4


def forbid_core_dumps() -> None:
    """No core dump of this process, whatever limits it was started with; it and its forks cannot take that back.

    On Linux it also becomes opaque to other processes of the same user (ptrace(2), and in /proc its memory, its
    environment and its open files; root is not kept out). That does not survive an exec: whoever starts a Python anew
    has to call this there again.
    """
    # The hard limit as well, so that nothing that runs in here, nor a child, can raise it again.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        _be_undumpable()


def _be_undumpable() -> None:
    # A limit of 0 does not stop a core_pattern that is a pipe (systemd-coredump, apport): core(5). This does.
    import ctypes  # noqa: PLC0415 - of use on Linux only, and slow to load

    # It can fail for want of such a call only, as in a sandbox; the limit is then what is left.
    ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
