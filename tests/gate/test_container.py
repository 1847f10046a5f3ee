from __future__ import annotations

import io
import tarfile

import pytest

from harness.errors import EvidenceError
from harness.gate import container
from harness.gate.container import Altered, Writer, contents, header, members

FILES = {"first.json": b"{}\n", "dir/second": b"x" * 512, "empty": b"", "third": bytes(range(256)) * 5}


def archive(files: dict[str, bytes] = FILES) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in files.items():
        writer.add(name, [content[:100], content[100:]])
    writer.close()
    return file.getvalue()


def read(content: bytes) -> dict[str, bytes]:
    file = io.BytesIO(content)
    return {member.name: b"".join(contents(file, member)) for member in members(file, "first.json")}


def test_what_was_written_reads_back_and_is_written_to_the_same_bytes():
    assert read(archive()) == FILES
    assert archive(read(archive())) == archive()


def test_common_tools_open_it():
    with tarfile.open(fileobj=io.BytesIO(archive())) as opened:
        assert {one.name: opened.extractfile(one).read() for one in opened.getmembers()} == FILES  # type: ignore[union-attr]


def test_a_member_written_in_pieces_equals_one_written_whole():
    file = io.BytesIO()
    writer = Writer(file)
    for name, content in FILES.items():
        writer.add(name, [bytes([byte]) for byte in content])
    writer.close()
    assert file.getvalue() == archive()


def test_no_byte_is_free():
    """Every single byte changed: contents differ, or the archive is refused."""
    whole, free = archive(), []
    for at in range(len(whole)):
        changed = whole[:at] + bytes([whole[at] ^ 0x11]) + whole[at + 1 :]
        try:
            if read(changed) == FILES:
                free.append(at)
        except EvidenceError:
            pass
    assert free == []


@pytest.mark.parametrize("end", range(0, 4096, 61))
def test_a_file_that_is_cut_off_is_unreadable_not_altered(end: int):
    whole = archive()
    assert len(whole) > 4096
    with pytest.raises(EvidenceError) as caught:
        read(whole[:end])
    assert not isinstance(caught.value, Altered)


def test_bytes_around_the_archive_are_found():
    with pytest.raises(Altered, match="follow the end"):
        read(archive() + b"\0")
    with pytest.raises(Altered, match="follow the end"):
        read(archive() + bytes(512))
    with pytest.raises(EvidenceError, match="is not a bundle"):
        read(b"\0" + archive())
    with pytest.raises(EvidenceError, match="is not a bundle"):
        read(bytes(512) + archive())


def test_an_archive_of_another_program_is_refused():
    """Python's own tar differs in fields that carry no content: time, owner, end."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as out:
        info = tarfile.TarInfo("first.json")
        info.size = 3
        out.addfile(info, io.BytesIO(b"{}\n"))
    with pytest.raises(Altered, match=r"first\.json"):
        read(file.getvalue())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}" * 400, bytes(2048)])
def test_what_is_no_archive_is_unreadable(content: bytes):
    with pytest.raises(EvidenceError, match="is not a bundle"):
        read(content)


def test_names_and_sizes_that_the_format_cannot_say_are_refused_when_writing():
    with pytest.raises(EvidenceError, match="ASCII"):
        header("ü", 1)
    with pytest.raises(EvidenceError, match="at most 99"):
        header("n" * 100, 1)
    with pytest.raises(EvidenceError, match="below 8 GiB"):
        header("big", container.MOST_BYTES + 1)
    assert len(header("big", container.MOST_BYTES)) == 512
