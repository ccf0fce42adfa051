"""The pure core: `now` is an argument; no I/O, no clock, no randomness without a seed."""
