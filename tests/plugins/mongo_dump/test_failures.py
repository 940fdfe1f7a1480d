"""A dump or a load that cannot be: the words say why, and nothing half is left."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults import FaultProxy
from tests.plugins.databases.calls import Calls
from tests.plugins.kubernetes.certificates import Authority
from tests.plugins.mongo.server import PASSWORD, USER, MongoTestServer, guarded_server, running_server
from tests.plugins.mongo_dump.conftest import left, server_parameters, staged
from workflows_app.domain.errors import Cancelled, ConfigInvalid, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mongo_dump.plugin import plugin


@pytest.fixture(scope="module")
def guarded() -> Iterator[MongoTestServer]:
    """A server with users: one who may do everything, one who may only read, one who may nothing."""
    with guarded_server(
        {"createUser": "reader", "pwd": PASSWORD, "roles": [{"role": "read", "db": "shop"}]},
        {"createUser": "nobody", "pwd": PASSWORD, "roles": []},
    ) as running:
        yield running


@pytest.fixture
def guarded_calls(guarded: MongoTestServer, tmp_path: Path) -> Calls:
    """Calls for the database of the server with users."""
    return Calls(
        {
            **server_parameters(guarded), "MongoDb": "shop", "MongoDumpPath": str(tmp_path / "dumps"),
            "MongoUser": USER, "MongoPassword": PASSWORD,
        }
    )  # fmt: skip


def test_a_user_with_a_password_of_odd_characters_dumps(guarded_calls: Calls) -> None:
    plugin.quiesce(guarded_calls.context())
    assert "1 collections, 20 documents" in guarded_calls.lines()[-1]
    assert not [text for _, text in guarded_calls.said if "battery" in text]


@pytest.mark.parametrize(
    "change", [{"MongoPassword": "wrong-password"}, {"MongoAuthDb": "shop"}, {"MongoUser": "stranger"}]
)
def test_a_user_who_is_not_let_in(guarded_calls: Calls, change: dict[str, str]) -> None:
    with pytest.raises(PluginFailed) as failure:
        plugin.quiesce(guarded_calls.context(**change))
    assert "does not let the user" in str(failure.value)
    assert "Check MongoUser, MongoPassword, and that MongoAuthDb (" in str(failure.value)
    assert "wrong-password" not in str(failure.value)
    assert left(guarded_calls) == []


def test_a_user_who_may_not_write(guarded: MongoTestServer, guarded_calls: Calls) -> None:
    plugin.quiesce(guarded_calls.context(MongoUser="reader"))
    with pytest.raises(PluginFailed, match=r"nothing was changed: The user 'reader' may not make 'shop\.acc"):
        plugin.post_restore(guarded_calls.restore(MongoUser="reader", MongoRestoreClean="true"))
    assert staged(guarded_calls).is_dir(), "the dump stays for another attempt"


def test_nobody_is_told_what_may_not_be_read(guarded_calls: Calls) -> None:
    with pytest.raises(PluginFailed, match="'nobody'"):
        plugin.quiesce(guarded_calls.context(MongoUser="nobody"))
    with pytest.raises(PluginFailed, match=r"Without a user \(MongoUser\) the worker may not "):
        plugin.quiesce(guarded_calls.context(MongoUser="", MongoPassword=""))


def test_a_server_that_is_not_there(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 0.5)
    with pytest.raises(PluginFailed) as failure:
        plugin.quiesce(calls.context(MongoPort="1"))
    assert "Cannot connect to 127.0.0.1:1: " in str(failure.value)
    assert "Check MongoHost, MongoPort, MongoReplicaSet and MongoSslMode" in str(failure.value)
    assert "Topology" not in str(failure.value)
    assert left(calls) == []


def test_a_database_that_is_not_there(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match=r"There is no database 'nowhere' on .*: correct MongoDb"):
        plugin.quiesce(calls.context(MongoDb="nowhere"))


def cutting(proxy: FaultProxy, beginning: str) -> Callable[[str], None]:
    """What cuts the connections through ``proxy`` when a line of that beginning is said."""
    loop = asyncio.get_running_loop()

    def hear(text: str) -> None:
        if text.startswith(beginning):
            loop.call_soon_threadsafe(proxy.go_away)

    return hear


async def test_a_connection_that_is_cut_leaves_no_dump(
    calls: Calls, server: MongoTestServer, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 1)
    server.client[shop]["ledger"].insert_many(
        [{"_id": f"large {n}", "source": n, "amount": 10_000 + n, "text": "x" * 50_000} for n in range(800)]
    )
    async with FaultProxy(server.port).running() as proxy:
        calls.on_line = cutting(proxy, f"Dumped {shop}.empty ")
        context = calls.context(MongoPort=str(proxy.port))
        with pytest.raises(PluginFailed) as failure:
            await asyncio.to_thread(plugin.quiesce, context)
    assert "No dump of database 'shop-" in str(failure.value)
    assert "and nothing is kept of it: " in str(failure.value)
    assert left(calls) == []


async def test_a_connection_that_is_cut_while_loading_changes_nothing(
    calls: Calls, server: MongoTestServer, shop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 1)
    plugin.quiesce(calls.context())
    server.client[shop]["ledger"].delete_many({"_id": {"$gt": 5}})
    before = server.contents(shop)
    async with FaultProxy(server.port).running() as proxy:
        calls.on_line = cutting(proxy, f"Loaded {shop}.capped ")
        context = calls.restore(MongoPort=str(proxy.port), MongoRestoreClean="true")
        with pytest.raises(PluginFailed, match="The restore failed, and nothing was changed: "):
            await asyncio.to_thread(plugin.post_restore, context)
    (warning,) = calls.lines(Level.WARN)
    assert "in collections that begin with 'fossul-restore.90.'" in warning
    after = server.contents(shop)
    assert {name: value for name, value in after.items() if "fossul-restore" not in name} == before

    calls.on_line = lambda text: None
    plugin.post_restore(calls.restore(MongoRestoreClean="true"))
    assert not [name for name in server.contents(shop) if "fossul-restore" in name], "the retry removes them"
    assert server.client[shop]["ledger"].count_documents({}) == 3000


@pytest.mark.parametrize("step", ["dump", "load"])
def test_a_cancelled_call_leaves_nothing(calls: Calls, server: MongoTestServer, shop: str, step: str) -> None:
    if step == "load":
        plugin.quiesce(calls.context())
        server.client[shop]["ledger"].delete_many({})
    before = server.contents(shop)
    calls.on_line = lambda text: calls.cancel() if text.startswith(("Dumped", "Loaded")) else None
    with pytest.raises(Cancelled):
        if step == "dump":
            plugin.quiesce(calls.context())
        else:
            plugin.post_restore(calls.restore(MongoRestoreClean="true"))
    assert server.contents(shop) == before
    if step == "dump":
        assert left(calls) == []
    else:
        assert calls.lines(Level.WARN)[-1] == "The restore was cancelled: nothing was changed"


def test_a_full_disk_leaves_nothing(calls: Calls) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small filesystem")
    folder = Path(calls.parameters["MongoDumpPath"])
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,mode=755", "none", str(folder)], check=True)
    try:
        with pytest.raises(PluginFailed, match=r"cannot write below .*: No space left on device"):
            plugin.quiesce(calls.context(MongoDumpFormat="plain"))
        assert left(calls) == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("how", ["a byte", "shorter", "missing", "metadata", "manifest"])
def test_a_damaged_dump_is_not_loaded(
    calls: Calls, server: MongoTestServer, shop: str, empty: str, how: str
) -> None:
    plugin.quiesce(calls.context(MongoDumpFormat="plain"))
    ledger = staged(calls) / "dump" / shop / "ledger.bson"
    data = ledger.read_bytes()
    if how == "a byte":
        ledger.write_bytes(data[:100] + bytes([data[100] ^ 1]) + data[101:])
    elif how == "shorter":
        ledger.write_bytes(data[:-1])
    elif how == "missing":
        ledger.unlink()
    elif how == "metadata":
        path = ledger.with_name("ledger.metadata.json")
        path.write_text(path.read_text().replace("by source", "by nobody"))
    else:
        path = staged(calls) / "manifest.json"
        path.write_text(path.read_text().replace('"ledger"', '"../ledger"').replace(f'"{shop}"', '"../x"'))
    with pytest.raises(PluginFailed, match=r"is damaged|cannot be read|is no manifest"):
        plugin.post_restore(calls.restore(MongoRestoreDb=empty))
    assert server.contents(empty) == {}


def test_an_older_server_is_refused(calls: Calls, server: MongoTestServer, empty: str) -> None:
    plugin.quiesce(calls.context())
    path = staged(calls) / "manifest.json"
    path.write_text(path.read_text().replace('"serverVersion": "8.2.', '"serverVersion": "9.0.'))
    with pytest.raises(
        PluginFailed, match=r"The dump is of MongoDB 9\.0\..* is older .*: nothing was changed"
    ):
        plugin.post_restore(calls.restore(MongoRestoreDb=empty))
    assert server.contents(empty) == {}


def test_there_is_no_dump(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match=r"There is no dump in .*/test/shop/7 after the restore"):
        plugin.post_restore(calls.restore())


def test_a_time_series_is_refused(calls: Calls, server: MongoTestServer, shop: str) -> None:
    server.client[shop].create_collection("series", timeseries={"timeField": "at"})
    with pytest.raises(ConfigInvalid, match=r"shop-.*\.series is a time series") as refused:
        plugin.quiesce(calls.context())
    assert refused.value.field == "MongoDumpMethod"


def test_a_collection_that_is_made_anew_meanwhile_fails_the_dump(
    calls: Calls, server: MongoTestServer, shop: str
) -> None:
    def renew(text: str) -> None:
        if text.startswith(f"Dumped {shop}.accounts "):
            server.client[shop].drop_collection("accounts")
            server.client[shop]["accounts"].insert_one({"_id": 1})

    calls.on_line = renew
    with pytest.raises(
        PluginFailed, match=r"\.accounts was dropped, renamed or made anew while it was dumped"
    ):
        plugin.quiesce(calls.context())
    assert left(calls) == []


def test_a_server_with_a_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workflows_app.plugins.mongo_server.connection.CONNECT_SECONDS", 2)
    authority = Authority(tmp_path, "ours")
    other = Authority(tmp_path, "others")
    cert, key = authority.certificate("server")
    with running_server("--tls-cert-file", str(cert), "--tls-key-file", str(key)) as server:
        calls = Calls({**server_parameters(server), "MongoDumpPath": str(tmp_path / "dumps")})
        trusting = {"MongoSslMode": "verify", "MongoSslCa": str(authority.file)}
        assert plugin.pre_restore(calls.restore(**trusting)).code == 0
        for change in ({"MongoSslCa": str(other.file)}, {"MongoSslCa": ""}):
            with pytest.raises(PluginFailed, match="certificate verify failed"):
                plugin.pre_restore(calls.restore(**{**trusting, **change}))
        with pytest.raises(PluginFailed, match=r"Check MongoSslCa and MongoSslCert|Cannot connect"):
            plugin.pre_restore(calls.restore(**{**trusting, "MongoSslCa": str(tmp_path / "nowhere")}))
        with pytest.raises(PluginFailed, match="Cannot connect to "):
            plugin.pre_restore(calls.restore())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MongoHost", "a,b"), ("MongoPort", "many"), ("MongoPassword", "p\n"), ("MongoDb", "a/b"),
        ("MongoDb", "admin"), ("MongoDb", "ü" * 40), ("MongoDumpPath", ""), ("MongoDumpPath", "/a,b"),
        ("MongoDumpFormat", "zip"), ("MongoConsistency", "perhaps"), ("MongoDumpMethod", "hand"),
        ("MongoDumpCmd", "bin/mongodump"), ("MongoRestoreClean", "yes"), ("MongoRestoreDropOthers", "yes"),
        ("MongoSslMode", "allow"), ("MongoSslCa", "/ca.pem"), ("MongoReplicaSet", "a/b"),
        ("MongoAuthDb", "$external x"),
    ],
)  # fmt: skip
def test_a_wrong_parameter_is_refused_by_name(calls: Calls, field: str, value: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(calls.context(**{field: value}))
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"MongoUser": "u"}, "MongoPassword"),
        ({"MongoPassword": "p"}, "MongoUser"),
        ({"MongoRestoreDropOthers": "true"}, "MongoRestoreClean"),
        ({"MongoDumpMethod": "mongodump", "MongoConsistency": "snapshot"}, "MongoDumpMethod"),
    ],
)
def test_parameters_that_do_not_fit_each_other(calls: Calls, given: dict[str, str], field: str) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        plugin.quiesce(calls.context(**given))
    assert refused.value.field == field
