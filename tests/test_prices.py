"""What a call costs: tokens of a cache at their own price, whichever way a cloud counts them, and prices by model."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.call import Answer, Side, Tokens
from harness.core.output import Chat
from harness.errors import ConfigError
from harness.prices import Price, prices
from harness.run.rows import cost_usd

LIST = """
[[price]]
model = "anthropic.claude-sonnet-4-5"
since = "2025-09-29"
per_1k_tokens_in_usd = 3.0
per_1k_tokens_out_usd = 15.0
per_1k_tokens_cached_usd = 0.3
per_1k_tokens_cache_write_usd = 3.75

[[price]]
model = "anthropic.claude-sonnet-4-5"
since = "2026-06-01"
per_1k_tokens_in_usd = 2.0
per_1k_tokens_out_usd = 10.0

[[price]]
model = "gpt-4o"
per_1k_tokens_in_usd = 2.5
per_1k_tokens_out_usd = 10.0
per_1k_tokens_cached_usd = 1.25

[[price]]
model = "gpt-4o-mini"
per_1k_tokens_in_usd = 0.15
per_1k_tokens_out_usd = 0.6
"""


def answer(model: str | None, tokens: Tokens | None) -> Answer:
    return Answer(
        side=Side.SOURCE,
        output=Chat(text="4"),
        raw_sha256="",
        latency_s=None,
        attempts=1,
        served_model=model,
        tokens=tokens,
        tokens_in=tokens.input_total if tokens else None,
        tokens_out=tokens.output if tokens else None,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "prices.toml").write_text(LIST)
    return tmp_path


def test_cached_tokens_cost_the_same_beside_the_input_and_inside_it():
    """1,000 tokens read anew, 2,000 from the cache: 3.00 + 0.60, and 500 out: 7.50."""
    price = Price(per_1k_tokens_in_usd=3.0, per_1k_tokens_out_usd=15.0, per_1k_tokens_cached_usd=0.3)
    beside = Tokens(input=1000, output=500, cache_read=2000)
    inside = Tokens(input=3000, output=500, cache_read=2000, cached_inside=True)
    assert price.tokens_usd(beside) == pytest.approx(11.1)
    assert price.tokens_usd(inside) == pytest.approx(11.1)


def test_writing_to_the_cache_has_its_price_and_without_one_the_usual():
    written = Tokens(input=1000, output=0, cache_write=1000)
    usual = Price(per_1k_tokens_in_usd=3.0)
    assert usual.tokens_usd(written) == pytest.approx(6.0)
    dearer = Price(per_1k_tokens_in_usd=3.0, per_1k_tokens_cache_write_usd=3.75)
    assert dearer.tokens_usd(written) == pytest.approx(6.75)


@pytest.mark.parametrize("tokens", [None, Tokens(), Tokens(input=5), Tokens(output=5)])
def test_tokens_that_are_not_told_are_not_free(tokens: Tokens | None):
    assert cost_usd(answer("gpt-4o", tokens), Price(per_1k_tokens_in_usd=1.0)) is None


@pytest.mark.parametrize(
    ("model", "usd"),
    [
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", 2.0),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0", 2.0),
        ("gpt-4o-2024-11-20", 2.5),
        ("gpt-4o-mini-2024-07-18", 0.15),
        ("gpt-5", None),
        (None, None),
    ],
)
def test_the_model_that_served_sets_the_price(folder: Path, model: str | None, usd: float | None):
    price = prices({"file": "prices.toml"}, folder)[Side.TARGET]
    cost = cost_usd(answer(model, Tokens(input=1000, output=0)), price)
    assert cost == (None if usd is None else pytest.approx(usd))


def test_the_day_of_the_suite_chooses_among_prices_of_one_model(folder: Path):
    before = prices({"file": "prices.toml", "date": "2026-05-31"}, folder)[Side.SOURCE]
    own = before.of("anthropic.claude-sonnet-4-5-20250929-v1:0")
    assert own is not None and own.per_1k_tokens_in_usd == 3.0


def test_a_sides_own_price_holds_for_models_off_the_list(folder: Path):
    price = prices({"file": "prices.toml", "target": {"per_1k_tokens_in_usd": 7.0}}, folder)[Side.TARGET]
    assert cost_usd(answer("my-import", Tokens(input=1000, output=1)), price) == pytest.approx(7.0)


def test_a_ceiling_is_watched_at_the_dearest_price(folder: Path):
    price = prices({"file": "prices.toml"}, folder)[Side.SOURCE].ceiling
    assert (price.per_1k_tokens_in_usd, price.per_1k_tokens_out_usd) == (2.5, 10.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[price]]\nmodel = 'a'\nper_1k = 1\n", "per_1k"),
        ("[[price]]\nmodel = 'a'\n[[price]]\nmodel = 'a'\n", "already"),
        ("[[price]]\nmodel = 'a'\nsince = '2026-13-01'\n", "no day"),
        ("[[price]\n", "is not TOML"),
    ],
)
def test_a_mistake_in_a_price_list_is_told_with_its_place(tmp_path: Path, text: str, message: str):
    (tmp_path / "prices.toml").write_text(text)
    with pytest.raises(ConfigError, match=message):
        prices({"file": "prices.toml"}, tmp_path)


def test_a_price_list_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(ConfigError, match="cannot be read"):
        prices({"file": "prices.toml"}, tmp_path)
