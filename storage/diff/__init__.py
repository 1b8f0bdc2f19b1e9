"""Two recordings compared by what they mean (M 10)."""
