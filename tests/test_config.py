"""Project and suite files: what is accepted, what is refused, and in which words."""

from __future__ import annotations

import json
import secrets
import string
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.config import (
    Limits,
    Network,
    Price,
    load_project,
    load_suite,
    schema,
    side_settings,
)
from harness.core.call import Side
from harness.core.report import Payloads
from harness.errors import ConfigError, UnknownName

ROOT = Path(__file__).parent.parent

PROJECT = """
default_profile = "lab"
[profiles.lab]
lab = true
[profiles.lab.source]
cloud = "aws"
region = "us-east-1"
[profiles.lab.target]
cloud = "azure"
[profiles.prod.source]
cloud = "aws-us-gov-fips"
region = "us-gov-west-1"
profile = "gov"
role_arn = "arn:aws-us-gov:iam::000000000000:role/reader"
external_id = "0123456789abcdef0123456789abcdef"
endpoint = "visits-prod"
[profiles.prod.target]
cloud = "azure-us-gov"
credential = "managed_identity"
client_id = "00000000-0000-0000-0000-000000000000"
[profiles.prod.network]
proxy = "http://proxy.example:3128"
ca_bundle = "root.pem"
[profiles.prod.limits]
concurrency = 3
cost_usd = 1
"""

SUITE = """
[suite]
title = "Frequent visitors"
pair = "sagemaker_to_azureml"
golden = "visits"
deterministic_source = true
request_builder = "checks:build"
slices_by = "label"
seed = 11
calibration = 200
[pair]
columns = ["a", "b"]
[source]
accept = "text/csv"
[endpoints.lab]
source = "visits"
target = "visits/blue"
[comparators.label]
use = "class_label"
threshold = 0.35
[comparators.score]
use = "numeric_close"
[prices.source]
per_call_usd = 0.01
[[criterion]]
name = "labels agree"
anything = 1
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "parity.toml").write_text(PROJECT)
    folder = tmp_path / "suites" / "visits"
    folder.mkdir(parents=True)
    (folder / "suite.toml").write_text(SUITE)
    return tmp_path


def suite_file(project: Path) -> Path:
    return project / "suites" / "visits" / "suite.toml"


def edit(path: Path, old: str, new: str) -> Path:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    return path


def test_a_project_is_found_from_any_folder_below_it(project):
    found = load_project(suite_file(project))
    assert found.folder == project
    assert found.reports == project / "reports"
    assert found.default_profile == "lab"
    assert sorted(found.profiles) == ["lab", "prod"]


def test_profiles_have_safe_defaults(project):
    lab = load_project(project).profiles["lab"]
    assert lab.lab
    assert lab.payloads is Payloads.HASH
    assert lab.network == Network()
    assert lab.limits == Limits()


def test_paths_of_a_profile_start_at_the_project(project):
    prod = load_project(project).profiles["prod"]
    assert prod.network == Network(proxy="http://proxy.example:3128", ca_bundle=project / "root.pem")
    assert prod.limits == Limits(concurrency=3, cost_usd=1)


def test_no_project_is_a_usage_error(tmp_path):
    with pytest.raises(ConfigError, match=r"no parity.toml here or in any folder above"):
        load_project(tmp_path)


def test_a_suite_is_read_whole(project):
    suite = load_suite(suite_file(project))
    assert (suite.name, suite.title, suite.pair) == ("visits", "Frequent visitors", "sagemaker_to_azureml")
    assert suite.pair_options == {"columns": ["a", "b"]}
    assert suite.golden == project / "golden" / "visits"
    assert suite.endpoints == {"lab": {"source": "visits", "target": "visits/blue"}}
    assert [(c.metric, c.use, c.options) for c in suite.comparators] == [
        ("label", "class_label", {"threshold": 0.35}),
        ("score", "numeric_close", {}),
    ]
    assert suite.prices == {Side.SOURCE: Price(per_call_usd=0.01)}
    assert suite.source_options == {"accept": "text/csv"}
    assert suite.target_options == {}
    assert (suite.deterministic_source, suite.request_builder, suite.slices_by) == (True, "checks:build", "label")
    assert (suite.seed, suite.calibration) == (11, 200)


def test_a_suite_may_be_named_by_its_folder(project):
    assert load_suite(project / "suites" / "visits") == load_suite(suite_file(project))


def test_golden_with_a_slash_is_a_path_from_the_project(project):
    path = edit(suite_file(project), 'golden = "visits"', 'golden = "data/visits"')
    assert load_suite(path).golden == project / "data" / "visits"


def test_a_suite_outside_any_project_finds_golden_beside_suites(project):
    (project / "parity.toml").unlink()
    assert load_suite(suite_file(project)).golden == project / "golden" / "visits"


def test_side_settings_join_profile_suite_and_lab(project):
    suite, lab = load_suite(suite_file(project)), load_project(project).profiles["lab"]
    settings = side_settings(lab, suite, Side.TARGET, lab={"azureml": "http://127.0.0.1:1"})
    assert (settings.side, settings.cloud, settings.endpoint) == (Side.TARGET, "azure", "visits/blue")
    assert settings.lab == {"azureml": "http://127.0.0.1:1"}
    assert settings.connections == 8
    assert "127.0.0.1" not in repr(settings)


def test_a_profile_may_name_the_endpoint_that_the_suite_leaves_out(project):
    (project / "root.pem").write_text("")
    suite, prod = load_suite(suite_file(project)), load_project(project).profiles["prod"]
    settings = side_settings(prod, suite, Side.SOURCE)
    assert (settings.endpoint, settings.aws_profile, settings.cloud) == ("visits-prod", "gov", "aws-us-gov-fips")
    assert settings.role_arn == "arn:aws-us-gov:iam::000000000000:role/reader"
    with pytest.raises(ConfigError, match=r"no target endpoint for profile \"prod\".*Profiles named there: lab"):
        side_settings(prod, suite, Side.TARGET)


def test_a_missing_ca_bundle_is_found_before_the_first_call(project):
    suite, prod = load_suite(suite_file(project)), load_project(project).profiles["prod"]
    with pytest.raises(ConfigError, match=r"ca_bundle .*root.pem does not exist"):
        side_settings(prod, suite, Side.SOURCE)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 11", "sed = 11", r'\[suite\]: unknown key "sed".*Did you mean "seed"'),
        ("[pair]", "[pairs]", r'unknown key "pairs".*Did you mean "pair"'),
        ("[prices.source]", "[prices.sorce]", r'\[prices\]: unknown key "sorce".*Did you mean "source"'),
        ("per_call_usd", "per_call", r'\[prices.source\]: unknown key "per_call".*Did you mean "per_call_usd"'),
        ("[endpoints.lab]", "[endpoints.lap]", r'unknown profile "lap".*Did you mean "lab"'),
        ('slices_by = "label"', 'slices_by = "lable"', r'unknown comparator "lable".*Did you mean "label"'),
        ('target = "visits/blue"', 'taget = "x"', r'\[endpoints.lab\]: unknown key "taget".*Did you mean "target"'),
    ],
)
def test_unknown_names_in_a_suite_name_the_nearest(project, old, new, said):
    with pytest.raises(UnknownName, match=r"suite\.toml.*" + said):
        load_suite(edit(suite_file(project), old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed = 11", 'seed = "11"', r'\[suite\]: key "seed" must be a whole number, not text'),
        ("seed = 11", "seed = true", r"must be a whole number, not true or false"),
        ("seed = 11", "seed = 1.5", r"must be a whole number, not a number"),
        ("seed = 11", "seed = 2026-11-20", r"must be a whole number, not date"),
        ("seed = 11", "seed = -1", r'key "seed" must be at least 0, not -1'),
        ('title = "Frequent visitors"', 'title = ""', r'key "title" must not be empty'),
        ('title = "Frequent visitors"', "", r'\[suite\]: key "title" is missing'),
        ('request_builder = "checks:build"', 'request_builder = "build"', r'must be "file:function"'),
        ("per_call_usd = 0.01", "per_call_usd = nan", r"must be a number, not nan"),
        ("per_call_usd = 0.01", "per_call_usd = -0.01", r"must be at least 0, not -0.01"),
        ('use = "class_label"', "", r'\[comparators.label\]: key "use" is missing'),
        ("[comparators.label]", '[comparators."a b"]', r'"a b" cannot be a name here'),
        ("[suite]", "[suite", r"is not TOML"),
    ],
)
def test_wrong_values_in_a_suite_name_file_and_key(project, old, new, said):
    with pytest.raises(ConfigError, match=r"suite\.toml.*" + said):
        load_suite(edit(suite_file(project), old, new))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"aws"', '"awz"', r'\[profiles.lab.source\]: unknown cloud "awz".*Did you mean "aws"'),
        ('cloud = "azure"', 'cloud = "azure"\nrole_arn = "x"', r'\[profiles.lab.target\]: unknown key "role_arn"'),
        ('"managed_identity"', '"managed"', r'unknown credential "managed".*Did you mean "managed_identity"'),
        ('default_profile = "lab"', 'default_profile = "lib"', r'unknown profile "lib".*Did you mean "lab"'),
        (
            "concurrency = 3",
            "concurrency = 0",
            r'\[profiles.prod.limits\]: key "concurrency" must be at least 1, not 0',
        ),
        ("cost_usd = 1", "cost_usd = 0", r'key "cost_usd" must be more than 0'),
        ("cost_usd = 1", "timeout_s = inf", r"must be a number, not inf"),
        ('region = "us-east-1"', 'region = "East US"', r'key "region" must be a region\'s name'),
        ('role_arn = "arn:aws-us-gov:iam::000000000000:role/reader"', "", r'"external_id" needs "role_arn"'),
        ('ca_bundle = "root.pem"', 'client_key = "k.pem"', r'"client_key" needs "client_certificate"'),
        ("[profiles.lab.target]", "[profiles.lab.targt]", r'\[profiles.lab\]: unknown key "targt"'),
        ('cloud = "azure"\n', "", r'\[profiles.lab.target\]: key "cloud" is missing'),
        ('ca_bundle = "root.pem"', "verify = false", r'\[profiles.prod.network\]: unknown key "verify"'),
    ],
)
def test_wrong_projects_name_file_table_and_key(project, old, new, said):
    edit(project / "parity.toml", old, new)
    with pytest.raises(ConfigError, match=r"parity\.toml.*" + said):
        load_project(project)


def random_text(length: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "a1B" + "".join(secrets.choice(alphabet) for _ in range(length - 3))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("profile", lambda: "AKIA" + random_text(16).upper()),
        ("credential", lambda: random_text(40)),
        ("workspace", lambda: random_text(40, "0123456789abcdef")),
        ("client_id", lambda: "abc8Q~" + random_text(34)),
        ("tenant_id", lambda: "eyJ" + random_text(20) + ".eyJ" + random_text(40) + "." + random_text(40)),
        ("external_id", lambda: "-----BEGIN PRIVATE KEY-----" + random_text(60)),
        ("api_key", lambda: "short"),
        ("aws_secret_access_key", lambda: "short"),
        ("client_secret", lambda: "short"),
        ("password", lambda: "short"),
    ],
)
def test_secrets_in_a_project_are_refused_and_not_printed(project, key, value):
    secret = value()
    edit(project / "parity.toml", 'cloud = "azure"\n', f'cloud = "azure"\n{key} = "{secret}"\n')
    with pytest.raises(ConfigError, match=rf'\[target\]: key "{key}".*only names of credentials belong') as caught:
        load_project(project)
    assert secret not in str(caught.value)


def test_a_password_in_a_proxy_is_refused_and_not_printed(project):
    password = random_text(12)
    edit(project / "parity.toml", "http://proxy", f"http://user:{password}@proxy")
    with pytest.raises(ConfigError, match="a password in an address") as caught:
        load_project(project)
    assert password not in str(caught.value)


def test_secrets_in_a_suite_are_refused(project):
    edit(suite_file(project), "[source]", f'[source]\ncustom_attributes = "AKIA{random_text(16).upper()}"')
    with pytest.raises(ConfigError, match=r"\[source\].*an AWS access key id"):
        load_suite(suite_file(project))


def test_the_schemas_are_valid_and_accept_what_is_accepted(project):
    schemas = schema()
    for name in ("suite", "project"):
        jsonschema.Draft202012Validator.check_schema(schemas[name])
    jsonschema.validate(tomllib.loads(PROJECT), schemas["project"])
    suite: dict[str, Any] = tomllib.loads(SUITE)
    del suite["criterion"]
    jsonschema.validate(suite, schemas["suite"])
    assert json.loads(json.dumps(schemas)) == schemas


@pytest.mark.parametrize("wrong", [{"sed": 1}, {"seed": -1}, {"seed": "1"}, {"request_builder": "x"}])
def test_the_schema_refuses_what_is_refused(wrong):
    suite = tomllib.loads(SUITE)
    del suite["criterion"]
    suite["suite"].update(wrong)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(suite, schema()["suite"])


def test_the_shipped_project_is_as_it_should_be():
    project = load_project(ROOT)
    assert {"lab", "dev", "staging", "prod", "gov"} <= set(project.profiles)
    assert project.profiles["lab"].limits == Limits(concurrency=8, timeout_s=2, attempts=4)


def test_reading_configuration_imports_no_sdk():
    code = "import sys, harness.config; print([m for m in ('boto3', 'azure', 'pandas', 'pytest') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
