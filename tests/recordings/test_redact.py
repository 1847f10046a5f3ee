"""What a report at level "redacted" must not show, and what it must leave alone."""

import base64
import random
import string
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.recordings.redact import redact_text

RNG = random.Random(20240501)
ALNUM = string.ascii_letters + string.digits


def drawn(letters: str, length: int) -> str:
    """Throw-away text of a secret's shape, with a letter of each kind where the alphabet has them."""
    kinds = [RNG.choice([c for c in letters if c in kind]) for kind in (string.ascii_uppercase, string.digits)]
    lower = [c for c in letters if c in string.ascii_lowercase]
    kinds += [RNG.choice(lower)] if lower else []
    text = kinds + [RNG.choice(letters) for _ in range(length - len(kinds))]
    RNG.shuffle(text)
    return "".join(text)


def luhn_number(start: str, length: int) -> str:
    """A number with a right last digit: the one of ten that the standard's sum accepts."""
    body = start + "".join(RNG.choice(string.digits) for _ in range(length - 1 - len(start)))
    total = sum(sum(divmod(int(d) * (2 - i % 2), 10)) for i, d in enumerate(reversed(body)))
    return body + str(-total % 10)


@pytest.mark.parametrize(
    "address",
    ["ann@example.com", "first.last+tag@mail.example.co.uk", "a_b%c@xn--bcher-kva.example", "josé@exämple.de"],
)
def test_email_addresses_go(address):
    assert redact_text(f"Write to {address}, please.") == "Write to [email], please."


@pytest.mark.parametrize(
    "number",
    [
        "+44 20 7946 0123",
        "+1-202-555-0143",
        "+1.202.555.0143",
        "+4930123456",
        "0049 30 1234567",
        "(202) 555-0143",
        "202-555-0143",
        "202.555.0143",
        "030 1234567",
        "020 7946 0123",
    ],
)
def test_phone_numbers_go(number):
    assert redact_text(f"Call {number}.") == "Call [phone]."


@pytest.mark.parametrize(("start", "length"), [("4", 16), ("51", 16), ("37", 15), ("6011", 16), ("36", 14), ("62", 19)])
def test_card_numbers_go(start, length):
    assert redact_text(f"paid by {luhn_number(start, length)} today") == "paid by [card] today"


def test_card_numbers_in_groups_go_whatever_follows():
    number = luhn_number("4", 16)
    grouped = " ".join(number[index : index + 4] for index in range(0, 16, 4))
    assert redact_text(f"{grouped} 12/27, {grouped.replace(' ', '-')}.") == "[card] 12/27, [card]."
    amex = luhn_number("37", 15)
    assert redact_text(f"{amex[:4]} {amex[4:10]} {amex[10:]}") == "[card]"


def test_a_number_with_a_wrong_check_digit_stays():
    number = luhn_number("4", 16)
    wrong = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert redact_text(wrong) == wrong


@pytest.mark.parametrize(
    "number",
    ["DE89370400440532013000", "GB82 WEST 1234 5698 7654 32", "NO9386011117947", "MT84MALT011000012345MTLCAST001S"],
)
def test_ibans_go(number):
    """The examples of the IBAN registry (SWIFT)."""
    assert redact_text(f"to {number}, today") == "to [iban], today"


def test_an_iban_is_found_among_words_that_look_like_more_of_it():
    text = "REF AB12 IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF"
    assert redact_text(text) == "REF AB12 IBAN [iban] BIC COBADEFF"


def test_an_iban_with_a_wrong_check_stays():
    assert redact_text("DE88370400440532013000") == "DE88370400440532013000"


def base64_of(length: int) -> str:
    return base64.b64encode(RNG.randbytes(length)).decode()


@pytest.mark.parametrize(
    "secret",
    [
        "AK" + "IA" + drawn(string.ascii_uppercase + string.digits, 16),
        "AS" + "IA" + drawn(string.ascii_uppercase + string.digits, 16),
        drawn(ALNUM, 40),
        drawn(ALNUM, 32),
        drawn(ALNUM, 84),
        RNG.randbytes(16).hex(),
        base64_of(64),
        base64_of(32),
        drawn(ALNUM, 3) + "8Q" + "~" + drawn(ALNUM, 34),
    ],
    ids=lambda secret: f"{len(secret)} characters",
)
def test_keys_of_cloud_services_go(secret):
    assert redact_text(f"key {secret}, region eu-west-1") == "key [key], region eu-west-1"


def test_bearer_tokens_go_and_the_word_stays():
    token = drawn(ALNUM + "-_", 50)
    assert redact_text(f"Authorization: Bearer {token}\nAccept: */*") == "Authorization: Bearer [token]\nAccept: */*"
    assert redact_text("a basic understanding of bearer instruments") == "a basic understanding of bearer instruments"


def test_json_web_tokens_go():
    parts = [base64.urlsafe_b64encode(text).decode().rstrip("=") for text in (b'{"alg":"none"}', b'{"sub":"1234"}')]
    assert redact_text(f"id {'.'.join([*parts, drawn(ALNUM, 40)])}!") == "id [token]!"


def test_private_keys_go_with_their_whole_body():
    mark = "PRIVATE" + " KEY-----"
    block = f"-----BEGIN RSA {mark}\nProc-Type: 4,ENCRYPTED\n\n{base64_of(90)}\n-----END RSA {mark}"
    assert redact_text(f"before {block} after") == "before [secret] after"
    assert redact_text(f"torn {block[:90]}") == "torn [secret]"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('{"password": "my pass phrase", "n": 1}', '{"password": "[secret]", "n": 1}'),
        ('{"api_key":"a\\"b","n":1}', '{"api_key":"[secret]","n":1}'),
        ("{'clientSecret': 'x', 'n': 1}", "{'clientSecret': '[secret]', 'n': 1}"),
        ('"{\\"token\\": \\"abc\\", \\"n\\": 1}"', '"{\\"token\\": \\"[secret]\\", \\"n\\": 1}"'),
        ('{"api-key": 12345678}', '{"api-key": [secret]}'),
        ("AZURE_CLIENT_SECRET=hunter2hunter2 next", "AZURE_CLIENT_SECRET=[secret] next"),
        ("AccountName=a;AccountKey=c2VjcmV0c2VjcmV0;Suffix=b", "AccountName=a;AccountKey=[secret];Suffix=b"),
        ("https://a.example/b?sv=1&sig=Ab%2Fcdefgh&se=2", "https://a.example/b?sv=1&sig=[secret]&se=2"),
        ("x-api-key: 0123456789", "x-api-key: [secret]"),
    ],
)
def test_values_of_secret_names_go(before, after):
    assert redact_text(before) == after


@pytest.mark.parametrize(
    "text",
    [
        "4.61512,1,6.907755,0.0,-1.5,13.73189,0,0,0",
        "0.4111111111111111,0.3123456789012345",
        "1e+10 +1.2345678 -0.0012345678 1.7976931348623157e+308",
        '{"tokens_out": 1234567, "max_tokens": 4096, "created": 1714553999123}',
        "2024-05-01T09:00:00+00:00, 05-01-2024, 01/02/2024",
        "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
        f"sha256:{'0123456789abcdef' * 4}",
        f"commit {'0123456789' * 4}",
        "visits-0f3ab2c4d5e6, row 0: source 0.35, target 0.3499999940395355",
        "10.0.0.1 and 192.168.100.200",
        "design: something, compass rose, an e-mail @ noon",
    ],
)
def test_measurements_times_hashes_and_prose_stay(text):
    assert redact_text(text) == text


@pytest.mark.parametrize("before", ["", "token: ", 'password="', '\\"sig\\":\\"', "Bearer ", "api_key="])
@pytest.mark.parametrize("placeholder", ["[email]", "[phone]", "[card]", "[iban]", "[key]", "[token]", "[secret]"])
def test_placeholders_stay(before, placeholder):
    """Text is sometimes redacted by parts, and again as a whole."""
    text = f'{before}{placeholder}" and more'
    assert redact_text(text) == text


@given(st.text(max_size=60), st.text(max_size=60))
def test_an_address_on_its_own_goes_wherever_it_stands(before, after):
    assert "ann@example.com" not in redact_text(f"{before} ann@example.com {after}")


@pytest.mark.parametrize("unit", ["a", "a@", "1", "1 ", "AB12 ", '"token": "', "Bearer ", "eyJaaaaaa.", "-----BEGIN "])
def test_hostile_text_takes_no_more_than_linear_time(unit):
    """A pattern that backtracks over 200,000 characters would run for minutes; the bound allows for a busy machine."""
    started = time.monotonic()
    redact_text(unit * (200_000 // len(unit)))
    assert time.monotonic() - started < 20
