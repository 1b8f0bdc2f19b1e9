"""Why a client does not do its job the same when it is served: every case that `make served` may find."""

WHY: dict[tuple[str, str, str], str] = {}
"""By client, how it was recorded, and how it was served."""
