"""`make bench`, as little of it as shows that it still runs: no figure is looked at, as speed is not for tests."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.need import ROOT, absent, need


def test_it_measures(tmp_path: Path) -> None:
    """Direct and through imaptap; nothing failed, and the goals are judged."""
    need("cc")
    need("openssl")
    if not Path("/usr/include/openssl/ssl.h").exists():
        absent("libssl-dev")
    words = "--with imaptap --scale 0.02 --rounds 1 --only W1,M2commands,M3 --sessions 3".split()
    done = subprocess.run(
        [sys.executable, "-m", "bench.run", *words, "--json", str(tmp_path / "out.json")],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "out.json").read_text())["results"]
    assert set(results) == {"direct", "imaptap"}
    assert set(results["imaptap"]) == {"W1", "M2commands", "M3-3"}
    failed = [each for proxy in results.values() for rounds in proxy.values() for each in rounds if "error" in each]
    assert not failed, done.stderr
    assert results["imaptap"]["M2commands"][0]["disk"] > 0
    assert "| M2 recorded bytes per small exchange |" in done.stdout
