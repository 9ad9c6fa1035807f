"""Pure functions on numbers; they know nothing of pytest, files or clocks."""
