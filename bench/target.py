"""One proxy under load: start it, run a workload through it, say what that cost."""

from __future__ import annotations

import json
import selectors
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bench.processes import Program, disk
from bench.workloads import Kind

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from bench.ground import Certificates
    from bench.peers import Spec
    from bench.workloads import Workload

USER = "user@example.org"


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
        return [self._answer(("verify", "--box", box, "--uid", "3"), 20) for box in ("big", "small")]

    def takes(self, workload: Workload) -> bool:
        """Whether the workload makes sense with it."""
        if self.spec.command:
            among = not workload.among or self.name.startswith(workload.among)
            return among and (workload.kind is not Kind.GROWTH or bool(self.spec.record_paths))
        return workload.kind in {Kind.LOAD, Kind.SESSIONS}

    def run(self, workload: Workload, limit: float) -> dict[str, Any]:
        """One workload; `error` in the result if it did not come to its end."""
        ways = {
            Kind.LOAD: self._load, Kind.IDLE: self._idle, Kind.SESSIONS: self._sessions, Kind.PEAK: self._peak,
            Kind.GROWTH: self._growth,
        }  # fmt: skip
        try:
            return ways[workload.kind](workload.arguments, limit)
        except (RuntimeError, OSError, ValueError) as problem:
            return {"error": str(problem)[:200]}

    def _load(self, arguments: tuple[str, ...], limit: float) -> dict[str, Any]:
        began = self.program.cpu() if self.program else 0.0
        result: dict[str, Any] = json.loads(self._answer(arguments, limit))
        if self.program:
            result["cpu_at_end"] = self.program.cpu() - began
            ended, result["drain_s"] = self.program.settle()
            result["cpu"] = ended - began
        return result

    def _idle(self, arguments: tuple[str, ...], limit: float) -> dict[str, Any]:
        program = self._fresh()
        before = program.memory()
        with self._attended(arguments, limit) as (client, result):
            cpu, _ = program.settle()
            after = program.memory()
            time.sleep(2)
            idle = (program.cpu() - cpu) / 2
            _tell(client)
        each = (after - before) / result["conns"]
        return {**result, "base": before, "total": after, "per_conn": each, "idle_cpu": idle}

    def _sessions(self, arguments: tuple[str, ...], limit: float) -> dict[str, Any]:
        program = self._fresh() if self.spec.command else None
        before = program.memory() if program else 0
        with self._attended(arguments, limit) as (client, opened):
            began = program.settle()[0] if program else 0.0
            _tell(client)
            result: dict[str, Any] = {**opened, **json.loads(_line(client, limit))}
            if program:
                result["cpu"] = program.settle()[0] - began
                result["total"] = program.memory()
                result["per_conn"] = (result["total"] - before) / opened["conns"]
            _tell(client)
        return result

    def _peak(self, arguments: tuple[str, ...], limit: float) -> dict[str, Any]:
        program = self._fresh()
        before = program.peak()
        result: dict[str, Any] = json.loads(self._answer(arguments, limit))
        program.settle()
        return {**result, "base": before, "peak": program.peak()}

    def _growth(self, arguments: tuple[str, ...], limit: float) -> dict[str, Any]:
        """Once it has ended: what is still in a write-ahead log or in memory would make the figure jump."""
        self._fresh()
        self.stop()
        had = disk(self.spec.record_paths)
        self.start()
        result: dict[str, Any] = json.loads(self._answer(arguments, limit))
        if self.program:
            self.program.settle()
        self.stop()
        grown = disk(self.spec.record_paths) - had
        self.start()
        return {**result, "disk": grown}

    def _fresh(self) -> Program:
        """Started anew, and used a little: memory once grown does not shrink."""
        self.stop()
        self.start()
        if not self.program:
            raise RuntimeError("no proxy")
        self._answer(("ping", "--conns", "1", "--count", "50"), 30)
        self.program.settle()
        return self.program

    @contextmanager
    def _attended(
        self, arguments: tuple[str, ...], limit: float
    ) -> Generator[tuple[subprocess.Popen[str], dict[str, Any]], None, None]:
        """A load generator that says READY, and waits for a line each time before it goes on."""
        with self._client(arguments) as client:
            try:
                line = _line(client, limit)
                if not line.startswith("READY"):
                    raise RuntimeError("the connections did not come up")
                yield client, json.loads(line[6:])
                client.wait(60)
            except BaseException:
                client.kill()
                raise

    def _answer(self, arguments: tuple[str, ...], limit: float) -> str:
        with self._client(arguments) as client:
            try:
                out, err = client.communicate(timeout=limit)
            except subprocess.TimeoutExpired:
                client.kill()
                raise RuntimeError(f"no end within {limit:.0f} s") from None
        if client.returncode:
            raise RuntimeError(err.strip().splitlines()[0] if err.strip() else f"exit code {client.returncode}")
        return out.strip()

    def _client(self, arguments: tuple[str, ...]) -> subprocess.Popen[str]:
        command = [str(self.generator), arguments[0], "--port", str(self.port), "--user", USER, *arguments[1:]]
        return subprocess.Popen(
            [*command, "--ca", str(self.tls.ca)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _line(client: subprocess.Popen[str], limit: float) -> str:
    """The next line that it prints. Raises RuntimeError, with what it complains of, if there is none in time."""
    if client.stdout is None or client.stderr is None:
        raise RuntimeError("the load generator has no pipes")
    with selectors.DefaultSelector() as selector:
        selector.register(client.stdout, selectors.EVENT_READ)
        ready = selector.select(limit)
    line = client.stdout.readline() if ready else ""
    if not line:
        client.kill()
        raise RuntimeError(client.stderr.readline().strip() or f"nothing said within {limit:.0f} s")
    return line


def _tell(client: subprocess.Popen[str]) -> None:
    """Let it go on."""
    if client.stdin is not None:
        client.stdin.write("\n")
        client.stdin.flush()
