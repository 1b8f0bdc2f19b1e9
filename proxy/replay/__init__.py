"""A recording played again: its commands sent to another server, and what comes back put on record."""
