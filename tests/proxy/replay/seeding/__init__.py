"""Tests of proxy/replay/seeding/."""
