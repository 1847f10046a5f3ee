"""Pseudonyms: the same value has the same one, within one import only, and nothing of the value is in it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.case import Provenance, Recording
from harness.errors import ConfigError, UnknownName
from harness.recordings.exposed import exposures
from harness.recordings.lines import StoredCase
from harness.recordings.privacy import redacted, redactor
from harness.recordings.pseudonyms import Pseudonyms

KEY = bytes(range(32))


def rules(folder: Path, text: str) -> Pseudonyms:
    path = folder / "rules.toml"
    path.write_text(text)
    return Pseudonyms.from_file(path)


def case(
    request: object, response: object = None, content_type: str = "application/json", **more: object
) -> StoredCase:
    body = request.encode() if isinstance(request, str) else json.dumps(request).encode()
    recording = Recording(
        id="c1",
        service="bedrock",
        operation="Converse",
        request_headers={"content-type": content_type},
        request_body=body,
        response_headers={"content-type": "application/json"},
        response_body=None if response is None else json.dumps(response).encode(),
        provenance=Provenance(captured_at=None, captured_from="test"),
    )
    return StoredCase(recording=recording, **more)  # type: ignore[arg-type]


def test_who_appears_twice_still_does():
    by = Pseudonyms(key=KEY)
    text = by.redact("Ann@Example.com wrote to bob@example.com; ann@example.com again.")
    first, second, third = re.findall(r"[a-p]{8}@example\.invalid", text)
    assert first == third != second
    assert by.redact("ann@example.com") == first
    assert by.redact("+44 20 7946 0123") == by.redact("+442079460123") == by.redact("+44-20-7946-0123")


def test_another_import_has_other_pseudonyms():
    assert Pseudonyms().redact("ann@example.com") != Pseudonyms().redact("ann@example.com")
    assert Pseudonyms(key=KEY).redact("ann@example.com") == Pseudonyms(key=KEY).redact("ann@example.com")


@given(st.text(max_size=80))
def test_what_was_redacted_is_left_as_it_is(text: str):
    by = Pseudonyms(key=KEY)
    once = by.redact(f"{text} ann@example.com {text}")
    assert "ann@example.com" not in once
    assert by.redact(once) == once


def test_rules_by_pattern_path_column_and_finder(tmp_path: Path):
    (tmp_path / "names.py").write_text(
        '"""Finds two names."""\n\n\n'
        "class People:\n"
        "    def find(self, text):\n"
        "        start = text.find('Ann Lee')\n"
        "        return [(start, start + 7)] if start >= 0 else []\n"
    )
    by = rules(
        tmp_path,
        """
[detectors]
off = ["email"]
[[rule]]
name = "customer"
pattern = "C-[0-9]{6}"
[[rule]]
name = "age"
path = "people[].age"
side = "request"
[[rule]]
name = "street"
path = "people[].address.street"
[[rule]]
name = "people"
use = "names:People"
""",
    )
    person = {"age": 37, "score": 37, "address": {"street": "12 Elm Road"}, "note": "Ann Lee, C-123456, a@b.example"}
    body = {"people": [person, {**person, "age": 38}]}
    made = redacted(case(body, body), by)
    told = json.loads(made.recording.request_body)["people"]
    assert told[0]["score"] == 37, "only what the path selects, not every number that equals it"
    assert told[0]["age"] != 37 and len(str(told[0]["age"])) == 2
    assert re.fullmatch(r"\[street:[a-p]{8}\]", told[0]["address"]["street"])
    assert told[0]["address"] == told[1]["address"]
    assert re.fullmatch(r"\[people:[a-p]{8}\], \[customer:[a-p]{8}\], a@b\.example", told[0]["note"])
    answer = json.loads(made.recording.response_body or b"")["people"]
    assert answer[0]["age"] == 37, "the rule speaks of requests"
    assert answer[0]["address"] == told[0]["address"], "one value, one pseudonym, on both sides"
    assert made.recording.provenance.redacted
    assert {"rule:customer", "rule:age", "off:email"} <= set(by.rules)


def test_a_column_of_csv_goes_by_its_place_and_every_other_number_stays(tmp_path: Path):
    by = rules(tmp_path, '[[rule]]\nname = "id"\ncolumns = [0, 2]\n')
    made = redacted(case("4711,0.5,anna,4111111111111111\n4711,1e-3,otto,0\r\n", content_type="text/csv"), by)
    (first, second) = [line.split(",") for line in made.recording.request_body.decode().splitlines()]
    assert first[0] == second[0] != "4711" and len(first[0]) == 4 and first[0].isdigit()
    assert first[1::2] == ["0.5", "4111111111111111"] and second[1::2] == ["1e-3", "0"]
    assert first[2].startswith("[id:") and first[2] != second[2]
    assert made.recording.request_body.endswith(b"\r\n")


def test_numbers_stay_numbers_of_their_kind(tmp_path: Path):
    by = rules(tmp_path, '[[rule]]\nname = "n"\npath = "n"\n')
    for number in (7, -12, 3.25, 1e-30, 123456789012345678, 0):
        made = json.loads(redacted(case({"n": number}), by).recording.request_body)["n"]
        assert type(made) is type(number)
        assert (made < 0) == (number < 0)


def test_plain_placeholders_on_request(tmp_path: Path):
    by = rules(tmp_path, '[detectors]\npseudonyms = false\n[[rule]]\nname = "c"\npattern = "C-[0-9]+"\n')
    assert by.redact("ann@example.com, C-12") == "[email], [c]"


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("x", ConfigError, "cannot be read"),
        ('[detectors]\noff = ["emial"]', UnknownName, 'Did you mean "email"'),
        ("[detector]\noff = []", UnknownName, 'Did you mean "detectors"'),
        ('[[rule]]\npattern = "x"', ConfigError, '"name" is missing'),
        ('[[rule]]\nname = "a"', ConfigError, "say how it finds"),
        ('[[rule]]\nname = "a"\npattern = "x"\npath = "y"', ConfigError, "say how it finds"),
        ('[[rule]]\nname = "a"\npattern = "("', ConfigError, "not a regular expression"),
        ('[[rule]]\nname = "a"\npattern = "x*"', ConfigError, "matches where nothing stands"),
        ('[[rule]]\nname = "a"\npath = "a["', ConfigError, "not JMESPath"),
        ('[[rule]]\nname = "a"\nuse = "nowhere:People"', ConfigError, "does not exist"),
    ],
)
def test_rules_that_cannot_be_meant_are_named(tmp_path: Path, text: str, error: type[Exception], message: str):
    with pytest.raises(error, match=message):
        rules(tmp_path, text)


def test_a_missing_rules_file_is_named():
    with pytest.raises(ConfigError, match="there is no file"):
        redactor("nowhere.toml")


def test_a_scan_names_the_place_and_the_kind_and_never_the_value():
    secret = "ann@" + "example.com"
    stored = case({"messages": [{"content": secret}], "n": 4111111111111111}, {"a b": secret}, slices={"who": secret})
    told = list(exposures(stored))
    assert [(one.place, one.kind) for one in told] == [
        ("request.messages[0].content", "email"),
        ("response[...]", "email"),
        ("slices.who", "email"),
    ]
    assert secret not in repr(told)
    assert list(exposures(stored, off=frozenset({"email"}))) == []


def test_what_was_redacted_passes_a_scan():
    text = "ann@example.com, 123-45-6789, +44 20 7946 0123, 10.0.0.1, DE89370400440532013000, password=hunter2hunter2"
    stored = case({"messages": [{"content": text}]}, {"text": text}, cluster="ann@example.com", expected=[text])
    assert list(exposures(stored)) != []
    assert list(exposures(redacted(stored, Pseudonyms()))) == []


def test_a_scan_looks_into_base64():
    import base64

    hidden = base64.b64encode(b"write to ann@example.com today, please").decode()
    (one,) = exposures(case({"doc": hidden}))
    assert (one.place, one.kind) == ("request.doc, decoded from base64", "email")
