"""The webhook: signed by the published rule, the same at every attempt, and no way around TLS."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.config import Network, Project, Webhook
from harness.core.report import Payloads
from harness.errors import ConfigError, Rejected, Unavailable
from harness.lab.loopback import Reply, Request
from harness.run import publish_webhook
from harness.run.publish import publish, publishing
from harness.run.publish_page import Bulletin
from harness.run.publish_payloads import cleared
from tests.reporters import sample
from tests.small.server import answering

SECRET = "-".join(["a", "secret", "of", "a", "test"])


@dataclass
class Listener:
    """statuses: what to answer, one a request, 200 afterwards."""

    url: str
    statuses: list[int]
    heard: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)

    def answer(self, request: Request) -> Reply:
        self.heard.append((request.headers, request.body))
        status = self.statuses.pop(0) if self.statuses else 200
        return Reply(status=status, headers={"location": "http://127.0.0.1:1/elsewhere"})


@contextmanager
def listening(*statuses: int) -> Iterator[Listener]:
    listener = Listener("", list(statuses))
    with answering(listener.answer) as address:
        listener.url = f"{address}/hook"
        yield listener


def tell(listener: Listener, *, waited: list[float] | None = None, secret: str = SECRET, **settings: Any) -> None:
    publish_webhook.tell(
        Bulletin(reports=(cleared(sample.no_go(payloads=Payloads.NONE)),), verdict="NO-GO", url="https://b.example/1"),
        Webhook(url_env="HOOK_URL", secret_env="HOOK_SECRET", **settings),
        Network(),
        {"HOOK_URL": listener.url, "HOOK_SECRET": secret},
        now=lambda: 1_700_000_000.9,
        sleep=[].append if waited is None else waited.append,
    )


def test_the_decision_arrives_with_every_finding():
    with listening() as listener:
        tell(listener)
    ((headers, body),) = listener.heard
    said = json.loads(body)
    assert headers["content-type"] == "application/json"
    assert (said["schema"], said["verdict"], said["url"]) == ("parity-decision/1", "NO-GO", "https://b.example/1")
    (suite,) = said["suites"]
    assert [one["verdict"] for one in suite["findings"]] == ["NO-GO", "GO", "NO-GO", "INCONCLUSIVE", "GO"]
    assert suite["findings"][0]["margin"] == 0.005


def test_the_signature_is_that_of_the_specification():
    """The example of the Standard Webhooks libraries' own tests."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjU" + "PD8ILPZIo2LaLaSw")
    signed = publish_webhook.signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    ("secret", "key"), [(SECRET, SECRET.encode()), ("whsec_" + base64.b64encode(b"binary\xff").decode(), b"binary\xff")]
)
def test_a_receiver_can_verify_what_it_got(secret: str, key: bytes):
    with listening() as listener:
        tell(listener, secret=secret)
    ((headers, body),) = listener.heard
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{made}"
    assert headers["webhook-timestamp"] == "1700000000"


def test_a_failed_attempt_is_made_again_with_the_same_id_and_body():
    waited: list[float] = []
    with listening(503, 429) as listener:
        tell(listener, waited=waited)
    assert len(listener.heard) == 3 and len(waited) == 2
    assert len({(headers["webhook-id"], body) for headers, body in listener.heard}) == 1


def test_attempts_end_and_a_refusal_is_not_repeated():
    with listening(*[500] * 9) as listener, pytest.raises(Unavailable, match=r"127\.0\.0\.1: status 500"):
        tell(listener, attempts=3)
    assert len(listener.heard) == 3
    with listening(410) as listener, pytest.raises(Rejected):
        tell(listener)
    assert len(listener.heard) == 1


def test_a_redirect_is_not_followed():
    with listening(307) as listener, pytest.raises(Rejected, match="307"):
        tell(listener)


@pytest.mark.parametrize("url", ["http://hook.example/x", "ftp://127.0.0.1/x", "hook.example", ""])
def test_plain_http_goes_nowhere_but_to_this_machine(url: str):
    with pytest.raises(ConfigError, match="https://"):
        tell(Listener(url, []))


def test_a_secret_that_is_no_base64_is_an_error_that_does_not_show_it():
    with pytest.raises(ConfigError, match="HOOK_SECRET") as raised:
        tell(Listener("https://hook.example", []), secret="whsec_" + "%%%")
    assert "%%%" not in str(raised.value)


def test_a_chat_room_gets_one_text():
    with listening() as listener:
        tell(listener, body="text")
    said = json.loads(listener.heard[0][1])
    assert list(said) == ["text"]
    assert said["text"].startswith("Parity: NO-GO, profile lab\nvisits: NO-GO. ")


def test_nobody_answering_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """A port that nobody listens at: the problem is told without the address's path, which is often a secret."""
    hook = Webhook(url_env="HOOK_URL", attempts=1)
    made = Project(folder=tmp_path, default_profile="p", profiles={}, reports=tmp_path, webhook=hook)
    environment = {"HOOK_URL": "http://127.0.0.1:1/services/T000/private"}
    to = publishing("webhook", made, Network(), environment)
    (told,) = publish([sample.go()], to, environment=environment)
    assert told.problem is not None and "127.0.0.1" in told.problem
    assert "private" not in capsys.readouterr().err + told.problem
