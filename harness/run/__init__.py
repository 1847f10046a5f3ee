"""Walk a suite through the house: plan it, replay it, compare it, have it decided, write it down.

`plan` reads and checks everything before the first call; `runner` replays on threads; `pacing` is the one place that
retries or sleeps; `ledger` keeps every reply as it arrives; `observe` turns a ledger back into observations; `rows`
turns observations into rows; `session` is what the doors use. A new mode of running is a new function in `session`.
"""
