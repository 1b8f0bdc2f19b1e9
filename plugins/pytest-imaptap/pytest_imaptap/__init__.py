"""The fixture `imap_cassette`: a server for one test, made of a file that its first run has recorded."""

from __future__ import annotations

from pytest_imaptap.values import ImapCassette

__all__ = ["ImapCassette"]
