"""Schedules, which Temporal keeps."""
