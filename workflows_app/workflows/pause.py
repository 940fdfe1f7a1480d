"""A run that waits for a person: which steps it waits about, and what the person says."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows_app.contracts.runs import Decision
    from workflows_app.domain import naming
    from workflows_app.domain.plans.plans import StepSpec
    from workflows_app.domain.results import Step


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that failed for good, and why."""

    step: Step
    spec: StepSpec
    reason: str

    @property
    def words(self) -> str:
        """What failed, in a sentence."""
        return f"{self.step.label} ({self.step.name}) failed: {self.reason}"


class Pause:
    """Holds the steps that a decision is wanted for, and the decisions."""

    def __init__(self, seconds: float) -> None:
        self._limit = timedelta(seconds=seconds)
        self._wanted: dict[int, FailedStep] = {}
        self._decided: dict[int, str] = {}
        self._interrupted = False
        self.aborted_by = ""

    def interrupt(self) -> None:
        """End the wait, now and for ever: there is nothing to decide any more."""
        self._interrupted = True

    async def decide(self, failed: Sequence[FailedStep]) -> dict[str, str]:
        """Wait until each of ``failed`` is decided; answer ``retry`` or ``skip`` by the step's key.

        An abort ends the wait at once and is in ``aborted_by``; so does ``interrupt``. Raises TimeoutError
        when nobody decided.
        """
        self._wanted = {one.step.id: one for one in failed}
        self._decided = {}
        try:
            await workflow.wait_condition(
                lambda: (
                    self._interrupted or bool(self.aborted_by) or self._wanted.keys() == self._decided.keys()
                ),
                timeout=self._limit,
                timeout_summary=naming.PAUSE_SUMMARY,
            )
            return {one.spec.key: self._decided.get(number, "") for number, one in self._wanted.items()}
        finally:
            self._wanted = {}

    def check(self, action: str, decision: Decision) -> None:
        """Refuse what is not possible now. Raises ApplicationError of type ``NotNow``, with words."""
        if decision.step not in self._wanted:
            _refuse(f"The run does not wait for a decision about step {decision.step} (any more).")
        failed = self._wanted[decision.step]
        if decision.step in self._decided:
            _refuse(f"“{failed.step.name}” was decided already: {self._decided[decision.step]}.")
        if action == naming.SKIP_UPDATE and not failed.spec.options.may_skip:
            _refuse(f"The plan does not allow “{failed.step.name}” to be skipped.")

    def take(self, action: str, decision: Decision) -> None:
        """Take a decision that was checked."""
        if action == naming.ABORT_UPDATE:
            self.aborted_by = decision.by
        else:
            self._decided[decision.step] = action


def _refuse(words: str) -> None:
    raise ApplicationError(words, type=naming.NOT_NOW, non_retryable=True)
