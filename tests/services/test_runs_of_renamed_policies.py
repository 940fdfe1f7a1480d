"""Runs follow a policy that is renamed: lists and trends go on, and each knows its policy's old name."""

from datetime import UTC, datetime, timedelta

import pytest
from asgiref.sync import async_to_sync
from django.test import Client
from django.urls import reverse

from tests.factories import ADMIN, VIEWER, make_catalog, make_run
from tests.web.test_control import login
from workflows_app.domain.states import RunState
from workflows_app.models import BackupConfig, Run
from workflows_app.models.run_memos import memo_of
from workflows_app.services.editing import config_edits, gone_policies
from workflows_app.services.points import questions, restore_points
from workflows_app.services.protection import trends
from workflows_app.services.runs import run_search

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def temporal_away(settings) -> None:
    settings.TEMPORAL_ADDRESS = "127.0.0.1:1"


@pytest.fixture
def config() -> BackupConfig:
    return make_catalog()


def rename(config: BackupConfig, policy: str, new: str) -> None:
    config_edits.rename_policy(ADMIN, config.profile.name, config.name, policy, new)


def run_of(config: BackupConfig, policy: str = "daily", **more: object) -> Run:
    return make_run(profile=config.profile.name, config=config.name, policy=policy, **more)


def found(config: BackupConfig, policy: str) -> set[int]:
    query = run_search.RunQuery(profile=config.profile.name, config=config.name, policy=policy)
    return {run.number for run in run_search.find_runs(VIEWER, query).runs}


def names_of(run: Run) -> tuple[str, str]:
    run.refresh_from_db()
    return run.policy, run.policy_as_run


def test_a_filter_by_the_new_name_finds_the_old_runs(config):
    other = make_catalog()
    old, weekly, elsewhere = run_of(config), run_of(config, "weekly"), run_of(other)
    rename(config, "daily", "nightly")
    new = run_of(config, "nightly")
    assert found(config, "nightly") == {old.pk, new.pk}
    assert found(config, "daily") == set()
    assert [names_of(run) for run in (old, new, weekly, elsewhere)] == [
        ("nightly", "daily"),
        ("nightly", "nightly"),
        ("weekly", "weekly"),
        ("daily", "daily"),
    ]


def test_each_run_keeps_its_first_name_through_renames_there_and_back(config):
    first = run_of(config)
    rename(config, "daily", "nightly")
    second = run_of(config, "nightly")
    rename(config, "nightly", "hourly")
    assert [names_of(run) for run in (first, second)] == [("hourly", "daily"), ("hourly", "nightly")]
    rename(config, "hourly", "daily")
    assert [names_of(run) for run in (first, second)] == [("daily", "daily"), ("daily", "nightly")]
    first.refresh_from_db()
    assert first.former_policy == ""


def test_a_removed_policy_takes_no_run_along(config):
    run = run_of(config)
    edit = config_edits.open_edit(ADMIN, config.profile.name, config.name)
    kept = tuple(policy for policy in edit.configuration.policies if policy.name != "daily")
    changed = type(edit.configuration)(edit.configuration.config, kept, edit.configuration.plan)
    config_edits.save_config(
        ADMIN, config.profile.name, config.name, edit.version, edit.description, changed, {"daily": ""}
    )
    assert names_of(run) == ("daily", "daily")


def test_a_trend_goes_on_and_what_temporal_was_told_stays(config):
    begun = datetime.now(UTC) - timedelta(hours=1)
    done = {"status": RunState.COMPLETED, "started": begun, "finished": begun + timedelta(minutes=3)}
    run = run_of(config, **done)
    told = memo_of(run)
    rename(config, "daily", "nightly")
    trend = trends.get_trend(VIEWER, config.profile.name, config.name, datetime.now(UTC))
    assert {each.policy: [b.number for b in each.history] for each in trend.policies}["nightly"] == [run.pk]
    run.refresh_from_db()
    assert memo_of(run) == told


def test_a_runs_page_says_what_it_was_called(client: Client, config):
    run = run_of(config, status=RunState.ERROR, finished=datetime.now(UTC))
    address = reverse("run", args=[run.pk])
    login(client, "viewer")
    assert "when it began" not in client.get(address).content.decode()
    rename(config, "daily", "nightly")
    assert "called daily when it began" in client.get(address).content.decode()
    login(client, "operator")
    again = reverse("start-backup", args=[config.profile.name, config.name, "nightly"])
    assert again in client.get(address).content.decode(), "it can be run again under the new name"


def test_what_a_policy_leaves_counts_its_runs(config, monkeypatch):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.1)
    run_of(config)
    run_of(config)
    left = async_to_sync(gone_policies.left_behind)(
        ADMIN, config.profile.name, config.name, ["daily", "weekly"]
    )
    assert [policy.runs for policy in left.policies] == [2, 0]


def test_a_restore_point_keeps_the_name_that_is_part_of_its_own(config, monkeypatch):
    monkeypatch.setattr(questions, "LOOK_SECONDS", 0.1)
    run_of(config, progress={"backup_name": "a plugin's own name"})
    rename(config, "daily", "nightly")
    found = async_to_sync(restore_points.list_points)(VIEWER, config.profile.name, config.name)
    assert found.trouble
    assert [point.backup.policy for point in found.points] == ["daily"]
