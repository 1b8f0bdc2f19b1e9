"""`make fuzz`: each harness under atheris for its share of the time, then what came of it.

    python -m tests.fuzz --seconds 600          all of them
    python -m tests.fuzz --seconds 60 gates     one of them
    python -m tests.fuzz gates FILE             not at random: try this input again

What the fuzzer has learned stays in .fuzz/NAME/, so that the next run goes on from there; inputs that break something
are put beside it, and make the run fail.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.harnesses import HARNESSES
from tests.fuzz.seeds import sow
from tests.need import ROOT

FOLDER = ROOT / ".fuzz"
SHARES = {"conversation": 3}
"""Of the time; others have one each. There is most to be found in what hangs on most."""
LONGEST = 16 * 1024
"""Bytes of an input."""
_PATIENCE = {"grammar": 10}
"""Seconds for one input, else 30: a line that takes longer than linear time shows itself by this."""
_MEMORY = 1500
"""MiB."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600, help="for all harnesses together")
    parser.add_argument("name", nargs="?", choices=HARNESSES, help="just this one")
    parser.add_argument("inputs", nargs="*", type=Path, help="try these instead of fuzzing")
    options = parser.parse_args()
    for file in options.inputs:
        HARNESSES[options.name](file.read_bytes())
    if options.inputs:
        return 0
    names = [options.name] if options.name else list(HARNESSES)
    shares = [SHARES.get(name, 1) for name in names]
    found = [run(name, options.seconds * share // sum(shares)) for name, share in zip(names, shares, strict=True)]
    return int(any(found))


def run(name: str, seconds: int) -> bool:
    """Fuzz one harness in a process of its own. Returns whether an input broke something."""
    folder, findings = FOLDER / name, FOLDER / f"{name}-findings"
    findings.mkdir(parents=True, exist_ok=True)
    seeds = sow(folder)
    command = [sys.executable, "-m", "tests.fuzz.one", name, str(folder), f"-max_total_time={seconds}"]
    limits = [
        f"-max_len={LONGEST}",
        f"-timeout={_PATIENCE.get(name, 30)}",
        f"-rss_limit_mb={_MEMORY}",
        "-print_final_stats=1",
    ]
    before = set(findings.iterdir())
    done = subprocess.run(
        [*command, *limits, f"-artifact_prefix={findings}/"],
        cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
    )  # fmt: skip
    said = done.stdout.decode(errors="replace")
    (FOLDER / f"{name}.log").write_text(said)
    executions = re.findall(r"stat::number_of_executed_units: (\d+)", said)
    covered = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", said)
    new = sorted(set(findings.iterdir()) - before)
    edges, features, inputs = covered[-1] if covered else ("no", "no", "no")
    print(  # noqa: T201
        f"{name}: {seeds} seeds, {executions[-1] if executions else 'unknown'} executions, {edges} edges, "
        f"{features} features, {inputs} inputs kept, {len(new)} findings (exit code {done.returncode})",
        flush=True,
    )
    for file in new:
        print(f"  python -m tests.fuzz {name} {file.relative_to(ROOT)}")  # noqa: T201
    if done.returncode and not new:
        print(said[-2000:])  # noqa: T201
    return done.returncode != 0


if __name__ == "__main__":
    sys.exit(main())
