"""The one way to the Temporal server: its client, workers and histories, and what it tells as it happens."""
