"""A worker's birth: `python -m imaptap.workers DESCRIPTOR`, of the socket on which its parent gives the order."""

import sys

from imaptap.hardening import forbid_core_dumps


def main() -> int:
    """Close the process to others before anything worth knowing is in it. Returns the exit code."""
    forbid_core_dumps()
    from imaptap.workers.worker import work  # noqa: PLC0415 - it takes longer to load than a look at us

    return work(int(sys.argv[1]))


sys.exit(main())
