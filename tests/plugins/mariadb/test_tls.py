"""TLS to a MariaDB server that takes nothing else: who vouches for it, and for which name, must fit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pods import pod_parameters, running_pod
from tests.plugins.findings import all_good, bad
from tests.plugins.kubernetes.certificates import Authority
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.server import MariadbTestServer, running_server
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.mariadb.plugin import plugin as server_plugin
from workflows_app.plugins.mariadb_dump.plugin import plugin as dump_plugin


@pytest.fixture(scope="module")
def server() -> Iterator[MariadbTestServer]:
    """A server with a certificate for ``localhost``, which refuses every connection over TCP without TLS."""
    with running_server() as running:
        running.stop()
        certificate, key = Authority(running.folder).certificate("server", "localhost")
        running.give(running.folder)
        running.start(f"--ssl-cert={certificate}", f"--ssl-key={key}", "--require-secure-transport=ON")
        yield running


@pytest.fixture
def trusted(server: MariadbTestServer, place: Path) -> str:
    """The file of the authority that vouches for the server."""
    return str(shutil.copy(server.folder / "ca.crt", place / "ca.crt"))


@pytest.fixture
def others(place: Path) -> str:
    """The file of an authority that does not."""
    return str(Authority(place, "others").file)


@pytest.fixture
def copies(server: MariadbTestServer, place: Path) -> Calls:
    """Calls of the plugin mariadb."""
    return Calls({**server_parameters(server), "MysqlBackupPath": str(place / "copies")})


WRONG = [("authority", "unable to get local issuer"), ("name", "Validation of SSL server certificate failed")]


def verified(ca: str, host: str = "localhost") -> dict[str, str]:
    return {"MysqlSslMode": "verify", "MysqlSslCa": ca, "MysqlHost": host}


def test_a_dump_and_its_restore_go_through_a_verified_connection(
    server: MariadbTestServer, shop: str, empty: str, calls: Calls, trusted: str
) -> None:
    before = server.contents(shop)
    dump_plugin.quiesce(calls.context(**verified(trusted)))
    dump_plugin.post_restore(calls.restore(MysqlRestoreDb=empty, **verified(trusted)))
    assert server.contents(empty) == before


def test_a_copy_goes_through_a_verified_connection(copies: Calls, trusted: str, place: Path) -> None:
    server_plugin.quiesce(copies.context(**verified(trusted)))
    assert (place / "copies" / "test" / "shop" / "7").is_dir()


def test_a_verified_connection_is_good_in_the_check(
    calls: Calls, copies: Calls, trusted: str, place: Path
) -> None:
    (place / "dumps").mkdir()
    (place / "copies").mkdir()
    for plugin, made in ((dump_plugin, calls), (server_plugin, copies)):
        found = plugin.check(made.context(**verified(trusted)))
        assert all_good(found), found


def test_a_verified_connection_is_made_in_a_pod(calls: Calls, trusted: str, tmp_path: Path) -> None:
    with running_pod(tmp_path / "cluster") as pod:
        given = verified(trusted) | pod_parameters(pod)
        assert dump_plugin.quiesce(calls.context(**given)).code == 0


@pytest.mark.parametrize(("wrong", "why"), WRONG)
@pytest.mark.parametrize("pod", [False, True], ids=["worker", "pod"])
def test_a_server_that_nobody_vouches_for_is_refused(
    calls: Calls, trusted: str, others: str, tmp_path: Path, wrong: str, why: str, pod: bool
) -> None:
    given = verified(others) if wrong == "authority" else verified(trusted, "127.0.0.1")
    with running_pod(tmp_path / "cluster") as running:
        given |= pod_parameters(running) if pod else {}
        for act in (
            lambda: dump_plugin.quiesce(calls.context(**given)),
            lambda: dump_plugin.pre_restore(calls.restore(**given)),
        ):
            with pytest.raises(PluginFailed, match=why) as refused:
                act()
            assert "for the name in MysqlHost, from an authority in MysqlSslCa" in str(refused.value)
        assert why in bad(dump_plugin.check(calls.context(**given)), "MysqlDb")
    assert not Path(calls.parameters["MysqlDumpPath"]).exists()


@pytest.mark.parametrize(("wrong", "why"), WRONG)
def test_a_copy_of_a_server_that_nobody_vouches_for_is_refused(
    copies: Calls, trusted: str, others: str, place: Path, wrong: str, why: str
) -> None:
    given = verified(others) if wrong == "authority" else verified(trusted, "127.0.0.1")
    with pytest.raises(PluginFailed, match=why):
        server_plugin.quiesce(copies.context(**given))
    assert why in bad(server_plugin.check(copies.context(**given)), "MysqlHost")
    assert not (place / "copies").exists()


def test_a_server_that_wants_tls_refuses_a_plain_connection(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match="Access denied"):
        dump_plugin.quiesce(calls.context(MysqlSslMode="disable"))
