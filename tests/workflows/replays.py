"""Replays histories, as a worker does with a run that it has not in its cache."""

from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from workflows_app.worker import workflow_runner


def replayer(*workflows: type) -> Replayer:
    """What replays with ``workflows``, and raises NondeterminismError for a history that does not fit."""
    return Replayer(
        workflows=workflows,
        data_converter=pydantic_data_converter,
        workflow_runner=workflow_runner(),
    )
