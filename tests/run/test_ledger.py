"""The ledger keeps what it was given, and says so when it no longer can."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.call import Event, FailureKind, Role, Wire
from harness.errors import LedgerError
from harness.run import ledger
from harness.run.ledger import Attempt, Ledger, Reply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
WIRES = st.builds(
    Wire,
    operation=st.text(max_size=10),
    status=st.none() | st.integers(100, 599),
    headers=st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
    body=st.binary(max_size=200) | JSON,
    events=st.lists(
        st.builds(Event, st.floats(0, 100).map(lambda value: round(value, 6)), st.text(max_size=5), JSON), max_size=2
    ).map(tuple),
)


def reply(number: int = 0, *, body: bytes = b"0.5\n", role: Role = Role.SOURCE) -> Reply:
    wire = Wire(operation="InvokeEndpoint", status=200, headers={"content-type": "text/csv"}, body=body)
    return Reply(
        lot=f"{number}:case-{number}",
        role=role,
        step=0,
        wire=wire,
        latency_s=0.25,
        attempts=1,
        throttled=0,
        at_s=1.0,
        last=True,
    )


def failure() -> Attempt:
    return Attempt(
        lot="1:b",
        role=Role.TARGET,
        step=0,
        number=4,
        kind=FailureKind.THROTTLED,
        message="slow down",
        status=429,
        latency_s=0.5,
        final=True,
        throttled=4,
        at_s=2.0,
    )


@given(WIRES)
def test_a_wire_comes_back_as_it_went_in(tmp_path_factory: pytest.TempPathFactory, wire: Wire):
    folder = tmp_path_factory.mktemp("ledger")
    entry = Reply(
        lot="0:a", role=Role.TARGET, step=1, wire=wire, latency_s=0.1, attempts=2, throttled=1, at_s=3.5, last=False
    )
    with Ledger(folder) as book:
        book.append(entry)
    assert list(ledger.read(folder)) == [entry]


def test_failed_attempts_are_kept_beside_replies(tmp_path: Path):
    with Ledger(tmp_path) as book:
        book.append(reply())
        book.append(failure())
    assert list(ledger.read(tmp_path)) == [reply(), failure()]


def test_a_large_body_lies_beside_the_ledger(tmp_path: Path):
    body = os.urandom(ledger.INLINE_BYTES + 1)
    with Ledger(tmp_path) as book:
        book.append(reply(body=body))
    assert (tmp_path / "000001.jsonl").stat().st_size < 1000
    assert next(ledger.read(tmp_path)) == reply(body=body)


def test_an_altered_body_is_named(tmp_path: Path):
    with Ledger(tmp_path) as book:
        book.append(reply(body=b"x" * (ledger.INLINE_BYTES + 1)))
    (stored,) = (tmp_path / "bodies").iterdir()
    stored.write_bytes(b"y" * (ledger.INLINE_BYTES + 1))
    with pytest.raises(LedgerError, match=stored.name):
        list(ledger.read(tmp_path))


def test_a_torn_last_line_is_cut_and_writing_goes_on(tmp_path: Path):
    with Ledger(tmp_path) as book:
        book.append(reply(0))
        book.append(reply(1))
    path = tmp_path / "000001.jsonl"
    path.write_bytes(path.read_bytes()[:-7])
    assert list(ledger.read(tmp_path)) == [reply(0)]
    with Ledger(tmp_path) as book:
        book.append(reply(2))
    assert list(ledger.read(tmp_path)) == [reply(0), reply(2)]


@given(st.data())
def test_a_flipped_bit_anywhere_is_found_and_named(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject):
    folder = tmp_path_factory.mktemp("ledger")
    with Ledger(folder) as book:
        for number in range(3):
            book.append(reply(number))
    path = folder / "000001.jsonl"
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 2))
    content[place] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(content)
    with pytest.raises(LedgerError, match=r"000001\.jsonl, line [123]"):
        list(ledger.read(folder))


def test_two_runs_cannot_write_into_one_folder(tmp_path: Path):
    with Ledger(tmp_path), pytest.raises(LedgerError, match="another run is writing here"):
        Ledger(tmp_path)


def test_segments_are_closed_at_their_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(ledger, "SEGMENT_BYTES", 400)
    with Ledger(tmp_path) as book:
        for number in range(10):
            book.append(reply(number))
    assert len(list(tmp_path.glob("*.jsonl"))) > 2
    assert [entry.lot for entry in ledger.read(tmp_path)] == [reply(number).lot for number in range(10)]


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))
from harness.errors import LedgerError
from harness.run.ledger import Ledger
from test_ledger import reply
with Ledger(Path({folder!r})) as book:
    for number in range(100):
        try:
            book.append(reply(number))
        except LedgerError as exc:
            print(number, "resume" in str(exc))
            break
    try:
        book.append(reply(number, body=b""))
    except LedgerError:
        print("still refused")
"""


def test_a_full_disk_stops_the_run_and_loses_nothing_recorded(tmp_path: Path):
    """A file-size limit stands in for the full disk: the write is short or fails in the same way."""
    script = FULL_DISK.format(tests=str(Path(__file__).parent), folder=str(tmp_path))
    # -B: under the limit, compiled modules would be written short as well.
    done = subprocess.run([sys.executable, "-B", "-c", script], capture_output=True, text=True, check=True)
    count, told = done.stdout.splitlines()[0].split()
    assert told == "True"
    assert done.stdout.splitlines()[1] == "still refused"
    with Ledger(tmp_path) as book:
        book.append(reply(1000))
    lots = [entry.lot for entry in ledger.read(tmp_path)]
    assert lots == [*(reply(number).lot for number in range(int(count))), reply(1000).lot]


def test_what_a_kill_left_of_an_entry_is_counted(tmp_path: Path):
    with Ledger(tmp_path) as book:
        book.append(reply(0))
        book.append(reply(1))
    path = tmp_path / "000001.jsonl"
    whole = path.read_bytes()
    last = len(whole.splitlines(keepends=True)[-1])
    path.write_bytes(whole[:-7])
    with Ledger(tmp_path) as book:
        assert book.torn_bytes == last - 7
    with Ledger(tmp_path) as book:
        assert book.torn_bytes == 0


def test_a_line_feed_that_was_altered_is_no_torn_line(tmp_path: Path):
    with Ledger(tmp_path) as book:
        book.append(reply(0))
        book.append(reply(1))
    path = tmp_path / "000001.jsonl"
    altered = path.read_bytes()[:-1] + b"\x0b"
    path.write_bytes(altered)
    with pytest.raises(LedgerError, match=r"000001\.jsonl, line 2"):
        list(ledger.read(tmp_path))
    with pytest.raises(LedgerError, match=r"000001\.jsonl: the last line is a whole entry"):
        Ledger(tmp_path)
    assert path.read_bytes() == altered
