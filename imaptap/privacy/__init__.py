"""Recordings made fit to be shown: what is private is replaced by pseudonyms of the same length."""
