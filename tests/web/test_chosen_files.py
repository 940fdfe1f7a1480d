"""Files of a restore point, chosen page by page, and the restore of them."""

import re
from html import unescape

import pytest
from asgiref.sync import sync_to_async
from django.http import QueryDict

from tests.factories import VIEWER
from tests.services.test_restored_files import config
from tests.services.test_restores import back_up, source
from tests.web.test_control import login
from tests.web.test_restore_points import address
from workflows_app.domain.config import Config
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Capability, PluginInfo
from workflows_app.domain.runs.restores import MOST_FILES
from workflows_app.models import Run
from workflows_app.services.configurations import plugins
from workflows_app.services.configurations.plugins import publish
from workflows_app.web.pages.chosen_files import SHOWN, Chosen, carried, read_chosen

__all__ = ["config", "source"]


def form(**fields: str | list[str]) -> QueryDict:
    query = QueryDict(mutable=True)
    for name, value in fields.items():
        query.setlist(name, value if isinstance(value, list) else [value])
    return query


def test_ticks_are_added_to_what_the_form_carries():
    sent = form(chosen="/a /b", shown="/c /d", tick=["/d", "/c"])
    assert read_chosen(sent).keys == ("/a", "/b", "/d", "/c")
    assert read_chosen(form(chosen=read_chosen(sent).text)).keys == read_chosen(sent).keys


def test_what_was_shown_and_is_no_longer_ticked_is_not_chosen():
    assert read_chosen(form(chosen="/a /b", shown="/a /c ", tick="/c")).keys == ("/b", "/c")


def test_what_is_left_out_is_not_chosen_though_it_is_ticked():
    assert read_chosen(form(chosen="/a /b", shown="/a", tick="/a", drop="/a")).keys == ("/b",)


def test_choosing_none_and_choosing_nothing():
    assert read_chosen(form(chosen="/a", tick="/b", none="yes")).keys == ()
    assert read_chosen(form()).keys == ()


def test_a_chosen_folder_takes_its_files_in():
    assert read_chosen(form(chosen="/a/x /b", shown="/a", tick="/a")).keys == ("/b", "/a")


def test_too_much_is_refused_and_what_was_carried_is_known():
    sent = form(chosen="/a", tick=[f"/f{n}" for n in range(MOST_FILES)])
    with pytest.raises(ConfigInvalid):
        read_chosen(sent)
    assert carried(sent).keys == ("/a",)


def test_a_page_names_the_first_ones():
    chosen = Chosen(tuple(f"/f%20{n}" for n in range(SHOWN + 3)))
    assert (len(chosen.named), chosen.named[0].path, chosen.more) == (SHOWN, "/f 0", 3)


ABLE = PluginInfo(name="restic", type="storage", capabilities=(Capability(name="restoreFiles"),))


@sync_to_async
def send(client, url: str, **fields: str | list[str]) -> tuple[int, str, str]:
    answer = client.post(url, fields)
    return answer.status_code, answer.content.decode(), answer.headers.get("Location", "")


@sync_to_async
def show(client, url: str) -> str:
    return client.get(url).content.decode()


def hidden(page: str, name: str) -> str:
    found = re.search(f'<input type="hidden" name="{name}" value="([^"]*)"', page)
    return unescape(found[1]) if found else ""


@pytest.mark.django_db(transaction=True)
async def test_a_choice_survives_folders_and_searches_and_is_restored(
    client, worker, config, source, tmp_path
):
    await sync_to_async(login)(client, "operator")
    await sync_to_async(publish)("1@tests", (ABLE,))
    name = await back_up(config)
    files = address(config, "point-files", name)
    deep, letter = f"{source}/deep", f"{source}/deep/letter.txt"

    top = await show(client, files)
    assert 'type="checkbox" name="tick"' in top
    code, page, _ = await send(client, files, go=f"in={deep}", shown=str(source))
    assert code == 200
    assert f'name="tick" value="{letter}"' in page
    _, page, _ = await send(client, files, shown=hidden(page, "shown"), tick=letter, go=f"in={source}")
    assert hidden(page, "chosen") == letter
    assert f'name="tick" value="{deep}"' in page
    _, page, _ = await send(client, files, chosen=letter, search="yes", q="letter")
    assert re.search(f'name="tick" value="{letter}"[^>]*checked', page)
    _, page, _ = await send(client, files, chosen=letter, tick=deep, go=f"in={deep}")
    assert hidden(page, "chosen") == deep
    assert f'name="tick" value="{letter}"' not in page, "its folder is chosen"

    wizard = address(config, "restore", name)
    _, page, _ = await send(client, wizard, wizard="files", chosen="", tick=letter)
    assert letter in page
    assert "hooks do not run" in page
    fields = {"chosen": hidden(page, "chosen"), "of_files": "yes", "target": str(tmp_path / "back")}
    code, page, _ = await send(client, wizard, **fields)
    assert code == 422, "the name was not typed"
    assert hidden(page, "chosen") == letter
    code, _, run = await send(client, wizard, **fields, confirmation=config.name)
    assert code == 302
    page = await show(client, run)
    assert "1 chosen file or folder" in page
    assert letter in page
    assert str(tmp_path / "back") in page


@pytest.mark.django_db(transaction=True)
async def test_a_form_for_chosen_files_is_never_taken_for_everything(client, temporal_settings, config):
    await sync_to_async(login)(client, "operator")
    wizard = address(config, "restore", "x-daily-1-1")
    code, page, _ = await send(client, wizard, of_files="yes", chosen=" ", confirmation=config.name)
    assert (code, "tick them again" in page) == (422, True)
    code, _, location = await send(client, wizard, wizard="files", chosen="")
    assert (code, location) == (302, address(config, "point-files", "x-daily-1-1"))
    code, _, _ = await send(client, wizard, wizard="files", chosen="", tick="../x")
    assert code == 422
    assert await Run.objects.acount() == 0


@pytest.mark.django_db(transaction=True)
async def test_who_may_not_restore_or_whose_plugin_cannot_sees_links_and_no_ticks(
    client, worker, config, monkeypatch
):
    name = await back_up(config)
    files = address(config, "point-files", name)
    await sync_to_async(publish)("1@tests", (ABLE,))
    await sync_to_async(login)(client, "viewer")
    assert 'name="tick"' not in await show(client, files)
    assert (await send(client, address(config, "restore", name), wizard="files", tick="/x"))[0] == 403
    await sync_to_async(login)(client, "operator")
    assert 'name="tick"' in await show(client, files)
    monkeypatch.setattr(plugins, "restores_files", lambda actor, config: False)
    page = await show(client, files)
    assert 'name="tick"' not in page
    assert "?in=" in page


@pytest.mark.django_db
def test_a_plugin_restores_files_when_a_worker_says_so():
    stored = Config(storage_plugin="restic")
    assert not plugins.restores_files(VIEWER, stored)
    publish("1@tests", (ABLE,))
    assert plugins.restores_files(VIEWER, stored)
    publish("1@tests", (ABLE.model_copy(update={"capabilities": ()}),))
    assert not plugins.restores_files(VIEWER, stored)
