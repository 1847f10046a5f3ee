"""How long a report of many cases takes to make, how large it is, and how soon a reader can search it.

    .venv/bin/python benchmarks/report.py            # about six minutes; --cases 1000 for one size

Every case differs, which is the most that a report can have to show: nothing is left out. A case is a chat: a request
of 300 characters, two answers of 800 that part in three words. Each size is made by a process of its own: the cases set
down on disk as while a run is judged, put in order, then written as `report.html` and its pages. Peak memory is that
process's, with the interpreter and all imports.

Interactive: headless Chromium opens the file from the disk, with an empty profile. Loaded is the end of
DOMContentLoaded; answered is when the frame after the first keystroke in the search box has been painted, both from the
start of the navigation (`performance.now()`). The figure is the median of three. The page asks nobody for anything, so
that only the machine counts.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SIZES = (1_000, 10_000, 100_000)
ROUNDS = 3
CHROMIUM = os.environ.get("PARITY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
WORDS = ["the", "a", "invoice", "order", "was", "is", "paid", "twice", "customer", "account", "within", "five", "days"]
AT = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
KEYSTROKE = """
new Promise((done) => {
  const loaded = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
  const box = document.getElementById("find-words");
  box.value = "w";
  box.dispatchEvent(new Event("input"));
  const said = document.getElementById("find-said").textContent;
  requestAnimationFrame(() => requestAnimationFrame(() => done({loaded, answered: performance.now(), said})));
})
"""


def compared(number: int) -> Iterator[Any]:
    """As `harness.run.rows.compare` yields them, without a replay."""
    from harness.core.call import Answer, Observation, Side
    from harness.core.case import Case, Provenance, Recording, Request, Task
    from harness.core.output import Chat
    from harness.core.verdict import Comparison, Status
    from harness.run.observe import Observed
    from harness.run.rows import Compared

    chance = random.Random(8)
    for at in range(number):
        said = chance.choices(WORDS, k=150)
        other = said.copy()
        for _ in range(3):
            other[chance.randrange(len(other))] = f"w{chance.randrange(1000)}"
        body = json.dumps({"messages": " ".join(chance.choices(WORDS, k=55))}).encode()
        provenance = Provenance(captured_at=AT)
        recording = Recording(
            id=f"case-{at:06d}", service="bedrock", operation="Converse", provenance=provenance, request_body=body
        )
        case = Case(
            id=recording.id,
            suite="benchmark",
            request=Request(task=Task.CHAT, payload=None),
            recording=recording,
            cluster=recording.id,
            slices={"region": ("eu", "us", "apac")[at % 3], "intent": f"intent {at % 20}"},
        )
        answers = [
            Answer(side=side, output=Chat(text=" ".join(words)), raw_sha256="", latency_s=0.1, attempts=1)
            for side, words in ((Side.SOURCE, said), (Side.TARGET, other))
        ]
        comparison = Comparison(
            case_id=case.id,
            comparator="text_similarity",
            status=Status.MISMATCH,
            value=0.9,
            distance=chance.random(),
            unit="similarity",
            reason="three words differ",
        )
        observation = Observation(case=case, source=answers[0], target=answers[1])
        yield Compared(
            observed=Observed(index=at, observation=observation, effort={}),
            rows=(),
            comparisons={"answer": comparison},
            noises={},
        )


def make(number: int, folder: Path) -> dict[str, float]:
    """In a process of its own: the figures of one size."""
    from harness.core.report import Payloads
    from harness.run import reporting
    from harness.run.cases import Spool
    from harness.run.folder import RunFolder
    from harness.run.shown import Shown
    from tests.reporters import sample

    run = RunFolder(folder)
    began = time.perf_counter()
    with Spool(folder / ".cases", Shown(Payloads.FULL)) as spool:
        for one in compared(number):
            spool.add(one)
        spool.write(run.cases)
    set_down = time.perf_counter()
    report = replace(sample.told(), cases=number, replayed=number, worst=())
    reporting.write(run, report)
    done = time.perf_counter()
    sizes = [path.stat().st_size for path in folder.glob("*.html")]
    return {
        "set_down_s": set_down - began,
        "write_s": done - set_down,
        "files": len(sizes),
        "largest_mb": max(sizes) / 1e6,
        "report_mb": run.report(".html").stat().st_size / 1e6,
        "all_mb": sum(sizes) / 1e6,
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


class Browser:
    """Headless Chromium over its own pipe: requests in on descriptor 3, answers out on 4, each ended by a zero byte.

    Source: Chrome DevTools Protocol, `--remote-debugging-pipe`.
    """

    def __init__(self, profile: Path) -> None:
        assert CHROMIUM is not None
        there, self._to = os.pipe()
        self._from, back = os.pipe()
        self._number, self._rest = 0, b""

        def descriptors() -> None:
            # Both ends are moved out of the way first: either may already be 3 or 4.
            one, other = os.dup(there), os.dup(back)
            high, higher = os.dup2(one, 30), os.dup2(other, 31)
            os.dup2(high, 3)
            os.dup2(higher, 4)

        self._process = subprocess.Popen(
            [
                CHROMIUM,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--remote-debugging-pipe",
                f"--user-data-dir={profile}",
                "about:blank",
            ],
            preexec_fn=descriptors,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(there)
        os.close(back)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.enable", page=True)

    def ask(self, method: str, *, page: bool = False, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if page:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        return self._await(lambda said: said.get("id") == self._number).get("result", {})

    def open(self, path: Path) -> dict[str, Any]:
        """Opens a page and types one letter."""
        self.ask("Page.navigate", page=True, url=path.as_uri())
        self._await(lambda said: said.get("method") == "Page.domContentEventFired")
        said = self.ask("Runtime.evaluate", page=True, expression=KEYSTROKE, awaitPromise=True, returnByValue=True)
        value: dict[str, Any] = said["result"]["value"]
        return value

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._to)
        os.close(self._from)

    def _await(self, wanted: Any) -> dict[str, Any]:
        while True:
            while b"\0" not in self._rest:
                self._rest += os.read(self._from, 1 << 20)
            message, _, self._rest = self._rest.partition(b"\0")
            said: dict[str, Any] = json.loads(message)
            if wanted(said):
                return said


def opened(path: Path) -> tuple[float, float]:
    """(loaded, answered) in milliseconds, medians."""
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            browser = Browser(Path(profile))
            try:
                rounds.append(browser.open(path))
            finally:
                browser.close()
    return statistics.median(one["loaded"] for one in rounds), statistics.median(one["answered"] for one in rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, action="append", help="how many; may be given again")
    parser.add_argument("--one", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--into", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(make(options.one, options.into)))
        return
    print("| cases | set down | written | files | report | largest page | all | peak memory | loaded | answered |")
    print("|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|")
    for number in options.cases or SIZES:
        with tempfile.TemporaryDirectory() as folder:
            command = [sys.executable, __file__, "--one", str(number), "--into", folder]
            environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
            done = subprocess.run(command, capture_output=True, check=True, text=True, env=environment)
            made = json.loads(done.stdout)
            pages = sorted(Path(folder).glob("report-cases-*.html"))[:1] or [Path(folder) / "report.html"]
            loaded, answered = opened(pages[0]) if CHROMIUM else (float("nan"), float("nan"))
        print(
            f"| {number:,} | {made['set_down_s']:.1f} s | {made['write_s']:.1f} s | {made['files']:,} "
            f"| {made['report_mb']:.2f} MB | {made['largest_mb']:.2f} MB | {made['all_mb']:.1f} MB "
            f"| {made['peak_mib']:.0f} MiB | {loaded:.0f} ms | {answered:.0f} ms |"
        )


if __name__ == "__main__":
    main()
