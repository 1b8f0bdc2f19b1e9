"""Files that hold keys: made for the owner only, whole or not at all, never in place of another."""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Generator
from pathlib import Path

from platformdirs import user_data_dir

from certs.errors import CertificateError


def home() -> Path:
    """The folder of this user's authority: ``$IMAPTAP_HOME``, else the platform's data folder for imaptap."""
    moved = os.environ.get("IMAPTAP_HOME")
    return Path(moved).expanduser().absolute() if moved else Path(user_data_dir("imaptap"))


def make_private_folder(folder: Path) -> None:
    """Make ``folder`` (0700) if it is not there. Raises CertificateError where that is impossible."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CertificateError(
            f"The folder {folder} for the certificate authority cannot be made: {reason(error)}.",
            "Set IMAPTAP_HOME to a folder that you may write to.",
        ) from error


def read(path: Path, what: str) -> bytes:
    """The bytes of ``path``. Raises CertificateError that calls the file ``what``."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CertificateError(
            f"The {what} {path} cannot be read: {reason(error)}.",
            "Name a file that is there and that you may read.",
        ) from error


def create(path: Path, content: bytes, mode: int) -> bool:
    """Put ``content`` at ``path``, all of it at once, unless a file is there already.

    Out: whether this call made it. A hard link to a finished temporary file is the one step that is atomic and fails
    when another process was faster, so nobody ever reads half a key. Raises CertificateError.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_new(temporary, content, mode)
        try:
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            temporary.unlink()
    except OSError as error:
        raise CertificateError(
            f"The file {path} cannot be written: {reason(error)}.",
            "Set IMAPTAP_HOME to a folder that you may write to.",
        ) from error
    return True


def touch_private(path: Path, what: str) -> None:
    """Make sure ``path`` can be appended to, made 0600 if it is new. Raises CertificateError that calls it ``what``."""
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600))
    except OSError as error:
        raise CertificateError(
            f"The {what} {path} cannot be written: {reason(error)}.",
            "Name a file in a folder that you may write to.",
        ) from error


@contextlib.contextmanager
def passing(content: bytes, folder: Path) -> Generator[str, None, None]:
    """A path under which ``content`` can be read while the block runs, and not after it.

    For `ssl.SSLContext.load_cert_chain`, which takes files only. On Linux it is anonymous memory, so that a key never
    reaches a disk; elsewhere a 0600 file in ``folder``. Raises CertificateError when neither is possible.
    """
    descriptor = _anonymous()
    if descriptor is None:
        make_private_folder(folder)
        with _passing_file(content, folder) as path:
            yield path
        return
    try:
        os.write(descriptor, content)
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


def reason(error: OSError) -> str:
    """What the system said, without its number and the path."""
    return (error.strerror or type(error).__name__).lower()


def _anonymous() -> int | None:
    create_memory = getattr(os, "memfd_create", None)
    if create_memory is None or not Path("/proc/self/fd").is_dir():
        return None
    try:
        descriptor: int = create_memory("imaptap-leaf")
    except OSError:
        return None
    return descriptor


@contextlib.contextmanager
def _passing_file(content: bytes, folder: Path) -> Generator[str, None, None]:
    try:
        # mkstemp makes the file 0600 and refuses to follow one that is there.
        descriptor, path = tempfile.mkstemp(prefix=".leaf.", dir=folder)
    except OSError as error:
        raise CertificateError(
            f"The folder {folder} cannot take a temporary file: {reason(error)}.",
            "Set IMAPTAP_HOME to a folder that you may write to.",
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        yield path
    finally:
        Path(path).unlink()


def _write_new(path: Path, content: bytes, mode: int) -> None:
    # O_EXCL with the final mode: at no moment may others read the key, whatever the umask is.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)
