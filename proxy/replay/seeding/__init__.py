"""The starting state of a recording (M 8.2): read from its dialogues, and built at a target before the replay.

`reader` makes a `Beginning` of dialogues, `seeder` has the target hold the same, over a `connection` of its own.
"""
