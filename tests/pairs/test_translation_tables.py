"""Every documented parameter is sent or told of, and the page says so as it is now."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def tables() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "translation_tables.py"))


def test_no_documented_parameter_is_lost_in_silence(tables: dict[str, Any]):
    lost = [
        f"{one.title}: {path}, {heading}"
        for one in tables["documented"]()
        for path, cells in tables["outcomes"](one)
        for (heading, _), cell in zip(one.targets(), cells, strict=True)
        if cell == tables["LOST"] or cell.startswith("error")
    ]
    assert lost == []


def test_the_page_is_what_the_code_says_now(tables: dict[str, Any]):
    assert tables["PAGE"].read_text(encoding="utf-8") == tables["page"](), "run docs/translation_tables.py"
