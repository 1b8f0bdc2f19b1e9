"""One harness under atheris: `python -m tests.fuzz.one NAME FOLDER [libFuzzer's options]`."""

from __future__ import annotations

import sys

import atheris

if __name__ == "__main__":
    # Only what is imported in here tells the fuzzer which branches an input has taken.
    with atheris.instrument_imports(include=["proxy.imap"]):
        from tests.fuzz.harnesses import HARNESSES

    check = HARNESSES[sys.argv.pop(1)]
    atheris.Setup(sys.argv, check)
    atheris.Fuzz()
