"""Both clouds on loopback, and an environment that holds nothing but throw-away credentials."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.clouds import Clouds, Internet


@pytest.fixture
def clouds() -> Clouds:
    return Clouds()


@pytest.fixture
def internet(tmp_path: Path, clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    """The fake internet, and an environment in which SDKs find throw-away credentials and nobody else's."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "AZURE_", "IDENTITY_", "MSI_", "REQUESTS_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    folder = tmp_path / "internet"
    folder.mkdir()
    net = Internet(folder, clouds)
    clouds.scoring_uri = f"{net.url}/score"
    for name, value in {
        "AWS_ACCESS_KEY_ID": "THROWAWAY",
        "AWS_SECRET_ACCESS_KEY": secrets.token_hex(20),
        "AWS_CONFIG_FILE": str(tmp_path / "aws_config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "aws_credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
        "IDENTITY_ENDPOINT": f"{net.url}/msi/token",
        "IDENTITY_HEADER": secrets.token_hex(8),
        "NO_PROXY": "127.0.0.1",
        "AZURE_CONFIG_DIR": str(tmp_path / "azure"),
    }.items():
        monkeypatch.setenv(name, value)
    yield net
    net.close()
