"""National numbers: published examples pass, one altered digit does not."""

from __future__ import annotations

import pytest

from harness.recordings import national
from harness.recordings.redact import redact_text

# Examples that the issuers or standards give in public; none of them is anybody's.
EXAMPLES = {
    "nino": "QQ 12 34 56 C".replace("QQ", "AA"),
    "dni": "12345678Z",
    "nie": "X1234567L",
    "insee": "2 55 08 14 168 025 38",
    "codice_fiscale": "RSSMRA85T10A562S",
    "tax_id": "86 095 742 719",
    "cpf": "529.982.247-25",
    "aadhaar": "2341 2341 2346",
    "sin": "130 692 544",
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_national_number_goes(name: str):
    assert redact_text(f"Her number is {EXAMPLES[name]}, she said.") == "Her number is [national_id], she said."


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "nino"])
def test_a_wrong_check_digit_is_no_number(name: str):
    text = EXAMPLES[name]
    place = next(index for index in range(len(text) - 1, -1, -1) if text[index].isdigit())
    wrong = f"{text[:place]}{(int(text[place]) + 1) % 10}{text[place + 1 :]}"
    assert "[national_id]" not in redact_text(f"order {wrong}")


@pytest.mark.parametrize("text", ["GB 12 34 56 C", "ZZ123456A", "123 456 789", "1234 5678 9012", "111.111.111-11"])
def test_what_was_never_given_out_stays(text: str):
    assert redact_text(text) == text


def test_verhoeff_finds_every_single_wrong_digit_and_every_swap():
    """What the scheme is for (Verhoeff 1969)."""
    right = "234123412346"
    assert national.aadhaar(right)
    for place in range(12):
        for digit in "0123456789":
            changed = right[:place] + digit + right[place + 1 :]
            assert national.aadhaar(changed) is (changed == right)
        if place and right[place - 1] != right[place]:
            assert not national.aadhaar(right[: place - 1] + right[place] + right[place - 1] + right[place + 1 :])
