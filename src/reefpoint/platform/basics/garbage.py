"""Python's search for cyclic garbage in processes that run for long.

It walks over every object that a process holds: 190 ms once the desk is loaded, in whichever request it falls.
"""

import gc

SELDOM = 100_000


def keep_what_was_loaded() -> None:
    """Leave what the process holds now, code for the most part, out of every later search."""
    gc.collect()
    gc.freeze()


def search_seldom() -> None:
    """Search once in so many new objects, for work that makes many and leaves none in cycles: by Python's own threshold
    of 700 a storm of calls spends a third of its time searching (measured).
    """
    gc.set_threshold(SELDOM)
