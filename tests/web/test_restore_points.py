"""The pages of restore points and of retention, with the filesystem plugin on the product's own worker."""

import re
import shutil
from datetime import UTC, datetime

import pytest
from asgiref.sync import sync_to_async
from django.core.paginator import Paginator
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from tests.conftest import eventually
from tests.factories import VIEWER, make_catalog
from tests.services.test_restore_points import folder, kept_at
from tests.services.test_restores import back_up, settings_for, source
from tests.web.test_control import login
from workflows_app.domain.restore_points import Presence
from workflows_app.domain.results import Backup
from workflows_app.models import AuditEntry, BackupConfig, ConfigVersion, Hold
from workflows_app.services.points import questions, restores
from workflows_app.services.points.restore_points import Point, PointList
from workflows_app.web.pages.point_views import point_row

__all__ = ["folder", "source"]

pytestmark = pytest.mark.django_db(transaction=True)

catalog = sync_to_async(make_catalog)


def address(config: BackupConfig, name: str, *more: str) -> str:
    return reverse(name, args=[config.profile.name, config.name, *more])


@sync_to_async
def get(client: Client, url: str, **headers: str) -> tuple[int, str]:
    answer = client.get(url, headers=headers)
    return answer.status_code, answer.content.decode()


@sync_to_async
def post(client: Client, url: str, **fields: str) -> tuple[int, str]:
    answer = client.post(url, fields)
    return answer.status_code, answer.content.decode()


async def test_the_list_shows_what_is_there_and_what_is_missing(client, worker, source, folder):
    await sync_to_async(login)(client, "viewer")
    config = await catalog(**settings_for(source))
    gone, there = await back_up(config), await back_up(config, "weekly")
    shutil.rmtree(kept_at(folder, config, gone))
    status, page = await get(client, address(config, "restore-points"))
    assert status == 200
    assert "<strong>1 missing.</strong>" in page
    rows = re.findall(r"<tr role=\"row\">.*?</tr>", page, re.DOTALL)[1:]
    states = {name: row for row in rows for name in (gone, there) if f"<code>{name}</code>" in row}
    assert "is-error" in states[gone]
    assert "is-complete" not in states[gone]
    assert "is-complete" in states[there]
    _, filtered = await get(client, address(config, "restore-points") + "?policy=daily")
    assert gone in filtered
    assert there not in filtered


async def test_what_a_policy_made_that_is_gone_says_that_nothing_cleans_it_up(client, worker, source):
    await sync_to_async(login)(client, "viewer")
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    pages = (address(config, "restore-points"), address(config, "restore-point", name))
    for page in pages:
        assert "no such policy" not in (await get(client, page))[1]
    await config.policies.filter(name="daily").adelete()
    for page in pages:
        assert "no such policy: nothing cleans it up" in (await get(client, page))[1]


async def test_a_viewer_sees_no_button_and_may_press_none(client, worker, source):
    await sync_to_async(login)(client, "viewer")
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    status, page = await get(client, address(config, "restore-point", name))
    assert status == 200
    assert "<form" not in page.split("<main")[1]
    for action in ("hold-point", "release-point", "verify-point", "cancel-verification", "delete-point"):
        assert (await post(client, address(config, action, name), reason="x", confirmation=name))[0] == 403
        assert (await get(client, address(config, action, name)))[0] == 405


async def test_an_operator_holds_and_releases(client, worker, source):
    await sync_to_async(login)(client, "operator")
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    status, page = await post(client, address(config, "hold-point", name), reason=" ")
    assert status == 422
    assert "reason: say in 1 to 500 characters" in page
    status, _ = await post(client, address(config, "hold-point", name), reason="<script>alert(1)</script>")
    assert status == 302
    for shown in (address(config, "restore-points"), address(config, "restore-point", name)):
        page = (await get(client, shown))[1]
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert "<script>alert" not in page
    assert (await post(client, address(config, "release-point", name)))[0] == 302
    assert await Hold.objects.acount() == 0


async def test_only_an_admin_deletes_and_only_with_the_name(client, worker, source, folder):
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    await sync_to_async(login)(client, "operator")
    assert (await post(client, address(config, "delete-point", name), confirmation=name))[0] == 403
    await sync_to_async(login)(client, "admin")
    status, page = await post(client, address(config, "delete-point", name), confirmation="yes")
    assert status == 422
    assert "confirmation: type" in page
    assert kept_at(folder, config, name).exists()
    assert (await post(client, address(config, "delete-point", name), confirmation=name))[0] == 302
    assert not kept_at(folder, config, name).exists()


async def test_the_verification_asks_again_while_it_runs_and_then_no_more(client, worker, source):
    await sync_to_async(login)(client, "operator")
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    assert (await post(client, address(config, "verify-point", name)))[0] == 302

    async def ended() -> str:
        _, part = await get(client, address(config, "point-check", name))
        assert "<html" not in part
        return "" if "every 2s" in part else part

    part = await eventually(ended)
    assert "verified" in part
    assert "Cancel the verification" not in part


async def test_files_are_shown_folder_by_folder_with_hostile_names_as_text(client, worker, source):
    await sync_to_async(login)(client, "viewer")
    (source / "a<b>&'\"\u202eç?#%.txt").write_text("x")
    (source / "d?#%&<i>").mkdir()
    (source / "d?#%&<i>" / "inner.txt").write_text("x")
    config = await catalog(**settings_for(source))
    name = await back_up(config)
    files = address(config, "point-files", name)
    _, top = await get(client, files)
    (link,) = [url for url in _links(top) if "in=" in url]
    _, page = await get(client, files + link.removeprefix(files))
    assert "a&lt;b&gt;&amp;" in page
    assert "<b>" not in page
    assert "\u202e" not in page, "what turns text around is shown as what it is"
    odd = next(url for url in _links(page) if "%253Ci%253E" in url)
    _, inner = await get(client, odd)
    assert "inner.txt" in inner
    _, found = await get(client, files + "?q=INNER")
    assert "inner.txt" in found
    assert "letter.txt" not in found
    assert "No path has" in (await get(client, files + "?q=nothing-like-it"))[1]
    assert (await get(client, files + "?page=-3&in=nonsense"))[0] in (200, 400)


def _links(page: str) -> list[str]:
    return [url.replace("&amp;", "&") for url in re.findall(r'href="([^"]*/files/[^"]*)"', page)]


# Retention


async def test_the_retention_says_beforehand_what_goes_and_saves_it(client, worker, source):
    config = await catalog(**settings_for(source))
    before = {await back_up(config) for _ in range(3)}
    page = address(config, "retention", "daily")
    await sync_to_async(login)(client, "operator")
    assert (await post(client, page, keep="1"))[0] == 403
    await sync_to_async(login)(client, "admin")
    _, shown = await get(client, page)
    assert "<strong>0 of 3 would go now</strong>" in shown
    _, part = await get(client, page + "?keep=1", **{"HX-Request": "true"})
    assert "<html" not in part
    assert "<strong>2 of 3 would go now</strong>" in part
    for wrong in ({"keep": "0"}, {"keep": ""}, {"keep": "1", "daily": "x"}, {"keep": "1", "zone": "Mars"}):
        status, refused = await post(client, page, **wrong)
        assert status == 422
        assert "Refused." in refused
    await config.policies.aget(name="daily", keep_backups=5, keep_rules={})
    assert (await post(client, page, keep="1", daily="0", yearly="2", zone=""))[0] == 302
    policy = await config.policies.aget(name="daily")
    assert (policy.keep_backups, policy.keep_rules) == (1, {"yearly": 2})
    assert await AuditEntry.objects.filter(action="changed the retention of").aexists()
    assert await ConfigVersion.objects.filter(config=config).acount() == 1
    fourth = await back_up(config)
    found = await restores.list_restore_points(VIEWER, config.profile.name, config.name)
    assert {point.backup.name for point in found} == {fourth}
    assert fourth not in before


async def test_without_a_worker_one_that_no_run_reported_is_unknown(
    client, temporal_settings, source, monkeypatch
):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.3)
    await sync_to_async(login)(client, "admin")
    config = await catalog(**settings_for(source))
    for name in ("inbox-daily-7-1790000000", "a plugin's own name"):
        status, page = await get(client, address(config, "restore-point", name))
        assert status == 503
        assert "<strong>Unknown.</strong>" in page
        assert "No worker answered" in page
        assert "is-complete" not in page
        assert "1970" not in page, "when it was made is not known either"
        for action in ("hold-point", "verify-point", "delete-point"):
            told = await post(client, address(config, action, name), reason="x", confirmation=name)
            assert told[0] == 409, action
            assert "is not known now" in told[1]
    assert await Hold.objects.acount() == 0


async def test_a_retention_that_was_changed_meanwhile_is_shown_and_may_be_insisted_on(
    client, temporal_settings, source, monkeypatch
):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.1)
    config = await catalog(**settings_for(source))
    page = address(config, "retention", "daily")
    await sync_to_async(login)(client, "admin")
    mine = _opened(await get(client, page))
    assert (await post(client, page, keep="30", opened=_opened(await get(client, page))))[0] == 302
    _, preview = await get(client, f"{page}?keep=2&opened={mine}")
    assert _opened((200, preview)) == mine, "a look at numbers opens nothing anew"
    status, told = await post(client, page, keep="2", opened=mine)
    assert status == 409
    assert "Somebody else was here." in told
    assert "RetentionNumber = 30" in told
    assert 'name="keep" inputmode="numeric" value="2"' in told
    assert (await config.policies.aget(name="daily")).keep_backups == 30
    assert (await post(client, page, keep="2", opened=_opened((200, told))))[0] == 302
    assert (await config.policies.aget(name="daily")).keep_backups == 2


def _opened(answer: tuple[int, str]) -> str:
    return re.search(r'name="opened" value="(\d+)"', answer[1])[1]


async def test_without_a_worker_the_preview_is_unknown(client, temporal_settings, source, monkeypatch):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.3)
    await sync_to_async(login)(client, "viewer")
    config = await catalog(**settings_for(source))
    status, page = await get(client, address(config, "retention", "daily"))
    assert status == 503
    assert "No worker answered" in page
    assert (await get(client, address(config, "retention", "none")))[0] == 404


def test_a_backup_whose_name_fits_in_no_address_is_shown_without_one():
    backup = Backup(name="a/../b", policy="daily")
    point = Point(backup, Presence.PRESENT, datetime.now(UTC), None, None, None, None, None, None)
    found = PointList((point,), "", "", has_archives=False, abilities=frozenset())
    context = {
        "config": {"profile": "p", "name": "c", "storage_plugin": "x"},
        "found": found,
        "rows": [point_row(point)],
        "page": Paginator([point], 10).get_page(1),
        "may_operate": True,
    }
    page = render_to_string("workflows_app/restore_points.html", context)
    assert "<code>a/../b</code>" in page
    assert "by hand only" in page
