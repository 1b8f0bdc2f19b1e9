"""Commands that read, run one after the other in a process of its own: `python -m tests.servers.reader`.

Starting Python for each command would take most of a test's time, and running them inside the tests' process would not
do: the runner puts its own sys.stdout in place while pytest, in another thread, does the same.
A line of JSON in (words, environment) is answered by one out (exit code, stdout, output of both).
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import threading
from typing import Self

from click.testing import CliRunner


class Reader:
    """The other end of that process."""

    def __init__(self, env: dict[str, str]) -> None:
        self._env = env
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process:
            self._process.communicate(timeout=20)

    def run(self, *words: str) -> tuple[int, bytes, str]:
        """Exit code, standard output, and all that was printed, of `imaptap WORDS`."""
        with self._lock:
            process = self._started()
            assert process.stdin
            assert process.stdout
            process.stdin.write(json.dumps([words, self._env]) + "\n")
            process.stdin.flush()
            code, stdout, output = json.loads(process.stdout.readline())
            return code, base64.b64decode(stdout), output

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            command = [sys.executable, "-m", "tests.servers.reader"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self._process


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
