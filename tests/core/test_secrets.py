"""What a secret looks like; the tests of config and services ask what becomes of one."""

from __future__ import annotations

import secrets

import pytest

from harness.core.secrets import MASK, form_of, in_environment, mask


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("an AWS access key id", "AKIA" + "A1B2C3D4" * 2),
        ("a private key", "-----BEGIN EC PRIVATE KEY-----\n" + "x" * 40),
        ("a token", "eyJ" + "a1" * 10 + "." + "b2" * 10 + "." + "c3" * 10),
        ("a bearer token", "Authorization: Bearer " + "x1" * 16),
        ("a shared-access signature", "https://x.example/c?sv=1&sig=" + "a%2B" * 8),
        ("an account key", "AccountName=x;AccountKey=" + "a1" * 20 + "=="),
        ("an Entra client secret", "abc8Q~" + "x1" * 17),
        ("a password in an address", "http://user:" + "secret" + "@proxy.example:3128"),
    ],
)
def test_published_forms_are_known_and_masked(form, text):
    assert form_of(text) == form
    assert MASK in mask(text)
    assert form_of(mask(text)) is None


@pytest.mark.parametrize(
    "text",
    [
        "arn:aws:iam::000000000000:role/reader",
        "00000000-0000-0000-0000-000000000000",
        "http://proxy.example:3128",
        "customer-churn-predictor-endpoint-v2-production",
        "the bearer of bad news",
    ],
)
def test_names_are_no_secrets(text):
    assert form_of(text) is None
    assert mask(text) == text


def test_known_secrets_are_masked_wherever_they_stand():
    assert mask("a hunter2 b", ["hunter2", ""]) == f"a {MASK} b"


def test_variables_that_hold_secrets_are_known_by_name():
    value = secrets.token_hex(20)
    holding = {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AZURE_CLIENT_SECRET", "AZURE_PASSWORD"}
    for name in holding:
        assert in_environment({name: value}) == {value}
    assert in_environment({"HOME": value, "AWS_REGION": value, "AWS_SECRET_ACCESS_KEY": "short"}) == set()
