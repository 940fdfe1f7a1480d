"""The program ``tar`` in a container: whether it is there, and what it understands."""

from dataclasses import dataclass

from workflows_app.domain.errors import PluginFailed
from workflows_app.plugins.base import PluginContext
from workflows_app.plugins.kubernetes.channels import Channel
from workflows_app.plugins.kubernetes.client import Cluster
from workflows_app.plugins.kubernetes.exec import run_in_pod
from workflows_app.plugins.kubernetes.pods import Pod

# What a shell, or the container's runtime, answers for a program that is not there or may not be run.
_NOT_THERE = (None, 126, 127)
_EXACT_TIMES = ("--format=posix", "--pax-option=delete=atime,delete=ctime")


@dataclass(frozen=True, slots=True)
class TarProgram:
    """A ``tar``. ``version`` is what it says of itself; ``extended`` whether it knows pax headers.

    GNU's does, which so has times to the nanosecond; that of BusyBox has whole seconds.
    """

    version: str
    extended: bool

    def packing(self, paths: tuple[str, ...]) -> list[str]:
        """The arguments to write the absolute ``paths`` to standard output, under their names below ``/``."""
        exact = _EXACT_TIMES if self.extended else ()
        return ["tar", *exact, "-C", "/", "-c", "-f", "-", "--", *(path.lstrip("/") for path in paths)]

    def unpacking(self, target: str) -> list[str]:
        """The arguments to unpack standard input below ``target``."""
        # Of names that are not UTF-8, and of times before 1970: it restores both as they are.
        quiet = ("--warning=no-unknown-keyword", "--warning=no-timestamp") if self.extended else ()
        return ["tar", *quiet, "-x", "-p", "-f", "-", "-C", target]


def find_tar(context: PluginContext, cluster: Cluster, pod: Pod) -> TarProgram:
    """The ``tar`` of a container. Raises PluginFailed when there is none, and Cancelled."""
    heard: list[str] = []

    def hear(channel: Channel, line: str) -> None:
        if len(heard) < 1:
            heard.append(line)

    ended = run_in_pod(context, cluster, pod, ["tar", "--version"], hear)
    if ended.code in _NOT_THERE:
        raise PluginFailed(
            f"There is no program tar {pod.where}: {ended.reason}. Files come out of a pod and go into it by "
            "tar: use an image that has it, name another container of the pod as ContainerName, or back the "
            "volume up with another storage plugin"
        )
    version = heard[0] if heard else "a tar that does not tell its version"
    return TarProgram(version, "GNU tar" in version)
