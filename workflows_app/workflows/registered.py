"""The workflows that a worker runs."""

from workflows_app.workflows.backup import BackupWorkflow
from workflows_app.workflows.catalogue import CatalogueWorkflow
from workflows_app.workflows.restore import RestoreWorkflow

WORKFLOWS = [BackupWorkflow, RestoreWorkflow, CatalogueWorkflow]
