"""One file for each format of ``tailgate report``: pages for people, and files for other tools."""
