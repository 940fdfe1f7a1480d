"""The workflows that a worker runs.

``QUESTIONS`` have a task queue of their own; they are among ``WORKFLOWS``, too, since web processes of an
earlier version ask on the queue of runs.
"""

from workflows_app.workflows.backup import BackupWorkflow
from workflows_app.workflows.catalogue import ArchivesWorkflow, CatalogueWorkflow
from workflows_app.workflows.check import CheckWorkflow
from workflows_app.workflows.queue import QueueWorkflow
from workflows_app.workflows.restore import RestoreWorkflow
from workflows_app.workflows.restore_points import BrowseWorkflow, DeleteWorkflow, VerifyWorkflow
from workflows_app.workflows.scheduled import ScheduledWorkflow
from workflows_app.workflows.watchdog import WatchdogWorkflow

QUESTIONS = [CatalogueWorkflow, ArchivesWorkflow, BrowseWorkflow]
WORKFLOWS = [
    *QUESTIONS,
    BackupWorkflow,
    RestoreWorkflow,
    VerifyWorkflow,
    DeleteWorkflow,
    CheckWorkflow,
    WatchdogWorkflow,
    QueueWorkflow,
    ScheduledWorkflow,
]
