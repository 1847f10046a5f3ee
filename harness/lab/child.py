"""The entry of every process that the lab starts: `python -m harness.lab.child ROLE FD`, settings on standard input.

A child dies with its parent, even with one that is killed: it holds the reading end of a pipe (its standard input)
whose writing end only the parent has, and at its end removes the lab's folder and exits.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import threading
from pathlib import Path
from typing import NoReturn

from harness.lab.settings import Settings

MODEL_FILE = "visits.onnx"
ROLES = ("sagemaker", "azureml", "resource_manager")


def main(arguments: list[str]) -> None:
    """Take the settings, then serve until the parent is gone. FD: an inherited listening socket."""
    role, descriptor = arguments
    settings = Settings.from_json(sys.stdin.buffer.readline())
    {"sagemaker": _sagemaker, "azureml": _azureml, "resource_manager": _resource_manager}[role](
        settings, int(descriptor)
    )


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


def _sagemaker(settings: Settings, descriptor: int) -> None:
    from harness.lab import loopback, sagemaker, visits
    from harness.lab.desk import Desk
    from harness.lab.plants import SOURCE

    watch(settings.folder)
    model = visits.train()
    _write_model(settings.folder, visits.to_onnx(model))
    desk = Desk(settings, sagemaker.versions(), side=SOURCE)
    loopback.serve(socket.socket(fileno=descriptor), sagemaker.application(desk, sagemaker.predictor(model)))


def _write_model(folder: str, graph: bytes) -> None:
    """Written aside and renamed: the other process must never read half a model."""
    part = Path(folder) / f"{MODEL_FILE}.part"
    part.write_bytes(graph)
    part.replace(Path(folder) / MODEL_FILE)


def _azureml(settings: Settings, descriptor: int) -> None:
    from harness.lab import azureml

    azureml.run(settings, descriptor)


def _resource_manager(settings: Settings, descriptor: int) -> None:
    from harness.lab import loopback, resource_manager
    from harness.lab.desk import Desk

    watch(settings.folder)
    loopback.serve(socket.socket(fileno=descriptor), resource_manager.application(Desk(settings, {})))


if __name__ == "__main__":
    main(sys.argv[1:])
