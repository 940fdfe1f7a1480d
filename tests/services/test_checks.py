"""Tests of configurations: a real worker looks at what is typed, and no secret is in Temporal."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from temporalio.client import Client

from tests.conftest import running_worker
from tests.factories import ADMIN, OPERATOR, VIEWER, make_catalog
from workflows_app.domain import naming
from workflows_app.domain.config import Config
from workflows_app.domain.config_files.configuration import Configuration
from workflows_app.domain.errors import NotAllowed, NotFound, TemporalUnavailable
from workflows_app.domain.findings import CheckPart, Findings, FindingState
from workflows_app.domain.plans.plan_layouts import PlanLayout
from workflows_app.domain.results import ParameterSpec, PluginInfo
from workflows_app.domain.secrets.references import is_sealed
from workflows_app.domain.secrets.sealing import Seals
from workflows_app.models import AuditEntry, BackupConfig
from workflows_app.services.configurations import checks
from workflows_app.services.configurations.plugins import publish
from workflows_app.services.temporal import looks

pytestmark = pytest.mark.django_db(transaction=True)

PLANTED = "correct-horse-battery"
KEY = "the first key"
TELLTALE = """#!/bin/sh
case "$1" in
--info) echo '{"name": "telltale", "version": "1", "type": "app", "capabilities": [{"name": "check"}],
    "parameters": [{"name": "Opening", "secret": true}]}';;
--check) test "$Opening" = %s || exit 3
    echo '[{"state": "GOOD", "words": "it opens with '"$Opening"'"}]';;
*) exit 9;;
esac
"""


@pytest.fixture(autouse=True)
def keys(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = [KEY]


@pytest.fixture
def telltale(settings, tmp_path: Path) -> str:
    """An executable that tells its secret to everybody; only its own info says that it is one."""
    plugin = tmp_path / "plugins" / "app" / "telltale"
    plugin.parent.mkdir(parents=True)
    plugin.write_text(TELLTALE % PLANTED)
    plugin.chmod(stat.S_IRWXU)
    settings.FOSSUL_PLUGIN_DIRS = [tmp_path / "plugins"]
    opening = ParameterSpec(name="Opening", secret=True)
    publish("1@tests", [PluginInfo(name="telltale", type="app", parameters=(opening,))])
    return "telltale"


def seat(queue: str) -> str:
    """The id of the first test that runs on a queue where none does yet."""
    return naming.check_workflow_id(queue, 1)


def files(source: Path, destination: Path, **more: str) -> Configuration:
    """A configuration of the plugin filesystem, as it is typed."""
    parameters = {"BackupSrcPaths": str(source), "BackupDestPath": str(destination)}
    return Configuration(
        Config(storage_plugin="filesystem", storage_plugin_parameters=parameters, **more), ()
    )


def words(found: Findings, state: FindingState) -> str:
    return "\n".join(each.words for each in found.findings if each.state is state)


async def test_what_is_typed_is_tested_by_a_worker_and_not_stored(worker, tmp_path: Path):
    source, destination = tmp_path / "source", tmp_path / "destination"
    destination.mkdir()
    draft = files(source, destination, app_quiesce_cmd="sh,-c,sleep 100")
    missing = await checks.check_draft(ADMIN, "home", "documents", draft)
    assert set(missing.parts) == {CheckPart.STORAGE, CheckPart.COMMANDS}
    assert f"Cannot read the source {source}" in words(missing.parts[CheckPart.STORAGE], FindingState.BAD)
    source.mkdir()
    there = (await checks.check_draft(ADMIN, "home", "", draft)).parts
    assert {each.state for each in there[CheckPart.STORAGE].findings} == {FindingState.GOOD}
    assert "The plugin filesystem, version" in there[CheckPart.STORAGE].findings[0].words
    assert {each.state for each in there[CheckPart.COMMANDS].findings} == {FindingState.GOOD}
    assert list(destination.iterdir()) == []
    assert not await BackupConfig.objects.aexists()
    assert not await AuditEntry.objects.aexists()


async def test_a_secret_that_is_typed_reaches_the_plugin_and_nobody_else(
    temporal_settings: str, temporal_server: Client, telltale: str
):
    config = Config(
        app_plugin=telltale,
        app_plugin_parameters={"Opening": PLANTED},
        send_trap_error_cmd=f"echo,{PLANTED}",
    )
    layout = PlanLayout(commands={"tell": f"echo,{PLANTED}"})
    async with running_worker(temporal_settings):
        found = await checks.check_draft(ADMIN, "p", "c", Configuration(config, (), layout))
    told = words(found.parts[CheckPart.APP], FindingState.GOOD)
    assert "it opens with ***" in told
    assert len(found.parts[CheckPart.COMMANDS].findings) == 2
    history = await history_of(temporal_server, seat(temporal_settings))
    assert "telltale" in history
    assert "sealed:" in history
    assert PLANTED not in history
    assert PLANTED not in found.model_dump_json()


async def history_of(client: Client, workflow_id: str) -> str:
    """What Temporal has of a workflow, decoded as people can read it."""
    history = await client.get_workflow_handle(workflow_id).fetch_history()
    return "\n".join(
        payload.data.decode()
        for event in history.events
        for payloads in (
            event.workflow_execution_started_event_attributes.input,
            event.activity_task_scheduled_event_attributes.input,
            event.activity_task_completed_event_attributes.result,
            event.workflow_execution_completed_event_attributes.result,
        )
        for payload in payloads.payloads
    )


async def test_a_stored_configuration_is_tested_with_its_stored_secrets(
    temporal_settings: str, telltale: str
):
    row = await sync_to_async(make_catalog)(
        appPlugin=telltale, appPluginParameters={"Opening": Seals([KEY]).seal(PLANTED)}
    )
    async with running_worker(temporal_settings):
        found = await checks.check_config(OPERATOR, row.profile.name, row.name)
        assert "it opens with ***" in words(found.parts[CheckPart.APP], FindingState.GOOD)
        with pytest.raises(NotFound):
            await checks.check_config(OPERATOR, row.profile.name, "nonesuch")


async def test_what_keeps_one_plugin_from_being_asked_is_its_own_trouble(worker, tmp_path: Path):
    draft = files(tmp_path, tmp_path / "destination")
    config = draft.config.model_copy(
        update={
            "app_plugin": "nonesuch",
            "archive_plugin": "s3",
            "archive_plugin_parameters": {"SecretAccessKey": "env:NO_SUCH_VARIABLE"},
        }
    )
    found = (await checks.check_draft(ADMIN, "p", "c", Configuration(config, ()))).parts
    assert "There is no app plugin 'nonesuch'" in found[CheckPart.APP].result.reason
    assert "does not have" in found[CheckPart.ARCHIVE].result.reason
    assert found[CheckPart.STORAGE].result.code == 0
    assert found[CheckPart.STORAGE].findings


async def test_one_part_is_tested_even_where_nothing_is_chosen(worker):
    nothing = Configuration(Config(), ())
    assert (await checks.check_draft(ADMIN, "p", "c", nothing)).parts == {}
    found = await checks.check_draft(ADMIN, "p", "c", nothing, (CheckPart.APP,))
    (finding,) = found.parts[CheckPart.APP].findings
    assert finding.state is FindingState.UNKNOWN
    assert "No app plugin is chosen" in finding.words


async def test_without_a_worker_that_is_said_soon(temporal_settings: str, monkeypatch, tmp_path: Path):
    monkeypatch.setattr(looks, "UNSEEN_SECONDS", 0.5)
    monkeypatch.setattr(checks, "ANSWER_SECONDS", 1000.0)
    with pytest.raises(TemporalUnavailable, match="No worker answered within 0 s whether p/c has what a run"):
        await checks.check_draft(ADMIN, "p", "c", files(tmp_path, tmp_path / "d"))


async def test_a_temporal_that_hangs_is_not_taken_for_a_missing_worker(
    temporal_settings: str, monkeypatch, tmp_path: Path
):
    async def hangs() -> str:
        return "Temporal at x does not answer (Timeout expired)."

    monkeypatch.setattr(looks, "UNSEEN_SECONDS", 0.2)
    monkeypatch.setattr(looks, "ask_temporal", hangs)
    with pytest.raises(TemporalUnavailable, match=r"^Temporal at x does not answer"):
        await checks.check_draft(ADMIN, "p", "c", files(tmp_path, tmp_path / "d"))


async def test_a_question_that_nobody_waits_for_any_more_is_not_kept(
    temporal_settings: str, temporal_server: Client, monkeypatch, tmp_path: Path
):
    monkeypatch.setattr(looks, "UNSEEN_SECONDS", 0.2)
    with pytest.raises(TemporalUnavailable):
        await checks.check_draft(ADMIN, "p", "c", files(tmp_path, tmp_path / "d"))
    found = await temporal_server.get_workflow_handle(seat(temporal_settings)).describe()
    limit = found.raw_description.execution_config.workflow_execution_timeout
    assert limit.ToTimedelta() == timedelta(seconds=0.2) + looks.LATE


@pytest.mark.parametrize("actor", [OPERATOR, VIEWER])
async def test_who_may_not_change_a_configuration_may_not_try_one(actor, tmp_path: Path):
    with pytest.raises(NotAllowed):
        await checks.check_draft(actor, "p", "c", files(tmp_path, tmp_path / "d"))


async def test_who_may_not_start_runs_may_not_test_a_stored_one(tmp_path: Path):
    with pytest.raises(NotAllowed):
        await checks.check_config(VIEWER, "p", "c")


def test_of_commands_only_the_programs_are_sent():
    config = Config(app_quiesce_cmd="curl,-H,Authorization: Bearer abc", app_plugin_parameters={"a": "b"})
    asked = checks.check_input(config, PlanLayout(), (CheckPart.COMMANDS,), ())
    assert asked.config.app_quiesce_cmd == "curl"
    assert "Bearer" not in asked.model_dump_json()


def test_a_parameter_that_a_plugin_declares_secret_is_sealed():
    config = Config(app_plugin="x", app_plugin_parameters={"Opening": PLANTED, "Host": "h"})
    sent = checks.check_input(config, PlanLayout(), tuple(CheckPart), ("Opening",)).config
    assert is_sealed(sent.app_plugin_parameters["Opening"])
    assert sent.app_plugin_parameters["Host"] == "h"
