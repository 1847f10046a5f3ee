"""Every exception of every SDK has a place in our tree: a class that a new version adds makes a test fail here."""

from __future__ import annotations

import gzip
import importlib
import inspect
import json
from collections.abc import Iterator
from pathlib import Path

import boto3.exceptions
import botocore
import botocore.exceptions
import httpx2
import openai
import pytest
import urllib3.exceptions

from harness.errors import ConfigError, HarnessError, ServiceError
from harness.services import _aws_failures, _azure, _azure_failures, _failures, _openai_sdk
from harness.services._aws_codes import CODES, MODEL_CODES
from harness.services._failures import Row, row_for


def exceptions_of(name: str) -> Iterator[type[Exception]]:
    for _, member in inspect.getmembers(importlib.import_module(name), inspect.isclass):
        own = member.__module__ == name
        if own and issubclass(member, Exception) and not issubclass(member, Warning):
            yield member


def has_a_row(member: type[Exception], rows: tuple[Row, ...], roots: set[type]) -> bool:
    row = row_for(member, rows)
    return row is not None and not (set(row.theirs) & roots)


# ClientError is an answer of the service and is judged by its code.
AWS_ROOTS = {botocore.exceptions.BotoCoreError, boto3.exceptions.Boto3Error}
AWS = [
    member
    for name in ("botocore.exceptions", "boto3.exceptions")
    for member in exceptions_of(name)
    if member not in AWS_ROOTS and not issubclass(member, botocore.exceptions.ClientError)
]


@pytest.mark.parametrize("member", AWS, ids=lambda member: member.__name__)
def test_botocore_and_boto3(member):
    assert has_a_row(member, _aws_failures.EXCEPTIONS, AWS_ROOTS)


AZURE = [
    member
    for name in ("azure.core.exceptions", "azure.identity._exceptions", "azure.ai.ml.exceptions")
    for member in exceptions_of(name)
    if member.__name__ not in ("AzureError", "ODataV4Format")
]


@pytest.mark.parametrize("member", AZURE, ids=lambda member: member.__name__)
def test_azure(member):
    root = importlib.import_module("azure.core.exceptions").AzureError
    assert has_a_row(member, _azure.ML_EXCEPTIONS, {root})


# An APIStatusError is judged by its status; it has a row all the same.
OPENAI_ROOTS = {openai.OpenAIError, openai.APIError, httpx2.HTTPError, httpx2.RequestError}
OPENAI = [
    *(member for name in ("openai._exceptions", "openai.lib.azure") for member in exceptions_of(name)),
    *(member for _, member in inspect.getmembers(httpx2, inspect.isclass) if issubclass(member, Exception)),
]


@pytest.mark.parametrize(
    "member", [one for one in OPENAI if one not in OPENAI_ROOTS], ids=lambda member: member.__name__
)
def test_openai(member):
    assert has_a_row(member, _openai_sdk.EXCEPTIONS, OPENAI_ROOTS)


URLLIB3 = [
    member
    for member in exceptions_of("urllib3.exceptions")
    if member is not urllib3.exceptions.HTTPError and not issubclass(member, urllib3.exceptions.HTTPWarning)
]


@pytest.mark.parametrize("member", URLLIB3, ids=lambda member: member.__name__)
def test_urllib3(member):
    assert has_a_row(member, _failures.HTTP, {urllib3.exceptions.HTTPError})


def modelled_errors(service: str) -> list[str]:
    (path,) = (Path(botocore.__file__).parent / "data" / service).glob("*/service-2.json.gz")
    model = json.loads(gzip.decompress(path.read_bytes()))
    named = [(shape.get("error", {}).get("code", name), shape) for name, shape in model["shapes"].items()]
    return [name for name, shape in named if shape.get("exception")]


@pytest.mark.parametrize("code", modelled_errors("sagemaker-runtime"))
def test_modelled_errors_of_the_sagemaker_runtime(code):
    """Two are judged by what they carry: the model's own status, the reason that a stream ended for."""
    assert code in CODES or code in ("ModelError", "ModelStreamError")


@pytest.mark.parametrize("code", modelled_errors("bedrock-runtime"))
def test_modelled_errors_of_the_bedrock_runtime(code):
    assert code in CODES or code in MODEL_CODES


TABLES = {
    "aws": _aws_failures.EXCEPTIONS,
    "azure": _azure_failures.EXCEPTIONS,
    "azure-ai-ml": _azure.ML_EXCEPTIONS,
    "openai": _openai_sdk.EXCEPTIONS,
    "http": _failures.HTTP,
}


@pytest.mark.parametrize("rows", TABLES.values(), ids=TABLES)
def test_no_row_is_hidden_by_one_before_it(rows):
    for index, row in enumerate(rows):
        assert issubclass(row.ours, ServiceError | ConfigError)
        assert issubclass(row.ours, HarnessError)
        for member in row.theirs:
            earlier = row_for(member, rows[:index])
            assert earlier is None or earlier is row, f"{member.__name__} never reaches its row"


def test_a_mistake_of_ours_is_no_failure_of_a_service():
    for rows in TABLES.values():
        for mistake in (TypeError, AttributeError, KeyError, AssertionError):
            assert row_for(mistake, rows) is None
