"""The errors that layers raise to each other, each with words for the person who reads it."""


class FossulError(Exception):
    """An error whose text may be shown to an operator."""


class ConfigInvalid(FossulError):
    """A configuration value is refused; ``field`` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class NotFound(FossulError):
    """A profile, configuration, policy or run does not exist."""


class NotAllowed(FossulError):
    """The actor lacks the right for what was asked."""


class RunAlreadyActive(FossulError):
    """The configuration's lock is held; ``run`` is the holder's number, None when it is not known."""

    def __init__(self, profile: str, config: str, run: int | None) -> None:
        holder = f"run {run}" if run is not None else "a run"
        super().__init__(f"{profile}/{config} is busy: {holder} is still running.")
        self.profile = profile
        self.config = config
        self.run = run


class TemporalUnavailable(FossulError):
    """Temporal did not answer."""


class PluginFailed(FossulError):
    """A plugin could not do what it was asked; the text says what, to what, and why."""


class PluginMissing(FossulError):
    """No plugin of that family and name is registered where the worker runs."""


class Cancelled(Exception):
    """The work was cancelled while it ran; raised by ``PluginContext.check_cancelled``."""
