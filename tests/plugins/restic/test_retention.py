import json
import shutil
from pathlib import Path

import pytest

from tests.plugins.restic.conftest import EPOCH, Repository
from workflows_app.domain.errors import ConfigInvalid, PluginFailed
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.plugins.restic.plugin import plugin


def named(*numbers: int) -> list[str]:
    return [f"shop-daily-{number}-{EPOCH + number}" for number in numbers]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with three backups of files that have nothing in common, to be copied."""
    repository = Repository(tmp_path_factory.mktemp("made"))
    for number in (1, 2, 3):
        (repository.source / "file").write_text(f"content {number}" * 1000)
        repository.backup(number, Proof="structure")
    return repository.folder


@pytest.fixture
def three(nowhere: Repository, made: Path) -> Repository:
    """A repository of the test's own with those three backups."""
    shutil.copytree(made, nowhere.folder)
    return nowhere


def test_the_oldest_go_and_their_data_with_them(three: Repository) -> None:
    size = sum(path.stat().st_size for path in three.folder.rglob("data/*/*"))
    assert three.retain(1, 3).code == 0
    assert three.names() == named(3)
    assert "Backup shop-daily-1-1700000001 deleted successfully" in three.lines()
    assert sum(path.stat().st_size for path in three.folder.rglob("data/*/*")) < size
    three.restic("check", "--read-data")


def test_nothing_is_pruned_unless_that_is_asked(three: Repository) -> None:
    packs = sorted(three.folder.rglob("data/*/*"))
    assert three.retain(1, 3, Prune="false").code == 0
    assert three.names() == named(3)
    assert sorted(three.folder.rglob("data/*/*")) == packs


def test_what_is_held_stays(three: Repository) -> None:
    three.held = frozenset(named(1))
    assert three.retain(1, 3).code == 0
    assert three.names() == named(1, 3)


def test_keep_rules_are_obeyed(three: Repository) -> None:
    assert three.retain(1, 3, rules=KeepRules(yearly=5, weekly=3)).code == 0
    assert named(3)[0] in three.names()


def test_snapshots_of_others_are_never_touched(three: Repository) -> None:
    three.restic("backup", "--tag", "theirs", str(three.source))
    three.backup(4, policy="weekly", Proof="structure")
    assert three.retain(1, 3).code == 0
    assert three.names() == [*named(3), f"shop-weekly-4-{EPOCH + 4}"]
    tags = [snapshot.get("tags") for snapshot in json.loads(three.restic("snapshots", "--json"))]
    assert ["theirs"] in tags


@pytest.mark.parametrize("keep", [0, -1])
def test_a_policy_that_keeps_nothing_deletes_nothing(three: Repository, keep: int) -> None:
    with pytest.raises(ConfigInvalid):
        three.retain(keep, 3)
    assert three.names() == named(1, 2, 3)


def test_one_is_deleted_by_its_name_unless_it_is_held(three: Repository) -> None:
    chosen = three.backups()[1]
    three.held = frozenset({chosen.name})
    with pytest.raises(PluginFailed, match="is held"):
        plugin.backup_delete(three.of(chosen))
    three.held = frozenset()
    assert plugin.backup_delete(three.of(chosen)).code == 0
    assert three.names() == named(1, 3)
