"""Streams a copy of a server out of its pod, to be unpacked beside the worker."""

from collections.abc import Callable, Sequence
from pathlib import Path

from workflows_app.domain.config import Config
from workflows_app.domain.errors import PluginFailed
from workflows_app.domain.results import Level
from workflows_app.plugins.databases.pod import InPod
from workflows_app.plugins.databases.run_names import run_digest
from workflows_app.plugins.mariadb.unpacking import unpacking
from workflows_app.plugins.mariadb_server.programs import Programs
from workflows_app.plugins.wording import reason_of, shown

# Of the data folder: whether it can be read, and the first file in it that leads out of it. A constant.
_LOOK = """cd "$1" && [ -r . ] || exit 1
for file in * */*; do
  if [ -L "$file" ]; then echo "$1/$file"; exit 0; fi
  case "$file" in *.isl) echo "$1/$file"; exit 0 ;; esac
done
"""


def pod_argument(config: Config) -> str:
    """The argument by which a run's mariadb-backup is known among the processes of a pod.

    No such folder is made: one that streams writes nothing there [seen with 10.11].
    """
    return f"--target-dir=/tmp/fossul-{run_digest(config)}"


def leading_out_in_pod(pod: InPod, data: str) -> str:
    """The first file of a data folder in the pod that leads out of it; empty when there is none.

    Raises PluginFailed when the folder cannot be read there; ConfigInvalid, Cancelled.
    """
    lines: list[str] = []
    ended = pod.run(["sh", "-c", _LOOK, "sh", data.rstrip("/")], lines.append)
    if not ended.ok:
        raise PluginFailed(
            f"The server's data folder {shown(data)} cannot be read {pod.pod.where}: "
            f"{lines[-1] if lines else ended.reason}. Let ContainerName be the server's own container, whose "
            "user may read it, or use mariadb-dump"
        )
    return lines[-1] if lines else ""


def stream_copy(
    programs: Programs,
    pod: InPod,
    unpacker: str,
    argv: Sequence[str],
    judge: Callable[[str], tuple[Level, str] | None],
    on_detail: Callable[[str], None],
    on_bytes: Callable[[int], None],
    data: Path,
) -> None:
    """Run ``argv``, a mariadb-backup, in the pod, and unpack what it streams into the new folder ``data``.

    ``on_bytes`` is told of each piece how long it is; ``judge`` and ``on_detail`` as for ``Programs.run``.
    Nothing of it runs in the pod afterwards, as soon as the pod knows that nobody listens. Raises
    PluginFailed, Cancelled.
    """
    try:
        data.mkdir(mode=0o700)
    except OSError as error:
        raise PluginFailed(f"Cannot write {shown(str(data))}: {reason_of(error)}") from None
    with unpacking(programs.context, unpacker, data) as write:

        def take(piece: bytes) -> None:
            write(piece)
            on_bytes(len(piece))

        argv = [*argv, "--stream=mbstream", pod_argument(programs.context.config)]
        programs.take(pod, argv, judge, on_detail, take)
