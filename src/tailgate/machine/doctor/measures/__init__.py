"""What this machine can measure. One file a subject, with ``ORDER`` and ``CHECKS``."""
