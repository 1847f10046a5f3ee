"""Starts the lab's processes, hands out what a client needs, and stops them.

Each server listens on a socket that this process opened and passed on, so the addresses are known before the servers
are up, and no port is ever guessed. Children end with the pipe that this process holds open to them: at `stop`, at any
exit, and at a kill.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

import harness
from harness.errors import LabError
from harness.lab import desk, identity, loopback, plants, settings, sts
from harness.lab.settings import EXTERNAL_ID, PROFILE, REGION, ROLE, ROLES, Settings

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 10.0
SERVICE_TIME_S = 0.03


class Controls:
    """What can be asked of a running lab by whoever knows its control secret.

    addresses: "sagemaker", "azureml", "bedrock", "azure_openai", "resource_manager" (and "sts", "foundry") -> http://127.0.0.1:PORT.
    environment: what to put into `os.environ` so that the SDKs' ordinary credential chains find the lab's credentials.
    """

    def __init__(self, addresses: Mapping[str, str], environment: Mapping[str, str], control: str) -> None:
        self.addresses = dict(addresses)
        self.environment = dict(environment)
        self._control = control

    def plant(self, name: str | None) -> None:
        """Switch the planted fault on the running servers; None: no fault. Raises UnknownName."""
        if name is not None:
            plants.named(name)
        self._change(plant=name)

    def rotate_key(self) -> None:
        """Give the Azure endpoint a new primary and secondary key. The old ones are refused from now on."""
        self._change(azure_keys=[settings.azure_key(), settings.azure_key()])

    def expire_tokens(self) -> None:
        """Refuse, as expired, every Azure token and AWS session issued before this moment."""
        self._change(valid_from=time.time())

    def set_token_lifetime(self, seconds: float) -> None:
        """How long tokens and AWS sessions issued from now on are good for, in seconds."""
        self._change(token_lifetime_s=seconds)

    def lose_answers(self, count: int) -> None:
        """Lose the answers to the next `count` changes of traffic: they are accepted, and the client is not told."""
        self._change(lost_answers=count)

    def set_service_time(self, seconds: float) -> None:
        """What each scoring call takes from now on, at least, in seconds."""
        self._change(service_time_s=seconds)

    def status(self) -> dict[str, Any]:
        """Plant, seed, service time, and each server's process id and versions. Raises LabError if one is gone."""
        try:
            present = desk.send(self.addresses["resource_manager"], self._control, "settings")
            servers = {role: desk.send(self.addresses[role], self._control, "health") for role in ROLES}
        except OSError as exc:
            raise LabError(f"lab: a server no longer answers ({exc}). Stop the lab and start it again.") from exc
        return {
            "plant": present["plant"],
            "seed": present["seed"],
            "service_time_s": present["service_time_s"],
            "servers": {
                role: {"address": self.addresses[role], "pid": server["pid"], "versions": server["versions"]}
                for role, server in servers.items()
            },
        }

    def _change(self, **members: Any) -> None:
        try:
            desk.send(self.addresses["resource_manager"], self._control, "change", json.dumps(members).encode())
        except OSError as exc:
            raise LabError(f"lab: it no longer takes orders ({exc}). Start it again.") from exc


class Lab(Controls):
    """A running lab, owned by this process. A context manager: leaving it stops the servers."""

    def __init__(self, own: Settings, folder: Path, children: dict[str, subprocess.Popen[bytes]]) -> None:
        super().__init__({**own.addresses, **_aliases(own)}, _environment(own, folder), own.control)
        self._folder = folder
        self._children = children

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pids(self) -> dict[str, int]:
        """The process id of each child."""
        return {role: child.pid for role, child in self._children.items()}

    @property
    def control(self) -> str:
        """What `Controls` needs to steer this lab from another process."""
        return self._control

    def fallen(self) -> str | None:
        """The role of a child that is no longer running, if there is one."""
        return next((role for role, child in self._children.items() if child.poll() is not None), None)

    def stop(self) -> None:
        """End every child and remove the folder. Doing it twice does no harm."""
        for child in self._children.values():
            if child.stdin is not None and not child.stdin.closed:
                with contextlib.suppress(OSError):
                    child.stdin.close()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for child in self._children.values():
            try:
                child.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


def start(*, plant: str | None = None, seed: int = 7, service_time_s: float = SERVICE_TIME_S) -> Lab:
    """Start the lab; returns when every server answers.

    plant: a name of `plants.PLANTS`; seed: decides which requests it hits; service_time_s: what each scoring call takes
    on both sides. Raises UnknownName for the plant and LabError when a server does not start.
    """
    if os.name != "posix":
        raise LabError("lab: it passes sockets to its processes, which this system cannot. Use Linux or macOS.")
    if plant is not None:
        plants.named(plant)
    folder = Path(tempfile.mkdtemp(prefix="parity-lab-"))
    listeners = {role: loopback.listen() for role in ROLES}
    own = settings.fresh(
        addresses={role: loopback.address_of(listener) for role, listener in listeners.items()},
        folder=str(folder),
        plant=plant,
        seed=seed,
        service_time_s=service_time_s,
    )
    children: dict[str, subprocess.Popen[bytes]] = {}
    lab = Lab(own, folder, children)
    try:
        for role, listener in listeners.items():
            children[role] = _spawn(role, listener.fileno(), own, folder)
            listener.close()  # or a call to a dead child would wait for this process to answer
        _wait_until_healthy(own, folder, children)
    except BaseException:
        for listener in listeners.values():
            listener.close()
        lab.stop()
        raise
    return lab


def _aliases(own: Settings) -> dict[str, str]:
    """Services that share another's server."""
    return {"sts": own.addresses["sagemaker"], "foundry": own.addresses["azure_openai"]}


def _spawn(role: str, descriptor: int, own: Settings, folder: Path) -> subprocess.Popen[bytes]:
    with (folder / f"{role}.log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-m", "harness.lab.child", role, str(descriptor)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=[descriptor],
            cwd=folder,
            env=child_environment(),
            start_new_session=True,  # Ctrl-C is for the owner, who then stops the lab in order
        )
    pipe = cast("IO[bytes]", child.stdin)
    pipe.write(own.to_json() + b"\n")
    pipe.flush()
    return child


def child_environment() -> dict[str, str]:
    """This process's environment without what would change how a server behaves, and without anybody's credentials."""
    # The servers may keep compiled modules, whatever holds elsewhere: they start in 2 s with them, in 7 s without.
    unwanted = ("PYTHONDONTWRITEBYTECODE", "PYTHONINSPECT", "PYTHONSTARTUP", "PYTHONWARNINGS")
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in unwanted and not name.startswith(("AWS_", "AZURE_"))
    }
    home = str(Path(harness.__file__).resolve().parents[1])
    paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
    # One thread of linear algebra: rows are scored one at a time, and the machine is shared with what is measured.
    return kept | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def _wait_until_healthy(own: Settings, folder: Path, children: Mapping[str, subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    for role, child in children.items():
        try:
            # The socket listens already: the call waits in its queue until the server takes it.
            desk.send(own.addresses[role], own.control, "health", timeout_s=max(1.0, deadline - time.monotonic()))
        except OSError as exc:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1.0)
            last = (folder / f"{role}.log").read_text(errors="replace").strip().splitlines()[-12:]
            said = "\n  ".join(last) or "nothing"
            raise LabError(
                f"lab: the {role} server did not start (exit code {child.poll()}). Its last words:\n  {said}\n"
                "Is the `lab` extra installed?"
            ) from exc


def _environment(own: Settings, folder: Path) -> dict[str, str]:
    """Writes the AWS files and names them, beside what App Service gives a managed identity."""
    credentials, config, token = folder / "aws-credentials", folder / "aws-config", folder / "web-identity-token"
    write_private(token, sts.web_identity(own, now=datetime.now(UTC)))
    write_private(
        credentials,
        f"[{PROFILE}]\naws_access_key_id = {own.aws_key_id}\naws_secret_access_key = {own.aws_secret}\n",
    )
    write_private(
        config,
        f"[profile {PROFILE}]\nregion = {REGION}\n\n"
        f"[profile {PROFILE}-role]\nregion = {REGION}\nrole_arn = {ROLE}\nexternal_id = {EXTERNAL_ID}\n"
        f"source_profile = {PROFILE}\n\n"
        f"[profile {PROFILE}-web]\nregion = {REGION}\nrole_arn = {ROLE}\nrole_session_name = parity-lab\n"
        f"web_identity_token_file = {token}\n",
    )
    loopback_hosts = ["127.0.0.1", "localhost"]
    direct = ",".join(
        [part for part in os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")).split(",") if part]
        + loopback_hosts
    )
    return {
        "AWS_SHARED_CREDENTIALS_FILE": str(credentials),
        "AWS_CONFIG_FILE": str(config),
        "AWS_PROFILE": PROFILE,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_STS": own.addresses["sagemaker"],
        "IDENTITY_ENDPOINT": own.addresses["resource_manager"] + identity.PATH,
        "IDENTITY_HEADER": own.identity_header,
        settings.AZURE_OPENAI_KEY: own.azure_keys[0],
        "NO_PROXY": direct,
        "no_proxy": direct,
    }


def write_private(path: Path, text: str) -> None:
    """A file that only its owner may read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
