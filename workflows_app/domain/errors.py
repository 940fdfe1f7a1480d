"""The errors that layers raise to each other, each with words for the person who reads it."""

from collections.abc import Sequence
from typing import NamedTuple


class FossulError(Exception):
    """An error whose text may be shown to an operator."""


class ConfigInvalid(FossulError):
    """A configuration value is refused; ``field`` names it."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class PlanProblem(NamedTuple):
    """Why a plan is refused: the step's key, the rule that it breaks, and a sentence that says what to do."""

    step: str
    rule: str
    words: str


class PlanRefused(FossulError):
    """A plan breaks rules; ``problems`` has each of them, and the text is all of them in words."""

    def __init__(self, problems: Sequence[PlanProblem]) -> None:
        super().__init__(" ".join(problem.words for problem in problems))
        self.problems = tuple(problems)


class SettingProblem(NamedTuple):
    """Why a setting is refused: its name (``AppPluginParameters.PqDb``), and a sentence on what to do."""

    setting: str
    words: str


class SettingsRefused(FossulError):
    """Settings of a configuration are refused; ``problems`` has each, and the text is all of them."""

    def __init__(self, problems: Sequence[SettingProblem]) -> None:
        super().__init__(" ".join(f"{setting}: {words}" for setting, words in problems))
        self.problems = tuple(problems)


class Outdated(FossulError):
    """Somebody else has changed the configuration since it was opened; nothing was saved.

    ``version`` is the number of the version that it has now.
    """

    def __init__(self, opened: int, version: int, author: str) -> None:
        super().__init__(
            f"{author or 'Somebody'} saved version {version} after you opened version {opened}. "
            "Nothing of yours was saved."
        )
        self.version = version


class PoliciesGone(FossulError):
    """An edit takes policies away, and nobody has said yet what becomes of their schedules.

    ``policies`` are their names. Nothing was saved.
    """

    def __init__(self, policies: Sequence[str]) -> None:
        words = "policy" if len(policies) == 1 else "policies"
        super().__init__(
            f"This takes away the {words} {', '.join(policies)}: say first what becomes of the schedules."
        )
        self.policies = tuple(policies)


class NotFound(FossulError):
    """A profile, configuration, policy or run does not exist."""


class NotAllowed(FossulError):
    """The actor lacks the right for what was asked."""


class RunAlreadyActive(FossulError):
    """The configuration's lock is held; ``run`` is the holder's number, None when it is not known.

    ``who`` says what holds it, by whom and since when.
    """

    def __init__(self, profile: str, config: str, run: int | None, who: str = "") -> None:
        holder = f"run {run}" if run is not None else "a run"
        super().__init__(
            f"{profile}/{config} is busy: {holder}{f' ({who})' if who else ''} is still running."
        )
        self.profile = profile
        self.config = config
        self.run = run


class NotNow(FossulError):
    """What was asked of a run or a configuration is not possible in the state that it is in."""


class TemporalUnavailable(FossulError):
    """Temporal did not answer."""


class PluginFailed(FossulError):
    """A plugin could not do what it was asked; the text says what, to what, and why."""


class PluginMissing(FossulError):
    """No plugin of that family and name is registered where the worker runs."""


class Cancelled(Exception):
    """The work was cancelled while it ran; raised by ``PluginContext.check_cancelled``."""
