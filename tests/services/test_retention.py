"""Who may change what a policy keeps, and what is written down of it."""

import pytest

from tests.factories import ADMIN, OPERATOR, make_catalog
from workflows_app.domain.errors import ConfigInvalid, NotAllowed, NotFound, Outdated
from workflows_app.domain.retention.archive_preview import ArchiveRetaining
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.domain.retention.retention_preview import Retaining
from workflows_app.models import BackupConfig
from workflows_app.models.stored_configs import config_of, find_config
from workflows_app.services.editing import retention
from workflows_app.services.editing.retention import PolicyRetention

pytestmark = pytest.mark.django_db

WANTED = PolicyRetention(
    Retaining(3, KeepRules(weekly=4)), ArchiveRetaining(0, KeepRules(monthly=6, zone="Europe/Berlin"))
)


@pytest.fixture
def row() -> BackupConfig:
    return make_catalog(storagePlugin="filesystem")


def place(row: BackupConfig, policy: str = "daily") -> tuple[str, str, str]:
    return row.profile.name, row.name, policy


def test_both_parts_are_changed_kept_as_a_version_and_given_to_runs(row):
    retention.change_retention(ADMIN, *place(row), 0, WANTED)
    assert PolicyRetention.of(retention.get_policy(ADMIN, *place(row))) == WANTED
    version = row.versions.get()
    assert version.reason == (
        "policy daily keeps the 3 newest, 4 weekly; of archives the newest, 6 monthly in Europe/Berlin"
    )
    run = config_of(find_config(row.profile.name, row.name)).for_run(1, "daily", 1)
    assert (run.selected_backup_retention, run.selected_archive_retention) == (3, 1)
    assert run.archive_keep_rules_of("daily") == WANTED.archives.rules
    assert run.keep_rules_of("daily") == WANTED.backups.rules


def test_without_number_and_rules_a_run_has_no_archive_retention(row):
    retention.change_retention(ADMIN, *place(row), 0, PolicyRetention(Retaining(3), ArchiveRetaining()))
    run = config_of(find_config(row.profile.name, row.name)).for_run(1, "daily", 1)
    assert run.selected_archive_retention == -1


def test_the_longest_words_fit_into_the_history(row):
    most = KeepRules(hourly=9999, daily=9999, weekly=9999, monthly=9999, yearly=9999, zone="Europe/Berlin")
    wanted = PolicyRetention(Retaining(99_999, most), ArchiveRetaining(99_999, most))
    retention.change_retention(ADMIN, *place(row), 0, wanted)
    version = row.versions.get()
    version.full_clean()
    assert version.reason.startswith("policy daily keeps the 99999 newest, 9999 hourly")


def test_a_change_that_is_not_allowed_or_leaves_nothing_changes_nothing(row):
    before = retention.get_policy(ADMIN, *place(row))
    with pytest.raises(NotAllowed):
        retention.change_retention(OPERATOR, *place(row), 0, WANTED)
    with pytest.raises(NotFound):
        retention.change_retention(ADMIN, *place(row, "none"), 0, WANTED)
    with pytest.raises(ConfigInvalid):
        retention.change_retention(ADMIN, *place(row), 0, PolicyRetention(Retaining(0), ArchiveRetaining(1)))
    assert retention.get_policy(ADMIN, *place(row)) == before
    assert not row.versions.exists()


def test_who_saves_after_somebody_else_is_told_and_saves_nothing(row):
    assert retention.change_retention(ADMIN, *place(row), 0, WANTED)
    other = PolicyRetention(Retaining(9), ArchiveRetaining())
    with pytest.raises(Outdated, match="ada saved version 1 after you opened version 0"):
        retention.change_retention(ADMIN, *place(row), 0, other)
    assert PolicyRetention.of(retention.get_policy(ADMIN, *place(row))) == WANTED
    told = retention.meanwhile(ADMIN, *place(row), 1, other)
    assert told.theirs == ()
    assert {"-RetentionNumber = 3", "+RetentionNumber = 9", "-[KeepRules.daily]"} <= set(told.yours)


def test_the_same_again_is_no_new_version(row):
    assert retention.change_retention(ADMIN, *place(row), 0, WANTED)
    assert not retention.change_retention(ADMIN, *place(row), 1, WANTED)
    assert row.versions.count() == 1
