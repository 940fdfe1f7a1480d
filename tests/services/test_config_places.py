"""Configurations and profiles renamed, duplicated, disabled, deleted: what follows, what stays, who may."""

from datetime import UTC, datetime

import pytest

from tests.factories import ADMIN, OPERATOR, VIEWER, make_catalog, make_run
from tests.services.published import publish_all
from workflows_app.domain.errors import ConfigInvalid, NotAllowed, NotFound, NotNow
from workflows_app.domain.secrets.references import is_sealed
from workflows_app.models import AuditEntry, BackupConfig, ConfigVersion, Hold, Profile, Removal, Run
from workflows_app.services.configurations import catalog, versions
from workflows_app.services.configurations.secrets import sealed_settings
from workflows_app.services.editing import config_places, profile_edits

pytestmark = pytest.mark.django_db

SETTINGS = {
    "appPlugin": "vault",
    "storagePlugin": "filesystem",
    "appPluginParameters": {"Password": "correct-horse-battery"},
}


@pytest.fixture(autouse=True)
def keys(settings) -> None:
    settings.FOSSUL_SECRETS_KEYS = ["the first key"]
    publish_all()


@pytest.fixture
def row() -> BackupConfig:
    row = make_catalog(**sealed_settings(SETTINGS))
    row.policies.filter(name="daily").update(keep_rules={"daily": 7}, archive_keep_rules={"monthly": 6})
    versions.keep(ADMIN, row, "by a test")
    return row


def place(row: BackupConfig) -> tuple[str, str]:
    return row.profile.name, row.name


def closed_run(row: BackupConfig) -> Run:
    profile, config = place(row)
    return make_run(profile=profile, config=config, finished=datetime.now(UTC), status="COMPLETED")


def actions() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


@pytest.mark.parametrize("whole", [False, True])
def test_what_is_known_of_restore_points_follows_onto_a_name_that_was_in_use(row, whole):
    profile, config = place(row)
    old = (f"{profile}-old", config) if whole else (profile, "old")
    for owner, name, reason in ((*old, "long ago"), (*place(row), "the audit")):
        for backup in ("moved", f"of {reason}"):
            told = {"profile": owner, "config": name, "backup": backup}
            Hold.objects.create(**told, reason=reason, by="olga", since=datetime.now(UTC))
            Removal.objects.create(**told, how=reason, time=datetime.now(UTC))
    if whole:
        profile_edits.change_profile(ADMIN, profile, old[0], "")
    else:
        config_places.rename_config(ADMIN, *place(row), old[1])
    expected = {("moved", "long ago"), ("of long ago", "long ago"), ("of the audit", "the audit")}
    for told, words in ((Hold, "reason"), (Removal, "how")):
        rows = told.objects.all()
        assert set(rows.values_list("backup", words)) == expected
        assert set(rows.values_list("profile", "config")) == {old}


def test_a_renamed_configuration_keeps_its_runs_and_its_history(row):
    run = closed_run(row)
    other = make_run(profile=row.profile.name, config="other", finished=datetime.now(UTC))
    config_places.rename_config(ADMIN, *place(row), "renamed")
    run.refresh_from_db()
    other.refresh_from_db()
    assert (run.config, other.config) == ("renamed", "other")
    assert catalog.get_config(ADMIN, row.profile.name, "renamed").version == 1
    with pytest.raises(NotFound):
        catalog.get_config(ADMIN, *place(row))
    assert actions() == ["renamed"]


def test_a_duplicate_is_the_same_and_has_no_runs(row):
    closed_run(row)
    elsewhere = Profile.objects.create(name="elsewhere").name
    config_places.duplicate_config(ADMIN, *place(row), elsewhere, "copy")
    copy = BackupConfig.objects.get(profile__name=elsewhere)
    row.refresh_from_db()
    assert copy.settings == row.settings
    assert is_sealed(copy.settings["appPluginParameters"]["Password"])
    kept = [(p.name, p.keep_backups, p.keep_rules, p.archive_keep_rules) for p in copy.policies.all()]
    assert kept == [("daily", 5, {"daily": 7}, {"monthly": 6}), ("weekly", 2, {}, {})]
    assert not Run.objects.filter(config="copy").exists()
    assert ConfigVersion.objects.get(config=copy).reason.startswith("duplicate of")


def test_a_duplicate_of_what_is_disabled_starts_no_backup_either(row):
    config_places.switch_config(ADMIN, *place(row), disabled=True)
    config_places.duplicate_config(ADMIN, *place(row), row.profile.name, "copy")
    assert BackupConfig.objects.get(name="copy").disabled
    profile_edits.switch_profile(ADMIN, row.profile.name, disabled=True)
    profile_edits.duplicate_profile(ADMIN, row.profile.name, "elsewhere")
    assert Profile.objects.get(name="elsewhere").disabled


def test_a_disabled_configuration_refuses_backups_until_it_is_enabled(row):
    config_places.switch_config(ADMIN, *place(row), disabled=True)
    config_places.switch_config(ADMIN, *place(row), disabled=True)
    with pytest.raises(NotNow, match="disabled"):
        catalog.order_backup(OPERATOR, *place(row), "daily")
    config_places.switch_config(ADMIN, *place(row), disabled=False)
    assert catalog.order_backup(OPERATOR, *place(row), "daily").version == 1
    assert actions() == ["disabled", "enabled"]


def test_a_disabled_profile_disables_its_configurations(row):
    profile_edits.switch_profile(ADMIN, row.profile.name, disabled=True)
    assert catalog.get_config(VIEWER, *place(row)).summary.disabled
    with pytest.raises(NotNow):
        catalog.order_backup(OPERATOR, *place(row), "daily")
    profile_edits.switch_profile(ADMIN, row.profile.name, disabled=False)
    assert not catalog.get_config(VIEWER, *place(row)).summary.disabled


def test_deleting_says_what_is_lost_asks_for_the_name_and_leaves_the_runs(row):
    run = closed_run(row)
    loss = config_places.loss_of(ADMIN, *place(row))
    assert (loss.runs, loss.versions, loss.policies, loss.storage) == (
        1,
        1,
        ("daily", "weekly"),
        "filesystem",
    )
    with pytest.raises(ConfigInvalid, match="type"):
        config_places.delete_config(ADMIN, *place(row), "wrong")
    assert BackupConfig.objects.filter(pk=row.pk).exists()
    config_places.delete_config(ADMIN, *place(row), row.name)
    assert not BackupConfig.objects.filter(pk=row.pk).exists()
    assert not ConfigVersion.objects.exists()
    run.refresh_from_db()
    assert (run.profile, run.config) == place(row)
    assert actions() == ["deleted"]


@pytest.mark.parametrize("status", [{}, {"finished": datetime.now(UTC), "guarded": True}])
def test_nothing_is_renamed_or_deleted_under_an_open_or_guarded_run(row, status):
    profile, config = place(row)
    run = make_run(profile=profile, config=config, **status)
    for act in (
        lambda: config_places.rename_config(ADMIN, profile, config, "renamed"),
        lambda: config_places.delete_config(ADMIN, profile, config, config),
        lambda: profile_edits.change_profile(ADMIN, profile, "renamed", ""),
        lambda: profile_edits.delete_profile(ADMIN, profile, profile),
    ):
        with pytest.raises(NotNow, match=f"Run {run.pk} "):
            act()
    assert BackupConfig.objects.filter(pk=row.pk, name=config, profile__name=profile).exists()
    assert actions() == []
    profile_edits.change_profile(ADMIN, profile, profile, "a description disturbs no run")


def test_names_that_are_none_or_are_taken_are_refused(row):
    profile, config = place(row)
    make_catalog(profile, "taken")
    Profile.objects.create(name="there")
    for act in (
        lambda: config_places.rename_config(ADMIN, profile, config, "taken"),
        lambda: config_places.rename_config(ADMIN, profile, config, "a/b"),
        lambda: config_places.duplicate_config(ADMIN, profile, config, profile, "taken"),
        lambda: config_places.duplicate_config(ADMIN, profile, config, profile, ""),
        lambda: profile_edits.create_profile(ADMIN, "there", ""),
        lambda: profile_edits.create_profile(ADMIN, "../there", ""),
        lambda: profile_edits.create_profile(ADMIN, "default", ""),
        lambda: profile_edits.create_profile(ADMIN, "new", "x" * 201),
        lambda: profile_edits.change_profile(ADMIN, profile, "there", ""),
        lambda: profile_edits.duplicate_profile(ADMIN, profile, "there"),
    ):
        with pytest.raises(ConfigInvalid):
            act()
    with pytest.raises(NotFound):
        config_places.duplicate_config(ADMIN, profile, config, "nonesuch", "x")
    assert sorted(Profile.objects.values_list("name", flat=True)) == sorted([profile, "there"])
    assert BackupConfig.objects.count() == 2
    assert actions() == []


def test_a_profile_is_made_renamed_with_its_runs_and_deleted_with_its_configurations(row):
    old = row.profile.name
    run = closed_run(row)
    profile_edits.create_profile(ADMIN, "empty", "nothing yet")
    profile_edits.change_profile(ADMIN, old, "renamed", "words")
    run.refresh_from_db()
    assert run.profile == "renamed"
    found = catalog.get_profile(VIEWER, "renamed")
    assert (found.description, len(found.configs)) == ("words", 1)
    with pytest.raises(ConfigInvalid):
        profile_edits.delete_profile(ADMIN, "renamed", old)
    profile_edits.delete_profile(ADMIN, "renamed", "renamed")
    assert list(Profile.objects.values_list("name", flat=True)) == ["empty"]
    assert Run.objects.filter(pk=run.pk).exists()
    assert actions() == ["created", "renamed", "changed", "deleted", "deleted"]


def test_a_duplicated_profile_has_the_same_configurations(row):
    profile_edits.duplicate_profile(ADMIN, row.profile.name, "copy")
    copy = BackupConfig.objects.get(profile__name="copy")
    row.refresh_from_db()
    assert (copy.name, copy.settings) == (row.name, row.settings)
    assert copy.versions.count() == 1


def test_only_who_may_configure_may(row):
    profile, config = place(row)
    for act in (
        lambda: config_places.loss_of(OPERATOR, profile, config),
        lambda: config_places.losses_of(OPERATOR, profile),
        lambda: config_places.rename_config(OPERATOR, profile, config, "x"),
        lambda: config_places.duplicate_config(OPERATOR, profile, config, profile, "x"),
        lambda: config_places.switch_config(OPERATOR, profile, config, disabled=True),
        lambda: config_places.delete_config(OPERATOR, profile, config, config),
        lambda: profile_edits.create_profile(OPERATOR, "x", ""),
        lambda: profile_edits.change_profile(OPERATOR, profile, "x", ""),
        lambda: profile_edits.duplicate_profile(OPERATOR, profile, "x"),
        lambda: profile_edits.switch_profile(OPERATOR, profile, disabled=True),
        lambda: profile_edits.delete_profile(OPERATOR, profile, profile),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert actions() == []
    assert BackupConfig.objects.get().disabled is False
