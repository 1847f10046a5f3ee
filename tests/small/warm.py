"""Commands in processes of their own that need not import everything anew: each is forked from one that already has.

Inside, a command finds everything as after a fresh start (arguments, folder, environment, exit code, signals), except
that modules are loaded. Tests of what is loaded, and of an interpreter's very end, start a real one.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

PRELOADED = [
    "pytest",
    "anyio.pytest_plugin",
    "scipy.stats",
    "pandas",  # pyarrow loads it with the first array
    "pyarrow.parquet",
    "tests.small.plainhttp",
    "harness.cli.run",
    "harness.comparators.class_label",
    "harness.gate.decide",
    "harness.gate.rows_file",
    "harness.gate.selftest",
    "harness.plugin",
    "harness.recordings.store",
    "harness.reporters.html",
    "harness.reporters.json",
    "harness.reporters.markdown",
    "harness.reporters.terminal",
    "harness.run.migration",
    "harness.run.nightly",
    "harness.run.result",
    "harness.services._azure",
    "harness.services.azureml",
    "harness.services.sagemaker",
    "tests.small.frozen",
]


def context() -> ForkServerContext:
    """Where processes are forked from; it ends with this process."""
    made = multiprocessing.get_context("forkserver")
    made.set_forkserver_preload(PRELOADED)
    return made


def start(
    module: str, words: Sequence[str], *, folder: Path, environment: Mapping[str, str], out: Path, err: Path
) -> ForkServerProcess:
    """`python -m module words...` in `folder`; its output goes into two files."""
    process = context().Process(target=_become, args=(module, list(words), folder, dict(environment), out, err))
    process.start()
    return process


def _become(module: str, words: list[str], folder: Path, environment: dict[str, str], out: Path, err: Path) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:0] = ["", *environment.get("PYTHONPATH", "").split(os.pathsep)]
    for descriptor, path in ((1, out), (2, err)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.argv = [module, *words]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
