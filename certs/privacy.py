"""Who else can get at a file: owners and modes, judged before it is trusted with a secret."""

import grp
import os
import pwd
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from certs.errors import CertificateError
from certs.files import reason

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Concern:
    """What others could do, and what to type so that they cannot."""

    message: str
    hint: str


def exposed(path: Path, what: str) -> Concern | None:
    """Why the file ``path`` is no secret of its owner's; None where it is one. Raises OSError where there is none.

    What is no regular file (a pipe from the shell, a terminal) is nobody's business. A file of root's may be readable
    for a group: whoever is in it was put there by root.
    """
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        return None
    if (owner := foreign_owner(path, status)) is not None:
        hint = f"Copy it to a file of your own (chmod 600), or run imaptap as {owner}."
        return Concern(f"The {what} {path} belongs to another user ({owner}).", hint)
    mode = stat.S_IMODE(status.st_mode)
    granted = stat.S_IRGRP if status.st_uid == _ROOT != os.geteuid() else 0
    if mode & _OTHERS & ~granted:
        return Concern(
            f"The {what} {path} is open to other users (mode {mode:04o}).", f"Run: chmod 600 {shlex.quote(str(path))}"
        )
    return None


def need_private(path: Path, what: str) -> None:
    """Raise CertificateError, with what to type, where others can get at the file ``path``."""
    try:
        concern = exposed(path, what)
    except OSError as error:
        raise CertificateError(
            f"The {what} {path} cannot be read: {reason(error)}.", "Name a file that is there and that you may read."
        ) from error
    if concern is not None:
        raise CertificateError(concern.message, concern.hint)


def need_unwritable(path: Path, what: str) -> None:
    """Raise CertificateError where others may change the file ``path``, or replace what is in the folder ``path``.

    In a folder with the sticky bit (/tmp) they may not, whatever its mode. Raises OSError where there is none.
    """
    status = path.stat()
    if (owner := foreign_owner(path, status)) is not None:
        raise CertificateError(
            f"The {what} {path} belongs to another user ({owner}), who could change it.",
            "Set IMAPTAP_HOME to a folder of your own.",
        )
    if writable_by_others(status):
        raise CertificateError(
            f"The {what} {path} can be changed by other users (mode {stat.S_IMODE(status.st_mode):04o}).",
            f"Run: chmod go-w {shlex.quote(str(path))}",
        )


def foreign_owner(path: Path, status: os.stat_result) -> str | None:
    """The name (else the number) of the owner of the file ``path``, if that is another user who might mean harm.

    Not root. And where root runs this (in a container, with sudo) not the owner of the files it was given, unless
    anybody may have put them there.
    """
    if status.st_uid in {os.geteuid(), _ROOT}:
        return None
    if os.geteuid() == _ROOT and not open_to_all(path.parent):
        return None
    try:
        return pwd.getpwuid(status.st_uid).pw_name
    except KeyError:
        return f"uid {status.st_uid}"


def open_to_all(folder: Path) -> bool:
    """Whether every user may put files into ``folder``, as into /tmp. Raises OSError where there is none."""
    return bool(folder.stat().st_mode & stat.S_IWOTH)


def writable_by_others(status: os.stat_result) -> bool:
    """Whether others may write to a file, or may remove and replace what lies in a folder."""
    others = status.st_mode & _OTHERS_WRITE
    if stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX:
        return False
    return bool(others & stat.S_IWOTH) or bool(others and not _own_group(status.st_gid))


def _own_group(number: int) -> bool:
    """Whether the owner is alone in a group, as where each user has one (the umask is 002 there: Debian, Fedora)."""
    try:
        group, user = grp.getgrgid(number), pwd.getpwuid(os.geteuid())
    except KeyError:
        return False
    return group.gr_gid == user.pw_gid and group.gr_name == user.pw_name and set(group.gr_mem) <= {user.pw_name}
