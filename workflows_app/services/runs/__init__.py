"""Runs: started, controlled, queued, found."""
