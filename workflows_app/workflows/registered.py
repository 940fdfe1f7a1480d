"""The workflows that a worker runs."""

from workflows_app.workflows.backup import BackupWorkflow

WORKFLOWS = [BackupWorkflow]
