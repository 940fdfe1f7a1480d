"""What scheduled runs need of the dashboard's records: a row for each, whatever becomes of it."""

from datetime import UTC, datetime

from temporalio import activity

from workflows_app.contracts.activities import ScheduleActivities
from workflows_app.contracts.runs import BackupInput
from workflows_app.contracts.schedules import BegunRun, ExpectedRun, PreparedRun, ScheduledInput, SkippedRun
from workflows_app.domain import naming
from workflows_app.domain.config import WhenBusy
from workflows_app.domain.durations import in_words
from workflows_app.domain.errors import FossulError, NotNow
from workflows_app.domain.plans.backup_orders import BackupOrder
from workflows_app.domain.states import RunState
from workflows_app.models import Run
from workflows_app.models.connections import drop_broken_connections
from workflows_app.models.run_memos import memo_of, summary_of
from workflows_app.models.stored_configs import stored_order


class ScheduleRecordActivities(ScheduleActivities):
    """Works on the rows of runs that schedules expect.

    Until such a run has begun its row is QUEUED, and its ``run_id`` is that of the workflow that the
    schedule started: so there is one row for each, however often an activity is tried.
    """

    @activity.defn(name=naming.RECORD_PREPARE, no_thread_cancel_exception=True)
    def prepare(self, expected: ExpectedRun) -> PreparedRun:
        """Make the row of an expected run, once, and say what to start: the configuration as it is now."""
        drop_broken_connections()
        now = datetime.now(UTC)
        scheduled = expected.scheduled
        run = _row(scheduled, activity.info().workflow_run_id or "", now)
        if run.finished is not None:  # closed at an earlier try, or by a person meanwhile
            return PreparedRun(run=run.pk, refusal=run.failure, failed=run.status != RunState.SKIPPED.value)
        late = (now - expected.asked).total_seconds()
        if late > scheduled.catch_up_seconds:
            words = (
                f"No worker took it for {in_words(round(late))}; "
                f"it may be {in_words(scheduled.catch_up_seconds)} late."
            )
            return _closed(run, RunState.MISSED, words)
        try:
            order = stored_order(scheduled.profile, scheduled.config, scheduled.policy)
        except NotNow as error:
            return _closed(run, RunState.SKIPPED, str(error))
        except FossulError as error:
            return _closed(run, RunState.ERROR, f"The schedule {scheduled.name} could not start it. {error}")
        return _prepared(run, order, scheduled.when_busy or order.when_busy)

    @activity.defn(name=naming.RECORD_BEGIN, no_thread_cancel_exception=True)
    def begin(self, begun: BegunRun) -> None:
        """Link the row of a run with its workflow: a short one the recorder may look for too late."""
        drop_broken_connections()
        Run.objects.filter(pk=begun.run, status=RunState.QUEUED.value).update(
            run_id=begun.run_id, status=RunState.RUNNING.value, started=datetime.now(UTC)
        )

    @activity.defn(name=naming.RECORD_SKIP, no_thread_cancel_exception=True)
    def skip(self, skipped: SkippedRun) -> str:
        """Close the row of a run that could not have the lock; answer why, in words."""
        drop_broken_connections()
        run = Run.objects.get(pk=skipped.run)
        if run.status == RunState.SKIPPED.value:
            return run.failure
        _close(run, RunState.SKIPPED, _why(run, queue_full=skipped.queue_full))
        return run.failure


def _row(scheduled: ScheduledInput, asking: str, now: datetime) -> Run:
    workflow_id = naming.run_workflow_id(scheduled.profile, scheduled.config)
    run, _ = Run.objects.get_or_create(
        workflow_id=workflow_id,
        run_id=asking,
        defaults={
            "profile": scheduled.profile,
            "config": scheduled.config,
            "policy": scheduled.policy,
            "status": RunState.QUEUED.value,
            "requested_by": f"schedule {scheduled.name}",
            "started": now,
        },
    )
    return run


def _prepared(run: Run, order: BackupOrder, when_busy: WhenBusy) -> PreparedRun:
    run.version = order.version or None
    run.save(update_fields=["version"])
    backup = BackupInput(
        run=run.pk,
        config=order.config.for_run(run.pk, run.policy_as_run, int(run.started.timestamp())),
        plan=order.plan,
        requested_by=run.requested_by,
    )
    return PreparedRun(
        run=run.pk,
        backup=backup,
        queues=when_busy is WhenBusy.QUEUE,
        workflow_id=run.workflow_id,
        memo=memo_of(run),
        summary=summary_of(run),
    )


def _closed(run: Run, state: RunState, words: str) -> PreparedRun:
    _close(run, state, words)
    return PreparedRun(run=run.pk, refusal=words, failed=state is not RunState.SKIPPED)


def _close(run: Run, state: RunState, words: str) -> None:
    run.status, run.failure, run.finished = state.value, words, datetime.now(UTC)
    run.save(update_fields=["status", "failure", "finished"])


def _why(run: Run, *, queue_full: bool) -> str:
    others = Run.objects.of(run.profile, run.config).open().exclude(pk=run.pk)
    if queue_full:
        waiting = others.filter(status=RunState.QUEUED.value).first()
        return f"The lock was held, and {f'run {waiting.pk}' if waiting else 'a run'} waited for it already."
    holder = others.exclude(status=RunState.QUEUED.value).first()
    if holder is None:
        return "Another run held the lock of the configuration."
    since = in_words(round((datetime.now(UTC) - holder.started).total_seconds()))
    return (
        f"Run {holder.pk}, a {holder.type}, started by {holder.requested_by} {since} before, held the lock."
    )
