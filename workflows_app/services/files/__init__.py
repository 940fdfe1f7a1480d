"""Configurations as files: read, compared, applied, written."""
