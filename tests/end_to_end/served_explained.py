"""Why a client does not do its job the same when it is served: every case that `make served` may find."""

WHY: dict[tuple[str, str, str], str] = {
    ("offlineimap", "implicit", "implicit"): (
        "its three threads share the mailboxes as it happens, so that one is asked about in other connections, and "
        "nearer to another change, than when it was recorded: it gets an answer that the server gave, but perhaps one "
        "from before or after that change (with `maxconnections = 1`: 3 of 3)"
    ),
}
"""By client, how it was recorded, and how it was served."""
