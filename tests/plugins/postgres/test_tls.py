"""TLS to a PostgreSQL server that takes nothing else: who vouches for it, and for which name, must fit."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pods import pod_parameters, running_pod
from tests.plugins.findings import all_good, bad
from tests.plugins.kubernetes.certificates import Authority
from tests.plugins.postgres.cluster import Cluster, running_cluster
from tests.plugins.postgres.conftest import server_parameters
from tests.plugins.postgres.waiting import until
from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.postgres.plugin import plugin as cluster_plugin
from workflows_app.plugins.postgres_dump.plugin import plugin as dump_plugin


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A server with a certificate for 127.0.0.1, which refuses every connection over TCP without TLS."""
    with running_cluster() as running:
        certificate, key = Authority(running.folder).certificate("server")
        key.chmod(0o600)
        running.give(running.folder)
        rules = running.data / "pg_hba.conf"
        rules.write_text(f"hostnossl all all all reject\n{rules.read_text()}")
        running.execute(f"ALTER SYSTEM SET ssl_cert_file = '{certificate}'")
        running.execute(f"ALTER SYSTEM SET ssl_key_file = '{key}'")
        running.execute("ALTER SYSTEM SET ssl = on")
        running.execute("SELECT pg_reload_conf()")
        until(lambda: running.rows("SHOW ssl") == [("on",)])
        yield running


@pytest.fixture
def trusted(cluster: Cluster, place: Path) -> str:
    """The file of the authority that vouches for the server."""
    return str(shutil.copy(cluster.folder / "ca.crt", place / "ca.crt"))


@pytest.fixture
def others(place: Path) -> str:
    """The file of an authority that does not."""
    return str(Authority(place, "others").file)


@pytest.fixture
def copies(cluster: Cluster, place: Path) -> Calls:
    """Calls of the plugin postgres."""
    return Calls(
        {
            **server_parameters(cluster),
            "PqBackupPath": str(place / "copies"),
            "PqBinPath": str(cluster.bin),
        }
    )


def verified(ca: str, **more: str) -> dict[str, str]:
    return {"PqSslMode": "verify-full", "PqSslCa": ca, **more}


def test_a_dump_and_its_restore_go_through_a_verified_connection(
    cluster: Cluster, shop: str, empty: str, calls: Calls, trusted: str
) -> None:
    before = cluster.contents(shop)
    dump_plugin.quiesce(calls.context(**verified(trusted)))
    dump_plugin.post_restore(calls.restore(PqRestoreDb=empty, **verified(trusted)))
    assert cluster.contents(empty) == before


def test_a_copy_goes_through_a_verified_connection(copies: Calls, trusted: str, place: Path) -> None:
    cluster_plugin.quiesce(copies.context(**verified(trusted)))
    assert (place / "copies" / "test" / "shop" / "7").is_dir()


def test_a_verified_connection_is_good_in_the_check(
    calls: Calls, copies: Calls, trusted: str, place: Path
) -> None:
    (place / "dumps").mkdir()
    (place / "copies").mkdir()
    for plugin, made in ((dump_plugin, calls), (cluster_plugin, copies)):
        found = plugin.check(made.context(**verified(trusted)))
        assert all_good(found), found


def test_a_verified_connection_is_made_in_a_pod(calls: Calls, trusted: str, tmp_path: Path) -> None:
    with running_pod(tmp_path / "cluster") as pod:
        given = verified(trusted) | pod_parameters(pod)
        assert dump_plugin.quiesce(calls.context(**given)).code == 0


WRONG = [
    pytest.param({"PqSslMode": "verify-full"}, "certificate verify failed", id="authority"),
    pytest.param({"PqSslMode": "verify-ca"}, "certificate verify failed", id="authority, any name"),
    pytest.param({"PqHost": "localhost"}, 'does not match host name "localhost"', id="name"),
]


@pytest.mark.parametrize(("change", "why"), WRONG)
@pytest.mark.parametrize("pod", [False, True], ids=["worker", "pod"])
def test_a_server_that_nobody_vouches_for_is_refused(
    calls: Calls, trusted: str, others: str, tmp_path: Path, change: dict[str, str], why: str, pod: bool
) -> None:
    given = verified(trusted if "PqHost" in change else others) | change
    with running_pod(tmp_path / "cluster") as running:
        given |= pod_parameters(running) if pod else {}
        for act in (
            lambda: dump_plugin.quiesce(calls.context(**given)),
            lambda: dump_plugin.pre_restore(calls.restore(**given)),
        ):
            with pytest.raises(PluginFailed, match=why) as refused:
                act()
            assert "for the name in PqHost, from an authority in PqSslCa" in str(refused.value)
        assert why in bad(dump_plugin.check(calls.context(**given)), "PqDb")
    assert not Path(calls.parameters["PqDumpPath"]).exists()


@pytest.mark.parametrize(("change", "why"), WRONG)
def test_a_copy_of_a_server_that_nobody_vouches_for_is_refused(
    copies: Calls, trusted: str, others: str, place: Path, change: dict[str, str], why: str
) -> None:
    given = verified(trusted if "PqHost" in change else others) | change
    with pytest.raises(PluginFailed, match=why):
        cluster_plugin.quiesce(copies.context(**given))
    assert why in bad(cluster_plugin.check(copies.context(**given)), "PqDb")
    assert not (place / "copies").exists()


def test_the_name_does_not_count_for_verify_ca(calls: Calls, trusted: str) -> None:
    given = verified(trusted, PqHost="localhost", PqSslMode="verify-ca")
    assert dump_plugin.quiesce(calls.context(**given)).code == 0


def test_a_server_that_wants_tls_refuses_a_plain_connection(calls: Calls) -> None:
    with pytest.raises(PluginFailed, match="no encryption"):
        dump_plugin.quiesce(calls.context(PqSslMode="disable"))
