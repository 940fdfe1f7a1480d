"""Planted secrets: not in the database, not in Temporal's history, not in the log, not on a page."""

import asyncio
import json
import stat
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client

from tests.factories import OPERATOR, VIEWER, make_catalog
from workflows_app.domain.errors import NotAllowed
from workflows_app.domain.secrets.references import is_sealed
from workflows_app.domain.secrets.sealing import SealBroken, Seals
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, RunMessage
from workflows_app.services.configurations import secrets
from workflows_app.services.configurations.secrets import (
    opened_settings,
    rotate_secrets,
    seal_plain_secrets,
    sealed_settings,
)
from workflows_app.services.people.permissions import command_line
from workflows_app.services.runs import runs, starts
from workflows_app.services.temporal.client import temporal

pytestmark = pytest.mark.django_db(transaction=True)

PLANTED = "correct-horse-battery"
ADMIN = command_line("tests")


@pytest.fixture(autouse=True)
def keys(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]


def planted(**more: object) -> dict[str, object]:
    return {"appPluginParameters": {"PqPassword": PLANTED, "PqUser": "shop"}, **more}


def test_only_secrets_are_sealed_and_they_open_again():
    sealed = sealed_settings(planted())
    assert is_sealed(sealed["appPluginParameters"]["PqPassword"])
    assert sealed["appPluginParameters"]["PqUser"] == "shop"
    assert opened_settings(sealed) == planted()


def test_references_are_not_sealed():
    given = {"appPluginParameters": {"PqPassword": "env:SHOP_PASSWORD", "ApiToken": "file:/run/secrets/t"}}
    assert sealed_settings(given) == given


def test_a_rotation_seals_anew_with_the_first_key_and_seals_what_was_plain(settings):
    old, plain = make_catalog(**sealed_settings(planted())), make_catalog(**planted())
    settings.FOSSUL_SECRETS_KEYS = ["a new key", "the first key"]
    call_command("rotate_secrets")
    settings.FOSSUL_SECRETS_KEYS = ["a new key"]
    for row in (old, plain):
        row.refresh_from_db()
        assert is_sealed(row.settings["appPluginParameters"]["PqPassword"])
        assert opened_settings(row.settings) == planted()


def test_what_was_stored_in_the_clear_is_sealed_by_the_next_start():
    plain, old = make_catalog(**planted()), make_catalog(**sealed_settings(planted()))
    before = old.settings
    assert seal_plain_secrets() == 1
    plain.refresh_from_db()
    old.refresh_from_db()
    assert is_sealed(plain.settings["appPluginParameters"]["PqPassword"])
    assert old.settings == before, "what is sealed stays as it is"


def test_a_rotation_that_meets_a_secret_which_no_key_opens_changes_nothing(settings):
    first = make_catalog(**planted())
    broken = {"appPluginParameters": {"PqPassword": Seals(["lost"]).seal(PLANTED)}}
    make_catalog(**broken)
    with pytest.raises(SealBroken):
        rotate_secrets(ADMIN)
    first.refresh_from_db()
    assert first.settings == planted()
    with pytest.raises(NotAllowed):
        rotate_secrets(VIEWER)


TELLTALE = """#!/bin/sh
case "$*" in
*--info*) echo '{"name":"telltale","type":"app","capabilities":[{"name":"quiesce"},{"name":"unquiesce"}]}';;
*) echo "INFO the password is $PqPassword"; test "$PqPassword" = %s || exit 3;;
esac
"""


@sync_to_async
def raw_database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT settings FROM workflows_app_backupconfig")
        return json.dumps(cursor.fetchall())


async def test_a_run_uses_a_secret_that_nobody_can_read_anywhere(temporal_settings, settings, tmp_path: Path):
    from tests.conftest import running_worker

    plugin = tmp_path / "plugins" / "app" / "telltale"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(TELLTALE % PLANTED)
    plugin.chmod(stat.S_IRWXU)
    settings.FOSSUL_PLUGIN_DIRS = [tmp_path / "plugins"]
    sealed = sealed_settings(planted(appPlugin="telltale", storagePlugin="sample-storage"))
    config: BackupConfig = await sync_to_async(make_catalog)(**sealed)
    async with running_worker(temporal_settings):
        number = await starts.start_backup(OPERATOR, config.profile.name, config.name, "daily")
        run = await asyncio.wait_for(runs.wait_for_run(OPERATOR, number), 20)
    assert run.summary.state is RunState.COMPLETED, run.summary.failure
    said = [m.text async for m in RunMessage.objects.filter(run=number)]
    assert any(text.startswith("the password is") for text in said)
    async with temporal() as client:
        history = await client.get_workflow_handle(run.address.workflow_id).fetch_history()
    for place, text in (
        ("the log", "\n".join(said)),
        ("Temporal", history.to_json()),
        ("the database", await raw_database()),
        ("the record", json.dumps([run.result, run.progress.model_dump(mode="json")])),
    ):
        assert PLANTED not in text, place
    page = await sync_to_async(_page)(config)
    assert PLANTED not in page
    assert "sealed:" not in page, "nor is the sealed form anybody's business"
    assert "***" in page


def _page(config: BackupConfig) -> str:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client.get(f"/profiles/{config.profile.name}/{config.name}/").content.decode()


def test_without_a_key_nothing_is_stored_in_the_clear(settings):
    settings.FOSSUL_SECRETS_KEYS = []
    with pytest.raises(secrets.FossulError, match="FOSSUL_SECRETS_KEY"):
        sealed_settings(planted())
