"""Recall and precision of each detector on a generated corpus, and the speed of redaction.

    python benchmarks/redaction.py [--texts 2000]

The corpus knows what it holds: sentences, JSON, CSV and log lines into which values of each kind are put in the ways
people write them, and as many that only look like one (order numbers, times, versions, hashes, prices, numbers with a
wrong check digit). It is made from the standards and from how values are written, not from the detectors' patterns.
Recall: the share of values of which nothing is left. Precision: the share of what a detector took out that was put in.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import string
import time
import uuid
from collections import Counter
from collections.abc import Callable

from import_speed import FORMATS, record

from harness.recordings.detectors import KINDS, scrub
from harness.recordings.pseudonyms import Pseudonyms

Make = Callable[[random.Random], str]
FIRST = ("ann", "bob", "chen", "dora", "emil", "fatima", "george", "hanna", "ivan", "josé")
LAST = ("lee", "martin", "okafor", "silva", "weber", "tanaka", "novak", "rossi", "o.brien", "kowalska")
HOSTS = ("example.com", "mail.example.co.uk", "firma.de", "uni.example.edu", "xn--bcher-kva.example", "a-b.io")


def digits(rng: random.Random, count: int, first: str = string.digits) -> str:
    return rng.choice(first) + "".join(rng.choice(string.digits) for _ in range(count - 1))


def with_luhn(body: str) -> str:
    for last in string.digits:
        total = 0
        for index, digit in enumerate(reversed(body + last)):
            value = int(digit) * (1 + index % 2)
            total += value if value < 10 else value - 9
        if total % 10 == 0:
            return body + last
    raise AssertionError


def grouped(text: str, sizes: tuple[int, ...], mark: str) -> str:
    parts, start = [], 0
    for size in sizes:
        parts.append(text[start : start + size])
        start += size
    return mark.join([*parts, text[start:]] if start < len(text) else parts)


def email(rng: random.Random) -> str:
    name = (
        f"{rng.choice(FIRST)}{rng.choice(('.', '_', '-', ''))}{rng.choice(LAST)}{rng.choice(('', '', '77', '+news'))}"
    )
    return f"{name if rng.random() < 0.8 else name.upper()}@{rng.choice(HOSTS)}"


def phone(rng: random.Random) -> str:
    country, area, local = (
        rng.choice(("1", "44", "49", "33", "91")),
        digits(rng, 3, "23456789"),
        digits(rng, 7, "2345678"),
    )
    return rng.choice(
        (
            f"+{country} {area} {local[:3]} {local[3:]}",
            f"+{country}{area}{local}",
            f"+{country}-{area}-{local[:3]}-{local[3:]}",
            f"({area}) {local[:3]}-{local[3:]}",
            f"{area}-{local[:3]}-{local[3:]}",
            f"00{country} {area} {local}",
            f"0{area} {local[:3]} {local[3:]}",
            f"{area}.{local[:3]}.{local[3:]}",
        )
    )


def card(rng: random.Random) -> str:
    start, length = rng.choice((("4", 16), ("51", 16), ("37", 15), ("6011", 16), ("35", 16)))
    number = with_luhn(start + digits(rng, length - 1 - len(start)))
    sizes = (4, 6, 5) if length == 15 else (4, 4, 4, 4)
    return rng.choice((number, grouped(number, sizes, " "), grouped(number, sizes, "-")))


def iban(rng: random.Random) -> str:
    country, length = rng.choice((("DE", 22), ("FR", 27), ("ES", 24), ("NL", 18), ("IT", 27)))
    body = ("ABNA" + digits(rng, 10)) if country == "NL" else digits(rng, length - 4)
    plain = "".join(str(int(letter, 36)) for letter in f"{body}{country}00")
    number = f"{country}{98 - int(plain) % 97:02d}{body}"
    return rng.choice((number, grouped(number, tuple([4] * (len(number) // 4)), " ")))


def ssn(rng: random.Random) -> str:
    area = rng.choice([number for number in range(1, 900) if number != 666])
    return rng.choice(("{:03d}-{:02d}-{:04d}", "{:03d} {:02d} {:04d}")).format(
        area, rng.randint(1, 99), rng.randint(1, 9999)
    )


def national(rng: random.Random) -> str:
    def spanish() -> str:
        number = rng.randint(10_000_000, 99_999_999)
        return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"

    def french() -> str:
        parts = (rng.randint(0, 99), rng.randint(1, 12), rng.randint(1, 95))
        number = rng.choice("12") + "".join(f"{part:02d}" for part in parts)
        number += f"{rng.randint(1, 999):03d}{rng.randint(1, 999):03d}"
        whole = f"{number}{97 - int(number) % 97:02d}"
        return rng.choice((whole, grouped(whole, (1, 2, 2, 2, 3, 3, 2), " ")))

    def brazilian() -> str:
        number = digits(rng, 9)
        for weight in (10, 11):
            total = sum(int(digit) * (weight - place) for place, digit in enumerate(number))
            number += str(total * 10 % 11 % 10)
        return f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"

    def british() -> str:
        number = digits(rng, 6)
        letters = rng.choice("ABCEGHJKLMNPRST") + rng.choice("ABCEGHJKLMNPRST")
        letters = "AB" if letters in ("BG", "GB", "NK", "KN", "TN", "NT", "ZZ") else letters
        end = rng.choice("ABCD")
        return rng.choice((f"{letters}{number}{end}", f"{letters} {number[:2]} {number[2:4]} {number[4:]} {end}"))

    def canadian() -> str:
        return grouped(with_luhn(digits(rng, 8, "1234567")), (3, 3, 3), rng.choice(" -"))

    return rng.choice((spanish, french, brazilian, british, canadian))()


def ip(rng: random.Random) -> str:
    if rng.random() < 0.6:
        return ".".join(str(rng.randint(1, 254)) for _ in range(4))
    return f"2001:db8:{rng.randint(4096, 65535):x}::{rng.randint(4096, 65535):x}:{rng.randint(1, 65535):x}"


def drawn(rng: random.Random, letters: str, count: int) -> str:
    kinds = [
        rng.choice([c for c in letters if c in kind])
        for kind in (string.ascii_uppercase, string.ascii_lowercase, string.digits)
        if set(kind) & set(letters)
    ]
    text = kinds + [rng.choice(letters) for _ in range(count - len(kinds))]
    rng.shuffle(text)
    return "".join(text)


WORD = string.ascii_letters + string.digits


def key(rng: random.Random) -> str:
    upper = string.ascii_uppercase + string.digits
    return rng.choice(
        (
            "AK" + "IA" + "".join(rng.choice(upper) for _ in range(16)),
            drawn(rng, WORD + "+/", 40),
            base64.b64encode(rng.randbytes(64)).decode(),
            rng.randbytes(16).hex(),
            "AI" + "za" + drawn(rng, WORD, 35),
            "gh" + "p_" + drawn(rng, WORD, 36),
            "sk" + "-" + drawn(rng, WORD, 48),
            drawn(rng, WORD, 3) + "8Q" + "~" + drawn(rng, WORD, 34),
        )
    )


def token(rng: random.Random) -> str:
    part = base64.urlsafe_b64encode(json.dumps({"sub": digits(rng, 9)}).encode()).decode().rstrip("=")
    return rng.choice((f"eyJ{drawn(rng, WORD, 20)}.{part}.{drawn(rng, WORD, 43)}", f"Bearer {drawn(rng, WORD, 40)}"))


def secret(rng: random.Random) -> str:
    value = drawn(rng, WORD + "!#%", rng.randint(10, 20))
    return rng.choice(
        (f"password={value}", f'"client_secret": "{value}"', f"AccountKey={value}", f"sig={value}", f"api_key: {value}")
    )


POSITIVE: dict[str, Make] = {
    "email": email, "phone": phone, "card": card, "iban": iban, "ssn": ssn,
    "national_id": national, "ip": ip, "key": key, "token": token, "secret": secret,
}  # fmt: skip


def wrong_card(rng: random.Random) -> str:
    number = with_luhn("4" + digits(rng, 14))
    return number[:-1] + str((int(number[-1]) + rng.randint(1, 9)) % 10)


NEGATIVE: dict[str, Make] = {
    "order": lambda rng: f"order {digits(rng, 8)}",
    "price": lambda rng: f"{rng.randint(1, 9999)}.{rng.randint(0, 99):02d} EUR",
    "time": lambda rng: f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}:00:00Z",
    "epoch": lambda rng: f"at {rng.randint(1_700_000_000_000, 1_799_999_999_999)}",
    "version": lambda rng: f"v{rng.randint(1, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}",
    "uuid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128), version=4)),
    "sha256": lambda rng: rng.randbytes(32).hex(),
    "sha1": lambda rng: rng.randbytes(20).hex(),
    "wrong card": wrong_card,
    "score": lambda rng: repr(rng.random()),
    "range": lambda rng: f"{rng.randint(100, 999)}-{rng.randint(1000, 9999)} units",
    "handle": lambda rng: f"@{rng.choice(FIRST)} said so",
    "part": lambda rng: f"part no. {drawn(rng, string.ascii_uppercase + string.digits, 12)}",
    "words": lambda _: "the token of my affection, a basic understanding, the key to the password policy",
    "dimensions": lambda rng: f"{rng.randint(10, 99)} {rng.randint(100, 999)} mm",
}
FRAMES = (
    "Please note {0} before Friday.",
    '{{"messages":[{{"role":"user","content":"I am told {0} and nothing else."}}]}}',
    "2026-11-01 12:00:00 INFO worker-3 handled {0} in 12 ms",
    "4.2,{0},0.5",
    "{0}",
    "Kind regards,\n{0}\nSent from my phone",
)


def measure(texts: int, seed: int = 5) -> None:
    """Prints the table."""
    rng = random.Random(seed)
    put_in, gone, taken = Counter[str](), Counter[str](), Counter[str]()
    wrong: Counter[str] = Counter()
    corpus: list[str] = []
    for kind, make in POSITIVE.items():
        for _ in range(texts // len(POSITIVE)):
            value = make(rng)
            text = rng.choice(FRAMES).format(value)
            corpus.append(text)
            found: list[tuple[str, str]] = []
            left = scrub(text, lambda name, part, found=found: found.append((name, part)) or f"[{name}]")
            put_in[kind] += 1
            core = value.rsplit("=", 1)[-1] if kind in ("secret", "token") else value
            gone[kind] += value not in left and core not in left
            for name, part in found:
                taken[name] += 1
                wrong[name] += part not in value and value not in part
    for name, make in NEGATIVE.items():
        for _ in range(texts // len(NEGATIVE)):
            text = rng.choice(FRAMES).format(make(rng))
            corpus.append(text)
            found = []
            scrub(text, lambda kind, part, found=found: found.append((kind, part)) or f"[{kind}]")
            for kind, _part in found:
                taken[kind] += 1
                wrong[kind] += 1
                wrong[f"{kind} ({name})"] += 1
    print(f"{'detector':<12} {'put in':>7} {'recall':>7} {'precision':>10}   taken out wrongly")
    for kind in KINDS:
        precision = 1 - wrong[kind] / taken[kind] if taken[kind] else float("nan")
        causes = ", ".join(
            f"{cause[len(kind) + 2 : -1]} {count}" for cause, count in wrong.items() if cause.startswith(f"{kind} (")
        )
        print(f"{kind:<12} {put_in[kind]:>7} {gone[kind] / put_in[kind]:>7.3f} {precision:>10.3f}   {causes or '-'}")
    by = Pseudonyms()
    size = sum(len(text.encode()) for text in corpus)
    started = time.process_time()
    for text in corpus:
        by.redact(text)
    took = time.process_time() - started
    print(f"{size / took / 1e6:.1f} MB/s over {len(corpus):,} texts of {size / len(corpus):.0f} bytes on average")
    by.untouched_lines([b""])  # loads pyarrow
    for form in FORMATS:
        lines = [json.dumps(record(form, number, 600, rng)).encode() for number in range(5000)]
        for name in ("one by one", "by the thousand"):
            started = time.process_time()
            if name == "one by one":
                told = sum(by.untouched(line) for line in lines)
            else:
                told = sum(sum(by.untouched_lines(lines[start : start + 1000])) for start in range(0, len(lines), 1000))
            rate = sum(map(len, lines)) / (time.process_time() - started) / 1e6
            print(f"{form}: {told:,} of {len(lines):,} lines told to be untouched {name}, {rate:.0f} MB/s")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=int, default=20_000)
    measure(parser.parse_args().texts)
