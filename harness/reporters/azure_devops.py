"""Logging commands of Azure Pipelines: issues of the build, the verdict as a variable, and a task that fails unless GO.

`##vso[task.logissue type=error;sourcepath=...;linenumber=24;]text`. The variable is `parityVerdict`, an output variable
of its step. `task.complete` is only ever `Failed`: it can make a build red and never green. The build's summary is
Markdown and its test results are JUnit XML, both other reporters'.

Source of the form and its escapes: "Logging commands", Azure Pipelines; microsoft/azure-pipelines-agent, Command.cs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.core.report import ParityReport
from harness.reporters._parts.notices import Level, Notice, Place, notices
from harness.reporters._parts.words import verdict_word

VARIABLE = "parityVerdict"
_UNDECIDED = "NO DECISION"
_WORST_FIRST = (_UNDECIDED, "NO-GO", "INCONCLUSIVE", "PARTIAL", "GO")


@dataclass(frozen=True, slots=True)
class AzureDevopsReport:
    """No text of others can end a line, a property or a command."""

    @property
    def suffix(self) -> str:
        return ".azure_devops.txt"

    def render(self, report: ParityReport) -> bytes:
        return self.render_all((report,))

    def render_all(
        self,
        reports: Iterable[ParityReport],
        *,
        failed: Iterable[str] = (),
        places: Mapping[str, Place] | None = None,
        verdict: str | None = None,
        summary: str | None = None,
    ) -> bytes:
        """Of all suites of one step. verdict: of all together; None: the worst of them. summary: a Markdown file's
        full path, to be shown on the build's page.
        """
        reports, failed = tuple(reports), tuple(failed)
        words = {verdict_word(report) for report in reports} | ({_UNDECIDED} if failed or not reports else set())
        said = verdict or next(word for word in _WORST_FIRST if word in words)
        lines = [_issue(notice) for notice in notices(reports, failed=failed, places=places)]
        if summary is not None:
            lines.append(f"##vso[task.uploadsummary]{_data(summary)}")
        lines.append(f"##vso[task.setvariable variable={VARIABLE};isOutput=true;]{_data(said)}")
        if said not in ("GO", "PARTIAL"):
            lines.append(f"##vso[task.complete result=Failed;]parity: {_data(said)}")
        return "".join(f"{line}\n" for line in lines).encode("utf-8", "replace")


def build() -> AzureDevopsReport:
    return AzureDevopsReport()


def _issue(notice: Notice) -> str:
    """Azure knows errors and warnings; what is neither is a line of the log."""
    text = f"{notice.title}: {notice.text}"
    if notice.level is Level.NOTICE:
        return text
    said = {
        "type": notice.level.value,
        "sourcepath": notice.file,
        "linenumber": None if notice.line is None else str(notice.line),
    }
    properties = "".join(f"{key}={_property(value)};" for key, value in said.items() if value)
    return f"##vso[task.logissue {properties}]{_data(text)}"


def _data(text: str) -> str:
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace("]", "%5D").replace(";", "%3B")
