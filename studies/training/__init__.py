"""Training: what follows from the rows of that study."""
