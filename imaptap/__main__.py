"""`python -m imaptap`."""

from imaptap.cli import main

main()
