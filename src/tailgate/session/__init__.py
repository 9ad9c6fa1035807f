"""One pytest session: its settings, its results, and where they are written."""
