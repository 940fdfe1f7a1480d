"""A run's account of itself, in Fossul's shape."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows_app.domain.config import Config
    from workflows_app.domain.messages import MessageBound
    from workflows_app.domain.plans.plans import StepSpec
    from workflows_app.domain.results import (
        Backup,
        Level,
        Message,
        Result,
        Step,
        StepStatus,
        Workflow,
        WorkflowStatus,
        WorkflowStatusResult,
    )


class Account:
    """The steps that were taken, what they said, and the backup that they made."""

    def __init__(self, run: int, config: Config) -> None:
        self._run = run
        self._type = config.workflow_type
        self._policy = config.selected_backup_policy
        self._steps: list[Step] = []
        self._messages = MessageBound(total_bytes=1024 * 1024)
        self._last_message = ""
        self.status = WorkflowStatus.RUNNING
        self.code = 0
        self.backup = Backup()

    def begin(self, spec: StepSpec) -> Step:
        """Note that a step begins; the answer carries its number."""
        step = Step(
            id=len(self._steps),
            status=StepStatus.RUNNING,
            label=f"Step {len(self._steps)}",
            key=spec.key,
            name=spec.name,
            phase=spec.phase,
        )
        self._steps.append(step)
        return step

    def end(self, step: Step, result: Result) -> None:
        """Note what a step answered."""
        self._add(*result.messages)
        if result.backup.name or result.backup.contents:
            self.backup = result.backup
        self._mark(step, StepStatus.ERROR if result.code else StepStatus.COMPLETE)

    def fail(self, step: Step, reason: str) -> None:
        """Note that a step came to no answer."""
        self.say(Level.ERROR, reason)
        self.cancel(step)

    def cancel(self, step: Step) -> None:
        """Note that a step was cancelled: on the wire there is no word for it but ERROR."""
        self._mark(step, StepStatus.ERROR)

    def say(self, level: Level, text: str) -> None:
        """Note something that the run itself has to say."""
        self._add(Message(time=int(workflow.time()), level=level, message=text))

    def result(self) -> WorkflowStatusResult:
        """The result as it stands: Fossul's JSON."""
        return WorkflowStatusResult(
            workflow=Workflow(
                id=self._run,
                status=self.status,
                type=self._type,
                policy=self._policy,
                timestamp=workflow.info().start_time.isoformat(timespec="seconds"),
                steps=tuple(self._steps),
                last_message=self._last_message,
            ),
            result=Result(code=self.code, messages=self._messages.messages(), backup=self.backup),
        )

    def _add(self, *messages: Message) -> None:
        for message in messages:
            self._messages.add(message)
        if messages:
            self._last_message = messages[-1].message

    def _mark(self, step: Step, status: StepStatus) -> None:
        self._steps[step.id] = step.model_copy(update={"status": status})
