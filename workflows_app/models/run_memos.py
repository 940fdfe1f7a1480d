"""What Temporal is given with a run, so that its row can be made again from it."""

from workflows_app.domain import naming
from workflows_app.models.runs import Run


def memo_of(run: Run) -> dict[str, str | int]:
    """The memo that a run's workflow is started with."""
    return {
        naming.MEMO_RUN: run.pk,
        naming.MEMO_VERSION: run.version or 0,
        naming.MEMO_TYPE: run.type,
        naming.MEMO_PROFILE: run.profile,
        naming.MEMO_CONFIG: run.config,
        naming.MEMO_POLICY: run.policy_as_run,
        naming.MEMO_REQUESTED_BY: run.requested_by,
    }


def summary_of(run: Run) -> str:
    """What Temporal's own pages call a run."""
    return f"{run.type.capitalize()} of {run.profile}/{run.config}, policy {run.policy_as_run}"
