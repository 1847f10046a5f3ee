"""What comparators share on JSON: canonical forms, rules by path, and the walk that finds every difference."""
