"""What a call's context offers to every plugin."""

import threading
import time

import pytest

from tests.plugins.conftest import Call
from workflows_app.domain.errors import Cancelled


def test_a_pause_ends_as_soon_as_the_call_is_cancelled(call: Call) -> None:
    began = time.monotonic()
    canceller = threading.Timer(0.05, call.cancel)
    canceller.start()
    with pytest.raises(Cancelled):
        call.context.pause(60)
    canceller.join()
    assert time.monotonic() - began < 30
    assert call.stops == []


def test_a_pause_that_is_over_goes_on(call: Call) -> None:
    call.context.pause(0.01)
    assert call.stops == []


def test_what_goes_to_the_end_hears_no_cancel(call: Call) -> None:
    call.cancel()
    call.context.to_the_end().pause(0.01)
    with pytest.raises(Cancelled):
        call.context.pause(0.01)
