"""What a storage was seen to have, as it is written down by whoever reads it."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import OperationalError

from tests.factories import make_config
from workflows_app.activities.catalogues import KEPT, forget_backup, note_backups, note_trouble
from workflows_app.domain.results import Backup
from workflows_app.models import Catalogue

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(minutes=1), NOW + timedelta(minutes=1)


def backup(epoch: int, policy: str = "daily") -> Backup:
    return Backup(name=f"b-{policy}-1-{epoch}", policy=policy, epoch=epoch)


def names() -> list[str]:
    return [name for name, _, _ in Catalogue.objects.get().points]


def test_the_newest_of_each_policy_are_kept_the_newest_first():
    config = make_config()
    daily, weekly = [backup(n) for n in range(KEPT + 5)], [backup(3, "weekly")]
    note_backups(config, [*daily, *weekly], NOW)
    kept = names()
    assert kept[:2] == [f"b-daily-1-{KEPT + 4}", f"b-daily-1-{KEPT + 3}"]
    assert len(kept) == KEPT + 1
    assert "b-weekly-1-3" in kept


def test_an_older_reading_never_takes_the_place_of_a_newer_one():
    config = make_config()
    note_backups(config, [backup(2)], NOW)
    note_backups(config, [backup(1)], EARLIER)
    note_trouble(config, "it is locked", EARLIER)
    row = Catalogue.objects.get()
    assert (names(), row.read, row.trouble) == (["b-daily-1-2"], NOW, "")


def test_trouble_leaves_what_was_seen_before_and_a_reading_ends_it():
    config = make_config()
    note_backups(config, [backup(2)], NOW)
    note_trouble(config, "it is locked", LATER)
    row = Catalogue.objects.get()
    assert (names(), row.read, row.tried, row.trouble) == (["b-daily-1-2"], NOW, LATER, "it is locked")
    note_backups(config, [], LATER)
    assert (names(), Catalogue.objects.get().trouble) == ([], "")


def test_trouble_with_another_place_leaves_nothing_that_was_seen_before():
    config = make_config()
    note_backups(config, [backup(2)], NOW)
    note_trouble(config.model_copy(update={"storage_plugin": "another"}), "it is locked", LATER)
    row = Catalogue.objects.get()
    assert (row.points, row.read, row.trouble) == ([], None, "it is locked")


def test_what_is_deleted_is_not_told_of_any_more():
    config = make_config()
    note_backups(config, [backup(1), backup(2)], NOW)
    forget_backup(config.profile_name, config.config_name, "b-daily-1-2")
    forget_backup(config.profile_name, config.config_name, "unknown")
    forget_backup(config.profile_name, "unknown", "b-daily-1-1")
    assert names() == ["b-daily-1-1"]


def test_a_database_that_is_away_fails_nothing(monkeypatch):
    def away(**given: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr(Catalogue.objects, "get_or_create", away)
    note_backups(make_config(), [backup(1)], NOW)
    note_trouble(make_config(), "it is locked", NOW)
    assert not Catalogue.objects.exists()
