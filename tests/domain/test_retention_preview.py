from datetime import UTC, date, datetime, timedelta

import pytest

from tests.domain.test_keep_rules import backup
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.domain.retention.retention_preview import Preview, Retaining, preview

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def daily(count: int, age: timedelta = timedelta(hours=1)) -> list[Backup]:
    """The backups of so many days, the newest ``age`` ago."""
    return [backup(count - n, int((NOW - age - timedelta(days=n)).timestamp())) for n in range(count)]


def look(backups: list[Backup], keep: int, held: tuple[str, ...] = (), **rules: int) -> Preview:
    retaining = Retaining(keep, KeepRules(**rules))
    return preview(backups, policy="daily", retaining=retaining, held=held, now=NOW)


def test_what_goes_now_and_when_the_rest_goes() -> None:
    backups = daily(5)
    found = look(backups, 3)
    assert found.going_now == (backups[3].name, backups[4].name)
    assert found.every == 86_400
    days = [NOW.date() + timedelta(days=n) for n in (3, 2, 1, 0, 0)]
    assert [fate.goes for fate in found.fates] == days
    assert (found.left, found.end) == (3, date(2026, 8, 30))


def test_rules_let_some_stay_to_the_end() -> None:
    found = look(daily(40), 2, monthly=6)
    assert len([fate for fate in found.fates if fate.goes is None]) == 2, "the last of April and of May"
    assert [day for day, _ in found.days] == [
        date(2026, 8, 30),
        date(2026, 8, 29),
        date(2026, 7, 31),
        date(2026, 6, 30),
        date(2026, 5, 31),
        date(2026, 4, 30),
    ]


def test_what_is_held_stays_to_the_end() -> None:
    backups = daily(5)
    found = look(backups, 1, held=(backups[4].name,))
    assert backups[4].name not in found.going_now
    assert (found.fates[4].held, found.fates[4].goes, found.left) == (True, None, 2)


def test_an_overdue_backup_is_expected_at_once() -> None:
    found = look(daily(3, age=timedelta(days=9)), 3)
    assert found.fates[2].goes == NOW.date() + timedelta(days=1)


@pytest.mark.parametrize("count", [0, 1])
def test_without_a_rhythm_nothing_new_is_assumed(count: int) -> None:
    found = look(daily(count), 1)
    assert (found.every, found.left, found.going_now) == (None, count, ())


def test_other_policies_do_not_count() -> None:
    assert look([backup(1, 1_700_000_000, policy="weekly")], 1).fates == ()


def test_a_retention_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(ConfigInvalid, match=r"^keep: 0 would leave no backup"):
        look(daily(2), 0, yearly=3)


def test_a_thousand_backups_every_quarter_of_an_hour_are_previewed_in_time() -> None:
    start = int(NOW.timestamp()) - 900 * 1000
    backups = [backup(n, start + 900 * n) for n in range(1000)]
    before = datetime.now(UTC)
    assert look(backups, 24, hourly=24, daily=30, monthly=12).left > 24
    assert datetime.now(UTC) - before < timedelta(seconds=10)
