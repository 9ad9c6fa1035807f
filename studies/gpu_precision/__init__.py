"""Gpu precision: what follows from the rows of that study."""
