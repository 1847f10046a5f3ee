"""`parity doctor`: what would stop a run, before it starts."""

from __future__ import annotations

import json

import pytest

from tests.conftest import SharedLab
from tests.small import visits
from tests.small.project import Project
from tests.small.server import Server


def test_a_sound_project_passes_and_is_not_called(numbers: Project, server: Server):
    done = numbers.parity("doctor")
    assert done.code == 0
    assert all(line.startswith("ok          ") for line in done.out.splitlines())
    assert "numbers: suite and golden set: 80 cases" in done.out
    assert not server.counts()


def test_json_is_one_document_with_every_check(numbers: Project):
    done = numbers.parity("doctor", "suites/numbers", "--json")
    assert (done.code, done.err) == (0, "")
    assert [one["check"] for one in done.document if not one["ok"]] == []
    assert "project" in [one["check"] for one in done.document]


@pytest.mark.parametrize(
    ("old", "new", "check", "said"),
    [
        ('golden = "numbers"', 'golden = "number"', "numbers: suite and golden set", "golden/number"),
        ("[endpoints.here]", "[endpoints.her]", "numbers: suite and golden set", 'Did you mean "here"?'),
        ('use = "class_label"', 'use = "class_lable"', "numbers: suite and golden set", 'Did you mean "class_label"?'),
    ],
)
def test_what_is_wrong_is_named_and_exits_2(numbers: Project, old, new, check, said):
    numbers.edit(numbers.suite, old, new)
    done = numbers.parity("doctor", "--json")
    assert done.code == 2
    failed = {one["check"]: one["said"] for one in done.document if not one["ok"]}
    assert set(failed) == {check}
    assert said in failed[check]


def test_a_project_that_cannot_be_read_ends_the_checks(numbers: Project):
    numbers.edit(numbers.folder / "parity.toml", "payloads", "payload")
    done = numbers.parity("doctor")
    assert done.code == 2
    assert "problem     project: " in done.out and 'Did you mean "payloads"?' in done.out


def test_a_suite_that_is_not_there_is_named(numbers: Project):
    done = numbers.parity("doctor", "suites/number")
    assert done.code == 2
    assert 'Did you mean "suites/numbers"?' in done.out


def test_reports_that_cannot_be_written_are_a_failure(numbers: Project):
    (numbers.folder / "reports").write_text("a file where a folder should be")
    done = numbers.parity("doctor")
    assert done.code == 2
    assert "problem     reports" in done.out


def test_credentials_and_addresses_resolve_on_both_sides_of_a_lab(tmp_path, shared_lab: SharedLab):
    project = visits.make(tmp_path)
    done = project.parity("doctor", "--lab-state", str(shared_lab.state_file))
    assert done.code == 0
    assert "ok          visits: source sagemaker" in done.out
    assert "ok          visits: target azureml" in done.out


def test_offline_resolves_nothing(tmp_path):
    project = visits.make(tmp_path)
    done = project.parity("doctor", "--offline")
    assert done.code == 0
    assert "sagemaker" not in done.out


def test_what_the_clouds_say_of_themselves_is_told_and_what_a_lab_cannot_say_is_not_called_ok(
    tmp_path, shared_lab: SharedLab
):
    project = visits.make(tmp_path)
    done = project.parity("doctor", "--json", "--lab-state", str(shared_lab.state_file))
    found = {one["check"]: one for one in done.document}
    assert found["visits: target azureml: endpoint"]["status"] == "ok"
    assert found["visits: target azureml: leave to call"]["status"] == "ok"
    assert found["visits: source sagemaker: data capture"]["ok"] is None
    assert found["visits: source sagemaker: connection and TLS"]["ok"] is True


def test_a_check_that_is_skipped_says_so(tmp_path, shared_lab: SharedLab):
    project = visits.make(tmp_path)
    words = ("--skip", "leave to call", "--lab-state", str(shared_lab.state_file))
    done = project.parity("doctor", *words)
    assert "not checked visits: target azureml: leave to call: left out by --skip" in done.out


def test_policies_of_both_clouds_come_from_the_suites_alone_and_nothing_is_called(tmp_path):
    project = visits.make(tmp_path)
    done = project.parity("doctor", "--policy", "--json", "--logs", "s3://records/capture/")
    assert (done.code, done.err) == (0, "")
    statements = {
        action: one
        for each in done.document["aws"]
        for one in each["document"]["Statement"]
        for action in one["Action"]
    }
    assert statements["s3:GetObject"]["Resource"] == ["arn:aws:s3:::records/capture/*"]
    (endpoint,) = statements["sagemaker:InvokeEndpoint"]["Resource"]
    assert endpoint.startswith("arn:aws:sagemaker:") and endpoint.endswith(":endpoint/visits")
    assert statements["sagemaker:InvokeEndpoint"]["Sid"] in done.document["aws"][0]["why"]
    actions = {action for each in done.document["azure"] for action in each["document"]["Actions"]}
    assert "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/score/action" in actions


def test_a_policy_in_words_holds_the_same_documents_as_json(tmp_path):
    project = visits.make(tmp_path)
    told = project.parity("doctor", "--policy").out
    found = project.parity("doctor", "--policy", "--json").document
    plain = "\n".join(line for line in told.splitlines() if not line.startswith("#"))
    documents, decoder = [], json.JSONDecoder()
    while plain.strip():
        document, end = decoder.raw_decode(plain.strip())
        documents.append(document)
        plain = plain.strip()[end:]
    assert documents == [each["document"] for cloud in ("aws", "azure") for each in found[cloud]]


def test_the_way_back_needs_the_same_leave_of_both_clouds(tmp_path):
    project = visits.make(tmp_path)
    over = project.parity("doctor", "--policy", "--json").document
    back = project.parity("doctor", "--policy", "--reverse", "--json").document
    names = [sorted(each["document"]["Actions"]) for each in over["azure"]]
    assert names == [sorted(each["document"]["Actions"]) for each in back["azure"]]


def test_logs_that_lie_elsewhere_are_refused(tmp_path):
    done = visits.make(tmp_path).parity("doctor", "--policy", "--logs", "records")
    assert done.code == 2
    assert "s3://BUCKET/PREFIX" in done.err
