"""The front door of imaptap: its version, and the assurance that the packages it stands on are its own.

The names `proxy`, `storage` and `certs` are common ones. A folder of such a name in front of ours on Python's path
would be imported in its place, and fail in ways that nobody understands; so imaptap looks before it starts.
"""

import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

__all__ = ["__version__"]

__version__ = version("imaptap")

_OWN = ("proxy", "storage", "certs")


def _refuse_strangers() -> None:
    here = Path(__file__).resolve().parent.parent
    for name in _OWN:
        spec = find_spec(name)
        found = Path(spec.origin).resolve() if spec and spec.origin else None
        if found is None or found.parent.parent != here:
            what = f"is another program's: {found}" if found else "is not installed"
            sys.stderr.write(
                f"imaptap: The Python package {name!r}, which belongs beside {here / 'imaptap'}, {what}.\n"
                "Install imaptap in an environment of its own (pipx install imaptap), and unset PYTHONPATH.\n"
            )
            sys.exit(2)


_refuse_strangers()
