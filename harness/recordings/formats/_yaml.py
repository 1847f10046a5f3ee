"""YAML read one entry at a time, plain tags only, whatever the file asks for.

A cassette is one document with a list under `interactions`; PyYAML would build all of it. Here the parser's events are
followed and one entry of that list is built at a time, within bounds on depth, nodes and text. An alias costs what it
stands for, so that a bomb of aliases meets the same bounds, and no tag makes an object.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, BinaryIO

import yaml
from yaml import events

from harness.recordings.formats._streams import LONGEST, BadFile

DEEPEST = 200
MOST_NODES = 500_000
_PLAIN = "tag:yaml.org,2002:"
_CONSTRUCTOR = yaml.constructor.SafeConstructor()
_RESOLVER: Any = yaml.resolver.Resolver()
_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS = ("bool", "int", "float", "null")


class Refused(Exception):
    """An entry that is not loaded; the message says why, without its content."""


def entries(stream: BinaryIO, key: str) -> Iterator[tuple[int, Any | Refused]]:
    """(line from 1, value) for each entry of the list under a key of the root; a root that is a list is that list.

    Raises BadFile where the file is no YAML from some point on, and where it has no such list.
    """
    try:
        parser = _Parser(stream)
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        raise BadFile(f"the file is no YAML ({type(exc).__name__})") from None
    try:
        reader = _Entries(parser)
        yield from reader.of(key)
        if not reader.listed:
            raise BadFile(f"the file has no list of {key}")
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        mark = getattr(exc, "problem_mark", None)
        place = "" if mark is None else f", line {mark.line + 1}"
        raise BadFile(f"the file is no YAML ({type(exc).__name__}{place})") from None
    finally:
        parser.dispose()


class _Entries:
    def __init__(self, parser: Any) -> None:
        self._parser = parser
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._kept = 0
        self.listed = False

    def of(self, key: str) -> Iterator[tuple[int, Any | Refused]]:
        while not isinstance(event := self._parser.get_event(), events.StreamEndEvent):
            if isinstance(event, events.SequenceStartEvent):
                yield from self._list()
            elif isinstance(event, events.MappingStartEvent):
                yield from self._root(key)

    def _root(self, key: str) -> Iterator[tuple[int, Any | Refused]]:
        while not isinstance(event := self._parser.get_event(), events.MappingEndEvent):
            wanted = isinstance(event, events.ScalarEvent) and event.value == key
            if not isinstance(event, events.ScalarEvent):
                self._pass(event)
            event = self._parser.get_event()
            if wanted and isinstance(event, events.SequenceStartEvent):
                yield from self._list()
            else:
                self._pass(event)

    def _list(self) -> Iterator[tuple[int, Any | Refused]]:
        self.listed = True
        while not isinstance(event := self._parser.get_event(), events.SequenceEndEvent):
            line = event.start_mark.line + 1
            builder = _Builder(self._anchors)
            yield line, builder.build(self._parser, event)
            # Anchors may be used further down, so they stay; what they hold is bounded as one entry is.
            self._kept += builder.text
            if self._kept > LONGEST:
                self._anchors.clear()
                self._kept = 0

    def _pass(self, event: events.Event) -> None:
        _Builder({}).build(self._parser, event)


class _Builder:
    """Builds one value. Over a bound it reads on to the value's end, and keeps nothing more; depth ends the file."""

    def __init__(self, anchors: dict[str, tuple[Any, int, int]]) -> None:
        self._anchors = anchors
        self.nodes = 0
        self.text = 0
        self._why: str | None = None

    def build(self, parser: Any, event: events.Event) -> Any | Refused:
        """The value that starts with an event."""
        stack: list[_Open] = []
        while True:
            value = self._value(event)
            if isinstance(event, events.SequenceStartEvent | events.MappingStartEvent):
                stack.append(_Open(value, event.anchor, self.nodes, self.text))
                if len(stack) > DEEPEST:
                    # The parser's own work grows with the square of the depth, so it is not let go on.
                    raise BadFile(f"nested deeper than {DEEPEST}")
            else:
                if isinstance(event, events.SequenceEndEvent | events.MappingEndEvent):
                    closed = stack.pop()
                    value = closed.value
                    self._anchor(closed.anchor, value, self.nodes - closed.nodes + 1, self.text - closed.text)
                if not stack:
                    return Refused(self._why) if self._why else value
                if self._why is None:
                    try:
                        stack[-1].take(value)
                    except TypeError:
                        self._refuse("a key that is not text")
            event = parser.get_event()

    def _value(self, event: events.Event) -> Any:
        if isinstance(event, events.AliasEvent):
            return self._alias(event)
        if isinstance(event, events.ScalarEvent):
            value = self._scalar(event)
            self._count(1, len(event.value))
            self._anchor(event.anchor, value, 1, len(event.value))
            return value
        if isinstance(event, events.SequenceStartEvent | events.MappingStartEvent):
            self._count(1, 0)
            if event.tag not in (None, "!", f"{_PLAIN}seq", f"{_PLAIN}map"):
                self._refuse("a tag that is not plain YAML")
            return [] if isinstance(event, events.SequenceStartEvent) else {}
        return None

    def _alias(self, event: events.AliasEvent) -> Any:
        if event.anchor not in self._anchors:
            self._refuse("an alias of nothing that came before")
            return None
        value, nodes, text = self._anchors[event.anchor]
        self._count(nodes, text)
        return value

    def _anchor(self, name: str | None, value: Any, nodes: int, text: int) -> None:
        if name is not None and self._why is None:
            self._anchors[name] = (value, nodes, text)

    def _scalar(self, event: events.ScalarEvent) -> Any:
        tag = event.tag
        if tag in (None, "!"):
            tag = _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
        word = str(tag).removeprefix(_PLAIN)
        if word == "binary":
            try:
                return base64.b64decode("".join(event.value.split()), validate=True)
            except (binascii.Error, ValueError):
                self._refuse("binary that is not base64")
                return None
        if word in _WORDS:
            try:
                return getattr(_CONSTRUCTOR, f"construct_yaml_{word}")(yaml.ScalarNode(tag, event.value))
            except (ValueError, KeyError, OverflowError):
                return event.value
        if word not in ("str", "timestamp", "merge", "value"):
            self._refuse("a tag that is not plain YAML")
        return event.value  # times stay text, as JSON has none

    def _count(self, nodes: int, text: int) -> None:
        self.nodes += nodes
        self.text += text
        if self.nodes > MOST_NODES:
            self._refuse(f"more than {MOST_NODES:,} nodes")
        if self.text > LONGEST:
            self._refuse(f"longer than {LONGEST:,} bytes")

    def _refuse(self, why: str) -> None:
        self._why = self._why or why


class _Open:
    """A list or mapping that is being built. nodes, text: the builder's counts when it began."""

    __slots__ = ("_key", "anchor", "nodes", "text", "value")
    _NONE = object()

    def __init__(self, value: Any, anchor: str | None, nodes: int, text: int) -> None:
        self.value, self.anchor, self.nodes, self.text = value, anchor, nodes, text
        self._key: Any = self._NONE

    def take(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self._key is self._NONE:
            hash(value)
            self._key = value
        else:
            self.value[self._key] = value
            self._key = self._NONE
