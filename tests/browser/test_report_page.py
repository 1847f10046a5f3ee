"""The page in a real browser: nothing foreign runs, nothing is fetched, nothing is complained about."""

from __future__ import annotations

import shutil
import struct
import subprocess
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from harness.reporters import html
from harness.reporters._parts.script import SCRIPT
from harness.reporters._parts.style import PALETTE
from tests.reporters import sample
from tests.reporters.reading import Page

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)

pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium on PATH")

QUIET = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--v=0",
)


@dataclass(frozen=True)
class Lure:
    """A loopback server that hostile text points to, and what was asked of it."""

    address: str
    asked: list[str]

    @property
    def text(self) -> str:
        at = self.address
        return (
            f'</pre></mark></details><script>document.title="owned"</script><script src="{at}/script"></script>'
            f'<img src="{at}/picture" onerror="document.title=1"><style>@import url({at}/style);</style>'
            f'<link rel="stylesheet" href="{at}/sheet"><iframe src="{at}/frame"></iframe>'
            f'<svg><image href="{at}/image"/></svg><p style="background:url({at}/background)">x</p> \u202etxt.exe'
        )


@pytest.fixture
def lure() -> Iterator[Lure]:
    asked: list[str] = []

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Lure(f"http://127.0.0.1:{server.server_port}", asked)
    server.shutdown()
    server.server_close()
    thread.join()


def run(folder: Path, page: bytes, *options: str) -> tuple[str, list[str]]:
    """What Chromium makes of the page: its document as HTML, and the lines of its console."""
    assert BROWSER is not None
    file = folder / "report.html"
    file.write_bytes(page)
    done = subprocess.run(
        [BROWSER, *QUIET, f"--user-data-dir={folder / 'profile'}", *options, file.as_uri()],
        capture_output=True,
        timeout=60,
        check=True,
    )
    log = done.stderr.decode("utf-8", "replace").splitlines()
    return done.stdout.decode("utf-8", "replace"), [line for line in log if "CONSOLE" in line]


def attacked(text: str) -> bytes:
    worst = sample.worst_case(text, reason=text, source=text, target=f"{text}!", request=text, slices={text: text})
    return html.build().render(replace(sample.no_go(), title=text, signature=text, worst=(worst,)))


def test_hostile_text_stays_text_and_the_page_is_silent(tmp_path: Path, lure: Lure):
    document, console = run(tmp_path, attacked(lure.text), "--dump-dom")
    page = Page(document)
    assert console == []
    assert lure.asked == []
    assert page.one("script").text == SCRIPT
    assert not {element.tag for element in page.elements} & {"img", "link", "iframe", "image"}
    assert page.one("title").text.startswith("NO-GO: </pre>")
    assert f'<script src="{lure.address}/script"></script>' in page.one("h1").text


def test_the_policy_holds_even_where_text_escapes(tmp_path: Path, lure: Lure):
    """A second wall, and the proof that this browser would have complained in the test above."""
    broken = attacked("x").replace(b"<main>", b"<main>" + lure.text.encode())
    document, console = run(tmp_path, broken, "--dump-dom")
    assert lure.asked == []
    assert any("Content Security Policy" in line for line in console)
    assert Page(document).one("title").text == "NO-GO: x"


def test_without_escaping_and_policy_the_lure_works(tmp_path: Path, lure: Lure):
    """What the two tests above would see if they could see nothing."""
    head, _, rest = attacked("x").decode().partition('<meta http-equiv="Content-Security-Policy"')
    bare = head + rest.partition(">")[2].replace("<main>", f"<main>{lure.text}")
    document, _ = run(tmp_path, bare.encode(), "--dump-dom")
    assert {"/script", "/picture", "/frame"} <= set(lure.asked)
    assert Page(document).one("title").text != "NO-GO: x"


@pytest.mark.parametrize(
    ("mode", "options"), [(0, ()), (1, ("--blink-settings=preferredColorScheme=0",))], ids=["light", "dark"]
)
def test_the_page_follows_the_readers_colour_scheme(tmp_path: Path, mode: int, options: tuple[str, ...]):
    picture = tmp_path / "page.png"
    _, console = run(
        tmp_path, html.build().render(sample.go()), f"--screenshot={picture}", "--window-size=500,300", *options
    )
    assert console == []
    assert first_pixel(picture.read_bytes()) == PALETTE["paper"][mode]


def first_pixel(png: bytes) -> str:
    """Colour of the top left pixel. In the first pixel of the first row every PNG filter adds 0 (PNG, section 9.2)."""
    at, packed = 8, b""
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += length + 12
    return f"#{zlib.decompress(packed)[1:4].hex()}"
