"""``python -m tests.workflows.record_histories``: records the histories that test_replay.py replays, anew.

Run it only when the order of a workflow's commands is changed on purpose, and say so in the change:
runs that began with the old code cannot go on with the new one.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

HISTORIES = Path(__file__).parent / "histories"

# The names of the cases, in the order in which they are recorded below.
CASES = (
    "complete",
    "nothing_configured",
    "failed_step_with_compensation",
    "retried_thaw",
    "cancelled",
    "parallel_stage",
    "thaw_fails_for_good",
)
