"""Python's collector of cyclic garbage, in a process that others wait for.

A full collection looks at every object that there is: where a whole application is loaded, for a
tenth of a second in which nobody is answered.
"""

import gc

MOST_NEW = 5_000
"""Containers that are made before the young ones are looked at: seven times Python's own number,
which collects more often than it finds anything. To look at as many takes about 2 ms."""


def keep_loaded() -> None:
    """What is there now stays: no later collection looks at it."""
    gc.collect()
    gc.freeze()


def settle() -> None:
    """For a process that begins to serve: what it has loaded stays, and collections are rarer."""
    keep_loaded()
    gc.set_threshold(MOST_NEW)
