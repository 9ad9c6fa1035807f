"""Commands with more to them than a call: their arguments, and what they print."""
