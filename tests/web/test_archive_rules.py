"""Archives on the page of a policy's retention: previewed, saved, and deleted by the next run."""

from pathlib import Path

import pytest
from asgiref.sync import sync_to_async

from tests.factories import VIEWER
from tests.services.test_restores import back_up, settings_for, source
from tests.web.test_control import login
from tests.web.test_restore_points import address, catalog, get, post
from workflows_app.domain.results import Capability
from workflows_app.models import AuditEntry, BackupConfig, ConfigVersion
from workflows_app.plugins.filesystem_archive.plugin import plugin
from workflows_app.services.configurations import plugins
from workflows_app.services.points import restores

__all__ = ["source"]

pytestmark = pytest.mark.django_db(transaction=True)

HTMX = {"HX-Request": "true"}


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    folder = tmp_path / "archives"
    folder.mkdir()
    return folder


async def archiving(source: Path, archives: Path, **more: object) -> BackupConfig:
    parameters = {"ArchivePath": str(archives)}
    return await catalog(
        **settings_for(source, archivePlugin="filesystem", archivePluginParameters=parameters, **more)
    )


def kept(archives: Path, config: BackupConfig) -> set[str]:
    folder = archives / config.profile.name / config.name
    return {path.name for path in folder.iterdir() if path.is_dir()}


def part(page: str, noun: str) -> str:
    """The section of the preview for backups or archives."""
    return page.split(f'aria-labelledby="{noun}s"')[1].split("</section>")[0]


async def test_the_page_says_which_archives_go_and_the_next_run_deletes_them(
    client, worker, source, archives
):
    config = await archiving(source, archives)
    made = [await back_up(config) for _ in range(3)]
    assert kept(archives, config) == set(made), "a policy without archive retention keeps all"
    page = address(config, "retention", "daily")
    await sync_to_async(login)(client, "admin")
    _, shown = await get(client, page)
    assert "of archives all of them" in shown
    assert "<strong>0 of 3 would go now</strong>" in part(shown, "archive")
    _, asked = await get(client, page + "?archive_daily=2", **HTMX)
    assert "<strong>2 of 3 would go now</strong> if it kept the newest, 2 daily" in part(asked, "archive")
    assert "<strong>0 of 3 would go now</strong>" in part(asked, "backup")
    for wrong in ({"archive_keep": "-1"}, {"archive_weekly": "x"}, {"archive_zone": "Mars"}):
        status, refused = await post(client, page, **wrong)
        assert status == 422
        assert "(of archives): " in refused
    assert (await post(client, page, archive_keep="", archive_daily="2"))[0] == 302
    policy = await config.policies.aget(name="daily")
    assert (policy.keep_archives, policy.archive_keep_rules) == (0, {"daily": 2})
    assert (policy.keep_backups, policy.keep_rules) == (5, {})
    version = await ConfigVersion.objects.aget(config=config)
    assert version.reason.endswith("; of archives the newest, 2 daily")
    assert await AuditEntry.objects.filter(details=version.reason).aexists()
    fourth = await back_up(config)
    assert kept(archives, config) == {fourth}
    found = await restores.list_restore_points(VIEWER, config.profile.name, config.name)
    assert {point.backup.name for point in found} == {*made, fourth}


async def test_archives_that_cannot_be_listed_are_unknown_and_backups_are_not(
    client, worker, source, archives
):
    config = await archiving(source, archives)
    await back_up(config)
    parameters = {"ArchivePath": str(archives / "gone")}
    settings = config.settings | {"archivePluginParameters": parameters}
    await BackupConfig.objects.filter(pk=config.pk).aupdate(settings=settings)
    await sync_to_async(login)(client, "viewer")
    status, shown = await get(client, address(config, "retention", "daily"))
    assert status == 200
    assert "Which archives would go could not be found out" in part(shown, "archive")
    assert "<strong>0 of 1 would go now</strong>" in part(shown, "backup")


async def test_a_plugin_that_is_deaf_to_rules_is_told(client, worker, source, archives):
    config = await archiving(source, archives)
    page = address(config, "retention", "daily")
    await sync_to_async(login)(client, "viewer")
    _, unknown = await get(client, page + "?archive_daily=2", **HTMX)
    assert "Nothing would be deleted." not in unknown
    await sync_to_async(plugins.publish)("w", [plugin.info()])
    _, obeyed = await get(client, page + "?archive_daily=2", **HTMX)
    assert "Nothing would be deleted." not in obeyed
    deaf_info = plugin.info().model_copy(update={"capabilities": (Capability(name="archiveDelete"),)})
    await sync_to_async(plugins.publish)("w", [deaf_info])
    _, deaf = await get(client, page + "?archive_daily=2", **HTMX)
    assert "Nothing would be deleted." in part(deaf, "archive")
    _, without = await get(client, page + "?archive_keep=2", **HTMX)
    assert "Nothing would be deleted." not in without


async def test_a_configuration_without_archives_has_no_fields_for_them(client, worker, source):
    config = await catalog(**settings_for(source))
    await sync_to_async(login)(client, "admin")
    page = address(config, "retention", "daily")
    _, shown = await get(client, page)
    assert "archive_keep" not in shown
    await config.policies.filter(name="daily").aupdate(archive_keep_rules={"monthly": 6})
    _, shown = await get(client, page)
    assert 'id="archive_monthly" name="archive_monthly" inputmode="numeric" value="6"' in shown
    assert "has no archive plugin" in part(shown, "archive")
