"""Make the golden sets of `parity init`'s examples again: `.venv/bin/python golden/templates.py`.

A part of the sets beside this file, in their proportions, the same bytes every time.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from harness.cli import main

HERE = Path(__file__).parent
TEMPLATES = HERE.parent / "harness" / "templates"
SETS = {"sagemaker": ("visits", 600), "bedrock": ("chat", 200)}


def build(templates: Path) -> None:
    """Write templates/SOURCE/golden/example, in the place of what is there."""
    for source, (name, cases) in SETS.items():
        into = templates / source / "golden" / "example"
        shutil.rmtree(into, ignore_errors=True)
        main(["golden", "sample", str(HERE / name), "--cases", str(cases), "--into", str(into)])


if __name__ == "__main__":
    build(TEMPLATES)
