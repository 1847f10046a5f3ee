"""What is not suspect holds nothing: held against every detector, in whatever a text is wrapped."""

from __future__ import annotations

import base64
import json
import random
import string

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from harness.core.case import Provenance, Recording
from harness.recordings.detectors import PERSONAL, SECRETS, scrub
from harness.recordings.lines import StoredCase
from harness.recordings.privacy import redacted
from harness.recordings.pseudonyms import Pseudonyms
from harness.recordings.rules import Rule, Rules
from harness.recordings.suspects import suspect, suspects

# What patterns are made of, in pieces that hypothesis puts together; none of the pieces is a value.
_PIECES = (
    *("0", "00", "3", "55", "123", "666", "4111", "123456", "12345678", "1" * 12, "5" * 20, "٤٤", "2A", "01"),
    *(" ", "-", ".", "/", "+", "(", ")", "@", ":", "::", "=", "=="),
    *("_", '"', "'", "\\", "\\n", ",", "\n", "\t", "\u3000"),
    *("A", "AB", "ABCDEF", "X", "DE", "de", "q", "abc", "fe80", "é", "É", "[", "]", "\x1c", "\x85"),
    *("pass", "word", "pwd", "secret", "access", "account", "shared", "key", "api", "client", "token", "sig", "ſig"),
    *("toKen", "PASSWORD", "bearer", "Basic", "eyJ", "sk-", "xox", "b-", "AI", "za", "ya29.", "gh", "p_", "github_pat"),
    *("hf_", "npm_", "rk_live_", "8Q", "~", "AK", "IA", "-----BEGIN", " PRIVATE KEY-----", "ocp-apim-subscription-key"),
    *("aB3" * 10, "x9Y" * 7, "0f" * 8, "AB12CD34", "Ab1+/" * 4),
)  # fmt: skip
_texts = st.lists(st.sampled_from(_PIECES) | st.text(max_size=3), max_size=14).map("".join)
_numbers = st.from_regex(r"\A[ .]?(?:[0-9A-Z]{1,8}[ ./()+-]{0,2}){1,8}\Z")


def shows(text: str) -> bool:
    """Whether a detector finds something, or would if the check digits of numbers were right."""
    for detector in (*SECRETS, *PERSONAL):
        checked = detector.check is not None and "luhn" not in detector.check.__name__
        lenient = not checked or detector.kind == "national_id"
        if lenient and detector.pattern.search(text):
            return True
    return scrub(text, lambda kind, _: f"[{kind}]") != text


def numbered(text: str) -> str:
    return "".join(f"\\u{ord(letter):04x}" for letter in text.encode("utf-16-be", "surrogatepass").decode("utf-16-be")
                   if ord(letter) < 65536)  # fmt: skip


WRAPS = {
    "as it is": lambda text: text,
    "JSON": json.dumps,
    "JSON with letters": lambda text: json.dumps({"a": [text]}, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps([text])),
    "three deep": lambda text: json.dumps({"a": json.dumps({"b": json.dumps({"c": text})}, ensure_ascii=False)}),
    "strokes escaped": lambda text: json.dumps({"a": text}).replace("/", "\\/"),
    "by number": lambda text: json.dumps({"a": '"' + numbered(text) + '"'}),
    "a cell": lambda text: f"0.5,{text},1.25\n",
    "a line": lambda text: json.dumps(f"0.5\r\n{text}\r\n"),
    "base64": lambda text: json.dumps([base64.b64encode(f"to be read: {text}".encode()).decode()]),
    "base64 of JSON": lambda text: json.dumps([base64.b64encode(json.dumps({"text": text}).encode()).decode()]),
}


def held(text: str) -> None:
    if not shows(text):
        return
    for name, wrap in WRAPS.items():
        wrapped = wrap(text).encode()
        assert suspect(wrapped), name
        assert suspects([b"nothing", wrapped]) == [False, True], name


@settings(max_examples=200)
@given(_texts | _numbers | st.tuples(_texts, _numbers, _texts).map("".join))
@example("to\u212aen = abcdefgh")
@example("ſig=abcdefgh")
@example("٤٤٤-٤٤-٤٤٤٤")
def test_what_a_detector_finds_is_suspect_however_it_is_wrapped(text: str):
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    held(text)


class Thorough(Pseudonyms):
    """Looks at everything."""

    def untouched(self, text: str | bytes) -> bool:
        return False


_json = st.recursive(
    _texts | st.integers() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts | st.sampled_from(_PIECES), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=300)
@given(_json, st.booleans(), st.booleans())
@example({"pwd": "x"}, True, False)
@example({"api_keys": [["x"]]}, False, True)
@example({"a": {"Sig": "a2345678"}}, False, True)
def test_a_body_that_is_not_suspect_is_left_by_whoever_looks_at_everything(value: object, plain: bool, inner: bool):
    try:
        body = json.dumps(value, ensure_ascii=plain).encode()
        line = json.dumps({"data": body.decode()} if inner else {"data": value}, ensure_ascii=plain).encode()
    except UnicodeEncodeError:
        return
    recording = Recording(
        id="c", service="bedrock", operation="Converse", request_body=body, provenance=Provenance(captured_at=None)
    )
    touched = redacted(StoredCase(recording=recording), Thorough()).recording.request_body != body
    if touched:
        assert suspect(body) and suspect(line)
        assert suspects([body, line]) == [True, True]


# A value of each form: # a digit, ^ a capital, ? a letter or digit; whatever else stands for itself.
_FORMS = (
    *("-----BEGIN RSA PRIVATE" + " KEY-----\\n????", "Bearer ????????1", "basic ????1?????"),
    "ey" + "J" + "?" * 9 + ".???????.??",
    *("password: ????????", "api_key = '????'", 'Client_Secret": "????"'),
    *('\\"token\\": \\"?????\\"', "AccountKey=????????"),
    *("xsig=????????", "ocp-apim-subscription-key: ????????", "shared-access-key=????????", "AK" + "IA" + "^" * 16),
    *("AI" + "za" + "?" * 35, "ya" + "29." + "?" * 24, "gh" + "o_" + "?" * 36, "github" + "_pat_" + "?" * 22),
    *("sk" + "-1" + "?" * 24, "xo" + "xb-" + "?" * 12, "sk" + "_live_" + "?" * 16, "h" + "f_" + "?" * 30),
    *("np" + "m_" + "?" * 36, "???8Q" + "~" + "?" * 31, "?" * 86 + "==", "?" * 43 + "=", "?" * 84, "0a1f" * 8),
    *("?" * 28 + "aB3x", "?" * 18 + "/" + "?" * 18 + "aB3", "????.????@????.org"),
    *("4" + "#" * 15, "5### #### #### ####"),
    *("5###-####-####-####-###", "3### ###### #####", "123-45-####", "123 45 ####", "^B######A", "AB 12 34 56 C"),
    *("########R", "X#######T", "1##12##########", "2 ## 01 2A ### ### ##", "1 ##12 2B######  ##"[:-4] + "##"),
    *("^^^^^^12A34^567^", "12 ### ### ###", "###.###.###-##", "2### #### ####", "###-###-###", "### ### ###"),
    *("+44 20 #### ####", "+4420########", "0044 (20) ####-####", "(020) #### ####", "(555)###-####", "###.###.####"),
    *("### ### ####", "020 #### ####", "030/1234567"),
    *("0171-###-####", "10.1#.2##.#", "1##.2.3.4", "fe80::1ff:fe23:4567:890a"),
    *("2001:0db8:1:2:3:4:5:6", "2001:db8::1", "DE89370400440532013000"),
    *("DE89 3704 0044 0532 0130 00", "gb82 west 1234 5698 7654 32"),
)  # fmt: skip


def _filled(form: str, rng: random.Random) -> str:
    letters = {"#": string.digits, "^": string.ascii_uppercase, "?": string.ascii_letters + string.digits}
    return "".join(rng.choice(letters[sign]) if sign in letters else sign for sign in form)


@pytest.mark.parametrize("form", _FORMS)
def test_a_value_of_each_form_is_suspect_wherever_it_stands(form: str):
    rng = random.Random(form)
    for _ in range(5):
        value = _filled(form, rng)
        for before, after in (("", ""), ("so ", " it is"), ('"', '"'), ("\r\n", "\n"), ("é,", ". ")):
            held(f"{before}{value}{after}")


def test_the_forms_leave_no_pattern_out():
    rng = random.Random(5)
    values = [_filled(form, rng) for form in _FORMS for _ in range(20)]
    missed = [d.pattern.pattern for d in (*SECRETS, *PERSONAL) if not any(map(d.pattern.search, values))]
    assert missed == []
    assert any("[iban]" in scrub(value, lambda kind, _: f"[{kind}]") for value in values)


@pytest.mark.parametrize(
    "text",
    [
        b"0.123456,0.654321,17,1e-05,2026\n",
        b'{"eventId":"3f2a1bcd-12ab-4cde-9f01-23456789abcd","inferenceTime":"2026-11-01T09:12:33Z"}',
        b'{"usage":{"inputTokens":14,"outputTokens":5},"modelId":"us.anthropic.claude-sonnet-4-5-20250929-v1:0"}',
        "Der Schlüssel zum Verständnis, a basic understanding, task-based".encode(),
        json.dumps({"a": "Zoë \U0001f600 said no", "bytes": base64.b64encode(bytes(range(200))).decode()}).encode(),
        b'{"at":1767225600123,"p":0.12345678901234567}',
    ],
)
def test_what_logs_are_made_of_is_not_suspect(text: bytes):
    """Else nothing would be gained."""
    assert not suspect(text)
    assert suspects([text]) == [False]
    assert Pseudonyms().untouched(text)
    assert Pseudonyms().untouched_lines([text]) == [True]


def test_bytes_that_are_no_text_and_marked_bodies_are_suspect():
    assert suspect(b"\xff\xfe")
    assert suspects([b"caf\xe9", b'{"encoding":"BASE64","data":"aGk="}']) == [True, True]


def test_a_rule_of_the_users_own_may_touch_anything():
    by = Pseudonyms(Rules(own=(Rule(name="x", path="a"),)))
    assert not by.untouched("nothing")
    assert by.untouched_lines([b"nothing"]) == [False]
