"""Restore points: what is there, held, verified, deleted, restored."""
