"""How long `imaptap export` and `import` take, and how much memory: `python -m bench.exports` (see bench/README.md).

Makes a recording of one session with `--megabytes` of letters and small commands in a temporary folder, then runs the
command once for each format, and with `--back` imports again what can be imported. CPU is user and system time of the
command, beside that of `raw`; memory is the most that it ever had resident.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imaptap.exporting.formats import FORMATS
from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction, Ending, Layer, SessionOpened
from storage import Writer, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.exporting.formats import Format

SMALL = 20
"""Small commands for each letter."""
LETTER_LINES = 1300  # 100 kB
BACK = frozenset(("cassette", "text", "ndjson", "pcapng", "rawlog", "mailkit"))
"""What `imaptap import` reads."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One export, or one import of it."""

    name: str
    cpu: float
    memory: int
    size: int


def main() -> None:
    """Make the recording, export it, print a row for each format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=200, help="of letters in the recording")
    parser.add_argument("--only", default="", help="formats, with commas between them; default: all")
    parser.add_argument("--back", action="store_true", help="import again what can be imported")
    parser.add_argument("--folder", type=Path, help="where the temporary folder shall be: it takes four times the size")
    asked = parser.parse_args()
    wanted = asked.only.split(",") if asked.only else list(FORMATS)
    with tempfile.TemporaryDirectory(dir=asked.folder) as name:
        folder = Path(name)
        with ProcessPoolExecutor(1) as pool:  # a child's most memory is at least what its parent has when it begins
            size = pool.submit(_record, folder / "x.db", asked.megabytes).result()
        print(f"{size / 1e6:.0f} MB of both streams\n")
        print("| format | CPU s | MB/s of CPU | CPU / raw's | most memory, MiB | MB written |")
        print("|---|--:|--:|--:|--:|--:|", flush=True)
        raw = _export(FORMATS["raw"], folder)
        for form in wanted:
            _row(raw if form == "raw" else _export(FORMATS[form], folder), size, raw)
            if asked.back and form in BACK:
                _row(_import(form, folder), size, raw)
            _forget(folder / f"out-{form}")


def _row(each: Measured, size: int, raw: Measured) -> None:
    speed, ratio = size / 1e6 / each.cpu, each.cpu / raw.cpu
    figures = f"{each.cpu:.2f} | {speed:.0f} | {ratio:.1f} | {each.memory / 2**20:.0f} | {each.size / 1e6:.0f}"
    print(f"| {each.name} | {figures} |", flush=True)


def _record(db: Path, megabytes: int) -> int:
    """Bytes of both streams."""
    conversation, size, at = Conversation(1), 0, 0
    with open_store(db, create=True) as store:
        writer = Writer(store, "x", version="", settings="")
        writer.put(SessionOpened(1, 1_700_000_000_000_000, "127.0.0.1:1", "imaps://localhost", "imaps://localhost"))
        for at, (direction, data) in enumerate(_said(megabytes * 10)):
            conversation.receive(direction, data, at * 1000, Layer.TLS)
            writer.put(*conversation.take())
            size += len(data)
        conversation.close(at * 1000, Ending.CLIENT, "end of stream")
        writer.put(*conversation.take())
        writer.close()
    return size


def _said(letters: int) -> Iterator[tuple[Direction, bytes]]:
    yield Direction.SERVER, b"* OK ready\r\n"
    for letter in range(letters):
        for index in range(SMALL):
            tag = b"s%d-%d" % (letter, index)
            yield Direction.CLIENT, tag + b" UID FETCH %d (FLAGS)\r\n" % index
            yield Direction.SERVER, b"* %d FETCH (UID %d FLAGS (\\Seen))\r\n%s OK done\r\n" % (index + 1, index, tag)
        body = b"".join(b"%08d %s\r\n" % (letter * LETTER_LINES + line, b"x" * 66) for line in range(LETTER_LINES))
        yield Direction.CLIENT, b"l%d UID FETCH %d BODY.PEEK[]\r\n" % (letter, letter)
        yield Direction.SERVER, b"* 1 FETCH (UID 1 BODY[] {%d}\r\n%s)\r\nl%d OK done\r\n" % (len(body), body, letter)


def _export(form: Format, folder: Path) -> Measured:
    output = folder / f"out-{form.name}"
    needed = ["--side", "server"] if "side" in form.needs else []
    words = ["export", "x/1", "--db", str(folder / "x.db"), "--format", form.name, *needed, "-o", str(output)]
    return _measured(form.name, words, output)


def _import(form: str, folder: Path) -> Measured:
    """What was exported, into a database of its own."""
    output, db = folder / f"out-{form}", folder / f"back-{form}"
    db.mkdir()
    files = sorted(output.iterdir()) if output.is_dir() else [output]
    words = ["import", *map(str, files), "--format", "pcap" if form == "pcapng" else form, "--db", str(db / "y.db")]
    try:
        return _measured(f"{form}, import", words, db)
    finally:
        _forget(db)


def _measured(name: str, words: list[str], output: Path) -> Measured:
    process = subprocess.Popen([sys.executable, "-m", "imaptap", *words], stdout=sys.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{name} has ended with {process.returncode}.")
    size = sum(path.stat().st_size for path in _files(output))
    return Measured(name, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, size)


def _files(output: Path) -> list[Path]:
    return [output] if output.is_file() else [path for path in output.rglob("*") if path.is_file()]


def _forget(output: Path) -> None:
    for path in _files(output):
        path.unlink()


if __name__ == "__main__":
    main()
