"""Tests of proxy/replay/."""
