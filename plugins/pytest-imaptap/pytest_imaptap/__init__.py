"""The fixture `imap_cassette`: an IMAP server for one test, made of a file that was recorded on the test's first run."""

from __future__ import annotations

from pytest_imaptap.values import ImapCassette

__all__ = ["ImapCassette"]
