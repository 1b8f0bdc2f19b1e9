"""Recorded sessions served back: which answer a command gets, and what goes with it. No sockets, no store."""
