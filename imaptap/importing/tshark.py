"""The packets of a capture, as tshark tells them: out of whatever they came in, decrypted where it has the keys."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from imaptap.importing.values import BrokenError, MissingError
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

FIN, SYN, RST = 0x01, 0x02, 0x04

_FIELDS: Final = (
    "frame.time_epoch", "tcp.stream", "ip.src", "ipv6.src", "tcp.srcport", "ip.dst", "ipv6.dst", "tcp.dstport",
    "tcp.seq_raw", "tcp.flags", "tcp.len", "tcp.payload", "tls.record.content_type", "tls.record.opaque_type",
    "tls.app_data", "data.data", "frame.comment",
)  # fmt: skip
_WANTED: Final = "tcp.len > 0 || tcp.flags.syn == 1 || tcp.flags.fin == 1 || tcp.flags.reset == 1"
# Without its own reader of IMAP, what is in TLS is data, and each frame says what was decrypted with it.
_HOW: Final = ("-n", "--disable-protocol", "imap", "-o", "tcp.reassemble_out_of_order:TRUE")
_LINE_MOST: Final = 16 << 20
_ERROR_MOST: Final = 64 * 1024


class Frame(NamedTuple):
    """A TCP segment. `decrypted` is what of TLS was whole with it; `sealed`: there was some that could not be read."""

    at: int
    stream: int
    source: tuple[str, int]
    target: tuple[str, int]
    seq: int
    flags: int
    payload: bytes
    missing: int
    """Bytes of it that were not captured."""
    tls: bool
    decrypted: bytes
    sealed: bool
    comment: str = ""


def frames(path: Path, keylog: Path | None) -> Generator[Frame, None, None]:
    """The segments of all connections in the order of their capture. Raises BrokenError, MissingError, OSError."""
    program = shutil.which("tshark")
    if program is None:
        raise MissingError(
            "Packet captures are read by tshark, which is not installed.", "Install it: the package is called tshark."
        )
    keys = [] if keylog is None else ["-o", f"tls.keylog_file:{keylog.absolute()}"]
    fields = [word for name in _FIELDS for word in ("-e", name)]
    how = ["-T", "fields", "-E", "separator=/t", "-E", "occurrence=a", "-E", "aggregator=,", "-Y", _WANTED]
    # No settings but these: somebody's own could name other ports, or hide what is wanted.
    with tempfile.TemporaryDirectory(prefix="imaptap-") as home, tempfile.TemporaryFile(dir=home) as errors:
        clean = {"WIRESHARK_CONFIG_DIR": home, "HOME": home, "LC_ALL": "C", "TZ": "UTC"}
        command = [program, *_HOW, *keys, *how, *fields, "-r", str(path.absolute())]
        process = subprocess.Popen(  # noqa: S603  the file's name is an argument of its own
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=os.environ | clean
        )
        try:
            yield from _read(process, path)
            if process.wait():
                errors.seek(0)
                raise BrokenError(path, None, _complaint(errors.read(_ERROR_MOST)))
        finally:
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def _read(process: subprocess.Popen[bytes], path: Path) -> Iterator[Frame]:
    if process.stdout is None:
        return
    while line := process.stdout.readline(_LINE_MOST):
        words = line.decode("ascii", "replace").rstrip("\n").split("\t")
        with contextlib.suppress(ValueError):  # a segment inside of another protocol's error message, say
            if len(words) == len(_FIELDS):
                yield _frame(words)
        if not line.endswith(b"\n"):
            raise BrokenError(path, None, "tshark says more of one packet than there can be")


def _frame(words: list[str]) -> Frame:
    """Raises ValueError."""
    at, stream, ip, ip6, port, to, to6, to_port, seq, flags, size, payload, kinds, opaque, sealed, data, comment = words
    whole, _, part = at.partition(".")
    content = _bytes(_last(payload))
    decrypted = b"".join(_bytes(each) for each in data.split(","))
    tls = bool(kinds or opaque)
    return Frame(
        int(whole) * 1_000_000 + int(part[:6].ljust(6, "0")), int(_last(stream)),
        (_last(ip) or _last(ip6), int(_last(port))), (_last(to) or _last(to6), int(_last(to_port))),
        int(_last(seq)), int(_last(flags), 16), content, max(0, int(_last(size)) - len(content)),
        tls, decrypted if tls else b"", bool(sealed) and not decrypted,
        comment,
    )  # fmt: skip


def _last(words: str) -> str:
    """Of packets in packets, the innermost."""
    return words.rpartition(",")[2]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _complaint(text: bytes) -> str:
    """What tshark says of a file that it cannot read, in its own last words."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith(b"Running as")]
    return readable(lines[-1][:300]) if lines else "tshark could not read it"
