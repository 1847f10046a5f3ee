"""The entry of every process that the lab starts: `python -m harness.lab.child ROLE FD`, settings on standard input.

FD is an inherited listening socket. Each role imports what it needs, and nothing of the others.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from harness.lab.parent import watch
from harness.lab.settings import ENDPOINT, MODELS, USAGE, Settings


def main(arguments: list[str]) -> None:
    """Take the settings, then serve until the parent is gone."""
    role, descriptor = arguments
    settings = Settings.from_json(sys.stdin.buffer.readline())
    serve = {
        "sagemaker": _sagemaker,
        "azureml": _azureml,
        "bedrock": _bedrock,
        "azure_openai": _azure_openai,
        "resource_manager": _resource_manager,
    }
    serve[role](settings, int(descriptor))


def _sagemaker(settings: Settings, descriptor: int) -> None:
    from harness.lab import containers, loopback, sagemaker, usage, visits
    from harness.lab.desk import Desk
    from harness.lab.plants import SOURCE

    watch(settings.folder)
    model, pipelines = visits.train(), usage.train()
    _write_models(settings.folder, {ENDPOINT: visits.to_onnx(model), **usage.to_onnx(pipelines)})
    desk = Desk(settings, sagemaker.versions(), side=SOURCE)
    served = {ENDPOINT: containers.of_visits(model), USAGE: containers.of_usage(pipelines)}
    loopback.serve(socket.socket(fileno=descriptor), sagemaker.application(desk, served))


def _write_models(folder: str, graphs: dict[str, bytes]) -> None:
    """Written aside and renamed: the other process must never read half of them."""
    part = Path(folder) / f"{MODELS}.part"
    part.mkdir()
    for name, graph in graphs.items():
        (part / f"{name}.onnx").write_bytes(graph)
    part.replace(Path(folder) / MODELS)


def _azureml(settings: Settings, descriptor: int) -> None:
    from harness.lab import azureml

    azureml.run(settings, descriptor)


def _bedrock(settings: Settings, descriptor: int) -> None:
    from harness.lab import bedrock, loopback
    from harness.lab.desk import Desk
    from harness.lab.plants import SOURCE

    watch(settings.folder)
    loopback.serve(socket.socket(fileno=descriptor), bedrock.application(Desk(settings, {}, side=SOURCE)))


def _azure_openai(settings: Settings, descriptor: int) -> None:
    from harness.lab import azure_openai, loopback
    from harness.lab.desk import Desk
    from harness.lab.plants import TARGET

    watch(settings.folder)
    loopback.serve(socket.socket(fileno=descriptor), azure_openai.application(Desk(settings, {}, side=TARGET)))


def _resource_manager(settings: Settings, descriptor: int) -> None:
    from harness.lab import loopback, resource_manager
    from harness.lab.desk import Desk

    watch(settings.folder)
    loopback.serve(socket.socket(fileno=descriptor), resource_manager.application(Desk(settings, {})))


if __name__ == "__main__":
    main(sys.argv[1:])
