"""Why a watchdog thawed an application, in words."""

from workflows_app.domain.durations import in_words


def budget_spent(seconds: float) -> str:
    """The freeze budget of so many seconds ran out."""
    return f"The freeze budget of {in_words(seconds)} was spent"


def ordered(by: str) -> str:
    """A person ordered it."""
    return f"{by} ordered to thaw the application"
