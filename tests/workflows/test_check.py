"""The workflow that tests a configuration, on a real Temporal server."""

import threading
from uuid import uuid4

from temporalio import activity

from tests.factories import make_config
from tests.workflows.steps import Steps
from workflows_app.contracts.checks import CheckInput
from workflows_app.domain import naming
from workflows_app.domain.findings import CheckedParts, CheckPart, Findings, good
from workflows_app.workflows.check import CheckWorkflow

EVERY_PART = tuple(CheckPart)


class Looks(Steps):
    """All parts are tested at once, or none is: each waits for the others. ``lost`` crashes."""

    def __init__(self, lost: CheckPart | None = None) -> None:
        super().__init__()
        self._lost = lost
        self._together = threading.Barrier(len(EVERY_PART), timeout=10)

    def _look(self, part: CheckPart) -> Findings:
        self._together.wait()
        if part is self._lost:
            raise ValueError("the plugin fell over")
        return Findings(findings=(good(f"{part} is fine"),))

    @activity.defn(name=naming.APP_CHECK)
    def check_app(self, check: CheckInput) -> Findings:
        return self._look(CheckPart.APP)

    @activity.defn(name=naming.STORAGE_CHECK)
    def check_storage(self, check: CheckInput) -> Findings:
        return self._look(CheckPart.STORAGE)

    @activity.defn(name=naming.ARCHIVE_CHECK)
    def check_archive(self, check: CheckInput) -> Findings:
        return self._look(CheckPart.ARCHIVE)

    @activity.defn(name=naming.COMMAND_CHECK)
    def check_commands(self, check: CheckInput) -> Findings:
        return self._look(CheckPart.COMMANDS)


async def look(client, task_queue: str, *parts: CheckPart) -> CheckedParts:
    return await client.execute_workflow(
        CheckWorkflow.run,
        CheckInput(config=make_config(), parts=parts or EVERY_PART),
        id=f"fossul-check/test/{uuid4().hex}",
        task_queue=task_queue,
    )


async def test_all_parts_are_tested_at_once(temporal_server, task_queue):
    async with Looks().worker(temporal_server, task_queue):
        found = await look(temporal_server, task_queue)
    assert {part: each.findings[0].words for part, each in found.parts.items()} == {
        part: f"{part} is fine" for part in EVERY_PART
    }


async def test_a_part_that_cannot_be_tested_does_not_take_the_others_along(temporal_server, task_queue):
    async with Looks(lost=CheckPart.STORAGE).worker(temporal_server, task_queue):
        found = await look(temporal_server, task_queue)
    storage = found.parts[CheckPart.STORAGE]
    assert storage.findings == ()
    assert storage.result.code == 1
    assert storage.result.reason == "It could not be tested: the plugin fell over"
    assert found.parts[CheckPart.APP].findings == (good("app is fine"),)


async def test_only_what_is_asked_for_is_tested(temporal_server, task_queue):
    async with Steps().worker(temporal_server, task_queue):
        found = await look(temporal_server, task_queue, CheckPart.COMMANDS)
    assert set(found.parts) == {CheckPart.COMMANDS}
