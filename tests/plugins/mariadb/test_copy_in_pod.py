"""mariadb for a server in a pod: the copy is streamed out of it, unpacked and prepared beside the worker."""

import re
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pod_cases import POD_LACKS, WRONG, checked, keeps_secret, refused
from tests.plugins.databases.pods import use_busybox
from tests.plugins.findings import all_good, bad, words
from tests.plugins.kubernetes.api_server import PROTOCOLS, ApiServer
from tests.plugins.mariadb.pod_copies import in_pod, left, pod_copies
from tests.plugins.mariadb.server import PASSWORD, MariadbTestServer, started
from tests.plugins.mariadb.test_server_copy import SESSIONS, staged, without_counters
from tests.plugins.mariadb.transfers import is_one_moment, made, transferring
from tests.plugins.postgres.waiting import until
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.findings import FindingState
from workflows_app.domain.results import Level
from workflows_app.plugins.mariadb.plugin import plugin
from workflows_app.plugins.mariadb.pod_copy import pod_argument


@pytest.fixture
def copies(server: MariadbTestServer, shop: str, pod: ApiServer, place: Path) -> Calls:
    """Calls of the plugin mariadb for a server in a pod."""
    return pod_copies(server, pod, place)


def program(place: Path, script: str, version: str = "10.11.6") -> str:
    """A program that says of itself that it is mariadb-backup, and else runs ``script``."""
    path = place / "another-backup"
    says = f"mariadb-backup based on MariaDB server {version}-MariaDB Linux (x86_64)"
    path.write_text(f'#!/bin/sh\ncase "$*" in *--version*) echo "{says}"; exit;; esac\n{script}\n')
    path.chmod(0o755)
    return str(path)


def test_a_copy_of_a_busy_server_starts_and_has_each_transfer_whole(
    server: MariadbTestServer, shop: str, copies: Calls, place: Path
) -> None:
    server.sql("CREATE TABLE old (n int) ENGINE=MyISAM; INSERT INTO old VALUES (1), (2)", shop)
    with transferring(server, shop):
        begun = made(server, shop)
        assert plugin.quiesce(copies.context()).code == 0
        ended = made(server, shop)
    assert ended > begun, "the server was written to while it was copied"
    with started(staged(copies) / "data", place / "server") as other:
        assert is_one_moment(other, shop)
        assert begun <= made(other, shop) <= ended, "all that was committed before, nothing of later"
        assert other.sql("SELECT n FROM old ORDER BY 1", shop) == [["1"], ["2"]]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_copy_of_a_quiet_server_is_equal_and_verified(
    server: MariadbTestServer, shop: str, copies: Calls, pod: ApiServer, place: Path, protocol: str
) -> None:
    pod.protocols = (protocol,)
    assert plugin.quiesce(copies.context()).code == 0
    assert copies.lines(Level.WARN, Level.ERROR) == []
    assert re.fullmatch(
        rf"The copy {staged(copies) / 'data'} is complete and prepared: \d+ files", copies.lines()[-1]
    )
    assert max(report.done_files for report in copies.reports) > 50
    assert max(report.done_bytes for report in copies.reports) > 10_000_000
    assert staged(copies).stat().st_mode & 0o777 == 0o700
    until(lambda: server.sql(SESSIONS) == [["0"]])
    assert not in_pod(copies)
    assert plugin.post_restore(copies.restore()).code == 0
    with started(staged(copies) / "data", place / "server") as other:
        assert without_counters(other.contents(shop)) == without_counters(server.contents(shop))
    copies.said.clear()
    assert plugin.unquiesce(copies.context()).code == 0
    assert copies.lines(Level.WARN, Level.ERROR) == []
    assert left(copies) == []


def test_busybox_is_enough(copies: Calls, pod: ApiServer) -> None:
    use_busybox(pod, "mariadb", "mariadb-backup")
    assert plugin.quiesce(copies.context()).code == 0
    assert plugin.unquiesce(copies.context()).code == 0
    assert copies.lines(Level.WARN, Level.ERROR) == []


def test_the_password_is_in_no_argument_and_no_line_and_nothing_is_written_in_the_pod(
    copies: Calls, pod: ApiServer
) -> None:
    plugin.quiesce(copies.context())
    keeps_secret(copies, pod, PASSWORD, "mariadb-backup")
    assert not Path(pod_argument(copies.context().config).removeprefix("--target-dir=")).exists()
    assert list((pod.folder / "db-0").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "field", "why"),
    [
        ({"Namespace": ""}, "Namespace", "is empty"),
        ({"MysqlBackupCmd": "no-such-backup"}, "MysqlBackupCmd", "in the image of the container 'main'"),
        ({"MysqlClientCmd": "/nowhere/mariadb"}, "MysqlClientCmd", "in the image of the container 'main'"),
        ({"MysqlPrepareCmd": "/nowhere/mariadb-backup"}, "MysqlPrepareCmd", "where the worker runs"),
        ({"MysqlStreamCmd": "/nowhere/mbstream"}, "MysqlStreamCmd", "install mariadb-backup"),
        ({"MysqlStreamCmd": "/bin/ls"}, "MysqlStreamCmd", "is not mbstream"),
        ({"MysqlStreamCmd": "bin/mbstream"}, "MysqlStreamCmd", "neither the name of a program"),
        ({"MysqlPrepareCmd": "-x"}, "MysqlPrepareCmd", "neither the name of a program"),
    ],
)
def test_what_is_missing_is_refused_by_its_field(
    copies: Calls, change: dict[str, str], field: str, why: str
) -> None:
    assert why in refused(plugin, copies, change, field)
    assert not staged(copies).parent.exists()


@pytest.mark.parametrize("field", ["MysqlBackupCmd", "MysqlPrepareCmd"])
def test_programs_of_another_version_are_refused_by_their_field(
    copies: Calls, place: Path, field: str
) -> None:
    other = program(place, "exit 1", version="10.6.18")
    told = refused(plugin, copies, {field: other}, field)
    assert "is of version 10.6, the server of version " in told
    assert "is of version 10.6" in bad(plugin.check(copies.context(**{field: other})), field)


def test_data_outside_of_the_data_folder_is_refused(
    server: MariadbTestServer, shop: str, copies: Calls, place: Path
) -> None:
    (place / "space").mkdir()
    server.give(place / "space")
    server.sql(f"CREATE TABLE far (n int) DATA DIRECTORY='{place}/space'", shop)
    with pytest.raises(PluginFailed, match=r"has data outside of its data folder, by .*/far\.isl"):
        plugin.quiesce(copies.context())
    server.sql("DROP TABLE far", shop)
    link = server.data / "elsewhere"
    link.symlink_to(place / "space")
    with pytest.raises(PluginFailed, match=r"has data outside of its data folder, by .*/elsewhere"):
        plugin.quiesce(copies.context())
    link.unlink()


def test_a_container_without_the_servers_files_is_told(server: MariadbTestServer, copies: Calls) -> None:
    """A sidecar reaches the server by TCP, but has not its data folder."""
    aside = server.data.with_name("aside")
    server.data.rename(aside)
    try:
        with pytest.raises(PluginFailed, match=r"cannot be read in namespace \[shop\] on pod \[db-0\]") as no:
            plugin.quiesce(copies.context())
        assert "Let ContainerName be the server's own container" in str(no.value)
        assert "cannot be read" in bad(plugin.check(copies.context()), "MysqlHost")
    finally:
        aside.rename(server.data)


def test_the_check_tells_the_pod_the_files_and_the_programs(copies: Calls) -> None:
    Path(copies.parameters["MysqlBackupPath"]).mkdir()
    found = plugin.check(copies.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    for part in (
        "The programs run in pod db-0, container main, of namespace shop",
        "can be read in the pod",
        "has the rights that a copy needs",
        "mariadb-backup is there in the pod, of the server's version",
        "mariadb-backup is there where the worker runs, of the server's version",
        "mbstream is there where the worker runs",
    ):
        assert part in told


@pytest.mark.parametrize(
    ("change", "parameter", "why"),
    [
        *POD_LACKS,
        ({"MysqlBackupCmd": "no-such-backup"}, "MysqlBackupCmd", "in the image of the container 'main'"),
        ({"MysqlPrepareCmd": "/nowhere/backup"}, "MysqlPrepareCmd", "where the worker runs"),
        ({"MysqlStreamCmd": "/nowhere/mbstream"}, "MysqlStreamCmd", "is not mbstream, or cannot be run"),
        ({"MysqlPassword": WRONG}, "MysqlHost", "Access denied"),
    ],
)
def test_the_check_tells_what_is_missing(copies: Calls, change, parameter, why) -> None:
    assert why in checked(plugin, copies, change, parameter, "MysqlHost")
