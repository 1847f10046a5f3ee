"""Loaded last: what is loaded by now, no garbage collection of a forked process walks again.

pytest collects ten times a session, each time over everything that is loaded. `gc.freeze` is made for this: to be
called in the parent, before it forks.
"""

import gc

gc.collect()
gc.freeze()
