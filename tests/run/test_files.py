"""What is imported: files of this machine, and objects of stores through real clients."""

from __future__ import annotations

import gzip
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.recordings.formats import LogFile
from harness.run.files import Files


def paths(files: Files) -> list[str]:
    return [file.path for file in files]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("b/2.jsonl", "b/1.jsonl", "a.jsonl", "b/c/3.txt", ".hidden/x.jsonl"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("", ["a.jsonl", "b/1.jsonl", "b/2.jsonl", "b/c/3.txt"]),
        ("b", ["1.jsonl", "2.jsonl", "c/3.txt"]),
        ("a.jsonl", ["a.jsonl"]),
        ("*.jsonl", ["a.jsonl"]),
        ("**/*.jsonl", ["a.jsonl", "b/1.jsonl", "b/2.jsonl"]),
        ("b/?.jsonl", ["1.jsonl", "2.jsonl"]),
        ("b/[12].json*", ["1.jsonl", "2.jsonl"]),
        ("b/**/3.*", ["c/3.txt"]),
    ],
)
def test_a_log_is_its_files_in_sorted_order(tree: Path, pattern: str, found: list[str]):
    assert paths(Files([str(tree / pattern)])) == found


@pytest.mark.parametrize("path", ["nowhere", "b/*.csv", "nowhere/*"])
def test_a_path_without_files_is_named(tree: Path, path: str):
    with pytest.raises(ConfigError, match=r"there is no|cannot be read"):
        paths(Files([str(tree / path)]))


@pytest.mark.parametrize(
    ("uri", "beside", "found"),
    [
        ("s3://bucket/any/b/1.jsonl", "a.jsonl", "b/1.jsonl"),
        ("s3://bucket/x/c/3.txt", "b/x", "b/c/3.txt"),
        ("s3://bucket/y/3.txt", "b/c/x", None),
        ("s3://bucket/y/a.jsonl", "b/c/x", None),
        ("file:///a.jsonl", "", "a.jsonl"),
        ("s3://bucket/b/../../etc/passwd", "a.jsonl", None),
        ("file:///etc/passwd", "a.jsonl", None),
        ("s3://bucket/", "a.jsonl", None),
        ("s3://bucket/link", "a.jsonl", None),
    ],
)
def test_an_object_is_found_below_what_is_imported_and_nowhere_else(tree: Path, uri, beside, found):
    (tree / "link").symlink_to("/etc/hostname")
    file = Files([str(tree)]).find(uri, beside=beside)
    assert (file and file.path) == found


def content(file: LogFile) -> bytes:
    with file.open() as stream:
        return stream.read()


def two(tmp_path: Path) -> Files:
    """Two jobs whose files have the same names."""
    for job in ("one", "two"):
        for name in ("in/a.csv", "in/a.csv.out", "in/a.jsonl"):
            (tmp_path / job / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / job / name).write_text(f"{job} {name}")
    return Files([str(tmp_path / "one"), str(tmp_path / "two")])


def test_a_file_of_one_place_never_finds_that_of_another(tmp_path: Path):
    files = two(tmp_path)
    assert paths(files) == [*(names := ["in/a.csv", "in/a.csv.out", "in/a.jsonl"]), *(f"2/{name}" for name in names)]
    for file in files:
        if file.path.endswith(".csv"):
            out = files.find(f"file:///{file.path}.out", beside=file.path)
            assert out is not None
            assert out.path == f"{file.path}.out"
            assert content(out) == content(file) + b".out"
        if file.path.endswith(".jsonl"):
            named = files.find("s3://bucket/in/a.csv", beside=file.path)
            assert named is not None
            assert content(named)[:4] == content(file)[:4]


def test_what_two_other_places_have_is_nobodys(tmp_path: Path):
    two(tmp_path)
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "n.jsonl").write_text("")
    places = [str(tmp_path / name) for name in ("log", "one", "two")]
    assert Files(places).find("s3://bucket/in/a.csv", beside="n.jsonl") is None
    found = Files(places[:2]).find("s3://bucket/in/a.csv", beside="n.jsonl")
    assert found is not None
    assert found.path == "in/a.csv"


def test_a_path_is_that_file_and_no_other_of_its_name(tmp_path: Path):
    two(tmp_path)
    (tmp_path / "one" / "old" / "in").mkdir(parents=True)
    assert Files([str(tmp_path / "one")]).find("file:///old/in/a.csv.out", beside="old/in/a.csv") is None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """moto's server, which others wrote: S3 over loopback."""
    port = free_port()
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(address, timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    import boto3

    for name, value in {
        "AWS_ENDPOINT_URL_S3": s3,
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=s3, region_name="us-east-1")
    client.create_bucket(Bucket="logs")
    objects = {
        "AWSLogs/1/2026/11/01/09/a.json.gz": gzip.compress(b"first"),
        "AWSLogs/1/2026/11/01/09/data/r_input.json.gz": gzip.compress(b"large"),
        "AWSLogs/1/2026/11/01/10/b.json.gz": gzip.compress(b"second"),
        "other/x.txt": b"x",
    }
    for key, content in objects.items():
        client.put_object(Bucket="logs", Key=key, Body=content)
    return "logs"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        (
            "s3://logs/AWSLogs",
            ["1/2026/11/01/09/a.json.gz", "1/2026/11/01/09/data/r_input.json.gz", "1/2026/11/01/10/b.json.gz"],
        ),
        ("s3://logs/AWSLogs/**/1?/*.gz", ["1/2026/11/01/10/b.json.gz"]),
        ("s3://logs/other/x.txt", ["x.txt"]),
    ],
)
def test_objects_of_s3_are_files(bucket: str, url: str, found: list[str]):
    assert paths(Files([url])) == found


def test_an_object_is_read_as_it_lies_there_and_large_bodies_are_found(bucket: str):
    files = Files(["s3://logs/AWSLogs"])
    first, *_ = files
    with first.open() as stream:
        assert gzip.decompress(stream.read()) == b"first"
    uri = "s3://logs/AWSLogs/1/2026/11/01/09/data/r_input.json.gz"
    body = files.find(uri, beside=first.path)
    assert body is not None
    with body.open() as stream:
        assert gzip.decompress(stream.read()) == b"large"


def test_a_bucket_that_is_not_there_is_named(bucket: str):
    with pytest.raises(ConfigError, match=r"the store cannot be read|there is no file"):
        paths(Files(["s3://nobody/x"]))


AZURITE = os.environ.get("PARITY_AZURITE", "")


@pytest.mark.skipif(not AZURITE, reason="PARITY_AZURITE does not name an Azurite to start")
def test_blobs_of_azurite_are_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Microsoft's own emulator, where it is installed: PARITY_AZURITE=node_modules/.bin/azurite-blob."""
    from pyarrow import fs

    port, account = free_port(), "devstoreaccount1"
    # The emulator's own key, which Microsoft publishes; in pieces, so that no scanner takes it for somebody's.
    pieces = (
        "Eby8vdM02xNOcqFl",
        "qUwJPLlmEtlCDXJ1",
        "OUzFT50uSRZ6IFsu",
        "Fq2UVErCz4I6tq/K",
        "1SZFPTOtr/KBHBek",
        "soGMGw",
    )
    key = "".join(pieces) + "=" * 2
    words = ["--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(tmp_path), "--silent"]
    server = subprocess.Popen([AZURITE, *words, "--skipApiVersionCheck", "--disableTelemetry"])
    try:
        monkeypatch.setenv("AZURE_STORAGE_ACCOUNT", account)
        monkeypatch.setenv("AZURE_STORAGE_KEY", key)
        monkeypatch.setenv("AZURE_STORAGE_BLOB_ENDPOINT", f"http://127.0.0.1:{port}")
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        authority = dict.fromkeys(("blob_storage_authority", "dfs_storage_authority"), f"127.0.0.1:{port}")
        scheme = dict.fromkeys(("blob_storage_scheme", "dfs_storage_scheme"), "http")
        system = fs.AzureFileSystem(account, account_key=key, **authority, **scheme)
        system.create_dir("logs")
        for name in ("a.jsonl", "b/c.jsonl"):
            with system.open_output_stream(f"logs/ep/{name}") as stream:
                stream.write(name.encode())
        for url in ("az://logs/ep", f"abfss://logs@{account}.dfs.core.windows.net/ep"):
            files = Files([url])
            assert paths(files) == ["a.jsonl", "b/c.jsonl"]
            with next(iter(files)).open() as stream:
                assert stream.read() == b"a.jsonl"
    finally:
        server.terminate()
        server.wait(10)
