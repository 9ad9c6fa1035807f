"""Every private name of pytest, pytest-benchmark and argparse that the instrument leans on."""
