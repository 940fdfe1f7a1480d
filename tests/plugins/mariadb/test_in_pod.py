"""mariadb-dump in a pod: MariaDB's programs run there, and the worker has none."""

from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pod_cases import (
    POD_LACKS,
    WRONG,
    checked,
    ends_in_the_pod_with_a_cancel,
    failed,
    keeps_nothing_of_a_broken_dump,
    keeps_secret,
    refused,
)
from tests.plugins.databases.pods import (
    commands,
    pod_parameters,
    use_busybox,
)
from tests.plugins.findings import all_good, words
from tests.plugins.kubernetes.api_server import PROTOCOLS, ApiServer
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer
from tests.plugins.mariadb.waiting import locked, waiting_sessions
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.mariadb_dump.plugin import plugin


@pytest.fixture
def in_pod(calls: Calls, pod: ApiServer) -> Calls:
    """Calls whose programs run in the pod: the worker finds none."""
    calls.parameters |= pod_parameters(pod)
    calls.environment["PATH"] = "/nowhere"
    return calls


def staged(calls: Calls) -> Path:
    return Path(calls.parameters["MysqlDumpPath"]) / "test" / "shop" / "7"


@pytest.mark.parametrize(
    ("form", "name"), [("zstd", "mariadb.sql.zst"), ("plain", "mariadb.sql")], ids=["zstd", "plain"]
)
def test_a_dump_comes_out_of_the_pod_and_back_into_another_database(
    server: MariadbTestServer, shop: str, empty: str, in_pod: Calls, form: str, name: str
) -> None:
    before = server.contents(shop)
    assert plugin.quiesce(in_pod.context(MysqlDumpFormat=form)).code == 0
    assert [entry.name for entry in staged(in_pod).iterdir()] == [name]
    assert (staged(in_pod) / name).stat().st_mode & 0o777 == 0o600
    assert in_pod.lines()[-1].endswith(", verified")
    assert "Dumping table ledger" in "\n".join(in_pod.lines())
    assert in_pod.reports[-1].done_bytes > 10_000
    assert plugin.pre_restore(in_pod.restore(MysqlRestoreDb=empty)).code == 0
    assert plugin.post_restore(in_pod.restore(MysqlRestoreDb=empty)).code == 0
    assert server.contents(empty) == before
    assert not staged(in_pod).exists()


def test_busybox_is_enough(
    server: MariadbTestServer, shop: str, empty: str, in_pod: Calls, pod: ApiServer
) -> None:
    use_busybox(pod, "mariadb", "mariadb-dump")
    plugin.quiesce(in_pod.context())
    plugin.post_restore(in_pod.restore(MysqlRestoreDb=empty))
    assert server.contents(empty) == server.contents(shop)


def test_the_password_is_in_no_argument_and_no_line(in_pod: Calls, pod: ApiServer) -> None:
    plugin.quiesce(in_pod.context())
    keeps_secret(in_pod, pod, PASSWORD, "mariadb-dump")
    assert len({command[2] for command in commands(pod)}) == 2, "the scripts are constants"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"Namespace": ""}, "Namespace"),
        ({"MysqlDumpCmd": "no-such-dump"}, "MysqlDumpCmd"),
        ({"MysqlRestoreCmd": "/nowhere/mariadb"}, "MysqlRestoreCmd"),
    ],
)
def test_what_a_pod_lacks_is_refused_by_its_field(in_pod: Calls, change: dict[str, str], field: str) -> None:
    told = refused(plugin, in_pod, change, field)
    assert field == "Namespace" or "in the image of the container 'main' of pod 'db-0'" in told
    assert not staged(in_pod).exists()


def test_a_server_that_refuses_is_told_of_with_its_words(in_pod: Calls) -> None:
    told = failed(plugin, in_pod, MysqlPassword=WRONG)
    for part in ("Access denied", "Check MysqlHost, MysqlPort, MysqlUser", "of pod 'db'"):
        assert part in told


def test_a_connection_that_breaks_leaves_no_dump(in_pod: Calls, pod: ApiServer) -> None:
    keeps_nothing_of_a_broken_dump(plugin, in_pod, pod, 20_000, staged(in_pod).parent)


def test_a_dump_whose_end_is_missing_does_not_count(in_pod: Calls, pod: ApiServer, place: Path) -> None:
    """A program that succeeds, and has written only a part."""
    program = place / "mariadb-dump"
    program.write_text('#!/bin/sh\nmariadb-dump "$@" | head -c 20000\n')
    program.chmod(0o755)
    with pytest.raises(PluginFailed, match="is not complete"):
        plugin.quiesce(in_pod.context(MysqlDumpCmd=str(program)))
    assert list(staged(in_pod).parent.iterdir()) == []


def test_a_connection_that_breaks_during_a_restore_is_told_with_what_it_left(
    empty: str, in_pod: Calls, pod: ApiServer
) -> None:
    plugin.quiesce(in_pod.context())
    in_pod.on_line = lambda text: setattr(
        pod, "break_input", 20_000 if text.startswith("Loading the dump of") else pod.break_input
    )
    with pytest.raises(PluginFailed, match="a part of the dump may be in") as failed:
        plugin.post_restore(in_pod.restore(MysqlRestoreDb=empty))
    assert "broke before the command had ended" in str(failed.value)
    assert (staged(in_pod) / "mariadb.sql.zst").exists()


def test_an_error_of_the_server_ends_a_restore_and_is_told(
    server: MariadbTestServer, empty: str, in_pod: Calls
) -> None:
    plugin.quiesce(in_pod.context())
    server.sql("CREATE VIEW ledger AS SELECT 1 AS one", empty)
    with pytest.raises(PluginFailed, match="The restore failed") as failed:
        plugin.post_restore(in_pod.restore(MysqlRestoreDb=empty, MysqlRestoreClean="true"))
    assert "ERROR " in str(failed.value)
    assert "ledger" in str(failed.value)


def test_a_cluster_that_cannot_end_input_loads_nothing(
    server: MariadbTestServer, shop: str, empty: str, in_pod: Calls, pod: ApiServer
) -> None:
    pod.protocols = PROTOCOLS[1:]
    assert plugin.quiesce(in_pod.context()).code == 0
    with pytest.raises(PluginFailed, match=r"Use Kubernetes 1\.30 or newer"):
        plugin.post_restore(in_pod.restore(MysqlRestoreDb=empty))
    assert server.sql("SHOW TABLES", empty) == []


def test_a_dump_that_waits_is_killed_in_the_pod_when_nobody_listens(
    server: MariadbTestServer, shop: str, in_pod: Calls, pod: ApiServer
) -> None:
    with locked(server, shop):
        ends_in_the_pod_with_a_cancel(plugin, in_pod, pod, lambda: waiting_sessions(server, shop))
    assert list(staged(in_pod).parent.iterdir()) == []


def test_the_check_tells_the_pod_the_server_and_the_programs(in_pod: Calls) -> None:
    Path(in_pod.parameters["MysqlDumpPath"]).mkdir()
    found = plugin.check(in_pod.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert "The programs run in pod db-0, container main, of namespace shop" in told
    assert "opens" in told
    assert "mariadb-dump fits the server" in told


@pytest.mark.parametrize(
    ("change", "parameter", "why"),
    [
        *POD_LACKS,
        ({"MysqlDumpCmd": "no-such-dump"}, "MysqlDumpCmd", "in the image of the container 'main'"),
        ({"MysqlPassword": WRONG}, "MysqlDb", "Access denied"),
    ],
)
def test_the_check_tells_what_a_pod_lacks(in_pod: Calls, change, parameter, why) -> None:
    assert why in checked(plugin, in_pod, change, parameter, "MysqlDb")
