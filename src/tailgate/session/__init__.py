"""One pytest session: what was asked for, what came of it, where it is written."""
