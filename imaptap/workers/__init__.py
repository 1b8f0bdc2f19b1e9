"""`imaptap record --workers N`: one recording by several processes, each with sockets and a writer of its own.

The parent (`parent`, `crew`) binds the ports, begins the recording and ends it; it never sees the mail. A worker
(`worker`) does the rest of what `imaptap.recording.run` does. They have a few numbers and a turn in common (`shared`),
and each worker a socket on which it tells the parent what people are to see (`messages`). The parent's end of that is
the worker's life line: when it closes, because the person wants an end or because the parent has died, the worker ends
its sessions and itself.
"""
