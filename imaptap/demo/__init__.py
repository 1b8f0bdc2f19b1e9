"""A demonstration that needs nothing but imaptap: a small IMAP server, a recorder in front of it, and a client."""
