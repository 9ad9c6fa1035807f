"""Cpu scaling: what follows from the rows of that study."""
