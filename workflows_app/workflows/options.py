"""From a step's options to what Temporal wants to know."""

from datetime import timedelta
from typing import TypedDict

from temporalio.common import RetryPolicy
from temporalio.workflow import ActivityCancellationType

from workflows_app.domain.plans.plans import StepOptions


class ActivityOptions(TypedDict):
    """The keyword arguments of ``workflow.execute_activity`` that a step decides."""

    start_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: ActivityCancellationType


def activity_options(options: StepOptions) -> ActivityOptions:
    """Answer how Temporal runs a step.

    A cancelled step is waited for: its child processes must be gone before the application is thawed.
    """
    return ActivityOptions(
        start_to_close_timeout=timedelta(seconds=options.timeout_seconds),
        heartbeat_timeout=timedelta(seconds=options.heartbeat_seconds),
        retry_policy=RetryPolicy(
            initial_interval=timedelta(seconds=options.backoff_seconds),
            backoff_coefficient=2.0,
            maximum_interval=timedelta(seconds=30),
            maximum_attempts=options.attempts,
        ),
        cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    )
