"""Configurations made, changed and taken back: checked, versioned, never lost, their secrets kept sealed."""

from dataclasses import replace
from uuid import uuid4

import pytest

from tests.factories import ADMIN, OPERATOR, make_catalog
from tests.services.published import publish_all
from workflows_app.domain.config import WhenBusy
from workflows_app.domain.config_files.configuration import FilePolicy
from workflows_app.domain.editing.starters import starter
from workflows_app.domain.errors import (
    ConfigInvalid,
    NotAllowed,
    NotFound,
    Outdated,
    PoliciesGone,
    SettingsRefused,
)
from workflows_app.domain.secrets.references import is_sealed
from workflows_app.models import AuditEntry, BackupConfig, ConfigVersion, Profile, ScheduleMove
from workflows_app.services.configurations import versions
from workflows_app.services.configurations.secrets import rotate_secrets
from workflows_app.services.editing import config_edits, plans

pytestmark = pytest.mark.django_db

PLANTED = "correct-horse-battery"


@pytest.fixture(autouse=True)
def keys(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]
    publish_all()


@pytest.fixture
def profile() -> str:
    return Profile.objects.create(name=f"p-{uuid4().hex[:8]}").name


def files(**parameters: str):
    begun = starter("files").configuration
    return begun.with_settings(
        storage_plugin_parameters={"BackupSrcPaths": "/srv", "BackupDestPath": "/backup", **parameters},
        app_plugin="vault",
        app_plugin_parameters={"Opening": PLANTED, "Host": "h"},
    )


@pytest.fixture
def row(profile) -> BackupConfig:
    config_edits.create_config(ADMIN, profile, "orders", "the shop", files(), "by a test")
    return BackupConfig.objects.get(profile__name=profile)


def opened(row: BackupConfig) -> config_edits.Edit:
    return config_edits.open_edit(ADMIN, row.profile.name, row.name)


def save(
    row: BackupConfig,
    configuration,
    *,
    version: int | None = None,
    description: str = "the shop",
    successors: dict[str, str] | None = None,
) -> bool:
    number = opened(row).version if version is None else version
    place = (row.profile.name, row.name)
    return config_edits.save_config(ADMIN, *place, number, description, configuration, successors or {})


def history(row: BackupConfig):
    return versions.list_versions(ADMIN, row.profile.name, row.name)


def test_what_is_made_is_stored_with_its_first_version(row):
    assert row.settings["storagePluginParameters"]["BackupSrcPaths"] == "/srv"
    assert [(p.name, p.keep_backups) for p in row.policies.all()] == [("daily", 7), ("weekly", 4)]
    assert (row.description, row.version) == ("the shop", 1)
    (version,) = ConfigVersion.objects.filter(config=row)
    assert (version.number, version.author, version.reason) == (1, "ada", "by a test")
    assert AuditEntry.objects.get().action == "created"


def test_a_declared_secret_is_sealed_in_the_row_and_in_its_versions(row):
    save(row, files(CompressionLevel="4"))
    row.refresh_from_db()
    contents = [row.settings, *(v.content["settings"] for v in row.versions.all())]
    for content in contents:
        assert is_sealed(content["appPluginParameters"]["Opening"])
        assert content["appPluginParameters"]["Host"] == "h"
        assert PLANTED not in str(content)
    assert opened(row).configuration.config.app_plugin_parameters["Opening"] == PLANTED


def test_a_change_is_a_version_with_what_it_changed(row):
    changed = replace(files(), policies=(FilePolicy("daily", 9, 2, WhenBusy.QUEUE), FilePolicy("weekly", 4)))
    assert save(row, changed, description="new words")
    (newest, first) = history(row).versions
    assert (newest.number, first.number, history(row).current) == (2, 1, 2)
    assert first.lines == ()
    assert "-RetentionNumber = 7" in newest.lines
    assert "+RetentionNumber = 9" in newest.lines
    assert "+description: new words" in newest.lines
    assert newest.reason == "changed the description, policies"
    assert AuditEntry.objects.first().details == "version 2"


def test_a_policy_is_taken_away_only_when_somebody_said_what_becomes_of_its_schedules(row):
    changed = replace(files(), policies=(FilePolicy("nightly", 7), FilePolicy("weekly", 4)))
    with pytest.raises(PoliciesGone) as gone:
        save(row, changed)
    assert gone.value.policies == ("daily",)
    with pytest.raises(ConfigInvalid, match="'weekly' is no new policy"):
        save(row, changed, successors={"daily": "weekly"})
    assert (ConfigVersion.objects.count(), ScheduleMove.objects.count()) == (1, 0)
    assert save(row, changed, successors={"daily": "nightly", "another": "x"})
    move = ScheduleMove.objects.get()
    assert (move.profile, move.config) == (move.to_profile, move.to_config) == (row.profile.name, row.name)
    assert (move.policy, move.to_policy) == ("daily", "nightly")
    assert AuditEntry.objects.first().details == "version 2; policy daily renamed nightly"
    assert save(row, replace(changed, policies=changed.policies[:1]), successors={"weekly": ""})
    assert ScheduleMove.objects.filter(policy="weekly", to_config="", to_policy="").exists()
    assert AuditEntry.objects.first().details == "version 3; policy weekly removed"


def test_a_policy_is_renamed_with_its_rules_and_its_place(row):
    row.policies.filter(name="daily").update(keep_rules={"weekly": 4}, when_busy=WhenBusy.QUEUE)
    place = (row.profile.name, row.name)
    config_edits.rename_policy(ADMIN, *place, "daily", "nightly")
    assert [p.name for p in row.policies.order_by("position")] == ["nightly", "weekly"]
    renamed = row.policies.get(name="nightly")
    assert (renamed.keep_backups, renamed.keep_rules, renamed.when_busy) == (7, {"weekly": 4}, "queue")
    assert [(m.policy, m.to_policy) for m in ScheduleMove.objects.all()] == [("daily", "nightly")]
    config_edits.rename_policy(ADMIN, *place, "weekly", "weekly")
    for policy, new, refusal in (
        ("daily", "other", NotFound),
        ("weekly", "nightly", ConfigInvalid),
        ("weekly", "../x", ConfigInvalid),
    ):
        with pytest.raises(refusal):
            config_edits.rename_policy(ADMIN, *place, policy, new)
    with pytest.raises(NotAllowed):
        config_edits.rename_policy(OPERATOR, *place, "weekly", "other")
    assert ConfigVersion.objects.filter(config=row).count() == 2


def test_saving_what_is_there_already_makes_no_version(row):
    assert not save(row, opened(row).configuration)
    assert ConfigVersion.objects.count() == 1
    assert AuditEntry.objects.count() == 1


def test_a_changed_secret_is_told_of_without_its_value(row):
    other = files().with_settings(app_plugin_parameters={"Opening": "another-one-entirely", "Host": "h"})
    save(row, other)
    text = "\n".join(history(row).versions[0].lines)
    assert "Opening" in text
    assert PLANTED not in text
    assert "another-one-entirely" not in text
    assert "entirely" not in history(row).versions[0].reason


def test_the_second_of_two_who_edit_is_told_and_changes_nothing(row):
    begun = opened(row)
    save(row, files(CompressionLevel="9"))
    mine = files(CompressionLevel="1")
    with pytest.raises(Outdated, match="ada saved version 2 after you opened version 1"):
        save(row, mine, version=begun.version)
    row.refresh_from_db()
    assert row.settings["storagePluginParameters"]["CompressionLevel"] == "9"
    mixed = config_edits.meanwhile(ADMIN, row.profile.name, row.name, begun.version, "the shop", mine)
    assert '+CompressionLevel = "9"' in mixed.theirs
    assert '-CompressionLevel = "9"' in mixed.yours
    assert '+CompressionLevel = "1"' in mixed.yours
    assert PLANTED not in str(mixed)
    assert save(row, mine, version=2)


def test_a_changed_plan_is_a_change_that_the_editor_is_told_of(row):
    begun = opened(row)
    plans.save_plan(ADMIN, row.profile.name, row.name, opened(row).version, '[Plan]\nFreezeBudget = "10m"')
    with pytest.raises(Outdated):
        save(row, files(CompressionLevel="9"), version=begun.version)
    assert '+FreezeBudget = "10m"' in "\n".join(history(row).versions[0].lines)


def test_an_edit_leaves_the_plan_alone_unless_it_is_dropped(row):
    plans.save_plan(ADMIN, row.profile.name, row.name, opened(row).version, '[Plan]\nFreezeBudget = "10m"')
    now = opened(row).configuration
    save(row, now.with_settings(job_retention=3))
    row.refresh_from_db()
    assert row.plan["freezeBudgetSeconds"] == 600
    save(row, replace(now, plan=None))
    row.refresh_from_db()
    assert row.plan == {}


def test_an_edit_that_the_plan_forbids_is_refused_by_name(row):
    order = ["quiesce-plugin", "backup-plugin", "unquiesce-plugin", "job-retention", "backup-retention"]
    stages = ", ".join(f'["{key}"]' for key in order)
    plans.save_plan(ADMIN, row.profile.name, row.name, opened(row).version, f"[Plan]\nStages = [{stages}]")
    now = opened(row).configuration
    with pytest.raises(SettingsRefused) as refused:
        save(row, now.with_settings(app_plugin="", app_plugin_parameters={}))
    assert {problem.setting for problem in refused.value.problems} == {"Plan"}


def test_going_back_restores_everything_as_a_new_version(row):
    BackupConfig.objects.get(pk=row.pk).policies.filter(name="daily").update(
        keep_rules={"daily": 7}, archive_keep_rules={"monthly": 6}
    )
    versions.keep(ADMIN, row, "keeps by age")
    wholly_other = starter("files").configuration.with_settings(
        storage_plugin_parameters={"BackupSrcPaths": "/x", "BackupDestPath": "/y"}, job_retention=1
    )
    other = replace(wholly_other, policies=(FilePolicy("other", 1),))
    save(row, other, description="", successors={"daily": "other", "weekly": ""})
    with pytest.raises(PoliciesGone, match="takes away the policy other"):
        config_edits.go_back(ADMIN, row.profile.name, row.name, 2, 3)
    assert config_edits.go_back(ADMIN, row.profile.name, row.name, 2, 3, {"other": "weekly"})
    assert [(m.policy, m.to_policy) for m in ScheduleMove.objects.all()] == [
        ("daily", "other"),
        ("weekly", ""),
        ("other", "weekly"),
    ]
    row.refresh_from_db()
    assert (row.version, row.description) == (4, "the shop")
    assert opened(row).configuration.config.app_plugin_parameters == {"Opening": PLANTED, "Host": "h"}
    assert [(p.name, p.keep_backups) for p in row.policies.all()] == [("daily", 7), ("weekly", 4)]
    daily = row.policies.get(name="daily")
    assert (daily.keep_rules, daily.archive_keep_rules) == ({"daily": 7}, {"monthly": 6})
    assert history(row).versions[0].reason == "back to version 2"
    assert not config_edits.go_back(ADMIN, row.profile.name, row.name, 2, 4), "it is that already"


def test_going_back_is_refused_when_somebody_was_quicker_or_there_is_no_such_version(row):
    save(row, files(CompressionLevel="9"))
    with pytest.raises(Outdated):
        config_edits.go_back(ADMIN, row.profile.name, row.name, 1, 1)
    with pytest.raises(NotFound, match="no version 7"):
        config_edits.go_back(ADMIN, row.profile.name, row.name, 7, 2)


def test_old_versions_can_still_be_opened_after_a_rotation(row, settings):
    save(row, files(CompressionLevel="9"))
    settings.FOSSUL_SECRETS_KEYS = ["a new key", "the first key"]
    rotate_secrets(ADMIN)
    settings.FOSSUL_SECRETS_KEYS = ["a new key"]
    assert len(history(row).versions) == 2
    assert config_edits.go_back(ADMIN, row.profile.name, row.name, 1, 2)
    assert opened(row).configuration.config.app_plugin_parameters["Opening"] == PLANTED


@pytest.mark.parametrize("name", ["", "two words", "../x", "a/b", "x" * 64, "-a"])
def test_a_bad_name_is_refused_and_nothing_is_made(profile, name):
    with pytest.raises(ConfigInvalid) as refused:
        config_edits.create_config(ADMIN, profile, name, "", files(), "x")
    assert refused.value.field == "name"
    assert not BackupConfig.objects.exists()


def test_a_name_is_given_once(row):
    with pytest.raises(ConfigInvalid, match="already"):
        config_edits.create_config(ADMIN, row.profile.name, row.name, "", files(), "x")
    assert BackupConfig.objects.count() == 1
    with pytest.raises(NotFound):
        config_edits.create_config(ADMIN, "nonesuch", "x", "", files(), "x")


def test_what_is_refused_changes_nothing(row):
    before = row.settings
    with pytest.raises(SettingsRefused) as refused:
        save(row, files(BackupDestPath=""), description="y" * 201)
    named = {problem.setting for problem in refused.value.problems}
    assert named == {"StoragePluginParameters.BackupDestPath", "description"}
    row.refresh_from_db()
    assert (row.settings, row.version, AuditEntry.objects.count()) == (before, 1, 1)


def test_only_who_may_configure_may(row):
    place = (row.profile.name, row.name)
    for act in (
        lambda: config_edits.open_edit(OPERATOR, *place),
        lambda: config_edits.create_config(OPERATOR, place[0], "x", "", files(), "x"),
        lambda: config_edits.save_config(OPERATOR, *place, 1, "", files()),
        lambda: config_edits.go_back(OPERATOR, *place, 1, 1),
        lambda: config_edits.meanwhile(OPERATOR, *place, 1, "", files()),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert ConfigVersion.objects.count() == 1


def test_a_configuration_from_before_versions_gets_its_first_with_its_first_change():
    row = make_catalog(
        storagePlugin="filesystem", storagePluginParameters={"BackupDestPath": "/b", "BackupSrcPaths": "/s"}
    )
    assert save(row, opened(row).configuration.with_settings(job_retention=9), description="")
    assert [v.number for v in history(row).versions] == [1]
