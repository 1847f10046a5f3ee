"""Switches: what moves live traffic between source and target, one file each, named as `use` says in a cutover.toml.

A switch reads the share that is in force and sets another in one act; stages, decisions, the journal and attempts are
`parity cutover`'s. To add one, add a file with `build(**options)` that returns a `core.traffic.Switch`, and its test in
`tests/switches/`. `build` is handed `folder`, the folder of the cutover.toml; where the table [switches.NAME] names a
profile, `settings`, its target side; and the table's other keys. An SDK stays in `services/`.
"""
