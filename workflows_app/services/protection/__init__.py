"""Until when something is protected, and how its backups do over time."""
