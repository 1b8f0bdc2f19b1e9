"""Looking for what should not be there: in files of any kind, and in what was recorded."""
