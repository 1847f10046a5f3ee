"""What a secret looks like, so that files that hold one are refused and texts that quote one are masked.

Forms are those that the vendors publish: AWS access key ids (`AKIA`, `ASIA` and 16 characters), PEM private keys, JSON
web tokens, Azure connection strings and shared-access signatures, Entra client secrets (three characters, a digit and
`Q~`).
No pattern finds every secret. Texts of ours therefore never quote headers or payloads in the first place.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from harness.errors import ConfigError

MASK = "[secret]"

_FORMS = {
    "an AWS access key id": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)"),
    "a token": re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?"),
    "a bearer token": re.compile(r"(?<=Bearer )\S{16,}"),
    "a shared-access signature": re.compile(r"(?<=[?&;]sig=)[A-Za-z0-9%+/=_-]{16,}"),
    "an account key": re.compile(r"(?<=AccountKey=)[A-Za-z0-9+/=]{16,}"),
    "an Entra client secret": re.compile(r"(?<![\w~.])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}"),
    "a password in an address": re.compile(r"(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"),
}
_LONG = re.compile(r"^(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/]{32,}={0,2}$")
_KEY = re.compile(
    r"(^|_)(secret|password|passwd|pwd|api_?key|access_?key|account_?key|primary_?key|secondary_?key|subscription_?key"
    r"|private_?key|secret_?key|connection_?string|sas|token)($|_(id|value)$|_(access_)?key$)",
    re.IGNORECASE,
)
# Long names without a dash are legitimate here; AWS does not count an external id as a secret.
_NAMES = {"endpoint", "external_id", "reports", "ca_bundle", "client_certificate", "client_key", "golden", "title"}


def form_of(text: str) -> str | None:
    """What kind of secret of a published form a text holds, or None."""
    for form, pattern in _FORMS.items():
        if pattern.search(text):
            return form
    return None


def mask(text: str, known: Iterable[str] = ()) -> str:
    """The text with every `known` secret, and everything of a published form, replaced by "[secret]"."""
    for secret in known:
        if secret:
            text = text.replace(secret, MASK)
    for pattern in _FORMS.values():
        text = pattern.sub(MASK, text)
    return text


def in_environment(environment: Mapping[str, str]) -> set[str]:
    """Values of variables whose names ask for a secret (AWS_SECRET_ACCESS_KEY, AZURE_CLIENT_SECRET, ...)."""
    return {value for name, value in environment.items() if len(value) >= 8 and _KEY.search(name)}


def refuse_secrets(table: Mapping[str, object], *, place: str, names_only: bool = True) -> None:
    """Raise ConfigError where a key asks for a secret or a value looks like one; the value is never printed.

    names_only: every text in the table is a name or a word, so a long hexadecimal or base64 text is refused too.
    """
    for key, value in table.items():
        if isinstance(value, str) and _KEY.search(key):
            raise ConfigError(
                f'{place}: key "{key}" asks for a secret, and only names of credentials belong in this file. '
                "Name a profile, a role or a managed identity: boto3 and azure-identity find the secret themselves."
            )
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, Mapping):
                refuse_secrets(text, place=f"{place}, [{key}]", names_only=names_only)
            elif isinstance(text, str) and (form := _form_in_file(text, loose=names_only and key not in _NAMES)):
                raise ConfigError(
                    f'{place}: key "{key}" holds what looks like {form}. Take it out, and revoke it if it is real: '
                    "only names of credentials belong in this file."
                )


def _form_in_file(text: str, *, loose: bool) -> str | None:
    return form_of(text) or ("a key" if loose and _LONG.match(text) else None)
