"""A cutover under load, against the lab: how true the split is, what is lost, how fast a fault takes traffic back.

Two roads. `flagd`: a router whose split flagd's own evaluator reads from the flag file, in front of SageMaker (boto3)
and Azure ML (scoring URI); stages 1, 10, 50 %, then a fault is planted. `azureml`: two deployments behind one endpoint,
moved by azure-ai-ml through the lab's resource manager, which loses one answer and expires tokens in mid-way; the same
fault. The migration's GO is given here, and asked for in tests/cli/test_cutover.py. `--kills`: a step and two rollbacks
killed before every line that they run through.

    .venv/bin/python benchmarks/cutover.py --seconds 20 --kills
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import boto3  # noqa: E402 the path comes first
import urllib3  # noqa: E402
from botocore.config import Config  # noqa: E402

from harness import lab as lab_room  # noqa: E402
from harness.config import SideSettings  # noqa: E402
from harness.core import registry  # noqa: E402
from harness.core.call import Side  # noqa: E402
from harness.core.traffic import Shares, Switch  # noqa: E402
from harness.core.verdict import Verdict  # noqa: E402
from harness.errors import HarnessError  # noqa: E402
from harness.gate.cutover import Judged, Plan, Stage  # noqa: E402
from harness.gate.cutover_switches import LiveSettings  # noqa: E402
from harness.lab import loopback, visits  # noqa: E402
from harness.run.cutover import Did, Driver, Told, watch  # noqa: E402
from harness.run.cutover_journal import Journal  # noqa: E402
from harness.run.cutover_live import Live, live_policy  # noqa: E402
from tests.lab.asking import frame, present_key  # noqa: E402
from tests.lab.crossing import SOURCE, Crossing  # noqa: E402

PERCENTS = (1, 10, 50, 100)
MARGIN = 0.10
CLIENTS = 8
INTERVAL_S = 0.5


def driver(folder: Path, switch: Switch, *, bake_s: float) -> Driver:
    live = LiveSettings(policy=folder / "live.toml", rows="live.jsonl")
    stages = tuple(Stage(name=f"{percent} %", shares=Shares.of(percent)) for percent in PERCENTS)
    return Driver(
        plan=Plan(name="benchmark", stages=stages, bake_s=bake_s, sha256="b" * 64),
        switch=switch,
        journal=Journal(folder / "journal"),
        go=lambda now: Judged(verdict=Verdict.GO, reason="given here", oldest=now),
        live=Live(live, live_policy(live), folder),
    )


def asker(lab: lab_room.Lab, source: Callable[[int], float], path: str) -> Callable[[str, int], float]:
    """Scores by side; `path` is the Azure endpoint's."""
    pool = urllib3.PoolManager(maxsize=CLIENTS, retries=False, timeout=20.0)
    rows = visits.held_out()
    key = present_key(lab)

    def ask(side: str, number: int) -> float:
        if side == SOURCE:
            return source(number)
        reply = pool.request(
            "POST",
            lab.addresses["azureml"] + path,
            body=frame([rows[number % len(rows)]]),
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        if reply.status != 200:
            raise OSError(f"status {reply.status}")
        return float(reply.json()[0])

    return ask


def sagemaker(lab: lab_room.Lab) -> Callable[[int], float]:
    client = boto3.Session(profile_name=lab_room.PROFILE).client(
        "sagemaker-runtime",
        region_name=lab_room.REGION,
        endpoint_url=lab.addresses["sagemaker"],
        config=Config(retries={"total_max_attempts": 1}, max_pool_connections=2 * CLIENTS),
    )
    rows = visits.held_out()

    def ask(number: int) -> float:
        body = ",".join(rows[number % len(rows)].cells) + "\n"
        answer = client.invoke_endpoint(EndpointName="visits", ContentType="text/csv", Accept="text/csv", Body=body)
        return float(answer["Body"].read())

    return ask


def flagd(lab: lab_room.Lab, seconds: float) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        crossing = Crossing(folder, asker(lab, sagemaker(lab), "/score"), margin=MARGIN)
        with crossing.under_load(CLIENTS):
            switch = registry.load("switches", "flagd", folder=folder, file="flags.json", flag="answers-from")
            cutover(lab, driver(folder, switch, bake_s=seconds), crossing, seconds)
        told(crossing)


def cutover(lab: lab_room.Lab, moved: Driver, crossing: Crossing, seconds: float) -> None:
    """To the half, a fault, and back; what was seen at each stage."""
    print("  stage     in force   target answered   held for")
    begun = planted = time.monotonic()
    report(moved.start(apply=True), crossing, seconds / 2, begun)
    for step in watch(moved, interval_s=INTERVAL_S):
        if isinstance(step, HarnessError):
            print(f"  told: {type(step).__name__}: {str(step)[:110]}")
        elif step.did is Did.MOVED:
            report(step, crossing, seconds / 2, begun)
            begun = time.monotonic()
            if step.stage == f"{PERCENTS[-2]} %":
                lab.plant("bias")
                planted = time.monotonic()
                print("  fault planted: every score of the target is 0.02 too high")
        elif step.did is not Did.HELD:
            print(f"  {step.did.value} {time.monotonic() - planted:.1f} s after the fault (a look each {INTERVAL_S} s)")
            print(f"  reason: {step.reason[:150]}")
    crossing.split(0.3)
    print(f"  after the rollback the target answered {crossing.split(2):.1f} %")
    lab.plant(None)


def report(step: Told, crossing: Crossing, seconds: float, begun: float) -> None:
    seen = crossing.split(seconds)
    print(f"  {step.stage:9} {step.shares.target:5} % {seen:13.1f} %    {time.monotonic() - begun:8.1f} s")


def told(crossing: Crossing) -> None:
    answered = dict(sorted(crossing.answered.items()))
    print(
        f"  requests: {crossing.sent} sent, {crossing.answered.total()} answered {answered}, "
        f"{crossing.lost} lost, {crossing.failed.total()} failed by their side"
    )


def azureml(lab: lab_room.Lab, seconds: float) -> None:
    """The endpoint splits by itself; a load on it counts who answered, and what `green` says becomes live rows."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = SideSettings(
            side=Side.TARGET,
            cloud="azure",
            endpoint="",
            credential="managed_identity",
            subscription_id=lab_room.SUBSCRIPTION,
            resource_group=lab_room.RESOURCE_GROUP,
            workspace=lab_room.WORKSPACE,
            lab=dict(lab.addresses),
        )
        switch = registry.load("switches", "azureml", settings=settings, endpoint=lab_room.BOTH)
        crossing = Split(folder, lab)
        with crossing.under_load(CLIENTS):
            switch.read()  # loads the SDK
            lab.lose_answers(1)
            timer = threading.Timer(1.5 * seconds, lab.expire_tokens)
            timer.start()
            cutover(lab, driver(folder, switch, bake_s=seconds), crossing, seconds)
            timer.cancel()
        told(crossing)


class Split(Crossing):
    """Load on an endpoint that splits by itself: the side is the one whose deployment answered."""

    def __init__(self, folder: Path, lab: lab_room.Lab) -> None:
        super().__init__(folder, asker(lab, sagemaker(lab), ""), margin=MARGIN)
        self._lab, self._key, self._rows = lab, present_key(lab), visits.held_out()
        self._pool = urllib3.PoolManager(maxsize=CLIENTS, retries=False, timeout=20.0)

    def _route(self, request: loopback.Request) -> loopback.Reply:
        number = int(request.body)
        reply = self._pool.request(
            "POST",
            f"{self._lab.addresses['azureml']}/api/v1/endpoint/{lab_room.BOTH}/score",
            body=frame([self._rows[number % len(self._rows)]]),
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        side = {"blue": "source", "green": "target"}.get(reply.headers.get("azureml-model-deployment", ""), "nobody")
        score = float(reply.json()[0]) if reply.status == 200 else None
        if side == "target":
            self._compare(number, score)
        return loopback.Reply(status=200 if score is not None else 502, body=side.encode())


def kills() -> None:
    environment = {**os.environ, "PARITY_KILLS": "all"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/run/test_cutover_killed.py"]
    begun = time.monotonic()
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    print(f"  {done.stdout.strip().splitlines()[-1]} ({time.monotonic() - begun:.0f} s)")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=20.0, help="bake time of each stage")
    arguments.add_argument("--kills", action="store_true", help="also kill before every line (a minute)")
    asked = arguments.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d}, {CLIENTS} clients, margin {MARGIN:.0%}, bake time {asked.seconds:g} s")
    with lab_room.start(service_time_s=0.01) as lab:
        os.environ.update(lab.environment)
        print("flagd file, SageMaker and Azure ML:")
        flagd(lab, asked.seconds)
        print("Azure ML, blue and green, one lost answer, tokens expired in mid-way:")
        azureml(lab, asked.seconds)
    if asked.kills:
        print("killed before every line:")
        kills()


if __name__ == "__main__":
    main()
