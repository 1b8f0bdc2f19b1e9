"""What a session had become at any of its moments: its recorded units go in, in their order, and states come out.

For those who look at a recording. No I/O, no clock; time in proportion to the units, four bytes of memory a message.
"""
