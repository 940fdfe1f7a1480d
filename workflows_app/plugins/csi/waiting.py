"""Waits for a cluster to have done something, as long as a parameter allows."""

import time
from collections.abc import Callable
from typing import TypeVar

from workflows_app.plugins.base import PluginContext

T = TypeVar("T")

POLL_SECONDS = 2.0


def wait_for(context: PluginContext, seconds: float, look: Callable[[], T | None]) -> T | None:
    """Call ``look`` until it answers something; None when it did not for ``seconds``.

    Raises Cancelled, and what ``look`` raises.
    """
    give_up = time.monotonic() + seconds
    while (found := look()) is None:
        if time.monotonic() >= give_up:
            return None
        context.pause(POLL_SECONDS)
    return found
