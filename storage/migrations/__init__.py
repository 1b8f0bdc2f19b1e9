"""The history of the schema, run by the program itself whenever it opens a store (`storage.migrate`)."""
