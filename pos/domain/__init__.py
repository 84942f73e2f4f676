"""Facts and rules. No I/O, no clock, no log; standard library only."""
