"""The Python files that pages show do what the pages say of them."""

from __future__ import annotations

import runpy
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core import registry
from harness.core.case import Case, Provenance, Recording, Request, Task
from harness.core.output import Scores
from harness.core.protocols import Comparator, Pair
from harness.core.verdict import Status
from harness.errors import UnencodableRequest
from harness.recordings.store import GoldenSet
from harness.run.publish_webhook import signature
from tests.examples.pages import ROOT, all_blocks

SUITE_PAGE, PAIR_PAGE = ROOT / "docs" / "write-a-suite.md", ROOT / "docs" / "add-a-service-pair.md"
CI_PAGE = ROOT / "docs" / "ci.md"


def written(name: str, page: Path, folder: Path) -> Path:
    (block,) = [one for one in all_blocks("python") if one.page == page and Path(one.about).name == name]
    path = folder / name
    path.write_text(block.text, encoding="utf-8")
    return path


def case() -> Case:
    recording = Recording(
        id="c1",
        service="sagemaker",
        operation="InvokeEndpoint",
        provenance=Provenance(captured_at=None, captured_from=""),
    )
    request = Request(Task.TABULAR, {"columns": None, "rows": [["10.5", "3"]]})
    return Case(id="c1", suite="s", request=request, recording=recording, cluster="c1")


@pytest.mark.parametrize("block", all_blocks("python"), ids=str)
def test_a_block_is_python_and_names_its_file(block: Any) -> None:
    compile(block.text, str(block), "exec")
    assert block.about.endswith(".py")


def test_a_csv_of_requests_becomes_a_golden_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("applications.csv").write_text("customer,region,income,age\nanna,north,10.5,30\nanna,south,11,31\n")
    runpy.run_path(str(written("build.py", SUITE_PAGE, tmp_path)), run_name="__main__")
    golden = GoldenSet.open(Path("golden/applications"))
    assert [one.recording.request_body for one in golden] == [b"10.5,30", b"11,31"]
    assert {one.cluster for one in golden} == {"anna"}


def test_the_comparator_of_a_suite_is_found_and_compares(tmp_path: Path) -> None:
    written("checks.py", SUITE_PAGE, tmp_path)
    bands = registry.load("comparators", "checks:build", suite_folder=tmp_path, edges=[0.2, 0.5, 0.8])
    assert isinstance(bands, Comparator)
    scores = {value: Scores(np.array([[value]]), ("0",)) for value in (0.45, 0.49, 0.51)}
    assert bands.compare(scores[0.45], scores[0.49], case=case()).status is Status.MATCH
    assert bands.compare(scores[0.49], scores[0.51], case=case()).status is Status.MISMATCH


def test_the_request_builder_makes_the_targets_body(tmp_path: Path) -> None:
    written("builder.py", SUITE_PAGE, tmp_path)
    build_body = registry.attribute("builder:build_body", suite_folder=tmp_path, where="test")
    assert build_body(case().request) == {"input_data": {"columns": ["income", "age"], "data": [[10.5, 3.0]]}}


def test_the_pair_says_what_it_could_not_carry_over(tmp_path: Path) -> None:
    name = "sagemaker_to_azureml_rounded"
    written(f"{name}.py", PAIR_PAGE, tmp_path)
    pair = registry.load("pairs", f"{name}:build", suite_folder=tmp_path, columns=["income", "age"])
    assert isinstance(pair, Pair)
    assert pair.name == name
    assert pair.translate(case().request).departures == ()
    exact = Request(Task.TABULAR, {"columns": None, "rows": [["10.505", "3"]]})
    assert [one.field for one in pair.translate(exact).departures] == ["rows"]
    with pytest.raises(UnencodableRequest):
        pair.translate(Request(Task.TABULAR, {"rows": []}))


def test_a_webhook_is_verified_as_the_page_says(tmp_path: Path) -> None:
    verified = runpy.run_path(str(written("verify_webhook.py", CI_PAGE, tmp_path)))["verified"]
    moment = str(int(time.time()))
    signed = signature(b"key", "id", moment, b"{}")
    headers = {"webhook-id": "id", "webhook-timestamp": moment, "webhook-signature": f"v1,old {signed}"}
    assert verified(headers, b"{}", b"key")
    assert not verified(headers, b"{ }", b"key")
    assert not verified(headers, b"{}", b"another")
    assert not verified(headers, b"{}", b"key", oldest_s=-1)
