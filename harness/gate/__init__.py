"""The bench: rows and a policy go in, one decision with every finding comes out.

`policy` reads what was promised, `rows_file` what was measured, `history` orders the nights; `questions` lists what is
asked of the rows, `decide` answers it (pure: no clock, no file), `words` says it, `document` writes it for machines.
What a later part adds (sign-off, evidence, waivers, coverage) is a file of its own that takes a `Decision` or hands
findings to `decide`.
"""
