"""Framework comparison: what follows from the rows of that study."""
