import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Backup
from workflows_app.domain.retention.retention import expired


def backup(policy: str, number: int, epoch: int) -> Backup:
    return Backup(
        name=f"shop-{policy}-{number}-{epoch}",
        timestamp=str(epoch),
        epoch=epoch,
        policy=policy,
        workflow_id=str(number),
    )


# Few epochs, so that many backups have the same; the run's number tells all of them apart.
CATALOGUES = st.lists(
    st.builds(backup, st.sampled_from(["daily", "weekly"]), st.integers(1, 200), st.integers(0, 12)),
    max_size=12,
    unique_by=lambda made: made.workflow_id,
)
KEEPS = st.integers(1, 6)
thousands = settings(max_examples=2000, deadline=None)


def newest_first(backups: list[Backup], policy: str = "daily") -> list[Backup]:
    own = [each for each in backups if each.policy == policy]
    return sorted(own, key=lambda each: (each.epoch, int(each.workflow_id)), reverse=True)


def gone(backups: list[Backup], keep: int, made: str = "") -> tuple[Backup, ...]:
    return expired(backups, policy="daily", keep=keep, made=made)


@thousands
@given(CATALOGUES, KEEPS)
def test_all_but_the_newest_go_the_newest_of_them_first(backups: list[Backup], keep: int) -> None:
    assert list(gone(backups, keep)) == newest_first(backups)[keep:]


@thousands
@given(CATALOGUES, KEEPS, st.data())
def test_the_newest_and_the_runs_own_and_other_policies_never_go(
    backups: list[Backup], keep: int, data: st.DataObject
) -> None:
    made = data.draw(st.sampled_from([each.name for each in backups] or ["none"]))
    went = gone(backups, keep, made)
    mine = newest_first(backups)
    assert not mine or mine[0] not in went
    assert made not in [each.name for each in went]
    assert {each.policy for each in went} <= {"daily"}
    spared = made in [each.name for each in mine[keep:]]
    assert len(went) == max(0, len(mine) - keep) - spared


@thousands
@given(CATALOGUES, KEEPS, st.data())
def test_what_was_cleared_is_clear(backups: list[Backup], keep: int, data: st.DataObject) -> None:
    made = data.draw(st.sampled_from([each.name for each in backups] or ["none"]))
    went = gone(backups, keep, made)
    assert gone([each for each in backups if each not in went], keep, made) == ()


@thousands
@given(CATALOGUES.flatmap(lambda backups: st.tuples(st.just(backups), st.permutations(backups))), KEEPS)
def test_the_order_of_the_list_does_not_matter(orders: tuple[list[Backup], list[Backup]], keep: int) -> None:
    assert gone(orders[0], keep) == gone(orders[1], keep)


def test_of_the_same_second_the_later_run_is_the_newer() -> None:
    ninth, tenth = backup("daily", 9, 100), backup("daily", 10, 100)
    assert gone([tenth, ninth], keep=1) == (ninth,)


def test_a_clock_that_was_set_back_costs_neither_the_runs_own_nor_the_newest() -> None:
    old, newest, own = backup("daily", 1, 400), backup("daily", 2, 500), backup("daily", 3, 300)
    assert gone([old, newest, own], keep=1, made=own.name) == (old,)


@pytest.mark.parametrize("keep", [0, -1, -7])
def test_nobody_keeps_no_backup(keep: int) -> None:
    with pytest.raises(ConfigInvalid, match=f"^retentionNumber: {keep} is not how many") as refused:
        gone([], keep)
    assert refused.value.field == "retentionNumber"
