"""Why a step came to no answer, in words for people."""

from temporalio import exceptions
from temporalio.exceptions import FailureError, TimeoutType

TIMEOUT_WORDS = {
    TimeoutType.START_TO_CLOSE: "It took longer than it was allowed to",
    TimeoutType.SCHEDULE_TO_START: "No worker took it in the time allowed",
    TimeoutType.SCHEDULE_TO_CLOSE: "It took longer in all than it was allowed to",
    TimeoutType.HEARTBEAT: "The worker that did it was lost (no sign of life)",
}


def reason_of(error: BaseException) -> str:
    """The innermost words of a failure; of a timeout, what it means."""
    cause = error
    while isinstance(cause, FailureError) and cause.cause is not None:
        cause = cause.cause
    if isinstance(cause, exceptions.TimeoutError) and cause.type in TIMEOUT_WORDS:
        return TIMEOUT_WORDS[cause.type]
    return cause.message if isinstance(cause, FailureError) else str(cause)
