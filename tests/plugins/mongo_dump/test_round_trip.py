"""A dump has all that is in a database, of one moment, and a load brings all of it back."""

import gzip
import hashlib
import json
from pathlib import Path

import bson
import pytest
from bson import Timestamp

from tests.plugins.databases.calls import Calls
from tests.plugins.mongo.server import MongoTestServer, running_server
from tests.plugins.mongo_dump.conftest import Commands, as_restored, fill, left, server_parameters, staged
from workflows_app.domain.errors import ConfigInvalid
from workflows_app.domain.results import Level
from workflows_app.plugins.mongo_dump.plugin import plugin


@pytest.mark.parametrize("form", ["gzip", "plain"])
def test_all_comes_back_into_another_database(
    server: MongoTestServer, calls: Calls, shop: str, empty: str, form: str
) -> None:
    before = server.contents(shop)
    assert plugin.quiesce(calls.context(MongoDumpFormat=form)).code == 0
    assert calls.lines(Level.WARN, Level.ERROR) == []
    assert calls.lines()[-1].startswith(
        f"Dump {staged(calls)}/dump completed: 8 collections, 3028 documents, "
    )
    assert max(report.done_bytes for report in calls.reports) > 100_000

    assert plugin.pre_restore(calls.restore(MongoRestoreDb=empty)).code == 0
    assert plugin.post_restore(calls.restore(MongoRestoreDb=empty)).code == 0
    assert calls.lines()[-1].startswith(f"Restored '{empty}': 8 collections, 3028 documents, ")
    assert server.contents(empty) == as_restored(before)
    assert left(calls) == [], "a loaded dump goes from its original place"


def test_the_files_are_mongodumps(server: MongoTestServer, calls: Calls, shop: str) -> None:
    """The names and the content that mongorestore reads, and the manifest beside them."""
    plugin.quiesce(calls.context(MongoDumpFormat="plain"))
    root = staged(calls) / "dump" / shop
    assert sorted(path.name for path in root.iterdir()) == sorted(
        [
            *(f"{name}.bson" for name in ("accounts", "ledger", "places", "capped", "checked", "empty")),
            *(f"{name}.metadata.json" for name in ("accounts", "ledger", "places", "capped", "checked")),
            "empty.metadata.json", "rich.metadata.json",
            "it%27s%2Fa%20%25file%3A%C3%BC%20100%25.bson",
            "it%27s%2Fa%20%25file%3A%C3%BC%20100%25.metadata.json",
        ]
    )  # fmt: skip
    with (root / "ledger.bson").open("rb") as file:
        assert sum(1 for _ in bson.decode_file_iter(file)) == 3000
    metadata = json.loads((root / "ledger.metadata.json").read_text())
    assert metadata["collectionName"] == "ledger"
    assert metadata["type"] == "collection"
    assert len(bytes.fromhex(metadata["uuid"])) == 16
    (by_source,) = [one for one in metadata["indexes"] if one["name"] == "by source"]
    assert by_source == {
        "v": {"$numberInt": "2"},
        "key": {"source": {"$numberInt": "1"}, "amount": {"$numberInt": "-1"}},
        "name": "by source",
        "unique": True,
    }
    assert json.loads((root / "rich.metadata.json").read_text())["options"]["viewOn"] == "accounts"
    manifest = json.loads((staged(calls) / "manifest.json").read_text())
    (ledger,) = [one for one in manifest["collections"] if one["name"] == "ledger"]
    assert ledger["documents"] == 3000
    assert ledger["sha256"] == hashlib.sha256((root / "ledger.bson").read_bytes()).hexdigest()
    assert manifest["consistency"] == "snapshot"
    assert staged(calls).stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o077 for path in root.iterdir()} == {0}


def test_a_compressed_dump_is_gzip(calls: Calls, shop: str) -> None:
    plugin.quiesce(calls.context())
    root = staged(calls) / "dump" / shop
    assert len(gzip.decompress((root / "ledger.bson.gz").read_bytes())) > 100_000
    assert (
        json.loads(gzip.decompress((root / "ledger.metadata.json.gz").read_bytes()))["type"] == "collection"
    )
    plugin.unquiesce(calls.context())
    assert left(calls) == []


def test_all_collections_are_asked_for_at_one_moment(calls: Calls, commands: Commands) -> None:
    """SecantusDB takes such reads and does not honour them; so what is asked is what can be seen here."""
    plugin.quiesce(calls.context())
    assert len(commands.read_concerns()) >= 7
    first, *others = commands.read_concerns()
    assert first == {"level": "snapshot"}, "the server chooses the moment"
    (moment,) = {one["atClusterTime"] for one in others}
    assert isinstance(moment, Timestamp)
    assert {one["level"] for one in others} == {"snapshot"}
    commands.seen.clear()
    plugin.quiesce(calls.context(MongoConsistency="collection", MongoDumpMethod="driver"))
    assert [one for one in commands.read_concerns() if one] == []


def test_what_the_server_does_not_keep_is_said(
    calls: Calls, shop: str, empty: str, commands: Commands
) -> None:
    plugin.quiesce(calls.context())
    plugin.post_restore(calls.restore(MongoRestoreDb=empty))
    made = {name: value for name, value in commands.named("create") if name.startswith("fossul-restore.90.")}
    options = [
        {
            key: value
            for key, value in one.items()
            if key in ("capped", "size", "max", "validator", "collation")
        }
        for one in made.values()
    ]
    assert {"capped": True, "size": 100000, "max": 50} in options
    assert {
        "validator": {"$jsonSchema": {"required": ["q"]}}, "collation": {"locale": "de", "strength": 2}
    } in options  # fmt: skip
    lost = "The server did not keep options of "
    assert calls.lines(Level.WARN) == [
        f"{lost}{empty}.capped as the dump has them: capped, max, size",
        f"{lost}{empty}.checked as the dump has them: collation, validator",
    ]


def test_a_server_on_its_own_is_said_to_have_no_one_moment(tmp_path: Path) -> None:
    with running_server("--standalone") as alone:
        fill(alone, "shop")
        calls = Calls(
            {**server_parameters(alone), "MongoDb": "shop", "MongoDumpPath": str(tmp_path / "dumps")}
        )
        before = alone.contents("shop")
        plugin.quiesce(calls.context(MongoDumpMethod="driver"))
        (warning,) = calls.lines(Level.WARN)
        assert "The dump is of no one moment: " in warning
        assert "is on its own (MongoDB 8.2" in warning
        assert '"collection"' in (staged(calls) / "manifest.json").read_text()
        alone.client.drop_database("shop")
        plugin.post_restore(calls.restore())
        assert alone.contents("shop") == as_restored(before)
        with pytest.raises(
            ConfigInvalid, match=r"is 'snapshot', and .* has none: it is on its own"
        ) as refused:
            plugin.quiesce(calls.context(MongoConsistency="snapshot"))
        assert refused.value.field == "MongoConsistency"
        assert left(calls) == []


def test_all_databases_come_back_under_their_own_names(tmp_path: Path) -> None:
    with running_server() as server:
        fill(server, "shop")
        server.client["other"]["things"].insert_one({"_id": 1})
        server.client["local"]["mine"].insert_one({"_id": 1})
        calls = Calls({**server_parameters(server), "MongoDumpPath": str(tmp_path / "dumps")})
        before = {name: server.contents(name) for name in ("shop", "other")}
        plugin.quiesce(calls.context())
        assert sorted(path.name for path in (staged(calls) / "dump").iterdir()) == ["other", "shop"]
        with pytest.raises(ConfigInvalid, match="the dump is of all databases"):
            plugin.post_restore(calls.restore(MongoRestoreDb="elsewhere"))
        for name in before:
            server.client.drop_database(name)
        plugin.post_restore(calls.restore())
        assert {name: server.contents(name) for name in before} == {
            name: as_restored(value) for name, value in before.items()
        }


def test_what_is_there_is_replaced_only_where_that_is_asked(
    server: MongoTestServer, calls: Calls, shop: str
) -> None:
    before = server.contents(shop)
    plugin.quiesce(calls.context())
    opened = server.client[shop]
    opened["ledger"].delete_many({"amount": {"$gt": 5}})
    opened["ledger"].drop_indexes()
    opened.drop_collection("rich")
    opened["rich"].insert_one({"a": "collection where the dump has a view"})
    opened.drop_collection("places")
    opened.create_collection("places", viewOn="accounts", pipeline=[])
    opened["mine"].insert_one({"_id": 1})
    spoilt = server.contents(shop)

    for step in (plugin.pre_restore, plugin.post_restore):
        with pytest.raises(ConfigInvalid, match=f"database '{shop}' on .* is not empty") as refused:
            step(calls.restore())
        assert refused.value.field == "MongoRestoreClean"
    assert server.contents(shop) == spoilt

    plugin.post_restore(calls.restore(MongoRestoreClean="true"))
    mine = ("mine", "mine documents", "mine indexes")
    after = server.contents(shop)
    assert {name: value for name, value in after.items() if name not in mine} == as_restored(before)
    assert after["mine documents"] == spoilt["mine documents"], "what the dump does not have stays"


def test_what_the_dump_does_not_have_is_dropped_where_that_is_asked(
    server: MongoTestServer, calls: Calls, shop: str
) -> None:
    before = server.contents(shop)
    plugin.quiesce(calls.context())
    server.client[shop]["mine"].insert_one({"_id": 1})
    plugin.post_restore(calls.restore(MongoRestoreClean="true", MongoRestoreDropOthers="true"))
    assert server.contents(shop) == as_restored(before)
    assert f"Dropped {shop}.mine, which the dump does not have" in calls.lines()


def test_a_dump_at_another_target_is_loaded_and_stays(
    server: MongoTestServer, calls: Calls, shop: str, empty: str, tmp_path: Path
) -> None:
    before = server.contents(shop)
    plugin.quiesce(calls.context())
    elsewhere = Path(f"{tmp_path / 'elsewhere'}{staged(calls)}")
    elsewhere.parent.mkdir(parents=True)
    staged(calls).rename(elsewhere)
    plugin.post_restore(calls.restore(target=str(tmp_path / "elsewhere"), MongoRestoreDb=empty))
    assert server.contents(empty) == as_restored(before)
    assert calls.lines()[-1] == f"The dump stays at {elsewhere}"
    assert elsewhere.is_dir()


def test_a_long_name_is_cut_as_mongodump_does(
    server: MongoTestServer, calls: Calls, shop: str, empty: str
) -> None:
    name = "ü" * 90
    server.client[shop][name].insert_one({"_id": 1})
    before = server.contents(shop)
    plugin.quiesce(calls.context())
    names = [path.name for path in (staged(calls) / "dump" / shop).iterdir()]
    (cut,) = [one for one in names if one.startswith("%C3%BC%C3") and one.endswith(".bson.gz")]
    assert len(cut) == 238 + len(".bson.gz")
    assert cut[208:211] == "%24"
    plugin.post_restore(calls.restore(MongoRestoreDb=empty))
    assert server.contents(empty) == as_restored(before)
