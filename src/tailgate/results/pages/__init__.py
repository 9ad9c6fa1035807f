"""The HTML and the Markdown page of a saved run."""
