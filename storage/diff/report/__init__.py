"""What came of a comparison, for people and for programs: one file a format."""
