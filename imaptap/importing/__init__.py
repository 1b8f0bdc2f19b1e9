"""Logs that other programs wrote, read and heard as if they were live traffic."""
