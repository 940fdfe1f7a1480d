"""Holds and keep rules in the real retention, and a preview that says beforehand what it deletes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.plugins.filesystem.conftest import EPOCH, Storage
from workflows_app.domain.config import Config, Retention
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.file_listings import FileQuery
from workflows_app.domain.results import Backup, Result
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.domain.retention.retention_preview import Retaining, preview
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.filesystem.plugin import plugin

DAY = 86_400


def call(
    storage: Storage, retaining: Retaining, number: int, epoch: int, held: frozenset[str]
) -> PluginContext:
    """The retention's call in a run whose own backup has that number and epoch."""
    retention = Retention(policy="daily", retention_number=retaining.keep, keep_rules=retaining.rules)
    config = Config(profile_name="test", config_name="shop", backup_retentions=(retention,))
    context = storage.context()
    return replace(context, config=config.for_run(number, "daily", epoch), held=lambda: held)


def name_of(number: int) -> str:
    return f"shop-daily-{number}-{EPOCH + number}"


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """A storage with one real backup, whose files are what others are made of."""
    storage = Storage(tmp_path_factory.mktemp("template"))
    (storage.source / "file").write_text("content")
    storage.backup(1)
    return storage


def fake(storage: Storage, template: Storage, number: int, epoch: int) -> str:
    """Another backup, as complete as the template: only its name and age are its own."""
    name = f"shop-daily-{number}-{epoch}"
    folder = storage.folder / name
    folder.mkdir(parents=True)
    for original, suffix in ((template.archive(1), ".tar.zst"), (template.manifest(1), ".manifest.jsonl")):
        (folder / f"{name}{suffix}").write_bytes(original.read_bytes())
    return name


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    days=st.lists(st.integers(0, 800), min_size=1, max_size=12, unique=True),
    keep=st.integers(1, 4),
    rules=st.builds(
        KeepRules,
        daily=st.integers(0, 3),
        weekly=st.integers(0, 3),
        monthly=st.integers(0, 3),
        yearly=st.integers(0, 2),
        zone=st.sampled_from(["", "Asia/Kathmandu"]),
    ),
    data=st.data(),
)
def test_the_preview_says_exactly_what_the_plugin_deletes(
    template: Storage,
    tmp_path_factory: pytest.TempPathFactory,
    days: list[int],
    keep: int,
    rules: KeepRules,
    data: st.DataObject,
) -> None:
    storage = Storage(tmp_path_factory.mktemp("retention"))
    epochs = sorted(EPOCH + day * DAY for day in days)
    names = [fake(storage, template, number, epoch) for number, epoch in enumerate(epochs, 1)]
    held = frozenset(data.draw(st.sets(st.sampled_from(names))))
    retaining = Retaining(keep, rules)
    backups = plugin.backup_list(storage.context())
    assert {backup.name for backup in backups} == set(names)
    said = preview(backups, policy="daily", retaining=retaining, held=held, now=datetime.now(UTC))

    assert plugin.backup_delete_workflow(call(storage, retaining, len(names), epochs[-1], held)) == Result()

    gone = set(names) - set(storage.kept())
    assert gone == set(said.going_now)
    assert names[-1] not in gone
    assert not gone & held


def test_a_hold_that_comes_while_others_are_deleted_is_heeded(storage: Storage) -> None:
    for number in (1, 2, 3, 4):
        storage.backup(number)
    holds: set[str] = set()
    storage.on_line = lambda text: holds.add(name_of(1)) if "deleted successfully" in text else None
    context = replace(call(storage, Retaining(1), 4, EPOCH + 4, frozenset()), held=lambda: frozenset(holds))
    assert plugin.backup_delete_workflow(context) == Result()
    assert storage.kept() == [name_of(1), name_of(4)]
    assert storage.lines()[-1] == f"Backup {name_of(1)} is held and stays"


def test_holds_that_cannot_be_read_stop_everything_before_it_begins(storage: Storage) -> None:
    for number in (1, 2):
        storage.backup(number)
    hidden = storage.folder / f".{name_of(9)}.deleted"
    hidden.mkdir()

    def away() -> frozenset[str]:
        raise PluginFailed("the database is away")

    context = replace(call(storage, Retaining(1), 2, EPOCH + 2, frozenset()), held=away)
    with pytest.raises(PluginFailed, match="away"):
        plugin.backup_delete_workflow(context)
    assert storage.kept() == [hidden.name, name_of(1), name_of(2)]


# One backup by its name


def about(storage: Storage, name: str, held: frozenset[str] = frozenset()) -> PluginContext:
    context = storage.context()
    config = context.config.model_copy(update={"backup": Backup(name=name)})
    return replace(context, config=config, held=lambda: held)


def test_exactly_the_named_backup_is_deleted_damaged_or_not(storage: Storage) -> None:
    for number in (1, 12):
        storage.backup(number)
    storage.manifest(1).unlink()
    assert plugin.backup_delete(about(storage, name_of(1))) == Result()
    assert storage.kept() == [name_of(12)]


def test_what_is_held_or_not_there_or_no_backup_is_not_deleted(storage: Storage, tmp_path: Path) -> None:
    storage.backup(1)
    (storage.folder / name_of(2)).symlink_to(tmp_path)
    with pytest.raises(PluginFailed, match="is held"):
        plugin.backup_delete(about(storage, name_of(1), frozenset({name_of(1)})))
    for gone in (name_of(2), name_of(3)):
        with pytest.raises(PluginFailed, match="There is no backup"):
            plugin.backup_delete(about(storage, gone))
    for wrong in ("", ".", "..", "../shop", f"../shop/{name_of(1)}", f".{name_of(1)}"):
        with pytest.raises(ConfigInvalid):
            plugin.backup_delete(about(storage, wrong))
    assert storage.kept() == [name_of(1), name_of(2)]


def test_a_manifest_that_tells_of_other_paths_is_not_listed(storage: Storage) -> None:
    (storage.source / "file").write_text("content")
    storage.backup(1)
    tampered = storage.manifest(1).read_text().replace("source/file", "../../etc/passwd")
    storage.manifest(1).write_text(tampered)
    with pytest.raises(PluginFailed, match="tampered"):
        plugin.backup_browse(about(storage, name_of(1)), FileQuery(search="passwd"))
