"""The real azure-ai-ml against the lab's resource manager, in this process."""

from __future__ import annotations

import json
import shutil
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.config import SideSettings
from harness.core import registry
from harness.core.call import Side
from harness.core.traffic import ALL_SOURCE, Shares
from harness.core.verdict import Verdict
from harness.errors import ConfigError, Denied, Rejected, SwitchBusy, SwitchError, Unavailable
from harness.gate.cutover_entries import Outcome
from harness.lab import (
    BOTH,
    CLIENT,
    RESOURCE_GROUP,
    SUBSCRIPTION,
    WORKSPACE,
    identity,
    loopback,
    resource_manager,
    tokens,
)
from harness.lab.desk import Desk
from harness.lab.settings import fresh
from harness.run.cutover import Did
from harness.run.cutover_journal import Journal
from tests.run.killing import killed, lines
from tests.run.routed import STAGES, World

KILLS = 8


@dataclass
class Arm:
    """The lab's resource manager. served: what the scoring server would split by, over time."""

    desk: Desk
    served: list[dict[str, int]]

    @property
    def settings(self) -> SideSettings:
        return SideSettings(
            side=Side.TARGET,
            cloud="azure",
            endpoint="",
            credential="managed_identity",
            client_id=CLIENT,
            subscription_id=SUBSCRIPTION,
            resource_group=RESOURCE_GROUP,
            workspace=WORKSPACE,
            lab={"resource_manager": self.desk.settings.addresses["resource_manager"]},
        )

    def change(self, **members: object) -> None:
        self.desk.settings = replace(self.desk.settings, **members)  # type: ignore[arg-type]

    def switch(self, endpoint: str = BOTH, **options: object):
        return registry.load("switches", "azureml", settings=self.settings, endpoint=endpoint, **options)


@pytest.fixture
def arm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arm]:
    monkeypatch.setattr(resource_manager, "OPERATION_S", 0.05)
    monkeypatch.setattr(resource_manager, "POLL_S", "0.05")
    monkeypatch.setattr("harness.run.cutover.READ_PAUSE_S", 0.02)
    listeners = {role: loopback.listen() for role in ("resource_manager", "azureml")}
    addresses = {role: loopback.address_of(listener) for role, listener in listeners.items()}
    settings = fresh(addresses=addresses, folder=str(tmp_path), plant=None, seed=1, service_time_s=0.0)
    desk, served = Desk(settings, {}), []

    def score(request: loopback.Request) -> loopback.Reply:
        served.append(json.loads(request.body)[BOTH])
        return loopback.Reply(status=200, body=b"{}")

    handlers = {"resource_manager": resource_manager.application(desk), "azureml": score}
    for role, listener in listeners.items():
        threading.Thread(target=loopback.serve, args=(listener, handlers[role]), daemon=True).start()
    monkeypatch.setenv("IDENTITY_ENDPOINT", addresses["resource_manager"] + identity.PATH)
    monkeypatch.setenv("IDENTITY_HEADER", settings.identity_header)
    monkeypatch.setenv("AZUREML_CURRENT_CLOUD", "AzureCloud")
    yield Arm(desk, served)
    for listener in listeners.values():
        listener.close()


def test_what_is_set_is_in_force_and_read_back(arm):
    switch = arm.switch()
    assert switch.read() == ALL_SOURCE
    for shares in (Shares.of(0, mirror=50), Shares.of(10), Shares.of(100), ALL_SOURCE):
        switch.set(shares)
        assert switch.read() == shares
    assert arm.served == [{"blue": 100}, {"blue": 90, "green": 10}, {"green": 100}, {"blue": 100}]


def test_an_update_that_is_running_is_not_read_through_nor_written_over(arm, monkeypatch):
    monkeypatch.setattr(resource_manager, "OPERATION_S", 1.0)
    switch = arm.switch(timeout_s=0.01)
    switch.set(Shares.of(10))
    with pytest.raises(SwitchBusy, match="is updating"):
        switch.read()
    with pytest.raises(SwitchBusy):
        switch.set(ALL_SOURCE)


def between(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    """Do something after an endpoint was read and before it is written."""
    from harness.services import _azureml_traffic

    check = _azureml_traffic._must_be_settled

    def then(found: object, endpoint: str) -> None:
        check(found, endpoint)
        act()

    monkeypatch.setattr(_azureml_traffic, "_must_be_settled", then)


def test_a_conflict_with_another_update_is_busy(arm, monkeypatch):
    other = {"green": 37, "blue": 63}
    between(monkeypatch, lambda: resource_manager_updates(arm, other))
    with pytest.raises(SwitchBusy, match=r"another update is running \(status 409\)"):
        arm.switch().set(Shares.of(10))


def resource_manager_updates(arm: Arm, weights: dict[str, int]) -> None:
    """Somebody else's PUT, by hand."""
    settings = arm.desk.settings
    token = tokens.issue(
        settings.signing,
        audience=identity.arm_audiences(settings)[0],
        subject=CLIENT,
        now=time.time(),
        lifetime_s=60,
    )
    address = settings.addresses["resource_manager"]
    request = urllib.request.Request(
        f"{address}{resource_manager.WORKSPACE_ID}/onlineEndpoints/{BOTH}?api-version=2024-04-01",
        json.dumps({"properties": {"traffic": weights}}).encode(),
        {"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=5).close()


def test_a_lost_answer_is_read_back_and_the_cutover_goes_on(arm, tmp_path):
    arm.change(lost_answers=1)
    world = World(tmp_path / "azureml", router=arm.switch())
    world.plan = replace(world.plan, bake_s=0.0)
    assert world.driver().start(apply=True).did is Did.MOVED
    outcome = Journal(world.folder).read().entries[-1]
    assert isinstance(outcome, Outcome)
    assert "the connection failed or broke off" in outcome.note
    assert world.driver().step(apply=True).did is Did.MOVED
    assert arm.served == [{"blue": 100}, {"blue": 99, "green": 1}]


def test_a_token_that_expires_in_mid_move_is_renewed_to_read_back(arm, tmp_path, monkeypatch):
    world = World(tmp_path / "azureml", router=arm.switch())
    world.plan = replace(world.plan, bake_s=0.0)
    with monkeypatch.context() as patch:
        between(patch, lambda: arm.change(valid_from=time.time()))
        with pytest.raises(SwitchError, match="still at source 100 %") as caught:
            world.driver().start(apply=True)
    assert isinstance(caught.value.__cause__, Denied)
    assert world.driver().step(apply=True).did is Did.MOVED


def test_a_whole_cutover_and_a_rollback_at_its_half(arm, tmp_path):
    world = World(tmp_path / "azureml", router=arm.switch())
    world.plan = replace(world.plan, bake_s=0.0)
    world.driver().start(apply=True)
    for _ in range(3):
        assert world.driver().step(apply=True).did is Did.MOVED
    world.live = Verdict.NO_GO
    assert world.driver().step(apply=True).did is Did.ROLLED_BACK
    assert [one.get("green", 0) for one in arm.served] == [0, 1, 10, 50, 0]


def test_a_move_that_is_killed_anywhere_is_made_once_by_the_next_steps(arm, tmp_path):
    """The update that a dead process asked for goes on in the cloud, and is waited for."""
    world = World(tmp_path / "azureml", router=arm.switch())
    world.plan = replace(world.plan, stages=STAGES[1:])
    world.driver().start(apply=True)
    world.bake()
    saved = world.folder.with_name("saved")
    shutil.copytree(world.folder, saved)

    def again() -> None:
        world.router.set(Shares.of(1))
        shutil.rmtree(world.folder)
        shutil.copytree(saved, world.folder)

    total = lines(lambda: world.driver().step(apply=True))
    for at in range(0, total, max(1, total // KILLS)):
        again()
        arm.served.clear()
        assert killed(lambda: world.driver().step(apply=True), at=at)
        world.driver().step(apply=True)
        assert world.router.read() == Shares.of(10), at
        assert Journal(world.folder).position().shares == Shares.of(10), at
        assert arm.served == [{"blue": 90, "green": 10}], at


def test_a_third_deployment_with_traffic_is_not_lost_sight_of(arm):
    with pytest.raises(SwitchError, match="also sends traffic to blue"):
        arm.switch(source_deployment="azure", target_deployment="green").read()


@pytest.mark.parametrize(
    ("endpoint", "shares", "raised"),
    [
        ("nowhere", Shares.of(1), Rejected),
        (BOTH, Shares.of(0, mirror=51), Rejected),
        ("visits", Shares.of(1), Rejected),
    ],
)
def test_what_azure_refuses_is_told(arm, endpoint, shares, raised):
    with pytest.raises(raised):
        arm.switch(endpoint).set(shares)


def test_a_resource_manager_that_is_gone_is_unavailable(arm):
    gone = replace(arm.settings, lab={"resource_manager": "http://127.0.0.1:9"})
    switch = registry.load("switches", "azureml", settings=gone, endpoint=BOTH)
    with pytest.raises((Unavailable, Denied)):
        switch.read()


def test_options_that_cannot_work_are_refused_at_once(arm):
    with pytest.raises(ConfigError, match="are both the deployment"):
        arm.switch(source_deployment="green")
    with pytest.raises(ConfigError, match='needs "workspace"'):
        registry.load("switches", "azureml", settings=replace(arm.settings, workspace=None), endpoint=BOTH).read()
