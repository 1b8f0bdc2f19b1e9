"""A recorded session read again: its streams cut into lines, in the order in which they were said."""
