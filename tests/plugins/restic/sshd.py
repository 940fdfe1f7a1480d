"""A real SFTP server on this machine, for one user with one key."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SftpServer:
    """Where the server is, the key that opens it, and the file that knows its own key."""

    port: int
    key: Path
    known_hosts: Path


@contextlib.contextmanager
def running_sshd(folder: Path) -> Iterator[SftpServer]:
    """A server that keeps its files in ``folder``, which its programs' users must be able to enter."""
    program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "the package openssh-server is not installed"
    for name in ("host", "client"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    shutil.copy(folder / "client.pub", folder / "authorized")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    host = (folder / "host.pub").read_text().split()
    (folder / "known").write_text(f"[127.0.0.1]:{port} {host[0]} {host[1]}\n")
    (folder / "config").write_text(
        f"ListenAddress 127.0.0.1\nPort {port}\nHostKey {folder}/host\n"
        f"AuthorizedKeysFile {folder}/authorized\nStrictModes no\nUsePAM no\nPidFile none\n"
        "Subsystem sftp internal-sftp\nPermitRootLogin yes\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    with subprocess.Popen(
        [program, "-D", "-e", "-f", folder / "config"], stderr=subprocess.DEVNULL
    ) as server:
        try:
            _wait(port)
            yield SftpServer(port, folder / "client", folder / "known")
        finally:
            server.terminate()


def _wait(port: int) -> None:
    give_up = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert time.monotonic() < give_up, "the SFTP server does not answer"
