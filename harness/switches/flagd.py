"""An OpenFeature flagd flag file, JSON or YAML: the weights of one flag's fractional targeting are the shares.

Only the digits of the weights change; every other byte stays, comments too. The file is replaced in one act. Written
for a flag like this one, whose variants the application reads as "who answers":

    "answers-from": {"state": "ENABLED", "variants": {"source": "source", "target": "target"},
                     "defaultVariant": "source",
                     "targeting": {"fractional": [{"var": "targetingKey"}, ["source", 100], ["target", 0]]}}

Format: flagd documentation, "Flag definitions" and "Fractional operation".
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.core.traffic import Shares
from harness.errors import ConfigError, SwitchError

ON, OFF = "on", "off"  # variants of the flag that says whether a request is copied


def build(
    *,
    folder: Path = Path(),
    file: str,
    flag: str,
    source: str = "source",
    target: str = "target",
    mirror_flag: str | None = None,
) -> FlagdSwitch:
    """file: the flag file, from `folder`. flag: key of the flag; source, target: its variants.

    mirror_flag: key of a flag with the variants "on" and "off" that says which requests are copied to the target.
    Raises ConfigError.
    """
    if Path(file).suffix not in (".json", ".yaml", ".yml"):
        raise ConfigError('switch "flagd": "file" must end in .json, .yaml or .yml, as flagd reads them.')
    if source == target:
        raise ConfigError(f'switch "flagd": "source" and "target" are both "{source}".')
    return FlagdSwitch(folder / file, flag, (source, target), mirror_flag)


@dataclass(frozen=True, slots=True)
class FlagdSwitch:
    """variants: of the source, then of the target."""

    path: Path
    flag: str
    variants: tuple[str, str]
    mirror_flag: str | None

    @property
    def name(self) -> str:
        return "flagd"

    @property
    def mirror_limit(self) -> int:
        return 100 if self.mirror_flag is not None else 0

    def read(self) -> Shares:
        return self._shares(self._parsed(self._content()))

    def set(self, shares: Shares) -> None:
        before = self._content()
        document = _copied(self._parsed(before))
        self._shares(document)  # what cannot be read is not written either
        wanted = self._weights(shares)
        text = _edited(before, self.path, wanted)
        for flag, weights in wanted.items():
            for entry in _entries(document, flag, self.path):
                entry[1] = weights[entry[0]]
        if self._parsed(text) != document:
            raise SwitchError(
                f"{self.path}: the weights cannot be changed alone (an anchor, or a key that is there twice). Write "
                "each weight out, once."
            )
        self._replace(before, text)

    def _weights(self, shares: Shares) -> dict[str, dict[str, int]]:
        wanted = {self.flag: dict(zip(self.variants, (shares.source, shares.target), strict=True))}
        if self.mirror_flag is not None:
            wanted[self.mirror_flag] = {ON: shares.mirror, OFF: 100 - shares.mirror}
        elif shares.mirror:
            raise SwitchError(f"{self.path}: there is no mirror_flag that could mirror {shares.mirror} %.")
        return wanted

    def _shares(self, document: Any) -> Shares:
        split = self._split(document, self.flag, self.variants)
        mirror = 0 if self.mirror_flag is None else self._split(document, self.mirror_flag, (OFF, ON))[1]
        return Shares(source=split[0], target=split[1], mirror=mirror)

    def _split(self, document: Any, flag: str, variants: tuple[str, str]) -> tuple[int, int]:
        """The two weights. `variants`: first the one that stands where nothing is said."""
        told = document["flags"][flag] if flag in _flags(document) else None
        where = f'{self.path}, flag "{flag}"'
        if not isinstance(told, dict):
            raise SwitchError(f"{where}: there is no such flag. Known: {', '.join(_flags(document)) or 'none'}.")
        if told.get("state") != "ENABLED":
            raise SwitchError(f'{where}: its "state" is not ENABLED, so its weights are not in force.')
        if told.get("defaultVariant") != variants[0]:
            raise SwitchError(
                f'{where}: "defaultVariant" must be "{variants[0]}": a request without a targeting key gets it, '
                "whatever the weights are."
            )
        weights = {entry[0]: entry[1] for entry in _entries(document, flag, self.path)}
        if set(weights) != set(variants) or any(type(weight) is not int for weight in weights.values()):
            raise SwitchError(f'{where}: "fractional" must name {" and ".join(variants)}, each with a whole percent.')
        if sum(weights.values()) != 100:
            raise SwitchError(f"{where}: the weights add up to {sum(weights.values())}, not 100.")
        return weights[variants[0]], weights[variants[1]]

    def _content(self) -> str:
        try:
            return self.path.read_bytes().decode()
        except OSError as exc:
            raise SwitchError(f"{self.path}: cannot be read ({exc.strerror}).") from exc
        except UnicodeDecodeError as exc:
            raise SwitchError(f"{self.path}: is not UTF-8 text.") from exc

    def _parsed(self, text: str) -> Any:
        import yaml

        try:
            return json.loads(text) if self.path.suffix == ".json" else yaml.safe_load(text)
        except (ValueError, yaml.YAMLError) as exc:
            raise SwitchError(f"{self.path}: is no flag file ({type(exc).__name__}).") from exc

    def _replace(self, before: str, text: str) -> None:
        path = self.path.resolve()  # a link stays one
        partial = path.with_name(f".{path.name}.{os.getpid()}")
        for left in path.parent.glob(f".{path.name}.[0-9]*"):  # by a process that was killed
            left.unlink(missing_ok=True)
        try:
            old = path.stat()
            with partial.open("wb") as file:
                file.write(text.encode())
                os.fchmod(file.fileno(), old.st_mode)
                file.flush()
                os.fsync(file.fileno())
            # Readers that look at the time of the file must see a later one, however fast two changes follow.
            if (new := partial.stat()).st_mtime_ns <= old.st_mtime_ns:
                os.utime(partial, ns=(new.st_atime_ns, old.st_mtime_ns + 1_000_000))
            if self._content() != before:
                raise SwitchError(f"{self.path}: somebody else changed the file meanwhile; nothing was written.")
            partial.replace(path)
        except OSError as exc:
            raise SwitchError(f"{self.path}: cannot be written ({exc.strerror}).") from exc
        finally:
            with contextlib.suppress(FileNotFoundError):
                partial.unlink()


def _copied(value: Any) -> Any:
    """Without what several places of a YAML file share: a change of one would be a change of the other."""
    if isinstance(value, dict):
        return {key: _copied(inner) for key, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value


def _flags(document: Any) -> dict[str, Any]:
    flags = document.get("flags") if isinstance(document, dict) else None
    return flags if isinstance(flags, dict) else {}


def _entries(document: Any, flag: str, path: Path) -> list[list[Any]]:
    """The pairs of variant and weight. Raises SwitchError where the fractional operation is not the whole targeting:
    a share of some requests is no share of the traffic."""
    targeting = _flags(document)[flag].get("targeting")
    operation = targeting.get("fractional") if isinstance(targeting, dict) and len(targeting) == 1 else None
    entries = [one for one in operation if isinstance(one, list)] if isinstance(operation, list) else []
    rest = len(operation) - len(entries) if isinstance(operation, list) else 0
    if not entries or rest > 1 or not all(len(one) == 2 and isinstance(one[0], str) for one in entries):
        raise SwitchError(
            f'{path}, flag "{flag}": "targeting" must be one fractional operation and nothing around it, such as '
            '{"fractional": [{"var": "targetingKey"}, ["source", 100], ["target", 0]]}.'
        )
    if len({one[0] for one in entries}) < len(entries):
        raise SwitchError(f'{path}, flag "{flag}": "fractional" names a variant twice.')
    return entries


def _edited(text: str, path: Path, wanted: Mapping[str, Mapping[str, int]]) -> str:
    """The text with other weights. JSON is YAML here, but for tabs; positions are what is asked of the reader."""
    import yaml

    try:
        root = yaml.compose(text.replace("\t", " "), Loader=yaml.SafeLoader)
    except yaml.YAMLError as exc:
        raise SwitchError(f"{path}: its weights cannot be found ({type(exc).__name__}).") from exc
    spans: list[tuple[int, int, int]] = []
    for flag, weights in wanted.items():
        pairs = _member(_member(_member(_member(root, "flags"), flag), "targeting"), "fractional")
        for pair in getattr(pairs, "value", ()):
            if isinstance(pair, yaml.SequenceNode) and len(pair.value) == 2 and pair.value[0].value in weights:
                mark = pair.value[1]
                spans.append((mark.start_mark.index, mark.end_mark.index, weights[pair.value[0].value]))
    for start, end, weight in sorted(set(spans), reverse=True):
        text = text[:start] + str(weight) + text[end:]
    return text


def _member(node: Any, key: str) -> Any:
    """The value of a key of a mapping node; None where there is none."""
    pairs = node.value if getattr(node, "id", None) == "mapping" else ()
    return next((value for name, value in pairs if name.value == key), None)
