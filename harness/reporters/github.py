"""Annotations of GitHub Actions: workflow commands on standard output, one line each, which GitHub shows on the build.

`::error file=suites/visits/suite.toml,line=24,title=...::text`. GitHub shows ten of a level for a step; the worst come
first and the last of ten counts the rest. The job summary is Markdown, and so another reporter's.

Source of the form and its escapes: "Workflow commands for GitHub Actions"; actions/runner, ActionCommand.cs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.report import ParityReport
from harness.reporters._parts.notices import Notice, Place, notices


@dataclass(frozen=True, slots=True)
class GithubReport:
    """No text of others can end a line, a property or a command."""

    @property
    def suffix(self) -> str:
        return ".github.txt"

    def render(self, report: ParityReport) -> bytes:
        return self.render_all((report,))

    def render_all(
        self,
        reports: Iterable[ParityReport],
        *,
        failed: Iterable[str] = (),
        places: Mapping[str, Place] | None = None,
    ) -> bytes:
        """Of all suites of one step, which share its ten lines. failed: suites that could not be run."""
        lines = [_line(notice) for notice in notices(reports, failed=failed, places=places)]
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def build() -> GithubReport:
    return GithubReport()


def _line(notice: Notice) -> str:
    said = {"file": notice.file, "line": None if notice.line is None else str(notice.line), "title": notice.title}
    properties = ",".join(f"{key}={_property(value)}" for key, value in said.items() if value)
    return f"::{notice.level.value} {properties}::{_data(notice.text)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
