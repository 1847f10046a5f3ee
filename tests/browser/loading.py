"""A page in a real browser: headless Chromium loads the file and hands back what the document has become.

What a test adds to a page is admitted to the page's own policy by its hash, as the page's own script is, so that the
policy holds otherwise.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

CHROMIUM = os.environ.get("PARITY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
_SAY = "document.documentElement.setAttribute('data-said', JSON.stringify(%s));"


def loaded(folder: Path, page: bytes, *scripts: str, dark: bool = False, width: int = 1280) -> str:
    """The document as it stands after the page, and the scripts in order, have run."""
    assert CHROMIUM is not None
    source = page.decode()
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        source = source.replace("script-src ", f"script-src 'sha256-{digest}' ", 1)
        source = source.replace("</body>", f"<script>{script}</script></body>", 1)
    path = folder / "page.html"
    path.write_text(source, encoding="utf-8")
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width},1200",
            f"--blink-settings=preferredColorScheme={0 if dark else 1}",
            "--virtual-time-budget=15000",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return done.stdout


def said(document: str) -> Any:
    """What the last script said with `say`."""
    found = re.search(r'data-said="([^"]*)"', document)
    assert found, "no script of the test came to its end"
    return json.loads(html.unescape(found[1]))


def say(expression: str) -> str:
    return _SAY % expression
