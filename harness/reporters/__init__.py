"""Report formats: a complete `ParityReport` in, bytes out.

A reporter reads no file, no clock and no network, and computes no statistic: every number it shows was in the report.
Every value it shows is text that somebody else may have written, so it is escaped for the format at hand and its
hidden characters are made visible. To add a format, put one file here with `build(**options)` returning an object that
has `suffix` and `render(report)`; what two formats share lives in `_parts`.
"""
