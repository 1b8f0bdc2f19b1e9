"""Measures imaptap and other IMAP/TLS proxies on the same six workloads, interleaved. See README.md."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

from ground import Certificates, build, make_certificates, start_upstreams
from peers import OURS, PEERS, Place, Spec
from processes import Program, raise_limits
from report import Results, tables
from target import Target, workloads


def main() -> int:
    """Build, start, measure, print; whatever was started is ended."""
    options = _options()
    raise_limits()
    # SIGTERM must run the `finally`, or the proxies stay behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    work = Path(options.workdir).resolve() if options.workdir else Path(tempfile.mkdtemp(prefix="imaptap-bench-"))
    work.mkdir(parents=True, exist_ok=True)
    upstreams, targets = list[Program](), list[Target]()
    try:
        generator, certificates = build(work), make_certificates(work)
        upstreams += start_upstreams(work, generator, certificates, options.base_port)
        targets += _targets(options, work, generator, certificates)
        alive = _start(targets)
        idles = [int(number) for number in options.idle.split(",") if number]
        results = _measure(options, alive, workloads(options.scale, idles))
        names = [target.name for target in alive]
        print(_heading(options))
        print(tables(results, names, options.ref or [name for name in names if name in ("haproxy", "mitmdump")], idles))
        for target in alive:
            if target.spec.command:
                print(f"\n{target.name} records: {target.spec.records}")
        if options.json:
            document = {"options": vars(options), "names": names, "results": results}
            Path(options.json).write_text(json.dumps(document, indent=1))
    finally:
        for stoppable in (*targets, *upstreams):
            stoppable.stop()
        if not options.workdir:
            shutil.rmtree(work, ignore_errors=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    known = [*OURS, *PEERS]
    parser.add_argument("--with", dest="proxies", action="append", default=[], choices=known, help="measure only these")
    parser.add_argument("--ref", action="append", default=[], choices=known, help="print ratios to this one")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=0.3, help="size of every workload; 1 for figures to publish")
    parser.add_argument("--only", default="", help="comma-separated workloads by their beginning, such as W1,W3")
    parser.add_argument("--idle", default="1000", help="comma-separated numbers of idle connections for W5")
    parser.add_argument("--base-port", type=int, default=22000)
    parser.add_argument("--limit", type=float, default=90, help="seconds for one measurement")
    parser.add_argument("--json", default="", help="write all results to this file")
    parser.add_argument("--workdir", default="", help="keep files here (otherwise in a folder that is removed)")
    return parser.parse_args()


def _targets(options: argparse.Namespace, work: Path, generator: Path, certificates: Certificates) -> list[Target]:
    """The upstream itself, then each proxy with a folder and ports of its own."""
    made = [Target("direct", options.base_port, Spec([]), work, generator, certificates)]
    for number, (name, configure) in enumerate({**OURS, **PEERS}.items(), 1):
        if options.proxies and name not in options.proxies:
            continue
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


def _measure(options: argparse.Namespace, targets: list[Target], work: dict[str, list[str]]) -> Results:
    wanted = tuple(options.only.split(",")) if options.only else ("W",)
    results: Results = {}
    for turn in range(options.rounds):
        order = targets[turn % len(targets) :] + targets[: turn % len(targets)]
        for name, arguments in work.items():
            if not name.startswith(wanted) or (name.startswith("W5") and turn):  # memory needs no rounds
                continue
            for target in order:
                if name.startswith("W5") and not target.spec.command:
                    continue
                result = target.run(name, arguments, options.limit)
                results.setdefault(target.name, {}).setdefault(name, []).append(result)
                if "error" in result:
                    print(f"# {name} {target.name}: {result['error']}", file=sys.stderr)
                    target.stop()
                    target.start()
        print(f"# round {turn + 1} of {options.rounds} done", file=sys.stderr, flush=True)
    return results


def _heading(options: argparse.Namespace) -> str:
    load = os.getloadavg()[0]
    return f"rounds: {options.rounds}; scale: {options.scale}; cores: {os.cpu_count()}; load: {load:.1f}\n"


if __name__ == "__main__":
    sys.exit(main())
