from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup
from workflows_app.domain.retention.keep_rules import (
    NO_RULES,
    KeepRules,
    Period,
    kept,
    newest_first,
    parse_rules,
)
from workflows_app.domain.retention.retention import expired

ZONES = ["", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]
RULES = st.builds(
    KeepRules,
    hourly=st.integers(0, 4),
    daily=st.integers(0, 4),
    weekly=st.integers(0, 4),
    monthly=st.integers(0, 4),
    yearly=st.integers(0, 4),
    zone=st.sampled_from(ZONES),
)
thorough = settings(max_examples=300, deadline=None)


def backup(number: int, epoch: int, policy: str = "daily") -> Backup:
    return Backup(
        name=f"shop-{policy}-{number}-{epoch}",
        timestamp=str(epoch),
        epoch=epoch,
        policy=policy,
        workflow_id=str(number),
    )


# Hours, days, months and years apart, so that spans are shared, and not.
EPOCHS = st.one_of(
    st.integers(1_700_000_000, 1_700_000_000 + 3 * 86_400),
    st.integers(1_600_000_000, 1_800_000_000),
    st.sampled_from([0, -1, 10**18, 1_729_990_800, 1_729_994_400]),  # the two 02:xx of Berlin's clock change
)
CATALOGUES = st.lists(EPOCHS, max_size=25).map(lambda epochs: [backup(n, e) for n, e in enumerate(epochs, 1)])


def moments(*texts: str, zone: str = "UTC") -> list[Backup]:
    times = [datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)) for text in texts]
    return [backup(number, int(time.timestamp())) for number, time in enumerate(times, 1)]


def stay(backups: list[Backup], keep: int = 1, **rules: object) -> list[str]:
    names = kept(backups, keep, KeepRules(**rules))
    return [b.workflow_id for b in backups if b.name in names]


@thorough
@given(CATALOGUES, st.integers(1, 5), RULES)
def test_the_newest_stay_and_each_rule_keeps_at_most_its_number(
    backups: list[Backup], keep: int, rules: KeepRules
) -> None:
    names = kept(backups, keep, rules)
    assert {b.name for b in newest_first(backups)[:keep]} <= names.keys()
    assert len(names) <= keep + sum(rules.number(period) for period in Period)
    assert all(names.values()), "each has a reason"


@thorough
@given(CATALOGUES, st.integers(1, 5), RULES, st.data())
def test_expired_never_takes_the_newest_a_held_one_or_more_than_rules_allow(
    backups: list[Backup], keep: int, rules: KeepRules, data: st.DataObject
) -> None:
    held = data.draw(st.sets(st.sampled_from([b.name for b in backups] or ["none"])))
    gone = {b.name for b in expired(backups, policy="daily", keep=keep, made="", rules=rules, held=held)}
    bare = {b.name for b in expired(backups, policy="daily", keep=keep, made="")}
    assert gone <= bare, "rules and holds only keep more"
    assert not gone & held
    assert not backups or newest_first(backups)[0].name not in gone
    assert gone == {b.name for b in backups} - kept(backups, keep, rules).keys() - held


@thorough
@given(CATALOGUES, st.integers(1, 4), RULES)
def test_one_after_the_other_comes_to_the_same_as_all_at_once(
    backups: list[Backup], keep: int, rules: KeepRules
) -> None:
    there: list[Backup] = []
    for each in reversed(newest_first(backups)):
        there.append(each)
        names = kept(there, keep, rules)
        there = [b for b in there if b.name in names]
    assert {b.name for b in there} == kept(backups, keep, rules).keys()


def test_of_each_day_the_newest_stays_and_days_without_a_backup_do_not_count() -> None:
    backups = moments("2026-01-01 08:00", "2026-01-01 20:00", "2026-01-05 08:00", "2026-01-09 08:00")
    assert stay(backups, daily=3) == ["2", "3", "4"]
    assert stay(backups, daily=2) == ["3", "4"]


def test_weeks_begin_on_monday_and_belong_to_the_year_of_their_thursday() -> None:
    backups = moments("2026-12-27 12:00", "2026-12-28 12:00", "2027-01-03 12:00", "2027-01-04 12:00")
    assert stay(backups, weekly=9) == ["1", "3", "4"]


def test_days_begin_in_the_zone_of_the_rules() -> None:
    backups = moments("2026-06-01 21:30", "2026-06-01 22:30")
    assert stay(backups, daily=2) == ["2"]
    assert stay(backups, daily=2, zone="Europe/Berlin") == ["1", "2"]


def test_the_hour_that_a_clock_shows_twice_is_two() -> None:
    first = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # 02:30 in Berlin, and an hour later 02:30 again
    backups = [backup(n, int((first + timedelta(hours=n)).timestamp())) for n in range(2)]
    assert stay(backups, hourly=2, zone="Europe/Berlin") == ["0", "1"]


def test_a_backup_has_every_reason_for_which_it_stays() -> None:
    (only,) = backups = moments("2026-01-01 08:00")
    reasons = kept(backups, 2, KeepRules(daily=1, yearly=1))[only.name]
    assert reasons == ("one of the 2 newest", "newest of 2026-01-01", "newest of the year 2026")


@pytest.mark.parametrize("keep", [0, -1])
def test_nobody_keeps_no_backup(keep: int) -> None:
    with pytest.raises(ConfigInvalid, match="from 1"):
        kept([], keep, KeepRules(yearly=9))


def test_rules_are_read_from_a_form() -> None:
    assert parse_rules({}) == NO_RULES
    assert parse_rules({"daily": " 7 ", "weekly": "", "zone": "UTC"}) == KeepRules(daily=7)
    assert KeepRules.model_validate(KeepRules(daily=7, zone="Europe/Berlin").wire()).words == "7 daily"
    assert not NO_RULES
    assert NO_RULES.wire() == {}


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"daily": "-1"}, "daily"),
        ({"yearly": "10001"}, "yearly"),
        ({"hourly": "x"}, "hourly"),
        ({"weekly": "१"}, "weekly"),
        ({"zone": "Mars/Olympus"}, "zone"),
        ({"zone": "../../etc/passwd"}, "zone"),
        ({"zone": "\0"}, "zone"),
    ],
)
def test_nonsense_is_refused_by_the_fields_name(given: dict[str, str], field: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        parse_rules(given)
    assert refused.value.field == field
