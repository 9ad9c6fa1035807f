"""What disturbs measurements on this machine. One file a subject, with ``ORDER`` and ``CHECKS``."""
