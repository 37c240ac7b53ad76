"""Reads of operations: the clock, day runs, and the proof of the whole state."""
