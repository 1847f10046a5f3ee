"""The label in a chat answer: classification by a language model, as the application reads it.

The label is the one of `labels` that the answer names, as a whole word and in any case, or what `pattern` captures.
An answer that names several labels, or none, has none, unless the suite says which one the application takes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.comparators import not_of, word
from harness.comparators._conduct import ANSWERED, comparison, conduct, cut_short, scale, unanswered
from harness.core.case import Case
from harness.core.output import Chat, Output
from harness.core.verdict import Comparison, Status
from harness.errors import ConfigError, UnknownName

TAKES = ("only", "first", "last")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatLabel:
    """scale `flip`: 1 where the labels differ. scale `score`: 1 where they are the same.

    pattern: finds labels; with `names` empty, its group named "label", or its first group, else all of it is one.
    names: folded label -> as the suite writes it. take: which of several different labels counts; "only": none.
    otherwise: the label of an answer that names none; None: a source without label is incomparable, a target without
    one a mismatch.
    """

    pattern: re.Pattern[str]
    names: dict[str, str]
    scale: str
    take: str = "only"
    otherwise: str | None = None
    name: str = "chat_label"

    @property
    def kinds(self) -> tuple[str, ...]:
        """Criteria that the value fits."""
        return (self.scale,)

    def signature(self) -> str:
        found = (
            f"labels:{','.join(map(word, self.names.values()))}"
            if self.names
            else f"pattern:{word(self.pattern.pattern)}"
        )
        parts = [self.name, f"as:{self.scale}", found, f"take:{self.take}"]
        return "|".join(parts if self.otherwise is None else [*parts, f"otherwise:{word(self.otherwise)}"])

    def label(self, output: Output, *, case: Case | None = None) -> str | None:  # noqa: ARG002
        """The label of an answer; "withheld" or "empty" where there is no answer, None where it names no label."""
        if not isinstance(output, Chat):
            return None
        return self._label(output) if conduct(output) == ANSWERED else conduct(output)

    def compare(self, source: Output, target: Output, *, case: Case) -> Comparison:
        if not isinstance(source, Chat):
            return comparison(self, self.scale, case, Status.INCOMPARABLE, not_of("chat", "source", source))
        if not isinstance(target, Chat):
            return comparison(self, self.scale, case, Status.MISMATCH, not_of("chat", "target", target))
        if settled := unanswered(source, target):
            return comparison(self, self.scale, case, *settled)
        was, now = self._label(source), self._label(target)
        if was is None:
            return comparison(self, self.scale, case, Status.INCOMPARABLE, f"the source {self._without(source)}")
        if now is None:
            reason = f'source "{was}", the target {self._without(target)}'
            return comparison(self, self.scale, case, Status.MISMATCH, reason)
        if was == now:
            return comparison(self, self.scale, case, Status.MATCH)
        return comparison(self, self.scale, case, Status.MISMATCH, f'source "{was}", target "{now}"')

    def _label(self, chat: Chat) -> str | None:
        found = self._found(chat.text)
        if not found:
            return self.otherwise
        if len(found) == 1 or self.take == "first":
            return found[0]
        return found[-1] if self.take == "last" else self.otherwise

    def _found(self, text: str) -> list[str]:
        """The labels that a text names in order of their last appearance, each once."""
        labels: dict[str, str] = {}
        for hit in self.pattern.finditer(text):
            named = self.pattern.groupindex.get("label", min(1, self.pattern.groups))
            raw = (hit[named] or "").strip()
            folded = " ".join(raw.casefold().split())
            if folded:
                labels.setdefault(folded, self.names.get(folded, folded))
                if self.take == "last":
                    labels[folded] = labels.pop(folded)
        return list(labels.values())

    def _without(self, chat: Chat) -> str:
        several = self._found(chat.text)
        if several:
            return "names several labels: " + ", ".join(f'"{label}"' for label in several[:4])
        return f"names no label{cut_short(chat)}"


def build(
    *,
    labels: Sequence[str] | None = None,
    pattern: str | None = None,
    take: str = "only",
    otherwise: str | None = None,
    **options: str,
) -> ChatLabel:
    """`[comparators.NAME] use = "chat_label"`.

    labels: the names, or pattern: a regular expression whose group "label" (or first group) is the label; exactly one
    of the two. take: only (default), first or last of several different labels. otherwise: the label where none is
    named. as: `flip` (default) or `score`.
    Raises ConfigError and UnknownName for what is none of these.
    """
    where = "chat_label"
    chosen = options.pop("as", "flip")
    if options:
        raise TypeError(f"unknown option {next(iter(options))!r}")
    if (labels is None) == (pattern is None):
        raise ConfigError(f"{where}: give labels, or a pattern that finds the label: one of the two.")
    if take not in TAKES:
        raise UnknownName(where, "value of take", str(take), TAKES)
    if otherwise is not None and (not isinstance(otherwise, str) or not otherwise):
        raise ConfigError(f"{where}: otherwise must be a label, not {otherwise!r}.")
    names = {} if labels is None else _names(where, labels)
    return ChatLabel(
        pattern=_of_names(names) if pattern is None else _compiled(where, pattern),
        names=names,
        scale=scale(where, chosen),
        take=take,
        otherwise=otherwise,
    )


def _names(where: str, labels: object) -> dict[str, str]:
    if isinstance(labels, str) or not isinstance(labels, Sequence):
        raise ConfigError(f"{where}: labels must be a list of texts, not {labels!r}.")
    if not all(isinstance(label, str) and label.strip() for label in labels):
        raise ConfigError(f"{where}: a label must be a text that is not empty.")
    names = {" ".join(label.casefold().split()): label for label in labels}
    if len(names) < 2 or len(names) != len(labels):
        raise ConfigError(f"{where}: labels must be two or more that differ by more than case, not {list(labels)!r}.")
    return names


def _of_names(names: dict[str, str]) -> re.Pattern[str]:
    """Longest first, so that "very good" is not read as "good"; a label is no part of a longer word."""
    ordered = sorted(names, key=len, reverse=True)
    inner = "|".join(r"\s+".join(map(re.escape, name.split())) for name in ordered)
    return re.compile(rf"(?<![\w-])(?:{inner})(?![\w-])", re.IGNORECASE)


def _compiled(where: str, pattern: object) -> re.Pattern[str]:
    if not isinstance(pattern, str):
        raise ConfigError(f"{where}: pattern must be a regular expression, not {pattern!r}.")
    try:
        return re.compile(pattern)
    except re.error as exc:
        raise ConfigError(f"{where}: pattern {pattern!r} is no regular expression: {exc}.") from exc
