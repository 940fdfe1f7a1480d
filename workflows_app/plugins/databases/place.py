"""Where a database's client programs run: beside the worker, or in a pod."""

from typing import Protocol

from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.databases.pod import InPod
from workflows_app.plugins.databases.pod_parameters import pod_selector
from workflows_app.plugins.databases.surroundings import Surroundings
from workflows_app.plugins.databases.worker import OnWorker


class Ending(Protocol):
    """How a program ended, wherever it ran: whether it succeeded, and what is said of it otherwise."""

    @property
    def ok(self) -> bool:
        """Whether it ended with exit code 0."""

    @property
    def reason(self) -> str:
        """How it ended, for a message; may be empty for success."""


def place_of(context: PluginContext, surroundings: Surroundings) -> OnWorker | InPod:
    """The place that the parameters of a call mean; nothing is looked for yet. Raises ConfigInvalid."""
    place = InPod if pod_selector(context.parameters) else OnWorker
    return place(context, surroundings)
