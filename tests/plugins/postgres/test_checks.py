"""The tests of PostgreSQL's plugins: what a run will need is found out, and nothing is left of the look."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.findings import all_good, bad, words
from tests.plugins.postgres.cluster import PASSWORD, Cluster
from tests.plugins.postgres.conftest import server_parameters
from workflows_app.domain.findings import FindingState
from workflows_app.plugins.postgres.plugin import plugin as cluster_plugin
from workflows_app.plugins.postgres_dump.plugin import plugin as dump_plugin


@pytest.fixture
def folder(place: Path) -> Path:
    path = place / "dumps"
    path.mkdir()
    return path


@pytest.fixture
def copies(cluster: Cluster, place: Path) -> Calls:
    """Calls of the plugin postgres."""
    path = place / "copies"
    path.mkdir()
    return Calls({**server_parameters(cluster), "PqBackupPath": str(path), "PqBinPath": str(cluster.bin)})


def test_all_that_a_dump_needs_is_good(calls: Calls, folder: Path, shop: str):
    found = dump_plugin.check(calls.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert f"Database '{shop}' of PostgreSQL" in told
    assert "3 tables" in told
    assert "may read all tables" in told
    assert "pg_dump and pg_restore are there" in told
    assert f"{folder} can be written" in told
    assert PASSWORD not in told
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "parameter", "why"),
    [
        ({"PqPassword": "wrong-password"}, "PqDb", "password authentication failed"),
        ({"PqDb": "no-such-database"}, "PqDb", "does not exist"),
        ({"PqPort": "1"}, "PqDb", "Cannot connect"),
        ({"PqPort": "many"}, "PqPort", "is not a whole number"),
        ({"PqDumpCmd": "no-such-dump"}, "PqDumpCmd", "cannot be run"),
        ({"PqDumpCmd": "ls"}, "PqDumpCmd", "is not pg_dump"),
        ({"PqDumpPath": "/proc/dumps"}, "PqDumpPath", "cannot be written"),
    ],
)
def test_what_a_dump_lacks_is_told_at_its_parameter(calls, folder, change, parameter, why):
    found = dump_plugin.check(calls.context(**change))
    assert why in bad(found, parameter)
    assert "wrong-password" not in bad(found)


def test_several_mistakes_are_told_at_once_and_nobody_is_asked(calls: Calls):
    found = dump_plugin.check(calls.context(PqPort="0", PqDumpFormat="paper", PqDumpJobs="x"))
    assert {each.parameter for each in found} == {"PqPort", "PqDumpFormat", "PqDumpJobs"}
    assert {each.state for each in found} == {FindingState.BAD}


def test_a_table_that_the_role_may_not_read_is_named(calls: Calls, folder: Path, role: str):
    found = dump_plugin.check(calls.context(PqUser=role))
    assert 'such as "Büro"."it\'s, a ""table"""' in bad(found, "PqUser")


def test_row_security_that_would_end_a_dump_is_told(
    calls: Calls, folder: Path, cluster: Cluster, shop: str, role: str
):
    cluster.execute(f"GRANT pg_read_all_data TO {role}")
    assert all_good(dump_plugin.check(calls.context(PqUser=role)))
    cluster.execute("ALTER TABLE accounts ENABLE ROW LEVEL SECURITY", shop)
    found = dump_plugin.check(calls.context(PqUser=role))
    assert "hides rows of 1 tables" in bad(found, "PqUser")
    assert "public.accounts" in bad(found, "PqUser")


def test_a_dump_that_the_storage_plugin_is_not_told_of_is_doubtful(calls: Calls, folder: Path):
    context = calls.context()
    off = context.config.model_copy(update={"auto_discovery": False})
    found = dump_plugin.check(replace(context, config=off))
    assert "AutoDiscovery is off" in words(found, FindingState.WARN, "PqDumpPath")
    told = off.model_copy(update={"storage_plugin_parameters": {"BackupSrcPaths": f"/srv, {folder.parent}"}})
    assert all_good(dump_plugin.check(replace(context, config=told)))


def test_all_that_a_copy_of_the_cluster_needs_is_good(copies: Calls):
    found = cluster_plugin.check(copies.context())
    assert all_good(found), found
    told = words(found, FindingState.GOOD)
    assert "may copy the cluster (REPLICATION)" in told
    assert "pg_basebackup and pg_verifybackup of version" in told


def test_a_role_without_replication_is_told(copies: Calls, role: str):
    found = cluster_plugin.check(copies.context(PqUser=role))
    assert "needs the attribute REPLICATION" in bad(found, "PqUser")
    assert PASSWORD not in bad(found)


def test_programs_that_are_missing_are_told(copies: Calls):
    found = cluster_plugin.check(copies.context(PqBinPath="/nowhere"))
    assert "cannot be run" in bad(found, "PqBinPath")


def test_a_server_that_is_away_is_told_and_the_folder_is_looked_at_all_the_same(copies: Calls):
    found = cluster_plugin.check(copies.context(PqPort="1"))
    assert "Cannot connect" in bad(found, "PqDb")
    assert "can be written" in words(found, FindingState.GOOD, "PqBackupPath")
