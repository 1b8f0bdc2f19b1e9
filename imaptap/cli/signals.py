"""What ends a command that goes on until somebody stops it."""

import signal


def ending_signals() -> list[signal.Signals]:
    """Those that end it, as the process stands.

    Ctrl-C always: a script that has started us with `&`, where the shell has it ignored, stops us with `kill -INT`, and
    would wait for ever. But nohup has the hangup ignored so that its program outlives the terminal: so it stays.
    """
    hangup = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *hangup]
