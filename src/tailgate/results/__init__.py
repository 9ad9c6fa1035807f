"""Rows, columns, verdicts and saved runs as data, and how they are shown."""
