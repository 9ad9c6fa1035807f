"""One benchmark: warm-up, rounds, clocks, and the ``benchmark`` fixture."""
