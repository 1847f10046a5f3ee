"""The spool: bounded, harmless when the disk is not there, whole lines when the process is killed."""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.recordings.formats import Record, Skip
from harness.tap import process as processes
from harness.tap import spool as spools
from harness.tap import writing
from harness.tap.exchange import Asked, Exchange, packed
from harness.tap.losses import ENDED, FULL, LEFT, NOT_STORED, NOT_WRITTEN, UNABLE
from harness.tap.redaction import Redaction
from harness.tap.spool import Spool
from tests.small.logs import read
from tests.tap.clients import written
from tests.tap.redactors import Broken, Deadly, Unmade, Waiting

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


def spool_in(folder: Path, redact: Any = "none") -> Spool:
    return Spool(folder, Redaction.of(redact))


def stood(folder: Path) -> tuple[int, list[str]]:
    """Calls that are in the folder's files, and why the others are lost, as the files say."""
    rows = [json.loads(line) for path in folder.glob("tap-*.jsonl") for line in path.read_bytes().splitlines()]
    why = [row["lost"] for row in rows if "lost" in row]
    assert len(written_and_lost(folder)) == len(rows)
    return len(rows) - len(why), sorted(why)


def written_and_lost(folder: Path) -> list[Record | Skip]:
    """What an import finds of them: no line is torn."""
    found = read("tap", {path.name: path.read_bytes() for path in folder.glob("tap-*.jsonl")})
    assert all(isinstance(one, Record | Skip) for one in found)
    return found


def lines(folder: Path) -> int:
    """How many are there by now; a last one may be on its way."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("tap-*.jsonl"))


def until(what: Callable[[], Any], patience_s: float = 60) -> Any:
    """Wait for something to be so."""
    end = time.monotonic() + patience_s
    while not (told := what()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return told


def ran(script: str, *arguments: object) -> str:
    """A program of its own, with `folder` and `spool` in hand."""
    begin = """
import os, signal, sys, time, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from tests.tap.test_spool import exchange, spool_in, until
folder = Path(sys.argv[1])
"""
    done = subprocess.run(
        [sys.executable, "-c", begin + script, *map(str, arguments)],
        cwd=ROOT,
        check=True,
        timeout=120,
        text=True,
        stdout=subprocess.PIPE,
    )
    return done.stdout


def test_a_full_queue_never_blocks_and_what_it_lost_stands_in_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "ROOM", 4)
    spool = spool_in(tmp_path / "into", Waiting(tmp_path / "go"))
    for _ in range(20):
        spool.offer(exchange())
    assert (spool.status().lost, spool.status().waiting) == ({FULL: 16}, 4)
    (tmp_path / "go").touch()
    spool.close(60)
    assert stood(tmp_path / "into") == (4, [FULL] * 16)
    assert (spool.status().written, spool.status().waiting) == (4, 0)


def test_the_bound_in_bytes_counts_what_the_writer_has(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "ROOM_BYTES", 10_000)
    spool = spool_in(tmp_path / "into", Waiting(tmp_path / "go"))
    spool.offer(exchange(b"1" * 6_000))
    until(lambda: spool.status().writer)
    spool.offer(exchange(b"1" * 6_000))
    assert spool.status().lost == {FULL: 1}
    (tmp_path / "go").touch()
    until(lambda: spool.status().written == 1)
    spool.offer(exchange(b"1" * 6_000))
    spool.close(60)
    assert stood(tmp_path / "into") == (2, [FULL])


def test_a_call_that_cannot_be_redacted_is_not_written(tmp_path):
    spool = spool_in(tmp_path, Broken())
    spool.offer(exchange())
    spool.close(60)
    assert (spool.status().lost, spool.status().trouble) == ({NOT_STORED: 1}, "RuntimeError")
    assert stood(tmp_path) == (0, [NOT_STORED])


def test_a_folder_that_cannot_be_written_costs_the_recordings_and_nothing_else(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    spool = spool_in(tmp_path / "file" / "below")
    for _ in range(3):
        spool.offer(exchange())
    spool.close(60)
    assert spool.status().lost == {NOT_WRITTEN: 3}
    assert caplog.text.count("could not be written") == 1


def test_a_folder_is_the_one_that_was_meant_when_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    spool = spool_in(Path("into"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    spool.offer(exchange())
    spool.close(60)
    assert stood(tmp_path / "into") == (1, [])


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="no limit of a file's size here")
def test_a_full_disk_leaves_whole_lines(tmp_path):
    """A file that may grow no more stands for a disk that is full: the last write is cut short, then none succeeds."""
    script = """
import resource
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, resource.RLIM_INFINITY))
spool = spool_in(folder)
for _ in range(20):
    spool.offer(exchange())
spool.close(60)
status = spool.status()
print(status.written, *status.lost.values())
"""
    kept, lost = map(int, ran(script, tmp_path).split())
    assert kept > 0 and kept + lost == 20
    assert stood(tmp_path)[0] == kept


def test_when_a_disk_has_room_again_the_file_says_what_it_did_not_take(tmp_path):
    spool = spool_in(tmp_path)
    spool.offer(exchange())
    pid = until(lambda: spool.status().writer)
    until(lambda: spool.status().written)
    most = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    spool.offer(exchange())
    until(lambda: spool.status().lost == {NOT_WRITTEN: 1})
    resource.prlimit(pid, resource.RLIMIT_FSIZE, most)
    spool.offer(exchange())
    spool.close(60)
    assert stood(tmp_path) == (2, [NOT_WRITTEN])


def test_a_disk_that_hangs_costs_recordings_and_no_time(tmp_path, monkeypatch):
    """A writer that was stopped stands for one that waits for its disk."""
    monkeypatch.setattr(spools, "ROOM", 50)
    spool = spool_in(tmp_path)
    spool.offer(exchange())
    pid = until(lambda: spool.status().writer)
    until(lambda: spool.status().written)
    os.kill(pid, signal.SIGSTOP)
    try:
        for _ in range(80):
            spool.offer(exchange(b"1" * 20_000))
        assert (spool.status().waiting, spool.status().lost) == (50, {FULL: 30})
        spool.close(0.05)
        assert spool.status().waiting == 50
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: not spool.status().waiting)
    until(lambda: lines(tmp_path) == 81)
    assert stood(tmp_path) == (51, [FULL] * 30)


def test_a_file_that_was_taken_away_is_followed_by_another(tmp_path):
    spool = spool_in(tmp_path)
    spool.offer(exchange())
    until(lambda: spool.status().written == 1)
    next(tmp_path.glob("tap-*")).rename(tmp_path / "moved.jsonl")
    (tmp_path / "moved.jsonl").unlink()
    spool.offer(exchange())
    spool.close(60)
    assert stood(tmp_path) == (1, [])


def test_a_writer_that_crashes_is_followed_by_another_and_what_it_had_is_lost(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(spools, "AGAIN_S", (0.01, 0.01))
    spool = spool_in(tmp_path, Deadly())
    spool.offer(exchange())
    until(lambda: spool.status().written == 1)
    spool.offer(exchange(b"die,1"))
    until(lambda: spool.status().lost == {ENDED: 1})
    spool.offer(exchange())
    spool.close(60)
    assert (spool.status().seen, spool.status().written, spool.status().waiting) == (3, 2, 0)
    assert stood(tmp_path) == (2, [ENDED])
    assert "ended before its time" in caplog.text


def test_a_writer_that_is_killed_while_nothing_waits_costs_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "AGAIN_S", (0.01, 0.01))
    spool = spool_in(tmp_path)
    spool.offer(exchange())
    pid = until(lambda: spool.status().writer)
    until(lambda: spool.status().written)
    os.kill(pid, signal.SIGKILL)
    until(lambda: spool.status().writer is None)
    spool.offer(exchange())
    spool.close(60)
    assert stood(tmp_path) == (2, [])


def test_writers_that_crash_again_and_again_are_started_ever_less_often(tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "AGAIN_S", (0.01, 3600.0))
    spool = spool_in(tmp_path, Deadly())
    for times in range(1, 4):
        spool.offer(exchange(b"die,1"))
        until(lambda times=times: spool.status().lost.get(ENDED) == times)
    waits = spool._again_s - time.monotonic()
    assert waits <= 0.01 * 2**3
    assert spool._failures == 3
    spool.close(60)


def test_a_writer_that_cannot_be_started_costs_the_recordings_and_nothing_else(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(spools, "AGAIN_S", (0.01, 0.01))
    monkeypatch.setattr(processes, "interpreter", lambda: str(tmp_path / "python"))
    spool = spool_in(tmp_path)
    spool.offer(exchange())
    until(lambda: "could not be started" in caplog.text)
    spool.close(60)
    assert (spool.status().lost, spool.status().trouble) == ({UNABLE: 1}, "FileNotFoundError")
    assert list(tmp_path.iterdir()) == []


def test_a_redactor_that_the_writer_cannot_make_is_told(tmp_path, caplog):
    spool = spool_in(tmp_path, Unmade())
    spool.offer(exchange())
    spool.close(60)
    assert (spool.status().lost, spool.status().trouble) == ({UNABLE: 1}, "ModuleNotFoundError")
    assert "ModuleNotFoundError" in caplog.text


def test_a_tap_that_saw_nothing_has_no_process_and_no_file(tmp_path):
    spool = spool_in(tmp_path)
    assert spool.status().writer is None
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_application_leaves_whole_lines_and_all_that_was_handed_over(tmp_path):
    script = """
spool = spool_in(folder)
for number in range(300):
    spool.offer(exchange(b"1," * 5000 + b"%d" % number))
until(lambda: not spool._queue and len(spool._sent) + spool.status().written == 300)
time.sleep(0.2)  # the last of it is on its way
print(spool.status().written, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    begin = "import os, signal, sys, time\nfrom pathlib import Path\n"
    begin += "from tests.tap.test_spool import exchange, spool_in, until\nfolder = Path(sys.argv[1])\n"
    process = subprocess.Popen([sys.executable, "-c", begin + script, str(tmp_path)], cwd=ROOT)
    assert process.wait(120) == -signal.SIGKILL
    until(lambda: lines(tmp_path) == 300)
    assert stood(tmp_path) == (300, [])


def test_a_writer_whose_application_is_gone_tells_what_it_had_no_time_for(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "LINGER_S", -1.0)
    ours, theirs = socket.socketpair()
    desk = writing.Desk(theirs, {"folder": str(tmp_path), "pid": 7, "word": "none", "key": "", "own": None})
    desk.take(writing.CALL, packed(exchange()))
    ours.close()
    desk.take(writing.CALL, packed(exchange()))
    desk.take(writing.CALL, packed(exchange()))
    desk.finish()
    theirs.close()
    assert stood(tmp_path) == (2, [LEFT])


def test_the_end_of_the_process_writes_what_waits_and_a_fork_has_a_file_of_its_own(tmp_path):
    script = """
spool = spool_in(folder)
spool.offer(exchange())
child = os.fork()
spool.offer(exchange())
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    ran(script, tmp_path)
    until(lambda: lines(tmp_path) == 3)
    assert stood(tmp_path) == (3, [])
    assert len({path.name.split("-")[2] for path in tmp_path.iterdir()}) == 2


def test_forked_processes_give_the_same_pseudonyms(tmp_path):
    script = """
spool = spool_in(folder, "default")
for _ in range(2):
    if not os.fork():
        spool.offer(exchange(b"jane.roe" + b"@" + b"example.org"))
        spool.close(60)
        os._exit(0)
for _ in range(2):
    os.wait()
"""
    ran(script, tmp_path)
    bodies = {one.request_body for one in written(tmp_path)}
    assert len(list(tmp_path.iterdir())) == 2
    assert len(bodies) == 1 and b"example.invalid" in bodies.pop()


def test_an_application_that_waits_for_all_its_children_does_not_wait_for_the_writer(tmp_path):
    script = """
spool = spool_in(folder)
spool.offer(exchange())
until(lambda: spool.status().writer)
try:
    os.wait()
except ChildProcessError:
    print("none")
"""
    assert ran(script, tmp_path) == "none\n"


def test_an_ended_writer_leaves_no_process(tmp_path):
    spool = spool_in(tmp_path)
    spool.offer(exchange())
    pid = until(lambda: spool.status().writer)
    spool.close(60)
    until(lambda: not writing._alive(pid))


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_a_process_of_multiprocessing_loses_nothing_at_its_end(tmp_path, start):
    script = """
import multiprocessing
from tests.tap.test_spool import one_call
worker = multiprocessing.get_context(sys.argv[2]).Process(target=one_call, args=(folder,))
worker.start()
worker.join()
"""
    ran(script, tmp_path, start)
    until(lambda: lines(tmp_path) == 1)
    assert stood(tmp_path) == (1, [])


def one_call(folder: Path) -> None:
    global _KEPT
    _KEPT = spool_in(folder)
    _KEPT.offer(exchange())


@pytest.mark.parametrize(
    "habit",
    [
        "import socket; socket.setdefaulttimeout(0.001)",
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)",
        "signal.signal(signal.SIGCHLD, signal.SIG_IGN)",
        "signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGCHLD})",
        "os.environ['PYTHONINSPECT'] = '1'",
        "os.environ['PYTHONWARNINGS'] = 'error'",
        "os.close(0)",
        "os.close(1); os.close(2)",
        "os.chdir(folder); (folder / 'json.py').write_text('raise SystemExit(3)')",
        "sys.path = [entry for entry in sys.path if entry]",
    ],
)
def test_habits_of_applications_do_no_harm(tmp_path, habit):
    script = f"""
spool = spool_in(folder / "into")
{habit}
spool.offer(exchange())
pid = until(lambda: spool.status().writer)
until(lambda: spool.status().written)
os.kill(pid, signal.SIGKILL)
until(lambda: spool.status().writer is None)
spool.offer(exchange(b"7" * 2_000_000))
spool.close(60)
assert spool.status().written == 2, spool.status()
"""
    ran(script, tmp_path)
    assert stood(tmp_path / "into") == (2, [])


def test_the_writer_outlives_signals_to_the_group_yields_to_the_application_and_leaves_no_core(tmp_path):
    spool = spool_in(tmp_path)
    spool.offer(exchange())
    pid = until(lambda: spool.status().writer)
    for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        os.kill(pid, one)
    assert os.getpriority(os.PRIO_PROCESS, pid) - os.getpriority(os.PRIO_PROCESS, 0) in range(1, writing.NICE + 1)
    assert os.getsid(pid) != os.getsid(0)
    assert resource.prlimit(pid, resource.RLIMIT_CORE)[0] <= 1
    spool.offer(exchange())
    spool.close(60)
    assert stood(tmp_path) == (2, [])


def test_files_are_for_their_owner_alone(tmp_path):
    spool = spool_in(tmp_path / "new")
    spool.offer(exchange())
    spool.close(60)
    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o077 == 0


def test_importing_the_tap_loads_no_sdk():
    code = "import sys, harness.tap; print({'boto3', 'botocore', 'openai', 'httpx2', 'azure'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
