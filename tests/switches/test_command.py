from __future__ import annotations

import sys
import time
from pathlib import Path

import pytest

from harness.core import registry
from harness.core.traffic import Shares
from harness.errors import ConfigError, SwitchError

READ = "from pathlib import Path; print(Path('share').read_text())"
SET = "import sys; from pathlib import Path; Path('share').write_text(sys.argv[1])"


def switch(folder: Path, *, read: str = READ, write: str = SET, arguments: tuple[str, ...] = ("{target}",), **more):
    (folder / "share").write_text("0")
    return registry.load(
        "switches",
        "command",
        folder=folder,
        read=[sys.executable, "-S", "-c", read],
        set=[sys.executable, "-S", "-c", write, *arguments],
        **more,
    )


def test_what_is_set_is_read_back(tmp_path):
    made = switch(tmp_path)
    made.set(Shares.of(10))
    assert made.read() == Shares.of(10)


def test_json_may_say_the_mirror_share_too(tmp_path):
    arguments = ('{"source": {source}, "target": {target}, "mirror": {mirror}}',)
    made = switch(tmp_path, arguments=arguments)
    assert made.mirror_limit == 100
    made.set(Shares.of(0, mirror=50))
    assert made.read() == Shares.of(0, mirror=50)


def test_a_command_that_takes_no_mirror_cannot_mirror(tmp_path):
    assert switch(tmp_path).mirror_limit == 0


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("'ten'", "printed no share"),
        ("''", "printed no share"),
        ("10.5", "says no share"),
        ("'true'", "says no share"),
        ("""'{"share": 10}'""", "says no share"),
        ("101", "from 0 to 100"),
        ("""'{"source": 80, "target": 10}'""", "add up to 90"),
    ],
)
def test_what_is_no_share_is_an_error(tmp_path, printed, said):
    with pytest.raises(SwitchError, match=said):
        switch(tmp_path, read=f"print({printed})").read()


def test_a_command_that_fails_tells_its_last_word(tmp_path):
    made = switch(tmp_path, write="import sys; print('working'); sys.exit('the gateway is frozen')")
    with pytest.raises(SwitchError, match=r"exit code 1 \(the gateway is frozen\)"):
        made.set(Shares.of(1))


def test_a_command_that_is_not_there_is_named(tmp_path):
    made = registry.load("switches", "command", folder=tmp_path, read=["no-such-router"], set=["x", "{target}"])
    with pytest.raises(SwitchError, match="no-such-router cannot be run"):
        made.read()


def test_a_command_that_hangs_is_ended_with_what_it_started(tmp_path):
    late = "import time; from pathlib import Path; time.sleep(1.5); Path('late').touch()"
    hang = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-S', '-c', {late!r}]); time.sleep(30)"
    with pytest.raises(SwitchError, match=r"took longer than 0\.5 s"):
        switch(tmp_path, write=hang, timeout_s=0.5).set(Shares.of(1))
    time.sleep(1.6)
    assert not (tmp_path / "late").exists()


def test_there_is_no_shell(tmp_path):
    made = switch(tmp_path, arguments=("{target}; touch $(echo owned)",))
    made.set(Shares.of(1))
    assert (tmp_path / "share").read_text() == "1; touch $(echo owned)"
    assert not (tmp_path / "owned").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"read": "router get", "set": ["router", "{target}"]}, "the program first"),
        ({"read": ["router"], "set": ["router", "10"]}, "must name {target}"),
        ({"read": ["router"]}, "does not take these options"),
    ],
)
def test_options_that_cannot_work_are_refused_at_once(options, said):
    with pytest.raises(ConfigError, match=said):
        registry.load("switches", "command", **options)
