"""A copy out of a pod that fails midway: nothing is kept, and nothing stays in the pod or in the server."""

import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pods import leave_programs_alone
from tests.plugins.kubernetes.api_server import ApiServer
from tests.plugins.mariadb.pod_copies import Midway, in_pod, is_locked, left, pod_copies, unpacker
from tests.plugins.mariadb.server import MariadbTestServer
from tests.plugins.mariadb.test_copy_in_pod import program
from tests.plugins.mariadb.test_server_copy import LOST_WORKER, ROOT, backup_waits
from tests.plugins.postgres.waiting import Attempt, processes, until
from workflows_app.domain.errors import Cancelled, PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.mariadb.plugin import plugin

SESSIONS = "SELECT id FROM information_schema.PROCESSLIST WHERE user = 'keeper' AND id <> CONNECTION_ID()"
ENDED = "Ended a program that a lost worker had left of this run in namespace [shop] on pod [db-0] container"


@pytest.fixture(autouse=True)
def programs_go_on(pod: ApiServer) -> None:
    """Those of the pod, when nobody listens to them."""
    leave_programs_alone(pod)


@pytest.fixture
def midway(server: MariadbTestServer, copies: Calls, place: Path) -> Iterator[Midway]:
    """Where the copies of the test stop."""
    point = Midway(server, place)
    copies.parameters["MysqlStreamCmd"] = point.unpacker
    copies.environment["PATH"] += f":{os.environ['PATH']}"
    yield point
    point.go_on()
    until(lambda: not processes(point.unpacker))


@pytest.fixture
def copies(server: MariadbTestServer, shop: str, pod: ApiServer, place: Path) -> Calls:
    """Calls of the plugin mariadb for a server in a pod."""
    return pod_copies(server, pod, place)


def refusal(copies: Calls, **change: str) -> str:
    """Why quiesce fails; nothing is kept then, and nothing runs in the pod."""
    with pytest.raises(PluginFailed, match="could not be copied, and nothing is kept: ") as failed:
        plugin.quiesce(copies.context(**change))
    assert left(copies) == []
    until(lambda: not in_pod(copies))
    return str(failed.value)


def chunks(name: bytes, content: bytes) -> bytes:
    """A file as mariadb-backup streams it."""
    head = struct.pack("<I", len(name)) + name
    body = struct.pack("<QQI", len(content), 0, zlib.crc32(content)) + content
    return b"XBSTCK01\0P" + head + body + b"XBSTCK01\0E" + head


def test_a_connection_that_breaks(copies: Calls, pod: ApiServer) -> None:
    pod.break_after = 2_000_000
    assert "broke before the command had ended" in refusal(copies)


def test_a_pod_that_is_gone(copies: Calls, pod: ApiServer) -> None:
    def delete(text: str) -> None:
        if "mbstream -x" in text:
            pod.pods["shop"].clear()

    copies.on_line = delete
    assert 'pods "db-0" not found' in refusal(copies)
    copies.said.clear()
    assert plugin.unquiesce(copies.context()).code == 0
    (warning,) = copies.lines(Level.WARN)
    assert warning.startswith("A lost worker may have left a program of this run in the pod: There is no pod")


def test_a_copier_that_fails_after_the_stream_began(
    server: MariadbTestServer, copies: Calls, midway: Midway
) -> None:
    attempt = Attempt(lambda: plugin.quiesce(copies.context()))
    until(midway.reached)
    for (session,) in server.sql(SESSIONS):
        server.sql(f"KILL {session}")
    midway.go_on()
    failure = str(attempt.join())
    assert "mariadb-backup ended with [command terminated with exit code 1]: " in failure
    assert left(copies) == []
    until(lambda: not in_pod(copies))


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "head -c 100000 >/dev/null; echo out of luck >&2; exit 3",
            "ended with [exit status 3]: out of luck",
        ),
        ("head -c 100000 >/dev/null; kill -9 $$", "ended with [signal: killed]"),
        ("cat >/dev/null; echo a file is left out", "could not unpack everything: a file is left out"),
    ],
    ids=["fails", "killed", "leaves out"],
)
def test_an_unpacker_that_fails(copies: Calls, place: Path, script: str, why: str) -> None:
    copies.environment["PATH"] += f":{os.environ['PATH']}"
    told = refusal(copies, MysqlStreamCmd=unpacker(place, script))
    assert f"mbstream, which unpacks the copy, {why}" in told


def test_a_full_disk(copies: Calls) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small filesystem")
    folder = Path(copies.parameters["MysqlBackupPath"])
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=755", "none", str(folder)], check=True)
    try:
        assert "No space left on device" in refusal(copies)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
    shutil.rmtree(folder)


@pytest.mark.parametrize("name", ["../../evil", "{}/evil"], ids=["relative", "absolute"])
def test_a_stream_that_leads_out_of_the_folder(copies: Calls, place: Path, name: str) -> None:
    name = name.format(place)
    (place / "stream").write_bytes(chunks(name.encode(), b"evil"))
    told = refusal(copies, MysqlBackupCmd=program(place, f"cat {place}/stream"))
    assert "could not unpack everything: " in told
    assert f"invalid filename {name}" in told
    assert list(place.rglob("evil")) == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ('mariadb-backup "$@" | head -c 2000000', "mbstream, which unpacks the copy, ended with"),
        ("exit 0", "mariadb-backup left no copy of the kind 'full-backuped'"),
    ],
    ids=["cut", "empty"],
)
def test_a_stream_whose_end_is_missing(copies: Calls, place: Path, script: str, why: str) -> None:
    """A program that succeeds, and has written only a part."""
    assert why in refusal(copies, MysqlBackupCmd=program(place, script))


def test_a_copy_of_another_servers_files(copies: Calls, place: Path) -> None:
    checkpoints = chunks(b"xtrabackup_checkpoints", b"backup_type = full-backuped\nlast_lsn = 7\n")
    (place / "stream").write_bytes(checkpoints)
    told = refusal(copies, MysqlBackupCmd=program(place, f"cat {place}/stream"))
    assert "the copied files are not the server's: their log ends at 7" in told


def test_a_copy_that_leads_out_of_its_folder_is_not_prepared(copies: Calls, place: Path) -> None:
    script = f'mariadb-backup "$@" && cat {place}/stream'
    (place / "stream").write_bytes(chunks(b"mysql/far.isl", b"/etc/far.ibd"))
    told = refusal(copies, MysqlBackupCmd=program(place, script))
    assert "has data outside of its data folder, by" in told


def test_a_wait_for_locks_has_an_end(server: MariadbTestServer, shop: str, copies: Calls) -> None:
    with server.session("LOCK TABLES ledger WRITE", shop):
        assert "Lock wait timeout exceeded" in refusal(copies, MysqlLockWaitSeconds="1")


def test_a_cancel_ends_it_in_the_pod(server: MariadbTestServer, copies: Calls, midway: Midway) -> None:
    attempt = Attempt(lambda: plugin.quiesce(copies.context()))
    until(midway.reached)
    copies.cancel()
    assert isinstance(attempt.join(), Cancelled)
    until(lambda: not in_pod(copies) and not is_locked(server))
    assert left(copies) == []


def lost_worker(copies: Calls) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-c", LOST_WORKER, json.dumps(copies.parameters)],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{copies.environment['PATH']}:{os.environ['PATH']}"},
    )


def test_a_worker_that_is_lost_leaves_nothing_in_the_pod_by_itself(
    server: MariadbTestServer, shop: str, copies: Calls
) -> None:
    """A mariadb-backup that waits for a lock has nothing to write, by which it would notice."""
    with server.session("LOCK TABLES ledger WRITE", shop):
        worker = lost_worker(copies)
        until(lambda: backup_waits(server), 30)
        worker.kill()
        worker.wait()
        until(lambda: not in_pod(copies) and not backup_waits(server))
    assert plugin.unquiesce(copies.context()).code == 0
    assert left(copies) == []


@pytest.fixture
def standing_worker(copies: Calls, midway: Midway) -> Iterator[None]:
    """A worker that stands still in the middle of a copy: as one whose network is gone, it hangs up never."""
    worker = lost_worker(copies)
    try:
        until(midway.reached, 30)
        worker.send_signal(signal.SIGSTOP)
        yield
    finally:
        worker.kill()
        worker.wait()


@pytest.mark.usefixtures("standing_worker")
def test_what_a_worker_left_whose_loss_the_cluster_does_not_notice_is_ended(
    server: MariadbTestServer, copies: Calls
) -> None:
    assert in_pod(copies)
    assert plugin.unquiesce(copies.context()).code == 0
    assert [line for line in copies.lines(Level.WARN) if line.startswith(ENDED)]
    until(lambda: not in_pod(copies) and not is_locked(server))
    assert left(copies) == []


@pytest.mark.usefixtures("standing_worker")
def test_a_later_attempt_ends_what_an_earlier_one_left(copies: Calls, midway: Midway) -> None:
    midway.go_on()
    assert plugin.quiesce(copies.context()).code == 0
    assert [line for line in copies.lines(Level.WARN) if line.startswith(ENDED)]
    assert plugin.post_restore(copies.restore()).code == 0
