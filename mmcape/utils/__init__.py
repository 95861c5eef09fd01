"""Command lines and checkpoints."""
