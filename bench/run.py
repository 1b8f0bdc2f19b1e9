"""Measures imaptap and other IMAP/TLS proxies on the same workloads, interleaved. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import shutil
import signal
import ssl
import sys
import tempfile
from functools import partial
from pathlib import Path

from bench.ground import Certificates, build, free_ports, make_certificates
from bench.metrics import Results
from bench.peers import OURS, PEERS, USUAL, Place, Spec, imaptap
from bench.processes import Program, raise_limits
from bench.report import report
from bench.target import Target
from bench.upstreams import SERVERS, start_dovecot, start_synthetic
from bench.workloads import Workload, workloads


def main() -> int:
    """Build, start, measure, print; whatever was started is ended."""
    options = _options()
    options.base_port = options.base_port or free_ports(len(OURS) + len(PEERS) + len(options.also))
    raise_limits()
    # SIGTERM must run the `finally`, or the proxies stay behind.
    signal.signal(signal.SIGTERM, _terminated)
    work = Path(options.workdir).resolve() if options.workdir else Path(tempfile.mkdtemp(prefix="imaptap-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    upstreams, targets = list[Program](), list[Target]()
    try:
        generator, certificates = build(work), make_certificates(work)
        upstreams += _start_upstreams(options, work, generator, certificates)
        targets += _targets(options, work, generator, certificates)
        alive = _start(targets)
        chosen = _chosen(options)
        results = _measure(options, alive, chosen)
        names = [target.name for target in alive]
        print(_heading(options))
        references = options.ref or [name for name in names if name in ("haproxy", "mitmdump")]
        print(report(results, names, references, chosen, options.idle[0]))
        for target in alive:
            if target.spec.command:
                print(f"\n{target.name} records: {target.spec.records}")
        if options.json:
            document = {"options": vars(options), "names": names, "results": results}
            Path(options.json).write_text(json.dumps(document, indent=1))
    finally:
        for target in targets:
            target.stop()
        for upstream in upstreams:
            upstream.stop()
        if not options.workdir:
            shutil.rmtree(work, ignore_errors=True)
    return 0


def _terminated(*_: object) -> None:
    sys.exit(143)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*OURS, *PEERS]
    parser.add_argument("--with", dest="proxies", action="append", default=[], choices=known, help="measure only these")
    parser.add_argument("--also", action="append", default=[], metavar="NAME=WORDS",
                        help="measure imaptap with more words for `imaptap record` too, as imaptap-NAME")  # fmt: skip
    parser.add_argument("--ref", action="append", default=[], choices=known, help="print ratios to this one")
    parser.add_argument("--upstream", choices=SERVERS, default=SERVERS[0], help="the server behind the proxies")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=0.3, help="size of every workload; 1 for figures to publish")
    parser.add_argument("--only", type=_words, default=(), help="workloads by their beginning, such as W1,W3,M")
    parser.add_argument("--idle", type=_numbers, default=[1000], help="numbers of idle connections for W5")
    parser.add_argument("--sessions", type=_numbers, default=[1, 10, 100, 500, 2000], help="numbers of them for M3")
    parser.add_argument("--slow", type=float, default=100, help="MB/s of the slow reader of M1")
    parser.add_argument(
        "--base-port", type=int, default=0, help="the first of many ports (otherwise some that are free)"
    )
    parser.add_argument("--limit", type=float, default=90, help="seconds for one measurement")
    parser.add_argument("--json", default="", help="write all results to this file")
    parser.add_argument("--workdir", default="", help="keep files here (otherwise in a folder that is removed)")
    return parser.parse_args()


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def _numbers(text: str) -> list[int]:
    return [int(number) for number in text.split(",")]


def _chosen(options: argparse.Namespace) -> list[Workload]:
    chosen = [
        workload
        for workload in workloads(options.scale, options.idle, options.sessions, options.slow)
        if workload.wanted(options.only)
    ]
    if options.upstream == "synthetic":
        return chosen
    for workload in chosen:
        if workload.synthetic:
            print(f"# {workload.name}: left out: it needs the synthetic upstream", file=sys.stderr)
    return [workload for workload in chosen if not workload.synthetic]


def _start_upstreams(options: argparse.Namespace, work: Path, generator: Path, tls: Certificates) -> list[Program]:
    if options.upstream == "dovecot":
        return start_dovecot(work, tls, options.base_port)
    return start_synthetic(work, generator, tls, options.base_port, options.slow)


def _targets(options: argparse.Namespace, work: Path, generator: Path, certificates: Certificates) -> list[Target]:
    """The upstream itself, then each proxy with a folder and ports of its own."""
    made = [Target("direct", options.base_port, Spec([]), work, generator, certificates)]
    wanted = {name: make for name, make in {**OURS, **PEERS}.items() if name in (options.proxies or USUAL)}
    for pair in options.also:
        name, _, words = pair.partition("=")
        wanted[f"imaptap-{name}"] = partial(imaptap, words=tuple(shlex.split(words)))
    for number, (name, configure) in enumerate(wanted.items(), 1):
        port, folder = options.base_port + 100 * number, work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        spec = configure(Place(folder, port, options.base_port, options.base_port + 1, certificates))
        if missing := spec.missing():
            print(f"# {name}: left out: {Path(missing).name} is not installed", file=sys.stderr)
            continue
        made.append(Target(name, port, spec, work, generator, certificates))
    return made


def _start(targets: list[Target]) -> list[Target]:
    """Those that start and through which the same bytes come as direct."""
    alive, right = list[Target](), list[str]()
    for target in targets:
        try:
            target.start()
            got = target.fingerprint()
            right = right or got
            if got != right:
                raise RuntimeError("other bytes come through it than direct")
            alive.append(target)
        except (RuntimeError, OSError) as problem:
            print(f"# {target.name}: left out: {problem}", file=sys.stderr)
            target.stop()
    return alive


def _measure(options: argparse.Namespace, targets: list[Target], work: list[Workload]) -> Results:
    results: Results = {}
    for turn in range(options.rounds):
        order = targets[turn % len(targets) :] + targets[: turn % len(targets)]
        for workload in work:
            if workload.once and turn:
                continue
            for target in order:
                if target.takes(workload):
                    result = target.run(workload, options.limit)
                    results.setdefault(target.name, {}).setdefault(workload.name, []).append(result)
                    if "error" in result:
                        print(f"# {workload.name} {target.name}: {result['error']}", file=sys.stderr)
                        target.stop()
                        target.start()
            print(f"# round {turn + 1} of {options.rounds}: {workload.name} done", file=sys.stderr, flush=True)
    return results


def _heading(options: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    machine = f"{os.cpu_count()} cores, Linux {platform.release()}, Python {platform.python_version()}"
    return (
        f"upstream: {options.upstream}; rounds: {options.rounds}; scale: {options.scale}; load: {load:.1f}\n"
        f"{machine}, {ssl.OPENSSL_VERSION}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
