"""What calls cost: list prices in USD that the suite's owner writes down, a side's own or by model and date.

A price list is a TOML file beside the suite, `[prices] file = "prices.toml"`::

    [[price]]
    model = "anthropic.claude-sonnet-4-5"   # how the served model's name begins, in its id, ARN or profile
    since = "2026-01-01"                    # first day (UTC) of this price
    per_1k_tokens_in_usd = 0.003
    per_1k_tokens_out_usd = 0.015
    per_1k_tokens_cached_usd = 0.0003
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from harness.core.call import Side, Tokens
from harness.core.shape import check
from harness.errors import ConfigError
from harness.shapes import PRICE_LIST


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """`[prices.source]`, `[prices.target]`, in USD; counts toward the cost ceiling and the cost metric.

    cached, cache_write: tokens read from and written to a cache; None: as any other token sent.
    models: prices by model, newest first; the served model's own comes before the side's.
    """

    per_call_usd: float = 0.0
    per_1k_tokens_in_usd: float = 0.0
    per_1k_tokens_out_usd: float = 0.0
    per_1k_tokens_cached_usd: float | None = None
    per_1k_tokens_cache_write_usd: float | None = None
    models: tuple[ModelPrice, ...] = ()

    def of(self, model: str | None) -> Price | None:
        """The price of a served model; None where a list is given and neither it nor the side has one."""
        fitting = [one for one in self.models if model is not None and one.fits(model)]
        if fitting:
            return max(fitting, key=lambda one: len(one.model)).price
        own = replace(self, models=())
        return None if self.models and own == Price() else own

    @property
    def ceiling(self) -> Price:
        """What a call may cost at most, for ceilings that are watched before it is known which model served it."""
        everything = (replace(self, models=()), *(one.price for one in self.models))
        return Price(
            per_call_usd=max(one.per_call_usd for one in everything),
            per_1k_tokens_in_usd=max(
                max(one.per_1k_tokens_in_usd, one.per_1k_tokens_cache_write_usd or 0.0) for one in everything
            ),
            per_1k_tokens_out_usd=max(one.per_1k_tokens_out_usd for one in everything),
        )

    def tokens_usd(self, tokens: Tokens) -> float | None:
        """USD of an answer's tokens, those of the cache at their own price; None where counts are missing.

        Source: Bedrock counts cached tokens beside the input, OpenAI inside it (`Tokens.cached_inside`).
        """
        if not (self.per_1k_tokens_in_usd or self.per_1k_tokens_out_usd):
            return 0.0
        if tokens.input_total is None or tokens.output is None:
            return None
        read, written = tokens.cache_read or 0, tokens.cache_write or 0
        usual = self.per_1k_tokens_in_usd
        cached = usual if self.per_1k_tokens_cached_usd is None else self.per_1k_tokens_cached_usd
        write = usual if self.per_1k_tokens_cache_write_usd is None else self.per_1k_tokens_cache_write_usd
        sent = max(tokens.input_total - read - written, 0) * usual + read * cached + written * write
        return (sent + tokens.output * self.per_1k_tokens_out_usd) / 1000


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """One entry of a price list. since: None where it holds from the beginning."""

    model: str
    since: date | None
    price: Price

    def fits(self, model: str) -> bool:
        """Whether a served model's name begins so, behind the prefix of a profile or an ARN as well."""
        return re.search(rf"(?:^|[./:]){re.escape(self.model.lower())}", model.lower()) is not None


def prices(table: Mapping[str, Any], folder: Path) -> dict[Side, Price]:
    """The prices of a suite from its table `[prices]`; `folder` is the suite's, where its list lies.

    date: the day whose prices hold; without it the newest. Raises ConfigError naming the file.
    """
    listed: tuple[ModelPrice, ...] = ()
    if "file" in table:
        at = _day(table["date"], "[prices] date") if "date" in table else None
        listed = _listed(folder / table["file"], at)
    sides = [side for side in Side if side.value in table or listed]
    return {side: Price(**table.get(side.value, {}), models=listed) for side in sides}


def _listed(path: Path, at: date | None) -> tuple[ModelPrice, ...]:
    """The entry of each model that holds on the day, or the newest."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as exc:
        raise ConfigError(f"{path}: cannot be read ({exc.strerror}); [prices] file names it.") from exc
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise ConfigError(f"{path}: is not TOML: {exc}.") from exc
    check(content, PRICE_LIST, place=str(path))
    newest: dict[str, ModelPrice] = {}
    for number, entry in enumerate(content["price"], start=1):
        said = {name: value for name, value in entry.items() if name not in ("model", "since")}
        since = _day(entry["since"], f"{path}, price {number}") if "since" in entry else None
        one = ModelPrice(entry["model"], since, Price(**said))
        before = newest.get(one.model)
        if before is not None and before.since == since:
            raise ConfigError(f'{path}, price {number}: model "{one.model}" has a price of that day already.')
        holds = at is None or since is None or since <= at
        if holds and (before is None or (before.since or date.min) < (since or date.min)):
            newest[one.model] = one
    return tuple(newest.values())


def _day(text: str, place: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as exc:
        raise ConfigError(f'{place}: "{text}" is no day, such as "2026-01-31".') from exc
