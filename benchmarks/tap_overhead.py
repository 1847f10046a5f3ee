"""What a tap adds to a call: boto3's converse and openai's chat on loopback, with and without it, in one run.

    python benchmarks/tap_overhead.py [--calls 1000]

A server in a process of its own answers at once, with as much text as was asked. Blocks of 50 calls come in turns: one
without a tap, one with it, another without it, in an order that changes, so that a busy machine slows all alike; the
second one without shows what of a difference is chance. The writer has finished before the next block. `paced` begins a
call 60 ms after the last one ended, whichever client made it, and when the writer has finished: left are the copy,
and what the handing over takes of the interpreter. `at once` makes the next call while earlier ones are being redacted:
the worst case, and on few cores the writer competes for them. Milliseconds on the clock, and of processor in the
calling thread; redaction is on and finds an address a thousand characters. On a machine with other work, `chrt -f 20`
(root) before the command keeps that work out of the figures; the writer gives such a priority back.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import tempfile
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import boto3
import numpy as np
import openai

from harness import tap
from harness.lab import loopback
from harness.lab.loopback import Reply, Request

JSON = {"content-type": "application/json"}
PARCEL = "How do I return a parcel that came on 3 May, too late? It holds two lamps, and one of them is broken. "
PLENTY = ("Write to jane.roe@example.com. " + PARCEL * 10)[:1000] * 21
SIZES = (1_000, 20_000)
BLOCK = 50
GAP_S = 0.06
WORDS = ("without", "with", "again")


def serve(told: Connection) -> None:
    """Answer each call with as much text as it asked with."""

    def answer(request: Request) -> Reply:
        text = PLENTY[: len(request.body)]
        return Reply(status=200, headers=JSON, body=(CONVERSE if "/converse" in request.path else CHAT) % text.encode())

    listener = loopback.listen()
    told.send(loopback.address_of(listener))
    loopback.serve(listener, answer)


CONVERSE = (
    b'{"output":{"message":{"role":"assistant","content":[{"text":"%s"}]}},"stopReason":"end_turn",'
    b'"usage":{"inputTokens":9,"outputTokens":4,"totalTokens":13},"metrics":{"latencyMs":1}}'
)
CHAT = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"finish_reason":"stop",'
    b'"message":{"role":"assistant","content":"%s"}}]}'
)


def boto(address: str) -> Any:
    session = boto3.Session(aws_access_key_id="key", aws_secret_access_key="none", region_name="eu-central-1")  # noqa: S106
    return session.client("bedrock-runtime", endpoint_url=address)


def converse(client: Any, text: str) -> None:
    client.converse(modelId="m", messages=[{"role": "user", "content": [{"text": text}]}])


def chat(client: Any, text: str) -> None:
    client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])


def measured(
    clients: dict[str, Any], call: Callable[[Any], None], blocks: int, idle: Callable[[], None], pace: str
) -> Any:
    """Milliseconds a call, by client: on the clock, and of processor in the calling thread.

    idle: waits for the writer.
    """
    times: dict[str, list[tuple[float, float]]] = {word: [] for word in clients}
    for order in itertools.islice(itertools.cycle(itertools.permutations(clients)), blocks):
        for word in order:
            idle()
            for _ in range(BLOCK):
                if pace == "paced":
                    time.sleep(GAP_S)
                    idle()
                started, busy = time.perf_counter(), time.thread_time()
                call(clients[word])
                times[word].append((1000 * (time.perf_counter() - started), 1000 * (time.thread_time() - busy)))
    return {word: np.array(one) for word, one in times.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1000)
    calls = parser.parse_args().calls
    context = multiprocessing.get_context("spawn")
    told, tell = context.Pipe(duplex=False)
    server = context.Process(target=serve, args=(tell,), daemon=True)
    server.start()
    address = told.recv()
    kinds: dict[str, tuple[Callable[[], Any], Callable[[Any, str], None]]] = {
        "boto3 converse": (lambda: boto(address), converse),
        "openai chat": (lambda: openai.OpenAI(base_url=f"{address}/openai/v1/", api_key="key"), chat),
    }
    print(f"{calls} calls each; milliseconds")
    print(f"{'':48}" + "".join(f"{word:>9}" for word in (*WORDS, "added", "chance")))
    for (kind, (make, call)), size, pace in itertools.product(kinds.items(), SIZES, ("paced", "at once")):
        text = PLENTY[:size]
        clients = {word: make() for word in WORDS}
        with tempfile.TemporaryDirectory() as folder:
            taken = tap.install(clients["with"], into=Path(folder))

            def idle(taken: tap.Tap = taken) -> None:
                while (now := taken.status()).seen > now.written + sum(now.lost.values()):
                    time.sleep(0.001)

            def one(client: Any, call: Any = call, text: str = text) -> None:
                call(client, text)

            measured(clients, one, 1, idle, pace)
            times = measured(clients, one, calls // BLOCK, idle, pace)
            for (column, clock), share in itertools.product(enumerate(("clock", "processor")), (50, 99)):
                before, after, again = (float(np.percentile(times[word][:, column], share)) for word in WORDS)
                row = (before, after, again, after - before, again - before)
                name = f"{kind}, {size:,} B, {pace}, {clock}"
                print(f"{name:44}{f'p{share}':>4}" + "".join(f"{x:>9.3f}" for x in row), flush=True)
            status = taken.close(60)
            print(f"{'':44} written {status.written}, lost {dict(status.lost)}")
    server.terminate()


if __name__ == "__main__":
    main()
