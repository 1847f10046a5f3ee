"""National numbers with a shape or a check digit strong enough to be found without a word beside them.

Each entry of SHAPES is a pattern and whether a text of that shape is a number. Sources: HMRC, National Insurance Manual
NIM39110 (United Kingdom); Real Decreto 1553/2005 (Spain); INSEE, numéro de sécurité sociale (France); Decreto
Ministeriale 23/12/1976 (Italy); Bundeszentralamt für Steuern, ISO/IEC 7064 MOD 11,10 (Germany); Receita Federal, CPF
(Brazil); UIDAI, Verhoeff's scheme (India); Canada Revenue Agency, Luhn (Canada).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

_SPANISH = "TRWAGMYFPDXBNJZSQVHLCKE"
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)  # an Italian digit's value in an odd place; A to J have the same
_ODD_REST = (2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_ITALIAN_ODD = dict(zip("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", (*_ODD, *_ODD, *_ODD_REST), strict=True))
# Multiplication in the dihedral group of order 10, and the permutation of the places (Verhoeff 1969).
_PERMUTATION = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)


def luhn(digits: Sequence[int]) -> bool:
    """ISO/IEC 7812-1, annex B."""
    doubled = [digit * (2 if index % 2 else 1) for index, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def nino(text: str) -> bool:
    """United Kingdom: prefixes that are never given out are no number."""
    return text.replace(" ", "")[:2] not in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ")


def dni(text: str) -> bool:
    """Spain, DNI and NIE: the letter follows from the number modulo 23."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _SPANISH[int(number) % 23] == text[-1]


def insee(text: str) -> bool:
    """France: 13 digits (2A and 2B count as 19 and 18) and a key that completes them to 97."""
    compact = text.replace(" ", "").replace("2A", "19").replace("2B", "18")
    return 97 - int(compact[:13]) % 97 == int(compact[13:])


def codice_fiscale(text: str) -> bool:
    """Italy: the last letter follows from the fifteen before it."""
    even = {letter: index % 10 if index < 10 else index - 10 for index, letter in enumerate(_ITALIAN_ODD)}
    total = sum(_ITALIAN_ODD[letter] if place % 2 == 0 else even[letter] for place, letter in enumerate(text[:15]))
    return chr(ord("A") + total % 26) == text[15]


def tax_id(text: str) -> bool:
    """Germany: of the first ten digits one stands twice or three times, and ISO/IEC 7064 MOD 11,10 holds."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    if sorted(Counter(digits[:10]).values())[-1] not in (2, 3):
        return False
    product = 10
    for digit in digits[:10]:
        product = ((digit + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == digits[10]


def cpf(text: str) -> bool:
    """Brazil: two check digits, each over all digits before it."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    if len(set(digits)) == 1:
        return False
    return all(
        sum(digit * weight for digit, weight in zip(digits[:place], range(place + 1, 1, -1), strict=True))
        * 10
        % 11
        % 10
        == digits[place]
        for place in (9, 10)
    )


def aadhaar(text: str) -> bool:
    """India: twelve digits, the last by Verhoeff's scheme."""
    check = 0
    for place, letter in enumerate(reversed(text.replace(" ", ""))):
        digit = int(letter)
        for _ in range(place % 8):
            digit = _PERMUTATION[digit]
        check = _dihedral(check, digit)
    return check == 0


def sin(text: str) -> bool:
    """Canada: nine digits with Luhn's."""
    return luhn([int(letter) for letter in text if letter.isdigit()])


def _dihedral(left: int, right: int) -> int:
    turned = (left + right) % 5 if left < 5 else (left - right) % 5
    return turned + (5 if (left < 5) != (right < 5) else 0)


SHAPES: tuple[tuple[str, Callable[[str], bool]], ...] = (
    (r"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:\d{6}| \d\d \d\d \d\d )[A-D]", nino),
    (r"(?:\d{8}|[XYZ]\d{7})[A-HJ-NP-TV-Z]", dni),
    (r"[12] ?\d\d ?(?:0[1-9]|1[0-2]) ?(?:\d\d|2[AB]) ?\d{3} ?\d{3} ?\d\d", insee),
    (r"[A-Z]{6}\d\d[A-EHLMPRST]\d\d[A-Z]\d{3}[A-Z]", codice_fiscale),
    (r"[1-9]\d \d{3} \d{3} \d{3}", tax_id),
    (r"\d{3}\.\d{3}\.\d{3}-\d\d", cpf),
    (r"[2-9]\d{3} \d{4} \d{4}", aadhaar),
    (r"[1-79]\d\d([ -])\d{3}\1\d{3}", sin),
)
