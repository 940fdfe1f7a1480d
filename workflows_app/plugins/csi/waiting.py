"""Waits for a cluster to have done something, as long as a parameter allows."""

import threading
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
        _pause(context)
    return found


def _pause(context: PluginContext) -> None:
    over = threading.Event()
    take_back = context.on_cancel(over.set)
    try:
        over.wait(POLL_SECONDS)
    finally:
        take_back()
    context.check_cancelled()
