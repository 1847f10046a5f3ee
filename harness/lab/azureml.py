"""Azure ML managed online endpoints: Microsoft's own inference server, behind a thin front of ours in the same process.

The server (azureml-inference-server-http under gunicorn) is the one that runs in the cloud's containers; its entry
script is `scoring/score.py`. What the cloud puts before a container is ours: routing to endpoint and deployment, the
check of key or token (401), 404 without a deployment, 413, 429, and 424 for whatever the container answers but 200.
Source: Azure documentation, "Troubleshoot online endpoints" (status codes and headers), "Authenticate clients".
"""

from __future__ import annotations

import hmac
import io
import logging
import os
import platform
import random
import re
import selectors
import time
import uuid
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.lab import identity, tokens
from harness.lab.desk import PREFIX, Desk
from harness.lab.parent import watch
from harness.lab.plants import TARGET, Fault
from harness.lab.settings import AUTH_MODES, BOTH, DEPLOYMENT, ENDPOINT, MODELS, Settings, deployments

THREADS = 64  # as many as calls in flight: fewer would queue, and a queue is not the model's latency
# In the cloud each deployment has a container of its own; here one process serves all, and the front tells it for whom.
ADDRESSEE = "HTTP_X_LAB_ENDPOINT"
SOUND = "HTTP_X_LAB_SOUND"  # set where the answer comes from a deployment that no fault is planted in
_NO_FAULT = Fault(None, side=TARGET, seed=0)
BODY_LIMIT = 10 * 1024 * 1024
MODEL_WAIT_S = 120.0
_PATH = re.compile(r"^/api/v1/endpoint/(?P<endpoint>[^/]+)/score$")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]

_desk: Desk | None = None


def run(settings: Settings, descriptor: int) -> None:
    """Serve on an inherited listening socket until the parent is gone. Does not return."""
    from gunicorn.app.base import BaseApplication

    # What a user of the real server may have set must not reach this one.
    for name in [name for name in os.environ if name.startswith(("AML_", "AZUREML_", "GUNICORN_"))]:
        del os.environ[name]
    os.environ["AML_APP_ROOT"] = str(Path(__file__).parent / "scoring")
    os.environ["AZUREML_ENTRY_SCRIPT"] = "score.py"

    class Server(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            options = {
                "bind": f"fd://{descriptor}",
                "workers": 1,
                "worker_class": "gthread",
                "threads": THREADS,
                "keepalive": 75,
                "backlog": 512,
                "timeout": 0,  # a slow start on a busy machine is no reason to kill the worker
                "worker_tmp_dir": settings.folder,
                "control_socket_disable": True,
                "loglevel": "warning",
                "proc_name": "parity-lab-azureml",
                "post_fork": lambda _arbiter, _worker: watch(settings.folder, master=os.getppid()),
            }
            for name, value in options.items():
                self.cfg.set(name, value)

        def load(self) -> Wsgi:
            return _load(settings)

    Server().run()


def fault(*, sound: bool = False) -> Fault:
    """The fault planted at this moment; none in a sound deployment."""
    return _NO_FAULT if sound else _loaded().fault


def wait_for_model(name: str) -> bytes:
    """An ONNX graph, which another process of the lab is training. Raises TimeoutError."""
    folder = Path(_loaded().settings.folder) / MODELS
    deadline = time.monotonic() + MODEL_WAIT_S
    while not folder.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no models in {folder} after {MODEL_WAIT_S:g} s")
        time.sleep(0.02)
    return (folder / f"{name}.onnx").read_bytes()


def versions() -> dict[str, str]:
    """What runs the model, by library."""
    return {
        "onnxruntime": version("onnxruntime"),
        "numpy": version("numpy"),
        "azmlinfsrv": version("azureml-inference-server-http"),
        "python": platform.python_version(),
    }


def _load(settings: Settings) -> Wsgi:
    global _desk  # the server loads the entry script by file name; it finds its way here through the module
    _desk = Desk(settings, versions(), side=TARGET)
    from azureml_inference_server_http.server.entry import app

    logging.getLogger("azmlinfsrv").setLevel(logging.WARNING)  # a line a request, else
    return front(_desk, app)


def _loaded() -> Desk:
    if _desk is None:
        raise RuntimeError("the scoring server is not loaded in this process")
    return _desk


class _Refused(Exception):
    def __init__(self, status: str, body: str, **headers: str) -> None:
        super().__init__(body)
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def front(desk: Desk, container: Wsgi) -> Wsgi:
    """The WSGI application that stands where the cloud's proxy stands."""
    runtime = " ".join(f"{name}/{number}" for name, number in desk.versions.items())

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        started_s = time.perf_counter()
        path: str = environ["PATH_INFO"]
        body = environ["wsgi.input"].read() if environ["REQUEST_METHOD"] == "POST" else b""
        if path.startswith(PREFIX):
            secret = environ.get("HTTP_X_LAB_CONTROL", "")
            code, document = desk.answer(environ["REQUEST_METHOD"], path, secret, body)
            return _send(start_response, f"{code} Lab", {"Content-Type": "application/json"}, document)
        headers = {"x-request-id": environ.get("HTTP_X_REQUEST_ID") or str(uuid.uuid4())}
        if "HTTP_X_MS_CLIENT_REQUEST_ID" in environ:
            headers["x-ms-client-request-id"] = environ["HTTP_X_MS_CLIENT_REQUEST_ID"]
        try:
            environ[ADDRESSEE], deployment = _admit(desk, environ, body)
            if environ[ADDRESSEE] == BOTH and deployment == DEPLOYMENT:
                environ[SOUND] = "1"
            headers |= {"azureml-model-deployment": deployment, "x-model-runtime": runtime}
            answer, more = _score(desk, container, environ, body, started_s)
        except _Refused as refused:
            return _send(start_response, refused.status, headers | refused.headers, str(refused).encode())
        return _send(start_response, "200 OK", headers | more, answer)

    return application


def _admit(desk: Desk, environ: Environ, body: bytes) -> tuple[str, str]:
    """Endpoint and deployment, after what the cloud checks in its order: endpoint, key, method, size, deployment."""
    path = environ["PATH_INFO"]
    match = _PATH.match(path)
    endpoint = ENDPOINT if path == "/score" else match["endpoint"] if match else ""
    if endpoint not in AUTH_MODES:
        raise _Refused("404 Not Found", "no such endpoint")
    _authenticate(desk.settings, endpoint, environ.get("HTTP_AUTHORIZATION", ""))
    if environ["REQUEST_METHOD"] != "POST":
        raise _Refused("405 Method Not Allowed", "only POST is served", Allow="POST")
    if len(body) > BODY_LIMIT:
        raise _Refused("413 Payload Too Large", "the request payload is too large")
    wanted = environ.get("HTTP_AZUREML_MODEL_DEPLOYMENT")
    if wanted not in (None, *deployments(endpoint)):
        raise _Refused("404 Not Found", f"deployment {wanted} does not exist in endpoint {endpoint}")
    weights = {name: weight for name, weight in desk.traffic[endpoint].items() if weight}
    if wanted is None and not weights:
        raise _Refused("404 Not Found", f"endpoint {endpoint} has no deployment with traffic")
    return endpoint, wanted or random.choices([*weights], [*weights.values()])[0]


def _authenticate(settings: Settings, endpoint: str, header: str) -> None:
    scheme, _, token = header.partition(" ")
    unauthorized = {"WWW_Authenticate": "Bearer"}
    if scheme.lower() != "bearer" or not token:
        raise _Refused("401 Unauthorized", "the bearer key or token is missing", **unauthorized)
    mode = AUTH_MODES[endpoint]
    if mode == "Key":
        given = token.encode("utf-8", "replace")
        if not any(hmac.compare_digest(given, key.encode()) for key in settings.azure_keys):
            raise _Refused("401 Unauthorized", "key_auth_access_denied", **unauthorized)
        return
    audience = endpoint if mode == "AMLToken" else identity.ML_AUDIENCE
    try:
        tokens.check(settings.signing, token, audience=audience, now=time.time(), valid_from=settings.valid_from)
    except (tokens.TokenExpired, tokens.TokenInvalid) as exc:
        raise _Refused("401 Unauthorized", f"the token is not accepted: {exc}", **unauthorized) from exc


def _score(
    desk: Desk, container: Wsgi, environ: Environ, body: bytes, started_s: float
) -> tuple[bytes, dict[str, str]]:
    """The container's answer, or what the cloud makes of its failure; takes the service time."""
    settings, planted = desk.settings, _NO_FAULT if SOUND in environ else desk.fault
    interruption = planted.interrupts(body)
    if interruption is not None and interruption.kind == "throttled":
        raise _Refused(
            "429 Too Many Requests",
            "too many pending requests",
            ms_azureml_model_error_reason="too_many_pending_request",
            Retry_After=f"{interruption.after_s:g}",
        )
    if interruption is not None and interruption.kind == "silent":
        _wait_for_hang_up(environ, interruption.after_s)
        raise _Refused("408 Request Timeout", "upstream request timeout")
    if interruption is not None and interruption.kind == "platform":
        raise _Refused("500 Internal Server Error", "an internal error occurred")
    status, headers, answer = (
        (500, {}, b'{"message": "An unexpected error occurred in scoring script."}')
        if interruption is not None
        else _ask(container, environ, body)
    )
    model_s = time.perf_counter() - started_s
    spare_s = planted.service_time_s(body, settings.service_time_s) - model_s
    if spare_s > 0:
        time.sleep(spare_s)
    if status != 200:
        raise _Refused(
            "424 Failed Dependency",
            answer.decode(errors="replace"),
            ms_azureml_model_error_statuscode=str(status),
            ms_azureml_model_error_reason="model_error",
        )
    more = {
        "Content-Type": headers.get("content-type", "application/json"),
        "ms-azureml-model-time": f"{model_s * 1000:.0f}",
    }
    return planted.answer(body, answer), more


def _wait_for_hang_up(environ: Environ, longest_s: float) -> None:
    """Keep silent, but let go of the thread when the client has gone: it will come back on another connection."""
    with selectors.DefaultSelector() as selector:
        selector.register(environ["gunicorn.socket"], selectors.EVENT_READ)
        selector.select(longest_s)


def _ask(container: Wsgi, environ: Environ, body: bytes) -> tuple[int, dict[str, str], bytes]:
    """One call of the container's WSGI application, at its own path."""
    got: dict[str, Any] = {}

    def take(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
        got["status"] = int(status.split(" ", 1)[0])
        got["headers"] = {name.lower(): value for name, value in headers}

    inner = environ | {"PATH_INFO": "/score", "wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    parts = container(inner, take)
    try:
        answer = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    return got["status"], got["headers"], answer


def _send(start_response: StartResponse, status: str, headers: dict[str, str], body: bytes) -> list[bytes]:
    if "Content-Type" not in headers:
        headers = headers | {"Content-Type": "text/plain; charset=utf-8"}
    start_response(status, [*headers.items(), ("Content-Length", str(len(body)))])
    return [body]
