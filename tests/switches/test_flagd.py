"""The flag file is read back by flagd's own provider, as an application would."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openfeature import api
from openfeature.contrib.provider.flagd import FlagdProvider
from openfeature.contrib.provider.flagd.config import ResolverType
from openfeature.evaluation_context import EvaluationContext

from harness.core import registry
from harness.core.traffic import ALL_SOURCE, Shares
from harness.errors import ConfigError, SwitchError

JSON = """{
\t"$schema": "https://flagd.dev/schema/v0/flags.json",
  "flags": {
    "banner": {"state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant":   "on"},
    "answers-from": {
      "state": "ENABLED",
      "variants": { "source": "source", "target": "target" },
      "defaultVariant": "source",
      "targeting": {"fractional": [{"var": "targetingKey"}, ["source", 100], ["target",0 ]]},
      "metadata": {"owner": "caf\\u00e9 \\/ platform"}
    },
    "copied": {
      "state": "ENABLED", "variants": {"on": true, "off": false}, "defaultVariant": "off",
      "targeting": {"fractional": [ {"var": "targetingKey"}, ["on", 0], ["off", 100] ]}
    }
  }
}
"""
YAML = """# who answers; moved by parity cutover
flags:
  answers-from: # do not rename
    state: ENABLED
    variants: {source: source, target: target}
    defaultVariant: source
    targeting:
      fractional:
        - var: targetingKey
        - - source
          - 100   # percent
        - [target, 0]
"""


def switch(path: Path, **options):
    return registry.load(
        "switches", "flagd", folder=path.parent, **{"file": path.name, "flag": "answers-from", **options}
    )


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "flags.json"
    file.write_bytes(JSON.encode())
    return file


def share(path: Path, requests: int = 2000) -> float:
    """Percent of requests that the application would send to the target, by flagd's own evaluator."""
    provider = FlagdProvider(resolver_type=ResolverType.FILE, offline_flag_source_path=str(path))
    api.set_provider_and_wait(provider)
    try:
        client = api.get_client()
        answers = [
            client.get_string_value("answers-from", "lost", EvaluationContext(targeting_key=f"request-{number}"))
            for number in range(requests)
        ]
    finally:
        api.shutdown()
    assert set(answers) <= {"source", "target"}
    return 100 * answers.count("target") / requests


@pytest.mark.parametrize("target", [0, 1, 10, 50, 100])
def test_the_split_is_what_flagds_own_evaluator_makes_of_the_file(path, target):
    switch(path).set(Shares.of(target))
    assert share(path) == pytest.approx(target, abs=0 if target in (0, 100) else 3)


def test_yaml_is_split_the_same(tmp_path):
    file = tmp_path / "flags.yaml"
    file.write_text(YAML)
    switch(file).set(Shares.of(50))
    assert share(file) == pytest.approx(50, abs=3)


def test_nothing_but_the_weights_changes(path):
    switch(path, mirror_flag="copied").set(Shares.of(7, mirror=30))
    after = path.read_text()
    wanted = JSON.replace('["source", 100]', '["source", 93]').replace('["target",0 ]', '["target",7 ]')
    assert after == wanted.replace('["on", 0]', '["on", 30]').replace('["off", 100]', '["off", 70]')


def test_comments_stay(tmp_path):
    file = tmp_path / "flags.yaml"
    file.write_text(YAML)
    switch(file).set(Shares.of(7))
    assert file.read_text() == YAML.replace("100   # percent", "93   # percent").replace("[target, 0]", "[target, 7]")


@given(targets=st.lists(st.integers(0, 100), max_size=5))
def test_going_back_gives_the_same_bytes(tmp_path_factory, targets):
    path = tmp_path_factory.mktemp("flags") / "flags.json"
    path.write_text(JSON)
    made = switch(path)
    for target in targets:
        made.set(Shares.of(target))
        assert made.read() == Shares.of(target)
    made.set(ALL_SOURCE)
    assert path.read_text() == JSON


def test_two_changes_in_one_tick_are_both_seen(path):
    """Readers look at the time of the file (openfeature-provider-flagd 0.6 does)."""
    made = switch(path)
    times = []
    for target in range(20):
        made.set(Shares.of(target))
        times.append(path.stat().st_mtime_ns)
    assert sorted(set(times)) == times


def test_the_mode_of_the_file_and_a_link_stay(path):
    path.chmod(0o644)
    link = path.with_name("link.json")
    link.symlink_to(path.name)
    switch(link).set(Shares.of(3))
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o644
    assert switch(path).read() == Shares.of(3)
    assert sorted(one.name for one in path.parent.iterdir()) == ["flags.json", "link.json"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"answers-from"', '"answers"', "there is no such flag. Known: banner, answers, copied"),
        (': {\n      "state": "ENABLED"', ': {\n      "state": "DISABLED"', "not ENABLED"),
        ('"defaultVariant": "source"', '"defaultVariant": "target"', 'must be "source"'),
        ('["source", 100]', '["source", 90]', "add up to 90"),
        ('["source", 100]', '["source"]', "one fractional operation"),
        ('["source", 100]', '["source", "100"]', "each with a whole percent"),
        ('["source", 100]', '["source", 100], ["third", 0]', "each with a whole percent"),
        ('["source", 100]', '["source", 50], ["source", 50]', "names a variant twice"),
        ('{"fractional"', '{"if": [true, {"fractional": [["source", 1]]}], "fractional"', "nothing around it"),
        ('"flags": {', '"flags": [', "no flag file"),
    ],
)
def test_a_flag_that_is_no_plain_split_is_refused_and_left_alone(path, old, new, said):
    assert old in JSON
    path.write_text(JSON.replace(old, new, 1))
    before = path.read_bytes()
    with pytest.raises(SwitchError, match=re.escape(said)):
        switch(path).set(Shares.of(10))
    assert path.read_bytes() == before


def test_weights_that_cannot_be_changed_alone_are_left_alone(tmp_path):
    """An anchor that another flag refers to; a key that is there twice, of which JSON's readers take the last."""
    shared = YAML.replace("[target, 0]", "&t [target, 0]") + "  other:\n    targeting: {fractional: [*t]}\n"
    doubled = JSON.replace('"flags": {', '"flags": {"answers-from": {}, ', 1)
    for name, content in {"flags.yaml": shared, "flags.json": doubled}.items():
        file = tmp_path / name
        file.write_text(content)
        with pytest.raises(SwitchError, match="cannot be changed alone"):
            switch(file).set(Shares.of(10))
        assert file.read_text() == content


def test_a_file_that_changes_meanwhile_is_not_written_over(path, monkeypatch):
    made = switch(path)
    utime, edited = os.fsync, JSON.replace('"on"', '"on" ')

    def meanwhile(file: int) -> None:
        utime(file)
        path.write_text(edited)

    monkeypatch.setattr(os, "fsync", meanwhile)
    with pytest.raises(SwitchError, match="somebody else changed the file"):
        made.set(Shares.of(10))
    assert path.read_text() == edited


def test_a_file_that_is_not_there_is_named(path):
    path.unlink()
    with pytest.raises(SwitchError, match=r"flags\.json: cannot be read"):
        switch(path).read()


def test_without_a_flag_for_it_nothing_is_mirrored(path):
    assert switch(path).mirror_limit == 0
    with pytest.raises(SwitchError, match="no mirror_flag"):
        switch(path).set(Shares.of(0, mirror=10))


@pytest.mark.parametrize(
    ("options", "said"),
    [({"file": "flags.toml"}, r"must end in \.json"), ({"source": "x", "target": "x"}, 'both "x"')],
)
def test_options_that_cannot_work_are_refused_at_once(path, options, said):
    with pytest.raises(ConfigError, match=said):
        switch(path, **options)


def test_the_example_of_the_module_is_one_it_can_move(tmp_path):
    from harness.switches import flagd

    example = "\n".join(line for line in str(flagd.__doc__).splitlines() if line.startswith("    "))
    file = tmp_path / "flags.json"
    file.write_text(json.dumps({"flags": json.loads(f"{{{example}}}")}))
    switch(file).set(Shares.of(1))
    assert switch(file).read() == Shares.of(1)
