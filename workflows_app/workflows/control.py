"""What can be asked of a run while it runs: the same for a backup and a restore."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import Decision
    from workflows_app.contracts.thaws import ThawReport
    from workflows_app.domain import naming
    from workflows_app.domain.results import WorkflowStatusResult

from workflows_app.workflows.engine import StepRunner


class ControlledRun:
    """A run's query, updates and signals. An update that is not possible now is refused with words."""

    _runner: StepRunner

    @workflow.query(name=naming.STATUS_QUERY)
    def status(self) -> WorkflowStatusResult:
        """The result as it stands now."""
        return self._runner.result()

    @workflow.update(name=naming.RETRY_UPDATE)
    def retry(self, decision: Decision) -> None:
        """Take the failed step once more."""
        self._runner.pause.take(naming.RETRY_UPDATE, decision)

    @retry.validator
    def check_retry(self, decision: Decision) -> None:
        """Refuse unless the run waits for a decision about the step."""
        self._runner.pause.check(naming.RETRY_UPDATE, decision)

    @workflow.update(name=naming.SKIP_UPDATE)
    def skip(self, decision: Decision) -> None:
        """Go on without the failed step."""
        self._runner.pause.take(naming.SKIP_UPDATE, decision)

    @skip.validator
    def check_skip(self, decision: Decision) -> None:
        """Refuse unless the run waits for a decision about the step, and the plan lets it be skipped."""
        self._runner.pause.check(naming.SKIP_UPDATE, decision)

    @workflow.update(name=naming.ABORT_UPDATE)
    def abort(self, decision: Decision) -> None:
        """Undo what must be undone and end as failed."""
        self._runner.pause.take(naming.ABORT_UPDATE, decision)

    @abort.validator
    def check_abort(self, decision: Decision) -> None:
        """Refuse unless the run waits for a decision about the step."""
        self._runner.pause.check(naming.ABORT_UPDATE, decision)

    @workflow.signal(name=naming.WINDOW_OVER_SIGNAL)
    def window_over(self, reason: str) -> None:
        """The watchdog begins to thaw the application."""
        self._runner.end_window(reason)

    @workflow.signal(name=naming.THAWED_SIGNAL)
    def thawed(self, report: ThawReport) -> None:
        """The watchdog has thawed the application, as far as it could."""
        self._runner.take_report(report)
