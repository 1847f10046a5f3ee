"""One file a cloud service: how its requests and answers read (a codec), and how it is reached (an endpoint).

To add one, write `services/<name>.py` with `build(settings, **options)`, which returns a `core.protocols.Service`:
`.codec` is pure and knows bytes, headers and the service-neutral payloads of `core.case`; `.open()` resolves addresses
and credentials and returns an endpoint that makes one attempt a call through the vendor's SDK. Map every exception of
the SDK to one of `harness.errors` in one table (`tests/services/test_errors_mapped.py` walks the SDK and finds those
without a row), take every host from `_hosts`, and let no message quote a payload, a header or a credential. SDKs are
imported in `open()`, not at the top: a codec costs nothing to load. Put the service before the questions of
`tests/services/contract.py`.

Files that begin with an underscore are not services but what several of them need: `_tabular` (scores), `_replies`
(headers), `_hosts` (cloud words), `_network` (proxy and certificates), `_failures` (exceptions and statuses), and for
each vendor a pair such as `_aws` (sessions and credentials) and `_aws_failures`. `_chat` has what codecs of chat models
share, `_anthropic` and the `_openai*` files the bodies of those makers (`_openai_codec` puts them together,
`_openai_sdk` carries them), `_sse` and `_streams` server-sent events, `_entra` keys and tokens. Services never import
one another.
"""
