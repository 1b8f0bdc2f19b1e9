"""One proxy under load: start it, run a workload through it, say what that cost."""

from __future__ import annotations

import json
import selectors
import subprocess
import time
from typing import TYPE_CHECKING, Any

from processes import Program, disk

if TYPE_CHECKING:
    from pathlib import Path

    from ground import Certificates
    from peers import Spec

USER = "user@example.org"


def workloads(scale: float, idles: list[int]) -> dict[str, list[str]]:
    """Name to the load generator's arguments."""

    def count(number: int) -> str:
        return str(max(1, int(number * scale)))

    return {
        "W1": ["ping", "--conns", "1", "--count", count(4000), "--mix", "noop"],
        "W2": ["ping", "--conns", "50", "--count", count(20000), "--mix", "mixed"],
        "W3big": ["fetch", "--conns", "4", "--box", "big", "--repeat", count(2)],
        "W3small": ["fetch", "--conns", "4", "--box", "small", "--repeat", count(2)],
        "W4big": ["append", "--conns", "4", "--size", "1048576", "--count", count(50)],
        "W4small": ["append", "--conns", "4", "--size", "30000", "--count", count(800)],
        "W6": ["setup", "--conns", "4", "--count", count(400)],
        **{f"W5-{idle}": ["idle", "--conns", str(idle)] for idle in idles},
    }


class Target:
    """A proxy, or the upstream itself (`direct`, with no command)."""

    def __init__(self, name: str, port: int, spec: Spec, work: Path, generator: Path, tls: Certificates) -> None:
        self.name, self.port, self.spec, self.generator, self.tls = name, port, spec, generator, tls
        self.log = work / f"{name}.log"
        self.program: Program | None = None
        self.helpers: list[Program] = []

    def start(self) -> None:
        """Start it and wait until it listens."""
        if self.spec.command:
            self.helpers = [Program("helper", helper, self.log) for helper in self.spec.helpers]
            self.program = Program(self.name, self.spec.command, self.log, self.spec.env)
            self.program.wait_port(self.port)
            self.program.settle()

    def stop(self) -> None:
        """End it and its helpers."""
        for program in (self.program, *self.helpers):
            if program:
                program.stop()
        self.program, self.helpers = None, []

    def fingerprint(self) -> list[str]:
        """What two FETCHes through it give: must be the same as direct."""
        return [self._answer(["verify", "--box", box, "--uid", "3"], 20) for box in ("big", "small")]

    def run(self, name: str, arguments: list[str], limit: float) -> dict[str, Any]:
        """One workload; `error` in the result if it did not come to its end."""
        if name in self.spec.skip:
            return {"error": "left out"}
        try:
            return self._idle(arguments, limit) if arguments[0] == "idle" else self._load(arguments, limit)
        except (RuntimeError, OSError, ValueError) as problem:
            return {"error": str(problem)[:200]}

    def _load(self, arguments: list[str], limit: float) -> dict[str, Any]:
        began, had = (self.program.cpu() if self.program else 0.0), disk(self.spec.record_paths)
        result: dict[str, Any] = json.loads(self._answer(arguments, limit))
        if self.program:
            result["cpu_at_end"] = self.program.cpu() - began
            ended, result["drain_s"] = self.program.settle()
            result["cpu"] = ended - began
            result["disk"] = disk(self.spec.record_paths) - had
        return result

    def _idle(self, arguments: list[str], limit: float) -> dict[str, Any]:
        """Always on a freshly started proxy: memory once grown does not shrink."""
        self.stop()
        self.start()
        if not self.program:
            return {"error": "no proxy"}
        self._answer(["ping", "--conns", "1", "--count", "50"], 30)
        self.program.settle()
        before = self.program.memory()
        with self._client(arguments) as client:
            if client.stdout is None or client.stdin is None:
                raise RuntimeError("the load generator has no pipes")
            with selectors.DefaultSelector() as selector:
                selector.register(client.stdout, selectors.EVENT_READ)
                line = client.stdout.readline() if selector.select(limit) else ""
            if not line.startswith("READY"):
                client.kill()
                raise RuntimeError("the idle connections did not come up")
            result: dict[str, Any] = json.loads(line[6:])
            cpu, _ = self.program.settle()
            after = self.program.memory()
            time.sleep(2)
            idle = (self.program.cpu() - cpu) / 2
            client.stdin.close()
            client.wait(60)
        number = int(arguments[arguments.index("--conns") + 1])
        return {**result, "base": before, "total": after, "per_conn": (after - before) / number, "idle_cpu": idle}

    def _answer(self, arguments: list[str], limit: float) -> str:
        with self._client(arguments) as client:
            try:
                out, err = client.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                client.kill()
                raise RuntimeError(f"no end within {limit:.0f} s") from None
        if client.returncode:
            raise RuntimeError(err.strip().splitlines()[0] if err.strip() else f"exit code {client.returncode}")
        return out.strip()

    def _client(self, arguments: list[str]) -> subprocess.Popen[str]:
        command = [str(self.generator), arguments[0], "--port", str(self.port), "--user", USER, *arguments[1:]]
        return subprocess.Popen(
            [*command, "--ca", str(self.tls.ca)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
