"""A pod for a database's programs: a real process of this machine for each command, by a stand-in cluster."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.plugins.kubernetes.api_server import ApiServer, ready_pod

NAMESPACE = "shop"


@contextmanager
def running_pod(folder: Path) -> Iterator[ApiServer]:
    """A cluster whose namespace ``shop`` has the pod ``db-0``; all of it is in ``folder``."""
    folder.mkdir()
    cluster = ApiServer(folder)
    cluster.add(NAMESPACE, ready_pod("db-0"))
    with cluster.running():
        yield cluster


def pod_parameters(cluster: ApiServer) -> dict[str, str]:
    """How a plugin finds the pod."""
    return {"Namespace": NAMESPACE, "PodSelector": "db", "KubeConfig": str(cluster.kubeconfig())}


def commands(cluster: ApiServer) -> list[list[str]]:
    """What was run in the pod until now, from the program on."""
    return [query["command"] for query in cluster.execs]


def use_busybox(cluster: ApiServer, *programs: str) -> None:
    """Let the pod have ``programs``, and BusyBox instead of GNU's, as Alpine's images have."""
    folder = cluster.folder / "bin"
    folder.mkdir()
    busybox = shutil.which("busybox")
    assert busybox, "There is no busybox: requirements/install.sh busybox installs it"
    for name in ("sh", "env", "tr"):
        (folder / name).symlink_to(busybox)
    for name in programs:
        (folder / name).symlink_to(shutil.which(name) or name)
    cluster.path = str(folder)


def leave_programs_alone(cluster: ApiServer) -> None:
    """Let what runs in the pod outlive its connection, as a container runtime does: its streams end alone."""
    folder = cluster.folder / "sbin"
    folder.mkdir()
    shell = folder / "sh"
    # The stand-in ends the group of processes that it has started: what is left of it is another's.
    shell.write_text('#!/bin/sh\nexec setsid --wait /bin/sh "$@"\n')
    shell.chmod(0o755)
    cluster.path = f"{folder}:{cluster.path}"
