"""One file a revision. A revision never changes once released: files of every age come through here."""
