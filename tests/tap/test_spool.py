"""The spool: bounded, harmless when the disk is not there, whole lines when the process is killed."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.recordings.formats import Record, Skip
from harness.tap import spool as spools
from harness.tap.exchange import Asked, Exchange
from harness.tap.spool import FULL, NOT_WRITTEN, Spool
from tests.small.logs import read
from tests.tap.clients import written

ROOT = Path(__file__).resolve().parents[2]


def exchange(body: bytes = b"1,2") -> Exchange:
    asked = Asked(
        service="sagemaker",
        operation="InvokeEndpoint",
        model="visits",
        region=None,
        url="http://127.0.0.1/endpoints/visits/invocations",
        headers={"content-type": "text/csv"},
        body=body,
        at=datetime(2026, 1, 2, tzinfo=UTC),
        started_s=0.0,
    )
    return Exchange(asked=asked, status=200, headers={"content-type": "text/csv"}, body=b"0.5")


class Slow:
    """A redactor that waits until it may go on."""

    rules = ("slow/1",)

    def __init__(self) -> None:
        self.go = threading.Event()

    def redact(self, text: str) -> str:
        self.go.wait(20)
        return text

    def picked(self, value: object, side: str) -> object:
        return value

    def cell(self, text: str, column: int, side: str) -> None:
        return None


class Broken(Slow):
    """A redactor that fails."""

    def redact(self, text: str) -> str:
        raise RuntimeError(text)


def test_a_full_queue_never_blocks_and_what_it_lost_stands_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "ROOM", 4)
    by = Slow()
    spool = Spool(tmp_path, by)
    started = time.perf_counter()
    for _ in range(20):
        spool.offer(exchange())
    assert time.perf_counter() - started < 5
    lost = spool.status().lost[FULL]
    assert lost in (15, 16)  # the writer may have taken one of the queue
    by.go.set()
    spool.close()
    (file,) = tmp_path.iterdir()
    found = read("tap", file.read_bytes())
    assert sum(isinstance(one, Skip) for one in found) == lost
    assert sum(isinstance(one, Record) for one in found) == 20 - lost == spool.status().written


def test_a_call_that_cannot_be_redacted_is_not_written(tmp_path):
    spool = Spool(tmp_path, Broken())
    spool.offer(exchange())
    spool.close()
    assert (spool.status().written, spool.status().trouble) == (0, "RuntimeError")
    assert [one.why for one in read("tap", next(tmp_path.iterdir()).read_bytes())] == ["lost by the tap"]


def test_a_folder_that_cannot_be_written_costs_the_recordings_and_nothing_else(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    spool = Spool(tmp_path / "file" / "below", None)
    for _ in range(3):
        spool.offer(exchange())
    spool.close()
    assert spool.status().lost == {NOT_WRITTEN: 3}
    assert caplog.text.count("could not be written") == 1


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit of a file's size here")
def test_a_full_disk_leaves_whole_lines(tmp_path):
    """A file that may grow no more stands for a disk that is full: the last write is cut short, then none succeeds."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from harness.tap.spool import Spool, NOT_WRITTEN
from tests.tap.test_spool import exchange
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
spool = Spool(Path({str(tmp_path)!r}), None)
for _ in range(20):
    spool.offer(exchange())
spool.close()
print(spool.status().written, spool.status().lost[NOT_WRITTEN])
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    kept, lost = map(int, done.stdout.split())
    assert kept > 0 and kept + lost == 20
    (file,) = tmp_path.iterdir()
    found = read("tap", file.read_bytes())
    assert sum(isinstance(one, Record) for one in found) == kept
    assert all(isinstance(one, Record | Skip) for one in found)


def test_a_killed_application_leaves_whole_lines(tmp_path):
    script = f"""
import time
from pathlib import Path
from harness.tap.spool import Spool
from tests.tap.test_spool import exchange
spool = Spool(Path({str(tmp_path)!r}), None)
while True:
    spool.offer(exchange(b"1," * 5000 + b"1"))
    time.sleep(0.0005)
"""
    process = subprocess.Popen([sys.executable, "-c", script], cwd=ROOT)
    try:
        until = time.monotonic() + 30
        while time.monotonic() < until and not any(one.stat().st_size > 200_000 for one in tmp_path.iterdir()):
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert len(written(tmp_path)) > 5


def test_the_end_of_the_process_writes_what_waits_and_a_fork_has_a_file_of_its_own(tmp_path):
    script = f"""
import os, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from harness.tap.spool import Spool
from tests.tap.test_spool import exchange
spool = Spool(Path({str(tmp_path)!r}), None)
spool.offer(exchange())
child = os.fork()
spool.offer(exchange())
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    subprocess.run([sys.executable, "-c", script], cwd=ROOT, check=True, timeout=60)
    assert len({path.name.split("-")[2] for path in tmp_path.iterdir()}) == 2
    assert len(written(tmp_path)) == 3


def test_files_are_for_their_owner_alone(tmp_path):
    spool = Spool(tmp_path / "new", None)
    spool.offer(exchange())
    spool.close()
    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_importing_the_tap_loads_no_sdk():
    code = "import sys, harness.tap; print({'boto3', 'botocore', 'openai', 'httpx2', 'azure'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
