"""A recorded command's values at the target: every mailbox, set, UID and counter exchanged for its counterpart (M 9).

One walk over the grammar's frozen values; the other files map what it finds on its way. What has no counterpart
raises NoCounterpartError, so that nothing wrong is sent.
"""
