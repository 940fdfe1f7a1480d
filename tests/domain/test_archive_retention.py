"""Which archives go: never the newest, never the run's own, never another policy's."""

import pytest

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Archive
from workflows_app.domain.retention.archive_retention import expired_archives, newest_archives_kept
from workflows_app.domain.retention.keep_rules import NO_RULES, KeepRules


def made(number: int, policy: str = "daily") -> Archive:
    epoch = 1_700_000_000 + number
    name = f"shop-{policy}-{number}-{epoch}"
    return Archive(name=name, timestamp=str(epoch), epoch=epoch, policy=policy, workflow_id=str(number))


def test_the_surplus_goes_newest_first() -> None:
    archives = [made(2), made(4), made(1), made(3), made(9, "weekly")]
    assert expired_archives(archives, policy="daily", keep=2, made="") == (made(2), made(1))
    assert expired_archives(archives, policy="weekly", keep=1, made="") == ()


def test_the_runs_own_stays_beside_the_newest() -> None:
    archives = [made(1), made(8), made(9)]
    assert expired_archives(archives, policy="daily", keep=1, made=made(1).name) == (made(8),)


def test_what_rules_keep_stays_beside_the_newest() -> None:
    archives = [made(day * 86_400) for day in range(1, 6)]
    surplus = expired_archives(archives, policy="daily", keep=1, made="", rules=KeepRules(daily=3))
    assert surplus == (archives[1], archives[0])


def test_rules_alone_keep_the_newest_and_no_number_is_no_retention() -> None:
    assert newest_archives_kept(0, KeepRules(yearly=1)) == 1
    assert newest_archives_kept(4, KeepRules(yearly=1)) == 4
    assert newest_archives_kept(0, NO_RULES) == 0


@pytest.mark.parametrize("keep", [0, -1])
def test_nobody_keeps_no_archive(keep: int) -> None:
    with pytest.raises(ConfigInvalid, match=f"^archiveRetentions: {keep} is not how many archives"):
        expired_archives([made(1), made(2)], policy="daily", keep=keep, made="")
