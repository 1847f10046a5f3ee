"""How a child dies with its parent, even with one that is killed.

It holds the reading end of a pipe, its standard input, whose writing end only the parent has. When that ends, the child
removes the lab's folder, which holds keys, and exits.
"""

from __future__ import annotations

import os
import shutil
import signal
import threading
from typing import NoReturn


def watch(folder: str, *, master: int | None = None) -> None:
    """Exit this process when standard input ends. master: the process that would start this one again; told to quit."""
    threading.Thread(target=_wait_for_the_end, args=(folder, master), daemon=True, name="parent").start()


def _wait_for_the_end(folder: str, master: int | None) -> NoReturn:
    while os.read(0, 4096):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    if master is not None:
        os.kill(master, signal.SIGQUIT)
    os._exit(0)
