"""What becomes of archives: told beforehand, by the same rules as for backups."""

from datetime import UTC, datetime

import pytest

from workflows_app.domain.results import Archive
from workflows_app.domain.retention.archive_preview import ArchiveRetaining, preview_archives
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.domain.retention.retention_preview import Preview

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def made(days_ago: int) -> Archive:
    epoch = int(NOW.timestamp()) - days_ago * 86_400
    name = f"shop-daily-{100 - days_ago}-{epoch}"
    return Archive(
        name=name, timestamp=str(epoch), epoch=epoch, policy="daily", workflow_id=str(100 - days_ago)
    )


ARCHIVES = [made(day) for day in range(5)]


def look(retaining: ArchiveRetaining, held: tuple[str, ...] = ()) -> Preview:
    return preview_archives(ARCHIVES, policy="daily", retaining=retaining, held=held, now=NOW)


def test_without_number_and_rules_all_stay_to_the_end() -> None:
    found = look(ArchiveRetaining())
    assert found.going_now == ()
    assert {fate.reasons for fate in found.fates} == {("all are kept",)}
    assert {fate.goes for fate in found.fates} == {None}
    assert found.left > 90, "the ones to come stay as well"


@pytest.mark.parametrize(
    ("retaining", "left"),
    [
        (ArchiveRetaining(2), 2),
        (ArchiveRetaining(0, KeepRules(daily=3)), 3),
        (ArchiveRetaining(4, KeepRules(daily=1)), 4),
        (ArchiveRetaining(0, KeepRules(yearly=9)), 1),
    ],
)
def test_a_number_and_rules_each_keep_what_they_keep(retaining: ArchiveRetaining, left: int) -> None:
    assert look(retaining).going_now == tuple(archive.name for archive in ARCHIVES[left:])


def test_what_is_held_stays() -> None:
    assert ARCHIVES[4].name not in look(ArchiveRetaining(1), (ARCHIVES[4].name,)).going_now
