"""The workflows that a worker runs."""

from workflows_app.workflows.backup import BackupWorkflow
from workflows_app.workflows.catalogue import CatalogueWorkflow
from workflows_app.workflows.queue import QueueWorkflow
from workflows_app.workflows.restore import RestoreWorkflow
from workflows_app.workflows.watchdog import WatchdogWorkflow

WORKFLOWS = [BackupWorkflow, RestoreWorkflow, CatalogueWorkflow, WatchdogWorkflow, QueueWorkflow]
