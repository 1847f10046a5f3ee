"""Recordings: golden sets on disk, the order in which they are replayed, and what must not be shown of them.

`store` reads golden sets and `writer` writes them; `lines` is the form of one case in them, `packed` that of a
compressed set, `scan` the pass that proves it; `manifest` is what is said of a set as a whole, `gaps` what it is known
to lack. `sample` orders cases by a seed; `redact` blanks out personal data and secrets in text that a report shows.
`formats/` holds one file a log format, fed binary streams that a door opened. To add to the room, add a file of one
noun with its test in `tests/recordings/`; nothing here knows a service or opens a socket.
"""
