"""Numbers in, numbers out: arrays of one number a unit become p-values, bounds and forecasts.

`paired` is the only file that turns rows into D, and holds the cleaning rules. `fixed` and `anytime` test what it made,
`holm` combines, `minimum` and `forecast` say how many units are needed. A new method is one file that takes `Units` and
a margin and gives an `Estimate`; it draws no random numbers, reads no clock, and knows nothing of policies or words.
"""
