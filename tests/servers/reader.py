"""Commands that read, run one after the other in a process apart, for all tests: `python -m tests.servers.reader`.

Starting Python for each command would take most of a test's time, and running them inside the tests' process would not
do: the runner puts its own sys.stdout in place while pytest, in another thread, does the same.
A line of JSON in (words, environment) is answered by one out (exit code, stdout, output of both).
"""

from __future__ import annotations

import atexit
import base64
import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from click.testing import CliRunner

from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator


class Reader:
    """Has its commands run there, in an environment of its own."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env

    def run(self, *words: str) -> tuple[int, bytes, str]:
        """Exit code, standard output, and all that was printed, of `imaptap WORDS`."""
        with _idle() as process:
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps([words, self._env]) + "\n")
            process.stdin.flush()
            code, stdout, output = json.loads(process.stdout.readline())
            return code, base64.b64decode(stdout), output


_at_rest: list[subprocess.Popen[str]] = []
"""Processes that wait for a command: as many as there ever were threads that had one to run."""


@contextmanager
def _idle() -> Iterator[subprocess.Popen[str]]:
    """A process for one command; it rests again when that was answered."""
    try:
        process = _at_rest.pop()
    except IndexError:
        command = [sys.executable, "-m", "tests.servers.reader"]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    try:
        yield process
    except BaseException:
        process.kill()
        process.communicate()
        raise
    _at_rest.append(process)


@atexit.register
def _end() -> None:
    while _at_rest:
        _at_rest.pop().communicate(timeout=20)


def main() -> None:
    """Answer until there are no more questions."""
    from imaptap.cli import cli

    for line in sys.stdin:
        words, env = json.loads(line)
        result = CliRunner().invoke(cli, words, env=env)
        output = result.output
        if result.exception and not isinstance(result.exception, SystemExit):
            output += f"\n{result.exception!r}"
        answer = [result.exit_code, base64.b64encode(result.stdout_bytes).decode(), output]
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
