"""One file a pair of services: how a request of the source is said to the target, and what that could not carry over.

To add one, write `pairs/<name>.py` with a `build(**options)` that returns a `core.protocols.Pair`: `name`, `source` and
`target` (module names in services/) and `translate`. Everything that the target is not told exactly as the source was
is a `Departure`, worded without values of the case so that equal ones can be counted; what the target cannot be told at
all is `UnencodableRequest`. Pairs of model services share `_parts/` (rules) and `_models/` (what each model takes).
No SDK, no network, no bytes: a pair turns payloads into payloads.
"""
