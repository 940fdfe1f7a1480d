"""What workers tell of their plugins: told by a real worker; what was declared secret is never forgotten."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db.models import F

from tests.conftest import eventually, running_worker
from tests.factories import VIEWER
from tests.services.published import FILESYSTEM, SAFE, VAULT
from workflows_app.domain.config_files.configuration import Family
from workflows_app.domain.errors import NotAllowed
from workflows_app.models import PluginRecord
from workflows_app.services.configurations.plugins import FORGET, FRESH, declared_secrets, publish, published
from workflows_app.services.people.permissions import NOBODY
from workflows_app.services.temporal import workers

pytestmark = pytest.mark.django_db(transaction=True)


def age(worker: str, by: timedelta) -> None:
    PluginRecord.objects.filter(worker=worker).update(seen=F("seen") - by)


def names(family: Family) -> list[str]:
    return [plugin.name for plugin in published(VIEWER).of(family)]


async def test_a_worker_tells_of_its_plugins_and_their_parameters(temporal_settings):
    async with running_worker(temporal_settings):
        told = await eventually(lambda: sync_to_async(names)(Family.STORAGE))
        assert told == sorted(told)
        assert {"filesystem", "restic", "sample-storage"} <= set(told)
        known = await sync_to_async(published)(VIEWER)
        plugin = known.find(Family.STORAGE, "filesystem")
        assert plugin.present
        source = next(p for p in plugin.info.parameters if p.name == "BackupSrcPaths")
        assert source.required
        assert source.help
        assert "PqPassword" in known.declared_secrets
        seen = await workers.seen(VIEWER)
        assert [worker.identity for worker in seen.workers] == list(plugin.workers)
        assert all(worker.fresh for worker in seen.workers)


def test_nobody_may_look():
    with pytest.raises(NotAllowed):
        published(NOBODY)


def test_a_worker_that_is_gone_leaves_what_it_said():
    publish("1@a", (VAULT,))
    age("1@a", FRESH)
    plugin = published(VIEWER).find(Family.APP, "vault")
    assert not plugin.present
    assert plugin.workers == ()
    assert declared_secrets() == {"Opening"}


def test_what_is_told_again_replaces_what_was_told():
    publish("1@a", (VAULT, SAFE))
    publish("1@a", (VAULT.model_copy(update={"version": "2"}),))
    assert published(VIEWER).find(Family.APP, "vault").info.version == "2"
    assert not published(VIEWER).find(Family.APP, "safe").present, "it is not there any more"
    assert PluginRecord.objects.count() == 2


def test_the_same_plugin_on_two_workers_is_one_plugin():
    publish("1@a", (FILESYSTEM,))
    publish("1@b", (FILESYSTEM,))
    (plugin,) = published(VIEWER).plugins
    assert sorted(plugin.workers) == ["1@a", "1@b"]


def test_old_words_are_forgotten_only_for_newer_ones():
    publish("1@a", (VAULT, SAFE))
    age("1@a", FORGET + FRESH)
    publish("1@b", (SAFE,))
    assert sorted(PluginRecord.objects.values_list("worker", "name")) == [("1@a", "vault"), ("1@b", "safe")]
    assert declared_secrets() == {"Opening"}


def test_fossuls_name_of_a_native_plugin_finds_it():
    publish("1@a", (FILESYSTEM,))
    assert published(VIEWER).find(Family.STORAGE, "filesystem.so").name == "filesystem"
    assert published(VIEWER).find(Family.APP, "filesystem") is None
