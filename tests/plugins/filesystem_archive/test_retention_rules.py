"""Keep rules in the real retention of archives, and a preview that says beforehand what it deletes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.archiving.archived import Archiving, name_of
from tests.plugins.filesystem.conftest import EPOCH, Storage
from workflows_app.domain.config import Retention
from workflows_app.domain.results import Result
from workflows_app.domain.retention.archive_preview import ArchiveRetaining, preview_archives
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.plugins.filesystem_archive.plugin import plugin

DAY = 86_400
RECORD = ".fossul-archive.jsonl"


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The record of one real archive, which makes others complete."""
    archiving = archiving_in(tmp_path_factory.mktemp("template"))
    (archiving.storage.source / "file").write_text("content")
    archiving.make(1)
    (folder,) = shelf(archiving).iterdir()
    return (folder / RECORD).read_bytes()


def archiving_in(folder: Path) -> Archiving:
    root = folder / "archives"
    root.mkdir()
    return Archiving(Storage(folder), plugin, {"ArchivePath": str(root)})


def shelf(archiving: Archiving) -> Path:
    return Path(archiving.parameters["ArchivePath"]) / "test" / "shop"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.integers(0, 800), min_size=1, max_size=12, unique=True),
    keep=st.integers(0, 4),
    rules=st.builds(
        KeepRules,
        daily=st.integers(0, 3),
        weekly=st.integers(0, 3),
        monthly=st.integers(0, 3),
        yearly=st.integers(0, 2),
        zone=st.sampled_from(["", "Asia/Kathmandu"]),
    ),
    own=st.booleans(),
    data=st.data(),
)
def test_the_preview_says_exactly_what_the_plugin_deletes(
    record: bytes,
    tmp_path_factory: pytest.TempPathFactory,
    days: list[int],
    keep: int,
    rules: KeepRules,
    own: bool,
    data: st.DataObject,
) -> None:
    archiving = archiving_in(tmp_path_factory.mktemp("retention"))
    epochs = sorted(EPOCH + day * DAY for day in days)
    names = [f"shop-daily-{number}-{epoch}" for number, epoch in enumerate(epochs, 1)]
    other = f"shop-weekly-99-{EPOCH}"
    for name in (*names, other):
        (shelf(archiving) / name).mkdir(parents=True)
        (shelf(archiving) / name / RECORD).write_bytes(record)
    held = frozenset(data.draw(st.sets(st.sampled_from(names))))
    retaining = ArchiveRetaining(keep, rules)
    archives = plugin.archive_list(archiving.context())
    assert {archive.name for archive in archives} == {*names, other}
    said = preview_archives(archives, policy="daily", retaining=retaining, held=held, now=datetime.now(UTC))

    # As stored: a policy with neither number nor rules has no archive retention.
    retention = Retention(policy="daily", retention_number=keep, keep_rules=rules)
    context = archiving.context(retentions=() if retaining.everything else (retention,))
    # The run's own archive is the oldest, as if the clock had been set back, or the newest.
    number, epoch = (1, epochs[0]) if own else (len(names), epochs[-1])
    config = context.config.for_run(number, "daily", epoch)
    assert plugin.archive_delete(replace(context, config=config, held=lambda: held)) == Result()

    gone = {*names, other} - set(archiving.listed())
    assert gone == set(said.going_now) - {f"shop-daily-{number}-{epoch}"}
    assert names[-1] not in gone
    assert not gone & held


def test_rules_without_a_number_keep_what_they_keep(tmp_path: Path) -> None:
    archiving = archiving_in(tmp_path)
    (archiving.storage.source / "file").write_text("content")
    archiving.make(1, DAY, 2 * DAY, 2 * DAY + 1)
    assert archiving.retain(0, 2 * DAY + 1, rules=KeepRules(daily=2)) == Result()
    assert archiving.listed() == [name_of(DAY), name_of(2 * DAY + 1)]
