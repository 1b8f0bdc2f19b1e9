"""What exchanges mean, in words: one line for each, and the details below it for who looks closer."""
