"""Recordings for other programs and for people elsewhere: one module a format, one row each in `formats`."""
