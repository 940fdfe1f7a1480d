"""What the tests of a copy out of a pod share: calls of the plugin, and a copy that stops midway."""

from pathlib import Path
from shutil import which

from tests.plugins.databases.calls import Calls
from tests.plugins.databases.pods import pod_parameters
from tests.plugins.kubernetes.api_server import ApiServer
from tests.plugins.mariadb.conftest import server_parameters
from tests.plugins.mariadb.server import USER, MariadbTestServer
from tests.plugins.postgres.waiting import processes
from workflows_app.plugins.mariadb.pod_copy import pod_argument


def pod_copies(server: MariadbTestServer, pod: ApiServer, place: Path) -> Calls:
    """Calls of mariadb for a server in a pod: the worker has the two programs that it needs, no more."""
    programs = place / "worker"
    programs.mkdir()
    for name in ("mariadb-backup", "mbstream"):
        (programs / name).symlink_to(which(name) or name)
    given = server_parameters(server) | pod_parameters(pod) | {"MysqlBackupPath": str(place / "copies")}
    calls = Calls(given)
    calls.environment["PATH"] = str(programs)
    return calls


def in_pod(copies: Calls) -> dict[int, str]:
    """The processes of the run's mariadb-backup in the pod."""
    return processes(pod_argument(copies.context().config))


def left(copies: Calls) -> list[Path]:
    """What is in the folder of the copies."""
    return [path for path in Path(copies.parameters["MysqlBackupPath"]).rglob("*") if path.is_file()]


def is_locked(server: MariadbTestServer) -> bool:
    """Whether somebody holds the lock of a backup, so that no other can begin."""
    done = server._client("SET lock_wait_timeout = 0; BACKUP STAGE START; BACKUP STAGE END", "", USER)
    return "Lock wait timeout exceeded" in done.stderr


def unpacker(place: Path, script: str) -> str:
    """A program that says of itself that it is mbstream, and else runs ``script``."""
    path = place / "another-unpacker"
    path.write_text(f'#!/bin/sh\n[ "$1" != --help ] || exec {which("mbstream")} --help\n{script}\n')
    path.chmod(0o755)
    return str(path)


class Midway:
    """A copy that stops midway: mariadb-backup in the pod holds its lock, and waits for one who reads."""

    def __init__(self, server: MariadbTestServer, place: Path) -> None:
        self._server = server
        self._gate = place / "gate"
        # It does not read: the buffers on the way are smaller than the copy.
        waiting = f"while [ ! -e {self._gate} ]; do sleep 0.05; done"
        self.unpacker = unpacker(place, f'{waiting}\nexec {which("mbstream")} "$@"')

    def reached(self) -> bool:
        """Whether the lock is held."""
        return is_locked(self._server)

    def go_on(self) -> None:
        """Let the copy go on, now and later."""
        self._gate.touch()
