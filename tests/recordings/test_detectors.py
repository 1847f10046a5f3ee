"""Detectors beyond those that reports use, and what they leave alone."""

from __future__ import annotations

import random
import string

import pytest

from harness.recordings.detectors import KINDS, scrub

RNG = random.Random(11)
WORD = string.ascii_letters + string.digits


def found(text: str, off: frozenset[str] = frozenset()) -> list[tuple[str, str]]:
    values: list[tuple[str, str]] = []

    def put(kind: str, value: str) -> str:
        values.append((kind, value))
        return f"[{kind}]"

    scrub(text, put, off=off)
    return values


def drawn(length: int) -> str:
    return "a1B" + "".join(RNG.choice(WORD) for _ in range(length - 3))


@pytest.mark.parametrize(
    "start",
    ["AI" + "za", "gh" + "p_", "github" + "_pat_", "sk" + "-", "xo" + "xb-", "sk" + "_live_", "hf" + "_", "ya" + "29."],
)
def test_keys_of_other_makers_are_found_by_how_they_begin(start: str):
    lengths = {"AIza": 35, "hf_": 34}
    key = start + drawn(lengths.get(start, 36))
    assert found(f"use {key} here") == [("key", key)]


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "203.0.113.77", "2001:db8::ff00:42:8329", "fe80::1ff:fe23:4567:890a", "2001:0db8:0:0:0:0:0:1"],
)
def test_addresses_of_machines_are_found(address: str):
    assert found(f"from {address}, twice") == [("ip", address)]


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1 and ::1 and 0.0.0.0",
        "boto3 1.44.5, v1.2.3.4 and version 1.2.3.4",
        "300.1.2.3",
        "std::vector and a::b and 12:30:45",
        "00:1a:2b:3c:4d:5e",
        "123-45-678 and 666-12-3456 and 900-12-3456",
        "section 1.2.3.4.5",
    ],
)
def test_versions_times_and_numbers_that_are_none_stay(text: str):
    assert found(text) == []


def test_a_social_security_number_is_found():
    assert found("SSN 123-45-6789.") == [("ssn", "123-45-6789")]


@pytest.mark.parametrize("kind", KINDS)
def test_a_detector_can_be_left_out(kind: str):
    text = (
        "ann@example.com 123-45-6789 529.982.247-25 +44 20 7946 0123 10.0.0.1 DE89370400440532013000 "
        f"{'4' + '1' * 15} password=hunter2hunter2 {'AK' + 'IA' + 'Q' * 16} Bearer {drawn(30)}"
    )
    assert {name for name, _ in found(text)} == set(KINDS)
    assert kind not in {name for name, _ in found(text, frozenset({kind}))}


@pytest.mark.parametrize("kind", KINDS)
def test_a_pseudonym_is_not_found_again(kind: str):
    for text in (f"[{kind}]", f"[{kind}:abcdefgh]", "token=[token:abcdefgh] and", "abcdefgh@example.invalid"):
        assert found(f"so {text} it is") == []
