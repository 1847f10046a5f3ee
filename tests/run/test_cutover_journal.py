from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from harness.core.traffic import ALL_SOURCE, Shares
from harness.errors import LedgerError
from harness.gate.cutover_entries import Begun, Completed, Intent, Outcome, Phase, Stopped, document, from_document
from harness.run.cutover_journal import Journal, JournalBusy

AT = datetime(2027, 1, 31, 12, tzinfo=UTC)
ENTRIES = (
    Begun(at=AT, by="ada", plan_sha256="a" * 64),
    Intent(at=AT, by="ada", stage=0, before=ALL_SOURCE, after=Shares.of(1), reason="to stage 1 %", evidence={"go": 1}),
    Outcome(at=AT, by="ada", found=Shares.of(1), made=True),
    Stopped(at=AT, by="ada", expected=Shares.of(1), found=Shares.of(2), reason="moved"),
    Intent(at=AT, by="ada", stage=None, before=None, after=ALL_SOURCE, reason="back"),
    Outcome(at=AT, by="ada", found=ALL_SOURCE, made=True, asked=70),
)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    (tmp_path / "router").mkdir()
    made = Journal(tmp_path / "router")
    for entry in ENTRIES:
        made.append(entry)
    return made


def test_what_is_written_is_read(journal):
    assert journal.read().entries == ENTRIES
    assert journal.position().phase is Phase.ROLLED_BACK


@pytest.mark.parametrize("entry", [*ENTRIES, Completed(at=AT, by="ada")])
def test_an_entry_survives_json(entry):
    assert from_document(document(entry)) == entry


def test_a_torn_last_line_was_never_acted_on_and_is_cut_off(journal):
    whole = journal.path.read_bytes()
    for torn in range(1, 40):
        journal.path.write_bytes(whole + whole[:torn].rstrip(b"\n"))
        assert journal.read().entries == ENTRIES
    begun = Begun(at=AT, by="bob", plan_sha256="b" * 64)
    journal.append(begun)
    assert journal.read().entries == (*ENTRIES, begun)


def test_any_other_damage_is_named_and_nothing_is_added(journal):
    lines = journal.path.read_bytes().splitlines(keepends=True)
    damaged = {
        "altered": [lines[0], lines[1].replace(b"ada", b"eve"), *lines[2:]],
        "left out": [lines[0], *lines[2:]],
        "swapped": [lines[0], lines[2], lines[1], *lines[3:]],
        "doubled": [*lines, lines[-1]],
        "garbage": [*lines[:3], b"\n", *lines[3:]],
        "line feed": [*lines[:-1], lines[-1][:-1] + b"!"],
    }
    for what, content in damaged.items():
        journal.path.write_bytes(b"".join(content))
        with pytest.raises(LedgerError, match=r"000001\.jsonl.*rollback` is still possible"):
            journal.read()
        with pytest.raises(LedgerError, match=r"000001\.jsonl"):
            journal.append(ENTRIES[0])
        assert journal.path.read_bytes() == b"".join(content), what


def test_entries_that_cannot_follow_each_other_are_refused(tmp_path):
    journal = Journal(tmp_path)
    journal.append(ENTRIES[2])
    with pytest.raises(LedgerError, match=r"an entry \(outcome, .*cannot follow a cutover that is not started"):
        journal.position()


def test_only_one_process_acts_and_the_other_is_told_who(tmp_path):
    journal = Journal(tmp_path / "router")
    with journal.held(0), pytest.raises(JournalBusy, match=r"process \d+"), journal.held(0.1):
        raise AssertionError("both hold it")
    with journal.held(0):
        pass


def test_a_request_to_roll_back_needs_neither_lock_nor_journal(journal):
    journal.path.write_bytes(b"damaged\n")
    with journal.held(0):
        assert journal.asked() == 0
        journal.ask({"by": "bob", "reason": "now"})
        assert journal.asked() > 0
    assert journal.last_request() == "bob asked: now"
