"""Configurations as they are: read, kept in versions, tested; their plugins and secrets."""
