"""A backup with an executable app plugin: the product's worker, a real Temporal server."""

import asyncio
import shutil
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.conftest import eventually, running_worker
from tests.factories import OPERATOR, make_catalog
from tests.worker.processes import ROOT
from workflows_app.checks import plugin_folders
from workflows_app.domain.runs.progress import RunState
from workflows_app.models import RunMessage
from workflows_app.services.runs import control, runs, starts

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)


@pytest.fixture
def app_folder(tmp_path: Path, settings) -> Path:
    """A plugin folder that the worker is told of, with the guide's example in shell."""
    folder = tmp_path / "plugins"
    (folder / "app").mkdir(parents=True)
    shutil.copy2(ROOT / "docs/plugins/examples/app/maintenance-file", folder / "app")
    settings.FOSSUL_PLUGIN_DIRS = [folder]
    return folder / "app"


def settings_of(tmp_path: Path, **changes: object) -> dict[str, object]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "precious").write_text("7")
    return {
        "appPlugin": "maintenance-file",
        "autoDiscovery": True,
        "appPluginParameters": {"DataFolder": str(data)},
        "storagePlugin": "filesystem",
        "storagePluginParameters": {"BackupDestPath": str(tmp_path / "backups")},
        **changes,
    }


async def said(number: int) -> list[tuple[str, str]]:
    return [
        (m.level, m.text)
        async for m in RunMessage.objects.filter(run=number).order_by("step", "attempt", "seq")
    ]


async def test_a_backup_freezes_and_thaws_with_an_executable(app_folder, temporal_settings, tmp_path):
    config = await catalog(**settings_of(tmp_path))
    async with running_worker(temporal_settings):
        number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
        run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 30)
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    lines = await said(number)
    flag = tmp_path / "data" / "maintenance"
    assert ("INFO", f"The application is frozen: {flag}") in lines
    assert ("CMD", f"Executing plugin [{app_folder}/maintenance-file --quiesce]") in lines
    assert (
        "INFO",
        f"Plugin command [{app_folder}/maintenance-file --unquiesce] completed successfully",
    ) in lines
    assert not flag.exists()
    assert run.progress.thawed_at is not None
    assert list((tmp_path / "backups").rglob("*.tar.zst")), "what the executable discovered was backed up"


async def test_cancelling_a_run_ends_the_executable_and_thaws(app_folder, temporal_settings, tmp_path):
    plugin = app_folder / "maintenance-file"
    plugin.write_text(
        plugin.read_text().replace(
            'echo "INFO The application is frozen', 'echo "INFO frozen"; sleep 60; echo "INFO'
        )
    )
    config = await catalog(**settings_of(tmp_path))
    async with running_worker(temporal_settings):
        number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")

        async def frozen() -> bool:
            return ("INFO", "frozen") in await said(number)

        await eventually(frozen)  # its line is in the log while it runs
        await control.cancel_run(OPERATOR, number)
        run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 30)
    assert run.summary.state is RunState.CANCELLED
    assert not (tmp_path / "data" / "maintenance").exists()


def test_a_relative_plugin_folder_is_an_error(settings):
    settings.FOSSUL_PLUGIN_DIRS = [Path("plugins"), Path("/opt/plugins")]
    (error,) = plugin_folders(None)
    assert error.id == "fossul.E002"
    assert "'plugins'" in error.msg
