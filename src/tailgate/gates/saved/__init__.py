"""The gate against saved sessions."""
