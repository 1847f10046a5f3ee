"""Labs start whole or not at all, and leave nothing behind, whatever becomes of their owner."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness import lab as lab_room
from harness.errors import LabError

OWNER = """
import json, sys, time
from harness import lab
running = lab.start(service_time_s=0.0)
status = running.status()
print(json.dumps({
    "pids": [*running.pids.values(), *(server["pid"] for server in status["servers"].values())],
    "credentials": running.environment["AWS_SHARED_CREDENTIALS_FILE"],
}), flush=True)
time.sleep(600)
"""


def alive(pid: int) -> bool:
    """Whether a process still runs; one that has ended and was not yet waited for does not."""
    command = ["/bin/ps", "-o", "stat=", "-p", str(pid)]
    state = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def all_gone(pids: list[int], *, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while any(alive(pid) for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def server_pids(lab: lab_room.Controls) -> list[int]:
    return [server["pid"] for server in lab.status()["servers"].values()]


def test_children_and_folder_are_gone_after_stop():
    with lab_room.start(service_time_s=0.0) as lab:
        pids = [*lab.pids.values(), *server_pids(lab)]
        folder = Path(lab.environment["AWS_CONFIG_FILE"]).parent
        assert len(set(pids)) == 6 and all(alive(pid) for pid in pids)
    assert not any(alive(pid) for pid in pids)
    assert not folder.exists()
    lab.stop()
    with pytest.raises(LabError, match="no longer"):
        lab.status()


def test_children_and_folder_are_gone_after_the_owner_is_killed():
    with subprocess.Popen([sys.executable, "-c", OWNER], stdout=subprocess.PIPE) as owner:
        assert owner.stdout is not None
        told = json.loads(owner.stdout.readline())
        assert all(alive(pid) for pid in told["pids"])
        owner.send_signal(signal.SIGKILL)
    assert all_gone(told["pids"], within_s=5.0)
    assert not Path(told["credentials"]).parent.exists()


def test_a_server_that_cannot_start_is_an_error_with_its_last_words(tmp_path, monkeypatch):
    (tmp_path / "sklearn.py").write_text("raise ImportError('sklearn is broken on purpose')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(LabError, match=r"(?s)sagemaker server did not start.*broken on purpose"):
        lab_room.start()
    assert not list(tmp_path.glob("parity-lab-*"))


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="other systems do not show it in files")
def test_secrets_are_readable_by_their_owner_only_and_on_no_command_line(lab):
    folder = Path(lab.environment["AWS_CONFIG_FILE"]).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(Path(lab.environment["AWS_SHARED_CREDENTIALS_FILE"]).stat().st_mode) == 0o600
    for pid in [*lab.pids.values(), *server_pids(lab)]:
        seen = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
        assert lab.control.encode() not in seen
        assert lab.environment["IDENTITY_HEADER"].encode() not in seen


def test_loopback_bypasses_a_proxy_and_keeps_what_was_bypassed_before(lab):
    assert lab.environment["NO_PROXY"] == lab.environment["no_proxy"]
    assert {"127.0.0.1", "localhost"} <= set(lab.environment["NO_PROXY"].split(","))


def test_a_detached_lab_outlives_its_command_and_ends_with_down(tmp_path):
    state = tmp_path / "state" / "lab.json"
    assert lab_room.status(state) is None and lab_room.down(state) is False
    command = f"from pathlib import Path; from harness import lab; lab.up(Path({str(state)!r}), plant='bias', seed=3)"
    subprocess.run([sys.executable, "-c", command], check=True)
    try:
        status = lab_room.status(state)
        assert status is not None and (status["plant"], status["seed"]) == ("bias", 3)
        assert stat.S_IMODE(state.stat().st_mode) == 0o600
        lab_room.attach(state).plant("nan_scores")
        assert lab_room.attach(state).status()["plant"] == "nan_scores"
        with pytest.raises(LabError, match="running already"):
            lab_room.up(state)
        pids = [status["pid"], *server_pids(lab_room.attach(state))]
    finally:
        assert lab_room.down(state) is True
    assert all_gone(pids, within_s=5.0)
    assert list(state.parent.iterdir()) == []
    with pytest.raises(LabError, match="no lab is running"):
        lab_room.attach(state)


def test_a_detached_lab_whose_keeper_was_killed_is_down_and_may_be_started_again(tmp_path):
    state = tmp_path / "lab.json"
    lab_room.up(state, service_time_s=0.0)
    told = json.loads(state.read_text())
    pids = [told["pid"], *told["pids"].values(), *server_pids(lab_room.attach(state))]
    os.kill(told["pid"], signal.SIGKILL)
    assert all_gone(pids, within_s=5.0)
    assert lab_room.status(state) is None and lab_room.down(state) is False and not state.exists()


def test_a_file_that_is_no_state_file_is_left_alone(tmp_path):
    state = tmp_path / "notes.json"
    state.write_text("not JSON")
    with pytest.raises(LabError, match="not a lab's state file"):
        lab_room.up(state)
    assert state.read_text() == "not JSON"
