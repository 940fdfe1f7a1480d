"""Retention around a plugin: who is not asked to delete, and what is written down of what went."""

import pytest

from tests.factories import make_config
from workflows_app.activities.retention import retain_archives, retain_backups
from workflows_app.domain.config import Config, Retention
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Backup, Capability, Level, PluginInfo, Result
from workflows_app.domain.retention.keep_rules import KeepRules
from workflows_app.models import Hold, Removal
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.sample_storage.plugin import SampleStorage

pytestmark = pytest.mark.django_db


class Storage(SampleStorage):
    """A plugin that has what ``lists`` say, one after the other, and deletes when it is asked to."""

    def __init__(self, *lists: tuple[str, ...] | Exception, can: tuple[str, ...] = ()) -> None:
        self.lists = list(lists)
        self.can = can
        self.asked: list[frozenset[str]] = []

    def info(self) -> PluginInfo:
        return PluginInfo(capabilities=tuple(Capability(name=name) for name in self.can))

    def backup_list(self, context: PluginContext) -> tuple[Backup, ...]:
        context.info("looking")
        found = self.lists.pop(0)
        if isinstance(found, Exception):
            raise found
        return tuple(Backup(name=name) for name in found)

    def backup_delete_workflow(self, context: PluginContext) -> Result:
        self.asked.append(context.held())
        return Result()

    archive_delete = backup_delete_workflow


@pytest.fixture
def said() -> list[tuple[Level, str]]:
    return []


def context_of(config: Config, said: list[tuple[Level, str]]) -> PluginContext:
    return PluginContext(config=config, parameters={}, say=lambda level, text: said.append((level, text)))


def hold(config: Config, name: str) -> None:
    Hold.objects.create(
        profile=config.profile_name, config=config.config_name, backup=name, reason="r", by="b",
        since="2026-01-01T00:00:00Z",
    )  # fmt: skip


def removed() -> list[str]:
    return list(Removal.objects.order_by("backup").values_list("backup", flat=True))


def test_what_went_is_written_down_and_looking_says_nothing(said):
    storage = Storage(("a", "b", "c"), ("c",))
    config = make_config()
    assert retain_backups(storage, context_of(config, said), 7) == Result()
    assert removed() == ["a", "b"]
    assert {r.how for r in Removal.objects.all()} == {"the retention of run 7"}
    assert said == []


@pytest.mark.parametrize("broken", [PluginFailed("no"), RuntimeError("crash")])
def test_a_list_that_cannot_be_read_afterwards_removes_nothing(said, broken):
    storage = Storage(("a", "b"), broken)
    assert retain_backups(storage, context_of(make_config(), said), 7) == Result()
    assert removed() == []


def test_a_list_that_cannot_be_read_before_does_not_keep_retention_from_its_work(said):
    storage = Storage(PluginFailed("no"))
    retain_backups(storage, context_of(make_config(), said), 7)
    assert storage.asked == [frozenset()]
    assert removed() == []


def test_who_obeys_holds_is_told_of_all_of_them_and_who_does_not_is_not_asked(said):
    config, other = make_config(), make_config()
    hold(config, "a")
    hold(other, "b")
    obeys = Storage((), (), can=("holds",))
    retain_backups(obeys, context_of(config, said), 7)
    assert obeys.asked == [frozenset({"a", "b"})]
    for act in (lambda s, c: retain_backups(s, c, 7), retain_archives):
        deaf = Storage(("a",))
        assert act(deaf, context_of(config, said)) == Result()
        assert deaf.asked == []
        assert said.pop()[0] == Level.WARN
    elsewhere = Storage((), ())
    retain_backups(elsewhere, context_of(make_config(), said), 7)
    assert elsewhere.asked, "nothing of that configuration is held"


def test_who_does_not_know_keep_rules_is_not_asked_for_a_policy_that_has_some(said):
    rules = Retention(policy="daily", retention_number=5, keep_rules=KeepRules(weekly=4))
    config = make_config().model_copy(update={"backup_retentions": (rules,)})
    deaf, obeys = Storage(), Storage((), (), can=("keepRules",))
    retain_backups(deaf, context_of(config, said), 7)
    assert deaf.asked == []
    assert "also keeps 4 weekly" in said.pop()[1]
    retain_backups(obeys, context_of(config, said), 7)
    assert obeys.asked


def test_who_does_not_know_keep_rules_is_not_asked_for_archives_of_a_policy_that_has_some(said):
    rules = Retention(policy="daily", keep_rules=KeepRules(monthly=6))
    config = make_config().model_copy(update={"archive_retentions": (rules,)})
    deaf, obeys = Storage(), Storage(can=("keepRules",))
    assert retain_archives(deaf, context_of(config, said)) == Result()
    assert deaf.asked == []
    level, words = said.pop()
    assert level == Level.WARN
    assert "also keeps 6 monthly, and the archive plugin" in words
    retain_archives(obeys, context_of(config, said))
    assert obeys.asked
    other = Storage()
    retain_archives(other, context_of(make_config(), said))
    assert other.asked, "a policy without rules needs no such plugin"
