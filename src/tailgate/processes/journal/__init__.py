"""What is finished is written at once, so that ``--resume`` can go on from it."""
