"""No files are put under a server that runs, and what was restored is said to become a server how."""

from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.scripted_mongod import ScriptedMongod
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mongo.plugin import plugin


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 0.5)


@pytest.fixture
def calls() -> Calls:
    return Calls({"MongoHost": "127.0.0.1", "MongoPort": "1"})


def test_files_are_not_put_under_a_server_that_runs(calls: Calls, tmp_path: Path) -> None:
    with ScriptedMongod() as mongod:
        running = {"MongoPort": str(mongod.port)}
        with pytest.raises(PluginFailed, match=r"its files would be replaced under it: stop it, or restore"):
            plugin.pre_restore(calls.restore(**running))
        assert plugin.pre_restore(calls.restore(target=str(tmp_path), **running)).code == 0
    assert plugin.pre_restore(calls.restore()).code == 0
    assert calls.lines() == ["Nothing answers on 127.0.0.1:1: its files may be replaced"]


def test_a_data_folder_that_is_back_is_named(calls: Calls, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere" / "srv" / "db"
    place.mkdir(parents=True)
    source, target = Path("/srv/db"), str(tmp_path / "elsewhere")
    with pytest.raises(PluginFailed, match=rf"There is no data folder of MongoDB in {place}: "):
        plugin.post_restore(calls.restore(source=source, target=target))
    (place / "WiredTiger").write_text("WiredTiger\n")
    plugin.post_restore(calls.restore(source=source, target=target))
    assert f"The data folder {place} is back. To run it: " in calls.lines()[0]
