"""Real clients of a small server on loopback, with and without a tap."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.core.case import Recording
from harness.lab import loopback
from harness.lab.loopback import Handler
from tests.small.logs import recordings

REGION = "eu-central-1"


@contextmanager
def serving(handler: Handler) -> Iterator[str]:
    listener = loopback.listen()
    threading.Thread(target=loopback.serve, args=(listener, handler), daemon=True).start()
    try:
        yield loopback.address_of(listener)
    finally:
        listener.close()


def boto(service: str, address: str, attempts: int = 1) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.Session(aws_access_key_id="key", aws_secret_access_key="none", region_name=REGION)
    config = Config(retries={"total_max_attempts": attempts}, connect_timeout=2, read_timeout=5)
    return session.client(service, endpoint_url=address, config=config)


def written(folder: Path) -> list[Recording]:
    """What an import would find of a folder of taps."""
    return recordings("tap", {path.name: path.read_bytes() for path in folder.glob("tap-*.jsonl")})
