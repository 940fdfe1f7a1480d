"""The steps that keep the dashboard's own records."""

from datetime import UTC, datetime

from django.db import DatabaseError
from django.db.models import Exists, OuterRef, Q
from temporalio import activity

from workflows_app.activities.execution import StepExecution
from workflows_app.activities.retention import note_removal
from workflows_app.contracts.activities import RecordActivities
from workflows_app.contracts.points import Removed, Verified
from workflows_app.contracts.steps import StepInput
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Result
from workflows_app.domain.states import CheckState
from workflows_app.models import Run, RunMessage, Verification
from workflows_app.models.connections import drop_broken_connections
from workflows_app.plugins.base import PluginContext


class RunRecordActivities(RecordActivities):
    """Works on the rows of runs."""

    def __init__(self, execution: StepExecution) -> None:
        self._execution = execution

    @activity.defn(name=naming.RECORD_JOB_RETENTION, no_thread_cancel_exception=True)
    def job_retention(self, step: StepInput) -> Result:
        """Delete the records of runs that the configuration does not keep."""
        return self._execution.do(step, lambda context: delete_jobs(step.config, context))

    @activity.defn(name=naming.RECORD_VERIFICATION, no_thread_cancel_exception=True)
    def verification(self, verified: Verified) -> None:
        """Write down how a verification ended. Raises DatabaseError, which Temporal retries."""
        drop_broken_connections()
        Verification.objects.filter(pk=verified.verification, state=CheckState.RUNNING).update(
            state=verified.state, words=verified.words, finished=datetime.now(UTC)
        )

    @activity.defn(name=naming.RECORD_REMOVAL, no_thread_cancel_exception=True)
    def removal(self, removed: Removed) -> None:
        """Write down that a backup was deleted on purpose. Raises DatabaseError, which Temporal retries."""
        drop_broken_connections()
        note_removal(removed.profile, removed.config, removed.backup, removed.how)


def delete_jobs(config: Config, context: PluginContext) -> Result:
    """Keep the records of the newest ``config.job_retention`` runs, the running one among them (§5 "Jobs").

    Of an older run the log goes. Its row goes too, unless it made a backup: a restore needs to know of
    that. A database that cannot do it now is a warning: it says nothing of the backup, and the next run
    does what is left. Raises ConfigInvalid for a negative retention, which in Fossul deletes everything.
    """
    keep = config.job_retention
    if keep < 1:
        raise ConfigInvalid("JobRetention", f"{keep} runs cannot be kept; use 0 to keep all of them")
    try:
        drop_broken_connections()
        for run in _surplus(config, keep):
            context.check_cancelled()
            made = run.progress.get("backup_name", "")
            kept = f", keeping that it made the backup {made}" if made else ""
            context.info(
                f"Job cleanup, more jobs exist for profile [{config.profile_name}] config "
                f"[{config.config_name}] than job retention [{keep}], deleting job [{run.pk}]{kept}"
            )
            RunMessage.objects.filter(run=run).delete()
            if not made:
                run.delete()
    except DatabaseError as error:
        context.warn(f"The records of old runs could not be deleted now: {error}")
    return Result()


def _surplus(config: Config, keep: int) -> list[Run]:
    """The closed runs beyond the newest ``keep`` of which there is anything to delete."""
    runs = Run.objects.of(config.profile_name, config.config_name).order_by("-pk")
    newest = list(runs.values_list("pk", flat=True)[:keep])
    logged = Exists(RunMessage.objects.filter(run=OuterRef("pk")))
    without_backup = Q(progress__backup_name="") | ~Q(progress__has_key="backup_name")
    old = runs.filter(finished__isnull=False, pk__lt=min(newest, default=0))
    return list(old.filter(Q(logged) | without_backup).defer("result"))
